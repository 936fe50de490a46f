#pragma once

#include "orchestrator/model/vocabulary.hpp"

#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bailey {

/// Where the secret of an account is read from, at the moment it is needed. Exactly one is set.
struct CredentialSource {
  std::string file;
  std::string env;
  std::vector<std::string> command;
};

struct AccountLimits {
  int concurrency = 16;
  int requests_per_second = 0;  ///< 0: no limit of ours.
  std::optional<int> sandboxes_per_owner;
  std::optional<std::chrono::seconds> maximum_ttl;
};

/// One credential at one provider; says which environment classes may use it.
struct Account {
  std::string name;
  std::string provider;
  std::set<EnvironmentClass> classes;
  std::string endpoint;
  std::string region;
  CredentialSource credential;
  AccountLimits limits;
};

}  // namespace bailey
