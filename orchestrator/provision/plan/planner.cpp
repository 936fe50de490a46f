#include "orchestrator/provision/plan/planner.hpp"

#include "orchestrator/base/graph.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/provision/plan/differ.hpp"
#include "orchestrator/provision/plan/moves.hpp"
#include "orchestrator/provision/plan/references.hpp"

#include <algorithm>
#include <deque>
#include <set>
#include <utility>

namespace bailey {

namespace {

std::string text_of(const ResourceReference& reference) {
  std::string text = "${resource." + reference.resource;
  if (reference.index) text += "[" + std::to_string(*reference.index) + "]";
  if (!reference.attribute.empty()) text += "." + reference.attribute;
  return text + "}";
}

Operation operation_on(const ResourceAddress& address, const std::string& type) {
  Operation operation;
  operation.address = address;
  operation.type = type;
  return operation;
}

/// One planning run: what stands, what is wanted, and the operations decided so far.
class Planning {
 public:
  explicit Planning(const PlanInputs& inputs) : inputs_(inputs) {
    for (const auto& resource : inputs.desired.resources) desired_[resource.address] = &resource;
    for (const auto& item : inputs.desired.deferred) deferred_.insert(item.address);
    for (const auto& [address, resource] : desired_) declared_.insert(address);
    declared_.insert(deferred_.begin(), deferred_.end());
    for (const auto& state : inputs.resources) recorded_.insert(state.address);
    for (const auto& state : inputs.resources) stand(state);
    for (const auto& [address, item] : inputs.refreshed.observed) {
      if (!item.marker || item.marker->environment_uid != inputs.environment.uid) continue;
      note_generation(*item.marker);
    }
    for (const auto& item : inputs.refreshed.unrecorded) take_over(item);
  }

  Result<Plan> run() {
    if (!blocked_.empty()) {
      return fail(Error(ErrorKind::Refused, "these moves lead to where something stands already: " +
                                                enumerate(blocked_))
                      .with_code("plan.move-blocked")
                      .with_hint("Take the entry from `moved` in the template, or take down one of "
                                 "the two first."));
    }
    if (inputs_.kind == PlanKind::Apply) {
      auto order = desired_order();
      if (!order) return fail(std::move(order.error()));
      for (const auto* resource : *order) {
        if (auto decided = decide(*resource); !decided) return fail(std::move(decided.error()));
      }
    }
    for (const auto& [address, state] : standing_) decide_rest(*state);
    for (const auto& [address, item] : half_made_) {
      if (!operations_.contains(address)) remove_half_made(address, item);
    }
    if (auto kept = keep_targets(); !kept) return fail(std::move(kept.error()));
    if (auto allowed = check_protection(); !allowed) return fail(std::move(allowed.error()));
    return finish();
  }

 private:
  ResourceAddress moved(const ResourceAddress& address) const {
    // What is declared stands where it is: a move that was made long ago is about something else.
    if (inputs_.kind == PlanKind::Destroy || declared_.contains(address)) return address;
    return moved_to(inputs_.desired.moves, declared_, address);
  }

  /// Puts what is recorded at the address where it belongs today.
  void stand(const ResourceState& state) {
    if (inputs_.desired.moves.empty()) {
      standing_.emplace(state.address, &state);
      return;
    }
    const auto now = moved(state.address);
    if (now != state.address && (recorded_.contains(now) || standing_.contains(now))) {
      blocked_.push_back(state.address.local() + " -> " + now.local());
      return;
    }
    auto& copy = copies_.emplace_back(state);
    copy.address = now;
    for (auto& dependency : copy.depends_on) dependency = moved(dependency);
    if (now != state.address) recorded_as_[now] = state.address;
    standing_.emplace(now, &copy);
  }

  const ResourceAddress& recorded_as(const ResourceAddress& address) const {
    const auto found = recorded_as_.find(address);
    return found == recorded_as_.end() ? address : found->second;
  }

  std::optional<ResourceAddress> moved_from(const ResourceAddress& address) const {
    const auto found = recorded_as_.find(address);
    return found == recorded_as_.end() ? std::nullopt : std::optional(found->second);
  }

  void note_generation(const Marker& marker) {
    auto& newest = newest_[marker.address];
    newest = std::max(newest, marker.generation);
  }

  /// What bears our marker and is in no record. A resource that was only made in part is made
  /// whole by creating it again under the same marker. What is recorded and still there goes first,
  /// and what it once replaced is nothing to go back to: that is being removed.
  void take_over(const Observed& item) {
    const auto& marker = *item.marker;
    note_generation(marker);
    // What is half made can only be finished under its own marker, so that it is not moved.
    const auto address = item.complete ? moved(marker.address) : marker.address;
    const auto standing = standing_.find(address);
    if (standing != standing_.end()) {
      const bool taken = taken_over_.contains(address);
      if (!taken && !is_gone(address)) return;
      const auto oldest = standing->second->generation + (taken || !item.complete ? 1 : 0);
      if (marker.generation < oldest) return;
    }
    if (!item.complete) {
      const auto known = half_made_.find(marker.address);
      if (known == half_made_.end() || known->second->marker->generation < marker.generation) {
        half_made_[marker.address] = &item;
      }
      return;
    }
    taken_over_.insert(address);
    recorded_as_.erase(address);
    if (address != marker.address) recorded_as_[address] = marker.address;
    copies_.push_back({.address = address,
                       .type = item.type,
                       .provider_id = item.provider_id,
                       .inputs = item.inputs,
                       .attributes = item.attributes,
                       .depends_on = {},
                       .generation = marker.generation,
                       .made_at = {}});
    standing_[address] = &copies_.back();
  }

  /// Dependencies first, so that a reference knows what becomes of its target.
  Result<std::vector<const DesiredResource*>> desired_order() const {
    std::vector<const DesiredResource*> resources;
    std::map<ResourceAddress, std::size_t> numbers;
    for (const auto& [address, resource] : desired_) {
      numbers.emplace(address, resources.size());
      resources.push_back(resource);
    }
    std::vector<std::vector<std::size_t>> dependencies(resources.size());
    for (std::size_t i = 0; i < resources.size(); ++i) {
      for (const auto& dependency : resources[i]->depends_on) {
        const auto found = numbers.find(dependency);
        if (found != numbers.end()) dependencies[i].push_back(found->second);
      }
    }
    const auto order = topological_order(dependencies);
    if (const auto* cycle = std::get_if<NumberCycle>(&order)) {
      std::vector<std::string> names;
      for (const auto node : cycle->nodes) names.push_back(resources[node]->address.str());
      return fail(ErrorKind::InvalidArgument,
                  "these resources depend on each other: " + enumerate(names));
    }
    std::vector<const DesiredResource*> ordered;
    ordered.reserve(resources.size());
    for (const auto node : std::get<0>(order)) ordered.push_back(resources[node]);
    return ordered;
  }

  /// The value of a reference, or its own text when it is known after apply only.
  Json value_of(const ResourceReference& reference) const {
    const ResourceAddress address{inputs_.environment.name, reference.resource, reference.index};
    const auto text = text_of(reference);
    const auto state = standing_.find(address);
    if (state == standing_.end()) return text;
    if (const auto operation = operations_.find(address); operation != operations_.end()) {
      const auto action = operation->second.action;
      const auto& changed = operation->second.changed_fields;
      if (action == Action::Create || action == Action::Replace) return text;
      const auto follows = [&](const std::string& path) {
        return path.substr(0, path.find('.')) == reference.attribute;
      };
      if (std::any_of(changed.begin(), changed.end(), follows)) return text;
    }
    if (reference.attribute.empty()) return state->second->provider_id;
    const auto& value = member(state->second->attributes, reference.attribute);
    return value.is_null() ? Json(text) : value;
  }

  Status decide(const DesiredResource& resource) {
    const auto type = inputs_.schema.resource_types.find(resource.type);
    if (type == inputs_.schema.resource_types.end()) {
      return fail(Error(ErrorKind::Unsupported, "the provider \"" + inputs_.schema.name +
                                                    "\" offers no resource type \"" +
                                                    resource.type + "\"")
                      .in("planning " + resource.address.str()));
    }
    auto resolved = resolve_references(resource.fields, [this](const ResourceReference& reference) {
      return std::optional(value_of(reference));
    });
    if (!resolved) {
      return fail(std::move(resolved.error()).in("planning " + resource.address.str()));
    }
    auto operation = operation_on(resource.address, resource.type);
    operation.depends_on = resource.depends_on;
    std::sort(operation.depends_on.begin(), operation.depends_on.end());
    operation.after = *std::move(resolved);
    operation.protect = resource.protect;
    operation.moved_from = moved_from(resource.address);

    const auto state = standing_.find(resource.address);
    if (state == standing_.end()) {
      operation.reason = Reason::NotInState;
      create(operation);
    } else if (is_gone(resource.address)) {
      operation.reason = Reason::GoneAtProvider;
      operation.generation = next_generation(*state->second);
      create(operation);
    } else {
      compare(operation, type->second, *state->second);
    }
    operations_.emplace(resource.address, std::move(operation));
    return {};
  }

  bool is_gone(const ResourceAddress& address) const {
    return inputs_.refreshed.gone.contains(recorded_as(address)) && !taken_over_.contains(address);
  }

  int next_generation(const ResourceState& state) const {
    const auto newest = newest_.find(state.address);
    return std::max(state.generation, newest == newest_.end() ? 0 : newest->second) + 1;
  }

  void create(Operation& operation) const {
    operation.action = Action::Create;
    const auto half = half_made_.find(operation.address);
    if (half == half_made_.end()) {
      // Something that was moved away may still bear this address.
      const auto newest = newest_.find(operation.address);
      if (newest != newest_.end()) {
        operation.generation = std::max(operation.generation, newest->second + 1);
      }
      return;
    }
    // Only the same type can be finished under its marker; another one needs a marker of its own.
    const bool same_type = half->second->type == operation.type;
    operation.generation = half->second->marker->generation + (same_type ? 0 : 1);
    if (same_type) operation.provider_id = half->second->provider_id;
  }

  ResourceDifference difference_of(const ResourceTypeSchema& type, const Json& desired,
                                   const ResourceState& state) const {
    const auto observed = inputs_.refreshed.observed.find(recorded_as(state.address));
    return diff_fields(
        type, desired, state.inputs,
        observed == inputs_.refreshed.observed.end() ? Json() : observed->second.inputs);
  }

  void compare(Operation& operation, const ResourceTypeSchema& type,
               const ResourceState& state) const {
    operation.provider_id = state.provider_id;
    operation.generation = state.generation;
    if (state.type != operation.type) {
      operation.action = Action::Replace;
      operation.reason = Reason::FieldsChanged;
      operation.before = state.inputs;
      operation.changed_fields = {"type"};
      operation.generation = next_generation(state);
      return;
    }
    auto difference = difference_of(type, *operation.after, state);
    operation.before = std::move(difference.before);
    if (difference.fields.empty()) return compare_record(operation, state);
    bool replaces = false;
    bool by_spec = false;
    for (auto& field : difference.fields) {
      replaces = replaces || field.replaces;
      by_spec = by_spec || field.by_spec;
      operation.changed_fields.push_back(std::move(field.path));
    }
    operation.action = replaces ? Action::Replace : Action::Update;
    operation.reason = by_spec ? Reason::FieldsChanged : Reason::Drifted;
    if (replaces) operation.generation = next_generation(state);
  }

  /// What the provider shows is as declared, and the record may not be.
  void compare_record(Operation& operation, const ResourceState& state) const {
    // Taking over what is in no record writes all of it.
    if (taken_over_.contains(state.address)) return;
    if (!operation.moved_from && state.protect == operation.protect) return;
    operation.action = Action::Record;
    operation.reason = operation.moved_from ? Reason::Moved : Reason::ProtectionChanged;
  }

  /// What stands and is not wanted, or is left alone because it was deferred.
  void decide_rest(const ResourceState& state) {
    if (operations_.contains(state.address)) return;
    auto operation = operation_on(state.address, state.type);
    operation.provider_id = state.provider_id;
    operation.generation = state.generation;
    operation.before = state.inputs;
    operation.protect = state.protect;
    for (const auto& dependency : state.depends_on) {
      if (standing_.contains(dependency)) operation.depends_on.push_back(dependency);
    }
    std::sort(operation.depends_on.begin(), operation.depends_on.end());
    if (inputs_.kind == PlanKind::Apply && deferred_.contains(state.address)) {
      operation.after = state.inputs;
      operation.moved_from = moved_from(state.address);
      compare_record(operation, state);
    } else {
      operation.action = Action::Delete;
      operation.reason = inputs_.kind == PlanKind::Destroy ? Reason::EnvironmentDestroyed
                                                           : Reason::NoLongerDeclared;
    }
    operations_.emplace(state.address, std::move(operation));
  }

  void remove_half_made(const ResourceAddress& address, const Observed* item) {
    auto operation = operation_on(address, item->type);
    operation.action = Action::Delete;
    operation.reason =
        inputs_.kind == PlanKind::Destroy ? Reason::EnvironmentDestroyed : Reason::NoLongerDeclared;
    operation.before = item->inputs;
    operation.provider_id = item->provider_id;
    operation.generation = item->marker->generation;
    operations_.emplace(address, std::move(operation));
  }

  Status check_protection() const {
    std::vector<std::string> hit;
    for (const auto& [address, operation] : operations_) {
      if (operation.action != Action::Delete && operation.action != Action::Replace) continue;
      const auto resource = desired_.find(address);
      const auto state = standing_.find(address);
      const bool recorded = state != standing_.end() && state->second->protect;
      if (resource == desired_.end() ? !recorded : !resource->second->protect) continue;
      hit.push_back(address.str() +
                    (operation.action == Action::Delete ? " (delete)" : " (replace)"));
    }
    if (hit.empty()) return {};
    return fail(
        Error(ErrorKind::Refused, "the plan would destroy what is protected: " + enumerate(hit))
            .with_code("plan.protected")
            .with_hint("Take `protect` from the resource in its template and apply that first, or "
                       "undo the change that forces it."));
  }

  static bool matches(const ResourceAddress& target, const ResourceAddress& address) {
    return target == address || (!target.index && target.environment == address.environment &&
                                 target.resource == address.resource);
  }

  /// By what it will depend on, or does until now.
  bool refers_to(const Operation& operation, const ResourceAddress& address) const {
    const auto state = standing_.find(operation.address);
    if (state == standing_.end()) return false;
    const auto names = [&](const std::vector<ResourceAddress>& needs) {
      return std::find(needs.begin(), needs.end(), address) != needs.end();
    };
    return names(operation.depends_on) || names(state->second->depends_on);
  }

  /// Leaves out what the targets do not need. What refers to something that is made anew or goes
  /// has to come along, or the old one could never go.
  Status keep_targets() {
    if (inputs_.targets.empty()) return {};
    std::set<ResourceAddress> kept;
    std::vector<ResourceAddress> open;
    const auto keep = [&](const ResourceAddress& address) {
      if (operations_.contains(address) && kept.insert(address).second) open.push_back(address);
    };
    for (const auto& target : inputs_.targets) {
      bool known = std::any_of(deferred_.begin(), deferred_.end(),
                               [&](const auto& address) { return matches(target, address); });
      for (const auto& [address, operation] : operations_) {
        if (!matches(target, address)) continue;
        known = true;
        keep(address);
      }
      if (known) continue;
      return fail(Error(ErrorKind::NotFound, target.str() + " is neither declared nor there")
                      .with_code("plan.unknown-target"));
    }
    while (!open.empty()) {
      const auto operation = operations_.at(open.back());
      open.pop_back();
      for (const auto& dependency : operation.depends_on) keep(dependency);
      const bool made_anew =
          operation.action == Action::Replace || operation.reason == Reason::GoneAtProvider;
      if (!made_anew && operation.action != Action::Delete) continue;
      for (const auto& [address, other] : operations_) {
        if (refers_to(other, operation.address)) keep(address);
      }
    }
    std::erase_if(operations_, [&](const auto& item) { return !kept.contains(item.first); });
    return {};
  }

  Plan finish() {
    Plan plan;
    plan.kind = inputs_.kind;
    plan.environment = inputs_.environment.name;
    plan.environment_uid = inputs_.environment.uid;
    plan.spec_digest = inputs_.desired.spec_digest;
    plan.policy_digest = inputs_.policy_digest;
    plan.template_digest = inputs_.template_digest;
    plan.state_serial = inputs_.environment.serial;
    plan.artifacts = inputs_.artifacts;
    for (auto& [address, operation] : operations_) plan.operations.push_back(std::move(operation));
    if (inputs_.kind == PlanKind::Apply) plan.deferred = inputs_.desired.deferred;
    std::sort(
        plan.deferred.begin(), plan.deferred.end(),
        [](const Deferred& left, const Deferred& right) { return left.address < right.address; });
    plan.targets = inputs_.targets;
    std::sort(plan.targets.begin(), plan.targets.end());
    seal(plan);
    return plan;
  }

  const PlanInputs& inputs_;
  std::map<ResourceAddress, const ResourceState*> standing_;
  /// What stands otherwise than it is recorded: elsewhere today, or in no record.
  std::deque<ResourceState> copies_;
  std::set<ResourceAddress> recorded_;
  std::set<ResourceAddress> taken_over_;
  std::map<ResourceAddress, int> newest_;  ///< Highest generation of any marker that is there.
  /// Where what stands at an address of today is recorded, or what its marker says.
  std::map<ResourceAddress, ResourceAddress> recorded_as_;
  std::set<ResourceAddress> declared_;
  std::vector<std::string> blocked_;
  std::map<ResourceAddress, const Observed*> half_made_;
  std::map<ResourceAddress, const DesiredResource*> desired_;
  std::set<ResourceAddress> deferred_;
  std::map<ResourceAddress, Operation> operations_;
};

}  // namespace

Result<Plan> make_plan(const PlanInputs& inputs) {
  return Planning(inputs).run();
}

}  // namespace bailey
