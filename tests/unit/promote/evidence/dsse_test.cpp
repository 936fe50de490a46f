#include "orchestrator/promote/evidence/dsse.hpp"

#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "tests/support/vectors.hpp"
#include "tests/unit/promote/test_keys.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using test::TestKey;

const Subject kAlice{SubjectKind::Person, "alice"};
const Subject kBob{SubjectKind::Person, "bob"};

std::vector<EnrolledKey> keys() {
  return {{kAlice, TestKey("alice").line()}, {kBob, TestKey("bob").line()}};
}

TEST(Dsse, AgreesWithTheVectorOfTheSpecification) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  const auto vector = parse_json(*read_file(vectors / "small/dsse.json"));
  ASSERT_TRUE(vector);
  const auto type = string_member(*vector, "payloadType");
  const auto payload = string_member(*vector, "payload");
  EXPECT_EQ(pre_authentication_encoding(type, payload), string_member(*vector, "pae"));
  const auto envelope = dsse_envelope_from_json(member(*vector, "envelope"));
  ASSERT_TRUE(envelope);
  EXPECT_EQ(envelope->payload_type, type);
  EXPECT_EQ(envelope->payload, payload);
  ASSERT_EQ(envelope->signatures.size(), 1U);
  EXPECT_EQ(base64(envelope->signatures[0].signature), string_member(*vector, "sig_raw_rs_b64"));
}

TEST(Dsse, CountsBytesAndNotCharacters) {
  EXPECT_EQ(pre_authentication_encoding("\xC3\xA4", "\xE2\x82\xAC"),
            "DSSEv1 2 \xC3\xA4 3 \xE2\x82\xAC");
  EXPECT_EQ(pre_authentication_encoding("", ""), "DSSEv1 0  0 ");
}

TEST(Dsse, SurvivesARoundTripAndTakesBothAlphabets) {
  const auto envelope = TestKey("alice").envelope(std::string("\xFB\xFF\xFE payload"));
  auto json = to_json(envelope);
  const auto standard = dsse_envelope_from_json(json);
  ASSERT_TRUE(standard);
  EXPECT_EQ(standard->payload, envelope.payload);
  json["payload"] = base64url(envelope.payload);
  json["signatures"][0]["sig"] = base64url(envelope.signatures[0].signature);
  const auto url_safe = dsse_envelope_from_json(json);
  ASSERT_TRUE(url_safe);
  EXPECT_EQ(url_safe->payload, envelope.payload);
  EXPECT_TRUE(verify_envelope(*url_safe, kInTotoPayload, keys()));
}

TEST(Dsse, ReturnsWhatWasVerifiedAndByWhom) {
  auto envelope = TestKey("bob").envelope("payload");
  envelope.signatures.push_back(envelope.signatures[0]);
  envelope.signatures.insert(envelope.signatures.begin(),
                             TestKey("mallory").envelope("payload").signatures[0]);
  const auto verified = verify_envelope(envelope, kInTotoPayload, keys());
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->payload, "payload");
  ASSERT_EQ(verified->signers.size(), 1U);
  EXPECT_EQ(verified->signers[0].owner, kBob);
  EXPECT_EQ(verified->fingerprints[0], TestKey("bob").print());
}

TEST(Dsse, DecidesNothingByTheKeyId) {
  auto envelope = TestKey("alice").envelope("payload");
  envelope.signatures[0].key_id = TestKey("bob").print();
  const auto verified = verify_envelope(envelope, kInTotoPayload, keys());
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->signers[0].owner, kAlice);
}

TEST(Dsse, RefusesASignatureOverTheBarePayload) {
  const DsseEnvelope envelope{
      std::string(kInTotoPayload), "payload", {{"", TestKey("alice").sign("payload")}}};
  EXPECT_FALSE(verify_envelope(envelope, kInTotoPayload, keys()));
}

TEST(Dsse, RefusesAnotherTypeAnotherPayloadAndUnknownKeys) {
  const auto good = TestKey("alice").envelope("payload");
  auto retyped = good;
  retyped.payload_type = "text/plain";
  EXPECT_FALSE(verify_envelope(retyped, kInTotoPayload, keys()));
  EXPECT_FALSE(verify_envelope(retyped, "text/plain", keys()));
  auto altered = good;
  altered.payload = "paid";
  EXPECT_FALSE(verify_envelope(altered, kInTotoPayload, keys()));
  EXPECT_FALSE(verify_envelope(TestKey("mallory").envelope("payload"), kInTotoPayload, keys()));
  EXPECT_FALSE(verify_envelope(good, kInTotoPayload, {}));
}

TEST(Dsse, RefusesMalformedEnvelopes) {
  const auto good = to_json(TestKey("alice").envelope("payload"));
  const auto without = [&](const char* name) {
    auto json = good;
    json.erase(name);
    return json;
  };
  const auto with = [&](const char* name, const Json& value) {
    auto json = good;
    json[name] = value;
    return json;
  };
  for (const auto& json :
       {Json(), Json::array(), without("payload"), without("payloadType"), without("signatures"),
        with("payload", 7), with("payload", "not base64!"), with("payload", "a==="),
        with("signatures", Json::array()), with("signatures", Json::array({Json::object()})),
        with("signatures", Json::array({Json{{"sig", ""}}})),
        with("signatures", Json(17, good["signatures"][0]))}) {
    EXPECT_FALSE(dsse_envelope_from_json(json)) << json.dump().substr(0, 200);
  }
}

// What a flip may touch without harm is the key id, and then the decision stays the same.
TEST(Dsse, RefusesEverySingleBitFlipOutsideTheKeyId) {
  const auto envelope = TestKey("alice").envelope("{\"decision\":\"approve\"}");
  const auto text = to_json(envelope).dump();
  int accepted = 0;
  for (std::size_t bit = 0; bit < text.size() * 8; ++bit) {
    auto flipped = text;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const auto json = parse_json(flipped);
    if (!json) continue;
    const auto read = dsse_envelope_from_json(*json);
    if (!read) continue;
    const auto verified = verify_envelope(*read, kInTotoPayload, keys());
    if (!verified) continue;
    ++accepted;
    EXPECT_EQ(verified->payload, envelope.payload);
    EXPECT_NE(read->signatures[0].key_id, envelope.signatures[0].key_id) << "bit " << bit;
  }
  EXPECT_GT(accepted, 0);
}

}  // namespace
}  // namespace bailey
