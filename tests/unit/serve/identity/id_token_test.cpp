#include "orchestrator/serve/identity/id_token.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "tests/support/token_issuer.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sodium.h>

#include <array>

namespace bailey {
namespace {

constexpr std::int64_t kNow = 1'800'000'000;

class IdTokens : public testing::Test {
 protected:
  IdTokens() {
    rules_.issuer = issuer_.name();
    rules_.audience = "https://bailey.acme.example";
    rules_.algorithms = {JwsAlgorithm::EdDSA};
    claims_ = {{"iss", rules_.issuer}, {"aud", rules_.audience}, {"sub", "repo:acme/web"},
               {"jti", "one-time"},    {"iat", kNow - 10},       {"exp", kNow + 290}};
  }
  [[nodiscard]] Result<IdToken> verify(const std::string& token) const {
    return verify_id_token(token, keys_, rules_, WallTime(std::chrono::seconds(kNow)));
  }
  /// The code of the refusal of such claims; empty when they are taken.
  [[nodiscard]] std::string judged(const Json& claims) const {
    const auto token = verify(issuer_.sign(claims));
    if (token) return "";
    EXPECT_EQ(token.error().kind(), ErrorKind::Unauthenticated);
    return token.error().code();
  }
  [[nodiscard]] std::string with(const char* name, const Json& value) const {
    auto claims = claims_;
    claims[name] = value;
    return judged(claims);
  }
  [[nodiscard]] std::string without(const char* name) const {
    auto claims = claims_;
    claims.erase(name);
    return judged(claims);
  }
  [[nodiscard]] std::string header(const std::string& text) const {
    const auto token = verify(issuer_.sign(text, claims_.dump()));
    return token ? "" : token.error().code();
  }

  test::TokenIssuer issuer_;
  JsonWebKeySet keys_ = *JsonWebKeySet::parse(Json{{"keys", {issuer_.jwk()}}}.dump());
  TokenRules rules_;
  Json claims_;
};

TEST_F(IdTokens, HoldWhenEverythingFits) {
  const auto token = verify(issuer_.sign(claims_));
  ASSERT_TRUE(token) << token.error().render();
  EXPECT_EQ(token->subject, "repo:acme/web");
  EXPECT_EQ(token->id, "one-time");
  EXPECT_EQ(token->expires_at, WallTime(std::chrono::seconds(kNow + 290)));
  EXPECT_EQ(with("aud", Json::array({rules_.audience})), "");
}

TEST_F(IdTokens, AreForUsAlone) {
  EXPECT_EQ(with("iss", rules_.issuer + "/"), "id-token.wrong-issuer");
  EXPECT_EQ(without("iss"), "id-token.wrong-issuer");
  EXPECT_EQ(with("aud", "https://github.com/acme"), "id-token.wrong-audience");
  EXPECT_EQ(with("aud", Json::array({rules_.audience, "https://other.example"})),
            "id-token.wrong-audience");
  EXPECT_EQ(with("aud", Json::array()), "id-token.wrong-audience");
  EXPECT_EQ(without("aud"), "id-token.wrong-audience");
  EXPECT_EQ(without("sub"), "id-token.malformed");
  EXPECT_EQ(with("sub", 7), "id-token.malformed");
  rules_.audience.clear();
  EXPECT_EQ(with("aud", ""), "id-token.wrong-audience") << "rules that name nobody let nobody in";
}

TEST_F(IdTokens, SaySecondsInWholeNumbers) {
  EXPECT_EQ(without("exp"), "id-token.malformed");
  EXPECT_EQ(without("iat"), "id-token.malformed");
  for (const Json& value : {Json("1800000100"), Json(1.8e9), Json(-1), Json(nullptr), Json(true),
                            Json(std::uint64_t{1} << 63U), Json::array({kNow})}) {
    EXPECT_EQ(with("exp", value), "id-token.malformed") << value;
    EXPECT_EQ(with("nbf", value), "id-token.malformed") << value;
  }
}

/// Ours is 60 seconds.
TEST_F(IdTokens, AreJudgedByClocksThatDifferALittle) {
  for (int off = -120; off <= 120; off += 10) {
    auto claims = claims_;
    claims["exp"] = kNow + off;
    claims["iat"] = kNow + off - 300;
    const bool unborn = off - 300 > 60;
    EXPECT_EQ(judged(claims), off <= -60 ? "id-token.expired"
                              : unborn   ? "id-token.not-yet"
                                         : "")
        << "exp at " << off;
    EXPECT_EQ(with("nbf", kNow + off), off > 60 ? "id-token.not-yet" : "") << "nbf at " << off;
    claims["iat"] = kNow + off;
    claims["exp"] = kNow + 300;
    EXPECT_EQ(judged(claims), off > 60 ? "id-token.not-yet" : "") << "iat at " << off;
  }
  EXPECT_EQ(with("exp", kNow - 10 + 3600), "");
  EXPECT_EQ(with("exp", kNow - 10 + 3601), "id-token.lives-too-long");
}

TEST_F(IdTokens, NameNeitherKeysNorRules) {
  EXPECT_EQ(header(R"({"alg":"EdDSA"})"), "") << "the only key is meant";
  EXPECT_EQ(header(R"({"alg":"EdDSA","kid":"two"})"), "jws.unknown-key");
  EXPECT_EQ(header(R"({"alg":"EdDSA","kid":"../../../dev/null"})"), "jws.unknown-key");
  EXPECT_EQ(header(R"({"alg":"EdDSA","typ":"at+jwt"})"), "id-token.wrong-type");
  for (const char* name : {"crit", "b64", "jku", "jwk", "x5u", "x5c", "zip"}) {
    EXPECT_EQ(header(fmt::format(R"({{"alg":"EdDSA","{}":null}})", name)),
              "jws.header-not-allowed");
  }
  EXPECT_EQ(header(R"({"alg":"EdDSA","kid":7})"), "jws.malformed");
  EXPECT_EQ(header(R"({"alg":"EdDSA","alg":"none"})"), "jws.malformed") << "said twice";
  EXPECT_EQ(header("[]"), "jws.malformed");
}

/// libjwt 1.10.2 takes all three.
TEST_F(IdTokens, DoNotChooseHowTheyAreVerified) {
  const auto claims = base64url(claims_.dump());
  const auto none = base64url(R"({"alg":"none"})") + "." + claims + ".";
  for (const auto& token : {none, none + "AA"}) {
    ASSERT_FALSE(verify(token));
    EXPECT_EQ(verify(token).error().code(), "jws.algorithm-not-allowed");
  }
  // A MAC keyed by what everybody knows: the public key.
  const auto key = issuer_.jwk().dump();
  const auto text = base64url(R"({"alg":"HS256","kid":"one"})") + "." + claims;
  std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, reinterpret_cast<const unsigned char*>(key.data()),
                              key.size());
  crypto_auth_hmacsha256_update(&state, reinterpret_cast<const unsigned char*>(text.data()),
                                text.size());
  crypto_auth_hmacsha256_final(&state, mac.data());
  const auto confused = verify(text + "." + base64url(bytes_of(mac)));
  ASSERT_FALSE(confused);
  EXPECT_EQ(confused.error().code(), "jws.algorithm-not-allowed");
  EXPECT_EQ(with("exp", kNow - 61), "id-token.expired");
  // Pinned to another algorithm than the one that is used, rightly signed or not.
  const auto good = issuer_.sign(claims_);
  rules_.algorithms = {JwsAlgorithm::RS256, JwsAlgorithm::ES256};
  ASSERT_FALSE(verify(good));
  EXPECT_EQ(verify(good).error().code(), "jws.algorithm-not-allowed");
}

TEST_F(IdTokens, AreReadInOneWritingOnly) {
  const auto good = issuer_.sign(claims_);
  for (const auto& token : {good + ".", good + "=", "." + good, " " + good, good + "\n",
                            std::string(), std::string(".."), std::string(9000, 'A')}) {
    ASSERT_FALSE(verify(token)) << token;
    EXPECT_EQ(verify(token).error().code(), "jws.malformed") << token;
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto changed = good;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify(changed)) << at;
  }
}

TEST(JsonWebKeys, AreStrongAndDistinct) {
  const test::TokenIssuer issuer;
  auto jwk = issuer.jwk();
  const auto code = [](const Json& set) {
    const auto parsed = JsonWebKeySet::parse(set.dump());
    return parsed ? std::to_string(parsed->size()) : parsed.error().code();
  };
  EXPECT_EQ(code(jwk), "1");
  EXPECT_EQ(code({{"keys", {jwk, jwk}}}), "key.malformed") << "two of one name";
  EXPECT_EQ(code({{"keys", Json::array()}}), "0");
  EXPECT_EQ(code({{"keys", "none"}}), "key.malformed");
  Json many{{"keys", Json::array()}};
  for (int i = 0; i < 33; ++i) {
    jwk["kid"] = std::to_string(i);
    many["keys"].push_back(jwk);
  }
  EXPECT_EQ(code(many), "key.malformed") << "more than 32";
  many["keys"].erase(0);
  EXPECT_EQ(code(many), "32");
  jwk["x"] = base64url(std::string(32, '\0'));
  EXPECT_EQ(code(jwk), "key.malformed") << "a point of low order";
  EXPECT_EQ(code({{"kty", "oct"}, {"k", "AAAA"}}), "0") << "shared secrets are passed over";
}

}  // namespace
}  // namespace bailey
