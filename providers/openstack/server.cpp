#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "providers/openstack/neutron.hpp"
#include "providers/openstack/server_facts.hpp"
#include "providers/openstack/server_volumes.hpp"

#include <algorithm>
#include <set>

namespace bailey::openstack {

namespace {

constexpr std::chrono::minutes kBuildLimit{15};
/// Ten minutes for a server to go, in rounds after which it is looked at more closely.
constexpr std::chrono::seconds kDeletePatience{30};
constexpr int kDeleteRounds = 20;

class ServerType final : public ResourceType {
 public:
  [[nodiscard]] ResourceTypeSchema schema() const override;
  Result<Observed> create(const Work& work, const ResourceRequest& request) const override;
  Result<std::optional<Observed>> read(const Work& work, const std::string& id) const override;
  Result<Observed> update(const Work& work, const ResourceRequest& request, const std::string& id,
                          const Json& before) const override;
  Status remove(const Work& work, const std::string& id) const override;
  Result<std::vector<Observed>> list(const Work& work) const override;
};

ResourceTypeSchema ServerType::schema() const {
  ResourceTypeSchema schema;
  schema.name = "server";
  schema.description = "A virtual machine.";
  schema.fields = {
      field("flavor", FieldType::String, "Its size, by the cloud's name for it.",
            {.required = true, .replaces = true}),
      field("image", FieldType::String, "Name or id of the image that it starts from.",
            {.required = true, .replaces = true}),
      field("network", FieldType::String, "The network that it is on.",
            {.replaces = true, .refers_to = "network"}),
      field("networks", FieldType::StringList,
            "Instead of `network`: several, the first one first.",
            {.replaces = true, .refers_to = "network"}),
      field("securityGroups", FieldType::StringList,
            "The groups of its ports; left out: the project's default group.",
            {.unordered = true, .refers_to = "security-group"}),
      field("metadata", FieldType::StringMap, "What the server can read about itself."),
      field("keypair", FieldType::String, "The SSH key that it starts with.",
            {.replaces = true, .refers_to = "keypair"}),
      field("volumes", FieldType::StringList, "The volumes that are attached to it.",
            {.unordered = true, .refers_to = "volume"}),
      field("serverGroup", FieldType::String, "The group that says which hosts it may run on.",
            {.replaces = true, .refers_to = "server-group"}),
      field("userData", FieldType::String, "What cloud-init does when it first starts.",
            {.replaces = true}),
      field("description", FieldType::String, "For people."),
      field("tags", FieldType::StringList, "Words to find it by.", {.unordered = true}),
  };
  schema.attributes = {{"id", "The id of the server."},
                       {"address", "Its first address on its first network."},
                       {"status", "As Nova says it: ACTIVE, SHUTOFF and others."}};
  return schema;
}

Result<std::vector<std::string>> wanted_networks(const Json& inputs) {
  const auto one = string_member(inputs, "network");
  auto many = strings_member(inputs, "networks");
  if (!one.empty() && !many.empty()) {
    return fail(ErrorKind::InvalidArgument, "a server has either \"network\" or \"networks\"");
  }
  if (!one.empty()) many = {one};
  return many;
}

std::set<std::string> wanted_volumes(const Json& inputs) {
  const auto listed = strings_member(inputs, "volumes");
  return {listed.begin(), listed.end()};
}

Status check_inputs(const Json& inputs) {
  if (auto fine = check_metadata(inputs); !fine) return fine;
  if (auto tags = wanted_tags({}, inputs, {}); !tags) return fail(std::move(tags.error()));
  return {};
}

/// What is to be done once the server runs.
bool has_aftermath(const Json& inputs) {
  return !strings_member(inputs, "volumes").empty();
}

Json request_body(const ResourceRequest& request, const std::string& flavor,
                  const std::string& image, const std::vector<std::string>& networks) {
  const auto& inputs = request.inputs;
  Json metadata =
      member(inputs, "metadata").is_object() ? member(inputs, "metadata") : Json::object();
  metadata[kMarkerKey] = request.marker.str();
  metadata[kImageKey] = image + " " + string_member(inputs, "image");
  if (string_member(inputs, "network").empty()) remember(metadata, kNetworksKey, networks);
  const auto host_group = string_member(inputs, "serverGroup");
  if (!host_group.empty()) metadata[kGroupKey] = host_group;
  if (has_aftermath(inputs)) metadata[kUnfinishedKey] = "volumes";
  Json server{{"name", request.marker.unique_name()},
              {"flavorRef", flavor},
              {"imageRef", image},
              {"metadata", std::move(metadata)}};
  server["networks"] = "none";
  if (!networks.empty()) {
    server["networks"] = Json::array();
    for (const auto& network : networks) server["networks"].push_back({{"uuid", network}});
  }
  for (const auto& group : strings_member(inputs, "securityGroups")) {
    server["security_groups"].push_back({{"name", group}});
  }
  if (auto key = string_member(inputs, "keypair"); !key.empty()) server["key_name"] = key;
  if (auto text = string_member(inputs, "description"); !text.empty()) {
    server["description"] = std::move(text);
  }
  if (auto tags = strings_member(inputs, "tags"); !tags.empty()) server["tags"] = std::move(tags);
  if (const auto data = string_member(inputs, "userData"); !data.empty()) {
    server["user_data"] = base64(data);
  }
  Json body{{"server", std::move(server)}};
  if (!host_group.empty()) body["os:scheduler_hints"] = {{"group", host_group}};
  return body;
}

/// What an earlier attempt for this marker has left. Nova's filter by name is a pattern; the exact
/// comparison is ours.
Result<std::optional<Json>> left_over_server(const Work& work, const Marker& marker) {
  auto servers = work.api.list(
      Service::Compute, "/servers/detail?name=" + percent_encode(marker.unique_name()), "servers");
  if (!servers) return fail(std::move(servers.error()));
  for (auto& server : *servers) {
    const auto found = Marker::parse(string_member(member(server, "metadata"), kMarkerKey));
    if (found == marker && string_member(server, "tenant_id") == work.project.id) {
      return std::optional<Json>(std::move(server));
    }
  }
  return std::optional<Json>();
}

Result<Watch::Listing> servers_with(const Work& work, const std::string& query) {
  auto servers = work.api.list(Service::Compute, "/servers?limit=500" + query, "servers");
  if (!servers) return fail(std::move(servers.error()));
  Watch::Listing listing;
  for (const auto& server : *servers) listing.emplace(string_member(server, "id"), "");
  return listing;
}

/// Waits until it is gone, for so long.
Status await_gone(const Work& work, const std::string& id, std::chrono::milliseconds limit) {
  return work.project.watches.servers.until(
      id, [](const std::string* shown) { return shown == nullptr; },
      [&] { return servers_with(work, ""); },
      {work.doors.clock, work.stop, limit, "server " + id + " to go"});
}

Status remove_server(const Work& work, const std::string& id) {
  const auto path = "/servers/" + percent_encode(id);
  if (auto asked = work.api.remove(Service::Compute, path); !asked) return asked;
  for (int round = 0;; ++round) {
    auto gone = await_gone(work, id, kDeletePatience);
    if (gone || gone.error().kind() != ErrorKind::Timeout || round == kDeleteRounds) return gone;
    auto found = find_server(work, id);
    if (!found) return fail(std::move(found.error()));
    if (!*found) return {};
    if (string_member(**found, "status") == "ERROR" &&
        string_member(**found, "OS-EXT-STS:task_state").empty()) {
      // Deleting failed on the host; asking again is what Nova's own documentation says.
      if (auto again = work.api.remove(Service::Compute, path); !again) return again;
    }
  }
}

Result<Observed> with_ports(const Work& work, const Json& server) {
  const auto id = string_member(server, "id");
  auto ports = attachments(work, "&device_id=" + percent_encode(id));
  if (!ports) return fail(std::move(ports.error()));
  auto group = default_group(work);
  if (!group) return fail(std::move(group.error()));
  return observe_server(server, (*ports)[id], *group);
}

/// A server that cannot be built is taken away again, so that the next attempt finds room.
Error failed_build(const Work& work, const std::string& id, const Json& server) {
  auto why = string_member(member(server, "fault"), "message");
  Error error(ErrorKind::FailedPrecondition,
              "the cloud could not build server " + id + (why.empty() ? "" : ": " + why));
  if (auto gone = remove_server(work, id); !gone) {
    error = std::move(error).with_hint("It is still there: " + gone.error().message());
  }
  return error;
}

/// The server once Nova has done with building it, for better or worse.
Result<Json> built_server(const Work& work, const std::string& id) {
  for (;;) {
    auto built = work.project.watches.building.until(
        id, [](const std::string* shown) { return shown == nullptr; },
        [&] { return servers_with(work, "&status=BUILD"); },
        {work.doors.clock, work.stop, kBuildLimit, "server " + id + " to be built"});
    if (!built) return fail(std::move(built.error()));
    auto server = find_server(work, id);
    if (!server) return fail(std::move(server.error()));
    if (!*server) return vanished("server", id);
    if (string_member(**server, "status") != "BUILD") return std::move(**server);
  }
}

/// Waits for the server, and does what is to be done once it runs.
Result<Observed> finish(const Work& work, const ResourceRequest& request, const std::string& id) {
  auto server = built_server(work, id);
  if (!server) return fail(std::move(server.error()));
  if (string_member(*server, "status") == "ERROR") return fail(failed_build(work, id, *server));
  if (!member(*server, "metadata").contains(kUnfinishedKey)) return with_ports(work, *server);
  if (auto done = settle_volumes(work, *server, wanted_volumes(request.inputs)); !done) {
    return fail(std::move(done.error()));
  }
  auto marked = work.api.remove(Service::Compute,
                                "/servers/" + id + "/metadata/" + std::string(kUnfinishedKey));
  if (!marked) return fail(std::move(marked.error()));
  auto now = find_server(work, id);
  if (!now) return fail(std::move(now.error()));
  if (!*now) return vanished("server", id);
  return with_ports(work, **now);
}

Result<std::string> ask_for_server(const Work& work, const ResourceRequest& request) {
  auto networks = wanted_networks(request.inputs);
  if (!networks) return fail(std::move(networks.error()));
  auto flavor = flavor_id(work, string_member(request.inputs, "flavor"));
  if (!flavor) return fail(std::move(flavor.error()));
  auto image = image_id(work, string_member(request.inputs, "image"));
  if (!image) return fail(std::move(image.error()));
  auto made = work.api.post(Service::Compute, "/servers",
                            request_body(request, *flavor, *image, *networks));
  if (!made) return fail(std::move(made.error()));
  return require_string(member(*made, "server"), "id");
}

Result<Observed> ServerType::create(const Work& work, const ResourceRequest& request) const {
  if (auto fine = check_inputs(request.inputs); !fine) return fail(std::move(fine.error()));
  if (request.earlier == Earlier::Perhaps) {
    auto old = left_over_server(work, request.marker);
    if (!old) return fail(std::move(old.error()));
    if (*old && string_member(**old, "status") != "ERROR") {
      return finish(work, request, string_member(**old, "id"));
    }
    if (*old) {
      if (auto gone = remove_server(work, string_member(**old, "id")); !gone) {
        return fail(std::move(gone.error()));
      }
    }
  }
  auto id = ask_for_server(work, request);
  if (!id) return fail(std::move(id.error()));
  return finish(work, request, *id);
}

Result<std::optional<Observed>> ServerType::read(const Work& work, const std::string& id) const {
  auto server = find_server(work, id);
  if (!server) return fail(std::move(server.error()));
  if (!*server) return std::optional<Observed>();
  auto seen = with_ports(work, **server);
  if (!seen) return fail(std::move(seen.error()));
  return std::optional<Observed>(std::move(*seen));
}

/// All metadata in one idempotent call: the spec's, and ours as it is there.
Status settle_metadata(const Work& work, const Json& server, const Json& inputs) {
  const auto& now = member(server, "metadata");
  auto wanted = settled_metadata(now, inputs);
  wanted.erase(kUnfinishedKey);
  if (wanted == now) return {};
  auto put = work.api.put(Service::Compute, "/servers/" + string_member(server, "id") + "/metadata",
                          {{"metadata", std::move(wanted)}});
  if (!put) return fail(std::move(put.error()));
  return {};
}

Status settle_texts(const Work& work, const Json& server, const Json& inputs, const Json& before) {
  const auto path = "/servers/" + string_member(server, "id");
  const auto text = string_member(inputs, "description");
  if (string_member(server, "description") != text) {
    const Json value = text.empty() ? Json() : Json(text);
    auto put = work.api.put(Service::Compute, path, {{"server", {{"description", value}}}});
    if (!put) return fail(std::move(put.error()));
  }
  const auto now = strings_member(server, "tags");
  auto tags = wanted_tags(now, inputs, before);
  if (!tags) return fail(std::move(tags.error()));
  if (*tags == std::set<std::string>(now.begin(), now.end())) return {};
  auto put = work.api.put(Service::Compute, path + "/tags", {{"tags", *tags}});
  if (!put) return fail(std::move(put.error()));
  return {};
}

Status settle_groups(const Work& work, const std::string& server, const Json& inputs) {
  auto wanted = strings_member(inputs, "securityGroups");
  if (wanted.empty()) {
    auto group = default_group(work);
    if (!group) return fail(std::move(group.error()));
    if (!group->empty()) wanted = {*group};
  }
  std::sort(wanted.begin(), wanted.end());
  auto ports = attachments(work, "&device_id=" + percent_encode(server));
  if (!ports) return fail(std::move(ports.error()));
  for (auto& port : (*ports)[server]) {
    std::sort(port.groups.begin(), port.groups.end());
    if (port.groups == wanted) continue;
    auto put = work.api.put(Service::Network, "/ports/" + port.port,
                            {{"port", {{"security_groups", wanted}}}});
    if (!put) return fail(std::move(put.error()));
  }
  return {};
}

Result<Observed> ServerType::update(const Work& work, const ResourceRequest& request,
                                    const std::string& id, const Json& before) const {
  if (auto fine = check_inputs(request.inputs); !fine) return fail(std::move(fine.error()));
  auto server = find_server(work, id);
  if (!server) return fail(std::move(server.error()));
  if (!*server) return vanished("server", id);
  const auto volumes = wanted_volumes(request.inputs);
  if (auto done = settle_volumes(work, **server, volumes); !done) return fail(done.error());
  if (auto done = settle_metadata(work, **server, request.inputs); !done) return fail(done.error());
  if (auto done = settle_texts(work, **server, request.inputs, before); !done) {
    return fail(done.error());
  }
  if (auto done = settle_groups(work, id, request.inputs); !done) return fail(done.error());
  auto now = read(work, id);
  if (!now) return fail(std::move(now.error()));
  if (!*now) return vanished("server", id);
  return std::move(**now);
}

Status ServerType::remove(const Work& work, const std::string& id) const {
  return remove_server(work, id);
}

Result<std::vector<Observed>> ServerType::list(const Work& work) const {
  auto servers = work.api.list(Service::Compute, "/servers/detail?limit=100", "servers");
  if (!servers) return fail(std::move(servers.error()));
  std::erase_if(*servers, [&](const Json& server) {
    return string_member(server, "tenant_id") != work.project.id;
  });
  if (servers->empty()) return std::vector<Observed>();
  auto ports = attachments(work, "");
  if (!ports) return fail(std::move(ports.error()));
  auto group = default_group(work);
  if (!group) return fail(std::move(group.error()));
  std::vector<Observed> all;
  for (const auto& server : *servers) {
    all.push_back(observe_server(server, (*ports)[string_member(server, "id")], *group));
  }
  return all;
}

}  // namespace

std::unique_ptr<ResourceType> server_type() {
  return std::make_unique<ServerType>();
}

}  // namespace bailey::openstack
