#pragma once

#include "orchestrator/model/subject.hpp"

#include <map>
#include <string>
#include <vector>

namespace bailey {

/// What is promoted together, by whom it is written, and through which stages it goes.
struct Project {
  std::string name;
  std::map<std::string, std::string> repositories;  ///< Artifact name to OCI repository.
  std::map<std::string, std::string> accounts;      ///< By which they are read; else anonymously.
  std::vector<Subject> authors;
  std::vector<std::string> stages;                        ///< Environment names in spec order.
  std::map<std::string, std::vector<std::string>> after;  ///< Stage to the stages before it.
};

}  // namespace bailey
