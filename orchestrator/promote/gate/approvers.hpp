#pragma once

#include "orchestrator/promote/gate/gate_evaluator.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace bailey {

/// Who may say yes or no to one change, and who has.
class Approvers {
 public:
  explicit Approvers(const GateInputs& inputs);

  [[nodiscard]] const std::set<std::string>& eligible() const noexcept { return eligible_; }
  /// Authors, and the people behind requester and executor.
  [[nodiscard]] const std::set<std::string>& involved() const noexcept { return involved_; }
  /// The eligible among whoever `from` stands for.
  [[nodiscard]] std::set<std::string> eligible_in(const Subject& from) const;
  /// Eligible people with an approval that is valid now and no older than `expire`.
  [[nodiscard]] std::set<std::string> agreed(std::chrono::seconds expire) const;
  /// Eligible people who have rejected the change. A rejection does not expire.
  [[nodiscard]] std::set<std::string> rejected_by() const;

 private:
  [[nodiscard]] bool counts(const Approval& approval) const;

  const GateInputs& inputs_;
  std::vector<Approval> decisions_;  ///< Those that stand.
  std::set<std::string> involved_;
  std::set<std::string> eligible_;
};

}  // namespace bailey
