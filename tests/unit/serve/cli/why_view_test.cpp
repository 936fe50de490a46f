#include "orchestrator/serve/cli/views/why_view.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/gate/why.hpp"
#include "tests/support/golden.hpp"
#include "tests/unit/promote/gate_story.hpp"

namespace bailey {
namespace {

using std::chrono::hours;
using test::group;
using test::person;

/// From the gate's evaluator to what somebody reads: one example of each thing that can block.
class WhyView : public test::GateStory {
 protected:
  WhyView() {
    change_.environment = "production";
    change_.kind = ChangeKind::Promotion;
    change_.state = ChangeState::Waiting;
    change_.created_at = "2026-03-04T08:30:00Z";
    environment_.execute = Execution::OnApproval;
  }

  [[nodiscard]] std::string why(bool declared = true, bool current = true) const {
    const auto gate = judge();
    const Case about{bundle_, environment_, change_, change_.authors};
    Json blockers = Json::array();
    for (const auto& each : why_blocked({about, gate, approvals_, declared, current})) {
      blockers.push_back(to_json(each));
    }
    return render_why({{"id", change_.id.str()},
                       {"kind", to_string(change_.kind)},
                       {"environment", change_.environment},
                       {"state", to_string(change_.state)},
                       {"blocked_by", std::move(blockers)}});
  }
  [[nodiscard]] std::vector<std::string> blockers(bool declared = true, bool current = true) const {
    const Case about{bundle_, environment_, change_, change_.authors};
    std::vector<std::string> names;
    for (const auto& each : why_blocked({about, judge(), approvals_, declared, current})) {
      names.push_back(each.what);
    }
    return names;
  }
};

TEST_F(WhyView, HasPlainWordsForEachThingThatBlocks) {
  std::string text;
  const auto tell = [&](const char* when, auto alter, bool declared = true, bool current = true) {
    const auto bundle = bundle_;
    const auto environment = environment_;
    const auto change = change_;
    const auto verified = verified_;
    const auto approvals = approvals_;
    const auto evidence = evidence_;
    const auto checks = checks_;
    const auto now = now_;
    alter();
    text += std::string("# ") + when + "\n" + why(declared, current) + "\n";
    bundle_ = bundle;
    environment_ = environment;
    change_ = change;
    verified_ = verified;
    approvals_ = approvals;
    evidence_ = evidence;
    checks_ = checks;
    now_ = now;
  };
  const auto nothing = [] {};
  tell("nothing", nothing);
  tell("not verified, so its time has not begun", [&] { verified_.erase(web_); });
  tell("not long enough in staging", [&] { verified_[web_] = "2026-03-03T18:00:00Z"; });
  tell("an approval is missing", [&] { approvals_.pop_back(); });
  tell("nobody has approved", [&] { approvals_.clear(); });
  tell("too few people may", [&] {
    approvals_.clear();
    bundle_.directory.groups["guards"] = {person("alice")};
  });
  tell("the evidence is missing", [&] { evidence_.clear(); });
  tell("a program has not answered", [&] { checks_.clear(); });
  tell("a program said no", [&] { checks_ = {{4, {false, "CHG-7 is closed"}}}; });
  tell("outside of its window", [&] { now_ = test::time_of("2026-03-04T16:30:00Z"); });
  tell("the window of a zone that is not known",
       [&] { std::get<WindowCondition>(environment_.gate[5]).zone = "Nowhere/Land"; });
  tell("frozen", [&] {
    bundle_.freezes["year-end"] = {"year-end",
                                   {EnvironmentClass::Production},
                                   {},
                                   test::kNow - hours(2),
                                   test::kNow + hours(20),
                                   "year-end close"};
  });
  tell("the gate is below the floor of its class", [&] { environment_.gate.clear(); });
  tell("an operator has to", [&] {
    environment_.execute = Execution::ByOperator;
    bundle_.templates["web"].roles["deployer"] = {{Power::Deploy}, {}};
    environment_.bindings["deployer"] = {person("alice"), person("bob"), person("erin")};
  });
  tell("rejected", [&] {
    change_.state = ChangeState::Rejected;
    change_.history = {{ChangeState::Rejected, "2026-03-04T09:45:00Z", "by bob"}};
    approvals_ = {approval("bob", Decision::Reject)};
    approvals_[0].reason = "not before the fair";
  });
  tell("no longer declared", nothing, false);
  tell("planned from what has changed", nothing, true, false);
  tell("many things at once", [&] {
    verified_[web_] = "2026-03-03T18:00:00Z";
    approvals_.clear();
    evidence_.clear();
    checks_.clear();
  });
  test::expect_golden("cli/why.txt", text);
}

using Names = std::vector<std::string>;

TEST_F(WhyView, NamesExactlyWhatIsNotMet) {
  EXPECT_EQ(blockers(), Names{});
  approvals_.clear();
  evidence_.clear();
  EXPECT_EQ(blockers(), (Names{"approvals", "evidence"}));
  EXPECT_EQ(blockers(true, false), (Names{"stale", "approvals", "evidence"}));
  EXPECT_EQ(blockers(false), Names{"removed"});
  change_.kind = ChangeKind::Destroy;
  EXPECT_EQ(blockers(false), (Names{"approvals", "evidence"}));
  environment_.execute = Execution::ByOperator;
  EXPECT_EQ(blockers(), (Names{"approvals", "evidence", "by-operator"}));
}

TEST_F(WhyView, SaysNothingOfWhatRunsOrHasEnded) {
  approvals_.clear();
  for (const auto state : {ChangeState::Executing, ChangeState::Verifying, ChangeState::Done,
                           ChangeState::Failed, ChangeState::Cancelled, ChangeState::Superseded}) {
    change_.state = state;
    EXPECT_EQ(blockers(), Names{}) << to_string(state);
  }
  change_.state = ChangeState::Rejected;
  EXPECT_EQ(blockers(), Names{"rejected"});
}

}  // namespace
}  // namespace bailey
