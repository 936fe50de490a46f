#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "providers/openstack/neutron.hpp"
#include "providers/openstack/resource_type.hpp"
#include "providers/openstack/waiting.hpp"

#include <set>

namespace bailey::openstack {

namespace {

constexpr auto kCollection = "routers";

/// A router with an interface on every subnet of the networks that it joins.
class RouterType final : public ResourceType {
 public:
  [[nodiscard]] ResourceTypeSchema schema() const override;
  Result<Observed> create(const Work& work, const ResourceRequest& request) const override;
  Result<std::optional<Observed>> read(const Work& work, const std::string& id) const override;
  Result<Observed> update(const Work& work, const ResourceRequest& request, const std::string& id,
                          const Json& before) const override;
  Status remove(const Work& work, const std::string& id) const override;
  Result<std::vector<Observed>> list(const Work& work) const override;
};

ResourceTypeSchema RouterType::schema() const {
  ResourceTypeSchema schema;
  schema.name = "router";
  schema.description = "Joins networks, and leads out of them when it names an external one.";
  schema.fields = {
      field("networks", FieldType::StringList, "The networks that it joins.",
            {.required = true, .unordered = true, .refers_to = "network"}),
      field("external", FieldType::String,
            "The name of the external network that it leads out to; nothing: no way out."),
  };
  add_text_fields(schema);
  schema.attributes = {{"id", "The id of the router."},
                       {"name", "Its name at the provider."},
                       {"external", "The external network that it leads out to."}};
  return schema;
}

struct Interface {
  std::string port;
  std::string router;
  std::string network;
  std::set<std::string> subnets;
};

Result<std::vector<Interface>> interfaces(const Work& work, const std::string& filter) {
  auto ports = all_of(work, "ports", filter);
  if (!ports) return fail(std::move(ports.error()));
  std::vector<Interface> all;
  for (const auto& port : *ports) {
    // `network:router_interface`, and `..._distributed`, `ha_...` on clouds that spread routers.
    if (string_member(port, "device_owner").find("router_interface") == std::string::npos &&
        string_member(port, "device_owner").find("router_replicated") == std::string::npos) {
      continue;
    }
    Interface made{string_member(port, "id"),
                   string_member(port, "device_id"),
                   string_member(port, "network_id"),
                   {}};
    for (const auto& address : member(port, "fixed_ips")) {
      made.subnets.insert(string_member(address, "subnet_id"));
    }
    all.push_back(std::move(made));
  }
  return all;
}

std::string gateway_network(const Json& router) {
  return string_member(member(router, "external_gateway_info"), "network_id");
}

Observed observe(const Json& router, const std::vector<Interface>& joined,
                 const std::string& external) {
  const auto id = string_member(router, "id");
  auto marks = marks_of(router);
  std::set<std::string> networks;
  for (const auto& interface : joined) {
    if (interface.router == id) networks.insert(interface.network);
  }
  Json inputs{{"networks", networks}};
  if (!external.empty()) inputs["external"] = external;
  add_texts(inputs, marks);
  return {
      .type = "router",
      .provider_id = id,
      .inputs = std::move(inputs),
      .attributes = {{"id", id}, {"name", string_member(router, "name")}, {"external", external}},
      .marker = std::move(marks.marker),
      .name = string_member(router, "name"),
      .complete = marks.whole};
}

/// The name, as specs give it, of the network that a router leads out to; empty without one.
Result<std::string> external_name(const Work& work, const Json& router) {
  const auto id = gateway_network(router);
  if (id.empty()) return std::string();
  return network_name(work, id);
}

/// Null when the spec names none.
Result<Json> wanted_gateway(const Work& work, const Json& inputs) {
  const auto name = string_member(inputs, "external");
  if (name.empty()) return Json();
  auto network = external_network(work, name);
  if (!network) return fail(std::move(network.error()));
  return Json{{"network_id", std::move(*network)}};
}

Status leave(const Work& work, const Interface& interface) {
  auto left =
      work.api.put(Service::Network, "/routers/" + interface.router + "/remove_router_interface",
                   {{"port_id", interface.port}}, Repeat::Never);
  if (left || left.error().kind() == ErrorKind::NotFound) return {};
  return fail(std::move(left.error()));
}

/// Never repeated by itself: the second of two calls fails because the first one worked.
Status join(const Work& work, const std::string& router, const std::string& subnet) {
  auto joined = work.api.put(Service::Network, "/routers/" + router + "/add_router_interface",
                             {{"subnet_id", subnet}}, Repeat::Never);
  if (!joined) return fail(std::move(joined.error()));
  return {};
}

/// What the networks of the spec lack of their subnets' interfaces. `joined` becomes what is.
Status join_missing(const Work& work, const std::string& router,
                    const std::set<std::string>& networks, std::vector<Interface>& joined) {
  std::set<std::string> subnets;
  for (const auto& interface : joined) {
    subnets.insert(interface.subnets.begin(), interface.subnets.end());
  }
  std::string filter;
  for (const auto& network : networks) filter += "&network_id=" + percent_encode(network);
  if (filter.empty()) return {};
  auto all = all_of(work, "subnets", filter);
  if (!all) return fail(std::move(all.error()));
  for (const auto& subnet : *all) {
    const auto id = string_member(subnet, "id");
    const auto network = string_member(subnet, "network_id");
    if (!networks.contains(network) || subnets.contains(id)) continue;
    if (auto done = join(work, router, id); !done) return done;
    joined.push_back({"", router, network, {id}});
  }
  return {};
}

/// Leaves what is joined too much and joins what is missing.
Status settle_interfaces(const Work& work, const std::string& router, const Json& inputs,
                         std::vector<Interface>& joined) {
  const auto listed = strings_member(inputs, "networks");
  const std::set<std::string> networks(listed.begin(), listed.end());
  std::vector<Interface> kept;
  for (auto& interface : joined) {
    if (interface.router != router) continue;
    if (networks.contains(interface.network)) {
      kept.push_back(std::move(interface));
      continue;
    }
    if (auto left =
            while_in_use(work.doors.clock, work.stop, [&] { return leave(work, interface); });
        !left) {
      return left;
    }
  }
  joined = std::move(kept);
  return join_missing(work, router, networks, joined);
}

Result<Json> make_router(const Work& work, const ResourceRequest& request, const Json& gateway) {
  Json router{{"name", request.marker.unique_name()}, {"description", described(request)}};
  if (!gateway.is_null()) router["external_gateway_info"] = gateway;
  auto made = work.api.post(Service::Network, "/routers", {{"router", std::move(router)}});
  if (!made) return fail(std::move(made.error()));
  return Json(member(*made, "router"));
}

Status settle_gateway(const Work& work, Json& router, const Json& gateway) {
  if (gateway_network(router) == string_member(gateway, "network_id")) return {};
  auto put = work.api.put(Service::Network, "/routers/" + string_member(router, "id"),
                          {{"router", {{"external_gateway_info", gateway}}}});
  if (!put) return fail(std::move(put.error()));
  router["external_gateway_info"] = gateway;
  return {};
}

/// The router as asked for, from whatever it is now.
Result<Observed> settle(const Work& work, const ResourceRequest& request, Json router,
                        std::vector<Interface> joined, const Json& gateway,
                        const Json& before = {}) {
  if (auto done = settle_gateway(work, router, gateway); !done) return fail(done.error());
  if (auto done = settle_interfaces(work, string_member(router, "id"), request.inputs, joined);
      !done) {
    return fail(done.error());
  }
  if (auto done = settle_texts(work, kCollection, router, request, before); !done) {
    return fail(done.error());
  }
  return observe(router, joined, string_member(request.inputs, "external"));
}

Result<Observed> RouterType::create(const Work& work, const ResourceRequest& request) const {
  auto gateway = wanted_gateway(work, request.inputs);
  if (!gateway) return fail(std::move(gateway.error()));
  auto old = left_over(work, kCollection, request);
  if (!old) return fail(std::move(old.error()));
  if (*old) {
    auto joined = interfaces(work, "&device_id=" + string_member(**old, "id"));
    if (!joined) return fail(std::move(joined.error()));
    return settle(work, request, std::move(**old), std::move(*joined), *gateway);
  }
  auto router = make_router(work, request, *gateway);
  if (!router) return fail(std::move(router.error()));
  return settle(work, request, std::move(*router), {}, *gateway);
}

Result<std::optional<Observed>> RouterType::read(const Work& work, const std::string& id) const {
  auto router = one_of(work, kCollection, id);
  if (!router) return fail(std::move(router.error()));
  if (!*router) return std::optional<Observed>();
  auto joined = interfaces(work, "&device_id=" + percent_encode(id));
  if (!joined) return fail(std::move(joined.error()));
  auto external = external_name(work, **router);
  if (!external) return fail(std::move(external.error()));
  return std::optional<Observed>(observe(**router, *joined, *external));
}

Result<Observed> RouterType::update(const Work& work, const ResourceRequest& request,
                                    const std::string& id, const Json& before) const {
  auto router = one_of(work, kCollection, id);
  if (!router) return fail(std::move(router.error()));
  if (!*router) return vanished("router", id);
  auto joined = interfaces(work, "&device_id=" + percent_encode(id));
  if (!joined) return fail(std::move(joined.error()));
  auto gateway = wanted_gateway(work, request.inputs);
  if (!gateway) return fail(std::move(gateway.error()));
  return settle(work, request, std::move(**router), std::move(*joined), *gateway, before);
}

Status RouterType::remove(const Work& work, const std::string& id) const {
  auto joined = interfaces(work, "&device_id=" + percent_encode(id));
  if (!joined) return fail(std::move(joined.error()));
  for (const auto& interface : *joined) {
    if (interface.router != id) continue;
    if (auto left = leave(work, interface); !left) return left;
  }
  return while_in_use(work.doors.clock, work.stop, [&] {
    return work.api.remove(Service::Network, "/routers/" + percent_encode(id));
  });
}

Result<std::vector<Observed>> RouterType::list(const Work& work) const {
  auto routers = all_of(work, kCollection);
  if (!routers) return fail(std::move(routers.error()));
  if (routers->empty()) return std::vector<Observed>();
  auto joined = interfaces(work, "");
  if (!joined) return fail(std::move(joined.error()));
  std::vector<Observed> all;
  for (const auto& router : *routers) {
    auto external = external_name(work, router);
    if (!external) return fail(std::move(external.error()));
    all.push_back(observe(router, *joined, *external));
  }
  return all;
}

}  // namespace

std::unique_ptr<ResourceType> router_type() {
  return std::make_unique<RouterType>();
}

}  // namespace bailey::openstack
