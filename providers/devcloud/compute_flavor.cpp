#include "providers/devcloud/compute.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

namespace bailey::devcloud::compute {

namespace {

const OrderedJson& create_schema(int version) {
  static const OrderedJson old = parse_ordered(R"({
    "type": "object",
    "properties": {"flavor": {
      "type": "object",
      "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "id": {"type": ["string", "number", "null"], "minLength": 0, "maxLength": 255},
        "ram": {"type": ["integer", "string"], "pattern": "^[0-9]*$", "minimum": 1,
                "maximum": 2147483647},
        "vcpus": {"type": ["integer", "string"], "pattern": "^[0-9]*$", "minimum": 1,
                  "maximum": 2147483647},
        "disk": {"type": ["integer", "string"], "pattern": "^[0-9]*$", "minimum": 0,
                 "maximum": 2147483647},
        "OS-FLV-EXT-DATA:ephemeral": {"type": ["integer", "string"], "pattern": "^[0-9]*$",
                                      "minimum": 0, "maximum": 2147483647},
        "swap": {"type": ["integer", "string"], "pattern": "^[0-9]*$", "minimum": 0,
                 "maximum": 2147483647},
        "rxtx_factor": {"type": ["number", "string"], "minimum": 0},
        "os-flavor-access:is_public": {"type": ["boolean", "string"]}
      },
      "required": ["name", "ram", "vcpus", "disk"],
      "additionalProperties": false
    }},
    "required": ["flavor"],
    "additionalProperties": false
  })");
  static const OrderedJson described = [] {
    OrderedJson schema = old;
    schema["properties"]["flavor"]["properties"]["description"] =
        parse_ordered(R"({"type": ["string", "null"], "minLength": 0, "maxLength": 65535})");
    return schema;
  }();
  return version < 55 ? old : described;
}

std::int64_t number_of(const OrderedJson& object, const char* name, std::int64_t otherwise = 0) {
  const auto found = object.find(name);
  if (found == object.end()) return otherwise;
  if (found->is_number_integer()) return found->get<std::int64_t>();
  if (!found->is_string()) return otherwise;
  const auto& text = found->get_ref<const std::string&>();
  std::int64_t number = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bool may_see(const Identity& who, const Json& flavor) {
  return who.is_admin() || member(flavor, "is_public") == true;
}

Checked<const Json*> flavor_of(const Request& request) {
  const std::string& id = request.part("flavor");
  const Json* flavor = request.cloud().find(kFlavor, id);
  if (flavor == nullptr || !may_see(request.who(), *flavor)) {
    return refuse(fault_answer(404, "Flavor " + id + " could not be found."));
  }
  return flavor;
}

ServerResponse create(Request& request) {
  auto body = read_body(request, create_schema(request.version));
  if (!body) return body.error();
  const OrderedJson& given = (*body)["flavor"];
  const auto name = given["name"].get<std::string>();
  std::string id = request.cloud().new_uuid();
  if (given.contains("id") && !given["id"].is_null() && given["id"] != "") {
    id = python_str(given["id"]);
  }
  if (request.cloud().find_by(kFlavor, "name", name) != nullptr) {
    return fault_answer(409, "Flavor with name " + name + " already exists.");
  }
  if (request.cloud().find(kFlavor, id) != nullptr) {
    return fault_answer(409, "Flavor with ID " + id + " already exists.");
  }
  Json flavor = {{"id", id},
                 {"name", name},
                 {"ram", number_of(given, "ram")},
                 {"vcpus", number_of(given, "vcpus")},
                 {"disk", number_of(given, "disk")},
                 {"swap", number_of(given, "swap")},
                 {"ephemeral", number_of(given, "OS-FLV-EXT-DATA:ephemeral")},
                 {"is_public", true},
                 {"description", nullptr},
                 {"extra_specs", Json::object()}};
  if (given.contains("description")) flavor["description"] = given["description"];
  if (given.contains("os-flavor-access:is_public")) {
    flavor["is_public"] = truthy(python_str(given["os-flavor-access:is_public"]));
  }
  Json shown = shown_flavor(request, request.cloud().put(kFlavor, std::move(flavor)));
  // What was just made shows its swap as a number in every version.
  if (shown["swap"] == "") shown["swap"] = 0;
  return answer(200, {{"flavor", shown}});
}

Json brief(const Request& request, const Json& flavor) {
  Json shown = {{"id", flavor["id"]},
                {"name", flavor["name"]},
                {"links", links_of(request, "flavors", string_member(flavor, "id"))}};
  if (request.version >= 55) shown["description"] = flavor["description"];
  return shown;
}

struct Filters {
  bool only_public = true;
  bool only_private = false;
  std::int64_t least_ram = 0;
  std::int64_t least_disk = 0;
};

Checked<Filters> read_filters(const Request& request) {
  Filters filters;
  const auto number = [&](const char* name, std::int64_t& into) -> Checked<bool> {
    const auto text = request.call.query(name);
    if (!text) return true;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), into);
    if (error != std::errc() || end != text->data() + text->size()) {
      return refuse(fault_answer(400, "Invalid " + std::string(name) + " filter [" + *text + "]"));
    }
    return true;
  };
  if (auto good = number("minRam", filters.least_ram); !good) return refuse(good.error());
  if (auto good = number("minDisk", filters.least_disk); !good) return refuse(good.error());
  const auto visibility = request.call.query("is_public");
  if (visibility && request.who().is_admin()) {
    filters.only_public = truthy(*visibility);
    filters.only_private = !filters.only_public && *visibility != "None" && *visibility != "none";
  }
  return filters;
}

ServerResponse list(Request& request, bool detail) {
  auto page = read_query(request, {{"is_public", "minRam", "minDisk", "sort_key", "sort_dir"}});
  if (!page) return page.error();
  const auto filters = read_filters(request);
  if (!filters) return filters.error();
  std::vector<const Json*> flavors = request.cloud().all(kFlavor);
  std::string key = request.call.query("sort_key").value_or("flavorid");
  if (key == "flavorid") key = "id";
  const bool backwards = request.call.query("sort_dir").value_or("asc") == "desc";
  std::stable_sort(flavors.begin(), flavors.end(), [&](const Json* left, const Json* right) {
    return backwards ? member(*right, key) < member(*left, key)
                     : member(*left, key) < member(*right, key);
  });
  std::vector<Json> rows;
  for (const Json* flavor : flavors) {
    const bool is_public = member(*flavor, "is_public") == true;
    if (!may_see(request.who(), *flavor) || (filters->only_public && !is_public) ||
        (filters->only_private && is_public)) {
      continue;
    }
    if (member(*flavor, "ram") < filters->least_ram ||
        member(*flavor, "disk") < filters->least_disk) {
      continue;
    }
    rows.push_back(detail ? shown_flavor(request, *flavor) : brief(request, *flavor));
  }
  const auto body = paged(request, "flavors", rows, *page);
  return body ? answer(200, *body) : body.error();
}

ServerResponse show(Request& request) {
  const auto flavor = flavor_of(request);
  if (!flavor) return flavor.error();
  return answer(200, {{"flavor", shown_flavor(request, **flavor)}});
}

ServerResponse update(Request& request) {
  static const OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {"flavor": {
      "type": "object",
      "properties": {"description": {"type": ["string", "null"], "maxLength": 65535}},
      "required": ["description"], "additionalProperties": false}},
    "required": ["flavor"], "additionalProperties": false
  })");
  const auto body = read_body(request, schema);
  if (!body) return body.error();
  const auto found = flavor_of(request);
  if (!found) return found.error();
  Json flavor = **found;
  flavor["description"] = (*body)["flavor"]["description"];
  return answer(
      200, {{"flavor", shown_flavor(request, request.cloud().put(kFlavor, std::move(flavor)))}});
}

ServerResponse remove(Request& request) {
  const auto flavor = flavor_of(request);
  if (!flavor) return flavor.error();
  request.cloud().erase(kFlavor, request.part("flavor"));
  return empty(202);
}

ServerResponse show_specs(Request& request) {
  const auto flavor = flavor_of(request);
  if (!flavor) return flavor.error();
  return answer(200, {{"extra_specs", (**flavor)["extra_specs"]}});
}

ServerResponse add_specs(Request& request) {
  static const OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {"extra_specs": {
      "type": "object",
      "additionalProperties": {"type": ["string", "number", "boolean"], "maxLength": 255}}},
    "required": ["extra_specs"], "additionalProperties": false
  })");
  const auto body = read_body(request, schema);
  if (!body) return body.error();
  const auto found = flavor_of(request);
  if (!found) return found.error();
  Json flavor = **found;
  Json given = Json::object();
  for (const auto& [name, value] : (*body)["extra_specs"].items()) {
    given[name] = python_str(value);
    flavor["extra_specs"][name] = python_str(value);
  }
  request.cloud().put(kFlavor, std::move(flavor));
  return answer(200, {{"extra_specs", given}});
}

ServerResponse remove_spec(Request& request) {
  const auto found = flavor_of(request);
  if (!found) return found.error();
  Json flavor = **found;
  const std::string& key = request.part("key");
  if (flavor["extra_specs"].erase(key) == 0) {
    return fault_answer(
        404, "Flavor " + request.part("flavor") + " has no extra specs with key " + key + ".");
  }
  request.cloud().put(kFlavor, std::move(flavor));
  return empty(200);
}

void add_first_flavor(Cloud& cloud, const char* name, int vcpus, int ram, int disk) {
  if (cloud.find_by(kFlavor, "name", name) != nullptr) return;
  cloud.put(kFlavor, {{"id", cloud.new_uuid()},
                      {"name", name},
                      {"ram", ram},
                      {"vcpus", vcpus},
                      {"disk", disk},
                      {"swap", 0},
                      {"ephemeral", 0},
                      {"is_public", true},
                      {"description", nullptr},
                      {"extra_specs", Json::object()}});
}

}  // namespace

Json shown_flavor(const Request& request, const Json& flavor) {
  Json shown = {{"id", flavor["id"]},
                {"name", flavor["name"]},
                {"ram", flavor["ram"]},
                {"disk", flavor["disk"]},
                {"swap", flavor["swap"]},
                {"OS-FLV-EXT-DATA:ephemeral", flavor["ephemeral"]},
                {"OS-FLV-DISABLED:disabled", false},
                {"vcpus", flavor["vcpus"]},
                {"os-flavor-access:is_public", flavor["is_public"]},
                {"rxtx_factor", 1.0},
                {"links", links_of(request, "flavors", string_member(flavor, "id"))}};
  if (request.version < 75 && shown["swap"] == 0) shown["swap"] = "";
  if (request.version >= 55) shown["description"] = flavor["description"];
  if (request.version >= 61) shown["extra_specs"] = flavor["extra_specs"];
  return shown;
}

void add_flavors(Router& router, Cloud& cloud) {
  if (cloud.all(kFlavor).empty()) {
    add_first_flavor(cloud, "small", 1, 512, 1);
    add_first_flavor(cloud, "large", 2, 4096, 10);
  }
  const std::string manage = "os_compute_api:os-flavor-manage:";
  const std::string specs = "os_compute_api:os-flavor-extra-specs:";
  add_route(router, "GET", "/flavors", {}, [](Request& request) { return list(request, false); });
  add_route(router, "GET", "/flavors/detail", {},
            [](Request& request) { return list(request, true); });
  add_route(router, "POST", "/flavors", {.since = 1, .admin_rule = manage + "create"}, create);
  add_route(router, "GET", "/flavors/{flavor}", {}, show);
  add_route(router, "PUT", "/flavors/{flavor}", {.since = 55, .admin_rule = manage + "update"},
            update);
  add_route(router, "DELETE", "/flavors/{flavor}", {.since = 1, .admin_rule = manage + "delete"},
            remove);
  add_route(router, "GET", "/flavors/{flavor}/os-extra_specs", {}, show_specs);
  add_route(router, "POST", "/flavors/{flavor}/os-extra_specs",
            {.since = 1, .admin_rule = specs + "create"}, add_specs);
  add_route(router, "DELETE", "/flavors/{flavor}/os-extra_specs/{key}",
            {.since = 1, .admin_rule = specs + "delete"}, remove_spec);
}

}  // namespace bailey::devcloud::compute
