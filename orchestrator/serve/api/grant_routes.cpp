#include "orchestrator/serve/api/routes.hpp"
#include "orchestrator/serve/engine/end_grants.hpp"
#include "orchestrator/serve/engine/request_grant.hpp"
#include "orchestrator/serve/engine/review_grant.hpp"
#include "orchestrator/serve/engine/show_grants.hpp"

namespace bailey {

namespace {

constexpr std::int64_t kMostSeconds = 30LL * 24 * 3600;

GrantId id_of(const ApiCall& call) {
  return GrantId(call.path.at("id"));
}

Result<GrantAsk> ask_of(const ApiCall& call, GrantKind kind) {
  GrantAsk ask;
  ask.kind = kind;
  ask.environment = call.path.at("name");
  ask.reason = string_member(call.body, "reason");
  ask.incident = string_member(call.body, "incident");
  if (kind == GrantKind::Access) {
    auto role = required(call, "role");
    if (!role) return fail(std::move(role.error()));
    ask.role = *std::move(role);
  }
  const auto& ttl = member(call.body, "ttl_seconds");
  if (ttl.is_null()) return ask;
  if (!ttl.is_number_integer() || ttl < 1 || ttl > kMostSeconds) {
    return fail(ErrorKind::InvalidArgument, "\"ttl_seconds\" is a whole number of seconds");
  }
  ask.ttl = std::chrono::seconds(ttl.get<std::int64_t>());
  return ask;
}

Result<ApiAnswer> ask_for(Engine& engine, Worker& worker, const ApiCall& call, GrantKind kind) {
  auto ask = ask_of(call, kind);
  if (!ask) return fail(std::move(ask.error()));
  auto change = request_grant(engine, call.request, *ask);
  if (!change) return fail(std::move(change.error()));
  worker.wake();
  return to_answer(Json{{"change", change->id.str()}, {"grant", grant_of_change(change->id).str()}},
                   201);
}

}  // namespace

void add_grant_routes(Router& router, Engine& engine, Worker& worker) {
  router.add("POST", "/v1/environments/{name}/grants", [&engine, &worker](const ApiCall& call) {
    return ask_for(engine, worker, call, GrantKind::Access);
  });
  router.add("POST", "/v1/environments/{name}/break-glass",
             [&engine, &worker](const ApiCall& call) {
               return ask_for(engine, worker, call, GrantKind::BreakGlass);
             });
  router.add("GET", "/v1/grants", [&engine](const ApiCall& call) -> Result<ApiAnswer> {
    const bool all = call.http.parameter("all").value_or("") == "true";
    auto grants = list_grants(engine, call.request, call.http.parameter("environment").value_or(""),
                              all ? Settled::With : Settled::Without);
    if (!grants) return fail(std::move(grants.error()));
    return to_answer(Json{{"grants", *std::move(grants)}});
  });
  router.add("GET", "/v1/grants/{id}", [&engine](const ApiCall& call) {
    return to_answer(show_grant(engine, call.request, id_of(call)));
  });
  router.add("POST", "/v1/grants/{id}/revoke", [&engine](const ApiCall& call) {
    return to_answer(revoke_grant(engine, call.request, id_of(call), call.stop));
  });
  router.add("POST", "/v1/grants/{id}/statement", [&engine](const ApiCall& call) {
    return to_answer(
        prepare_review(engine, call.request, id_of(call), string_member(call.body, "conclusion")));
  });
  router.add("POST", "/v1/grants/{id}/reviews",
             [&engine, &worker](const ApiCall& call) -> Result<ApiAnswer> {
               auto grant =
                   submit_review(engine, call.request, id_of(call), member(call.body, "envelope"));
               if (!grant) return fail(std::move(grant.error()));
               worker.wake();
               return to_answer(std::move(grant), 201);
             });
}

}  // namespace bailey
