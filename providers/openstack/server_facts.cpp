#include "providers/openstack/server_facts.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/openstack/neutron.hpp"
#include "providers/openstack/server_volumes.hpp"

#include <algorithm>
#include <set>

namespace bailey::openstack {

namespace {

constexpr std::size_t kLongestValue = 255;

/// 8-4-4-4-12 hex digits.
bool is_uuid(const std::string& text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hex_digit =
        std::string_view("0123456789abcdefABCDEF").find(text[i]) != std::string_view::npos;
    if (dash ? text[i] != '-' : !hex_digit) return false;
  }
  return true;
}

std::string numbered(const std::string& key, int part) {
  return part == 0 ? key : key + "." + std::to_string(part);
}

std::vector<std::string> remembered(const Json& metadata, const std::string& key) {
  std::vector<std::string> ids;
  for (int part = 0;; ++part) {
    const auto text = string_member(metadata, numbered(key, part));
    if (text.empty()) return ids;
    for (auto& id : split(text, ',')) ids.push_back(std::move(id));
  }
}

/// In the order that the spec gave, then what was attached since.
std::vector<std::string> in_order(const std::set<std::string>& attached,
                                  const std::vector<std::string>& order) {
  std::vector<std::string> networks;
  for (const auto& network : order) {
    if (attached.contains(network)) networks.push_back(network);
  }
  for (const auto& network : attached) {
    if (std::find(order.begin(), order.end(), network) == order.end()) networks.push_back(network);
  }
  return networks;
}

Json observed_networks(const Json& metadata, const std::vector<Attachment>& attached) {
  std::set<std::string> networks;
  for (const auto& port : attached) networks.insert(port.network);
  const auto order = remembered(metadata, kNetworksKey);
  Json inputs = Json::object();
  if (order.empty() && networks.size() == 1) {
    inputs["network"] = *networks.begin();
  } else if (!order.empty() || !networks.empty()) {
    inputs["networks"] = in_order(networks, order);
  }
  return inputs;
}

/// What every port has; a group that only some have shows as missing. The default group alone is
/// what a spec means that names none.
Json observed_groups(const std::vector<Attachment>& attached, const std::string& default_group) {
  std::set<std::string> common;
  for (const auto& port : attached) {
    const std::set<std::string> groups(port.groups.begin(), port.groups.end());
    if (&port == &attached.front()) {
      common = groups;
    } else {
      std::erase_if(common, [&](const auto& group) { return !groups.contains(group); });
    }
  }
  if (common.size() == 1 && *common.begin() == default_group) common.clear();
  return Json(common);
}

std::string observed_image(const Json& server) {
  const auto id = string_member(member(server, "image"), "id");
  const auto noted = string_member(member(server, "metadata"), kImageKey);
  // Rebuilt from another image since: then only its id is known.
  return noted.starts_with(id + " ") ? noted.substr(id.size() + 1) : id;
}

std::string first_address(const Json& server, const std::vector<Attachment>& attached,
                          const Json& networks) {
  auto first = string_member(networks, "network");
  if (first.empty() && member(networks, "networks").is_array()) {
    const auto& list = member(networks, "networks");
    if (!list.empty()) first = list.front().get<std::string>();
  }
  for (const auto& port : attached) {
    if (port.network == first && !port.address.empty()) return port.address;
  }
  for (const auto& addresses : member(server, "addresses")) {
    for (const auto& address : addresses) return string_member(address, "addr");
  }
  return {};
}

}  // namespace

Status check_metadata(const Json& inputs) {
  const auto& metadata = member(inputs, "metadata");
  if (!metadata.is_object()) return {};
  for (const auto& [key, value] : metadata.items()) {
    if (key.starts_with(kOwnMetadata)) {
      return fail(ErrorKind::InvalidArgument,
                  "the metadata \"" + key + "\" is bailey's own: choose another name");
    }
  }
  return {};
}

Json spec_metadata(const Json& metadata) {
  Json own = Json::object();
  for (const auto& [key, value] : metadata.items()) {
    if (!key.starts_with(kOwnMetadata)) own[key] = value;
  }
  return own;
}

Json settled_metadata(const Json& now, const Json& inputs) {
  Json wanted =
      member(inputs, "metadata").is_object() ? member(inputs, "metadata") : Json::object();
  for (const auto& [key, value] : now.items()) {
    if (key.starts_with(kOwnMetadata)) wanted[key] = value;
  }
  return wanted;
}

void remember(Json& metadata, const std::string& key, const std::vector<std::string>& ids) {
  std::string value;
  int part = 0;
  for (const auto& id : ids) {
    if (!value.empty() && value.size() + 1 + id.size() > kLongestValue) {
      metadata[numbered(key, part++)] = value;
      value.clear();
    }
    value += (value.empty() ? "" : ",") + id;
  }
  if (!value.empty()) metadata[numbered(key, part)] = value;
}

Result<std::map<std::string, std::vector<Attachment>>> attachments(const Work& work,
                                                                   const std::string& filter) {
  auto ports = all_of(work, "ports", filter);
  if (!ports) return fail(std::move(ports.error()));
  std::map<std::string, std::vector<Attachment>> all;
  for (const auto& port : *ports) {
    if (!string_member(port, "device_owner").starts_with("compute:")) continue;
    Attachment made{string_member(port, "id"), string_member(port, "network_id"), "",
                    strings_member(port, "security_groups")};
    for (const auto& address : member(port, "fixed_ips")) {
      if (made.address.empty()) made.address = string_member(address, "ip_address");
    }
    all[string_member(port, "device_id")].push_back(std::move(made));
  }
  return all;
}

Result<std::string> default_group(const Work& work) {
  if (auto known = work.project.memo.get("default group")) return *known;
  auto groups = all_of(work, "security-groups", "&name=default");
  if (!groups) return fail(std::move(groups.error()));
  for (const auto& group : *groups) {
    if (string_member(group, "name") != "default") continue;
    work.project.memo.put("default group", string_member(group, "id"));
    return string_member(group, "id");
  }
  return std::string();
}

Observed observe_server(const Json& server, const std::vector<Attachment>& attached,
                        const std::string& default_group) {
  const auto& metadata = member(server, "metadata");
  const auto status = string_member(server, "status");
  auto marker = Marker::parse(string_member(metadata, kMarkerKey));
  auto inputs = observed_networks(metadata, attached);
  auto address = first_address(server, attached, inputs);
  inputs["flavor"] = string_member(member(server, "flavor"), "original_name");
  inputs["image"] = observed_image(server);
  inputs["metadata"] = spec_metadata(metadata);
  inputs["securityGroups"] = observed_groups(attached, default_group);
  if (auto key = string_member(server, "key_name"); !key.empty()) inputs["keypair"] = key;
  if (auto group = string_member(metadata, kGroupKey); !group.empty()) {
    inputs["serverGroup"] = std::move(group);
  }
  inputs["volumes"] = attached_volumes(server);
  if (auto text = string_member(server, "description"); !text.empty()) {
    inputs["description"] = std::move(text);
  }
  if (auto tags = strings_member(server, "tags"); !tags.empty()) {
    std::sort(tags.begin(), tags.end());
    inputs["tags"] = std::move(tags);
  }
  return {.type = "server",
          .provider_id = string_member(server, "id"),
          .inputs = std::move(inputs),
          .attributes = {{"id", string_member(server, "id")},
                         {"address", std::move(address)},
                         {"status", status}},
          .marker = std::move(marker),
          .name = string_member(server, "name"),
          .complete = status != "BUILD" && status != "ERROR" && !metadata.contains(kUnfinishedKey)};
}

Result<std::optional<Json>> find_server(const Work& work, const std::string& id) {
  auto found = work.api.find(Service::Compute, "/servers/" + percent_encode(id));
  if (!found) return fail(std::move(found.error()));
  if (!*found) return std::optional<Json>();
  auto server = member(**found, "server");
  const auto status = string_member(server, "status");
  if (string_member(server, "tenant_id") != work.project.id || status == "DELETED" ||
      status == "SOFT_DELETED") {
    return std::optional<Json>();
  }
  return std::optional<Json>(std::move(server));
}

Result<std::string> first_port(const Work& work, const std::string& server) {
  auto ports = attachments(work, "&device_id=" + percent_encode(server));
  if (!ports) return fail(std::move(ports.error()));
  const auto& attached = (*ports)[server];
  if (attached.empty()) {
    return fail(ErrorKind::InvalidArgument, "the server " + server + " has no port");
  }
  if (attached.size() == 1) return attached.front().port;
  auto found = find_server(work, server);
  if (!found) return fail(std::move(found.error()));
  if (!*found) return vanished("server", server);
  const auto networks = observed_networks(member(**found, "metadata"), attached);
  const auto first = strings_member(networks, "networks");
  for (const auto& port : attached) {
    if (!first.empty() && port.network == first.front()) return port.port;
  }
  return attached.front().port;
}

Result<std::string> flavor_id(const Work& work, const std::string& name) {
  const auto key = "flavor " + name;
  if (auto known = work.project.memo.get(key)) return *known;
  auto flavors = work.api.list(Service::Compute, "/flavors", "flavors");
  if (!flavors) return fail(std::move(flavors.error()));
  std::vector<std::string> names;
  for (const auto& flavor : *flavors) {
    names.push_back(string_member(flavor, "name"));
    if (names.back() != name) continue;
    work.project.memo.put(key, string_member(flavor, "id"));
    return string_member(flavor, "id");
  }
  Error error(ErrorKind::InvalidArgument, "the cloud has no flavor \"" + name + "\"");
  if (const auto near = nearest(name, names)) {
    error = std::move(error).with_hint("Did you mean \"" + *near + "\"?");
  }
  return fail(std::move(error));
}

Result<std::string> image_id(const Work& work, const std::string& name) {
  if (is_uuid(name)) return name;
  auto images = work.api.list(Service::Image, "/images?name=" + percent_encode(name), "images");
  if (!images) return fail(std::move(images.error()));
  std::erase_if(*images, [&](const Json& image) {
    return string_member(image, "name") != name || string_member(image, "status") != "active";
  });
  if (images->size() == 1) return string_member(images->front(), "id");
  if (images->empty()) {
    return fail(ErrorKind::InvalidArgument, "the project can see no active image \"" + name + "\"");
  }
  return fail(Error(ErrorKind::InvalidArgument,
                    "the project can see several active images \"" + name + "\"")
                  .with_hint("Name the image by its id."));
}

}  // namespace bailey::openstack
