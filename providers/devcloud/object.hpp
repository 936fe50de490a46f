#pragma once

#include "orchestrator/base/json.hpp"
#include "providers/devcloud/router.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Swift v1: shared between the object_*.cpp files alone.
///
/// A container is stored under PROJECT/NAME (project_id, name, metadata, modified: ms); an object
/// under PROJECT/CONTAINER/NAME (container: PROJECT/CONTAINER, name, metadata, type, etag, bytes,
/// data: base64, modified: ms). `metadata` holds headers by their lower-case names.
namespace bailey::devcloud::object {

inline constexpr std::string_view kAccount = "object.account";
inline constexpr std::string_view kContainer = "object.container";
inline constexpr std::string_view kObject = "object.object";

/// Adds a route for those who may: an operator of the account that the path names.
void add_route(Router& router, const std::string& method, const std::string& path, Handler handler);

/// The page with which Swift says no, or nothing more than the status.
[[nodiscard]] ServerResponse page(int status);
[[nodiscard]] ServerResponse text_page(int status, const std::string& text);

[[nodiscard]] std::int64_t now_ms(const Cloud& cloud);
[[nodiscard]] std::string id_of(const Call& call);  ///< Of the container that the path names.

/// Adds `X-KIND-Meta-*` of the request to `metadata`; an empty value or an `X-Remove-` takes away.
/// Headers of `others` are taken as well.
void take_metadata(const Call& call, const std::string& kind,
                   const std::vector<std::string>& others, Json& metadata);
void add_metadata(ServerResponse& response, const Json& metadata);
/// X-Timestamp and, where there is one, Last-Modified.
void add_times(ServerResponse& response, std::int64_t modified);

/// One row of a listing, by the name that orders it.
struct Row {
  std::string name;
  Json shown;
};
/// A page of `rows` as the query asks: format, prefix, delimiter, marker, end_marker, limit.
[[nodiscard]] ServerResponse listing(const Call& call, std::vector<Row> rows);

void add_containers(Router& router);
void add_objects(Router& router);

}  // namespace bailey::devcloud::object
