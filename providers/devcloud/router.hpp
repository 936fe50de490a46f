#pragma once

#include "orchestrator/base/json.hpp"
#include "orchestrator/net/http_server.hpp"
#include "providers/devcloud/cloud.hpp"
#include "providers/devcloud/faults.hpp"

#include <tl/expected.hpp>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// How a service plugs in:
///
///   void add_compute(Router& router, Cloud& cloud) {
///     router.add_service({.type = "compute", .name = "nova", .prefixes = {"/compute"},
///                         .refuse = refuse});
///     router.add("compute", "GET", "/v2.1/servers/{id}", Access::signed_in(), show_server);
///   }
///
/// A handler sees a request that is authenticated, allowed by its Access and parsed; what depends
/// on the object (does it belong to the caller's project?) is the handler's own business. It runs
/// alone. An answer of 400 and above undoes everything that the handler changed.
namespace bailey::devcloud {

/// Who is calling, as the token says.
struct Identity {
  std::string token_id;  ///< The token's hash: the token itself is kept nowhere.
  std::string user_id;
  std::string user_name;
  std::string user_domain_id;
  std::string project_id;  ///< Empty unless scoped to a project.
  std::string project_domain_id;
  std::string domain_id;  ///< Empty unless scoped to a domain.
  bool system = false;
  std::set<std::string, std::less<>> roles;  ///< Names, with those that they imply.
  std::string application_credential_id;
  bool unrestricted = true;  ///< False for most application credentials.

  [[nodiscard]] bool has(std::string_view role) const { return roles.find(role) != roles.end(); }
  /// As in every service of this release: the role `admin`, whatever the scope.
  [[nodiscard]] bool is_admin() const { return has("admin"); }
  /// May act on what belongs to `project`.
  [[nodiscard]] bool owns(std::string_view project) const {
    return is_admin() || (!project.empty() && project == project_id);
  }
};

/// What a route asks of its caller, before the handler runs.
struct Access {
  bool needs_token = true;
  std::vector<std::string> roles;  ///< Any one of them; empty: none asked for.
  std::string rule;                ///< How the refusal names it: `identity:list_projects`.

  static Access anyone() { return {.needs_token = false, .roles = {}, .rule = {}}; }
  static Access signed_in() { return {}; }
  static Access admin(std::string rule) { return any_of({"admin"}, std::move(rule)); }
  static Access any_of(std::vector<std::string> roles, std::string rule) {
    return {.needs_token = true, .roles = std::move(roles), .rule = std::move(rule)};
  }
};

/// One request, as a handler sees it.
struct Call {
  const ServerRequest& http;
  Cloud& cloud;
  std::string prefix;                                     ///< `/network`, or nothing.
  std::string path;                                       ///< After the prefix.
  std::map<std::string, std::string, std::less<>> parts;  ///< Of the path, decoded.
  Json body;                                              ///< Null when there is none.
  Identity who;

  [[nodiscard]] const std::string& part(std::string_view name) const;
  /// A query parameter, or nothing.
  [[nodiscard]] std::optional<std::string> query(std::string_view name) const {
    return http.parameter(name);
  }
  /// All values of a query parameter that may repeat.
  [[nodiscard]] std::vector<std::string> queries(std::string_view name) const;
  /// The service's own address: `http://127.0.0.1:5000/network`.
  [[nodiscard]] std::string base() const { return cloud.base_url() + prefix; }
};

/// What every service must be able to say, each in its own words.
enum class Refusal : std::uint8_t {
  Unauthenticated,      ///< 401; with a `detail`, Keystone says that as a 404 instead.
  Forbidden,            ///< 403; `detail` is the rule.
  NotJson,              ///< 400
  UnknownPath,          ///< 404
  MethodNotAllowed,     ///< 405; `detail` is the value of Allow.
  TooManyRequests,      ///< 429
  InternalServerError,  ///< 500
  ServiceUnavailable,   ///< 503
};

struct Service {
  std::string type;                   ///< In the catalog: `compute`.
  std::string name;                   ///< `nova`.
  std::vector<std::string> prefixes;  ///< `/compute`; an empty one answers at the root.
  bool answers_head = false;          ///< HEAD is GET without the body, on every route.
  bool ignores_last_slash = false;    ///< `/v3/` is `/v3`.
  bool bodies_are_json = true;        ///< Else they are left to the handlers.
  std::function<ServerResponse(const Call& call, Refusal refusal, const std::string& detail)>
      refuse;
};

using Handler = std::function<ServerResponse(Call& call)>;

/// A value, or the answer that refuses: how checks within a handler say no.
template <class T>
using Checked = tl::expected<T, ServerResponse>;
[[nodiscard]] inline tl::unexpected<ServerResponse> refuse(ServerResponse answer) {
  return tl::unexpected<ServerResponse>(std::move(answer));
}

[[nodiscard]] ServerResponse json_answer(int status, const Json& body);
/// The member that wraps a failure in the answers of Nova and Cinder: `itemNotFound`.
[[nodiscard]] std::string_view fault_name(int status) noexcept;
[[nodiscard]] ServerResponse text_answer(int status, std::string type, std::string body);
[[nodiscard]] ServerResponse empty_answer(int status);
/// The 401 of Keystone and of the middleware in front of most other services.
[[nodiscard]] ServerResponse unauthenticated_answer(const Cloud& cloud);
/// What webob says to a request that finds no route: JSON or HTML, as the client accepts.
[[nodiscard]] ServerResponse no_page_answer(const Call& call);
/// The object without the members that are the cloud's own: those that begin with `_`.
[[nodiscard]] Json without_private(const Json& object);

class Router {
 public:
  /// Who holds this token, or why nobody does (empty when there is nothing to add); Keystone
  /// provides it.
  using Identify = std::function<tl::expected<Identity, std::string>(const Cloud& cloud,
                                                                     std::string_view token)>;

  Router(Cloud& cloud, Faults& faults, Identify identify);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  void add_service(Service service);
  /// `pattern` follows the prefix; `{name}` takes one segment, and
  /// `{name...}` as the last one all that is left. Among patterns that fit, the one
  /// with more literal segments wins.
  void add(std::string_view service_type, std::string method, std::string_view pattern,
           Access access, Handler handler);

  /// Work that time has made due, done before each request in a transaction of its own.
  void before_each(std::function<void(Cloud& cloud)> work) { due_.push_back(std::move(work)); }

  /// Answers one request, faults and latency included. Safe to call from any thread; never throws.
  [[nodiscard]] ServerResponse handle(const ServerRequest& request);

 private:
  struct Route;
  struct Match;

  [[nodiscard]] Match match(const ServerRequest& request) const;
  [[nodiscard]] ServerResponse answer(const ServerRequest& request, const Match& match);
  [[nodiscard]] ServerResponse run(const Route& route, const Service& service, Call& call);

  Cloud& cloud_;
  Faults& faults_;
  Identify identify_;
  std::vector<Service> services_;
  std::vector<Route> routes_;
  std::vector<std::function<void(Cloud& cloud)>> due_;
};

}  // namespace bailey::devcloud
