#pragma once

#include "orchestrator/base/digest.hpp"
#include "orchestrator/promote/evidence/statement.hpp"
#include "orchestrator/promote/gate/gate_evaluator.hpp"
#include "tests/unit/promote/test_keys.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace bailey::test {

using std::chrono::hours;
using std::chrono::minutes;

inline Subject person(std::string name) {
  return {SubjectKind::Person, std::move(name)};
}
inline Subject group(std::string name) {
  return {SubjectKind::Group, std::move(name)};
}
inline Subject service(std::string name) {
  return {SubjectKind::Service, std::move(name)};
}

inline WallTime time_of(const char* text) {
  return *parse_time(text);
}

/// A Wednesday, 10:00 UTC.
inline const WallTime kNow = time_of("2026-03-04T10:00:00Z");

/// A production environment behind staging, one change on its way into it, and everything met.
/// Tests take away or bend one thing.
class GateStory : public ::testing::Test {
 protected:
  GateStory() {
    for (const char* name : {"alice", "bob", "carol", "dave", "erin"}) {
      bundle_.directory.people[name] = {std::string(name) + "@x", {TestKey(name).line()}};
    }
    bundle_.directory.services["ci"] = {{person("dave")}, {TestKey("ci").line()}, {}};
    bundle_.directory.groups = {
        {"managers", {person("alice"), person("bob"), person("dave"), person("erin")}},
        {"security", {group("guards")}},
        {"guards", {person("carol"), person("bob")}}};
    Template& web = bundle_.templates["web"];
    web.roles["approver"] = {{Power::Read, Power::Approve}, {}};
    web.roles["auditor"] = {{Power::Read, Power::Audit}, {}};
    Environment& staging = bundle_.environments["staging"];
    staging.name = "staging";
    staging.template_name = "web";
    environment_.name = "production";
    environment_.environment_class = EnvironmentClass::Production;
    environment_.template_name = "web";
    environment_.bindings = {{"approver", {group("managers"), group("security")}},
                             {"auditor", {person("mallory")}}};
    environment_.gate = {
        VerifiedCondition{"staging"},
        SoakCondition{"staging", hours(24)},
        ApprovalsCondition{{{group("managers"), 1}, {group("security"), 1}}, hours(8)},
        EvidenceCondition{std::string(kAuthorshipPredicate), {service("ci")}},
        CheckCondition{{"checks/ticket"}, minutes(1)},
        WindowCondition{{1, 2, 3, 4}, hours(9), hours(16), "Europe/Berlin"}};
    change_.id = ChangeId("chg-1");
    change_.requester = service("ci");
    change_.authors = {{"alice@x", "alice"}};
    change_.introduces = {web_, template_};
    change_.plan.template_digest = template_;
    change_.plan.artifacts = {{"web", "r:1/payments/web@" + web_}};
    verified_ = {{web_, "2026-03-03T10:00:00Z"}, {template_, "2026-03-01T10:00:00Z"}};
    approvals_ = {approval("erin"), approval("carol")};
    evidence_ = {
        {web_, std::string(kAuthorshipPredicate), service("ci"), {{"alice@x", "alice"}}, ""}};
    checks_ = {{4, {true, "CHG-7"}}};
  }

  static Approval approval(const std::string& name, Decision decision = Decision::Approve) {
    Approval out;
    out.id = ApprovalId("apr-" + name);
    out.change = ChangeId("chg-1");
    out.approver = name;
    out.decision = decision;
    out.issued_at = "2026-03-04T09:00:00Z";
    out.expires_at = "2026-03-04T17:00:00Z";
    out.key_fingerprint = TestKey(name).print();
    return out;
  }

  [[nodiscard]] GateInputs inputs() const {
    const auto verified = verified_;
    return {bundle_,
            environment_,
            change_,
            approvals_,
            [verified](const std::string& environment,
                       const std::string& digest) -> std::optional<VerifiedItem> {
              const auto found = verified.find(digest);
              if (environment != "staging" || found == verified.end()) return std::nullopt;
              return VerifiedItem{environment, digest, found->second, "chg-0"};
            },
            evidence_,
            checks_,
            now_};
  }
  [[nodiscard]] GateResult judge() const { return evaluate_gate(inputs()); }

  /// The conditions that are not met.
  [[nodiscard]] std::vector<std::string> unmet() const {
    std::vector<std::string> names;
    const auto result = judge();
    for (const auto& each : result.conditions) {
      if (!each.met) names.push_back(each.condition);
    }
    EXPECT_EQ(result.met, names.empty() && !result.rejected);
    return names;
  }
  [[nodiscard]] ConditionResult condition(const std::string& name) const {
    for (const auto& each : judge().conditions) {
      if (each.condition == name) return each;
    }
    return {};
  }

  const std::string web_ = digest_of(std::string_view("web"));
  const std::string template_ = digest_of(std::string_view("template"));
  Bundle bundle_;
  Environment environment_;
  Change change_;
  std::map<std::string, std::string> verified_;
  std::vector<Approval> approvals_;
  std::vector<EvidenceItem> evidence_;
  std::map<std::size_t, CheckOutcome> checks_;
  WallTime now_ = kNow;
};

}  // namespace bailey::test
