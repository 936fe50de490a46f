#include "tests/model/organization.hpp"

#include "orchestrator/promote/evidence/statement.hpp"
#include "tests/unit/promote/test_keys.hpp"

namespace bailey::model_check {

namespace {

constexpr People kAlice = 1;
constexpr People kBob = 2;
constexpr People kCarol = 4;
constexpr People kDave = 8;

Subject group(std::string name) {
  return {SubjectKind::Group, std::move(name)};
}

std::vector<Subject> subjects(People people) {
  std::vector<Subject> out;
  for (std::size_t i = 0; i < kPeople.size(); ++i) {
    if ((people >> i & 1) != 0) out.push_back({SubjectKind::Person, kPeople[i]});
  }
  return out;
}

struct Keys {
  std::array<std::array<std::string, 2>, kPeople.size()> lines;
  std::array<std::array<std::string, 2>, kPeople.size()> prints;
};

const Keys& keys() {
  static const Keys kKeys = [] {
    Keys made;
    for (std::size_t person = 0; person < kPeople.size(); ++person) {
      for (std::size_t i = 0; i < 2; ++i) {
        const test::TestKey key{kPeople[person] + std::to_string(i)};
        made.lines[person][i] = key.line();
        made.prints[person][i] = key.print();
      }
    }
    return made;
  }();
  return kKeys;
}

Environment environment(const char* name, EnvironmentClass environment_class) {
  Environment out;
  out.name = name;
  out.project = "payments";
  out.environment_class = environment_class;
  out.template_name = "web";
  return out;
}

}  // namespace

const std::vector<Organization>& organizations() {
  static const std::vector<Organization> kAll{
      {"separated", kAlice, kAlice, kBob, kCarol, kDave, kAlice | kBob | kDave, 2, true, 1, 1},
      {"everybody may everything", 15, kCarol, 15, 15, 15, 15, 1, false, 1, 1},
      {"one person in both groups", kAlice, kDave, kBob | kCarol, kBob, kDave, kAlice | kCarol, 1,
       false, 1, 1},
      {"ci deploys, an approver stands behind it", kAlice | kDave, kBob, kBob | kCarol,
       kCarol | kDave, kAlice, kBob | kDave, 1, true, 1, 1},
      {"two out of one group", kAlice | kBob, kAlice | kBob, 15, 0, kDave, 15, 2, true, 2, 0},
  };
  return kAll;
}

Organization edited(Organization organization, std::uint8_t edits) {
  if ((edits & 1) != 0) organization.managers |= kAlice;
  if ((edits & 2) != 0) organization.managers &= static_cast<People>(~kBob);
  if ((edits & 4) != 0) organization.deployers |= kDave;
  if ((edits & 4) != 0) organization.security |= kDave;
  return organization;
}

const std::string& key_line(std::size_t person, std::size_t key) {
  return keys().lines[person][key];
}
const std::string& key_print(std::size_t person, std::size_t key) {
  return keys().prints[person][key];
}

Bundle bundle_of(const Organization& organization) {
  Bundle bundle;
  auto& directory = bundle.directory;
  for (std::size_t i = 0; i < kPeople.size(); ++i) {
    const std::string name = kPeople[i];
    directory.people[name] = {name + "@acme.example", {key_line(i, 0)}};
  }
  directory.people["bob"].keys.push_back(key_line(1, 1));
  directory.groups = {{"developers", subjects(organization.developers)},
                      {"platform", {group("platform-core")}},
                      {"platform-core", subjects(organization.controllers)},
                      {"managers", subjects(organization.managers)},
                      {"security", {group("guards")}},
                      {"guards", subjects(organization.security)}};
  directory.services["ci"] = {{group("platform")}, {}, {}};
  const Subject ci{SubjectKind::Service, "ci"};
  bundle.organization = bailey::Organization{"acme", subjects(organization.administrators),
                                             organization.administrator_approvals};
  Template& web = bundle.templates["web"];
  web.name = "web";
  web.roles["developer"] = {{Power::Read, Power::Request}, {}};
  web.roles["approver"] = {{Power::Read, Power::Approve}, {}};
  web.roles["deployer"] = {{Power::Read, Power::Request, Power::Deploy}, {}};

  auto dev = environment("dev", EnvironmentClass::Development);
  dev.bindings["developer"] = {group("developers"), ci};
  auto staging = environment("staging", EnvironmentClass::Staging);
  staging.bindings = {{"developer", {group("developers"), ci}},
                      {"approver", {group("managers"), group("security")}}};
  staging.gate = {VerifiedCondition{"dev"},
                  ApprovalsCondition{{{group("managers"), 1}}, std::chrono::hours(8)}};
  auto production = environment("production", EnvironmentClass::Production);
  production.bindings = {{"approver", {group("managers"), group("security")}}};
  production.bindings["deployer"] = subjects(organization.deployers);
  production.bindings["deployer"].push_back(ci);
  production.execute = organization.by_operator ? Execution::ByOperator : Execution::OnApproval;
  ApprovalsCondition approvals{{{group("managers"), organization.managers_needed}},
                               std::chrono::hours(8)};
  if (organization.security_needed > 0) {
    approvals.rules.push_back({group("security"), organization.security_needed});
  }
  production.gate = {VerifiedCondition{"staging"}, approvals,
                     EvidenceCondition{std::string(kAuthorshipPredicate), {ci}}};
  for (auto* each : {&dev, &staging, &production}) bundle.environments[each->name] = *each;
  return bundle;
}

}  // namespace bailey::model_check
