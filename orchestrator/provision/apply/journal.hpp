#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/address.hpp"
#include "orchestrator/model/state.hpp"
#include "orchestrator/provision/provider/marker.hpp"
#include "orchestrator/record/store/state_store.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

/// What an intent is about to do. `Retire`: the resource stands, recorded; what it replaced is
/// still to be deleted.
enum class Verb : std::uint8_t { Create, Update, Delete, Retire };

/// How far it came. `Intent`: nothing was sent. `Sent`: written just before the call, so that it
/// may have acted. `Observed`: what it made is known by `provider_id` and has to be taken away.
enum class Phase : std::uint8_t { Intent, Sent, Observed };

/// A resource that a newer generation took the place of.
struct Superseded {
  std::string type;
  std::string provider_id;
  nlohmann::json attributes = nlohmann::json::object();  ///< What others may still refer to.
  std::vector<ResourceAddress> depends_on = {};          ///< What it may still refer to itself.
  bool operator==(const Superseded&) const = default;
};

/// One unconfirmed operation, written down before it is tried: Collection::Intent under the
/// resource's address, at most one each. It holds all that is needed to settle it after a crash.
struct Intent {
  ResourceAddress address;
  Verb verb = Verb::Create;
  Phase phase = Phase::Intent;
  std::string operation;  ///< Action of the plan: `create`, `replace`, `update`, `delete`.
  std::string type;
  Marker marker;
  std::string provider_id;  ///< Of what is updated, deleted or was observed.
  nlohmann::json inputs;    ///< Resolved; what was sent.
  nlohmann::json before;    ///< Update: what the provider showed.
  std::vector<ResourceAddress> depends_on;
  std::vector<Superseded> superseded;
  std::string plan_digest;
  std::string time;  ///< RFC 3339; when the phase was reached.
  bool operator==(const Intent&) const = default;
};

[[nodiscard]] std::string_view to_string(Verb verb) noexcept;
[[nodiscard]] std::string_view to_string(Phase phase) noexcept;
[[nodiscard]] nlohmann::json to_json(const Intent& intent);
[[nodiscard]] Result<Intent> intent_from_json(const nlohmann::json& value);

/// Everything recorded of one environment, sorted by address.
[[nodiscard]] Result<std::vector<ResourceState>> load_resources(Transaction& transaction,
                                                                const std::string& environment);
[[nodiscard]] Result<std::vector<Intent>> load_intents(Transaction& transaction,
                                                       const std::string& environment);
/// Nothing when the environment has no record.
[[nodiscard]] Result<std::optional<EnvironmentState>> load_environment(
    Transaction& transaction, const std::string& environment);

}  // namespace bailey
