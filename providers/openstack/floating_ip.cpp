#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "providers/openstack/neutron.hpp"
#include "providers/openstack/resource_type.hpp"
#include "providers/openstack/server_facts.hpp"
#include "providers/openstack/waiting.hpp"

namespace bailey::openstack {

namespace {

constexpr auto kCollection = "floatingips";

/// An address of an external network, led to a server's port or to a port by itself.
///
/// Neutron gives it no name: the marker is in its description from the start, and its tag once it
/// leads where it should.
class FloatingIpType final : public ResourceType {
 public:
  [[nodiscard]] ResourceTypeSchema schema() const override;
  Result<Observed> create(const Work& work, const ResourceRequest& request) const override;
  Result<std::optional<Observed>> read(const Work& work, const std::string& id) const override;
  Result<Observed> update(const Work& work, const ResourceRequest& request, const std::string& id,
                          const Json& before) const override;
  Status remove(const Work& work, const std::string& id) const override;
  Result<std::vector<Observed>> list(const Work& work) const override;
};

ResourceTypeSchema FloatingIpType::schema() const {
  ResourceTypeSchema schema;
  schema.name = "floating-ip";
  schema.description = "An address of an external network, at which a server can be reached.";
  schema.fields = {
      field("network", FieldType::String,
            "The name of the external network; say ${resource.ROUTER.external}, so that the router "
            "is there before it.",
            {.required = true, .replaces = true}),
      field("server", FieldType::String, "Where it leads: to the server's first port.",
            {.refers_to = "server"}),
      field("port", FieldType::String,
            "Instead of `server`: the id of a port that is no server's."),
  };
  add_text_fields(schema);
  schema.attributes = {{"id", "The id of the floating IP."}, {"address", "The address."}};
  return schema;
}

/// Who has the port at which a floating IP leads: `{"device_id", "device_owner"}`, or nothing.
Result<Json> holder_of(const Work& work, const Json& floating) {
  const auto port = string_member(floating, "port_id");
  if (port.empty()) return Json();
  if (const auto& details = member(floating, "port_details"); details.is_object()) return details;
  auto found = work.api.find(Service::Network, "/ports/" + percent_encode(port));
  if (!found) return fail(std::move(found.error()));
  return *found ? member(**found, "port") : Json();
}

bool is_servers(const Json& holder) {
  return string_member(holder, "device_owner").starts_with("compute:");
}

Result<Observed> observe(const Work& work, const Json& floating) {
  const auto id = string_member(floating, "id");
  auto name = network_name(work, string_member(floating, "floating_network_id"));
  if (!name) return fail(std::move(name.error()));
  auto holder = holder_of(work, floating);
  if (!holder) return fail(std::move(holder.error()));
  auto marks = marks_of(floating);
  Json inputs{{"network", *name}, {"server", nullptr}, {"port", nullptr}};
  if (is_servers(*holder)) {
    inputs["server"] = string_member(*holder, "device_id");
  } else if (const auto port = string_member(floating, "port_id"); !port.empty()) {
    inputs["port"] = port;
  }
  add_texts(inputs, marks);
  const auto address = string_member(floating, "floating_ip_address");
  return Observed{.type = "floating-ip",
                  .provider_id = id,
                  .inputs = std::move(inputs),
                  .attributes = {{"id", id}, {"address", address}},
                  .marker = std::move(marks.marker),
                  .name = address,
                  .complete = marks.whole};
}

/// The port that it is to lead to; empty for none.
Result<std::string> wanted_port(const Work& work, const Json& inputs) {
  const auto server = string_member(inputs, "server");
  const auto port = string_member(inputs, "port");
  if (!server.empty() && !port.empty()) {
    return fail(ErrorKind::InvalidArgument, "a floating IP leads to a \"server\" or to a \"port\"");
  }
  if (!server.empty()) return first_port(work, server);
  if (port.empty()) return std::string();
  auto found = one_of(work, "ports", port);
  if (!found) return fail(std::move(found.error()));
  if (!*found) return fail(ErrorKind::InvalidArgument, "the project has no port " + port);
  if (!is_servers(**found)) return port;
  return fail(Error(ErrorKind::InvalidArgument, "the port " + port + " is a server's")
                  .with_hint("Name the server instead."));
}

/// Neutron says "not found" of the way from the external network to the port.
Error not_led(Error error) {
  if (error.kind() != ErrorKind::NotFound) return error;
  return Error(ErrorKind::FailedPrecondition, error.message())
      .with_hint("A router has to join the server's network with the external network first.");
}

Result<Json> make_floating(const Work& work, const ResourceRequest& request,
                           const std::string& network, const std::string& port) {
  Json body{{"floating_network_id", network}, {"description", described(request)}};
  if (!port.empty()) body["port_id"] = port;
  auto made = work.api.post(Service::Network, "/floatingips", {{"floatingip", std::move(body)}});
  if (!made) return fail(not_led(std::move(made.error())));
  return Json(member(*made, "floatingip"));
}

Status settle_port(const Work& work, Json& floating, const std::string& port) {
  if (string_member(floating, "port_id") == port) return {};
  auto put = work.api.put(Service::Network, "/floatingips/" + string_member(floating, "id"),
                          {{"floatingip", {{"port_id", port.empty() ? Json() : Json(port)}}}});
  if (!put) return fail(not_led(std::move(put.error())));
  floating = member(*put, "floatingip");
  return {};
}

/// The floating IP as asked for, from whatever it is now.
Result<Observed> settle(const Work& work, const ResourceRequest& request, Json floating,
                        const std::string& port, const Json& before = {}) {
  const auto tags = member(floating, "tags");
  if (auto done = settle_port(work, floating, port); !done) return fail(std::move(done.error()));
  if (member(floating, "tags").is_null()) floating["tags"] = tags;
  if (auto done = settle_texts(work, kCollection, floating, request, before); !done) {
    return fail(std::move(done.error()));
  }
  return observe(work, floating);
}

Result<std::optional<Json>> left_over_floating(const Work& work, const ResourceRequest& request,
                                               const std::string& network) {
  if (request.earlier == Earlier::None) return std::optional<Json>();
  auto all = all_of(work, kCollection);
  if (!all) return fail(std::move(all.error()));
  for (auto& floating : *all) {
    if (marks_of(floating).marker == request.marker &&
        string_member(floating, "floating_network_id") == network) {
      return std::optional<Json>(std::move(floating));
    }
  }
  return std::optional<Json>();
}

Result<Observed> FloatingIpType::create(const Work& work, const ResourceRequest& request) const {
  auto network = external_network(work, string_member(request.inputs, "network"));
  if (!network) return fail(std::move(network.error()));
  auto port = wanted_port(work, request.inputs);
  if (!port) return fail(std::move(port.error()));
  auto old = left_over_floating(work, request, *network);
  if (!old) return fail(std::move(old.error()));
  auto floating =
      *old ? Result<Json>(std::move(**old)) : make_floating(work, request, *network, *port);
  if (!floating) return fail(std::move(floating.error()));
  return settle(work, request, std::move(*floating), *port);
}

Result<std::optional<Observed>> FloatingIpType::read(const Work& work,
                                                     const std::string& id) const {
  auto floating = one_of(work, kCollection, id);
  if (!floating) return fail(std::move(floating.error()));
  if (!*floating) return std::optional<Observed>();
  auto seen = observe(work, **floating);
  if (!seen) return fail(std::move(seen.error()));
  return std::optional<Observed>(std::move(*seen));
}

Result<Observed> FloatingIpType::update(const Work& work, const ResourceRequest& request,
                                        const std::string& id, const Json& before) const {
  auto floating = one_of(work, kCollection, id);
  if (!floating) return fail(std::move(floating.error()));
  if (!*floating) return vanished("floating-ip", id);
  auto port = wanted_port(work, request.inputs);
  if (!port) return fail(std::move(port.error()));
  return settle(work, request, std::move(**floating), *port, before);
}

Status FloatingIpType::remove(const Work& work, const std::string& id) const {
  return work.api.remove(Service::Network, "/floatingips/" + percent_encode(id));
}

Result<std::vector<Observed>> FloatingIpType::list(const Work& work) const {
  auto found = all_of(work, kCollection);
  // A network service without routers has no such collection.
  if (!found && found.error().kind() == ErrorKind::NotFound) return std::vector<Observed>();
  if (!found) return fail(std::move(found.error()));
  std::vector<Observed> all;
  for (const auto& floating : *found) {
    auto seen = observe(work, floating);
    if (!seen) return fail(std::move(seen.error()));
    all.push_back(std::move(*seen));
  }
  return all;
}

}  // namespace

std::unique_ptr<ResourceType> floating_ip_type() {
  return std::make_unique<FloatingIpType>();
}

}  // namespace bailey::openstack
