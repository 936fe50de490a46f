#include "orchestrator/serve/engine/read_journal.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/provision/apply/journal.hpp"
#include "tests/support/engine_world.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using test::EngineWorld;

Json journal(EngineWorld& world, const std::string& who, const JournalFilter& filter) {
  auto read = read_journal(world.engine(), EngineWorld::as(who), filter);
  EXPECT_TRUE(read) << read.error().render();
  return read ? *std::move(read) : Json();
}

TEST(ReadJournal, ShowsWhatWasDoneInTheOrderOfItsStart) {
  EngineWorld world;
  world.init();
  for (const char* name : {"dev", "test"}) {
    ASSERT_TRUE(world.apply("alice", name));
    world.clock.advance(std::chrono::seconds(1));
  }
  world.drive();
  const auto all = journal(world, "alice", {});
  EXPECT_EQ(all["intents"], Json::array());
  ASSERT_EQ(all["changes"].size(), 2U);
  EXPECT_EQ(all["changes"][0]["environment"], "test");
  const auto& dev = all["changes"][1];
  EXPECT_EQ(dev["environment"], "dev");
  const auto& operations = dev["operations"];
  // The server waits for its artifact.
  ASSERT_EQ(operations.size(), 2U);
  std::set<std::string> types;
  for (const auto& operation : operations) types.insert(operation["type"].get<std::string>());
  EXPECT_EQ(types, (std::set<std::string>{"network", "secret"}));
  EXPECT_LE(operations[0]["started_ms"], operations[1]["started_ms"]);
  const auto one = journal(world, "alice", {.environment = "dev", .change = {}});
  ASSERT_EQ(one["changes"].size(), 1U);
  EXPECT_EQ(one["changes"][0], dev);
  const ChangeId id(all["changes"][0]["id"].get<std::string>());
  const auto other = journal(world, "alice", {.environment = {}, .change = id});
  ASSERT_EQ(other["changes"].size(), 1U);
  EXPECT_EQ(other["changes"][0]["environment"], "test");
  const auto newest = journal(world, "alice", {.environment = {}, .change = {}, .changes = 1});
  EXPECT_EQ(newest["changes"].size(), 1U);
}

TEST(ReadJournal, ShowsWhatACrashLeftOpenAndWhatSettlesIt) {
  EngineWorld world;
  world.init();
  ASSERT_TRUE(world.apply("alice", "dev"));
  auto claim = claim_change(world.engine(), world.waiting_in("dev").id, std::nullopt, {});
  ASSERT_TRUE(claim);
  Intent intent;
  intent.address = *ResourceAddress::parse("dev/web");
  intent.type = "server";
  intent.marker = Marker{world.state_of("dev").uid, intent.address, 1};
  intent.time = world.engine().now();
  const auto settled_by = [&](Verb verb, Phase phase) {
    intent.verb = verb;
    intent.phase = phase;
    EXPECT_TRUE(in_transaction(*world.store, Access::Write, [&](Transaction& transaction) {
      return transaction.put(Collection::Intent, intent.address.str(), to_json(intent));
    }));
    const auto read = journal(world, "alice", {.environment = "dev", .change = {}});
    EXPECT_EQ(read["intents"].size(), 1U);
    EXPECT_EQ(read["intents"][0]["verb"], to_string(verb));
    EXPECT_EQ(read["intents"][0]["since"], intent.time);
    return read["intents"][0]["settled_by"].get<std::string>();
  };
  std::set<std::string> answers;
  answers.insert(settled_by(Verb::Create, Phase::Intent));
  answers.insert(settled_by(Verb::Create, Phase::Sent));
  answers.insert(settled_by(Verb::Create, Phase::Observed));
  answers.insert(settled_by(Verb::Update, Phase::Sent));
  answers.insert(settled_by(Verb::Delete, Phase::Sent));
  answers.insert(settled_by(Verb::Retire, Phase::Sent));
  EXPECT_EQ(answers.size(), 6U);
  EXPECT_FALSE(answers.contains(""));
  EXPECT_EQ(journal(world, "alice", {.environment = "test", .change = {}})["intents"],
            Json::array());
}

TEST(ReadJournal, IsForThoseWhoMayRead) {
  EngineWorld world;
  world.reach_test(world.registry.push("one"));
  const auto read = [&](const std::string& who, const JournalFilter& filter) {
    return read_journal(world.engine(), EngineWorld::as(who), filter);
  };
  const auto nothing = read("mallory", {});
  ASSERT_TRUE(nothing);
  EXPECT_EQ((*nothing)["changes"], Json::array());
  const auto refused = read("mallory", {.environment = "dev", .change = {}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind(), ErrorKind::PermissionDenied);
  EXPECT_EQ(world.logged("journal.read", Outcome::Refused), 1U);
  const auto id = world.changes().front().id;
  const auto hidden = read("mallory", {.environment = {}, .change = id});
  ASSERT_FALSE(hidden);
  EXPECT_EQ(hidden.error().kind(), ErrorKind::PermissionDenied);
  for (const auto& filter : {JournalFilter{.environment = "nowhere", .change = {}},
                             JournalFilter{.environment = {}, .change = ChangeId("chg-none")}}) {
    const auto missing = read("alice", filter);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind(), ErrorKind::NotFound);
  }
}

}  // namespace
}  // namespace bailey
