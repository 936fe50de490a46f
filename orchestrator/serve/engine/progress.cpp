#include "orchestrator/serve/engine/progress.hpp"

#include "orchestrator/base/json.hpp"

#include <algorithm>
#include <numeric>

namespace bailey {

namespace {

using std::chrono::milliseconds;

OperationState state_after(OperationOutcome outcome) {
  switch (outcome) {
    case OperationOutcome::Succeeded:
      return OperationState::Done;
    case OperationOutcome::Failed:
    case OperationOutcome::Errored:
      return OperationState::Failed;
    case OperationOutcome::Skipped:
      return OperationState::Skipped;
    case OperationOutcome::Cancelled:
      return OperationState::Waiting;  // Whoever takes the change up again starts it.
  }
  return OperationState::Failed;
}

Json time_json(const std::optional<WallTime>& time) {
  return time ? Json(format_time(*time)) : Json();
}

Json duration_json(const std::optional<milliseconds>& duration) {
  return duration ? Json(duration->count()) : Json();
}

Json addresses_json(const std::vector<ResourceAddress>& addresses) {
  Json list = Json::array();
  for (const auto& address : addresses) list.push_back(address.str());
  return list;
}

}  // namespace

void ProgressTracker::enter(ExecutionStage stage) {
  const std::lock_guard lock(mutex_);
  stage_ = stage;
}

void ProgressTracker::begin(const Plan& plan, StepPlan steps, const Estimates& estimates,
                            int concurrency) {
  std::map<ResourceAddress, std::string> types;
  for (const auto& operation : plan.operations) types[operation.address] = operation.type;
  const std::lock_guard lock(mutex_);
  stage_ = ExecutionStage::Applying;
  concurrency_ = static_cast<std::size_t>(std::max(1, concurrency));
  operations_.clear();
  index_.clear();
  expected_.clear();
  operation_of_.clear();
  for (const auto& subject : steps.reports) {
    index_[subject.address] = operations_.size();
    auto& operation = operations_.emplace_back();
    operation.address = subject.address;
    operation.type = types[subject.address];
    operation.action = subject.action;
    operation.expected = milliseconds(0);
  }
  steps_of_.assign(operations_.size(), {});
  for (std::size_t i = 0; i < steps.steps.size(); ++i) {
    const auto owner = steps.steps[i].report;
    operation_of_.push_back(owner);
    steps_of_[owner].push_back(i);
    const auto& each = expected_.emplace_back(estimates.of(steps.steps[i]));
    auto& whole = operations_[owner].expected;
    whole = whole && each ? Expected(*whole + *each) : Expected();
  }
  edges_ = std::move(steps.edges);
}

void ProgressTracker::observe(const ApplyEvent& event) {
  const std::lock_guard lock(mutex_);
  const auto found = index_.find(event.address);
  if (found == index_.end()) return;
  auto& operation = operations_[found->second];
  const auto now = clock_.wall_now();
  if (event.kind == ApplyEvent::Kind::Started) {
    operation.state = OperationState::Running;
    operation.started_at = now;
    return;
  }
  operation.state = state_after(event.outcome);
  operation.error = event.error;
  if (operation.started_at && operation.state != OperationState::Waiting) {
    operation.finished_at = now;
  }
}

bool ProgressTracker::is_over(std::size_t operation) const {
  const auto state = operations_[operation].state;
  return state != OperationState::Waiting && state != OperationState::Running;
}

std::vector<ResourceAddress> ProgressTracker::waits_for(std::size_t operation) const {
  std::vector<ResourceAddress> names;
  const auto& own = steps_of_[operation];
  if (own.empty() || is_over(operation)) return names;
  const bool running = operations_[operation].state == OperationState::Running;
  if (running && own.size() == 1) return names;
  for (const auto step : edges_[running ? own.back() : own.front()].depends_on) {
    const auto other = operation_of_[step];
    if (other != operation && !is_over(other)) names.push_back(operations_[other].address);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

ProgressTracker::Expected ProgressTracker::left(WallTime at) const {
  if (stage_ != ExecutionStage::Applying) return std::nullopt;
  auto steps = edges_;
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    const auto& operation = operations_[i];
    // What ran so far is taken off the first half, then off the second.
    auto ran = operation.started_at ? std::max(milliseconds(0), at - *operation.started_at)
                                    : milliseconds(0);
    for (const auto step : steps_of_[i]) {
      steps[step].weight = 0;
      if (is_over(i)) continue;
      if (!expected_[step]) return std::nullopt;
      const auto rest = std::max(milliseconds(0), *expected_[step] - ran);
      ran -= std::min(ran, *expected_[step]);
      steps[step].weight = static_cast<double>(rest.count());
    }
  }
  return milliseconds(static_cast<std::int64_t>(time_left(steps, concurrency_)));
}

Progress ProgressTracker::now() const {
  const std::lock_guard lock(mutex_);
  Progress progress;
  progress.stage = stage_;
  progress.at = clock_.wall_now();
  progress.operations = operations_;
  for (std::size_t i = 0; i < operations_.size(); ++i) {
    progress.operations[i].waits_for = waits_for(i);
  }
  progress.left = left(progress.at);
  return progress;
}

std::string_view to_string(ExecutionStage stage) noexcept {
  switch (stage) {
    case ExecutionStage::Preparing:
      return "preparing";
    case ExecutionStage::Applying:
      return "applying";
    case ExecutionStage::Stamping:
      return "stamping";
    case ExecutionStage::Verifying:
      return "verifying";
    case ExecutionStage::TakingDown:
      return "taking-down";
  }
  return "";
}

std::string_view to_string(OperationState state) noexcept {
  switch (state) {
    case OperationState::Waiting:
      return "waiting";
    case OperationState::Running:
      return "running";
    case OperationState::Done:
      return "done";
    case OperationState::Failed:
      return "failed";
    case OperationState::Skipped:
      return "skipped";
  }
  return "";
}

Json to_json(const Progress& progress) {
  Json operations = Json::array();
  std::size_t finished = 0;
  for (const auto& operation : progress.operations) {
    const auto state = operation.state;
    if (state != OperationState::Waiting && state != OperationState::Running) ++finished;
    operations.push_back({{"address", operation.address.str()},
                          {"type", operation.type},
                          {"action", to_string(operation.action)},
                          {"state", to_string(state)},
                          {"started_at", time_json(operation.started_at)},
                          {"finished_at", time_json(operation.finished_at)},
                          {"waits_for", addresses_json(operation.waits_for)},
                          {"expected_ms", duration_json(operation.expected)},
                          {"error", to_json(operation.error)}});
  }
  return {{"stage", to_string(progress.stage)},
          {"at", format_time(progress.at)},
          {"finished", finished},
          {"total", progress.operations.size()},
          {"left_ms", duration_json(progress.left)},
          {"operations", std::move(operations)}};
}

}  // namespace bailey
