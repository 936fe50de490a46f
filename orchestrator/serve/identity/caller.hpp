#pragma once

#include "orchestrator/model/subject.hpp"
#include "orchestrator/model/vocabulary.hpp"

#include <map>
#include <set>
#include <string>

namespace bailey {

/// Who is asking, and how that is known.
struct Caller {
  Subject subject;
  std::string proof;  ///< `token:<id>`, `bootstrap`, or `none`.
  /// Powers that grants gave for a while, by environment, as they stood when the request came.
  std::map<std::string, std::set<Power>> granted = {};
  bool operator==(const Caller&) const = default;

  [[nodiscard]] bool anonymous() const noexcept { return subject.name.empty(); }
};

/// One request on its way through the engine: the id ties its log entries together.
struct Request {
  Caller caller;
  std::string id;
};

}  // namespace bailey
