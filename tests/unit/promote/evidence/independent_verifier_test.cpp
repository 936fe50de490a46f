#include "orchestrator/base/file.hpp"
#include "orchestrator/base/text.hpp"
#include "tests/unit/promote/receipt_story.hpp"

#include <gtest/gtest.h>

#include <map>

namespace bailey {
namespace {

using test::altered;
using test::is_signed;
using test::leaves;
using test::run;
using test::Story;
using test::TestKey;

/// tests/verifier/verify_receipt.py, which shares nothing with us, asked about many receipts.
class Independent {
 public:
  explicit Independent(const Story& story)
      : key_(story.vkey()), folder_(*TemporaryFolder::create("verifier")) {}

  void add(const std::string& name, const Json& receipt) {
    names_.push_back(name);
    receipts_.push_back(receipt);
  }
  /// Asks both verifiers about every receipt; they must agree. The number that hold.
  [[nodiscard]] std::size_t agreed() {
    std::vector<std::string> arguments{"/usr/bin/python3",
                                       BAILEY_SOURCE_DIR "/tests/verifier/verify_receipt.py", key_};
    for (std::size_t i = 0; i < receipts_.size(); ++i) {
      arguments.push_back((folder_.path() / std::to_string(i)).string());
      EXPECT_TRUE(write_file(arguments.back(), receipts_[i].dump()));
    }
    const auto lines = split(run(arguments).output, '\n');
    std::size_t held = 0;
    for (std::size_t i = 0; i < receipts_.size() && i < lines.size(); ++i) {
      const auto report = verify_receipt(receipts_[i], key_);
      const bool ours = report && report->ok;
      EXPECT_EQ(lines[i].starts_with("holds "), ours) << names_[i] << ": " << lines[i];
      held += ours ? 1 : 0;
    }
    EXPECT_EQ(lines.size(), receipts_.size() + 1);
    return held;
  }

 private:
  std::string key_;
  TemporaryFolder folder_;
  std::vector<std::string> names_;
  std::vector<Json> receipts_;
};

TEST(IndependentVerifier, AcceptsAWholeReceiptAndNoAlteredOne) {
  const Story story;
  const auto receipt = story.receipt();
  Independent verifier(story);
  verifier.add("whole", receipt);
  for (const auto& leaf : leaves(receipt)) {
    auto tampered = receipt;
    tampered[leaf] = altered(receipt.at(leaf));
    verifier.add(leaf.to_string(), tampered);
    if (leaf.to_string() == "/digest") continue;  // Sealed anew, it is what it was.
    tampered["digest"] = receipt_digest_of(tampered);
    verifier.add(leaf.to_string() + ", sealed anew", tampered);
  }
  EXPECT_EQ(verifier.agreed(), 1U);
}

// A server that lies, and makes its log fit.
TEST(IndependentVerifier, RefusesWhatWasForgedUnderAnHonestSignature) {
  const Story story;
  const auto receipt = story.receipt();
  Independent verifier(story);
  for (const auto& leaf : leaves(receipt)) {
    if (!is_signed(leaf.to_string())) continue;
    auto tampered = receipt;
    tampered[leaf] = altered(receipt.at(leaf));
    tampered["log"] = nullptr;
    tampered["digest"] = receipt_digest_of(tampered);
    verifier.add(leaf.to_string(), story.logged(tampered));
  }
  EXPECT_EQ(verifier.agreed(), 0U);
}

TEST(IndependentVerifier, AgreesAboutStoriesThatWereNotRight) {
  using Alter = std::function<void(Story&)>;
  const auto content = [](std::function<void(ReceiptContent&)> alter) {
    return Alter([alter](Story& story) { story.alter_content = alter; });
  };
  const auto approval = [](std::function<void(ApprovalStatement&)> alter) {
    return Alter([alter](Story& story) { story.alter_approval = alter; });
  };
  const std::vector<std::pair<const char*, Alter>> wrong{
      {"an author approved",
       [](Story& s) {
         s.approvers = {"alice", "carol"};
       }},
      {"who stands behind the requester approved",
       [](Story& s) {
         s.approvers = {"dave", "carol"};
       }},
      {"one person approved", [](Story& s) { s.approvers = {"bob"}; }},
      {"one person approved twice",
       [](Story& s) {
         s.approvers = {"bob", "bob"};
       }},
      {"a stranger approved",
       [](Story& s) {
         s.approvers = {"bob", "mallory"};
       }},
      {"an approver executed", content([](auto& c) {
         c.change.executor = Subject{SubjectKind::Person, "bob"};
       })},
      {"no operator executed", [](Story& s) { s.environment["execute"] = "by-operator"; }},
      {"the gate asks for less than the class",
       [](Story& s) {
         s.environment["gate"].erase(2);
         s.approvers = {"bob"};
       }},
      {"others signed the evidence", [](Story& s) { s.evidence_signer = "alice"; }},
      {"there is no evidence", content([](auto& c) { c.evidence.clear(); })},
      {"the evidence names an approver", [](Story& s) { s.commit_author = "BOB@x"; }},
      {"too short in staging", [](Story& s) { s.verified_since = "2026-03-03T10:00:01.000Z"; }},
      {"never in staging", content([](auto& c) { c.gate["inputs"]["verified"].clear(); })},
      {"the gate was not met", content([](auto& c) { c.gate["met"] = false; })},
      {"it was rejected", content([](auto& c) { c.gate["rejected"] = true; })},
      {"a condition was not met", content([](auto& c) { c.gate["conditions"][1]["met"] = false; })},
      {"a condition was not judged", content([](auto& c) { c.gate["conditions"].erase(3); })},
      {"executed before it was judged",
       content([](auto& c) { c.executed_at = "2026-03-04T09:59:59.000Z"; })},
      {"not verified", content([](auto& c) { c.verification.clear(); })},
      {"a verification of another change",
       content([](auto& c) { c.verification[0]["predicate"]["change"] = "chg-0"; })},
      {"rejected by who may", approval([](auto& a) { a.decision = Decision::Reject; })},
      {"approved too long ago",
       approval([](auto& a) { a.issued_at = "2026-03-04T02:00:00.000Z"; })},
      {"approved later", approval([](auto& a) { a.issued_at = "2026-03-04T11:00:00.000Z"; })},
      {"expired", approval([](auto& a) { a.expires_at = test::kEvaluated; })},
      {"in a role that does not give it", approval([](auto& a) { a.acting_role = "auditor"; })},
      {"for another environment of that name",
       approval([](auto& a) { a.environment_uid = EnvironmentUid("env-0"); })},
      {"for another plan", approval([](auto& a) { a.plan_digest = test::digest("x"); })},
      {"with one nonce", approval([](auto& a) { a.nonce = "the same"; })},
  };
  const Story right;
  Independent verifier(right);
  verifier.add("right", right.receipt());
  for (const auto& [name, alter] : wrong) {
    Story story;
    alter(story);
    verifier.add(name, story.receipt());
  }
  Story longer;  // Stands as long as it has to, to the second.
  longer.verified_since = "2026-03-03T10:00:00.000Z";
  verifier.add("just long enough", longer.receipt());
  EXPECT_EQ(verifier.agreed(), 2U);
}

// What anybody has at hand: the signature, the key out of the Directory, the bytes that were
// signed.
TEST(IndependentVerifier, ExportedApprovalsVerifyWithStockSshKeygen) {
  const Story story;
  const auto folder = *TemporaryFolder::create("ssh-keygen");
  const auto receipt = story.receipt();
  for (const auto& envelope : receipt.at("approvals")) {
    const auto read = dsse_envelope_from_json(envelope);
    ASSERT_TRUE(read);
    const auto statement = parse_statement(read->payload);
    ASSERT_TRUE(statement);
    const auto approver = string_member(statement->predicate, "approver");
    const auto signers = (folder.path() / "signers").string();
    const auto signature = (folder.path() / "signature").string();
    ASSERT_TRUE(write_file(signers, approver + " " + TestKey(approver).line() + "\n"));
    ASSERT_TRUE(write_file(signature, armor_sshsig(read->signatures.at(0).signature)));
    const auto said = pre_authentication_encoding(read->payload_type, read->payload);
    const auto verify = [&](const std::string& name_space, const std::string& message) {
      return run({"ssh-keygen", "-Y", "verify", "-f", signers, "-I", approver, "-n", name_space,
                  "-s", signature},
                 message)
          .exit_code;
    };
    EXPECT_EQ(verify("bailey", said), 0) << approver;
    EXPECT_NE(verify("file", said), 0);
    EXPECT_NE(verify("bailey", said + " "), 0);
  }
}

}  // namespace
}  // namespace bailey
