#pragma once

#include "orchestrator/declare/duties/standings.hpp"
#include "orchestrator/model/quorum.hpp"

#include <optional>
#include <string>
#include <vector>

namespace bailey::duties {

/// Whether a gate's approvals can be given. A change has an author out of the project's authors
/// (somebody else where the project names nobody), a requester out of those who hold `request`
/// (nobody where nobody does) and, where an operator executes, an executor out of those who hold
/// `deploy`, behind whom the author does not stand. None of the people behind these three counts.
struct Satisfiability {
  /// Some author, requester and executor leave enough people.
  bool possible = true;
  /// Whose changes never pass, whoever asks and executes: people.
  Nodes stuck_authors;
  /// Whose requests never pass, whoever wrote and executes: people and services.
  Nodes stuck_requesters;
  /// A case that does not pass, when there is one: the first that was tried.
  std::optional<Node> author;
  std::optional<Node> requester;
  std::optional<Node> executor;
  bool no_executor = false;  ///< It asks for an operator, and nobody may be one.
  /// People enough would approve it, and whoever could execute it stands behind its author.
  bool no_independent_executor = false;
};

/// Judges every case, at a cost that depends on the people who are too few and not on all people.
[[nodiscard]] Satisfiability can_be_met(Standings& standings, const Environment& environment,
                                        const Gate& gate);

/// As the server counts it: people of the rule who hold `approve`, with a key.
[[nodiscard]] Nodes eligible_for(Standings& standings, const Environment& environment,
                                 const ApprovalRule& rule);

}  // namespace bailey::duties
