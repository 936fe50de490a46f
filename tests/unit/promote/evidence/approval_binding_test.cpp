// What an approval binds, tried bit by bit and field by field: nothing that differs is accepted.

#include "orchestrator/base/file.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/promote/evidence/approval_statement.hpp"
#include "orchestrator/promote/evidence/authorship.hpp"
#include "orchestrator/promote/evidence/signed_evidence.hpp"
#include "orchestrator/promote/evidence/signed_statement.hpp"
#include "tests/unit/promote/receipt_story.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace bailey {
namespace {

using test::altered;
using test::digest;
using test::leaves;
using test::run;
using test::TestKey;

ApprovalStatement approval_by_bob() {
  ApprovalStatement approval;
  approval.reason = "looks right";
  approval.checkpoint = "log\n1\nroot\n";
  approval.change = ChangeId("chg-1");
  approval.change_digest = digest("change");
  approval.environment = "production";
  approval.environment_uid = EnvironmentUid("env-1");
  approval.plan_digest = digest("plan");
  approval.spec_digest = digest("spec");
  approval.policy_digest = digest("policy");
  approval.state_serial = 7;
  approval.gate_digest = digest("gate");
  approval.acting_role = "approver";
  approval.evidence = {digest("evidence")};
  approval.artifacts = {{"web", "registry/web@" + digest("web")}};
  approval.template_digest = digest("template");
  approval.approver = "bob";
  approval.authors = {"alice@x"};
  approval.requester = "service:ci";
  approval.issued_at = "2026-03-04T10:00:00.000Z";
  approval.not_before = "2026-03-04T10:00:00.000Z";
  approval.expires_at = "2026-03-04T18:00:00.000Z";
  approval.nonce = "bm9uY2U";
  return approval;
}

/// What a server does with an envelope that is said to be bob's approval.
bool accepted(const std::string& text, const Directory& directory,
              const ApprovalStatement& expected) {
  const auto value = parse_json(text);
  if (!value) return false;
  const auto opened = open_approval(*value, directory);
  return opened && opened->approval.decision == expected.decision &&
         approval_matches(opened->approval, expected);
}

/// A private key in a file, made by ssh-keygen.
class KeyFile {
 public:
  KeyFile(const std::filesystem::path& folder, const std::vector<std::string>& type)
      : path_(folder / "key") {
    std::vector<std::string> words{"ssh-keygen", "-q", "-N", "", "-f", path_.string()};
    words.insert(words.end(), type.begin(), type.end());
    EXPECT_EQ(run(words).exit_code, 0);
  }
  [[nodiscard]] std::string line() const {
    return std::string(trim(read_file(path_.string() + ".pub").value_or("")));
  }
  [[nodiscard]] std::string sign(std::string_view payload) const {
    auto envelope = sign_envelope(kInTotoPayload, payload, path_);
    EXPECT_TRUE(envelope) << envelope.error().render();
    return envelope ? to_json(*envelope).dump() : std::string();
  }

 private:
  std::filesystem::path path_;
};

/// The part of an envelope in which a bit may differ without a word of what was signed differing.
std::pair<std::size_t, std::size_t> key_id_member(const std::string& envelope) {
  const auto begin = envelope.find("\"keyid\"");
  return {begin, envelope.find("\",\"sig\"", begin) + 2};
}

/// Flips every bit of the envelope; says how many were accepted outside of the key id, and how many
/// were tried.
std::pair<std::size_t, std::size_t> accepted_flips(const std::string& envelope,
                                                   const Directory& directory) {
  const auto expected = approval_by_bob();
  const auto [begin, end] = key_id_member(envelope);
  std::size_t taken = 0;
  for (std::size_t bit = 0; bit < envelope.size() * 8; ++bit) {
    auto flipped = envelope;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    if (!accepted(flipped, directory, expected)) continue;
    if (bit / 8 < begin || bit / 8 >= end) ++taken;
  }
  return {taken, envelope.size() * 8};
}

Directory bobs(const std::string& line) {
  Directory directory;
  directory.people["bob"] = {"bob@x", {line}};
  return directory;
}

TEST(ApprovalBinding, EveryFlippedBitOfAnEnvelopeCounts) {
  const auto payload = payload_of(to_statement(approval_by_bob()));
  const std::vector<std::pair<const char*, std::vector<std::string>>> kinds{
      {"ed25519", {"-t", "ed25519"}},
      {"ecdsa", {"-t", "ecdsa", "-b", "256"}},
      {"rsa", {"-t", "rsa", "-b", "2048"}}};
  for (const auto& [kind, type] : kinds) {
    const auto folder = *TemporaryFolder::create(kind);
    const KeyFile key(folder.path(), type);
    const auto envelope = key.sign(payload);
    ASSERT_TRUE(accepted(envelope, bobs(key.line()), approval_by_bob())) << kind;
    const auto [taken, tried] = accepted_flips(envelope, bobs(key.line()));
    EXPECT_EQ(taken, 0U) << kind;
    EXPECT_GT(tried, 10'000U);
  }
}

TEST(ApprovalBinding, EveryFlippedBitOfEvidenceCounts) {
  Directory directory;
  directory.services["ci"] = {{}, {TestKey("ci").line()}, {}};
  const std::string id(40, 'a');
  const Authorship authorship{"acme/payments", "", id, {{id, {"alice@x"}, "alice@x"}}};
  const auto statement = to_statement(authorship, {{"web", digest("web")}});
  const auto envelope = TestKey("ci").envelope(statement).dump();
  const auto [begin, end] = key_id_member(envelope);
  for (std::size_t bit = 0; bit < envelope.size() * 8; ++bit) {
    auto flipped = envelope;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const auto value = parse_json(flipped);
    if (!value) continue;
    const auto opened = open_evidence(*value, enrolled_keys(directory));
    if (!opened) continue;
    EXPECT_TRUE(bit / 8 >= begin && bit / 8 < end) << bit;
    EXPECT_EQ(opened->statement, statement);
  }
}

TEST(ApprovalBinding, WhiteSpaceAndTheKeyIdChangeNothing) {
  const TestKey bob("bob");
  const auto envelope = bob.envelope(to_statement(approval_by_bob()));
  const auto directory = bobs(bob.line());
  EXPECT_TRUE(accepted(envelope.dump(), directory, approval_by_bob()));
  EXPECT_TRUE(accepted(envelope.dump(7), directory, approval_by_bob()));
  for (const auto& key_id : {Json("SHA256:somebody"), Json(""), Json("\xE2\x98\x83")}) {
    auto other = envelope;
    other["signatures"][0]["keyid"] = key_id;
    EXPECT_TRUE(accepted(other.dump(), directory, approval_by_bob()));
  }
}

/// Every leaf of what is signed but what is the approver's own to say: taken from the statement, so
/// that a field that comes to it is tried from its first day.
std::vector<Json::json_pointer> bound_fields() {
  std::vector<Json::json_pointer> bound;
  for (const auto& leaf : leaves(to_statement(approval_by_bob()).predicate)) {
    const auto name = leaf.to_string();
    if (name != "/decision" && name != "/reason" && name != "/log") bound.push_back(leaf);
  }
  return bound;
}

/// Signed well by bob, and for something else. The subjects are made to fit where they can.
bool accepted_with(const Json& predicate) {
  auto statement = to_statement(approval_by_bob());
  statement.predicate = predicate;
  const auto plan = predicate.at("plan").at("digest").get<std::string>();
  statement.subjects.back().digest = plan;
  const auto reference = predicate.at("artifacts").at("web").get<std::string>();
  statement.subjects[0] = {reference.substr(0, reference.rfind('@')),
                           reference.substr(reference.rfind('@') + 1)};
  const TestKey bob("bob");
  return accepted(bob.envelope(statement).dump(), bobs(bob.line()), approval_by_bob());
}

TEST(ApprovalBinding, EveryChangeOfOneOrTwoBoundFieldsIsRefused) {
  const auto predicate = to_statement(approval_by_bob()).predicate;
  const auto fields = bound_fields();
  ASSERT_TRUE(accepted_with(predicate));
  EXPECT_GE(fields.size(), 20U);
  std::size_t tried = 0;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    for (std::size_t j = i; j < fields.size(); ++j) {
      auto changed = predicate;
      changed[fields[i]] = altered(predicate.at(fields[i]));
      changed[fields[j]] = altered(predicate.at(fields[j]));
      EXPECT_FALSE(accepted_with(changed)) << fields[i].to_string() << " " << fields[j].to_string();
      ++tried;
    }
  }
  EXPECT_EQ(tried, fields.size() * (fields.size() + 1) / 2);
}

// Two values exchanged, as when an approval of staging is laid before production.
TEST(ApprovalBinding, BoundFieldsThatAreExchangedAreRefused) {
  const auto predicate = to_statement(approval_by_bob()).predicate;
  const auto fields = bound_fields();
  for (const auto& one : fields) {
    for (const auto& other : fields) {
      if (predicate.at(one) == predicate.at(other)) continue;
      if (predicate.at(one).type() != predicate.at(other).type()) continue;
      auto changed = predicate;
      std::swap(changed[one], changed[other]);
      EXPECT_FALSE(accepted_with(changed)) << one.to_string() << " " << other.to_string();
    }
  }
}

/// The code with which a key of this kind, or its signature, is refused; empty when it is taken.
std::string refusal_of(const std::vector<std::string>& type,
                       const std::vector<std::string>& sign_options = {}) {
  const auto folder = *TemporaryFolder::create("refused");
  const KeyFile key(folder.path(), type);
  const auto payload = payload_of(to_statement(approval_by_bob()));
  std::vector<std::string> words{"ssh-keygen", "-Y",     "sign", "-q",
                                 "-n",         "bailey", "-f",   (folder.path() / "key").string()};
  words.insert(words.end(), sign_options.begin(), sign_options.end());
  const auto armored = run(words, pre_authentication_encoding(kInTotoPayload, payload)).output;
  const auto envelope = envelope_with(kInTotoPayload, payload, armored);
  if (!envelope) return envelope.error().code();
  const auto opened = open_approval(to_json(*envelope), bobs(key.line()));
  return opened ? "" : "refused";
}

TEST(ApprovalBinding, TakesTheKindsOfKeysThatAreOfferedAndNoOther) {
  EXPECT_EQ(refusal_of({"-t", "ed25519"}), "");
  EXPECT_EQ(refusal_of({"-t", "ecdsa", "-b", "256"}), "");
  EXPECT_EQ(refusal_of({"-t", "rsa", "-b", "3072"}), "");
  EXPECT_EQ(refusal_of({"-t", "rsa", "-b", "3072"}, {"-O", "hashalg=sha256"}), "");
  EXPECT_NE(refusal_of({"-t", "ecdsa", "-b", "384"}), "");
  EXPECT_NE(refusal_of({"-t", "ecdsa", "-b", "521"}), "");
  EXPECT_NE(refusal_of({"-t", "rsa", "-b", "1024"}), "");
  EXPECT_NE(refusal_of({"-t", "dsa"}), "");
  EXPECT_NE(refusal_of({"-t", "ed25519"}, {"-n", "file"}), "");
}

// The key that a certificate is for is enrolled; what the certificate signs with it is refused.
TEST(ApprovalBinding, RefusesCertificates) {
  const auto folder = *TemporaryFolder::create("certificate");
  const KeyFile key(folder.path(), {"-t", "ed25519"});
  const auto authority = (folder.path() / "authority").string();
  const auto path = (folder.path() / "key").string();
  ASSERT_EQ(run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", authority}).exit_code, 0);
  ASSERT_EQ(
      run({"ssh-keygen", "-q", "-s", authority, "-I", "bob", "-n", "bob", path + ".pub"}).exit_code,
      0);
  const auto certificate = read_file(path + "-cert.pub").value_or("");
  ASSERT_FALSE(certificate.empty());
  EXPECT_FALSE(parse_ssh_public_key(certificate));
  EXPECT_EQ(parse_ssh_public_key(certificate).error().code(), "key.unsupported");
}

// With a key of low order one signature fits any message: refused when it is used too.
TEST(ApprovalBinding, RefusesLowOrderKeysAtUse) {
  const auto line_of = [](const std::string& point) {
    return "ssh-ed25519 " + base64(ssh_string("ssh-ed25519") + ssh_string(point));
  };
  const std::string one = std::string("\x01", 1) + std::string(31, '\0');
  const std::string zero(32, '\0');
  const auto payload = payload_of(to_statement(approval_by_bob()));
  for (const auto& point : {one, zero}) {
    EXPECT_EQ(parse_ssh_public_key(line_of(point)).error().code(), "key.weak");
    // R is the neutral element and S is zero: fits every message under such a key.
    const auto signature = one + std::string(32, '\0');
    const auto blob = std::string("SSHSIG") + std::string("\0\0\0\1", 4) +
                      ssh_string(ssh_string("ssh-ed25519") + ssh_string(point)) +
                      ssh_string("bailey") + ssh_string("") + ssh_string("sha512") +
                      ssh_string(ssh_string("ssh-ed25519") + ssh_string(signature));
    const DsseEnvelope envelope{std::string(kInTotoPayload), payload, {{"", blob}}};
    EXPECT_FALSE(open_approval(to_json(envelope), bobs(line_of(point))));
  }
}

}  // namespace
}  // namespace bailey
