#include "orchestrator/serve/api/routes.hpp"
#include "orchestrator/serve/engine/check_drift.hpp"
#include "orchestrator/serve/engine/import_environment.hpp"
#include "orchestrator/serve/engine/lease_credential.hpp"
#include "orchestrator/serve/engine/manage_changes.hpp"
#include "orchestrator/serve/engine/probe_isolation.hpp"
#include "orchestrator/serve/engine/sandboxes.hpp"
#include "orchestrator/serve/engine/settle_drift.hpp"

namespace bailey {

namespace {

constexpr std::int64_t kMostSeconds = 7LL * 24 * 3600;
constexpr std::chrono::seconds kUsualLease = std::chrono::hours(1);

const std::string& name_of(const ApiCall& call) {
  return call.path.at("name");
}

Result<std::chrono::seconds> ttl_of(const ApiCall& call) {
  const auto& ttl = member(call.body, "ttl_seconds");
  if (ttl.is_null()) return kUsualLease;
  if (!ttl.is_number_integer() || ttl < 1 || ttl > kMostSeconds) {
    return fail(ErrorKind::InvalidArgument, "\"ttl_seconds\" is a whole number of seconds");
  }
  return std::chrono::seconds(ttl.get<std::int64_t>());
}

Result<ApiAnswer> hand_out(Engine& engine, const ApiCall& call) {
  auto role = required(call, "role");
  if (!role) return fail(std::move(role.error()));
  auto ttl = ttl_of(call);
  if (!ttl) return fail(std::move(ttl.error()));
  auto lease = lease_credential(engine, call.request, name_of(call), *role, *ttl, call.stop);
  if (!lease) return fail(std::move(lease.error()));
  Json variables = Json::object();
  for (const auto& [name, value] : lease->variables) variables[name] = value.reveal();
  return to_answer(Json{{"lease", to_json(lease->lease)}, {"variables", std::move(variables)}},
                   201);
}

constexpr std::int64_t kLongestIgnoreSeconds = 90LL * 24 * 3600;

Result<DriftRequest> drift_request_of(const ApiCall& call) {
  DriftRequest wanted;
  wanted.environment = name_of(call);
  auto action = required(call, "action");
  if (!action) return fail(std::move(action.error()));
  bool known = false;
  for (const auto each : {DriftAction::Accept, DriftAction::Restore, DriftAction::Ignore}) {
    if (*action != to_string(each)) continue;
    wanted.action = each;
    known = true;
  }
  if (!known) {
    return fail(ErrorKind::InvalidArgument, "\"action\" is accept, restore or ignore");
  }
  wanted.findings = strings_member(call.body, "findings");
  wanted.reason = string_member(call.body, "reason");
  const auto& seconds = member(call.body, "seconds");
  if (seconds.is_null()) return wanted;
  if (!seconds.is_number_integer() || seconds < 1 || seconds > kLongestIgnoreSeconds) {
    return fail(ErrorKind::InvalidArgument, "\"seconds\" is a whole number, 90 days at most");
  }
  wanted.duration = std::chrono::seconds(seconds.get<std::int64_t>());
  return wanted;
}

void add_drift_routes(Router& router, Engine& engine, Worker& worker) {
  router.add("POST", "/v1/environments/{name}/drift", [&engine](const ApiCall& call) {
    return to_answer(check_drift(engine, call.request, name_of(call), call.stop));
  });
  router.add("POST", "/v1/environments/{name}/drift/decisions",
             [&engine, &worker](const ApiCall& call) -> Result<ApiAnswer> {
               auto wanted = drift_request_of(call);
               if (!wanted) return fail(std::move(wanted.error()));
               auto change = settle_drift(engine, call.request, *wanted, call.stop);
               if (!change) return fail(std::move(change.error()));
               worker.wake();
               return to_answer(Json{{"change", change->id.str()}, {"unchanged", false}}, 201);
             });
}

void add_credential_routes(Router& router, Engine& engine) {
  router.add("POST", "/v1/environments/{name}/leases",
             [&engine](const ApiCall& call) { return hand_out(engine, call); });
  router.add("DELETE", "/v1/environments/{name}/leases/{id}", [&engine](const ApiCall& call) {
    return to_answer(revoke_one_lease(engine, call.request, name_of(call),
                                      LeaseId(call.path.at("id")), call.stop));
  });
  router.add("GET", "/v1/environments/{name}/credentials", [&engine](const ApiCall& call) {
    return to_answer(list_environment_credentials(engine, call.request, name_of(call)));
  });
  router.add("POST", "/v1/environments/{name}/credentials/revoke", [&engine](const ApiCall& call) {
    return to_answer(revoke_credentials(engine, call.request, name_of(call),
                                        string_member(call.body, "role"), call.stop));
  });
  router.add("POST", "/v1/environments/{name}/credentials/rotate", [&engine](const ApiCall& call) {
    return to_answer(rotate_credentials(engine, call.request, name_of(call), call.stop));
  });
}

}  // namespace

void add_environment_routes(Router& router, Engine& engine, Worker& worker) {
  router.add("GET", "/v1/environments", [&engine](const ApiCall& call) -> Result<ApiAnswer> {
    auto environments = list_environments(engine, call.request);
    if (!environments) return fail(std::move(environments.error()));
    return to_answer(Json{{"environments", *std::move(environments)}});
  });
  router.add("GET", "/v1/environments/{name}", [&engine](const ApiCall& call) {
    return to_answer(show_environment(engine, call.request, name_of(call)));
  });
  router.add("POST", "/v1/environments/{name}/import", [&engine](const ApiCall& call) {
    return to_answer(import_from_markers(
        engine, call.request, {name_of(call), EnvironmentUid(string_member(call.body, "uid"))},
        call.stop));
  });
  router.add("POST", "/v1/environments/{name}/extend",
             [&engine](const ApiCall& call) -> Result<ApiAnswer> {
               auto ttl = ttl_of(call);
               if (!ttl) return fail(std::move(ttl.error()));
               return to_answer(extend_sandbox(engine, call.request, name_of(call), *ttl));
             });
  router.add("POST", "/v1/probe", [&engine](const ApiCall& call) {
    return to_answer(
        probe_isolation(engine, call.request, string_member(call.body, "environment"), call.stop));
  });
  add_drift_routes(router, engine, worker);
  add_credential_routes(router, engine);
}

}  // namespace bailey
