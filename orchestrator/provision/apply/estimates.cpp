#include "orchestrator/provision/apply/estimates.hpp"

#include "orchestrator/base/json.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>

namespace bailey {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kRemembered = 9;
constexpr Verb kLearnt[] = {Verb::Create, Verb::Update, Verb::Delete};

std::string key_of(const std::string& account) {
  return "estimates/" + account;
}

/// Of at least one; of an even number the greater of the two in the middle.
std::int64_t median(std::vector<std::int64_t> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::optional<Verb> verb_of(Action action) {
  switch (action) {
    case Action::Create:
      return Verb::Create;
    case Action::Update:
      return Verb::Update;
    case Action::Delete:
      return Verb::Delete;
    case Action::Replace:
    case Action::Record:
    case Action::NoOp:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

std::optional<milliseconds> Estimates::of(const std::string& type, Verb verb) const {
  const auto found = medians_.find({type, verb});
  if (found == medians_.end() || found->second.empty()) return std::nullopt;
  return milliseconds(median(found->second));
}

std::optional<milliseconds> Estimates::of(const ApplyStep& step) const {
  if (step.operation == nullptr) return std::nullopt;
  const auto& type = step.operation->type;
  if (step.kind == StepKind::Removal) return of(type, Verb::Delete);
  // What stands unrecorded and as declared is only written down.
  if (step.operation->action == Action::NoOp) return milliseconds(0);
  return of(type, step.operation->action == Action::Update ? Verb::Update : Verb::Create);
}

void Estimates::learn(const Plan& plan, const ApplyReport& report) {
  std::map<ResourceAddress, const std::string*> types;
  for (const auto& operation : plan.operations) types[operation.address] = &operation.type;
  std::map<std::pair<std::string, Verb>, std::vector<std::int64_t>> taken;
  for (const auto& operation : report.operations) {
    const auto verb = verb_of(operation.action);
    const auto type = types.find(operation.address);
    if (operation.outcome != OperationOutcome::Succeeded || !verb || type == types.end()) continue;
    taken[{*type->second, *verb}].push_back(operation.duration.count());
  }
  for (auto& [kind, durations] : taken) {
    auto& kept = medians_[kind];
    kept.push_back(median(std::move(durations)));
    if (kept.size() > kRemembered) kept.erase(kept.begin());
  }
}

Json to_json(const Estimates& estimates) {
  Json value = Json::object();
  for (const auto& [kind, medians] : estimates.medians_) {
    value[kind.first][std::string(to_string(kind.second))] = medians;
  }
  return value;
}

Estimates estimates_from_json(const Json& value) {
  Estimates estimates;
  if (!value.is_object()) return estimates;
  for (const auto& [type, verbs] : value.items()) {
    for (const auto verb : kLearnt) {
      for (const auto& item : member(verbs, to_string(verb))) {
        auto& kept = estimates.medians_[{type, verb}];
        if (item.is_number_integer() && item >= 0 && kept.size() < kRemembered)
          kept.push_back(item.get<std::int64_t>());
      }
    }
  }
  return estimates;
}

Result<Estimates> load_estimates(Transaction& transaction, const std::string& account) {
  auto record = transaction.get(Collection::Setting, key_of(account));
  if (!record) return fail(std::move(record.error()).in("reading what operations took before"));
  return *record ? estimates_from_json((*record)->body) : Estimates();
}

Status save(Transaction& transaction, const std::string& account, const Estimates& estimates) {
  auto written = transaction.put(Collection::Setting, key_of(account), to_json(estimates));
  if (!written) return fail(std::move(written.error()).in("writing what operations took"));
  return {};
}

void weigh(StepPlan& steps, const Estimates& estimates) {
  std::vector<std::optional<milliseconds>> expected;
  double sum = 0;
  std::size_t known = 0;
  for (const auto& step : steps.steps) {
    const auto& each = expected.emplace_back(estimates.of(step));
    if (!each) continue;
    sum += static_cast<double>(each->count());
    ++known;
  }
  const double usual = known == 0 ? 1 : sum / static_cast<double>(known);
  for (std::size_t i = 0; i < steps.edges.size(); ++i) {
    steps.edges[i].weight = expected[i] ? static_cast<double>(expected[i]->count()) : usual;
  }
}

double time_left(const std::vector<Scheduler::Step>& steps, std::size_t concurrency) {
  using Running = std::pair<double, std::size_t>;  // When it ends, and which.
  std::priority_queue<Running, std::vector<Running>, std::greater<>> running;
  Scheduler scheduler(steps);
  double now = 0;
  while (true) {
    while (running.size() < std::max<std::size_t>(1, concurrency)) {
      const auto step = scheduler.next();
      if (!step) break;
      running.emplace(now + steps[*step].weight, *step);
    }
    if (running.empty()) return now;
    now = running.top().first;
    scheduler.done(running.top().second, true);
    running.pop();
  }
}

}  // namespace bailey
