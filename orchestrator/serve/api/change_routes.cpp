#include "orchestrator/serve/api/routes.hpp"
#include "orchestrator/serve/engine/decide_change.hpp"
#include "orchestrator/serve/engine/execute_change.hpp"
#include "orchestrator/serve/engine/manage_changes.hpp"
#include "orchestrator/serve/engine/read_journal.hpp"

namespace bailey {

namespace {

ChangeId id_of(const ApiCall& call) {
  return ChangeId(call.path.at("id"));
}

Result<Decision> decision_of(const ApiCall& call) {
  auto word = required(call, "decision");
  if (!word) return fail(std::move(word.error()));
  for (const auto each : kDecisions) {
    if (*word == to_string(each)) return each;
  }
  return fail(ErrorKind::InvalidArgument, "\"decision\" is \"approve\", \"reject\" or \"revoke\"");
}

Json progress_json(const Worker& worker, const ChangeId& id) {
  const auto progress = worker.progress(id);
  return progress ? to_json(*progress) : Json();
}

void add_decision_routes(Router& router, Engine& engine, Worker& worker) {
  router.add("POST", "/v1/changes/{id}/statement",
             [&engine](const ApiCall& call) -> Result<ApiAnswer> {
               auto decision = decision_of(call);
               if (!decision) return fail(std::move(decision.error()));
               return to_answer(
                   prepare_decision(engine, call.request,
                                    {id_of(call), *decision, string_member(call.body, "reason"),
                                     string_member(call.body, "checkpoint")}));
             });
  router.add("POST", "/v1/changes/{id}/decisions",
             [&engine, &worker](const ApiCall& call) -> Result<ApiAnswer> {
               auto approval = submit_decision(engine, call.request, id_of(call),
                                               member(call.body, "envelope"));
               if (!approval) return fail(std::move(approval.error()));
               worker.wake();
               return to_answer(to_json(*approval), 201);
             });
  router.add("GET", "/v1/changes/{id}/approvals", [&engine](const ApiCall& call) {
    auto approvals = export_approvals(engine, call.request, id_of(call));
    if (!approvals) return Result<ApiAnswer>(fail(std::move(approvals.error())));
    return to_answer(Json{{"approvals", *std::move(approvals)}});
  });
}

}  // namespace

void add_change_routes(Router& router, Engine& engine, Worker& worker) {
  router.add("GET", "/v1/changes", [&engine](const ApiCall& call) -> Result<ApiAnswer> {
    auto changes = list_changes(engine, call.request,
                                {call.http.parameter("environment").value_or(""),
                                 call.http.parameter("state").value_or("")});
    if (!changes) return fail(std::move(changes.error()));
    return to_answer(Json{{"changes", *std::move(changes)}});
  });
  router.add("GET", "/v1/changes/{id}", [&engine, &worker](const ApiCall& call) {
    auto change = show_change(engine, call.request, id_of(call));
    if (change) (*change)["progress"] = progress_json(worker, id_of(call));
    return to_answer(std::move(change));
  });
  router.add("GET", "/v1/changes/{id}/plan", [&engine](const ApiCall& call) -> Result<ApiAnswer> {
    auto plan = plan_of_change(engine, call.request, id_of(call));
    if (!plan) return fail(std::move(plan.error()));
    return to_answer(to_json(*plan));
  });
  router.add("POST", "/v1/changes/{id}/execute",
             [&engine, &worker](const ApiCall& call) -> Result<ApiAnswer> {
               auto claim = claim_by_operator(engine, call.request, id_of(call), call.stop);
               if (!claim) return fail(std::move(claim.error()));
               worker.execute(*std::move(claim));
               return to_answer(Json{{"change", id_of(call).str()}}, 202);
             });
  router.add(
      "POST", "/v1/changes/{id}/cancel", [&engine](const ApiCall& call) -> Result<ApiAnswer> {
        auto change = cancel_change(engine, call.request, id_of(call));
        if (!change) return fail(std::move(change.error()));
        return to_answer(Json{{"change", change->id.str()}, {"state", to_string(change->state)}});
      });
  router.add("GET", "/v1/journal", [&engine](const ApiCall& call) {
    JournalFilter filter;
    filter.environment = call.http.parameter("environment").value_or("");
    filter.change = ChangeId(call.http.parameter("change").value_or(""));
    return to_answer(read_journal(engine, call.request, filter));
  });
  router.add("GET", "/v1/receipts/{digest}", [&engine](const ApiCall& call) {
    return to_answer(show_receipt(engine, call.request, call.path.at("digest")));
  });
  add_decision_routes(router, engine, worker);
}

}  // namespace bailey
