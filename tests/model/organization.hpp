#pragma once

#include "orchestrator/model/bundle.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace bailey::model_check {

inline constexpr std::array<const char*, 4> kPeople{"alice", "bob", "carol", "dave"};
inline constexpr std::array<const char*, 3> kStages{"dev", "staging", "production"};
inline constexpr std::size_t kPolicyEdits = 3;

/// A set of people, one bit each, in the order of kPeople.
using People = std::uint8_t;

/// Who holds what in one organization of four people. Written as sets of people, from which both
/// the bundle that the engine judges by and the expectations of the check are made, each on its own
/// way.
struct Organization {
  std::string name;
  People developers = 0;      ///< May ask for promotions into dev and staging.
  People controllers = 0;     ///< Stand behind the service ci, through a nested group.
  People managers = 0;        ///< The first group of approvers.
  People security = 0;        ///< The second one, through a nested group.
  People deployers = 0;       ///< May ask for, and execute, in production; so may ci.
  People administrators = 0;  ///< Decide about policy.
  int administrator_approvals = 1;
  bool by_operator = false;  ///< How production is executed.
  int managers_needed = 1;
  int security_needed = 1;  ///< 0: there is no second rule.
};

/// The organizations that are checked: separated duties, and overlaps of every kind.
[[nodiscard]] const std::vector<Organization>& organizations();

/// The organization after some of the policy edits were accepted, a bit each: alice becomes a
/// manager; bob is a manager no more; dave becomes a deployer and a member of security.
[[nodiscard]] Organization edited(Organization organization, std::uint8_t edits);

/// As the engine reads it from the specs.
[[nodiscard]] Bundle bundle_of(const Organization& organization);

/// The public key of a person: bob has a second one.
[[nodiscard]] const std::string& key_line(std::size_t person, std::size_t key);
[[nodiscard]] const std::string& key_print(std::size_t person, std::size_t key);

}  // namespace bailey::model_check
