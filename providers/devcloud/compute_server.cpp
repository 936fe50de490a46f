#include "providers/devcloud/compute_server.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/devcloud/volume.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace bailey::devcloud::compute {

namespace {

/// More than any machine of this cloud has.
constexpr std::int64_t kLargestRam = 1024 * 1024;
constexpr std::int64_t kMostCores = 128;

OrderedJson networks_schema(int version) {
  OrderedJson list = parse_ordered(R"({
    "type": "array",
    "items": {
      "type": "object",
      "properties": {
        "fixed_ip": {"type": "string"},
        "port": {"anyOf": [{"type": "string", "format": "uuid"}, {"type": "null"}]},
        "uuid": {"type": "string", "format": "uuid"}
      },
      "additionalProperties": false
    }
  })");
  if (version >= 42 || version == 32) {
    list["items"]["properties"]["tag"] = parse_ordered(
        R"({"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[^,/]*$"})");
  }
  if (version < 37) return list;
  OrderedJson choice;
  choice["oneOf"] = OrderedJson::array({list, parse_ordered(R"({"type": "string",
                                                                "enum": ["none", "auto"]})")});
  return choice;
}

OrderedJson create_schema(int version) {
  OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {"server": {
      "type": "object",
      "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "imageRef": {"oneOf": [{"type": "string", "format": "uuid"},
                               {"type": "string", "maxLength": 0}]},
        "flavorRef": {"type": ["string", "integer"], "minLength": 1},
        "adminPass": {"type": "string"},
        "metadata": {"type": "object",
                     "patternProperties": {"^[a-zA-Z0-9-_:. ]{1,255}$": {"type": "string",
                                                                         "maxLength": 255}},
                     "additionalProperties": false},
        "networks": {},
        "OS-DCF:diskConfig": {"type": "string", "enum": ["AUTO", "MANUAL"]},
        "accessIPv4": {"type": "string"},
        "accessIPv6": {"type": "string"},
        "availability_zone": {"type": "string", "minLength": 1, "maxLength": 255},
        "config_drive": {"type": ["boolean", "string"]},
        "key_name": {"type": "string", "minLength": 1, "maxLength": 255},
        "min_count": {"type": ["integer", "string"], "pattern": "^[0-9]*$", "minimum": 1},
        "max_count": {"type": ["integer", "string"], "pattern": "^[0-9]*$", "minimum": 1},
        "return_reservation_id": {"type": ["boolean", "string"]},
        "security_groups": {"type": "array",
                            "items": {"type": "object",
                                      "properties": {"name": {"type": "string", "minLength": 1,
                                                              "maxLength": 255}},
                                      "additionalProperties": false}},
        "user_data": {"type": "string", "maxLength": 65535}
      },
      "required": ["name", "flavorRef"],
      "additionalProperties": false
    }, "os:scheduler_hints": {
      "type": "object", "properties": {"group": {"type": "string", "format": "uuid"}}},
    "OS-SCH-HNT:scheduler_hints": {
      "type": "object", "properties": {"group": {"type": "string", "format": "uuid"}}}},
    "required": ["server"],
    "additionalProperties": false
  })");
  OrderedJson& server = schema["properties"]["server"];
  OrderedJson& known = server["properties"];
  known["networks"] = networks_schema(version);
  if (version < 57) known["personality"] = {{"type", "array"}, {"maxItems", 0}};
  if (version >= 19)
    known["description"] = parse_ordered(R"({"type": ["string", "null"],
                                                              "maxLength": 255})");
  if (version >= 37) server["required"].push_back("networks");
  if (version >= 52) {
    known["tags"] = parse_ordered(R"({"type": "array", "maxItems": 50,
      "items": {"type": "string", "minLength": 1, "maxLength": 60, "pattern": "^[^,/]*$"}})");
  }
  if (version >= 90)
    known["hostname"] = parse_ordered(R"({"type": "string", "minLength": 1,
                                                           "maxLength": 255})");
  return schema;
}

const OrderedJson& cached_schema(int version) {
  static std::map<int, OrderedJson> schemas;  // Requests run one at a time.
  auto known = schemas.find(version);
  if (known == schemas.end()) known = schemas.emplace(version, create_schema(version)).first;
  return known->second;
}

std::string text_of(const OrderedJson& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? std::string() : python_str(*found);
}

std::size_t count_of(const OrderedJson& asked, const char* name, std::size_t otherwise) {
  const std::string text = text_of(asked, name);
  return text.empty() ? otherwise : static_cast<std::size_t>(std::stoul(text));
}

Checked<const Json*> flavor_for(const Request& request, const OrderedJson& asked) {
  const std::string id = text_of(asked, "flavorRef");
  const Json* flavor = request.cloud().find(kFlavor, id);
  if (flavor == nullptr || (member(*flavor, "is_public") != true && !request.who().is_admin())) {
    return refuse(fault_answer(400, "Flavor " + id + " could not be found."));
  }
  return flavor;
}

bool may_use(const Request& request, const Json& image) {
  const std::string visibility = string_member(image, "visibility");
  if (visibility == "public" || visibility == "community") return true;
  if (request.who().owns(string_member(image, "owner"))) return true;
  if (visibility != "shared") return false;
  const auto members =
      request.cloud().where("image.member", "image_id", string_member(image, "id"));
  return std::any_of(members.begin(), members.end(), [&](const Json* one) {
    return string_member(*one, "member_id") == request.who().project_id;
  });
}

Checked<bool> check_image(const Request& request, const OrderedJson& asked, const Json& flavor) {
  const std::string id = text_of(asked, "imageRef");
  if (id.empty()) return refuse(fault_answer(400, "Missing imageRef attribute"));
  const Json* image = request.cloud().find("image.image", id);
  if (image == nullptr || !may_use(request, *image)) {
    return refuse(fault_answer(400, "Can not find requested image"));
  }
  if (string_member(*image, "status") != "active") {
    return refuse(fault_answer(400, "Image " + id + " is not active."));
  }
  if (member(*image, "min_ram") > member(flavor, "ram")) {
    return refuse(fault_answer(400, "Flavor's memory is too small for requested image."));
  }
  if (member(flavor, "disk") == 0) {
    if (request.who().is_admin()) return true;
    return refuse(
        fault_answer(403, "Only volume-backed servers are allowed for flavors with zero disk."));
  }
  const auto disk = flavor["disk"].get<std::int64_t>();
  if (member(*image, "min_disk") > member(flavor, "disk") ||
      (member(*image, "size").is_number() &&
       member(*image, "size").get<std::int64_t>() > disk * 1024 * 1024 * 1024)) {
    return refuse(fault_answer(
        400, fmt::format("Flavor's disk is too small for requested image. Flavor disk is {} bytes, "
                         "minimum size is {} bytes.",
                         disk << 30, member(*image, "min_disk").get<std::int64_t>() << 30)));
  }
  return true;
}

Checked<bool> check_quota(const Request& request, const Json& flavor, std::size_t count) {
  const auto limits = quota_of(request.cloud(), request.who().project_id);
  const Usage used = usage_of(request.cloud(), request.who().project_id);
  const auto many = static_cast<std::int64_t>(count);
  const std::vector<std::tuple<std::string, std::int64_t, std::int64_t>> wants = {
      {"cores", many * flavor["vcpus"].get<std::int64_t>(), used.cores},
      {"instances", many, used.instances},
      {"ram", many * flavor["ram"].get<std::int64_t>(), used.ram}};
  std::vector<std::string> names;
  std::vector<std::string> asked;
  std::vector<std::string> taken;
  std::vector<std::string> allowed;
  for (const auto& [name, wanted, in_use] : wants) {
    const std::int64_t limit = limits.at(name);
    if (limit < 0 || in_use + wanted <= limit) continue;
    names.push_back(name);
    asked.push_back(std::to_string(wanted));
    taken.push_back(std::to_string(in_use));
    allowed.push_back(std::to_string(limit));
  }
  if (names.empty()) return true;
  const std::string over = join(names, ", ");
  return refuse(fault_answer(
      403, fmt::format("Quota exceeded for {}: Requested {}, but already used {} of {} {}", over,
                       join(asked, ", "), join(taken, ", "), join(allowed, ", "), over)));
}

std::string new_password(Cloud& cloud) {
  static constexpr std::string_view kLetters =
      "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
  std::string password;
  while (password.size() < 12) password += kLetters[cloud.random().below(kLetters.size())];
  return password;
}

std::string hostname_of(const std::string& name) {
  std::string host;
  for (const char byte : name) {
    const bool good = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-';
    if (good) host += byte;
    if (byte >= 'A' && byte <= 'Z') host += static_cast<char>(byte + 32);
    if (byte == ' ' || byte == '_' || byte == '.') host += '-';
  }
  host.resize(std::min<std::size_t>(host.size(), 63));
  return host.empty() ? "server" : host;
}

Json new_server(const Request& request, const OrderedJson& asked, const Json& flavor) {
  Cloud& cloud = request.cloud();
  const std::int64_t now = now_ms(cloud);
  const std::string name{trim(text_of(asked, "name"))};
  Json server = {{"project_id", request.who().project_id},
                 {"user_id", request.who().user_id},
                 {"metadata", Json::object()},
                 {"tags", Json::array()},
                 {"image_id", text_of(asked, "imageRef")},
                 {"flavor", flavor},
                 {"key_name", nullptr},
                 {"description", nullptr},
                 {"access_ipv4", text_of(asked, "accessIPv4")},
                 {"access_ipv6", text_of(asked, "accessIPv6")},
                 {"created", now},
                 {"updated", now},
                 {"launched", nullptr},
                 {"vm_state", "building"},
                 {"task", "build"},
                 {"due", now + cloud.settings().build_delay.count()},
                 {"doom", ""},
                 {"fault", nullptr},
                 {"events", Json::array()},
                 {"user_data", nullptr}};
  if (asked.contains("metadata")) server["metadata"] = asked["metadata"];
  if (asked.contains("tags")) {
    std::set<std::string> tags;
    for (const auto& tag : asked["tags"]) tags.insert(tag.get<std::string>());
    server["tags"] = tags;
  }
  if (asked.contains("key_name")) server["key_name"] = text_of(asked, "key_name");
  if (request.version < 19) {
    server["description"] = name;
  } else if (asked.contains("description")) {
    server["description"] = asked["description"];
  }
  // What starts a machine may well hold a password.
  if (asked.contains("user_data")) server["user_data"] = cloud.seal(text_of(asked, "user_data"));
  if (flavor["ram"] > kLargestRam || flavor["vcpus"] > kMostCores) {
    server["doom"] = "No valid host was found. ";
  }
  return server;
}

Checked<bool> check_rest(const Request& request, const OrderedJson& asked) {
  const std::string key = text_of(asked, "key_name");
  if (!key.empty() &&
      request.cloud().find(kKeypair, request.who().user_id + "/" + key) == nullptr) {
    return refuse(fault_answer(400, "Invalid key_name provided."));
  }
  const std::string zone = text_of(asked, "availability_zone");
  if (!zone.empty() && zone != "nova") {
    return refuse(fault_answer(400, "The requested availability zone is not available"));
  }
  if (asked.contains("metadata")) {
    const auto limit = quota_of(request.cloud(), request.who().project_id).at("metadata_items");
    if (limit >= 0 && asked["metadata"].size() > static_cast<std::size_t>(limit)) {
      return refuse(
          fault_answer(403, "Maximum number of metadata items exceeds " + std::to_string(limit)));
    }
  }
  return true;
}

/// In the order of creation, as the database numbers them.
std::int64_t next_number(const Cloud& cloud) {
  const auto servers = cloud.all(kServer);
  return servers.empty() ? 1 : member(*servers.back(), "number").get<std::int64_t>() + 1;
}

ServerResponse create(Request& request) {
  const auto body = read_body(request, cached_schema(request.version));
  if (!body) return body.error();
  const OrderedJson& asked = (*body)["server"];
  if (request.who().project_id.empty()) {
    return forbidden_by("os_compute_api:servers:create");
  }
  const std::size_t least = count_of(asked, "min_count", 1);
  const std::size_t most = count_of(asked, "max_count", least);
  if (least > most) return fault_answer(400, "min_count must be <= max_count");
  const auto flavor = flavor_for(request, asked);
  if (!flavor) return flavor.error();
  if (auto good = check_image(request, asked, **flavor); !good) return good.error();
  if (auto good = check_rest(request, asked); !good) return good.error();
  const auto wiring = wiring_of(request, asked);
  if (!wiring) return wiring.error();
  const auto wants_port = [](const Nic& nic) { return !nic.port.empty() || !nic.address.empty(); };
  if (most > 1 && std::any_of(wiring->nics.begin(), wiring->nics.end(), wants_port)) {
    return fault_answer(400,
                        "Unable to launch multiple instances with a single configured port "
                        "ID. Please launch your instance one by one with different ports.");
  }
  if (auto good = check_quota(request, **flavor, most); !good) return good.error();
  const auto group = hinted_group(request, *body, most);
  if (!group) return group.error();

  Cloud& cloud = request.cloud();
  Json server = new_server(request, asked, **flavor);
  server["reservation_id"] = "r-" + base32_lower(cloud.random().bytes(5));
  const std::string name{trim(text_of(asked, "name"))};
  std::string first;
  for (std::size_t i = 0; i < most; ++i) {
    server["id"] = cloud.new_uuid();
    server["name"] = most == 1 ? name : name + "-" + std::to_string(i + 1);
    server["hostname"] = asked.contains("hostname") ? text_of(asked, "hostname")
                                                    : hostname_of(string_member(server, "name"));
    server["number"] = next_number(cloud);
    server["launch_index"] = i;
    Json one = server;
    // A server that will find no host gets no ports either.
    if (string_member(one, "doom").empty()) {
      auto doom = plug(request.call, one, *wiring);
      if (!doom) return doom.error();
      one["doom"] = std::move(*doom);
    }
    if (first.empty()) first = string_member(one, "id");
    record_event(request, one, "create");
    join_group(cloud, *group, string_member(one, "id"));
    cloud.put(kServer, std::move(one));
  }
  if (truthy(text_of(asked, "return_reservation_id"))) {
    return answer(202, {{"reservation_id", server["reservation_id"]}});
  }
  Json groups = Json::array();
  if (asked.contains("security_groups")) {
    groups = asked["security_groups"];
  } else {
    groups.push_back({{"name", "default"}});
  }
  const std::string given = text_of(asked, "adminPass");
  ServerResponse response =
      answer(202, {{"server",
                    {{"id", first},
                     {"links", links_of(request, "servers", first)},
                     {"OS-DCF:diskConfig", "MANUAL"},
                     {"security_groups", groups},
                     {"adminPass", given.empty() ? new_password(cloud) : given}}}});
  response.headers.emplace_back("Location", request.url("/servers/" + first));
  return response;
}

ServerResponse show(Request& request) {
  const auto server = server_of(request);
  if (!server) return server.error();
  return answer(200, {{"server", shown_server(request, **server)}});
}

ServerResponse update(Request& request) {
  OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {"server": {
      "type": "object",
      "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "OS-DCF:diskConfig": {"type": "string", "enum": ["AUTO", "MANUAL"]},
        "accessIPv4": {"type": "string"},
        "accessIPv6": {"type": "string"}
      },
      "additionalProperties": false
    }},
    "required": ["server"],
    "additionalProperties": false
  })");
  OrderedJson& known = schema["properties"]["server"]["properties"];
  if (request.version >= 19)
    known["description"] = parse_ordered(R"({"type": ["string", "null"],
                                                                      "maxLength": 255})");
  if (request.version >= 90) known["hostname"] = parse_ordered(R"({"type": "string"})");
  const auto body = read_body(request, schema);
  if (!body) return body.error();
  const auto found = server_of(request);
  if (!found) return found.error();
  Json server = **found;
  for (const auto& [name, value] : (*body)["server"].items()) {
    if (name == "accessIPv4") server["access_ipv4"] = value;
    if (name == "accessIPv6") server["access_ipv6"] = value;
    if (name == "name" || name == "description" || name == "hostname") server[name] = value;
  }
  const Json& stored = request.cloud().put(kServer, std::move(server));
  return answer(200, {{"server", shown_after_update(request, stored)}});
}

ServerResponse remove(Request& request) {
  const auto server = server_of(request);
  if (!server) return server.error();
  if (string_member(**server, "task") == "delete") return empty(204);
  // No host has anything of a server that failed to build.
  if (string_member(**server, "vm_state") == "error") {
    erase_server(request.cloud(), Json(**server));
    return empty(204);
  }
  Json going = **server;
  record_event(request, going, "delete");
  begin_task(request.cloud(), std::move(going), "delete");
  return empty(204);
}

}  // namespace

Checked<const Json*> server_of(const Request& request) {
  const std::string& id = request.part("server");
  const Json* server = request.cloud().find(kServer, id);
  if (server == nullptr || !request.who().owns(string_member(*server, "project_id"))) {
    return refuse(fault_answer(404, "Instance " + id + " could not be found."));
  }
  return server;
}

void touch_server(Cloud& cloud, Json server) {
  server["updated"] = now_ms(cloud);
  cloud.put(kServer, std::move(server));
}

void record_event(const Request& request, Json& server, const std::string& action) {
  const std::string now = long_time_of_ms(now_ms(request.cloud()));
  server["events"].push_back({{"action", action},
                              {"request_id", "req-" + request.cloud().new_uuid()},
                              {"user_id", request.who().user_id},
                              {"project_id", request.who().project_id},
                              {"start_time", now},
                              {"message", nullptr},
                              {"updated_at", now}});
}

void begin_task(Cloud& cloud, Json server, std::string_view task) {
  // Tearing down and switching take less time than building.
  server["task"] = std::string(task);
  server["due"] = now_ms(cloud) + cloud.settings().build_delay.count() / 3;
  touch_server(cloud, std::move(server));
}

void erase_server(Cloud& cloud, const Json& server) {
  const std::string id = string_member(server, "id");
  unplug(cloud, id);
  volume::detach_all(cloud, id);
  leave_groups(cloud, server);
  cloud.erase(kServer, id);
}

void add_servers(Router& router) {
  add_route(router, "POST", "/servers", {}, create);
  add_route(router, "GET", "/servers/{server}", {}, show);
  add_route(router, "PUT", "/servers/{server}", {}, update);
  add_route(router, "DELETE", "/servers/{server}", {}, remove);
}

}  // namespace bailey::devcloud::compute
