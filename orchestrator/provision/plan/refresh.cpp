#include "orchestrator/provision/plan/refresh.hpp"

#include <algorithm>
#include <atomic>
#include <optional>
#include <tuple>
#include <utility>

namespace bailey {

namespace {

using Listing = Result<std::vector<Observed>>;

/// One listing a type, a few at a time, in the order of `types`.
std::vector<std::optional<Listing>> list_all(Provider& provider,
                                             const std::vector<std::string>& types,
                                             const RefreshRequest& request, std::stop_token stop) {
  std::vector<std::optional<Listing>> listings(types.size());
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  const auto work = [&] {
    for (auto i = next++; i < types.size() && !failed; i = next++) {
      listings[i] = provider.list(types[i], request.boundary, stop);
      if (!*listings[i]) failed = true;
    }
  };
  run_on_threads(request.threads,
                 std::min(types.size(), static_cast<std::size_t>(std::max(1, request.concurrency))),
                 work);
  return listings;
}

/// For what its listing lacks: the provider's word on that one resource.
Status look_up(Provider& provider, const RefreshRequest& request, const ResourceState& state,
               Refreshed& refreshed, std::stop_token stop) {
  auto found = provider.read(state.type, request.boundary, state.provider_id, stop);
  if (!found) {
    if (!found.error().retryable()) {
      return fail(std::move(found.error()).in("reading " + state.address.str()));
    }
    refreshed.unknown.insert(state.address);
  } else if (*found) {
    refreshed.observed.emplace(state.address, **std::move(found));
  } else if (may_be_hidden(state, request.schema, request.now)) {
    refreshed.unknown.insert(state.address);
  } else {
    refreshed.gone.insert(state.address);
  }
  return {};
}

void sort_by_id(std::vector<Observed>& list) {
  std::sort(list.begin(), list.end(), [](const Observed& left, const Observed& right) {
    return std::tie(left.type, left.provider_id) < std::tie(right.type, right.provider_id);
  });
}

}  // namespace

bool may_be_hidden(const ResourceState& state, const ProviderSchema& schema, WallTime now) {
  const auto made = parse_time(state.made_at);
  const auto type = schema.resource_types.find(state.type);
  return made && type != schema.resource_types.end() && now < *made + type->second.visibility_grace;
}

Result<Refreshed> refresh(Provider& provider, const RefreshRequest& request,
                          const std::vector<ResourceState>& states, std::stop_token stop) {
  Refreshed refreshed;
  if (request.boundary.empty()) {
    for (const auto& state : states) refreshed.gone.insert(state.address);
    return refreshed;
  }
  std::vector<std::string> types;
  for (const auto& [name, type] : request.schema.resource_types) types.push_back(name);
  if (types.empty()) return refreshed;

  std::map<std::pair<std::string, std::string>, const ResourceState*> recorded;
  for (const auto& state : states)
    recorded.emplace(std::pair(state.type, state.provider_id), &state);

  auto listings = list_all(provider, types, request, stop);
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (listings[i] && !*listings[i]) {
      return fail(std::move(listings[i]->error()).in("listing every " + types[i]));
    }
  }
  for (std::size_t i = 0; i < types.size(); ++i) {
    for (auto& item : **listings[i]) {
      const auto known = recorded.find({types[i], item.provider_id});
      if (known != recorded.end()) {
        refreshed.observed.emplace(known->second->address, std::move(item));
      } else if (!item.marker) {
        refreshed.unmanaged.push_back(std::move(item));
      } else if (item.marker->environment_uid == request.environment_uid) {
        refreshed.unrecorded.push_back(std::move(item));
      } else {
        refreshed.foreign.push_back(std::move(item));
      }
    }
  }
  for (const auto& state : states) {
    if (refreshed.observed.contains(state.address)) continue;
    if (auto looked = look_up(provider, request, state, refreshed, stop); !looked) {
      return fail(std::move(looked.error()));
    }
  }
  sort_by_id(refreshed.unmanaged);
  sort_by_id(refreshed.foreign);
  sort_by_id(refreshed.unrecorded);
  return refreshed;
}

}  // namespace bailey
