#include "orchestrator/base/text.hpp"
#include "providers/devcloud/dns.hpp"

#include <algorithm>
#include <utility>

namespace bailey::devcloud::dns {

namespace {

/// The one pool of name servers; ids of what the cloud consists of stay the same.
constexpr const char* kPool = "794ccc2c-d751-44fe-b57f-8894c9f5c842";

bool is_mail_address(const std::string& text) {
  const auto at = text.find('@');
  return at != std::string::npos && at > 0 && text.find('@', at + 1) == std::string::npos &&
         at + 1 < text.size() && text.find(' ') == std::string::npos &&
         text.find('.', at) != std::string::npos;
}

/// What a body may say of a zone, each checked.
Checked<void> check_members(const Call& call, const Json& asked, bool creates) {
  for (const auto& [name, value] : asked.items()) {
    const bool known = name == "email" || name == "ttl" || name == "description" ||
                       (creates && (name == "name" || name == "type" || name == "masters" ||
                                    name == "attributes"));
    if (!known) {
      return refuse(invalid(
          call, name, "Additional properties are not allowed ('" + name + "' was unexpected)"));
    }
  }
  const Json& ttl = member(asked, "ttl");
  if (!ttl.is_null() && (!ttl.is_number_integer() || ttl < 0 || ttl > 2147483647)) {
    return refuse(invalid(call, "ttl", "'" + ttl.dump() + "' is not of type 'integer'"));
  }
  const Json& description = member(asked, "description");
  if (!description.is_null() &&
      (!description.is_string() || utf8_length(description.get<std::string>()) > 160)) {
    return refuse(invalid(call, "description", "is not a string of at most 160 characters"));
  }
  const std::string email = string_member(asked, "email");
  if ((creates || asked.contains("email")) && !is_mail_address(email)) {
    return refuse(invalid(
        call, "email",
        email.empty() ? "'email' is a required property" : "'" + email + "' is not a 'email'"));
  }
  return {};
}

/// `name` lies below `parent`.
bool is_below(const std::string& name, const std::string& parent) {
  return name.size() > parent.size() + 1 &&
         name.compare(name.size() - parent.size() - 1, std::string::npos, "." + parent) == 0;
}

Checked<void> check_name(const Call& call, const std::string& name) {
  if (!is_domain_name(name)) {
    return refuse(invalid(
        call, "name",
        name.empty() ? "'name' is a required property" : "'" + name + "' is not a 'domainname'"));
  }
  if (std::count(name.begin(), name.end(), '.') < 2) {
    return refuse(error_answer(call, 400, "invalid_zone_name", "More than one label is required"));
  }
  if (call.cloud.find_by(kZone, "name", name) != nullptr) {
    return refuse(error_answer(call, 409, "duplicate_zone", "Duplicate Zone"));
  }
  for (const Json* other : call.cloud.all(kZone)) {
    if (string_member(*other, "project_id") == call.who.project_id) continue;
    if (is_below(name, string_member(*other, "name"))) {
      return refuse(error_answer(call, 403, "illegal_child",
                                 "Unable to create subzone in another tenants zone"));
    }
    if (is_below(string_member(*other, "name"), name)) {
      return refuse(error_answer(call, 403, "illegal_parent",
                                 "Unable to create zone because another tenant owns a subzone of "
                                 "the zone"));
    }
  }
  return {};
}

ServerResponse create(Call& call) {
  if (!call.body.is_object()) return error_answer(call, 400, "empty_request_body", "");
  if (call.who.project_id.empty() || !(call.who.has("member") || call.who.is_admin())) {
    return error_answer(call, 403, "forbidden", "create_zone is disallowed by policy");
  }
  if (auto fits = check_members(call, call.body, true); !fits) return fits.error();
  std::string name = string_member(call.body, "name");
  if (const std::string type = call.body.value("type", "PRIMARY"); type != "PRIMARY") {
    return invalid(call, "type", "'" + type + "' is not one of ['PRIMARY']");
  }
  const auto limit = limit_of(call.cloud, call.who.project_id, "zones");
  const auto used = call.cloud.where(kZone, "project_id", call.who.project_id).size();
  if (limit >= 0 && used >= static_cast<std::size_t>(limit)) {
    return error_answer(call, 413, "over_quota", "Quota exceeded for zones.");
  }
  if (auto fits = check_name(call, name); !fits) return fits.error();
  const std::int64_t seconds = call.cloud.clock().wall_now().time_since_epoch().count() / 1000;
  Json zone = {{"id", call.cloud.new_uuid()},
               {"pool_id", kPool},
               {"project_id", call.who.project_id},
               {"name", name},
               {"email", call.body["email"]},
               {"ttl", 3600},
               {"serial", seconds},
               {"description", member(call.body, "description")},
               {"masters", Json::array()},
               {"attributes", Json::object()},
               {"type", "PRIMARY"},
               {"transferred_at", nullptr}};
  if (!member(call.body, "ttl").is_null()) zone["ttl"] = call.body["ttl"];
  begin(call, zone, "CREATE");
  make_first_recordsets(call, zone);
  const Json answer = shown(call, call.cloud.put(kZone, std::move(zone)));
  ServerResponse response = json_answer(202, answer);
  response.headers.emplace_back("Location", string_member(answer["links"], "self"));
  return response;
}

ServerResponse list_zones(Call& call) {
  const std::string all_header = call.http.header("x-auth-all-projects").value_or("");
  const bool everybodys = (all_header == "true" || all_header == "True") && call.who.is_admin();
  return list(call, "zones",
              everybodys ? call.cloud.all(kZone)
                         : call.cloud.where(kZone, "project_id", call.who.project_id),
              {"name", "type", "email", "status", "description", "ttl"});
}

ServerResponse show(Call& call) {
  const auto zone = zone_of(call);
  return zone ? json_answer(200, shown(call, **zone)) : zone.error();
}

ServerResponse update(Call& call) {
  const auto known = zone_of(call);
  if (!known) return known.error();
  if (string_member(**known, "action") == "DELETE") {
    return error_answer(call, 400, "bad_request", "Can not update a deleting zone");
  }
  if (auto fits = check_members(call, call.body, false); !fits) return fits.error();
  Json zone = **known;
  zone.update(call.body);
  zone["serial"] = zone["serial"].get<std::int64_t>() + 1;
  begin(call, zone, "UPDATE");
  return json_answer(202, shown(call, call.cloud.put(kZone, std::move(zone))));
}

ServerResponse remove(Call& call) {
  const auto known = zone_of(call);
  if (!known) return known.error();
  const std::string name = string_member(**known, "name");
  for (const Json* other : call.cloud.all(kZone)) {
    if (is_below(string_member(*other, "name"), name)) {
      return error_answer(call, 400, "zone_has_subzone",
                          "Please delete any subzones before deleting this zone");
    }
  }
  Json zone = **known;
  begin(call, zone, "DELETE");
  return json_answer(202, shown(call, call.cloud.put(kZone, std::move(zone))));
}

}  // namespace

void add_zones(Router& router) {
  const auto add = [&](const char* method, const char* path, Handler handler) {
    router.add("dns", method, path, Access::signed_in(), std::move(handler));
  };
  add("GET", "/v2/zones", list_zones);
  add("POST", "/v2/zones", create);
  add("GET", "/v2/zones/{zone}", show);
  add("PATCH", "/v2/zones/{zone}", update);
  add("DELETE", "/v2/zones/{zone}", remove);
}

}  // namespace bailey::devcloud::dns
