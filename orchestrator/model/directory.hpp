#pragma once

#include "orchestrator/model/subject.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

struct Person {
  std::string email;
  std::vector<std::string> keys;  ///< OpenSSH public keys: "ssh-ed25519 AAAA... comment".
};

struct OidcBinding {
  std::string issuer;
  std::string audience;
  std::map<std::string, std::string> claims;
};

/// A machine identity. Whoever controls it counts, for duties, as holding what it holds.
struct Service {
  std::vector<Subject> controlled_by;
  std::vector<std::string> keys;  ///< OpenSSH public keys it signs evidence with.
  std::optional<OidcBinding> oidc;
};

/// People, services and groups. Groups may nest; a cycle is refused by validation.
struct Directory {
  std::map<std::string, Person> people;
  std::map<std::string, Service> services;
  std::map<std::string, std::vector<Subject>> groups;

  /// The people and services that a subject stands for, nested groups followed. An unknown name
  /// stands for nobody.
  [[nodiscard]] std::set<Subject> expand(const Subject& subject) const;
  [[nodiscard]] std::set<Subject> expand(const std::vector<Subject>& subjects) const;
  /// The people among them only: who can give an approval.
  [[nodiscard]] std::set<std::string> people_in(const std::vector<Subject>& subjects) const;
  /// The same as entries of `people`, in its order.
  using Entry = std::map<std::string, Person>::value_type;
  [[nodiscard]] std::vector<const Entry*> entries_in(const std::vector<Subject>& subjects) const;
  [[nodiscard]] bool contains(const std::vector<Subject>& subjects, const Subject& member) const;
  /// Those of `some` for whom the subjects stand: dear by the members, not by `some`.
  [[nodiscard]] std::set<std::string> people_among(const std::set<std::string>& some,
                                                   const std::vector<Subject>& subjects) const;
  /// The person with this address, compared without case.
  [[nodiscard]] std::optional<std::string> person_by_email(std::string_view email) const;
  [[nodiscard]] bool has(const Subject& subject) const;
};

/// The root of trust: who may change what decides.
struct Organization {
  std::string name;
  std::vector<Subject> administrators;
  int approvals = 0;
};

}  // namespace bailey
