#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace bailey {

/// Which step may start next. Steps are numbers from 0; a step waits for those it depends on, and
/// those with the longest path still before them go first, ties in order of number. A failure skips
/// all that depend on the failed step and nothing else. Pure: no clock, no thread, no name.
/// Building is linear in steps and edges; every other call O(log n) for each step it touches.
class Scheduler {
 public:
  struct Step {
    std::vector<std::size_t> depends_on;
    double weight = 1;  ///< Expected duration, in any unit.
  };

  /// The steps form no cycle.
  explicit Scheduler(const std::vector<Step>& steps);

  /// Starts a step; nothing when none is ready.
  [[nodiscard]] std::optional<std::size_t> next();
  /// Ends a started step. Returns the steps that its failure skips, in order of number.
  std::vector<std::size_t> done(std::size_t step, bool ok);
  /// Takes everything that was not started. Returns it in order of number.
  std::vector<std::size_t> cancel();

  [[nodiscard]] std::size_t running() const noexcept { return running_; }
  [[nodiscard]] std::size_t ready() const noexcept { return ready_.size(); }
  /// The longest path from here to an end, the step itself included: what next() goes by.
  [[nodiscard]] double urgency(std::size_t step) const { return nodes_[step].remaining; }
  /// True when nothing is running and nothing can start any more.
  [[nodiscard]] bool finished() const noexcept { return running_ == 0 && open_ == 0; }

 private:
  enum class State : std::uint8_t { Waiting, Running, Over };

  struct Node {
    std::vector<std::size_t> dependents;
    std::size_t missing = 0;
    double remaining = 0;
    State state = State::Waiting;
  };

  /// Longest remaining path first.
  using Rank = std::pair<double, std::size_t>;
  [[nodiscard]] Rank rank(std::size_t step) const { return {-nodes_[step].remaining, step}; }

  std::vector<Node> nodes_;
  std::set<Rank> ready_;
  std::size_t running_ = 0;
  std::size_t open_ = 0;
};

/// The longest path through finished steps: no number of threads could have been faster.
/// `steps[i].weight` is what step i really took.
[[nodiscard]] double critical_path(const std::vector<Scheduler::Step>& steps);

}  // namespace bailey
