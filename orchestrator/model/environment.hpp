#pragma once

#include "orchestrator/model/gate.hpp"
#include "orchestrator/model/vocabulary.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bailey {

enum class Execution : std::uint8_t { OnApproval, ByOperator };

struct CredentialSpec {
  std::string role;
  std::chrono::seconds ttl{0};
  std::optional<std::chrono::seconds> rotate;
};

struct Verification {
  std::vector<std::string> command;
  std::chrono::seconds timeout{std::chrono::minutes(5)};
};

struct GrantableRole {
  std::vector<Subject> to;
  int approvals = 1;
  std::chrono::seconds ttl{0};
};

struct BreakGlass {
  std::vector<Subject> who;
  int approvals = 2;
  std::chrono::seconds ttl{0};
  ApprovalRule review;
  std::chrono::seconds review_within{0};
};

/// How an environment goes back to an earlier release.
struct RollbackSpec {
  std::optional<Gate> gate;             ///< In place of the environment's own; absent: the same.
  bool on_failed_verification = false;  ///< Bailey asks for one by itself.
};

struct StageRepository {
  std::string account;
  std::string repository;
};

/// How the wall around an environment is made at the provider. `adopt` stands alone: what is taken
/// over keeps its description and its tags.
struct BoundarySpec {
  std::string adopt;  ///< Name or id of one that is there already; empty: one is made.
  std::string description;
  std::vector<std::string> tags;  ///< Beside our own.
};

/// One instance of a template, in one class, on one account, of one project.
struct Environment {
  std::string name;
  std::string project;
  EnvironmentClass environment_class = EnvironmentClass::Production;
  std::string account;
  std::string template_name;
  BoundarySpec boundary;
  std::map<std::string, nlohmann::json> parameters;
  std::map<std::string, std::vector<Subject>> bindings;  ///< Role to who holds it.
  std::map<std::string, GrantableRole> grantable;
  Execution execute = Execution::OnApproval;
  std::map<std::string, CredentialSpec> credentials;
  std::map<std::string, StageRepository> repositories;
  std::vector<Verification> verify;
  Gate gate;
  RollbackSpec rollback;
  std::optional<BreakGlass> break_glass;
  std::optional<std::string> owner;  ///< A sandbox's person.
  std::optional<std::chrono::seconds> ttl;
};

}  // namespace bailey
