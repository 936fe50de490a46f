#include "providers/devcloud/dns.hpp"

#include <set>
#include <utility>

namespace bailey::devcloud::dns {

namespace {

Json new_recordset(const Call& call, const Json& zone, const std::string& name,
                   const std::string& type, Json records) {
  Json set = {
      {"id", call.cloud.new_uuid()},      {"zone_id", zone["id"]}, {"zone_name", zone["name"]},
      {"project_id", zone["project_id"]}, {"name", name},          {"type", type},
      {"records", std::move(records)},    {"ttl", nullptr},        {"description", nullptr}};
  begin(call, set, "CREATE");
  return set;
}

ServerResponse list_sets(Call& call) {
  const auto zone = zone_of(call);
  if (!zone) return zone.error();
  return list(call, "recordsets", call.cloud.where(kRecordset, "zone_id", call.part("zone")),
              {"name", "type", "ttl", "status", "description"});
}

ServerResponse create(Call& call) {
  static const std::set<std::string> types = {"A",   "AAAA", "CAA", "CNAME", "MX", "NS",
                                              "PTR", "SPF",  "SRV", "SSHFP", "TXT"};
  const auto zone = zone_of(call);
  if (!zone) return zone.error();
  const std::string name = string_member(call.body, "name");
  const std::string type = string_member(call.body, "type");
  const Json& records = member(call.body, "records");
  if (!is_domain_name(name)) return invalid(call, "name", "'" + name + "' is not a 'hostname'");
  if (types.count(type) == 0) {
    return invalid(call, "type", "'" + type + "' is not a supported type");
  }
  if (!records.is_array() || records.empty()) {
    return invalid(call, "records", "'records' is a required property");
  }
  const std::string zone_name = string_member(**zone, "name");
  const bool inside = name == zone_name || (name.size() > zone_name.size() &&
                                            name.compare(name.size() - zone_name.size() - 1,
                                                         std::string::npos, "." + zone_name) == 0);
  if (!inside) {
    return error_answer(call, 400, "invalid_recordset_location",
                        "RecordSet is not contained within it's parent zone");
  }
  for (const Json* other : call.cloud.where(kRecordset, "zone_id", call.part("zone"))) {
    if (string_member(*other, "name") == name && string_member(*other, "type") == type) {
      return error_answer(call, 409, "duplicate_recordset", "Duplicate RecordSet");
    }
  }
  Json set = new_recordset(call, **zone, name, type, records);
  for (const char* optional : {"ttl", "description"}) set[optional] = member(call.body, optional);
  return json_answer(202, shown(call, call.cloud.put(kRecordset, std::move(set))));
}

Checked<const Json*> set_of(const Call& call) {
  const auto zone = zone_of(call);
  if (!zone) return refuse(zone.error());
  const Json* set = call.cloud.find(kRecordset, call.part("set"));
  if (set == nullptr || string_member(*set, "zone_id") != call.part("zone")) {
    return refuse(error_answer(call, 404, "recordset_not_found", "Could not find RecordSet"));
  }
  return set;
}

ServerResponse show(Call& call) {
  const auto set = set_of(call);
  return set ? json_answer(200, shown(call, **set)) : set.error();
}

ServerResponse remove(Call& call) {
  const auto known = set_of(call);
  if (!known) return known.error();
  const std::string type = string_member(**known, "type");
  if (type == "SOA" || (type == "NS" && member(**known, "name") == member(**known, "zone_name"))) {
    return error_answer(call, 403, "forbidden", "Managed records may not be deleted");
  }
  Json set = **known;
  begin(call, set, "DELETE");
  return json_answer(202, shown(call, call.cloud.put(kRecordset, std::move(set))));
}

}  // namespace

void make_first_recordsets(const Call& call, const Json& zone) {
  const std::string name = string_member(zone, "name");
  std::string mail = string_member(zone, "email");
  mail.replace(mail.find('@'), 1, ".");
  const std::string soa =
      "ns1.devcloud.example. " + mail + ". " + zone["serial"].dump() + " 3600 600 86400 3600";
  call.cloud.put(kRecordset, new_recordset(call, zone, name, "SOA", Json::array({soa})));
  call.cloud.put(kRecordset,
                 new_recordset(call, zone, name, "NS", Json::array({"ns1.devcloud.example."})));
}

void add_recordsets(Router& router) {
  const auto add = [&](const char* method, const char* path, Handler handler) {
    router.add("dns", method, path, Access::signed_in(), std::move(handler));
  };
  add("GET", "/v2/zones/{zone}/recordsets", list_sets);
  add("POST", "/v2/zones/{zone}/recordsets", create);
  add("GET", "/v2/zones/{zone}/recordsets/{set}", show);
  add("DELETE", "/v2/zones/{zone}/recordsets/{set}", remove);
}

}  // namespace bailey::devcloud::dns
