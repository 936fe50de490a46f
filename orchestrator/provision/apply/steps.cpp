#include "orchestrator/provision/apply/steps.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace bailey {

namespace {

struct StepIds {
  std::optional<std::size_t> forward;
  std::optional<std::size_t> removal;
};

class StepBuilder {
 public:
  StepPlan build(const Plan& plan, const std::vector<ResourceState>& states,
                 const std::vector<Intent>& retiring) {
    std::set<ResourceAddress> recorded;
    for (const auto& state : states) recorded.insert(state.address);
    for (const auto& operation : plan.operations) {
      add_operation(operation, recorded.contains(operation.address));
    }
    for (const auto& intent : retiring) add_rest(intent);
    for (const auto& operation : plan.operations) connect_forward(operation);
    for (const auto& state : states) connect_removals(state.address, state.depends_on);
    for (const auto& operation : plan.operations) {
      if (operation.action == Action::Delete) {
        connect_removals(operation.address, operation.depends_on);
      }
    }
    for (const auto& intent : retiring) {
      for (const auto& each : intent.superseded) connect_rests(intent.address, each.depends_on);
    }
    for (auto& edge : out_.edges) {
      std::sort(edge.depends_on.begin(), edge.depends_on.end());
      edge.depends_on.erase(std::unique(edge.depends_on.begin(), edge.depends_on.end()),
                            edge.depends_on.end());
    }
    return std::move(out_);
  }

 private:
  std::size_t add(const ResourceAddress& address, const Operation* operation, std::size_t report,
                  StepKind kind) {
    out_.steps.push_back({report, operation, address, kind});
    out_.edges.emplace_back();
    return out_.steps.size() - 1;
  }

  void add_operation(const Operation& operation, bool recorded) {
    // What stands unrecorded and as declared has only to be written down.
    if (operation.action == Action::NoOp && recorded) return;
    const auto report = out_.reports.size();
    out_.reports.push_back({operation.address, operation.action});
    auto& ids = ids_[operation.address];
    if (operation.action != Action::Delete) {
      ids.forward = add(operation.address, &operation, report, StepKind::Forward);
    }
    if (operation.action == Action::Delete || operation.action == Action::Replace) {
      ids.removal = add(operation.address, &operation, report, StepKind::Removal);
    }
    if (ids.forward && ids.removal) out_.edges[*ids.removal].depends_on.push_back(*ids.forward);
  }

  /// Joins the operation on the same address where there is one; a Delete takes the rest along.
  void add_rest(const Intent& intent) {
    auto& ids = ids_[intent.address];
    if (ids.removal) return;
    const auto report = out_.reports.size();
    out_.reports.push_back({intent.address, Action::Replace});
    ids.removal = add(intent.address, nullptr, report, StepKind::Removal);
    if (ids.forward) out_.edges[*ids.removal].depends_on.push_back(*ids.forward);
  }

  void connect_forward(const Operation& operation) {
    const auto own = ids_.find(operation.address);
    if (own == ids_.end() || !own->second.forward) return;
    for (const auto& dependency : operation.depends_on) {
      const auto other = ids_.find(dependency);
      if (other == ids_.end() || !other->second.forward) continue;
      out_.edges[*own->second.forward].depends_on.push_back(*other->second.forward);
    }
  }

  void connect_removals(const ResourceAddress& dependent,
                        const std::vector<ResourceAddress>& dependencies) {
    const auto own = ids_.find(dependent);
    if (own == ids_.end()) return;
    for (const auto& dependency : dependencies) {
      const auto other = ids_.find(dependency);
      if (other == ids_.end() || !other->second.removal) continue;
      auto& waits = out_.edges[*other->second.removal].depends_on;
      if (own->second.forward) waits.push_back(*own->second.forward);
      if (own->second.removal) waits.push_back(*own->second.removal);
    }
  }

  /// What was superseded refers to what it referred to once. Those who stand may have turned that
  /// round since: then the provider has to say who is in use.
  void connect_rests(const ResourceAddress& dependent,
                     const std::vector<ResourceAddress>& dependencies) {
    const auto own = ids_.find(dependent);
    if (own == ids_.end() || !own->second.removal) return;
    for (const auto& dependency : dependencies) {
      const auto other = ids_.find(dependency);
      if (other == ids_.end() || !other->second.removal) continue;
      if (waits_for(*own->second.removal, *other->second.removal)) continue;
      out_.edges[*other->second.removal].depends_on.push_back(*own->second.removal);
    }
  }

  bool waits_for(std::size_t step, std::size_t before) const {
    std::set<std::size_t> seen{step};
    for (std::vector<std::size_t> open{step}; !open.empty();) {
      const auto at = open.back();
      open.pop_back();
      if (at == before) return true;
      for (const auto next : out_.edges[at].depends_on) {
        if (seen.insert(next).second) open.push_back(next);
      }
    }
    return false;
  }

  StepPlan out_;
  std::map<ResourceAddress, StepIds> ids_;
};

}  // namespace

StepPlan steps_of(const Plan& plan, const std::vector<ResourceState>& states,
                  const std::vector<Intent>& retiring) {
  return StepBuilder().build(plan, states, retiring);
}

}  // namespace bailey
