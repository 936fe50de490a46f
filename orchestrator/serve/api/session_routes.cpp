#include "orchestrator/serve/api/api.hpp"
#include "orchestrator/serve/api/routes.hpp"
#include "orchestrator/serve/engine/log_in.hpp"
#include "orchestrator/serve/engine/log_in_by_id_token.hpp"

#include <memory>

namespace bailey {

namespace {

constexpr std::int64_t kMostSeconds = 365LL * 24 * 3600;

Result<ApiAnswer> token_answer(Result<IssuedToken> issued) {
  if (!issued) return fail(std::move(issued.error()));
  Json body = to_json(issued->info);
  body["token"] = issued->token.reveal();
  return to_answer(std::move(body), 201);
}

void add_token_routes(Router& router, Engine& engine) {
  router.add("POST", "/v1/tokens", [&engine](const ApiCall& call) -> Result<ApiAnswer> {
    auto subject = required(call, "subject");
    if (!subject) return fail(std::move(subject.error()));
    const auto& ttl = member(call.body, "ttl_seconds");
    if (!ttl.is_number_integer() || ttl < 1 || ttl > kMostSeconds) {
      return fail(ErrorKind::InvalidArgument, "\"ttl_seconds\" is a whole number of seconds");
    }
    return token_answer(create_token(engine, call.request, *subject,
                                     std::chrono::seconds(ttl.get<std::int64_t>())));
  });
  router.add("GET", "/v1/tokens", [&engine](const ApiCall& call) -> Result<ApiAnswer> {
    auto tokens = list_all_tokens(engine, call.request);
    if (!tokens) return fail(std::move(tokens.error()));
    Json list = Json::array();
    for (const auto& token : *tokens) list.push_back(to_json(token));
    return to_answer(Json{{"tokens", std::move(list)}});
  });
  router.add("DELETE", "/v1/tokens/{id}", [&engine](const ApiCall& call) {
    return to_answer(remove_token(engine, call.request, call.path.at("id")));
  });
}

}  // namespace

void add_session_routes(Router& router, Engine& engine) {
  router.add("GET", "/healthz", Door::Open, [](const ApiCall&) {
    return to_answer(Json{{"status", "ok"}});
  });
  router.add("GET", "/openapi.yaml", Door::Open, [](const ApiCall&) -> Result<ApiAnswer> {
    return ApiAnswer{200, std::string(openapi_document()), "application/yaml"};
  });
  router.add("POST", "/v1/login/challenge", Door::Open,
             [&engine](const ApiCall& call) -> Result<ApiAnswer> {
               auto subject = required(call, "subject");
               if (!subject) return fail(std::move(subject.error()));
               auto challenge = login_challenge(engine, call.request, *subject);
               if (!challenge) return fail(std::move(challenge.error()));
               return to_answer(Json{{"challenge", *challenge}, {"namespace", kLoginNamespace}});
             });
  router.add("POST", "/v1/login", Door::Open, [&engine](const ApiCall& call) -> Result<ApiAnswer> {
    auto challenge = required(call, "challenge");
    if (!challenge) return fail(std::move(challenge.error()));
    auto signature = required(call, "signature");
    if (!signature) return fail(std::move(signature.error()));
    return token_answer(log_in(engine, call.request, *challenge, *signature));
  });
  const auto issuers = std::make_shared<Issuers>(engine.http(), engine.clock());
  router.add(
      "POST", "/v1/login/id-token", Door::Open,
      [&engine, issuers](const ApiCall& call) -> Result<ApiAnswer> {
        auto token = required(call, "id_token");
        if (!token) return fail(std::move(token.error()));
        return token_answer(log_in_by_id_token(engine, *issuers, call.request, *token, call.stop));
      });
  router.add("GET", "/v1/whoami",
             [&engine](const ApiCall& call) { return to_answer(who_am_i(engine, call.request)); });
  add_token_routes(router, engine);
}

}  // namespace bailey
