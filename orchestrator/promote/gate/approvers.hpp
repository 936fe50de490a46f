#pragma once

#include "orchestrator/model/quorum.hpp"
#include "orchestrator/promote/gate/gate_evaluator.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bailey {

/// Who may say yes or no to one change, and who has.
class Approvers {
 public:
  explicit Approvers(const GateInputs& inputs);

  /// Everybody whose approval would count. Dear where many people may: who has agreed is told
  /// without it.
  [[nodiscard]] const NameSet& eligible() const;
  /// The eligible among whoever `from` stands for.
  [[nodiscard]] const NameSet& eligible_in(const Subject& from) const;
  /// Those of `people` for whom `from` stands.
  [[nodiscard]] NameSet among(const std::set<std::string>& people, const Subject& from) const;
  /// Eligible people with an approval that is valid now and no older than `expire`.
  [[nodiscard]] std::set<std::string> agreed(std::chrono::seconds expire) const;
  /// Eligible people who have rejected the change. A rejection does not expire.
  [[nodiscard]] std::set<std::string> rejected_by() const;

 private:
  [[nodiscard]] NameSet eligible_among(const std::vector<Subject>& subjects) const;
  [[nodiscard]] NameSet holders_in(const Subject& from) const;
  [[nodiscard]] bool counts(const Approval& approval) const;

  const GateInputs& inputs_;
  std::vector<Subject> holders_;
  std::vector<Approval> decisions_;  ///< Those that stand.
  std::set<std::string> involved_;
  std::set<std::string> deciders_;  ///< Who has said yes or no and may.
  mutable std::optional<NameSet> eligible_;
  mutable std::map<std::string, NameSet> eligible_in_;  ///< By the subject as text.
};

/// The authors that the change names and those whom only the evidence of its artifacts names.
[[nodiscard]] std::vector<Author> all_authors(const GateInputs& inputs);

}  // namespace bailey
