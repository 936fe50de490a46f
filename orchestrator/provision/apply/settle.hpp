#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/error.hpp"
#include "orchestrator/model/provider_schema.hpp"
#include "orchestrator/model/state.hpp"
#include "orchestrator/provision/apply/journal.hpp"
#include "orchestrator/provision/apply/lease.hpp"
#include "orchestrator/provision/provider/provider.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

namespace bailey {

/// How a remote act ended. `Unknown`: it may have happened, or half of it, and nobody could say.
enum class Ending : std::uint8_t { Done, NotDone, Unknown };

struct ActResult {
  Ending ending = Ending::Unknown;
  std::optional<Observed> observed;  ///< What stands now, where a look-up or the act told.
  std::optional<Error> error;        ///< Unless Done.
  std::string left_behind;           ///< Provider id of what is to be taken away and could not be.
};

/// Remote acts whose answers may be lost: each is settled by looking before it is tried again. Any
/// thread. The references outlive it.
class Settler {
 public:
  /// Nothing is sent without the lease: its loss ends a call that is under way, and `wait_stop` the
  /// waiting between calls.
  Settler(Provider& provider, const ProviderSchema& schema, Clock& clock, std::string boundary,
          LeaseKeeper& lease, std::stop_token wait_stop)
      : provider_(provider),
        schema_(schema),
        clock_(clock),
        boundary_(std::move(boundary)),
        lease_(lease),
        call_stop_(lease.lost()),
        wait_stop_(std::move(wait_stop)),
        began_(clock.wall_now()) {}

  /// Makes the resource of a Create intent. What a refusal left half made is removed again.
  /// `earlier` is what its marker may have bred before.
  [[nodiscard]] ActResult create(const Intent& intent, Earlier earlier = Earlier::Perhaps);
  /// Updates in place.
  [[nodiscard]] ActResult update(const Intent& intent);
  /// Done when it is gone.
  [[nodiscard]] ActResult remove(const std::string& type, const std::string& provider_id);

  /// After a crash: what a Create intent left. Done with `observed`, NotDone when nothing is there.
  [[nodiscard]] ActResult find_made(const Intent& intent);
  [[nodiscard]] Result<std::optional<Observed>> read(const std::string& type,
                                                     const std::string& provider_id);

 private:
  [[nodiscard]] ResourceRequest request_of(const Intent& intent) const;
  [[nodiscard]] std::chrono::seconds grace_of(const std::string& type) const;
  /// The one resource with the intent's marker. Looks again until `sure_at` before it believes that
  /// there is none. Further ones with the same marker are removed.
  [[nodiscard]] Result<std::optional<Observed>> look_up(const Intent& intent, WallTime sure_at);
  [[nodiscard]] ActResult take_away(const Intent& intent, Error refusal);

  Provider& provider_;
  const ProviderSchema& schema_;
  Clock& clock_;
  std::string boundary_;
  LeaseKeeper& lease_;
  std::stop_token call_stop_;
  std::stop_token wait_stop_;
  WallTime began_;  ///< Whatever ran before has ended by then.
};

/// The error says that the act may have happened.
[[nodiscard]] bool is_lost_answer(const Error& error);

/// True when every field in which the update was to change something reads back as wanted.
[[nodiscard]] bool update_arrived(const ResourceTypeSchema& schema, const Intent& intent,
                                  const Observed& observed);

/// What to record after an update of which nobody knows how far it came: a field that can be read
/// back as wanted (the next refresh tells the truth), one that cannot as null, so that the next
/// plan writes it again.
[[nodiscard]] ResourceState after_unsure_update(ResourceState state, const Intent& intent,
                                                const std::optional<Observed>& observed);

}  // namespace bailey
