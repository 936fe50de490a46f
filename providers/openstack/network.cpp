#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "providers/openstack/neutron.hpp"
#include "providers/openstack/resource_type.hpp"
#include "providers/openstack/waiting.hpp"

namespace bailey::openstack {

namespace {

constexpr auto kCollection = "networks";

/// A Neutron network with exactly one subnet of ours.
class NetworkType final : public ResourceType {
 public:
  [[nodiscard]] ResourceTypeSchema schema() const override;
  Result<Observed> create(const Work& work, const ResourceRequest& request) const override;
  Result<std::optional<Observed>> read(const Work& work, const std::string& id) const override;
  Result<Observed> update(const Work& work, const ResourceRequest& request, const std::string& id,
                          const Json& before) const override;
  Status remove(const Work& work, const std::string& id) const override;
  Result<std::vector<Observed>> list(const Work& work) const override;
};

ResourceTypeSchema NetworkType::schema() const {
  ResourceTypeSchema schema;
  schema.name = "network";
  schema.description = "A private network with one subnet.";
  schema.fields = {
      field("cidr", FieldType::String, "The addresses of its subnet.",
            {.required = true, .replaces = true, .format = "cidr"}),
      field("dns", FieldType::StringList, "Name servers that its servers are told.",
            {.format = "ip"}),
  };
  schema.attributes = {{"id", "The id of the network."},
                       {"subnet", "The id of its subnet."},
                       {"cidr", "The addresses of its subnet."},
                       {"name", "Its name at the provider."}};
  add_text_fields(schema);
  return schema;
}

/// Without its subnet a network is half made: its `cidr` shows as null, which equals no spec.
Observed observe(const Json& network, const Json& subnet) {
  auto marks = marks_of(network);
  const bool has_subnet = subnet.is_object();
  Json dns = Json::array();
  if (member(subnet, "dns_nameservers").is_array()) dns = member(subnet, "dns_nameservers");
  const auto cidr = has_subnet ? Json(string_member(subnet, "cidr")) : Json();
  Json inputs{{"cidr", cidr}, {"dns", std::move(dns)}};
  add_texts(inputs, marks);
  return {.type = "network",
          .provider_id = string_member(network, "id"),
          .inputs = std::move(inputs),
          .attributes = {{"id", string_member(network, "id")},
                         {"subnet", string_member(subnet, "id")},
                         {"cidr", string_member(subnet, "cidr")},
                         {"name", string_member(network, "name")}},
          .marker = std::move(marks.marker),
          .name = string_member(network, "name"),
          .complete = marks.whole && has_subnet};
}

const Json& subnet_of(const std::vector<Json>& subnets, const std::string& network) {
  static const Json none;
  const Json* found = &none;
  for (const auto& subnet : subnets) {
    if (string_member(subnet, "network_id") != network) continue;
    // Ours, when somebody else has put another one beside it.
    if (found->is_null() || marks_of(subnet).marker) found = &subnet;
  }
  return *found;
}

Result<std::vector<Json>> subnets_in(const Work& work, const std::string& network) {
  return all_of(work, "subnets", "&network_id=" + percent_encode(network));
}

Result<Json> make_network(const Work& work, const ResourceRequest& request) {
  auto made = work.api.post(
      Service::Network, "/networks",
      {{"network", {{"name", request.marker.unique_name()}, {"description", described(request)}}}});
  if (!made) return fail(std::move(made.error()));
  return Json(member(*made, "network"));
}

Result<Json> make_subnet(const Work& work, const std::string& network,
                         const ResourceRequest& request) {
  const auto cidr = string_member(request.inputs, "cidr");
  const bool six = cidr.find(':') != std::string::npos;
  Json subnet{{"network_id", network},
              {"name", request.marker.unique_name()},
              {"description", described("", request.marker)},
              {"ip_version", six ? 6 : 4},
              {"cidr", cidr},
              {"dns_nameservers", strings_member(request.inputs, "dns")}};
  if (six) {
    subnet["ipv6_ra_mode"] = "slaac";
    subnet["ipv6_address_mode"] = "slaac";
  }
  auto made = work.api.post(Service::Network, "/subnets", {{"subnet", std::move(subnet)}});
  if (!made) return fail(std::move(made.error()));
  return Json(member(*made, "subnet"));
}

/// The subnet that an earlier attempt made, unless it asked for other addresses.
Result<Json> finish_subnet(const Work& work, const std::string& network,
                           const ResourceRequest& request) {
  auto subnets = subnets_in(work, network);
  if (!subnets) return fail(std::move(subnets.error()));
  const auto& old = subnet_of(*subnets, network);
  if (old.is_null()) return make_subnet(work, network, request);
  if (string_member(old, "cidr") == string_member(request.inputs, "cidr")) return Json(old);
  auto gone = work.api.remove(Service::Network, "/subnets/" + string_member(old, "id"));
  if (!gone) return fail(std::move(gone.error()));
  return make_subnet(work, network, request);
}

Result<Observed> NetworkType::create(const Work& work, const ResourceRequest& request) const {
  auto old = left_over(work, kCollection, request);
  if (!old) return fail(std::move(old.error()));
  auto network = *old ? Result<Json>(std::move(**old)) : make_network(work, request);
  if (!network) return fail(std::move(network.error()));
  const auto id = string_member(*network, "id");
  auto subnet = *old ? finish_subnet(work, id, request) : make_subnet(work, id, request);
  if (!subnet) return fail(std::move(subnet.error()));
  if (auto marked = settle_texts(work, kCollection, *network, request); !marked) {
    return fail(std::move(marked.error()));
  }
  return observe(*network, *subnet);
}

Result<std::optional<Observed>> NetworkType::read(const Work& work, const std::string& id) const {
  auto network = one_of(work, kCollection, id);
  if (!network) return fail(std::move(network.error()));
  if (!*network) return std::optional<Observed>();
  auto subnets = subnets_in(work, id);
  if (!subnets) return fail(std::move(subnets.error()));
  return std::optional<Observed>(observe(**network, subnet_of(*subnets, id)));
}

Result<Observed> NetworkType::update(const Work& work, const ResourceRequest& request,
                                     const std::string& id, const Json& before) const {
  auto network = one_of(work, kCollection, id);
  if (!network) return fail(std::move(network.error()));
  if (!*network) return vanished("network", id);
  auto subnets = subnets_in(work, id);
  if (!subnets) return fail(std::move(subnets.error()));
  Json subnet = subnet_of(*subnets, id);
  if (subnet.is_null()) return vanished("subnet of network", id);
  const Json dns = strings_member(request.inputs, "dns");
  if (dns != member(subnet, "dns_nameservers")) {
    auto put = work.api.put(Service::Network, "/subnets/" + string_member(subnet, "id"),
                            {{"subnet", {{"dns_nameservers", dns}}}});
    if (!put) return fail(std::move(put.error()));
    subnet = member(*put, "subnet");
  }
  if (auto done = settle_texts(work, kCollection, **network, request, before); !done) {
    return fail(std::move(done.error()));
  }
  return observe(**network, subnet);
}

Status NetworkType::remove(const Work& work, const std::string& id) const {
  return while_in_use(work.doors.clock, work.stop, [&] {
    return work.api.remove(Service::Network, "/networks/" + percent_encode(id));
  });
}

Result<std::vector<Observed>> NetworkType::list(const Work& work) const {
  auto networks = all_of(work, kCollection);
  if (!networks) return fail(std::move(networks.error()));
  auto subnets = all_of(work, "subnets");
  if (!subnets) return fail(std::move(subnets.error()));
  std::vector<Observed> all;
  for (const auto& network : *networks) {
    all.push_back(observe(network, subnet_of(*subnets, string_member(network, "id"))));
  }
  return all;
}

}  // namespace

std::unique_ptr<ResourceType> network_type() {
  return std::make_unique<NetworkType>();
}

}  // namespace bailey::openstack
