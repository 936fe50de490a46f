#include "orchestrator/provision/plan/from_markers.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/declare/spec/expand.hpp"
#include "orchestrator/provision/plan/moves.hpp"
#include "orchestrator/provision/plan/references.hpp"

#include <algorithm>
#include <functional>
#include <set>

namespace bailey {

namespace {

using Standing = std::map<ResourceAddress, const Observed*>;
using Declared = std::map<ResourceAddress, DesiredResource>;

bool is_older(const Observed* left, const Observed* right) {
  return left->marker->generation < right->marker->generation;
}

/// The newest whole one of each address, as the template moved it; the others go to `left`.
Standing newest_of_each(const Refreshed& refreshed, const Expansion& expansion,
                        std::vector<Observed>& left) {
  std::set<ResourceAddress> declared;
  for (const auto& resource : expansion.resources) declared.insert(resource.address);
  for (const auto& item : expansion.deferred) declared.insert(item.address);
  const auto place_of = [&](const ResourceAddress& marked) {
    return declared.contains(marked) ? marked : moved_to(expansion.moves, declared, marked);
  };
  Standing standing;
  for (const auto& item : refreshed.unrecorded) {
    if (!item.complete) {
      left.push_back(item);
      continue;
    }
    const auto [known, fresh] = standing.emplace(place_of(item.marker->address), &item);
    if (fresh) continue;
    const auto* newer = is_older(known->second, &item) ? &item : known->second;
    left.push_back(newer == &item ? *known->second : item);
    known->second = newer;
  }
  return standing;
}

Declared declared_with(const Bundle& bundle, const Environment& environment,
                       const std::map<std::string, std::string>& artifacts) {
  Declared declared;
  for (auto& resource : expand(bundle, environment, artifacts).resources) {
    auto address = resource.address;
    declared.emplace(std::move(address), std::move(resource));
  }
  return declared;
}

/// What stands where `wanted` says `mark`, within both values.
void find_in_place(const Json& wanted, const Json& seen, const std::string& mark,
                   std::set<std::string>& found) {
  if (wanted.is_structured()) {
    for (const auto& [key, value] : wanted.items()) {
      if (wanted.is_object()) {
        find_in_place(value, member(seen, key), mark, found);
      } else if (const auto index = std::stoul(key); seen.is_array() && index < seen.size()) {
        find_in_place(value, seen[index], mark, found);
      }
    }
    return;
  }
  if (!wanted.is_string() || !seen.is_string()) return;
  const auto& text = wanted.get_ref<const std::string&>();
  const auto& other = seen.get_ref<const std::string&>();
  const auto at = text.find(mark);
  if (at == std::string::npos || other.size() != text.size()) return;
  const auto digest = other.substr(at, mark.size());
  const bool same_around = text.compare(0, at, other, 0, at) == 0 &&
                           text.substr(at + mark.size()) == other.substr(at + mark.size());
  if (same_around && is_digest(digest)) found.insert(digest);
}

/// Expands the template with a mark in each slot, and reads what stands in the mark's place.
std::map<std::string, std::string> artifacts_of(const Bundle& bundle,
                                                const Environment& environment,
                                                const Standing& standing) {
  const auto& repositories = bundle.projects.at(environment.project).repositories;
  std::map<std::string, std::string> marks;
  std::map<std::string, std::string> marked;
  for (const auto& slot : bundle.templates.at(environment.template_name).artifacts) {
    const auto repository = repositories.find(slot);
    if (repository == repositories.end()) continue;
    marks[slot] = digest_of(std::string_view("the place of artifact " + slot));
    marked[slot] = repository->second + "@" + marks[slot];
  }
  const auto declared = declared_with(bundle, environment, marked);
  std::map<std::string, std::string> artifacts;
  for (const auto& [slot, mark] : marks) {
    std::set<std::string> found;
    for (const auto& [address, item] : standing) {
      const auto resource = declared.find(address);
      if (resource == declared.end() || resource->second.type != item->type) continue;
      find_in_place(resource->second.fields, item->inputs, mark, found);
    }
    if (found.size() == 1) artifacts[slot] = repositories.at(slot) + "@" + *found.begin();
  }
  return artifacts;
}

using AddressesById = std::map<std::string, std::vector<ResourceAddress>>;

void find_ids(const Json& value, const AddressesById& addresses, std::set<ResourceAddress>& found) {
  if (value.is_structured()) {
    for (const auto& inner : value) find_ids(inner, addresses, found);
  } else if (value.is_string()) {
    const auto known = addresses.find(value.get_ref<const std::string&>());
    if (known != addresses.end()) found.insert(known->second.begin(), known->second.end());
  }
}

std::vector<ResourceAddress> dependencies_by_id(const ResourceAddress& own, const Observed& item,
                                                const AddressesById& addresses) {
  std::set<ResourceAddress> found;
  find_ids(item.inputs, addresses, found);
  found.erase(own);
  return {found.begin(), found.end()};
}

}  // namespace

StateFromMarkers state_from_markers(const Bundle& bundle, const Environment& environment,
                                    const Refreshed& refreshed) {
  StateFromMarkers state;
  const auto standing = newest_of_each(refreshed, expand(bundle, environment, {}), state.left);
  state.artifacts = artifacts_of(bundle, environment, standing);
  const auto declared = declared_with(bundle, environment, state.artifacts);
  AddressesById addresses;
  for (const auto& [address, item] : standing) addresses[item->provider_id].push_back(address);
  for (const auto& [address, item] : standing) {
    state.resources.push_back({.address = address,
                               .type = item->type,
                               .provider_id = item->provider_id,
                               .inputs = item->inputs,
                               .attributes = item->attributes,
                               .depends_on = dependencies_by_id(address, *item, addresses),
                               .generation = item->marker->generation});
    if (item->marker->address != address) state.resources.back().marked_as = item->marker->address;
  }
  std::map<ResourceAddress, const ResourceState*> known;
  for (const auto& resource : state.resources) known[resource.address] = &resource;
  const auto look_up = [&](const ResourceAddress& address) -> const ResourceState* {
    const auto found = known.find(address);
    return found == known.end() ? nullptr : found->second;
  };
  for (auto& resource : state.resources) {
    const auto found = declared.find(resource.address);
    if (found == declared.end() || found->second.type != resource.type) continue;
    resource.depends_on = found->second.depends_on;
    resource.protect = found->second.protect;
    for (const auto& [name, value] : found->second.fields.items()) {
      if (resource.inputs.contains(name)) continue;
      // A reference to what does not stand is for the next plan to see.
      if (auto resolved = resolve_inputs(value, environment.name, look_up)) {
        resource.inputs[name] = *std::move(resolved);
      }
    }
  }
  return state;
}

}  // namespace bailey
