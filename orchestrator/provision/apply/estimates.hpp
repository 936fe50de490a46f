#pragma once

#include "orchestrator/provision/apply/executor.hpp"
#include "orchestrator/provision/apply/journal.hpp"
#include "orchestrator/provision/apply/steps.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bailey {

/// What operations took before at one account, by resource type and verb. Of each change the median
/// counts, and of the last nine changes the median of those: one slow day or one slow server moves
/// nothing, and a record stays as small as the types that an account has.
class Estimates {
 public:
  /// Nothing when none of this kind was ever seen to succeed.
  [[nodiscard]] std::optional<std::chrono::milliseconds> of(const std::string& type,
                                                            Verb verb) const;
  /// The same for a step: the forward half of a Replace is a create, every removal a delete.
  [[nodiscard]] std::optional<std::chrono::milliseconds> of(const ApplyStep& step) const;

  /// Takes in what succeeded of one run. A Replace teaches nothing: only its two halves together
  /// were measured.
  void learn(const Plan& plan, const ApplyReport& report);

  friend nlohmann::json to_json(const Estimates& estimates);
  friend Estimates estimates_from_json(const nlohmann::json& value);

 private:
  /// In milliseconds, the newest last.
  std::map<std::pair<std::string, Verb>, std::vector<std::int64_t>> medians_;
};

/// `{"server": {"create": [41000, 39800]}}`.
[[nodiscard]] nlohmann::json to_json(const Estimates& estimates);
/// Takes what can be read and passes over the rest: a hint that is lost is learnt again.
[[nodiscard]] Estimates estimates_from_json(const nlohmann::json& value);

/// Those of an account; empty ones when nothing was learnt there yet.
[[nodiscard]] Result<Estimates> load_estimates(Transaction& transaction,
                                               const std::string& account);
[[nodiscard]] Status save(Transaction& transaction, const std::string& account,
                          const Estimates& estimates);

/// Sets the weight of each step to what it is expected to take, in milliseconds. What is unknown
/// weighs as much as the known ones do on average, so that not knowing neither hurries nor delays
/// it; with nothing known all weigh the same.
void weigh(StepPlan& steps, const Estimates& estimates);

/// How long steps would take with `concurrency` of them in flight, started as the Scheduler starts
/// them. A step's weight is what is left of it; what is over weighs 0.
[[nodiscard]] double time_left(const std::vector<Scheduler::Step>& steps, std::size_t concurrency);

}  // namespace bailey
