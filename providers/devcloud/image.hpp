#pragma once

#include "orchestrator/base/json.hpp"
#include "providers/devcloud/router.hpp"
#include "providers/devcloud/schema.hpp"

#include <string>
#include <string_view>

/// Glance v2: what the image_*.cpp files share.
///
/// An image is stored as it is shown, but for its own properties, which stand under `_properties`.
namespace bailey::devcloud::image {

inline constexpr std::string_view kImage = "image.image";
inline constexpr std::string_view kMember = "image.member";    ///< Id: image/project.
inline constexpr std::string_view kData = "image.data";        ///< Bytes of small images.
inline constexpr std::string_view kDeleted = "image.deleted";  ///< Ids never come back.

/// In JSON, or in HTML for clients that did not ask for JSON. `detail` stands after the message.
[[nodiscard]] ServerResponse error_answer(const Call& call, int status, const std::string& message,
                                          const std::string& detail = "");
[[nodiscard]] ServerResponse not_found(const Call& call, const std::string& id);
/// 415
[[nodiscard]] ServerResponse unsupported_type(const Call& call);
/// 204, with the content type that Glance gives it.
[[nodiscard]] ServerResponse done();

/// The image that the path names, if the caller may see it; else the 404.
[[nodiscard]] Checked<const Json*> visible_image(const Call& call);
/// The same, if the caller may change it; else 404 or 403.
[[nodiscard]] Checked<const Json*> own_image(const Call& call);
[[nodiscard]] bool may_see(const Call& call, const Json& image);
[[nodiscard]] Json shown_image(const Json& image);
[[nodiscard]] std::string now(const Call& call);
void touch_image(const Call& call, Json image);

[[nodiscard]] bool is_base_attribute(std::string_view name);
[[nodiscard]] bool is_read_only(std::string_view name);
/// The 400 when one attribute is not as the schema has it, or the 403 when the caller may not set
/// it so.
[[nodiscard]] Checked<bool> check_attribute(const Call& call, const std::string& name,
                                            const OrderedJson& value);

void add_images(Router& router);
void add_image_lists(Router& router);
void add_image_changes(Router& router);
void add_image_data(Router& router);
void add_image_members(Router& router);

/// Keeps what arrived: size, digests, and the bytes if they are few.
void store_data(Cloud& cloud, Json& image, const std::string& bytes);

}  // namespace bailey::devcloud::image
