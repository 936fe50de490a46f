#pragma once

#include "orchestrator/base/json.hpp"
#include "providers/devcloud/router.hpp"
#include "providers/devcloud/schema.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// Cinder v3. What Nova and the composition need stands first; the rest is shared between the
/// volume_*.cpp files alone.
///
/// A volume is stored as: id, project_id, user_id, name, description, size (GiB), status, type_id,
/// metadata, bootable, created_at, updated_at, attachments (server_id, attachment_id, device,
/// attached_at, _tag, _delete), due (ms: when what is under way will be done), new_size (while
/// extending).
namespace bailey::devcloud::volume {

inline constexpr std::string_view kVolume = "volume.volume";
inline constexpr std::string_view kType = "volume.type";
inline constexpr std::string_view kQuota = "volume.quota";  ///< Id: the project.

/// Brings volumes to where they would be by now.
void settle_volumes(Cloud& cloud);
/// Makes an available volume a server's; it is `attaching` until that is done. `attachment` has its
/// server_id and device, and Nova's own `_tag` and `_delete` (with the server, the volume goes).
void begin_attaching(Cloud& cloud, const std::string& volume, Json attachment);
/// Frees an attached volume; it is `detaching` until that is done.
void begin_detaching(Cloud& cloud, const std::string& volume);
/// Frees all that a server holds, at once.
void detach_all(Cloud& cloud, std::string_view server);
/// Volumes of a server, oldest first.
[[nodiscard]] std::vector<const Json*> volumes_of(const Cloud& cloud, std::string_view server);

inline constexpr int kLatest = 70;

/// A call and the microversion (3.N) in which it wants to be answered.
struct Request {
  Call& call;
  int version = 0;

  [[nodiscard]] Cloud& cloud() const { return call.cloud; }
  [[nodiscard]] const Identity& who() const { return call.who; }
  [[nodiscard]] const std::string& part(std::string_view name) const { return call.part(name); }
};
using VolumeHandler = std::function<ServerResponse(Request& request)>;

/// A route after `/v3/PROJECT`, or after `/v3` alone. With a rule it is for administrators, and the
/// refusal names the rule.
void add_route(Router& router, const std::string& method, const std::string& path,
               const std::string& admin_rule, VolumeHandler handler);

[[nodiscard]] ServerResponse fault_answer(int status, const std::string& message);
[[nodiscard]] ServerResponse forbidden_by(std::string_view rule);
[[nodiscard]] ServerResponse malformed();
[[nodiscard]] ServerResponse invalid_volume(const std::string& reason);
[[nodiscard]] ServerResponse not_found(std::string_view id);
/// 413 with its headers, as Cinder refuses what is over a quota.
[[nodiscard]] ServerResponse over_limit(const std::string& message);
/// Without a body, but of Cinder's content type for nothing.
[[nodiscard]] ServerResponse empty(int status);

/// The body, if it is JSON that fits; else the 400.
[[nodiscard]] Checked<OrderedJson> read_body(const Request& request, const OrderedJson& schema);

/// `2026-11-24T04:32:59.000000`
[[nodiscard]] std::string now_text(const Cloud& cloud);
[[nodiscard]] std::int64_t now_ms(const Cloud& cloud);
/// Stores a volume that changed, with its time.
const Json& touch_volume(Cloud& cloud, Json volume);

/// The volume that the path names, if the caller may see it; else the 404.
[[nodiscard]] Checked<const Json*> volume_of(const Request& request);
enum class Detail : std::uint8_t { Brief, Full };
[[nodiscard]] Json shown_volume(const Request& request, const Json& volume, Detail detail);

/// The type by id or name, or null.
[[nodiscard]] const Json* find_type(const Cloud& cloud, std::string_view id_or_name);
[[nodiscard]] const Json& default_type(const Cloud& cloud);

/// Refuses `volumes` more volumes and `gigabytes` more GiB of a type, when they are too many.
[[nodiscard]] Checked<void> check_quota(const Request& request, const Json& type, int volumes,
                                        std::int64_t gigabytes);
/// Refuses a volume larger than any of the project may be.
[[nodiscard]] Checked<void> check_size(const Request& request, std::int64_t size);

void add_volumes(Router& router);
void add_volume_lists(Router& router);
void add_volume_metadata(Router& router);
void add_volume_actions(Router& router);
void add_types(Router& router, Cloud& cloud);
void add_quotas(Router& router);

}  // namespace bailey::devcloud::volume
