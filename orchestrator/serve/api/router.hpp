#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/net/http_server.hpp"
#include "orchestrator/serve/identity/caller.hpp"

#include <nlohmann/json_fwd.hpp>

#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

/// Who may call a route at all; what they may do there is judged by the engine.
enum class Door : std::uint8_t {
  Open,        ///< Anybody: health, logging in.
  KnownCaller  ///< A valid API token.
};

/// A request that found its route.
struct ApiCall {
  const ServerRequest& http;
  Request request;
  std::map<std::string, std::string> path;  ///< Decoded values of `{name}` in the pattern.
  const nlohmann::json& body;               ///< An object; empty when the request had none.
  std::stop_token stop;
};

struct ApiAnswer {
  int status = 200;
  std::string body;  ///< JSON unless `content_type` says otherwise.
  std::string content_type = "application/json";
};

using ApiHandler = std::function<Result<ApiAnswer>(const ApiCall&)>;

struct Route {
  std::string method;
  std::string pattern;  ///< `/v1/changes/{id}`.
  Door door = Door::KnownCaller;
  ApiHandler handler;
};

struct RouteMatch {
  const Route* route = nullptr;
  std::map<std::string, std::string> path;
  /// Methods of the routes with this path, when the method is what did not fit.
  std::vector<std::string> allowed;
};

/// The table of routes.
class Router {
 public:
  void add(std::string method, std::string pattern, Door door, ApiHandler handler);
  void add(std::string method, std::string pattern, ApiHandler handler);
  /// `path` is not decoded yet.
  [[nodiscard]] RouteMatch match(std::string_view method, std::string_view path) const;
  [[nodiscard]] const std::vector<Route>& routes() const noexcept { return routes_; }

 private:
  std::vector<Route> routes_;
};

}  // namespace bailey
