#include "orchestrator/promote/evidence/predicates.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/promote/evidence/verification.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

std::string judged(std::string_view type, nlohmann::json predicate) {
  const Statement statement{
      {{"web", digest_of(std::string_view("web"))}}, std::string(type), std::move(predicate)};
  const auto status = check_predicate(statement);
  return status ? "stands" : status.error().code();
}

TEST(CheckPredicate, LetsNoBadOutcomeStand) {
  EXPECT_EQ(judged(kTestResultPredicate, {{"result", "PASSED"}}), "stands");
  EXPECT_EQ(judged(kTestResultPredicate, {{"result", "FAILED"}}), "evidence.negative");
  EXPECT_EQ(judged(kTestResultPredicate, {{"result", "WARNED"}}), "evidence.negative");
  EXPECT_EQ(judged(kTestResultPredicate, {{"result", true}}), "evidence.malformed");
  EXPECT_EQ(judged(kSummaryPredicate, {{"verificationResult", "PASSED"}}), "stands");
  EXPECT_EQ(judged(kSummaryPredicate, {{"verificationResult", "FAILED"}}), "evidence.negative");
  EXPECT_EQ(judged(kSummaryPredicate, {{"result", "PASSED"}}), "evidence.malformed");
}

TEST(CheckPredicate, AsksWhatATypeMustSay) {
  const nlohmann::json provenance{{"buildDefinition", {{"buildType", "urn:make"}}},
                                  {"runDetails", {{"builder", {{"id", "urn:ci"}}}}}};
  EXPECT_EQ(judged(kProvenancePredicate, provenance), "stands");
  for (const char* part : {"buildDefinition", "runDetails"}) {
    auto cut = provenance;
    cut.erase(part);
    EXPECT_EQ(judged(kProvenancePredicate, cut), "evidence.malformed") << part;
  }
  for (const auto type : {kVulnerabilitiesPredicate, kCosignScanPredicate}) {
    EXPECT_EQ(judged(type, {{"scanner", {{"uri", "urn:scan"}}}}), "stands");
    EXPECT_EQ(judged(type, nlohmann::json::object()), "evidence.malformed");
  }
  EXPECT_NE(judged(kAuthorshipPredicate, {{"commits", nlohmann::json::array()}}), "stands");
}

TEST(CheckPredicate, ReadsOurOwnVerifications) {
  VerificationStatement verification;
  verification.environment = "test";
  verification.environment_uid = EnvironmentUid("uid");
  verification.change = ChangeId("chg-1");
  verification.plan_digest = digest_of(std::string_view("plan"));
  verification.verified_at = "2026-01-01T00:00:00Z";
  verification.digests = {digest_of(std::string_view("web"))};
  verification.results = {{{"checks/smoke"}, 0, "fine"}};
  EXPECT_TRUE(check_predicate(to_statement(verification)));
  verification.results[0].exit_code = 1;
  const auto failed = check_predicate(to_statement(verification));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), "evidence.negative");
}

TEST(CheckPredicate, LeavesUnknownTypesToWhoeverSignsThem) {
  EXPECT_EQ(judged("urn:acme:licences:v1", {{"result", "FAILED"}}), "stands");
}

}  // namespace
}  // namespace bailey
