#pragma once

#include "orchestrator/base/json.hpp"
#include "providers/devcloud/router.hpp"
#include "providers/devcloud/schema.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Nova 2.1. What the composition needs stands first; the rest is shared between the compute_*.cpp
/// files alone.
namespace bailey::devcloud {

/// Brings servers to where they would be by now: built, failed, or gone with their ports.
void settle_servers(Cloud& cloud);

namespace compute {

inline constexpr std::string_view kFlavor = "compute.flavor";
inline constexpr std::string_view kServer = "compute.server";
inline constexpr std::string_view kKeypair = "compute.keypair";  ///< Id: user/name.
inline constexpr std::string_view kQuota = "compute.quota";      ///< Id: the project.
inline constexpr std::string_view kServerGroup = "compute.server-group";

inline constexpr int kLatest = 93;

/// A call and the microversion (2.N) in which it wants to be answered.
struct Request {
  Call& call;
  int version = 1;

  [[nodiscard]] Cloud& cloud() const { return call.cloud; }
  [[nodiscard]] const Identity& who() const { return call.who; }
  [[nodiscard]] const std::string& part(std::string_view name) const { return call.part(name); }
  /// The body with its order; null when there is none.
  [[nodiscard]] OrderedJson ordered() const { return parse_ordered(call.http.body); }
  [[nodiscard]] std::string url(const std::string& path) const {
    return call.base() + "/v2.1" + path;
  }
};
using ComputeHandler = std::function<ServerResponse(Request& request)>;

/// A route: `path` after /v2.1, asked for with at least `since`. The handler sees a good version,
/// and the answer gets the version's headers.
struct RouteOptions {
  int since = 1;
  std::string admin_rule;  ///< Not empty: for administrators, else refused by this rule.
};
void add_route(Router& router, const std::string& method, const std::string& path,
               RouteOptions options, ComputeHandler handler);

/// `{"itemNotFound": {"code": 404, "message": ...}}` and its like.
[[nodiscard]] ServerResponse fault_answer(int status, const std::string& message);
[[nodiscard]] ServerResponse forbidden_by(std::string_view rule);
[[nodiscard]] ServerResponse answer(int status, const Json& body);
/// Without a body, but with the content type that Nova sends all the same.
[[nodiscard]] ServerResponse empty(int status);

/// The body, if it is JSON that fits; else the 400.
[[nodiscard]] Checked<OrderedJson> read_body(const Request& request, const OrderedJson& schema);

/// Which query parameters a list knows; others are refused, in the words of `unknown`.
struct QueryRules {
  std::vector<std::string> known;
  bool by_regex = false;  ///< The list of servers words its refusal differently.
};
struct Page {
  std::size_t limit = 1000;
  std::string marker;
};
[[nodiscard]] Checked<Page> read_query(const Request& request, const QueryRules& rules);

/// One page of `rows`, whose `id_field` is what a marker names, with the link to the next.
[[nodiscard]] Checked<Json> paged(const Request& request, const std::string& collection,
                                  const std::vector<Json>& rows, const Page& page,
                                  std::string_view id_field = "id");
[[nodiscard]] Json links_of(const Request& request, const std::string& collection,
                            const std::string& id);

/// True for what Python's `strutils.bool_from_string` takes for true.
[[nodiscard]] bool truthy(std::string_view text);

[[nodiscard]] std::int64_t now_ms(const Cloud& cloud);
[[nodiscard]] std::string time_of_ms(std::int64_t ms);       ///< `..:59Z`
[[nodiscard]] std::string long_time_of_ms(std::int64_t ms);  ///< `..:59.000000`

/// Limits of a project by name (`instances`, `cores`, `ram`, `key_pairs`...).
[[nodiscard]] std::map<std::string, std::int64_t> quota_of(const Cloud& cloud,
                                                           const std::string& project);
struct Usage {
  std::int64_t instances = 0;
  std::int64_t cores = 0;
  std::int64_t ram = 0;
};
[[nodiscard]] Usage usage_of(const Cloud& cloud, const std::string& project);

/// The server that the path names, if the caller may see it; else the 404.
[[nodiscard]] Checked<const Json*> server_of(const Request& request);
/// As a GET shows it.
[[nodiscard]] Json shown_server(const Request& request, const Json& server);
/// Adds to the server's history; the caller stores the server.
void record_event(const Request& request, Json& server, const std::string& action);
/// `updated` becomes now, and the server is stored.
void touch_server(Cloud& cloud, Json server);
/// Free of its ports, and gone.
void erase_server(Cloud& cloud, const Json& server);

[[nodiscard]] Json shown_flavor(const Request& request, const Json& flavor);

void add_flavors(Router& router, Cloud& cloud);
void add_keypairs(Router& router);
void add_servers(Router& router);
void add_server_lists(Router& router);
void add_server_parts(Router& router);
void add_server_network(Router& router);
void add_server_volumes(Router& router);
void add_server_groups(Router& router);
void add_actions(Router& router);
void add_quotas(Router& router);
void add_inventory(Router& router);

}  // namespace compute
}  // namespace bailey::devcloud
