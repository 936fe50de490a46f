#pragma once

#include "orchestrator/base/diagnostic.hpp"
#include "orchestrator/declare/duties/standings.hpp"

#include <functional>
#include <string>
#include <vector>

namespace bailey::duties {

/// Adds one finding for each different path by which people come to hold all of `parts`, shortest
/// first, and at most ten: `describe` makes it from the first person's name and the sentence about
/// the others, which is empty when there are none. Its path is what comes after the people's own.
void report_paths(const Standings& standings, Diagnostics& diagnostics,
                  const std::vector<const Standing*>& parts, const Nodes& people,
                  const std::function<Diagnostic(const std::string& person,
                                                 const std::string& others)>& describe);

/// The people who come to hold all of it.
[[nodiscard]] Nodes people_in_all(const std::vector<const Standing*>& parts);
[[nodiscard]] Nodes people_of(const Reach& reach);

/// At most `most` names, then how many more.
[[nodiscard]] std::string some_names(const SubjectGraph& graph, const Nodes& people,
                                     std::size_t most = 5);

/// No person may come to hold what a duty excludes: `duty.exclusive`.
void check_exclusive(Standings& standings, Diagnostics& diagnostics);
/// Who may write where a higher class reads is trusted there: `duty.tester-alters-production` and
/// `duty.untrusted-flow`.
void check_flows(Standings& standings, Diagnostics& diagnostics);
/// The common failures, whatever the duties say.
void check_failures(Standings& standings, Diagnostics& diagnostics);
/// Enough independent people exist for whatever asks for agreement: `policy.unsatisfiable`.
void check_satisfiable(Standings& standings, Diagnostics& diagnostics);

}  // namespace bailey::duties
