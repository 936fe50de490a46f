#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "providers/openstack/neutron.hpp"
#include "providers/openstack/resource_type.hpp"
#include "providers/openstack/security_rules.hpp"
#include "providers/openstack/waiting.hpp"

#include <algorithm>
#include <iterator>

namespace bailey::openstack {

namespace {

constexpr auto kCollection = "security-groups";

class SecurityGroupType final : public ResourceType {
 public:
  [[nodiscard]] ResourceTypeSchema schema() const override;
  Result<Observed> create(const Work& work, const ResourceRequest& request) const override;
  Result<std::optional<Observed>> read(const Work& work, const std::string& id) const override;
  Result<Observed> update(const Work& work, const ResourceRequest& request, const std::string& id,
                          const Json& before) const override;
  Status remove(const Work& work, const std::string& id) const override;
  Result<std::vector<Observed>> list(const Work& work) const override;
};

FieldSchema rules_field(const std::string& name, const std::string& peer,
                        const std::string& description) {
  return field(
      name, FieldType::ObjectList, description,
      {.unordered = true,
       .fields = {
           field("protocol", FieldType::String, "What is let through.",
                 {.required = true, .allowed = {"tcp", "udp", "icmp", "any"}}),
           field("port", FieldType::Integer, "Of tcp and udp; nothing: every port."),
           field("portMax", FieldType::Integer,
                 "The last port of a range that starts at "
                 "`port`."),
           field(peer, FieldType::String, "A CIDR, or a security group.", {.required = true})}});
}

ResourceTypeSchema SecurityGroupType::schema() const {
  ResourceTypeSchema schema;
  schema.name = "security-group";
  schema.description = "What may reach a server, and where it may go.";
  schema.fields = {
      rules_field("ingress", "from", "What is let in; everything else is not."),
      rules_field("egress", "to", "What is let out; left out: everything."),
  };
  add_text_fields(schema);
  schema.attributes = {{"id", "The id of the group."}, {"name", "Its name at the provider."}};
  return schema;
}

SecurityRules rules_of(const Json& group) {
  SecurityRules rules;
  for (const auto& rule : member(group, "security_group_rules")) {
    rules.insert(rule_from_neutron(rule));
  }
  return rules;
}

Observed observe(const Json& group) {
  const auto id = string_member(group, "id");
  auto marks = marks_of(group);
  const auto rules = rules_of(group);
  Json inputs{{"ingress", rules_for_spec(rules, "ingress")}};
  auto egress = rules_for_spec(rules, "egress");
  // The default is what a spec means that says nothing about egress.
  if (egress != rules_for_spec(default_egress(), "egress")) inputs["egress"] = std::move(egress);
  add_texts(inputs, marks);
  return {.type = "security-group",
          .provider_id = id,
          .inputs = std::move(inputs),
          .attributes = {{"id", id}, {"name", string_member(group, "name")}},
          .marker = std::move(marks.marker),
          .name = string_member(group, "name"),
          .complete = marks.whole};
}

/// All rules in one call. Where one of them is there already (an answer was lost, or Neutron sees
/// two spellings of one rule), Neutron makes none of them: then each is asked for by itself.
Status add_rules(const Work& work, Json& group, const std::vector<SecurityRule>& missing) {
  if (missing.empty()) return {};
  const auto id = string_member(group, "id");
  Json bodies = Json::array();
  for (const auto& rule : missing) bodies.push_back(rule_for_neutron(rule, id));
  auto& rules = group["security_group_rules"];
  auto made =
      work.api.post(Service::Network, "/security-group-rules", {{"security_group_rules", bodies}});
  if (made) {
    for (const auto& rule : member(*made, "security_group_rules")) rules.push_back(rule);
    return {};
  }
  if (made.error().kind() != ErrorKind::Conflict) return fail(std::move(made.error()));
  for (const auto& body : bodies) {
    auto one =
        work.api.post(Service::Network, "/security-group-rules", {{"security_group_rule", body}});
    if (one) rules.push_back(member(*one, "security_group_rule"));
    if (!one && one.error().kind() != ErrorKind::Conflict) return fail(std::move(one.error()));
  }
  auto now = one_of(work, kCollection, id);
  if (!now) return fail(std::move(now.error()));
  if (!*now) return vanished("security-group", id);
  group = std::move(**now);
  return {};
}

/// Takes away what is too much, then adds what is missing: narrower before wider.
Status settle_rules(const Work& work, Json& group, const SecurityRules& wanted) {
  SecurityRules kept;
  Json rules = Json::array();
  for (const auto& rule : member(group, "security_group_rules")) {
    const auto read = rule_from_neutron(rule);
    if (wanted.contains(read) && kept.insert(read).second) {
      rules.push_back(rule);
      continue;
    }
    auto gone =
        work.api.remove(Service::Network, "/security-group-rules/" + string_member(rule, "id"));
    if (!gone) return gone;
  }
  group["security_group_rules"] = std::move(rules);
  std::vector<SecurityRule> missing;
  std::set_difference(wanted.begin(), wanted.end(), kept.begin(), kept.end(),
                      std::back_inserter(missing));
  return add_rules(work, group, missing);
}

Result<Json> make_group(const Work& work, const ResourceRequest& request) {
  auto made = work.api.post(
      Service::Network, "/security-groups",
      {{"security_group",
        {{"name", request.marker.unique_name()}, {"description", described(request)}}}});
  if (!made) return fail(std::move(made.error()));
  return Json(member(*made, "security_group"));
}

/// The group as asked for, from whatever it is now.
Result<Observed> settle(const Work& work, const ResourceRequest& request, Json group,
                        const Json& before = {}) {
  auto wanted = wanted_rules(request.inputs);
  if (!wanted) return fail(std::move(wanted.error()));
  if (auto done = settle_rules(work, group, *wanted); !done) return fail(std::move(done.error()));
  if (auto done = settle_texts(work, kCollection, group, request, before); !done) {
    return fail(std::move(done.error()));
  }
  return observe(group);
}

Result<Observed> SecurityGroupType::create(const Work& work, const ResourceRequest& request) const {
  if (auto wanted = wanted_rules(request.inputs); !wanted) return fail(std::move(wanted.error()));
  auto old = left_over(work, kCollection, request);
  if (!old) return fail(std::move(old.error()));
  auto group = *old ? Result<Json>(std::move(**old)) : make_group(work, request);
  if (!group) return fail(std::move(group.error()));
  return settle(work, request, std::move(*group));
}

Result<std::optional<Observed>> SecurityGroupType::read(const Work& work,
                                                        const std::string& id) const {
  auto group = one_of(work, kCollection, id);
  if (!group) return fail(std::move(group.error()));
  if (!*group) return std::optional<Observed>();
  return std::optional<Observed>(observe(**group));
}

Result<Observed> SecurityGroupType::update(const Work& work, const ResourceRequest& request,
                                           const std::string& id, const Json& before) const {
  auto group = one_of(work, kCollection, id);
  if (!group) return fail(std::move(group.error()));
  if (!*group) return vanished("security-group", id);
  return settle(work, request, std::move(**group), before);
}

Status SecurityGroupType::remove(const Work& work, const std::string& id) const {
  return while_in_use(work.doors.clock, work.stop, [&] {
    return work.api.remove(Service::Network, "/security-groups/" + percent_encode(id));
  });
}

/// Without the group that Neutron itself puts into every project.
Result<std::vector<Observed>> SecurityGroupType::list(const Work& work) const {
  auto groups = all_of(work, kCollection);
  if (!groups) return fail(std::move(groups.error()));
  std::vector<Observed> all;
  for (const auto& group : *groups) {
    if (string_member(group, "name") != "default") all.push_back(observe(group));
  }
  return all;
}

}  // namespace

std::unique_ptr<ResourceType> security_group_type() {
  return std::make_unique<SecurityGroupType>();
}

}  // namespace bailey::openstack
