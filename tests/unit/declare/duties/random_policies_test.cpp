#include "orchestrator/declare/duties/report.hpp"
#include "orchestrator/declare/duties/satisfiability.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>

// Small random organizations against a judge that tries everything and shares no code with what is
// judged: no graph, no matching, no memory.

namespace bailey {
namespace {

using Names = std::set<std::string>;

class RandomOrganization {
 public:
  explicit RandomOrganization(std::uint32_t seed) : random_(seed) {}

  Bundle bundle() {
    Bundle bundle;
    const auto people = below(4) + 3;
    for (int i = 0; i < people; ++i) {
      Person person;
      if (below(5) > 0) person.keys = {"ssh-ed25519 AAAA"};
      bundle.directory.people["p" + std::to_string(i)] = person;
    }
    subjects_.clear();
    for (const auto& [name, person] : bundle.directory.people) {
      subjects_.push_back({SubjectKind::Person, name});
    }
    const auto named = below(5);
    for (int i = 0; i < named; ++i) {
      // Only what is there already is named: no group holds itself.
      if (below(2) == 0) {
        const auto name = "s" + std::to_string(i);
        bundle.directory.services[name].controlled_by = some(2);
        subjects_.push_back({SubjectKind::Service, name});
      } else {
        const auto name = "g" + std::to_string(i);
        bundle.directory.groups[name] = some(4);
        subjects_.push_back({SubjectKind::Group, name});
      }
    }
    Template roles;
    roles.name = "t";
    roles.roles["asker"] = Role{{Power::Request}, {}};
    roles.roles["approver"] = Role{{Power::Approve}, {}};
    roles.roles["deployer"] = Role{{Power::Deploy, Power::Request}, {}};
    roles.roles["operator"] = Role{{Power::Operate}, {}};
    bundle.templates["t"] = roles;
    Project project;
    project.name = "p";
    project.authors = some(2);
    bundle.projects["p"] = project;
    for (const char* name : {"one", "two"}) bundle.environments[name] = environment(name);
    bundle.organization = Organization{"o", some(2), below(3) + 1};
    return bundle;
  }

 private:
  int below(int end) { return static_cast<int>(random_() % static_cast<unsigned>(end)); }
  Subject one() {
    return subjects_[static_cast<std::size_t>(below(static_cast<int>(subjects_.size())))];
  }
  /// More often a group than not, where there is one.
  Subject many() {
    auto subject = one();
    for (int i = 0; i < 3 && subject.kind != SubjectKind::Group; ++i) subject = one();
    return subject;
  }
  std::vector<Subject> some(int most) {
    std::vector<Subject> found(static_cast<std::size_t>(below(most + 1)));
    for (auto& each : found) each = one();
    return found;
  }
  Environment environment(const std::string& name) {
    Environment made;
    made.name = name;
    made.project = "p";
    made.template_name = "t";
    made.environment_class =
        below(2) == 0 ? EnvironmentClass::Production : EnvironmentClass::Staging;
    made.execute = below(3) == 0 ? Execution::ByOperator : Execution::OnApproval;
    for (const char* role : {"asker", "deployer", "operator"}) made.bindings[role] = some(2);
    made.bindings["approver"] = some(5);
    made.bindings["approver"].push_back(one());
    made.bindings["approver"].push_back(one());
    if (below(3) == 0) made.grantable["operator"] = {some(2), below(3) + 1, {}};
    if (below(3) == 0) made.break_glass = BreakGlass{some(3), below(3) + 1, {}, {one(), 1}, {}};
    const auto conditions = below(4) == 0 ? 2 : 1;
    for (int i = 0; i < conditions; ++i) {
      ApprovalsCondition condition;
      const auto rules = below(3) == 0 ? 2 : 1;
      for (int k = 0; k < rules; ++k) condition.rules.push_back({many(), below(4) == 0 ? 2 : 1});
      made.gate.emplace_back(condition);
    }
    return made;
  }

  std::mt19937 random_;
  std::vector<Subject> subjects_;
};

/// Tries everything.
class BruteForce {
 public:
  explicit BruteForce(const Bundle& bundle) : bundle_(bundle) {}

  /// People and services of a subject, groups opened.
  [[nodiscard]] std::set<Subject> opened(const Subject& subject) const {
    if (subject.kind != SubjectKind::Group) return {subject};
    std::set<Subject> all;
    for (const auto& member : bundle_.directory.groups.at(subject.name)) all.merge(opened(member));
    return all;
  }
  [[nodiscard]] std::set<Subject> opened(const std::vector<Subject>& subjects) const {
    std::set<Subject> all;
    for (const auto& subject : subjects) all.merge(opened(subject));
    return all;
  }
  [[nodiscard]] Names behind(const Subject& subject) const {
    Names all;
    for (const auto& each : opened(subject)) {
      if (each.kind == SubjectKind::Person) {
        all.insert(each.name);
        continue;
      }
      for (const auto& controller : bundle_.directory.services.at(each.name).controlled_by) {
        all.merge(behind(controller));
      }
    }
    return all;
  }
  [[nodiscard]] Names people(const std::vector<Subject>& subjects) const {
    Names names;
    for (const auto& each : opened(subjects)) {
      if (each.kind == SubjectKind::Person) names.insert(each.name);
    }
    return names;
  }
  [[nodiscard]] std::vector<Subject> bound(const Environment& environment, Power power) const {
    std::vector<Subject> all;
    for (const auto& [role, subjects] : environment.bindings) {
      if (!bundle_.templates.at("t").roles.at(role).powers.contains(power)) continue;
      all.insert(all.end(), subjects.begin(), subjects.end());
    }
    return all;
  }
  [[nodiscard]] Names approvers(const Environment& environment) const {
    Names names;
    for (const auto& name : people(bound(environment, Power::Approve))) {
      if (!bundle_.directory.people.at(name).keys.empty()) names.insert(name);
    }
    return names;
  }

  struct Answer {
    bool possible = false;
    Names stuck_authors;
    std::set<Subject> stuck_requesters;
  };

  [[nodiscard]] Answer judge(const Environment& environment) const {
    Answer answer;
    std::vector<std::optional<std::string>> authors;
    for (const auto& name : people(bundle_.projects.at("p").authors)) authors.emplace_back(name);
    if (authors.empty()) authors.emplace_back();
    auto requesters = choices(bound(environment, Power::Request));
    if (requesters.empty()) requesters.emplace_back();
    std::vector<std::optional<Subject>> executors;
    if (environment.execute == Execution::ByOperator) {
      executors = choices(bound(environment, Power::Deploy));
      std::erase_if(executors, [&](const auto& each) { return behind(*each).empty(); });
    } else {
      executors.emplace_back();
    }
    std::set<std::optional<std::string>> good_authors;
    std::set<std::optional<Subject>> good_requesters;
    for (const auto& author : authors) {
      for (const auto& requester : requesters) {
        for (const auto& executor : executors) {
          Names out;
          if (executor) out = behind(*executor);
          if (author && out.contains(*author)) continue;
          if (author) out.insert(*author);
          if (requester) out.merge(behind(*requester));
          if (!passes(environment, out)) continue;
          answer.possible = true;
          good_authors.insert(author);
          good_requesters.insert(requester);
        }
      }
    }
    if (!answer.possible) return answer;
    for (const auto& author : authors) {
      if (author && !good_authors.contains(author)) answer.stuck_authors.insert(*author);
    }
    for (const auto& requester : requesters) {
      if (requester && !good_requesters.contains(requester)) {
        answer.stuck_requesters.insert(*requester);
      }
    }
    return answer;
  }

  /// Everybody who may come to hold a power in an environment.
  [[nodiscard]] Names holders(const Environment& environment, Power power) const {
    Names names;
    for (const auto& subject : bound(environment, power)) names.merge(behind(subject));
    if (power == Power::Operate && environment.grantable.contains("operator")) {
      const auto& grant = environment.grantable.at("operator");
      for (const auto& subject : grant.to) {
        for (const auto& person : behind(subject)) {
          auto agree = approvers(environment);
          agree.erase(person);
          if (static_cast<int>(agree.size()) >= grant.approvals) names.insert(person);
        }
      }
    }
    if (power == Power::Operate && environment.break_glass) {
      const auto& glass = *environment.break_glass;
      for (const auto& person : people(glass.who)) {
        Names agree;
        for (const auto& other : people(glass.who)) {
          if (other != person && !bundle_.directory.people.at(other).keys.empty()) {
            agree.insert(other);
          }
        }
        if (static_cast<int>(agree.size()) >= glass.approvals) names.insert(person);
      }
    }
    if (bundle_.organization->approvals == 1) {
      for (const auto& subject : bundle_.organization->administrators) {
        names.merge(behind(subject));
      }
    }
    return names;
  }

 private:
  [[nodiscard]] std::vector<std::optional<Subject>> choices(
      const std::vector<Subject>& subjects) const {
    std::vector<std::optional<Subject>> out;
    for (const auto& each : opened(subjects)) out.emplace_back(each);
    return out;
  }
  [[nodiscard]] bool passes(const Environment& environment, const Names& out) const {
    for (const auto& condition : environment.gate) {
      std::vector<Names> slots;
      for (const auto& rule : std::get<ApprovalsCondition>(condition).rules) {
        Names can;
        for (const auto& name : people({rule.from})) {
          if (approvers(environment).contains(name) && !out.contains(name)) can.insert(name);
        }
        for (int i = 0; i < rule.count; ++i) slots.push_back(can);
      }
      const std::function<bool(std::size_t, Names)> fill = [&](std::size_t at, const Names& used) {
        if (at == slots.size()) return true;
        for (const auto& name : slots[at]) {
          if (used.contains(name)) continue;
          auto more = used;
          more.insert(name);
          if (fill(at + 1, more)) return true;
        }
        return false;
      };
      if (!fill(0, {})) return false;
    }
    return true;
  }

  const Bundle& bundle_;
};

Names names_of(const duties::SubjectGraph& graph, const duties::Nodes& nodes) {
  Names names;
  for (const auto node : nodes) names.insert(to_string(graph.subject(node)));
  return names;
}

Names names_of(const std::set<Subject>& subjects) {
  Names names;
  for (const auto& subject : subjects) names.insert(to_string(subject));
  return names;
}

constexpr std::uint32_t kPolicies = 10'000;

TEST(RandomPolicies, AreSatisfiableAsBruteForceSays) {
  int possible = 0;
  int stuck = 0;
  for (std::uint32_t seed = 0; seed < kPolicies; ++seed) {
    const auto bundle = RandomOrganization(seed).bundle();
    const BundlePlaces places;
    duties::Standings standings(bundle, places);
    const BruteForce brute(bundle);
    for (const auto& [name, environment] : bundle.environments) {
      const auto expected = brute.judge(environment);
      const auto found = duties::can_be_met(standings, environment, environment.gate);
      ASSERT_EQ(found.possible, expected.possible) << "seed " << seed << " " << name;
      ASSERT_EQ(names_of(standings.graph(), found.stuck_authors), expected.stuck_authors)
          << "seed " << seed << " " << name;
      ASSERT_EQ(names_of(standings.graph(), found.stuck_requesters),
                names_of(expected.stuck_requesters))
          << "seed " << seed << " " << name;
      possible += expected.possible ? 1 : 0;
      stuck += expected.stuck_authors.size() + expected.stuck_requesters.size() > 0 ? 1 : 0;
    }
  }
  // The judge saw enough of each kind to be worth asking.
  EXPECT_GT(possible, 1500);
  EXPECT_LT(possible, 18'500);
  EXPECT_GT(stuck, 200);
}

TEST(RandomPolicies, NeverBecomeSatisfiableByOneMoreRule) {
  int refused = 0;
  for (std::uint32_t seed = 0; seed < kPolicies; ++seed) {
    auto bundle = RandomOrganization(seed).bundle();
    const BundlePlaces places;
    auto& environment = bundle.environments.at("one");
    const auto before = [&] {
      duties::Standings standings(bundle, places);
      return duties::can_be_met(standings, environment, environment.gate);
    }();
    std::mt19937 random(seed);
    auto& rules = std::get<ApprovalsCondition>(environment.gate.front()).rules;
    const auto& donor = bundle.environments.at("two").gate.back();
    const auto& more = std::get<ApprovalsCondition>(donor).rules.front();
    rules.insert(rules.begin() + static_cast<std::ptrdiff_t>(random() % (rules.size() + 1)), more);
    duties::Standings standings(bundle, places);
    const auto after = duties::can_be_met(standings, environment, environment.gate);
    ASSERT_FALSE(!before.possible && after.possible) << "seed " << seed;
    refused += before.possible ? 0 : 1;
  }
  EXPECT_GT(refused, 500);
}

TEST(RandomPolicies, AreReachedByWhomBruteForceFinds) {
  int held = 0;
  for (std::uint32_t seed = 0; seed < kPolicies; ++seed) {
    const auto bundle = RandomOrganization(seed).bundle();
    const BundlePlaces places;
    duties::Standings standings(bundle, places);
    const BruteForce brute(bundle);
    for (const auto power : {Power::Approve, Power::Deploy, Power::Operate, Power::Request}) {
      Names of_class;
      for (const auto& [name, environment] : bundle.environments) {
        const auto expected = brute.holders(environment, power);
        const auto found = standings.holding({std::string(to_string(power)), name});
        ASSERT_EQ(names_of(standings.graph(), duties::people_of(found->reach)), expected)
            << "seed " << seed << " " << to_string(power) << "@" << name;
        held += static_cast<int>(expected.size());
        if (environment.environment_class == EnvironmentClass::Production) {
          of_class.insert(expected.begin(), expected.end());
        }
        // Whoever is found can be explained, and the explanation begins with them.
        for (const auto& [person, index] : found->reach.people) {
          const auto steps = standings.explain(*found, person);
          ASSERT_FALSE(steps.empty()) << "seed " << seed;
          ASSERT_EQ(steps[0].find(standings.graph().subject(person).name + " "), 0U)
              << "seed " << seed << ": " << steps[0];
        }
      }
      const auto found = standings.holding({std::string(to_string(power)), "production"});
      ASSERT_EQ(names_of(standings.graph(), duties::people_of(found->reach)), of_class)
          << "seed " << seed << " " << to_string(power);
    }
    const auto authors = standings.authors("p");
    Names expected;
    for (const auto& subject : bundle.projects.at("p").authors)
      expected.merge(brute.behind(subject));
    ASSERT_EQ(names_of(standings.graph(), duties::people_of(authors->reach)), expected)
        << "seed " << seed;
  }
  EXPECT_GT(held, 50'000);
}

TEST(RandomPolicies, BreakExactlyTheDutiesThatBruteForceSeesBroken) {
  int broken = 0;
  for (std::uint32_t seed = 0; seed < kPolicies; ++seed) {
    auto bundle = RandomOrganization(seed).bundle();
    bundle.duties.exclusive = {{"d", {{"approve", "one"}, {"operate", "two"}}, {}}};
    const BruteForce brute(bundle);
    Names both;
    const auto operators = brute.holders(bundle.environments.at("two"), Power::Operate);
    for (const auto& name : brute.holders(bundle.environments.at("one"), Power::Approve)) {
      if (operators.contains(name)) both.insert(name);
    }
    const BundlePlaces places;
    duties::Standings standings(bundle, places);
    Diagnostics diagnostics;
    duties::check_exclusive(standings, diagnostics);
    ASSERT_EQ(diagnostics.empty(), both.empty()) << "seed " << seed;
    for (const auto& name : both) {
      const auto findings = diagnostics.sorted();
      ASSERT_TRUE(std::any_of(
          findings.begin(), findings.end(),
          [&](const auto& finding) { return finding.detail.find(name) != std::string::npos; }))
          << "seed " << seed << " " << name;
    }
    broken += both.empty() ? 0 : 1;
  }
  EXPECT_GT(broken, 1000);
}

}  // namespace
}  // namespace bailey
