#include "orchestrator/provision/apply/moves.hpp"

#include "orchestrator/provision/apply/journal.hpp"

#include <algorithm>
#include <map>

namespace bailey {

namespace {

using Moves = std::map<ResourceAddress, ResourceAddress>;  ///< From where to where.

Status put(Transaction& transaction, Collection collection, const ResourceAddress& address,
           const nlohmann::json& body) {
  auto written = transaction.put(collection, address.str(), body);
  if (!written) return fail(std::move(written.error()));
  return {};
}

Status erase(Transaction& transaction, Collection collection, const ResourceAddress& address) {
  auto erased = transaction.erase(collection, address.str());
  if (!erased) return fail(std::move(erased.error()));
  return {};
}

/// Those that are still to be made: what is recorded under its new address was moved before.
Moves open_moves(const Plan& plan, const std::vector<ResourceState>& states) {
  const auto stands = [&](const ResourceAddress& address) {
    return std::any_of(states.begin(), states.end(),
                       [&](const auto& state) { return state.address == address; });
  };
  Moves moves;
  for (const auto& operation : plan.operations) {
    if (!operation.moved_from || stands(operation.address)) continue;
    if (stands(*operation.moved_from)) moves[*operation.moved_from] = operation.address;
  }
  return moves;
}

/// What a replacement left to be retired goes along; anything else has to be settled first.
Status move_intents(Transaction& transaction, const std::string& environment, const Moves& moves) {
  auto intents = load_intents(transaction, environment);
  if (!intents) return fail(std::move(intents.error()));
  for (auto& intent : *intents) {
    const auto move = moves.find(intent.address);
    if (move == moves.end()) continue;
    if (intent.verb != Verb::Retire) {
      return fail(ErrorKind::FailedPrecondition, "an earlier operation on " + intent.address.str() +
                                                     " is not settled, so it cannot be moved");
    }
    if (auto erased = erase(transaction, Collection::Intent, intent.address); !erased) {
      return erased;
    }
    intent.address = move->second;
    if (auto written = put(transaction, Collection::Intent, intent.address, to_json(intent));
        !written) {
      return written;
    }
  }
  return {};
}

Status move_states(Transaction& transaction, std::vector<ResourceState> states,
                   const Moves& moves) {
  for (auto& state : states) {
    bool changed = false;
    for (auto& dependency : state.depends_on) {
      const auto move = moves.find(dependency);
      if (move == moves.end()) continue;
      dependency = move->second;
      changed = true;
    }
    if (const auto move = moves.find(state.address); move != moves.end()) {
      if (auto erased = erase(transaction, Collection::Resource, state.address); !erased) {
        return erased;
      }
      if (!state.marked_as) state.marked_as = state.address;
      state.address = move->second;
      if (state.marked_as == state.address) state.marked_as.reset();
      changed = true;
    }
    if (!changed) continue;
    std::sort(state.depends_on.begin(), state.depends_on.end());
    if (auto written = put(transaction, Collection::Resource, state.address, to_json(state));
        !written) {
      return written;
    }
  }
  return {};
}

Status log_move(Transaction& transaction, const Plan& plan, const ResourceAddress& from,
                const ResourceAddress& to, WallTime now) {
  AuditEntry entry;
  entry.time = format_time(now);
  entry.actor = "bailey";
  entry.proof = "self";
  entry.action = "resource.move";
  entry.target = "resource:" + to.str();
  entry.detail = "from " + from.str();
  entry.digests["plan"] = plan.digest;
  auto appended = transaction.append(entry);
  if (!appended) return fail(std::move(appended.error()));
  return {};
}

}  // namespace

Status move_resources(Transaction& transaction, const Plan& plan, const Fence& fence,
                      WallTime now) {
  if (auto ours = check_fence(transaction, fence); !ours) return ours;
  auto states = load_resources(transaction, plan.environment);
  if (!states) return fail(std::move(states.error()));
  const auto moves = open_moves(plan, *states);
  if (moves.empty()) return {};
  if (auto moved = move_intents(transaction, plan.environment, moves); !moved) return moved;
  if (auto moved = move_states(transaction, *std::move(states), moves); !moved) return moved;
  auto environment = load_environment(transaction, plan.environment);
  if (!environment) return fail(std::move(environment.error()));
  if (!*environment) return fail(ErrorKind::Internal, "an environment with a plan has no record");
  ++(*environment)->serial;
  auto written = transaction.put(Collection::Environment, plan.environment, to_json(**environment));
  if (!written) return fail(std::move(written.error()));
  for (const auto& [from, to] : moves) {
    if (auto logged = log_move(transaction, plan, from, to, now); !logged) return logged;
  }
  return {};
}

}  // namespace bailey
