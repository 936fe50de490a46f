#pragma once

#include "orchestrator/model/bundle.hpp"
#include "orchestrator/model/change.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bailey {

/// The people who can make a subject act: a person itself, everybody who controls a service, be it
/// through other services or groups, and the members of a group with the people behind them.
[[nodiscard]] std::set<std::string> people_behind(const Directory& directory,
                                                  const Subject& subject);

/// People whose agreement to this change counts for nothing: its authors, by name or by e-mail
/// address, and the people behind its requester and its executor.
[[nodiscard]] std::set<std::string> involved_people(const Directory& directory,
                                                    const std::vector<Author>& authors,
                                                    const Subject& requester,
                                                    const std::optional<Subject>& executor);

/// The people who hold a power in an environment through its bindings and its template's roles.
[[nodiscard]] std::set<std::string> people_holding(const Bundle& bundle,
                                                   const Environment& environment, Power power);

}  // namespace bailey
