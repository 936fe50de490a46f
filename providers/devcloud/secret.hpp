#pragma once

#include "orchestrator/base/json.hpp"
#include "providers/devcloud/router.hpp"
#include "providers/devcloud/schema.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Barbican v1: what the secret_*.cpp files share.
///
/// A secret is stored as: id, project_id, creator_id, name, secret_type, algorithm, bit_length,
/// mode, expiration, created, updated, content_type, payload (sealed, base64; null without one),
/// metadata, acl (null until it is set).
namespace bailey::devcloud::secret {

inline constexpr std::string_view kSecret = "secret.secret";

[[nodiscard]] ServerResponse error_answer(int status, const std::string& description);
/// 403: `what` is not allowed.
[[nodiscard]] ServerResponse not_allowed(const std::string& what);
/// 400: the object breaks the rules of `schema`.
[[nodiscard]] ServerResponse invalid(std::string_view schema, const std::string& reason,
                                     const std::string& property);
/// The first broken rule as that 400.
[[nodiscard]] std::optional<ServerResponse> check_against(std::string_view name,
                                                          const OrderedJson& schema,
                                                          const OrderedJson& body);
/// With the headers that every answer of Barbican has.
[[nodiscard]] ServerResponse with_version(ServerResponse response);
void add_route(Router& router, const std::string& method, const std::string& path, Handler handler);

/// Powers over one secret. Administrators of other projects have none.
enum class Power : std::uint8_t { Read, Decrypt, Change, ReadAcl, ChangeAcl };
/// The secret of the path, or 404, or 403 in terms of `what`.
[[nodiscard]] Checked<const Json*> allowed_secret(const Call& call, Power power,
                                                  const std::string& what);
/// `created` and `updated`: `2026-11-24T03:37:03`.
[[nodiscard]] std::string now(const Call& call);
void touch_secret(const Call& call, Json secret);
[[nodiscard]] std::string ref_of(const Call& call, const Json& secret);
[[nodiscard]] Json shown_secret(const Call& call, const Json& secret);
[[nodiscard]] bool is_expired(const Call& call, const Json& secret);

void add_storing(Router& router);
void add_reading(Router& router);
void add_lists(Router& router);
void add_metadata(Router& router);
void add_acls(Router& router);

}  // namespace bailey::devcloud::secret
