#include "orchestrator/provision/apply/teardown.hpp"

#include "orchestrator/base/text.hpp"

#include <algorithm>

namespace bailey {

namespace {

std::string line_of(const Observed& item) {
  const auto who = item.marker ? item.marker->str() : item.name;
  return item.type + " " + item.provider_id + (who.empty() ? "" : " (" + who + ")");
}

Error left_over(const std::string& boundary, const std::vector<std::string>& things,
                std::string hint) {
  return Error(ErrorKind::FailedPrecondition,
               "the boundary " + boundary + " still holds " + enumerate(things))
      .with_code("teardown.left-over")
      .with_hint(std::move(hint));
}

/// Takes away what bears our mark and was in no plan: superseded, half made, or made by a create
/// whose answer was lost. Nobody knows what needs what, so that it goes around for as long as
/// something goes. What does not is for the inventory to tell.
void remove_ours(Provider& provider, const ProviderSchema& schema, const EnvironmentUid& uid,
                 const std::string& boundary, std::stop_token stop) {
  for (bool some_went = true; some_went && !stop.stop_requested();) {
    some_went = false;
    for (const auto& [type, ignored] : schema.resource_types) {
      const auto items = provider.list(type, boundary, stop);
      if (!items) return;
      for (const auto& item : *items) {
        if (!item.marker || item.marker->environment_uid != uid) continue;
        if (provider.remove(type, boundary, item.provider_id, stop)) some_went = true;
      }
    }
  }
}

/// The provider alone knows what it put into the boundary itself, so that it is asked before things
/// without a marker are held against anybody.
Status remove_empty(Provider& provider, const Inventory& inventory, const std::string& boundary,
                    std::stop_token stop) {
  if (!inventory.ours.empty()) {
    return fail(left_over(boundary, inventory.ours, "What bears our mark is removed again later."));
  }
  auto removed = provider.remove_boundary(boundary, stop);
  if (removed) return {};
  if (removed.error().kind() == ErrorKind::FailedPrecondition && !inventory.unmanaged.empty()) {
    return fail(left_over(boundary, inventory.unmanaged,
                          "Nothing of this was made by bailey: remove it by hand, then destroy "
                          "again."));
  }
  return fail(std::move(removed.error()).in("removing the boundary " + boundary));
}

}  // namespace

Result<Inventory> take_inventory(Provider& provider, const ProviderSchema& schema,
                                 const EnvironmentUid& uid, const std::string& boundary,
                                 std::stop_token stop) {
  Inventory inventory;
  for (const auto& [type, ignored] : schema.resource_types) {
    auto items = provider.list(type, boundary, stop);
    if (!items) return fail(std::move(items.error()).in("listing every " + type));
    for (const auto& item : *items) {
      const bool ours = item.marker && item.marker->environment_uid == uid;
      (ours ? inventory.ours : inventory.unmanaged).push_back(line_of(item));
    }
  }
  std::sort(inventory.ours.begin(), inventory.ours.end());
  std::sort(inventory.unmanaged.begin(), inventory.unmanaged.end());
  return inventory;
}

Status teardown(Provider& provider, const ProviderSchema& schema, const EnvironmentUid& uid,
                const std::string& boundary, std::stop_token stop) {
  // More than one boundary can bear the uid only if a crash left one behind: each has to go.
  auto target = boundary;
  for (int round = 0; round < 3; ++round) {
    if (target.empty()) {
      auto found = provider.find_boundary(uid, stop);
      if (!found) return fail(std::move(found.error()).in("looking for the boundary"));
      if (!*found) return {};
      target = **found;
    }
    remove_ours(provider, schema, uid, target, stop);
    auto inventory = take_inventory(provider, schema, uid, target, stop);
    if (!inventory) return fail(std::move(inventory.error()).in("taking the inventory"));
    if (auto removed = remove_empty(provider, *inventory, target, stop); !removed) return removed;
    target.clear();
  }
  auto left = provider.find_boundary(uid, stop);
  if (!left) return fail(std::move(left.error()).in("looking for the boundary"));
  if (!*left) return {};
  return fail(Error(ErrorKind::FailedPrecondition, "the boundary " + **left + " does not go away")
                  .with_code("teardown.left-over"));
}

}  // namespace bailey
