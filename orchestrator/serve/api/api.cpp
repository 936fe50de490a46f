#include "orchestrator/serve/api/api.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/serve/api/problem.hpp"
#include "orchestrator/serve/api/routes.hpp"
#include "orchestrator/serve/engine/hold_grant.hpp"
#include "orchestrator/serve/identity/token_registry.hpp"

#include <fmt/format.h>

#include <exception>

namespace bailey {

namespace {

constexpr std::string_view kBearer = "Bearer ";

Result<Json> body_of(const ServerRequest& request) {
  if (request.body.empty()) return Json::object();
  const auto header = request.header("content-type").value_or("");
  if (trim(std::string_view(header).substr(0, header.find(';'))) != "application/json") {
    return fail(ErrorKind::InvalidArgument, "a request body is application/json");
  }
  auto body = parse_json(request.body);
  if (!body) return fail(ErrorKind::InvalidArgument, "the request body: " + body.error().message());
  if (!body->is_object()) {
    return fail(ErrorKind::InvalidArgument, "the request body is not a JSON object");
  }
  return body;
}

ServerResponse no_route(const RouteMatch& match, const ServerRequest& request) {
  if (match.allowed.empty()) {
    return problem(Error(ErrorKind::NotFound, "there is nothing at " + request.path));
  }
  auto response =
      problem(Error(ErrorKind::InvalidArgument,
                    fmt::format("{} does not take the method {}", request.path, request.method)));
  response.status = 405;
  response.headers.emplace_back("Allow", join(match.allowed, ", "));
  return response;
}

}  // namespace

Api::Api(Engine& engine, Worker& worker) : engine_(engine) {
  add_session_routes(router_, engine);
  add_bundle_routes(router_, engine, worker);
  add_change_routes(router_, engine, worker);
  add_environment_routes(router_, engine, worker);
  add_grant_routes(router_, engine, worker);
  add_audit_routes(router_, engine);
}

Result<Caller> Api::caller_of(const ServerRequest& request) {
  const auto header = request.header("authorization").value_or("");
  if (header.empty()) {
    return fail(Error(ErrorKind::Unauthenticated, "the request carries no API token")
                    .with_hint("Log in, or point BAILEY_TOKEN_FILE at a token:\n    bailey login"));
  }
  if (header.substr(0, kBearer.size()) != kBearer) {
    return fail(ErrorKind::Unauthenticated, "the Authorization header is not a bearer token");
  }
  auto caller = in_transaction(engine_.store(), Access::Read, [&](Transaction& transaction) {
    return authenticate(transaction, header.substr(kBearer.size()), engine_.clock().wall_now());
  });
  if (!caller) return caller;
  return with_grants(engine_, *std::move(caller));
}

ServerResponse Api::answer(const ServerRequest& request, const std::string& id) {
  const auto match = router_.match(request.method, request.path);
  if (match.route == nullptr) return no_route(match, request);
  Request who{{}, id};
  if (match.route->door == Door::KnownCaller) {
    auto caller = caller_of(request);
    if (!caller) {
      const auto target = request.method + " " + match.route->pattern;
      return problem(
          logged(engine_, entry_for(engine_, who, "http.refuse", target), caller.error()));
    }
    who.caller = *std::move(caller);
  }
  auto body = body_of(request);
  if (!body) return problem(body.error());
  auto answered = match.route->handler({request, who, match.path, *body, stop_.get_token()});
  if (!answered) return problem(answered.error());
  ServerResponse response;
  response.status = answered->status;
  if (answered->status != 204) response.headers = {{"Content-Type", answered->content_type}};
  response.body = std::move(answered->body);
  return response;
}

ServerResponse Api::handle(const ServerRequest& request) {
  const auto id = new_id(engine_.random(), "req");
  ServerResponse response;
  try {
    response = answer(request, id);
  } catch (const std::exception&) {
    // What a library throws in spite of all is a bug of ours, and says nothing to strangers.
    response = problem(Error(ErrorKind::Internal, "something went wrong here; this is a bug"));
  }
  response.headers.emplace_back("X-Request-Id", id);
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  return response;
}

}  // namespace bailey
