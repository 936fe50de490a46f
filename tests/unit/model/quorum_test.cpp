#include "orchestrator/model/quorum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>

namespace bailey {
namespace {

using Names = std::set<std::string>;

QuorumRule rule(int count, const Names& eligible) {
  return {"rule", count, {eligible.begin(), eligible.end()}};
}

bool met(const std::vector<QuorumRule>& rules, const Names& agreed) {
  return match_quorum(rules, agreed).met;
}

/// Tries every way of giving people to slots.
bool brute_force(const std::vector<QuorumRule>& rules, const Names& agreed) {
  std::vector<const NameSet*> slots;
  for (const auto& each : rules)
    slots.insert(slots.end(), static_cast<std::size_t>(each.count), &each.eligible);
  std::function<bool(std::size_t, Names)> fill = [&](std::size_t slot, const Names& left) {
    if (slot == slots.size()) return true;
    for (const auto& person : left) {
      if (!slots[slot]->contains(person)) continue;
      auto rest = left;
      rest.erase(person);
      if (fill(slot + 1, rest)) return true;
    }
    return false;
  };
  return fill(0, agreed);
}

TEST(Quorum, CountsNobodyForTwoRules) {
  const std::vector<QuorumRule> rules{rule(1, {"ann", "bob"}), rule(1, {"ann"})};
  EXPECT_FALSE(met(rules, {"ann"}));
  EXPECT_FALSE(met(rules, {"bob"}));
  EXPECT_TRUE(met(rules, {"ann", "bob"}));
}

// A greedy solver gives ann to the first rule and then finds nobody for the second.
TEST(Quorum, SolvesOverlappingGroupsThatGreedyChoiceDoesNot) {
  EXPECT_TRUE(met({rule(1, {"ann", "bob"}), rule(1, {"ann"})}, {"ann", "bob"}));
  EXPECT_TRUE(met({rule(1, {"a", "b"}), rule(1, {"a", "c"}), rule(1, {"a"})}, {"a", "b", "c"}));
}

TEST(Quorum, IsMetByMoreThanEnough) {
  EXPECT_TRUE(met({rule(1, {"a", "b", "c"})}, {"a", "b", "c"}));
  EXPECT_EQ(match_quorum({rule(1, {"a", "b", "c"})}, {"a", "b", "c"}).rules[0].filled_by.size(),
            1U);
}

TEST(Quorum, IsNeverMetByNoRuleOrARuleForNobody) {
  EXPECT_FALSE(met({}, {"a", "b"}));
  EXPECT_FALSE(met({rule(0, {"a"})}, {"a"}));
  EXPECT_FALSE(met({rule(-1, {"a"})}, {"a"}));
  EXPECT_FALSE(met({rule(1, {"a"}), rule(0, {"b"})}, {"a", "b"}));
}

TEST(Quorum, IsNeverMetByAnEmptyGroupOrStrangers) {
  EXPECT_FALSE(met({rule(1, {})}, {"a"}));
  EXPECT_FALSE(met({rule(1, {"a"})}, {"b", "c"}));
}

TEST(Quorum, NeedsTwoPeopleForTwoMergedRulesOverTheSameGroup) {
  const std::vector<QuorumRule> rules{rule(1, {"a", "b"}), rule(1, {"a", "b"})};
  EXPECT_FALSE(met(rules, {"a"}));
  EXPECT_TRUE(met(rules, {"a", "b"}));
}

TEST(Quorum, NamesWhoCouldStillFillIt) {
  const auto result = match_quorum({rule(1, {"ann", "bob"}), rule(1, {"ann"})}, {"ann"});
  ASSERT_EQ(result.rules.size(), 2U);
  int missing = 0;
  for (const auto& filling : result.rules) {
    missing += filling.missing;
    // Whichever rule ann fills, bob is who helps: at once, or by setting her free.
    if (filling.missing == 0) continue;
    EXPECT_EQ(filling.could_fill, std::vector<std::string>{"bob"});
  }
  EXPECT_EQ(missing, 1);
}

TEST(Quorum, NamesNobodyWhenNobodyIsLeft) {
  const auto result = match_quorum({rule(2, {"ann"})}, {"ann"});
  EXPECT_EQ(result.rules[0].missing, 1);
  EXPECT_TRUE(result.rules[0].could_fill.empty());
}

class RandomPolicies : public ::testing::Test {
 protected:
  Names some_people() {
    Names people;
    for (const char* name : {"a", "b", "c", "d", "e"}) {
      if (random_() % 2 == 0) people.insert(name);
    }
    return people;
  }
  std::vector<QuorumRule> some_rules() {
    std::vector<QuorumRule> rules(1 + random_() % 4);
    for (auto& each : rules) each = rule(1 + static_cast<int>(random_() % 2), some_people());
    return rules;
  }
  std::mt19937 random_{20261124};
};

TEST_F(RandomPolicies, AgreeWithBruteForce) {
  for (int round = 0; round < 10'000; ++round) {
    const auto rules = some_rules();
    const auto agreed = some_people();
    ASSERT_EQ(met(rules, agreed), brute_force(rules, agreed)) << "round " << round;
  }
}

TEST_F(RandomPolicies, NeverBecomeEasierByOneMoreRule) {
  for (int round = 0; round < 10'000; ++round) {
    auto rules = some_rules();
    const auto agreed = some_people();
    const bool before = met(rules, agreed);
    const auto at = static_cast<std::ptrdiff_t>(random_() % (rules.size() + 1));
    rules.insert(rules.begin() + at, rule(static_cast<int>(random_() % 3), some_people()));
    ASSERT_FALSE(!before && met(rules, agreed)) << "round " << round;
  }
}

TEST_F(RandomPolicies, AreNeverHurtByOneMoreAgreement) {
  for (int round = 0; round < 3000; ++round) {
    const auto rules = some_rules();
    auto agreed = some_people();
    const bool before = met(rules, agreed);
    agreed.merge(some_people());
    ASSERT_FALSE(before && !met(rules, agreed)) << "round " << round;
  }
}

TEST_F(RandomPolicies, AreHelpedByExactlyThoseWhoAreNamed) {
  const auto missing_in = [](const QuorumResult& result) {
    int missing = 0;
    for (const auto& filling : result.rules) missing += filling.missing;
    return missing;
  };
  for (int round = 0; round < 2000; ++round) {
    const auto rules = some_rules();
    const auto agreed = some_people();
    const auto result = match_quorum(rules, agreed);
    Names named;
    for (const auto& filling : result.rules) {
      named.insert(filling.could_fill.begin(), filling.could_fill.end());
    }
    for (const char* name : {"a", "b", "c", "d", "e"}) {
      if (agreed.contains(name)) continue;
      auto more = agreed;
      more.insert(name);
      const bool helps = missing_in(match_quorum(rules, more)) < missing_in(result);
      ASSERT_EQ(helps, named.contains(name)) << "round " << round << " " << name;
    }
  }
}

TEST_F(RandomPolicies, FillNoPersonTwiceAndNobodyIneligible) {
  for (int round = 0; round < 3000; ++round) {
    const auto rules = some_rules();
    const auto agreed = some_people();
    const auto result = match_quorum(rules, agreed);
    Names used;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      for (const auto& person : result.rules[i].filled_by) {
        ASSERT_TRUE(used.insert(person).second);
        ASSERT_TRUE(rules[i].eligible.contains(person) && agreed.contains(person));
      }
    }
  }
}

}  // namespace
}  // namespace bailey
