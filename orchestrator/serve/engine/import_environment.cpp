#include "orchestrator/serve/engine/import_environment.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/provision/plan/from_markers.hpp"
#include "orchestrator/provision/plan/refresh.hpp"
#include "orchestrator/serve/engine/lease_credential.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/with_lease.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

namespace bailey {

namespace {

struct Import {
  Engine& engine;
  const Bundle& bundle;
  const Environment& environment;
  std::shared_ptr<Provider> provider;
};

Status refuse_recorded(Transaction& transaction, const std::string& environment) {
  auto state = find_environment_state(transaction, environment);
  if (!state) return fail(std::move(state.error()));
  auto resources = resources_of(transaction, environment);
  if (!resources) return fail(std::move(resources.error()));
  const bool stands = *state && (*state)->status != EnvironmentStatus::Absent &&
                      (*state)->status != EnvironmentStatus::Destroyed;
  if (!stands && resources->empty()) return {};
  return fail(Error(ErrorKind::FailedPrecondition,
                    environment + " has a record; an import would overwrite it")
                  .with_hint("`bailey plan` shows what differs from what is declared.")
                  .with_code("import.recorded"));
}

Result<FoundBoundary> choose(const std::vector<FoundBoundary>& all, const ImportRequest& wanted) {
  std::vector<FoundBoundary> fitting;
  std::vector<std::string> uids;
  for (const auto& boundary : all) {
    if (boundary.environment != wanted.environment) continue;
    if (!wanted.uid.str().empty() && boundary.environment_uid != wanted.uid) continue;
    fitting.push_back(boundary);
    uids.push_back(boundary.environment_uid.str() + " (" + boundary.id + ")");
  }
  if (fitting.size() == 1) return fitting.front();
  if (fitting.empty()) {
    return fail(Error(ErrorKind::NotFound,
                      "nothing at the provider is marked as " + wanted.environment +
                          (wanted.uid.str().empty() ? "" : " with uid " + wanted.uid.str()))
                    .with_code("import.not-found"));
  }
  return fail(
      Error(ErrorKind::Conflict, fmt::format("{} boundaries are marked as {}: {}", uids.size(),
                                             wanted.environment, enumerate(uids)))
          .with_hint("Say which one: --uid UID")
          .with_code("import.ambiguous"));
}

Status record(Import& import, Transaction& transaction, const Fence& fence,
              const EnvironmentState& state, const StateFromMarkers& found,
              const Request& request) {
  if (auto held = check_fence(transaction, fence); !held) return held;
  // Looked at again where it counts: somebody may have opened a change meanwhile.
  if (auto absent = refuse_recorded(transaction, state.name); !absent) return absent;
  if (auto saved = save(transaction, state); !saved) return saved;
  for (const auto& resource : found.resources) {
    auto put = transaction.put(Collection::Resource, resource.address.str(), to_json(resource));
    if (!put) return fail(std::move(put.error()));
  }
  auto index =
      append(transaction,
             entry_for(import.engine, request, "environment.import", "environment:" + state.name,
                       fmt::format("{} resources of {} in {}", found.resources.size(),
                                   state.uid.str(), state.boundary)));
  if (!index) return fail(std::move(index.error()));
  return {};
}

Json left_over(const StateFromMarkers& found, const Refreshed& refreshed) {
  Json left = Json::array();
  const auto add = [&](const Observed& item, const std::string& owner) {
    left.push_back({{"type", item.type},
                    {"provider_id", item.provider_id},
                    {"name", item.name},
                    {"owner", owner}});
  };
  for (const auto& item : found.left) add(item, "ours");
  for (const auto& item : refreshed.unmanaged) add(item, "nobody");
  for (const auto& item : refreshed.foreign) add(item, item.marker->environment_uid.str());
  return left;
}

Json answer_for(const EnvironmentState& state, const StateFromMarkers& found,
                const Refreshed& refreshed) {
  Json resources = Json::array();
  for (const auto& resource : found.resources) {
    resources.push_back({{"address", resource.address.str()},
                         {"type", resource.type},
                         {"provider_id", resource.provider_id}});
  }
  return {{"environment", state.name},    {"uid", state.uid.str()},
          {"boundary", state.boundary},   {"resources", std::move(resources)},
          {"artifacts", state.artifacts}, {"left", left_over(found, refreshed)}};
}

Result<Json> import_boundary(Import& import, const Request& request, const Fence& fence,
                             const FoundBoundary& boundary, std::stop_token stop) {
  const auto& schema = import.engine.schema(import.bundle, import.environment);
  auto refreshed = refresh(
      *import.provider,
      {boundary.environment_uid, boundary.id, schema, import.engine.clock().wall_now()}, {}, stop);
  if (!refreshed) return fail(std::move(refreshed.error()));
  const auto found = state_from_markers(import.bundle, import.environment, *refreshed);
  EnvironmentState state;
  state.uid = boundary.environment_uid;
  state.name = import.environment.name;
  state.status = EnvironmentStatus::Imported;
  state.serial = 1;
  state.boundary = boundary.id;
  state.artifacts = found.artifacts;
  auto recorded =
      in_transaction(import.engine.store(), Access::Write, [&](Transaction& transaction) {
        return record(import, transaction, fence, state, found, request);
      });
  if (!recorded) return fail(std::move(recorded.error()));
  auto stamped = stamp_environment(import.engine, import.bundle, import.environment, fence, stop);
  if (!stamped) {
    return fail(std::move(stamped.error())
                    .in("giving its roles new credentials; the record itself is complete"));
  }
  return answer_for(state, found, *refreshed);
}

Result<Json> import_found(Import& import, const Request& request, const ImportRequest& wanted,
                          std::stop_token stop) {
  auto absent = in_transaction(import.engine.store(), Access::Read, [&](Transaction& transaction) {
    return refuse_recorded(transaction, wanted.environment);
  });
  if (!absent) return fail(std::move(absent.error()));
  auto boundaries = import.provider->list_boundaries(stop);
  if (!boundaries) return fail(std::move(boundaries.error()));
  auto boundary = choose(*boundaries, wanted);
  if (!boundary) return fail(std::move(boundary.error()));
  return with_lease(import.engine, wanted.environment, "import", stop,
                    [&](const Fence& fence, std::stop_token ended) {
                      return import_boundary(import, request, fence, *boundary, ended);
                    });
}

}  // namespace

Result<Json> import_from_markers(Engine& engine, const Request& request,
                                 const ImportRequest& import, std::stop_token stop) {
  const auto target = "environment:" + import.environment;
  return audited(engine, request, "environment.import", target, [&]() -> Result<Json> {
    auto bundle = engine.bundle();
    if (!bundle) return fail(std::move(bundle.error()));
    auto may = require_administrator(**bundle, request.caller);
    if (!may) return fail(std::move(may.error()));
    auto environment = find_environment(**bundle, import.environment);
    if (!environment) return fail(std::move(environment.error()));
    auto provider = engine.provider(**bundle, **environment);
    if (!provider) return fail(std::move(provider.error()));
    Import work{engine, **bundle, **environment, *std::move(provider)};
    auto imported = import_found(work, request, import, stop);
    if (!imported) return fail(std::move(imported.error()).in("importing " + import.environment));
    return imported;
  });
}

}  // namespace bailey
