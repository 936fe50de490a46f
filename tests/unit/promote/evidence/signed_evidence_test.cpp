#include "orchestrator/promote/evidence/signed_evidence.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/evidence/service_key.hpp"
#include "orchestrator/promote/evidence/sigstore_bundle.hpp"
#include "orchestrator/promote/evidence/simple_signing.hpp"
#include "tests/unit/promote/raw_keys.hpp"
#include "tests/unit/promote/test_keys.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using test::RawKey;
using test::TestKey;

const Subject kCi{SubjectKind::Service, "ci"};
const std::string kImage = digest_of(std::string_view("image"));

Statement about(const std::string& digest) {
  return {{{"web", digest}}, "urn:x", Json{{"a", 1}}};
}

template <class T>
std::string code_of(const Result<T>& result) {
  if (result) return "accepted";
  return result.error().code();
}

std::string payload_about(const std::string& digest) {
  return Json{{"critical",
               {{"identity", {{"docker-reference", "registry.test/web"}}},
                {"image", {{"docker-manifest-digest", digest}}},
                {"type", "cosign container image signature"}}},
              {"optional", nullptr}}
      .dump();
}

TEST(SignedEvidence, TakesRawSignaturesByEachKindOfPemKey) {
  for (const auto& key : {RawKey::p256(), RawKey::ed25519(), RawKey::rsa()}) {
    const auto opened = open_evidence(key.envelope(about(kImage)), {{kCi, key.pem()}});
    ASSERT_TRUE(opened) << opened.error().render();
    EXPECT_EQ(opened->signers[0].owner, kCi);
    EXPECT_EQ(opened->fingerprints[0], fingerprint(*parse_enrolled_key(key.pem())));
    EXPECT_EQ(opened->statement, about(kImage));
    EXPECT_TRUE(is_about(opened->statement, kImage));
    EXPECT_FALSE(is_about(opened->statement, digest_of(std::string_view("other"))));
  }
}

// How a key was enrolled and of what type it is decides everything; nothing in the envelope does.
TEST(SignedEvidence, RefusesEveryConfusionOfKeysAndAlgorithms) {
  const auto p256 = RawKey::p256();
  const auto ed25519 = RawKey::ed25519();
  const auto rsa = RawKey::rsa();
  const auto envelope = p256.envelope(about(kImage));
  const auto unknown = [&](const Json& value, const Subject& owner, const std::string& line) {
    EXPECT_EQ(code_of(open_evidence(value, {{owner, line}})), "signature.unknown-key") << line;
  };
  unknown(envelope, kCi, RawKey::p256().pem());
  unknown(envelope, kCi, ed25519.pem());
  unknown(envelope, kCi, rsa.pem());
  // The same key as an SSH one makes SSHSIG signatures and no others.
  unknown(envelope, kCi, "ecdsa-sha2-nistp256 " + base64(parse_enrolled_key(p256.pem())->blob));
  unknown(envelope, {SubjectKind::Person, "alice"}, p256.pem());
  // And an SSHSIG signature counts for no PEM key: here one of the same point.
  const TestKey ssh("ci");
  const auto spki = *from_hex("302a300506032b6570032100") + parse_ssh_public_key(ssh.line())->point;
  const auto pem = "-----BEGIN PUBLIC KEY-----\n" + base64(spki) + "\n-----END PUBLIC KEY-----";
  ASSERT_EQ(parse_enrolled_key(pem)->blob, ssh.blob());
  unknown(ssh.envelope(about(kImage)), kCi, pem);
  EXPECT_TRUE(open_evidence(ssh.envelope(about(kImage)), {{kCi, ssh.line()}}));
  // RSA signs with SHA-256 here; the same key with SHA-1 or SHA-512 is no signature.
  const auto payload = payload_of(about(kImage));
  const auto message = pre_authentication_encoding(kInTotoPayload, payload);
  for (const auto* hash : {EVP_sha1(), EVP_sha512()}) {
    const DsseEnvelope other{std::string(kInTotoPayload), payload, {{"", rsa.sign(message, hash)}}};
    unknown(to_json(other), kCi, rsa.pem());
  }
  // The bare payload is not what is signed.
  const DsseEnvelope bare{std::string(kInTotoPayload), payload, {{"", p256.sign(payload)}}};
  unknown(to_json(bare), kCi, p256.pem());
}

TEST(SignedEvidence, DecidesNothingByTheKeyId) {
  const auto key = RawKey::p256();
  auto envelope = key.envelope(about(kImage));
  const auto before = payload_of(about(kImage));
  envelope["signatures"][0]["keyid"] = fingerprint(*parse_enrolled_key(RawKey::p256().pem()));
  const auto opened = open_evidence(envelope, {{kCi, key.pem()}});
  ASSERT_TRUE(opened);
  EXPECT_EQ(payload_of(opened->statement), before);
}

TEST(SignedEvidence, RefusesEverySingleBitFlipOfARawEnvelope) {
  for (const auto& key : {RawKey::p256(), RawKey::ed25519()}) {
    const std::vector<EnrolledKey> keys{{kCi, key.pem()}};
    auto envelope = key.envelope(about(kImage));
    envelope["signatures"][0].erase("keyid");
    const auto text = envelope.dump();
    ASSERT_TRUE(open_evidence(envelope, keys));
    for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
      auto flipped = text;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
      const auto json = parse_json(flipped);
      if (!json) continue;
      ASSERT_FALSE(open_evidence(*json, keys)) << "bit " << bit;
    }
  }
}

TEST(SignedEvidence, ReadsTheEnvelopeInABundleAndKeepsItAlone) {
  const auto key = RawKey::p256();
  const auto envelope = key.envelope(about(kImage));
  const Json bundle{
      {"mediaType", kSigstoreBundle},
      {"verificationMaterial", {{"publicKey", {{"hint", "x"}}}, {"tlogEntries", Json::array()}}},
      {"dsseEnvelope", envelope}};
  const auto normal = normal_evidence(bundle);
  ASSERT_TRUE(normal) << normal.error().render();
  EXPECT_EQ(*normal, envelope);
  EXPECT_TRUE(open_evidence(bundle, {{kCi, key.pem()}}));
  // Another hint, other log entries: the same evidence.
  auto other = bundle;
  other["verificationMaterial"]["publicKey"]["hint"] = "y";
  EXPECT_EQ(*normal_evidence(other), *normal);
}

Json message_bundle(const RawKey& key, std::string_view message) {
  return to_json(MessageSignature{sha256(message), key.sign(message)});
}

TEST(SignedEvidence, TakesTheSignatureOfAnArtifactInABundle) {
  for (const auto& key : {RawKey::p256(), RawKey::rsa()}) {
    const auto opened = open_evidence(message_bundle(key, "image"), {{kCi, key.pem()}});
    ASSERT_TRUE(opened) << opened.error().render();
    EXPECT_EQ(opened->statement.predicate_type, kSignaturePredicate);
    EXPECT_TRUE(is_about(opened->statement, kImage));
    auto lying = message_bundle(key, "image");
    lying["messageSignature"]["messageDigest"]["digest"] =
        base64(bytes_of(sha256("another image")));
    EXPECT_EQ(code_of(open_evidence(lying, {{kCi, key.pem()}})), "signature.unknown-key");
  }
  // Ed25519 signs bytes that are not here.
  const auto key = RawKey::ed25519();
  EXPECT_EQ(code_of(open_evidence(message_bundle(key, "image"), {{kCi, key.pem()}})),
            "signature.unknown-key");
}

TEST(SignedEvidence, RefusesBundlesThatAreNoneOfOurs) {
  const auto key = RawKey::p256();
  const auto good = message_bundle(key, "image");
  const auto with = [&](const char* pointer, const Json& value) {
    auto bundle = good;
    bundle[Json::json_pointer(pointer)] = value;
    return code_of(normal_evidence(bundle));
  };
  EXPECT_EQ(with("/mediaType", "application/vnd.dev.sigstore.bundle+json;version=9"),
            "bundle.unknown-version");
  EXPECT_EQ(with("/verificationMaterial/certificate", {{"rawBytes", "eA=="}}), "bundle.keyless");
  EXPECT_EQ(with("/verificationMaterial/x509CertificateChain", Json::object()), "bundle.keyless");
  EXPECT_EQ(with("/verificationMaterial", Json::object()), "bundle.malformed");
  EXPECT_EQ(with("/verificationMaterial", nullptr), "bundle.malformed");
  EXPECT_EQ(with("/messageSignature", nullptr), "bundle.malformed");
  EXPECT_EQ(with("/dsseEnvelope", key.envelope(about(kImage))), "bundle.malformed");
  EXPECT_EQ(with("/messageSignature/messageDigest/algorithm", "SHA2_512"), "bundle.malformed");
  EXPECT_EQ(with("/messageSignature/messageDigest/digest", "eA=="), "bundle.malformed");
  EXPECT_EQ(with("/messageSignature/signature", "%%"), "bundle.malformed");
}

TEST(SignedEvidence, TakesTheSimpleSigningOfCosign) {
  for (const auto& key : {RawKey::p256(), RawKey::ed25519(), RawKey::rsa()}) {
    const auto payload = payload_about(kImage);
    const auto value = to_json(SimpleSigning{payload, key.sign(payload)});
    EXPECT_EQ(normal_evidence(value).value(), value);
    const auto opened = open_evidence(value, {{kCi, key.pem()}});
    ASSERT_TRUE(opened) << opened.error().render();
    EXPECT_EQ(opened->statement.predicate_type, kSignaturePredicate);
    EXPECT_TRUE(is_about(opened->statement, kImage));
    const auto swapped = to_json(
        SimpleSigning{payload_about(digest_of(std::string_view("other"))), key.sign(payload)});
    EXPECT_EQ(code_of(open_evidence(swapped, {{kCi, key.pem()}})), "signature.unknown-key");
  }
}

TEST(SignedEvidence, RefusesSimpleSigningThatSaysSomethingElse) {
  const auto key = RawKey::p256();
  const auto signed_text = [&](const std::string& payload) {
    return code_of(
        open_evidence(to_json(SimpleSigning{payload, key.sign(payload)}), {{kCi, key.pem()}}));
  };
  EXPECT_EQ(signed_text(payload_about(kImage)), "accepted");
  EXPECT_EQ(signed_text(payload_about("sha256:beef")), "evidence.malformed");
  EXPECT_EQ(signed_text("{}"), "evidence.malformed");
  EXPECT_EQ(signed_text("not json"), "evidence.malformed");
  auto other = Json::parse(payload_about(kImage));
  other["critical"]["type"] = "a letter to grandmother";
  EXPECT_EQ(signed_text(other.dump()), "evidence.malformed");
  EXPECT_EQ(code_of(normal_evidence({{"mediaType", kSimpleSigning}})), "evidence.malformed");
}

// cosign writes in-toto v0.1, and signs images with a statement that says nothing more.
TEST(SignedEvidence, ReadsStatementsOfTheOldVersionAndWithoutPredicate) {
  const auto key = RawKey::p256();
  auto statement = to_json(about(kImage));
  statement["_type"] = "https://in-toto.io/Statement/v0.1";
  statement.erase("predicate");
  const auto opened = open_evidence(to_json(key.envelope(statement.dump())), {{kCi, key.pem()}});
  ASSERT_TRUE(opened) << opened.error().render();
  EXPECT_EQ(opened->statement.predicate, Json::object());
  statement["_type"] = "https://in-toto.io/Statement/v2";
  EXPECT_EQ(code_of(open_evidence(to_json(key.envelope(statement.dump())), {{kCi, key.pem()}})),
            "statement.malformed");
  EXPECT_EQ(code_of(open_evidence(to_json(key.envelope("[]")), {{kCi, key.pem()}})),
            "statement.malformed");
}

TEST(ServiceKey, RefusesWeakAndForeignKeysAsPemToo) {
  EXPECT_EQ(code_of(parse_enrolled_key(RawKey::rsa(1024).pem())), "key.weak");
  EXPECT_EQ(code_of(parse_enrolled_key(RawKey::p384().pem())), "key.unsupported");
  const auto der = *from_hex("302a300506032b6570032100") + std::string(32, '\0');
  EXPECT_EQ(code_of(parse_enrolled_key("-----BEGIN PUBLIC KEY-----\n" + base64(der) +
                                       "\n-----END PUBLIC KEY-----")),
            "key.weak");
}

}  // namespace
}  // namespace bailey
