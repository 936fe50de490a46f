#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/provision/apply/executor.hpp"
#include "orchestrator/provision/apply/journal.hpp"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

enum class Settlement : std::uint8_t {
  Adopted,   ///< What was made is there, and recorded now.
  Absent,    ///< Nothing was made; the next plan makes it with the same marker.
  Updated,   ///< The update is there, and recorded now.
  Unsure,    ///< Perhaps updated; the next plan does it again.
  Deleted,   ///< It is gone, and no longer recorded.
  Standing,  ///< It was not deleted; the next plan does it again.
  InUse,     ///< Superseded, and still referred to: it goes with the next apply.
  Open,      ///< Could not be settled: the intent stays.
};

struct RecoveredIntent {
  ResourceAddress address;
  Verb verb = Verb::Create;
  Settlement settlement = Settlement::Open;
  std::optional<Error> error;  ///< For Open.
};

struct RecoveryReport {
  std::vector<RecoveredIntent> intents;  ///< Sorted by address.
  /// True when no intent stayed open.
  [[nodiscard]] bool settled() const noexcept;
};

/// Settles every open intent of the environment, each by looking up its marker or reading it back.
/// It makes nothing new: it adopts what a create left (finishing in place what is half made, or
/// taking it away when that cannot be), and removes what was superseded. Absence counts only once
/// the type's visibility grace since the intent has passed; until then it waits on the clock.
/// Safe to repeat. An Error only when the journal cannot be read or the lease is lost.
[[nodiscard]] Result<RecoveryReport> recover(const ApplyContext& context,
                                             const std::string& boundary, const Fence& fence,
                                             std::stop_token stop);

[[nodiscard]] std::string_view to_string(Settlement settlement) noexcept;

}  // namespace bailey
