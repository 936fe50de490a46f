#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/bundle.hpp"
#include "orchestrator/serve/identity/caller.hpp"

#include <set>
#include <string>
#include <vector>

namespace bailey {

/// The roles of an environment that a subject holds, through bindings and nested groups. The owner
/// of a sandbox holds every role of it. Nobody for a name that the Directory does not have.
[[nodiscard]] std::set<std::string> roles_of(const Bundle& bundle, const Environment& environment,
                                             const Subject& subject);

/// The powers of those roles. Administrators of the organization hold `read`, `audit` and
/// `administer` everywhere and nothing that could change an environment.
[[nodiscard]] std::set<Power> powers_of(const Bundle& bundle, const Environment& environment,
                                        const Subject& subject);

/// The same with what grants have given the caller for now.
[[nodiscard]] std::set<Power> powers_of(const Bundle& bundle, const Environment& environment,
                                        const Caller& caller);

[[nodiscard]] bool is_administrator(const Bundle& bundle, const Subject& subject);

/// PermissionDenied, naming the missing power and the roles that give it, unless the caller holds
/// it.
[[nodiscard]] Status require(const Bundle& bundle, const Environment& environment,
                             const Caller& caller, Power power);

/// As require(), for a power in any environment.
[[nodiscard]] Status require_somewhere(const Bundle& bundle, const Caller& caller, Power power);

/// PermissionDenied unless the caller administers the organization.
[[nodiscard]] Status require_administrator(const Bundle& bundle, const Caller& caller);

}  // namespace bailey
