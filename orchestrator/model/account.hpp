#pragma once

#include "orchestrator/model/vocabulary.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

/// Where the secret of an account is read from, at the moment it is needed: exactly one of the
/// first three is set.
struct CredentialSource {
  std::string file;
  std::string env;  ///< A variable's name, or `PREFIX*` for all variables that begin so.
  std::vector<std::string> command;
  std::string cloud;  ///< Which of the clouds it is, where the source describes several.
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
  std::string endpoint;   ///< Empty: the credential says it.
  std::string region;     ///< Empty: the credential says it, or there is one alone.
  std::string interface;  ///< `public`, `internal` or `admin`; empty: the credential says it.
  std::string ca_file;    ///< Whose certificates are trusted instead of the system's authorities.
  /// Where the provider keeps the environments of a class; empty: where the account itself is.
  std::map<EnvironmentClass, std::string> domains;
  CredentialSource credential;
  AccountLimits limits;
};

/// Whether a secret sent to `url` crosses a network unencrypted: true for everything but https and,
/// on this machine's loopback interface, http.
[[nodiscard]] bool crosses_in_clear(std::string_view url);

}  // namespace bailey
