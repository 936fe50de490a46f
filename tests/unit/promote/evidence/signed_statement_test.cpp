#include "orchestrator/promote/evidence/signed_statement.hpp"

#include "orchestrator/base/file.hpp"
#include "tests/unit/promote/test_keys.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using test::TestKey;

Directory directory() {
  Directory out;
  out.people["bob"].keys = {TestKey("old key of bob").line(), TestKey("bob").line()};
  out.people["carol"].keys = {TestKey("carol").line()};
  out.services["ci"].keys = {TestKey("ci").line()};
  return out;
}

Statement approval_by(const std::string& person) {
  ApprovalStatement approval;
  approval.plan_digest = digest_of(std::string_view("plan"));
  approval.approver = person;
  return to_statement(approval);
}

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "accepted" : result.error().code();
}

TEST(OpenApproval, SaysWithWhichKeyItWasSigned) {
  const auto opened = open_approval(TestKey("bob").envelope(approval_by("bob")), directory());
  ASSERT_TRUE(opened) << opened.error().render();
  EXPECT_EQ(opened->approval.approver, "bob");
  EXPECT_EQ(opened->key_fingerprint, TestKey("bob").print());
}

TEST(OpenApproval, RefusesOnePersonSigningForAnother) {
  for (const auto& [signer, named] :
       {std::pair{"carol", "bob"}, {"ci", "bob"}, {"ci", "ci"}, {"bob", ""}}) {
    EXPECT_EQ(code_of(open_approval(TestKey(signer).envelope(approval_by(named)), directory())),
              "approval.wrong-signer");
  }
  EXPECT_EQ(code_of(open_approval(TestKey("mallory").envelope(approval_by("bob")), directory())),
            "signature.unknown-key");
}

TEST(OpenApproval, RefusesOtherStatementsAndOtherSignatures) {
  auto other = approval_by("bob");
  other.predicate_type = "urn:other";
  EXPECT_EQ(code_of(open_approval(TestKey("bob").envelope(other), directory())),
            "statement.wrong-predicate");
  const auto payload = payload_of(approval_by("bob"));
  auto elsewhere = TestKey("bob").envelope(payload);
  elsewhere.signatures[0].signature =
      TestKey("bob").sign(pre_authentication_encoding(kInTotoPayload, payload), "git");
  EXPECT_EQ(code_of(open_approval(to_json(elsewhere), directory())), "signature.wrong-namespace");
  const auto text = TestKey("bob").envelope("not a statement");
  EXPECT_EQ(code_of(open_approval(to_json(text), directory())), "statement.malformed");
}

// What an auditor does with an exported approval, with nothing of ours.
TEST(OpenApproval, LeavesASignatureThatStockSshKeygenVerifies) {
  const auto folder = TemporaryFolder::create();
  ASSERT_TRUE(folder);
  const auto signers = (folder->path() / "signers").string();
  const auto signature = (folder->path() / "signature").string();
  const auto envelope = TestKey("bob").envelope(payload_of(approval_by("bob")));
  const auto message = pre_authentication_encoding(envelope.payload_type, envelope.payload);
  ASSERT_TRUE(write_file(signers, "bob " + TestKey("bob").line() + "\n"));
  ASSERT_TRUE(write_file(signature, armor_sshsig(envelope.signatures[0].signature)));
  const std::vector<std::string> verify{"ssh-keygen", "-Y", "verify", "-f", signers,  "-I",
                                        "bob",        "-n", "bailey", "-s", signature};
  EXPECT_EQ(test::run(verify, message).exit_code, 0);
  EXPECT_NE(test::run(verify, message + " ").exit_code, 0);
}

}  // namespace
}  // namespace bailey
