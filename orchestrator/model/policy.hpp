#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/model/vocabulary.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bailey {

/// Somebody's standing: a power in a class or one environment, or authorship of a project.
/// Written `author@payments`, `operate@production`.
struct Holding {
  std::string what;   ///< `author` or the name of a power.
  std::string where;  ///< A project for `author`; a class or an environment for a power.
  auto operator<=>(const Holding&) const = default;
};

/// No person may come to hold all of these.
struct ExclusiveDuty {
  std::string name;
  std::vector<Holding> holds;
  std::vector<std::string> controls;  ///< Ids of the controls it serves, for reports.
};

/// Data of one environment is read by another.
struct Flow {
  std::string from;
  std::string to;
  std::string what;
};

struct Duties {
  std::vector<ExclusiveDuty> exclusive;
  std::vector<Flow> flows;
};

/// A time in which no change goes into these classes or environments.
struct Freeze {
  std::string name;
  std::set<EnvironmentClass> classes;
  std::set<std::string> environments;
  WallTime from;
  WallTime to;
  std::string reason;
};

}  // namespace bailey
