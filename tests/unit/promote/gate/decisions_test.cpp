#include "orchestrator/promote/gate/decisions.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using std::chrono::hours;

Subject person(std::string name) {
  return {SubjectKind::Person, std::move(name)};
}
Subject service(std::string name) {
  return {SubjectKind::Service, std::move(name)};
}
Subject group(std::string name) {
  return {SubjectKind::Group, std::move(name)};
}

Status power_missing() {
  return fail(Error(ErrorKind::PermissionDenied, "no").with_code("identity.power-missing"));
}

/// Empty for a success, the code of a refusal, or its kind where it has no code.
std::string code_of(const Status& status) {
  if (status) return {};
  return status.error().code().empty() ? std::string(to_string(status.error().kind()))
                                       : status.error().code();
}

/// A change that waits in production: alice wrote it, the service ci (dave behind it) asked for it.
class Decisions : public ::testing::Test {
 protected:
  Decisions() {
    for (const char* name : {"alice", "bob", "carol", "dave"}) {
      bundle_.directory.people[name] = {std::string(name) + "@x", {"a key"}};
    }
    bundle_.directory.people["frank"] = {"frank@x", {}};
    bundle_.directory.services["ci"] = {{group("platform")}, {}, {}};
    bundle_.directory.services["orphan"] = {{}, {}, {}};
    bundle_.directory.groups["platform"] = {person("dave")};
    bundle_.templates["web"].roles["approver"] = {{Power::Read, Power::Approve}, {}};
    bundle_.templates["web"].roles["reader"] = {{Power::Read}, {}};
    environment_.name = "production";
    environment_.template_name = "web";
    environment_.bindings["approver"] = {person("alice"), person("bob"), person("dave")};
    change_.id = ChangeId("chg-1");
    change_.environment = "production";
    change_.state = ChangeState::Waiting;
    change_.requester = service("ci");
    authors_ = {{"ALICE@X", ""}};
  }

  [[nodiscard]] Case about() const { return {bundle_, environment_, change_, authors_}; }
  [[nodiscard]] std::string decide(const Subject& who, const Status& holds = {}) const {
    return code_of(may_decide(about(), who, holds));
  }
  [[nodiscard]] std::string execute(const Subject& who, const std::vector<Approval>& approvals = {},
                                    const Status& holds = {}) const {
    return code_of(may_execute(about(), who, approvals, holds));
  }
  static Approval approval(const char* name, Decision decision = Decision::Approve) {
    Approval out;
    out.approver = name;
    out.decision = decision;
    return out;
  }

  Bundle bundle_;
  Environment environment_;
  Change change_;
  std::vector<Author> authors_;
};

TEST_F(Decisions, AreForPeopleWhoStandApartHoldThePowerAndHaveAKey) {
  EXPECT_EQ(decide(person("bob")), "");
  EXPECT_EQ(decide(service("ci")), "gate.not-a-person");
  EXPECT_EQ(decide(group("platform")), "gate.not-a-person");
  EXPECT_EQ(decide(person("alice")), "gate.not-independent");
  EXPECT_EQ(decide(person("dave")), "gate.not-independent");
  EXPECT_EQ(decide(person("bob"), power_missing()), "identity.power-missing");
  EXPECT_EQ(decide(person("frank")), "gate.no-key");
  EXPECT_EQ(decide(person("nobody")), "gate.no-key");
}

TEST_F(Decisions, AreNotForTheExecutor) {
  change_.executor = person("bob");
  EXPECT_EQ(decide(person("bob")), "gate.not-independent");
}

TEST_F(Decisions, AreTakenOnlyWhileTheChangeWaits) {
  for (int state = 0; state <= static_cast<int>(ChangeState::RolledBack); ++state) {
    change_.state = static_cast<ChangeState>(state);
    const bool waits =
        change_.state == ChangeState::Waiting || change_.state == ChangeState::Approved;
    EXPECT_EQ(decide(person("bob")), waits ? "" : "failed-precondition") << state;
    EXPECT_EQ(code_of(can_be_executed(change_, true)), waits ? "" : "failed-precondition") << state;
  }
}

TEST_F(Decisions, TellWhoElseCouldAndWhy) {
  const auto refused = may_decide(about(), person("alice"), {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("is an author of"), std::string::npos);
  EXPECT_EQ(refused.error().hint(), "These people can: bob.");
  const auto behind = may_decide(about(), person("dave"), {});
  ASSERT_FALSE(behind);
  EXPECT_NE(behind.error().message().find("stands behind the requester"), std::string::npos);
  environment_.bindings.clear();
  const auto nobody = may_decide(about(), person("dave"), {});
  ASSERT_FALSE(nobody);
  EXPECT_EQ(nobody.error().hint(), "Nobody else can approve it either.");
}

TEST_F(Decisions, ExecutingIsForNeitherAuthorNorApproverWhoeverTheyActThrough) {
  EXPECT_EQ(execute(person("carol")), "");
  EXPECT_EQ(execute(service("ci")), "");
  EXPECT_EQ(execute(person("carol"), {}, power_missing()), "identity.power-missing");
  EXPECT_EQ(execute(person("alice")), "gate.not-independent");
  EXPECT_EQ(execute(person("bob"), {approval("bob")}), "gate.not-independent");
  EXPECT_EQ(execute(service("ci"), {approval("bob"), approval("dave")}), "gate.not-independent");
  EXPECT_EQ(execute(person("carol"), {approval("bob"), approval("dave")}), "");
  EXPECT_EQ(execute(person("bob"), {approval("bob", Decision::Reject)}), "");
  authors_ = {{"dave@x", "dave"}};
  EXPECT_EQ(execute(service("ci")), "gate.not-independent");
}

TEST_F(Decisions, NobodyExecutesThroughAServiceThatNobodyControls) {
  EXPECT_EQ(execute(service("orphan")), "gate.not-independent");
  EXPECT_EQ(execute(service("unknown")), "gate.not-independent");
}

TEST_F(Decisions, BaileyExecutesOfItselfOnlyWhereNoOperatorHasTo) {
  EXPECT_EQ(code_of(may_execute_unasked(about())), "");
  environment_.execute = Execution::ByOperator;
  EXPECT_EQ(code_of(may_execute_unasked(about())), "gate.by-operator");
}

TEST_F(Decisions, WhatIsNoLongerDeclaredCanOnlyBeTakenDown) {
  EXPECT_EQ(code_of(can_be_executed(change_, false)), "environment.removed");
  change_.kind = ChangeKind::Destroy;
  EXPECT_EQ(code_of(can_be_executed(change_, false)), "");
}

TEST_F(Decisions, AnApprovalExpiresAsTheStrictestConditionSays) {
  EXPECT_EQ(time_to_expire(environment_), hours(72));
  environment_.gate = {ApprovalsCondition{{}, hours(8)}, ApprovalsCondition{{}, hours(2)},
                       ApprovalsCondition{{}, hours(100)}};
  EXPECT_EQ(time_to_expire(environment_), hours(2));
}

TEST_F(Decisions, TheActingRoleIsOneThatGivesThePower) {
  EXPECT_EQ(acting_role(bundle_, environment_, {"aaa", "approver", "reader"}), "approver");
  EXPECT_EQ(acting_role(bundle_, environment_, {"reader"}), "");
  environment_.template_name = "unknown";
  EXPECT_EQ(acting_role(bundle_, environment_, {"approver"}), "");
}

}  // namespace
}  // namespace bailey
