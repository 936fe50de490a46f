#pragma once

#include "orchestrator/promote/evidence/approval_statement.hpp"
#include "orchestrator/promote/gate/decisions.hpp"
#include "orchestrator/promote/gate/gate_evaluator.hpp"
#include "tests/model/organization.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bailey::model_check {

/// The rules under test: the engine's own functions. A test puts a broken one in, to see that the
/// check would find it.
struct Rules {
  std::function<GateResult(const GateInputs&)> gate = evaluate_gate;
  std::function<Status(const Case&, const Subject&, const Status&)> decide = may_decide;
  std::function<Status(const Case&, const Subject&, const std::vector<Approval>&, const Status&)>
      execute = may_execute;
  std::function<Status(const Case&)> execute_unasked = may_execute_unasked;
  std::function<Status(const ApprovalStatement&, const ApprovalStatement&)> matches =
      approval_matches;
};

/// Bytes that were built. `authors` has the people who wrote them; nobody else's work is in there.
struct Build {
  std::uint8_t version = 0;  ///< 0: none.
  People authors = 0;
  bool attested = false;  ///< CI has signed who wrote them.
  auto operator<=>(const Build&) const = default;
};

struct Given {
  std::uint8_t person = 0;
  std::uint8_t key = 0;
  Decision decision = Decision::Approve;
  std::uint8_t tick = 0;
  std::uint8_t policy = 0;  ///< What was bound when it was signed.
  bool attested = false;
  auto operator<=>(const Given&) const = default;
};

/// Somebody on whose behalf something is done: a person, the service ci, or Bailey itself.
inline constexpr std::uint8_t kCi = 4;
inline constexpr std::uint8_t kBailey = 5;

struct Proposal {
  bool open = false;
  Build build;  ///< Of a promotion.
  std::uint8_t requester = 0;
  std::uint8_t policy = 0;   ///< It was planned under.
  std::uint8_t edit = 0;     ///< Of a policy change: the bit that it adds.
  std::vector<Given> given;  ///< Oldest first.
  auto operator<=>(const Proposal&) const = default;
};

/// Everything that the rules look at. Approvals hold for one tick.
struct State {
  std::uint8_t policy = 0;  ///< The edits that were accepted.
  std::uint8_t tick = 0;
  Build head;                     ///< What is in the repository.
  std::array<Build, 3> verified;  ///< By stage: what runs there, verified.
  std::array<Proposal, 3> open;   ///< Of staging, production, and to the policy.
  auto operator<=>(const State&) const = default;
};

inline constexpr std::size_t kStaging = 0;
inline constexpr std::size_t kProduction = 1;
inline constexpr std::size_t kPolicy = 2;

/// What could be found wrong: the steps that lead there, and why it must not be.
struct Counterexample {
  std::string why;
  std::vector<std::string> steps;
};

struct Report {
  std::uint64_t states = 0;
  std::uint64_t transitions = 0;  ///< Steps that were let through and changed something.
  std::uint64_t attempts = 0;     ///< Steps that were tried.
  std::uint64_t sequences = 0;    ///< Different ways to go that many steps.
  std::uint64_t executed = 0;     ///< Transitions that changed production.
  std::uint64_t policies = 0;     ///< Transitions that changed the policy.
  std::optional<Counterexample> found;
};

struct Search {
  const Organization& organization;
  State start;
  int depth = 6;
  /// Only what this person can do, by whatever name, key or service; and Bailey.
  std::optional<std::size_t> alone;
  Rules rules;
};

/// Tries every action in every state that is reached within `depth` steps, breadth first. Each
/// state is expanded once: what may follow depends on nothing else.
[[nodiscard]] Report explore(const Search& search);

/// Where searches begin: nothing there yet; a build verified in staging; that build asked for in
/// production by ci.
[[nodiscard]] State nothing();
[[nodiscard]] State in_staging();
[[nodiscard]] State asked_for();

}  // namespace bailey::model_check
