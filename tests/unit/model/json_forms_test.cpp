#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/model/audit_entry.hpp"
#include "orchestrator/model/change.hpp"
#include "orchestrator/model/credential.hpp"
#include "orchestrator/model/plan.hpp"
#include "orchestrator/model/state.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>

namespace bailey {
namespace {

/// Values made up from a seed.
class Maker {
 public:
  explicit Maker(std::uint64_t seed) : engine_(seed) {}

  std::size_t below(std::size_t bound) { return engine_() % bound; }
  bool chance() { return below(2) == 0; }
  std::string text() {
    static const std::vector<std::string> kTexts{
        "", "a", "web", "ä\u2028\U0001F600", "quote \" and \\", "line\nline", "${resource.net}"};
    return kTexts[below(kTexts.size())] + (chance() ? std::to_string(below(1000)) : "");
  }
  std::string name() { return "n" + std::to_string(below(1000)); }
  Json json(int depth = 3) {
    switch (below(depth == 0 ? 4 : 6)) {
      case 0:
        return text();
      case 1:
        return static_cast<std::int64_t>(below(100'000)) - 50'000;
      case 2:
        return chance();
      case 3:
        return 0.5 + static_cast<double>(below(100));
      case 4: {
        Json list = Json::array();
        for (auto i = below(4); i > 0; --i) list.push_back(json(depth - 1));
        return list;
      }
      default: {
        Json object = Json::object();
        for (auto i = below(4); i > 0; --i) object[text()] = json(depth - 1);
        return object;
      }
    }
  }
  template <class Make>
  auto list(Make&& make) -> std::vector<decltype(make())> {
    std::vector<decltype(make())> items;
    for (auto i = below(4); i > 0; --i) items.push_back(make());
    return items;
  }
  std::vector<std::string> texts() {
    return list([this] { return text(); });
  }
  std::map<std::string, std::string> map() {
    std::map<std::string, std::string> items;
    for (auto i = below(4); i > 0; --i) items[text()] = text();
    return items;
  }
  template <class Enum>
  Enum word(Enum last) {
    return static_cast<Enum>(below(static_cast<std::size_t>(last) + 1));
  }
  ResourceAddress address() {
    return {name(), name(),
            chance() ? std::optional<int>(static_cast<int>(below(30))) : std::nullopt};
  }
  Subject subject() { return {word(SubjectKind::Group), name()}; }

  Operation operation() {
    Operation made;
    made.address = address();
    made.type = text();
    made.action = word(Action::Record);
    made.reason = word(Reason::Unchanged);
    if (chance()) made.before = json();
    if (chance()) made.after = json();
    made.changed_fields = texts();
    made.depends_on = list([this] { return address(); });
    made.provider_id = text();
    made.generation = static_cast<int>(below(9));
    made.protect = chance();
    if (chance()) made.moved_from = address();
    return made;
  }
  DriftFinding finding() {
    DriftFinding made;
    made.id = text();
    made.kind = word(DriftKind::Foreign);
    made.address = text();
    made.type = text();
    made.provider_id = text();
    made.name = text();
    made.field = text();
    made.before = json();
    made.after = json();
    made.since = text();
    return made;
  }
  DriftDecision decision() { return {word(DriftAction::Ignore), finding(), text(), text()}; }
  Plan plan() {
    Plan made;
    made.kind = word(PlanKind::Destroy);
    made.environment = text();
    made.environment_uid = EnvironmentUid(text());
    made.spec_digest = text();
    made.policy_digest = text();
    made.template_digest = text();
    made.state_serial = below(1U << 30U);
    made.artifacts = map();
    made.operations = list([this] { return operation(); });
    made.deferred = list([this] { return Deferred{address(), text()}; });
    made.targets = list([this] { return address(); });
    made.drift = list([this] { return decision(); });
    seal(made);
    return made;
  }
  Change change() {
    Change made;
    made.id = ChangeId(text());
    made.kind = word(ChangeKind::Grant);
    made.environment = text();
    made.environment_uid = EnvironmentUid(text());
    made.state = word(ChangeState::RolledBack);
    made.plan = plan();
    made.bundle_digest = text();
    made.requester = subject();
    made.authors = list([this] { return Author{text(), text()}; });
    made.introduces = texts();
    made.rolls_back_to = text();
    made.brings = map();
    made.affects = texts();
    if (chance()) made.executor = subject();
    made.created_at = text();
    made.history = list([this] {
      return StateStep{word(ChangeState::RolledBack), text(), text()};
    });
    if (chance()) made.outcome = json();
    made.receipt = text();
    return made;
  }
  Approval approval() {
    Approval made;
    made.id = ApprovalId(text());
    made.change = ChangeId(text());
    made.approver = text();
    made.decision = word(Decision::Revoke);
    made.reason = text();
    made.issued_at = text();
    made.expires_at = text();
    made.key_fingerprint = text();
    made.envelope = json();
    return made;
  }
  ResourceState resource() {
    ResourceState made;
    made.address = address();
    made.type = text();
    made.provider_id = text();
    made.inputs = json();
    made.attributes = json();
    made.depends_on = list([this] { return address(); });
    made.generation = static_cast<int>(below(9));
    made.made_at = text();
    made.protect = chance();
    if (chance()) made.marked_as = address();
    return made;
  }
  EnvironmentState environment() {
    EnvironmentState made;
    made.uid = EnvironmentUid(text());
    made.name = text();
    made.status = word(EnvironmentStatus::Destroyed);
    made.serial = below(1U << 30U);
    made.boundary = text();
    made.artifacts = map();
    made.template_digest = text();
    made.receipt = text();
    made.made_at = text();
    made.extended_until = text();
    made.left = texts();
    return made;
  }
  DriftReport report() {
    DriftReport made;
    made.environment = text();
    made.environment_uid = text();
    made.looked_at = text();
    made.failed_at = text();
    made.error = text();
    made.findings = list([this] { return finding(); });
    made.ignored = list([this] { return decision(); });
    return made;
  }
  AuditEntry entry() {
    return {text(), text(), text(), text(), text(), word(Outcome::Failed), text(), text(), map()};
  }
  Credential credential() {
    Credential made;
    made.id = CredentialId(text());
    made.environment = text();
    made.environment_uid = EnvironmentUid(text());
    made.role = text();
    made.entry = text();
    made.name = text();
    made.provider_id = text();
    made.identity = text();
    made.status = word(CredentialStatus::Revoked);
    made.issued_at = text();
    made.expires_at = text();
    return made;
  }
  Lease lease() {
    return {LeaseId(text()), CredentialId(text()), text(), text(), text(), text(), text(),
            chance()};
  }

 private:
  std::mt19937_64 engine_;
};

/// One JSON form: a made-up value of it, and what reading it again and writing it gives.
struct Form {
  const char* name;
  std::function<Json(Maker&)> make;
  std::function<Result<Json>(const Json&)> reread;
};

template <class T>
std::function<Result<Json>(const Json&)> through(Result<T> (*from_json)(const Json&)) {
  return [from_json](const Json& value) -> Result<Json> {
    auto read = from_json(value);
    if (!read) return fail(std::move(read.error()));
    return to_json(*read);
  };
}

const std::vector<Form>& forms() {
  static const std::vector<Form> kForms{
      {"Plan", [](Maker& m) { return to_json(m.plan()); }, through(plan_from_json)},
      {"Change", [](Maker& m) { return to_json(m.change()); }, through(change_from_json)},
      {"Approval", [](Maker& m) { return to_json(m.approval()); }, through(approval_from_json)},
      {"ResourceState", [](Maker& m) { return to_json(m.resource()); },
       through(resource_state_from_json)},
      {"EnvironmentState", [](Maker& m) { return to_json(m.environment()); },
       through(environment_state_from_json)},
      {"VerifiedItem",
       [](Maker& m) {
         return to_json(VerifiedItem{m.text(), m.text(), m.text(), m.text()});
       },
       through(verified_item_from_json)},
      {"DriftReport", [](Maker& m) { return to_json(m.report()); },
       through(drift_report_from_json)},
      {"AuditEntry", [](Maker& m) { return to_json(m.entry()); }, through(audit_entry_from_json)},
      {"Credential", [](Maker& m) { return to_json(m.credential()); },
       through(credential_from_json)},
      {"Lease", [](Maker& m) { return to_json(m.lease()); }, through(lease_from_json)},
  };
  return kForms;
}

class JsonForm : public ::testing::TestWithParam<Form> {};

TEST_P(JsonForm, SurvivesItsRoundTrip) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Maker maker(seed);
    const auto value = GetParam().make(maker);
    const auto again = GetParam().reread(parse_json(canonical(value)).value());
    ASSERT_TRUE(again.has_value()) << "seed " << seed << ": " << again.error().render();
    ASSERT_EQ(*again, value) << "seed " << seed;
    ASSERT_EQ(canonical(*again), canonical(value)) << "seed " << seed;
  }
}

TEST_P(JsonForm, HasTheSameFieldsWhateverTheyHold) {
  Maker first(0);
  const auto names = [](const Json& value) {
    std::vector<std::string> all;
    for (const auto& [name, ignored] : value.items()) all.push_back(name);
    return all;
  };
  const auto expected = names(GetParam().make(first));
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    Maker maker(seed);
    EXPECT_EQ(names(GetParam().make(maker)), expected);
  }
}

TEST_P(JsonForm, RefusesAMissingField) {
  Maker maker(1);
  const auto value = GetParam().make(maker);
  for (const auto& [name, ignored] : value.items()) {
    auto less = value;
    less.erase(name);
    const auto read = GetParam().reread(less);
    ASSERT_FALSE(read.has_value()) << name;
    EXPECT_EQ(read.error().kind(), ErrorKind::Protocol) << name;
    EXPECT_NE(read.error().message().find("\"" + name + "\""), std::string::npos) << name;
  }
}

TEST_P(JsonForm, RefusesAFieldOfAnotherType) {
  Maker maker(1);
  const auto value = GetParam().make(maker);
  // These may hold anything.
  const std::set<std::string> open{"outcome", "envelope", "inputs", "attributes", "executor"};
  const std::set<std::string> or_null{"marked_as", "moved_from"};
  for (const auto& [name, ignored] : value.items()) {
    if (open.contains(name)) continue;
    for (const Json& wrong : {Json(nullptr), Json(-1), Json(1.5), Json(Json::array({1}))}) {
      if (wrong.is_null() && or_null.contains(name)) continue;
      auto other = value;
      other[name] = wrong;
      EXPECT_FALSE(GetParam().reread(other).has_value()) << name << " " << wrong.dump();
    }
  }
}

TEST_P(JsonForm, RefusesAnUnknownField) {
  Maker maker(1);
  auto value = GetParam().make(maker);
  value["surprise"] = 1;
  EXPECT_EQ(GetParam().reread(value).error().kind(), ErrorKind::Protocol);
}

TEST_P(JsonForm, RefusesAnUnknownWord) {
  Maker maker(1);
  const auto value = GetParam().make(maker);
  for (const auto* name : {"kind", "state", "status", "decision"}) {
    if (!value.contains(name)) continue;
    auto other = value;
    other[name] = "Done";
    EXPECT_EQ(GetParam().reread(other).error().kind(), ErrorKind::Protocol);
  }
}

TEST_P(JsonForm, RefusesWhatIsNoObject) {
  for (const Json& value : {Json(nullptr), Json("text"), Json::array(), Json(1)}) {
    EXPECT_EQ(GetParam().reread(value).error().kind(), ErrorKind::Protocol);
  }
}

std::string name_of(const ::testing::TestParamInfo<Form>& form) {
  return form.param.name;
}

INSTANTIATE_TEST_SUITE_P(All, JsonForm, ::testing::ValuesIn(forms()), name_of);

TEST(Plan, ComesBackEqual) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Maker maker(seed);
    const auto plan = maker.plan();
    EXPECT_EQ(plan_from_json(to_json(plan)).value(), plan) << "seed " << seed;
  }
}

TEST(Plan, DigestIsOverEverythingElse) {
  Maker maker(7);
  auto plan = maker.plan();
  auto value = to_json(plan);
  value.erase("digest");
  EXPECT_EQ(plan.digest, digest_of(value));
  EXPECT_TRUE(is_digest(plan.digest));
}

TEST(Plan, RefusesContentUnderAnotherDigest) {
  Maker maker(7);
  const auto plan = maker.plan();
  auto changed = to_json(plan);
  changed["state_serial"] = plan.state_serial + 1;
  EXPECT_EQ(plan_from_json(changed).error().kind(), ErrorKind::Protocol);
  auto unsealed = plan;
  unsealed.digest.clear();
  EXPECT_FALSE(plan_from_json(to_json(unsealed)).has_value());
}

TEST(Plan, IsEmptyWhenNothingIsToBeDone) {
  Plan plan;
  EXPECT_TRUE(plan.empty());
  plan.operations.emplace_back();
  EXPECT_TRUE(plan.empty());
  plan.operations.emplace_back().action = Action::Delete;
  EXPECT_FALSE(plan.empty());
}

TEST(Change, IsFinishedInTheStatesThatNothingFollows) {
  Change change;
  for (const auto state : {ChangeState::Planned, ChangeState::Waiting, ChangeState::Approved,
                           ChangeState::Executing, ChangeState::Verifying}) {
    change.state = state;
    EXPECT_FALSE(change.finished());
  }
  for (const auto state :
       {ChangeState::Done, ChangeState::Rejected, ChangeState::Expired, ChangeState::Superseded,
        ChangeState::Cancelled, ChangeState::Failed, ChangeState::RolledBack}) {
    change.state = state;
    EXPECT_TRUE(change.finished());
  }
}

TEST(Change, RefusesAPlanWithAnotherDigest) {
  Maker maker(3);
  auto value = to_json(maker.change());
  value["plan"]["environment"] = "another";
  EXPECT_EQ(change_from_json(value).error().kind(), ErrorKind::Protocol);
}

}  // namespace
}  // namespace bailey
