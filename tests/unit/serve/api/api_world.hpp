#pragma once

#include "orchestrator/serve/api/api.hpp"
#include "tests/support/engine_world.hpp"

#include <thread>

namespace bailey::test {

/// The API over a world, without a socket, with its worker at work.
class ApiWorld {
 public:
  ApiWorld() : worker(std::make_unique<Worker>(world.engine())), api(world.engine(), *worker) {}

  [[nodiscard]] std::string token(const std::string& who) {
    auto issued = in_transaction(*world.store, Access::Write, [&](Transaction& transaction) {
      return issue_token(transaction, *parse_subject(who), "test", std::chrono::hours(48),
                         world.clock.wall_now(), world.random);
    });
    EXPECT_TRUE(issued);
    return std::string(issued->token.reveal());
  }
  [[nodiscard]] ServerResponse send(ServerRequest request, const std::string& secret) {
    request.target = request.path;
    if (!secret.empty()) request.headers.emplace_back("authorization", "Bearer " + secret);
    return api.handle(request);
  }
  [[nodiscard]] ServerResponse call(const std::string& who, const std::string& method,
                                    const std::string& path, const Json& body = {},
                                    std::vector<std::pair<std::string, std::string>> query = {}) {
    ServerRequest request;
    request.method = method;
    request.path = path;
    request.query = std::move(query);
    if (!body.is_null()) {
      request.headers.emplace_back("content-type", "application/json");
      request.body = body.dump();
    }
    return send(std::move(request), who.empty() ? std::string() : token(who));
  }
  /// Waits until a change is where it stays; real time, since real threads move it.
  void await(const ChangeId& id, ChangeState state) {
    for (int i = 0; i < 4000 && world.load(id).state != state; ++i) {
      worker->wake();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ASSERT_EQ(world.load(id).state, state);
  }
  [[nodiscard]] Json sources() const { return {{"sources", to_json(world.sources())}}; }

  EngineWorld world;
  std::unique_ptr<Worker> worker;
  Api api;
};

[[nodiscard]] inline std::string header(const ServerResponse& response, const std::string& name) {
  for (const auto& [each, value] : response.headers) {
    if (each == name) return value;
  }
  return {};
}

[[nodiscard]] inline Json body_of(const ServerResponse& response) {
  auto body = parse_json(response.body);
  EXPECT_TRUE(body) << response.body;
  return body ? *body : Json();
}

}  // namespace bailey::test
