#pragma once

#include "orchestrator/model/bundle.hpp"
#include "orchestrator/model/change.hpp"

#include <set>
#include <string>
#include <vector>

namespace bailey {

/// The people of one change, by what they do in it. A service stands for everybody who controls it.
struct PeopleOfChange {
  std::set<std::string> authors;
  std::set<std::string> requester;
  std::set<std::string> approvers;
  std::set<std::string> executor;  ///< Nobody where Bailey executes of itself.
};

struct BrokenDuty {
  std::string duty;
  std::string person;
  std::vector<std::string> parts;  ///< "wrote it", "asks for it", "approves it", "executes it".
};

/// The exclusive duties that somebody would break by what they do in this change: whoever does all
/// that a duty names, where the environment and its project are those that it names. A duty that
/// names what is no part of a change, such as `operate`, is none of a change's.
[[nodiscard]] std::vector<BrokenDuty> broken_duties(const Bundle& bundle,
                                                    const Environment& environment,
                                                    const PeopleOfChange& people);

/// The people of a change as it stands, given all its authors and who has agreed to it.
[[nodiscard]] PeopleOfChange people_of_change(const Directory& directory, const Change& change,
                                              const std::vector<Author>& authors,
                                              std::set<std::string> agreed);

}  // namespace bailey
