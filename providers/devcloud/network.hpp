#pragma once

#include "orchestrator/base/json.hpp"
#include "providers/devcloud/router.hpp"

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// Neutron v2.0: shared between the network_*.cpp files; Nova uses what it is said to.
namespace bailey::devcloud::network {

inline constexpr std::string_view kNetwork = "network.network";
inline constexpr std::string_view kSubnet = "network.subnet";
inline constexpr std::string_view kPort = "network.port";
inline constexpr std::string_view kRouter = "network.router";
inline constexpr std::string_view kGroup = "network.security-group";
inline constexpr std::string_view kRule = "network.security-group-rule";
inline constexpr std::string_view kFloatingIp = "network.floating-ip";
inline constexpr std::string_view kQuota = "network.quota";

/// What one member of a resource may hold, who may set it and when.
struct Attribute {
  enum class Type : std::uint8_t { Text, Boolean, Number, Uuid, Uuids, List, Anything };
  std::string name;
  Type type = Type::Anything;
  bool in_post = true;
  bool in_put = true;
  bool required = false;    ///< In POST.
  bool admin_only = false;  ///< To set to anything but `otherwise`.
  bool hidden = false;      ///< From everybody but administrators.
  bool nullable = false;
  Json otherwise = nullptr;  ///< When POST leaves it out.
};

/// A kind of thing that Neutron keeps, and what is its own about it.
struct Resource {
  std::string_view kind;
  std::string singular;    ///< `security_group`: in bodies, rules and quotas.
  std::string collection;  ///< `security_groups`: in bodies.
  std::string path;        ///< `security-groups`
  std::string missing_type;
  std::string missing_before;  ///< `Network `, the id, `missing_after`.
  std::string missing_after;
  std::vector<Attribute> attributes;  ///< Beyond those that all have.

  /// Makes the object from checked attributes that have their defaults; stores it.
  std::function<Checked<Json>(Call& call, Json attributes)> create;
  /// Applies checked changes to a copy; the caller stores it.
  std::function<Checked<Json>(Call& call, const Json& known, const Json& changes)> update;
  /// Removes it and what goes with it, or says why not.
  std::function<Checked<void>(Call& call, const Json& known)> remove;
  /// As shown, before hidden members and unwanted fields go.
  std::function<Json(const Call& call, const Json& object)> view;
  /// Readable by those who do not own it.
  std::function<bool(const Json& object)> shared;
};

[[nodiscard]] ServerResponse error_answer(int status, std::string_view type,
                                          const std::string& message);
[[nodiscard]] ServerResponse bad_request(const std::string& message);
[[nodiscard]] ServerResponse invalid_input(const std::string& message);
[[nodiscard]] ServerResponse not_found(const Resource& resource, std::string_view id);

[[nodiscard]] const Resource& networks();
[[nodiscard]] const Resource& subnets();
[[nodiscard]] const Resource& ports();
[[nodiscard]] const Resource& routers();
[[nodiscard]] const Resource& floating_ips();
[[nodiscard]] const Resource& security_groups();
[[nodiscard]] const Resource& security_group_rules();

/// The object if the caller may see it, else the 404 that says nothing about why.
[[nodiscard]] Checked<const Json*> visible(const Call& call, const Resource& resource,
                                           std::string_view id);
/// As visible(), and the caller may change it; a shared one of somebody else's is a 403.
[[nodiscard]] Checked<const Json*> owned(const Call& call, const Resource& resource,
                                         std::string_view id, std::string_view verb);
[[nodiscard]] Json shown(const Call& call, const Resource& resource, const Json& object);

/// GET of a collection.
[[nodiscard]] ServerResponse list(Call& call, const Resource& resource);

/// Id, times and revision of a new object.
void stamp(const Call& call, Json& object, int revision);
/// Time and revision of a changed one.
void touch(const Cloud& cloud, Json& object);
/// Bumps the revision of a stored object, as a change to one of its parts does.
void touch_stored(Call& call, std::string_view kind, std::string_view id);

/// 409 when one more would be too many; to be asked before each create.
[[nodiscard]] Checked<void> check_quota(const Call& call, const Resource& resource,
                                        std::string_view project);

/// The project's group named `default`, made when it is first needed.
std::string default_group(Cloud& cloud, const std::string& project);

/// A port with its addresses, stored: what the port, router and gateway calls have in common.
struct PortRequest {
  std::string network;
  std::string project;
  std::string device_id;
  std::string device_owner;
  Json fixed_ips = nullptr;  ///< Null: one of each family that the network offers.
};
[[nodiscard]] Checked<Json> make_port(Call& call, const PortRequest& request, Json attributes);
/// Addresses for `wanted` (see PortRequest), none of them taken by another port than `self`.
[[nodiscard]] Checked<Json> choose_addresses(const Cloud& cloud, const std::string& network,
                                             const Json& wanted, std::string_view self);
/// Whoever held a floating IP at this port has it no more at any. Nova does so for ports it erases.
void release_floating_ips(Cloud& cloud, std::string_view port);
/// True when a floating IP needs the router, or its way to this subnet.
[[nodiscard]] bool has_floating_ips(const Cloud& cloud, std::string_view router,
                                    std::string_view subnet = {});
/// Ports that hold an address of a subnet.
[[nodiscard]] std::vector<const Json*> ports_on(const Cloud& cloud, const Json& subnet);

void add_resource_routes(Router& router, const Resource& resource);
void add_router_interface_routes(Router& router);
void add_quota_routes(Router& router);

}  // namespace bailey::devcloud::network
