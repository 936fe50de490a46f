#include "orchestrator/serve/engine/change_failures.hpp"

#include "orchestrator/base/json.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace bailey {

namespace {

/// Who waits for whom, by address.
using Dependents = std::map<std::string, std::set<std::string>>;

// A thing is made after what it depends on; what it depended on is removed after it has let go.
Dependents dependents_in(const Plan& plan) {
  std::set<ResourceAddress> removed;
  for (const auto& operation : plan.operations) {
    if (operation.action == Action::Delete || operation.action == Action::Replace) {
      removed.insert(operation.address);
    }
  }
  Dependents dependents;
  for (const auto& operation : plan.operations) {
    const auto own = operation.address.str();
    for (const auto& dependency : operation.depends_on) {
      const auto other = dependency.str();
      if (operation.action != Action::Delete) dependents[other].insert(own);
      if (operation.action == Action::Create || !removed.contains(dependency)) continue;
      dependents[own].insert(other);
    }
  }
  return dependents;
}

std::set<std::string> skipped_in(const Json& operations) {
  std::set<std::string> skipped;
  for (const auto& operation : operations) {
    if (string_member(operation, "outcome") != "skipped") continue;
    skipped.insert(string_member(operation, "address"));
  }
  return skipped;
}

// The skipped ones that can be reached from the failed one through skipped ones alone.
std::set<std::string> left_undone(const std::string& failed, const Dependents& dependents,
                                  const std::set<std::string>& skipped) {
  std::set<std::string> reached;
  std::vector<std::string> open{failed};
  while (!open.empty()) {
    const auto found = dependents.find(open.back());
    open.pop_back();
    if (found == dependents.end()) continue;
    for (const auto& next : found->second) {
      if (skipped.contains(next) && reached.insert(next).second) open.push_back(next);
    }
  }
  return reached;
}

}  // namespace

Json failures_of(const Change& change) {
  Json failures = Json::array();
  const auto& operations = member(change.outcome, "operations");
  const auto dependents = dependents_in(change.plan);
  const auto skipped = skipped_in(operations);
  std::map<std::string, std::string> types;
  for (const auto& operation : change.plan.operations) {
    types[operation.address.str()] = operation.type;
  }
  for (const auto& operation : operations) {
    const auto outcome = string_member(operation, "outcome");
    if (outcome != "failed" && outcome != "errored") continue;
    const auto address = string_member(operation, "address");
    failures.push_back({{"address", address},
                        {"type", types[address]},
                        {"action", string_member(operation, "action")},
                        {"outcome", outcome},
                        {"error", member(operation, "error")},
                        {"duration_ms", member(operation, "duration_ms")},
                        {"left_undone", left_undone(address, dependents, skipped)}});
  }
  // What depended on a thing until now is recorded, not planned; with one failure all is due to it.
  if (failures.size() == 1) failures[0]["left_undone"] = skipped;
  return failures;
}

}  // namespace bailey
