#pragma once

#include "orchestrator/net/http_server.hpp"
#include "orchestrator/serve/api/router.hpp"
#include "orchestrator/serve/engine/engine.hpp"
#include "orchestrator/serve/engine/worker.hpp"

#include <stop_token>

namespace bailey {

/// The REST API (openapi.yaml describes it) over the engine's use cases. It knows who is calling,
/// reads and writes JSON, and decides nothing. Thread-safe; handle() never throws.
class Api {
 public:
  /// The references outlive it.
  Api(Engine& engine, Worker& worker);

  [[nodiscard]] ServerResponse handle(const ServerRequest& request);
  [[nodiscard]] const Router& router() const noexcept { return router_; }
  /// Long requests end early: the server is going down.
  void stop() { stop_.request_stop(); }

 private:
  ServerResponse answer(const ServerRequest& request, const std::string& id);
  [[nodiscard]] Result<Caller> caller_of(const ServerRequest& request);

  Engine& engine_;
  Router router_;
  std::stop_source stop_;
};

/// The OpenAPI document, as text.
[[nodiscard]] std::string_view openapi_document();

}  // namespace bailey
