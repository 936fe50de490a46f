#include "orchestrator/serve/api/routes.hpp"
#include "orchestrator/serve/engine/bundle_record.hpp"
#include "orchestrator/serve/engine/plan_environment.hpp"
#include "orchestrator/serve/engine/request_change.hpp"
#include "orchestrator/serve/engine/roll_back.hpp"
#include "orchestrator/serve/engine/submit_artifact.hpp"

namespace bailey {

namespace {

BundleOrigin origin_of(const ApiCall& call) {
  return {strings_member(call.body, "authors"), string_member(call.body, "commit")};
}

// A proposal that has findings is an answer like any other: the status says that nothing was done.
Result<ApiAnswer> findings_answer(Result<Json> value) {
  const bool ok = value && member(*value, "ok") == true;
  return to_answer(std::move(value), ok ? 200 : 422);
}

Result<ApiAnswer> change_answer(Result<std::optional<Change>> change, Worker& worker) {
  if (!change) return fail(std::move(change.error()));
  worker.wake();
  return to_answer(Json{{"change", *change ? Json((*change)->id.str()) : Json()},
                        {"unchanged", !change->has_value()}},
                   *change ? 201 : 200);
}

void add_artifact_routes(Router& router, Engine& engine) {
  router.add("POST", "/v1/artifacts", [&engine](const ApiCall& call) -> Result<ApiAnswer> {
    ArtifactSubmission submission;
    for (auto [name, field] :
         {std::pair{"project", &submission.project}, std::pair{"name", &submission.name},
          std::pair{"reference", &submission.reference}}) {
      auto value = required(call, name);
      if (!value) return fail(std::move(value.error()));
      *field = *std::move(value);
    }
    for (const auto& envelope : member(call.body, "evidence")) {
      submission.evidence.push_back(envelope);
    }
    return to_answer(submit_artifact(engine, call.request, submission, call.stop), 201);
  });
  router.add("GET", "/v1/artifacts/{digest}", [&engine](const ApiCall& call) {
    return to_answer(show_artifact(engine, call.request, call.path.at("digest")));
  });
  router.add(
      "GET", "/v1/projects/{project}/artifacts/{name}/released", [&engine](const ApiCall& call) {
        return to_answer(
            released_artifact(engine, call.request, call.path.at("project"), call.path.at("name")));
      });
}

}  // namespace

void add_bundle_routes(Router& router, Engine& engine, Worker& worker) {
  router.add("POST", "/v1/bundle/init", [&engine](const ApiCall& call) -> Result<ApiAnswer> {
    auto sources = bundle_sources_from_json(member(call.body, "sources"));
    if (!sources) return fail(std::move(sources.error()));
    return findings_answer(accept_first_bundle(engine, call.request, *sources, origin_of(call)));
  });
  router.add("GET", "/v1/bundle",
             [&engine](const ApiCall&) { return to_answer(accepted_bundle(engine)); });
  router.add("POST", "/v1/plans", [&engine](const ApiCall& call) -> Result<ApiAnswer> {
    auto sources = bundle_sources_from_json(member(call.body, "sources"));
    if (!sources) return fail(std::move(sources.error()));
    const PlanScope scope{string_member(call.body, "environment"),
                          strings_member(call.body, "targets")};
    return findings_answer(plan_sources(engine, call.request, *sources, scope, call.stop));
  });
  router.add("POST", "/v1/apply", [&engine, &worker](const ApiCall& call) -> Result<ApiAnswer> {
    auto sources = bundle_sources_from_json(member(call.body, "sources"));
    if (!sources) return fail(std::move(sources.error()));
    auto applied =
        findings_answer(apply_bundle(engine, call.request,
                                     {*sources, string_member(call.body, "environment"),
                                      origin_of(call), strings_member(call.body, "targets")},
                                     call.stop));
    worker.wake();
    return applied;
  });
  router.add("POST", "/v1/promotions",
             [&engine, &worker](const ApiCall& call) -> Result<ApiAnswer> {
               auto project = required(call, "project");
               if (!project) return fail(std::move(project.error()));
               auto to = required(call, "to");
               if (!to) return fail(std::move(to.error()));
               auto artifacts = required_texts(call, "artifacts");
               if (!artifacts) return fail(std::move(artifacts.error()));
               return change_answer(
                   request_promotion(engine, call.request,
                                     {*std::move(project), *std::move(artifacts), *std::move(to)},
                                     call.stop),
                   worker);
             });
  router.add("POST", "/v1/environments/{name}/destroy", [&engine, &worker](const ApiCall& call) {
    return change_answer(request_destroy(engine, call.request, call.path.at("name"), call.stop),
                         worker);
  });
  router.add("POST", "/v1/environments/{name}/rollback",
             [&engine, &worker](const ApiCall& call) -> Result<ApiAnswer> {
               auto receipt = required(call, "receipt");
               if (!receipt) return fail(std::move(receipt.error()));
               return change_answer(request_rollback(engine, call.request, call.path.at("name"),
                                                     *receipt, call.stop),
                                    worker);
             });
  add_artifact_routes(router, engine);
}

}  // namespace bailey
