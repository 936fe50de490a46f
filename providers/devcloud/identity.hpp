#pragma once

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/secret.hpp"
#include "providers/devcloud/router.hpp"

#include <tl/expected.hpp>

#include <string>
#include <string_view>
#include <vector>

/// Keystone v3. What the other services and the composition need stands first; the rest is shared
/// between the identity_*.cpp files alone.
namespace bailey::devcloud {

/// Who holds the token; else why not, in words only where Keystone has some.
[[nodiscard]] tl::expected<Identity, std::string> identify(const Cloud& cloud,
                                                           std::string_view token);
/// Makes `password` the administrator's, and signs every other session of theirs out.
void set_admin_password(Cloud& cloud, const Secret& password);
[[nodiscard]] bool is_admin_password(const Cloud& cloud, const Secret& password);

namespace identity {

inline constexpr std::string_view kDomain = "identity.domain";
inline constexpr std::string_view kProject = "identity.project";
inline constexpr std::string_view kUser = "identity.user";
inline constexpr std::string_view kGroup = "identity.group";
inline constexpr std::string_view kMembership = "identity.membership";  ///< group_id, user_id
inline constexpr std::string_view kRole = "identity.role";
inline constexpr std::string_view kImplication = "identity.implication";  ///< prior_id, implied_id
inline constexpr std::string_view kGrant = "identity.grant";
inline constexpr std::string_view kToken = "identity.token";
inline constexpr std::string_view kApplicationCredential = "identity.application-credential";
inline constexpr std::string_view kService = "identity.service";
inline constexpr std::string_view kEndpoint = "identity.endpoint";
inline constexpr std::string_view kRegion = "identity.region";

/// Where a role holds: `type` is `project`, `domain`, `system` or nothing (unscoped).
struct Scope {
  std::string type;
  std::string id;
};

[[nodiscard]] ServerResponse error_answer(int status, const std::string& message);
/// 404, in the words of every "not there": `what` is `project`, `user`...
[[nodiscard]] ServerResponse not_found(std::string_view what, std::string_view id);
[[nodiscard]] ServerResponse forbidden(std::string_view rule);
[[nodiscard]] ServerResponse bad_request(const std::string& message);
/// 400, as the rules for malformed bodies word it.
[[nodiscard]] ServerResponse malformed(const std::string& message);
[[nodiscard]] ServerResponse duplicate(std::string_view what, const std::string& detail);

/// The object, or the 404.
[[nodiscard]] Checked<const Json*> existing(const Cloud& cloud, std::string_view kind,
                                            std::string_view what, std::string_view id);

/// The object within the body's wrapper, with `name`, `enabled`, `description` and `tags` checked
/// where they are given; a new object must have a name.
enum class Purpose : std::uint8_t { Create, Update };
[[nodiscard]] Checked<Json> read_resource(const Call& call, std::string_view wrapper,
                                          Purpose purpose, std::size_t longest_name);
[[nodiscard]] Checked<Json> read_tags(const Json& tags);

/// As shown: without private members, with its link.
[[nodiscard]] Json shown(const Call& call, const Json& object, std::string_view collection);
[[nodiscard]] ServerResponse show(const Call& call, int status, std::string_view wrapper,
                                  const Json& object, std::string_view collection);
/// A list with its links: those of `objects` (in their shown form) that the query's `filters` let
/// through, by id.
[[nodiscard]] ServerResponse list(const Call& call, std::string_view collection,
                                  std::vector<Json> objects,
                                  const std::vector<std::string>& filters);

/// Role objects of a user in a scope: by grants to them and to their groups, then those implied.
[[nodiscard]] std::vector<const Json*> roles_of(const Cloud& cloud, std::string_view user,
                                                const Scope& scope);
/// The role and, after it, all that it implies.
[[nodiscard]] std::vector<const Json*> with_implied(const Cloud& cloud,
                                                    const std::vector<const Json*>& roles);
void grant(Cloud& cloud, const Scope& scope, std::string_view actor_type, std::string_view actor,
           std::string_view role);
/// A user lost something in a scope: tokens and application credentials for it go too.
void forget_access(Cloud& cloud, std::string_view user, const Scope& scope);
/// Ends every session of a user.
void sign_out(Cloud& cloud, std::string_view user);
void erase_user(Cloud& cloud, const std::string& user);
void erase_group(Cloud& cloud, const std::string& group);
void erase_project(Cloud& cloud, const std::string& project);

[[nodiscard]] std::string hash_password(std::string_view password);
[[nodiscard]] bool password_matches(const Json& object, std::string_view password);

/// As a token for `project` shows it: services whose addresses name the project are left out
/// where there is none.
[[nodiscard]] Json catalog(const Cloud& cloud, const std::string& project);
/// `{id, name}` of a domain.
[[nodiscard]] Json domain_of(const Cloud& cloud, std::string_view id);
/// Projects in which a user holds a role, in their stored form.
[[nodiscard]] std::vector<const Json*> projects_of(const Cloud& cloud, std::string_view user);
[[nodiscard]] bool domain_is_enabled(const Cloud& cloud, std::string_view id);

void add_token_routes(Router& router);
void add_project_routes(Router& router);
void add_user_routes(Router& router);
void add_role_routes(Router& router);
void add_application_credential_routes(Router& router);
void add_catalog_routes(Router& router);

}  // namespace identity
}  // namespace bailey::devcloud
