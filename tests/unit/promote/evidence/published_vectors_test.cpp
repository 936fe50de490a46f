// Vectors that others published, each through the code that decides about evidence: the key is
// enrolled as its text says, and the signature is judged as one that came with it.

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/evidence/dsse.hpp"
#include "orchestrator/promote/evidence/service_key.hpp"
#include "orchestrator/promote/evidence/signed_evidence.hpp"
#include "orchestrator/promote/evidence/sigstore_bundle.hpp"
#include "orchestrator/promote/evidence/ssh_crypto.hpp"
#include "orchestrator/promote/evidence/ssh_wire.hpp"
#include "tests/support/vectors.hpp"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <set>

namespace bailey {
namespace {

namespace fs = std::filesystem;

const Subject kCi{SubjectKind::Service, "ci"};

Json read_json(const fs::path& file) {
  const auto text = read_file(file);
  EXPECT_TRUE(text) << file;
  auto value = text ? parse_json(*text) : Result<Json>(fail(ErrorKind::NotFound, "none"));
  EXPECT_TRUE(value) << file;
  return value ? *std::move(value) : Json();
}

struct Agreement {
  int valid = 0;
  int invalid = 0;
  int acceptable = 0;
};

/// Counts the vectors that were judged as published; all others are failures of the test.
Agreement run_wycheproof(const fs::path& file) {
  Agreement counted;
  const auto vectors = read_json(file);
  for (const auto& group : member(vectors, "testGroups")) {
    const std::vector<EnrolledKey> keys{{kCi, string_member(group, "publicKeyPem")}};
    EXPECT_TRUE(parse_enrolled_key(keys[0].line)) << keys[0].line;
    for (const auto& test : member(group, "tests")) {
      const auto message = from_hex(string_member(test, "msg"));
      const auto signature = from_hex(string_member(test, "sig"));
      const auto result = string_member(test, "result");
      const bool accepted = verify_raw_signature(*signature, keys, *message).has_value();
      if (result == "acceptable") {
        // Old encodings that may be refused, and are.
        counted.acceptable += accepted ? 0 : 1;
        EXPECT_FALSE(accepted) << test.dump();
        continue;
      }
      EXPECT_EQ(accepted, result == "valid") << test.dump();
      if (accepted == (result == "valid")) ++(accepted ? counted.valid : counted.invalid);
    }
  }
  return counted;
}

TEST(PublishedVectors, Ed25519OfWycheproof) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  const auto counted = run_wycheproof(vectors / "wycheproof/ed25519_test.json");
  EXPECT_EQ(counted.valid, 88);
  EXPECT_EQ(counted.invalid, 63);
}

TEST(PublishedVectors, EcdsaP256InDerOfWycheproof) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  const auto counted = run_wycheproof(vectors / "wycheproof/ecdsa_secp256r1_sha256_test.json");
  EXPECT_EQ(counted.valid, 174);
  EXPECT_EQ(counted.invalid, 310);
}

TEST(PublishedVectors, EcdsaP256AsTwoNumbersOfWycheproof) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  const auto counted =
      run_wycheproof(vectors / "wycheproof/ecdsa_secp256r1_sha256_p1363_test.json");
  EXPECT_EQ(counted.valid, 173);
  EXPECT_EQ(counted.invalid, 89);
}

TEST(PublishedVectors, RsaPkcs1OfWycheproof) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  const auto counted = run_wycheproof(vectors / "wycheproof/rsa_signature_2048_sha256_test.json");
  EXPECT_EQ(counted.valid, 9);
  EXPECT_EQ(counted.invalid, 249);
  EXPECT_EQ(counted.acceptable, 1);
}

/// RFC 8410: the fixed head of an Ed25519 key, then its point.
std::string ed25519_pem(const std::string& point) {
  const auto der = *from_hex("302a300506032b6570032100") + point;
  return "-----BEGIN PUBLIC KEY-----\n" + base64(der) + "\n-----END PUBLIC KEY-----\n";
}

TEST(PublishedVectors, NoEdgeSignatureOfCctvByAWeakKeyIsTaken) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  const auto list = read_json(vectors / "cctv-ed25519/ed25519vectors.json");
  ASSERT_EQ(list.size(), 914U);
  int weak = 0;
  int taken = 0;
  for (const auto& vector : list) {
    const auto point = *from_hex(string_member(vector, "key"));
    const auto signature = *from_hex(string_member(vector, "sig"));
    const auto message = string_member(vector, "msg");
    const auto flags = strings_member(vector, "flags");
    const std::set<std::string> has(flags.begin(), flags.end());
    const std::vector<EnrolledKey> keys{{kCi, ed25519_pem(point)}};
    const bool accepted = verify_raw_signature(signature, keys, message).has_value();
    taken += accepted ? 1 : 0;
    // Both doors: what is enrolled, and the arithmetic itself.
    const bool computed = verify_ed25519(point, message, signature);
    EXPECT_EQ(computed, accepted);
    if (!has.contains("low_order_A") && !has.contains("non_canonical_A")) continue;
    ++weak;
    EXPECT_FALSE(accepted) << vector.dump();
    EXPECT_FALSE(parse_enrolled_key(keys[0].line)) << vector.dump();
  }
  EXPECT_GT(weak, 0);
  EXPECT_GT(taken, 0);
}

std::string p256_pem(const std::string& x, const std::string& y) {
  const auto number = [](const std::string& decimal) {
    BIGNUM* parsed = nullptr;
    EXPECT_GT(BN_dec2bn(&parsed, decimal.c_str()), 0);
    std::string bytes(32, '\0');
    BN_bn2binpad(parsed, reinterpret_cast<unsigned char*>(bytes.data()), 32);
    BN_free(parsed);
    return bytes;
  };
  const auto der = *from_hex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + "\x04" +
                   number(x) + number(y);
  return "-----BEGIN PUBLIC KEY-----\n" + base64(der) + "\n-----END PUBLIC KEY-----\n";
}

TEST(PublishedVectors, TheEnvelopeOfTheDsseSpecification) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  const auto vector = read_json(vectors / "small/dsse.json");
  const auto& pair = member(vector, "ecdsa_p256");
  const std::vector<EnrolledKey> keys{
      {kCi, p256_pem(string_member(pair, "x"), string_member(pair, "y"))}};
  const auto type = string_member(vector, "payloadType");
  auto envelope = dsse_envelope_from_json(member(vector, "envelope"));
  ASSERT_TRUE(envelope);
  const auto verified = verify_envelope(*envelope, type, keys);
  ASSERT_TRUE(verified) << verified.error().render();
  EXPECT_EQ(verified->payload, string_member(vector, "payload"));
  EXPECT_EQ(verified->signers[0].owner, kCi);
  envelope->payload += " ";
  EXPECT_FALSE(verify_envelope(*envelope, type, keys));
}

/// What became of a case of sigstore-conformance.
enum class Outcome { Accepted, Refused, NotCovered };

Outcome outcome_of(const fs::path& folder, const std::string& artifact_digest) {
  const auto text = read_file(folder / "bundle.sigstore.json");
  EXPECT_TRUE(text);
  const auto value = parse_json(text.value_or(""));
  if (!value) return Outcome::Refused;
  const auto normal = normal_evidence(*value);
  if (!normal) {
    const auto& code = normal.error().code();
    EXPECT_FALSE(code.empty()) << folder << " is refused without a named reason";
    return code == "bundle.keyless" ? Outcome::NotCovered : Outcome::Refused;
  }
  const auto pem = read_file(folder / "key.pub");
  std::vector<EnrolledKey> keys;
  if (pem) keys.push_back({kCi, *pem});
  const auto opened = open_evidence(*normal, keys);
  if (!opened) {
    EXPECT_EQ(opened.error().code(), "signature.unknown-key") << folder;
    return Outcome::Refused;
  }
  return is_about(opened->statement, artifact_digest) ? Outcome::Accepted : Outcome::Refused;
}

// A case is named `..._fail` when a client must refuse it. Those signed with a managed key behave
// as named. The others carry a certificate and are refused for that, the good ones among them too.
TEST(PublishedVectors, BundlesOfSigstoreConformance) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  const auto artifact = read_file(vectors / "sigstore-bundles/a.txt");
  ASSERT_TRUE(artifact);
  const auto digest = digest_of(std::string_view(*artifact));
  std::map<std::string, int> counted;
  for (const auto& entry : fs::directory_iterator(vectors / "sigstore-bundles")) {
    if (!entry.is_directory()) continue;
    const auto name = entry.path().filename().string();
    const bool must_fail = name.ends_with("_fail");
    const auto outcome = outcome_of(entry.path(), digest);
    if (name.starts_with("managed-key")) {
      EXPECT_EQ(outcome, must_fail ? Outcome::Refused : Outcome::Accepted) << name;
      ++counted[must_fail ? "managed key, refused" : "managed key, accepted"];
      continue;
    }
    EXPECT_NE(outcome, Outcome::Accepted) << name;
    ++counted[must_fail ? "certificate, refused as named" : "certificate, not covered"];
  }
  const std::map<std::string, int> expected{{"managed key, accepted", 2},
                                            {"managed key, refused", 2},
                                            {"certificate, refused as named", 47},
                                            {"certificate, not covered", 19}};
  EXPECT_EQ(counted, expected);
}

}  // namespace
}  // namespace bailey
