#pragma once

#include "orchestrator/base/json.hpp"
#include "providers/devcloud/router.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Designate v2: shared between the dns_*.cpp files alone.
namespace bailey::devcloud::dns {

/// `_due` (ms) is when what is under way (`action`) will be done.
inline constexpr std::string_view kZone = "dns.zone";
inline constexpr std::string_view kRecordset = "dns.recordset";
inline constexpr std::string_view kQuota = "dns.quota";  ///< Id: the project.

/// `{"code": 404, "type": "zone_not_found", "message": ..., "request_id": ...}`
[[nodiscard]] ServerResponse error_answer(const Call& call, int status, std::string_view type,
                                          const std::string& message);
/// 400: the first thing that is wrong with a body.
[[nodiscard]] ServerResponse invalid(const Call& call, const std::string& path,
                                     const std::string& message);

/// The zone that the path names, if the caller may see it; else the refusal.
[[nodiscard]] Checked<const Json*> zone_of(const Call& call);
/// `example.org.`: labels of letters, digits, `-`, `_` and `*`, with a dot after each.
[[nodiscard]] bool is_domain_name(std::string_view text);

/// Times, version and what is under way of a new or changed object.
void begin(const Call& call, Json& object, const std::string& action);

/// A page of `objects` by `sort_key`, `limit` and `marker`, filtered by `filters`.
[[nodiscard]] ServerResponse list(const Call& call, const std::string& collection,
                                  std::vector<const Json*> objects,
                                  const std::vector<std::string>& filters);
[[nodiscard]] Json shown(const Call& call, const Json& object);

/// The limit of a project by Designate's name of it.
[[nodiscard]] std::int64_t limit_of(const Cloud& cloud, const std::string& project,
                                    const std::string& name);

void add_zones(Router& router);
void add_recordsets(Router& router);
/// SOA and NS of a new zone.
void make_first_recordsets(const Call& call, const Json& zone);

}  // namespace bailey::devcloud::dns
