// Receipts of the real engine, read by the verifier that shares nothing with it.

#include "orchestrator/promote/evidence/receipt.hpp"
#include "orchestrator/serve/engine/manage_changes.hpp"
#include "tests/support/engine_world.hpp"

namespace bailey {
namespace {

using test::code_of;
using test::EngineWorld;

TEST(ReceiptsOutside, EveryReceiptOfAPromotionHoldsForTheIndependentVerifier) {
  EngineWorld world;
  const auto digest = world.registry.push("one");
  world.reach_staging(digest);
  world.clock.advance(std::chrono::hours(1));
  ASSERT_TRUE(
      world.submit("service:ci", digest, {world.authorship(digest, {"alice@acme.example"})}));
  const auto first = world.waiting_in("production");
  ASSERT_TRUE(cancel_change(world.engine(), EngineWorld::as("alice"), first.id));
  world.clock.advance(std::chrono::hours(25));
  const auto promoted = world.promote("service:ci", digest, "production");
  ASSERT_TRUE(promoted && *promoted) << code_of(promoted);
  const auto id = (*promoted)->id;
  ASSERT_TRUE(world.decide(id, "carol"));
  ASSERT_TRUE(world.decide(id, "dave"));
  auto claim = claim_by_operator(world.engine(), EngineWorld::as("erin"), id, {});
  ASSERT_TRUE(claim) << claim.error().render();
  const auto done = run_change(world.engine(), *std::move(claim), {}, {});
  ASSERT_TRUE(done && done->state == ChangeState::Done);

  const auto key = world.log_key->verifier().str();
  std::vector<std::string> arguments{"/usr/bin/python3",
                                     BAILEY_SOURCE_DIR "/tests/verifier/verify_receipt.py", key};
  bool production = false;
  for (const auto& change : world.changes()) {
    if (change.receipt.empty()) continue;
    const auto receipt = show_receipt(world.engine(), EngineWorld::as("amy"), change.receipt);
    ASSERT_TRUE(receipt) << receipt.error().render();
    const auto report = verify_receipt(*receipt, key);
    EXPECT_TRUE(report && report->ok) << change.environment << to_json(*report).dump(1);
    arguments.push_back((world.folder() / (change.id.str() + ".json")).string());
    ASSERT_TRUE(write_file(arguments.back(), receipt->dump()));
    production = production || change.environment == "production";
  }
  EXPECT_TRUE(production);
  EXPECT_GT(arguments.size(), 6U);
  const auto read = test::run(arguments);
  EXPECT_EQ(read.exit_code, 0) << read.output << read.errors;
}

}  // namespace
}  // namespace bailey
