#include "orchestrator/provision/apply/scheduler.hpp"

#include "orchestrator/base/assert.hpp"

#include <algorithm>

namespace bailey {

namespace {

/// Every step after those it depends on.
std::vector<std::size_t> order_of(const std::vector<Scheduler::Step>& steps,
                                  const std::vector<std::vector<std::size_t>>& dependents) {
  std::vector<std::size_t> missing(steps.size());
  std::vector<std::size_t> order;
  order.reserve(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    missing[i] = steps[i].depends_on.size();
    if (missing[i] == 0) order.push_back(i);
  }
  for (std::size_t at = 0; at < order.size(); ++at) {
    for (const auto dependent : dependents[order[at]]) {
      if (--missing[dependent] == 0) order.push_back(dependent);
    }
  }
  BAILEY_ASSERT(order.size() == steps.size());
  return order;
}

std::vector<std::vector<std::size_t>> dependents_of(const std::vector<Scheduler::Step>& steps) {
  std::vector<std::vector<std::size_t>> dependents(steps.size());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (const auto dependency : steps[i].depends_on) dependents[dependency].push_back(i);
  }
  return dependents;
}

/// For each step its weight and the longest path of what comes after it.
std::vector<double> remaining_paths(const std::vector<Scheduler::Step>& steps,
                                    const std::vector<std::vector<std::size_t>>& dependents) {
  const auto order = order_of(steps, dependents);
  std::vector<double> remaining(steps.size(), 0);
  for (auto step = order.rbegin(); step != order.rend(); ++step) {
    for (const auto dependent : dependents[*step]) {
      remaining[*step] = std::max(remaining[*step], remaining[dependent]);
    }
    remaining[*step] += steps[*step].weight;
  }
  return remaining;
}

}  // namespace

Scheduler::Scheduler(const std::vector<Step>& steps) : nodes_(steps.size()), open_(steps.size()) {
  auto dependents = bailey::dependents_of(steps);
  const auto remaining = remaining_paths(steps, dependents);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    nodes_[i].dependents = std::move(dependents[i]);
    nodes_[i].missing = steps[i].depends_on.size();
    nodes_[i].remaining = remaining[i];
    if (nodes_[i].missing == 0) ready_.insert(rank(i));
  }
}

std::optional<std::size_t> Scheduler::next() {
  if (ready_.empty()) return std::nullopt;
  const auto step = ready_.extract(ready_.begin()).value().second;
  nodes_[step].state = State::Running;
  --open_;
  ++running_;
  return step;
}

std::vector<std::size_t> Scheduler::done(std::size_t step, bool ok) {
  BAILEY_ASSERT(nodes_[step].state == State::Running);
  nodes_[step].state = State::Over;
  --running_;
  std::vector<std::size_t> skipped;
  if (ok) {
    for (const auto dependent : nodes_[step].dependents) {
      auto& node = nodes_[dependent];
      if (--node.missing == 0 && node.state == State::Waiting) ready_.insert(rank(dependent));
    }
    return skipped;
  }
  std::vector<std::size_t> failed{step};
  while (!failed.empty()) {
    const auto from = failed.back();
    failed.pop_back();
    for (const auto dependent : nodes_[from].dependents) {
      if (nodes_[dependent].state != State::Waiting) continue;
      nodes_[dependent].state = State::Over;
      --open_;
      skipped.push_back(dependent);
      failed.push_back(dependent);
    }
  }
  std::sort(skipped.begin(), skipped.end());
  return skipped;
}

std::vector<std::size_t> Scheduler::cancel() {
  std::vector<std::size_t> cancelled;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].state != State::Waiting) continue;
    nodes_[i].state = State::Over;
    cancelled.push_back(i);
  }
  ready_.clear();
  open_ = 0;
  return cancelled;
}

double critical_path(const std::vector<Scheduler::Step>& steps) {
  const auto remaining = remaining_paths(steps, dependents_of(steps));
  return remaining.empty() ? 0 : *std::max_element(remaining.begin(), remaining.end());
}

}  // namespace bailey
