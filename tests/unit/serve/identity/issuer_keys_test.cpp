#include "orchestrator/serve/identity/issuer_keys.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "tests/support/fake_clock.hpp"

#include <gtest/gtest.h>
#include <sodium.h>

#include <atomic>
#include <thread>

namespace bailey {
namespace {

/// An issuer that counts how often it is asked for its keys.
class CountingIssuer final : public HttpClient {
 public:
  Result<HttpResponse> send(const HttpRequest& request, std::stop_token) override {
    ++requests;
    if (silent) return fail(ErrorKind::Unavailable, "no connection");
    HttpResponse answer;
    answer.status = status;
    if (request.url.ends_with("/.well-known/openid-configuration")) {
      answer.body = Json{{"issuer", says}, {"jwks_uri", keys_at}}.dump();
      return answer;
    }
    ++fetches;
    if (slow) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    Json keys = Json::array();
    for (const auto& id : ids) {
      unsigned char open[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
      crypto_sign_keypair(open, secret);
      keys.push_back(
          {{"kty", "OKP"}, {"crv", "Ed25519"}, {"kid", id}, {"x", base64url(bytes_of(open))}});
    }
    answer.body = Json{{"keys", keys}}.dump();
    if (!cache_control.empty()) answer.headers = {{"cache-control", cache_control}};
    return answer;
  }

  std::vector<std::string> ids{"old"};
  std::string says = "https://issuer.example", keys_at = "https://issuer.example/keys";
  std::string cache_control;
  int status = 200;
  bool silent = false, slow = false;
  std::atomic<int> fetches{0}, requests{0};
};

class IssuerKeysTest : public testing::Test {
 protected:
  bool has(const std::string& id) {
    const auto keys = keys_.get(id, {});
    return keys && (*keys)->find(id) != nullptr;
  }
  void pass(std::chrono::milliseconds time) { clock_.advance(time); }

  test::FakeClock clock_;
  CountingIssuer issuer_;
  IssuerKeys keys_{issuer_, clock_, "https://issuer.example"};
};

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST_F(IssuerKeysTest, AreFetchedOnceAQuarterOfAnHour) {
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(has("old"));
  EXPECT_EQ(issuer_.fetches, 1);
  pass(minutes(15));
  EXPECT_TRUE(has("old"));
  EXPECT_EQ(issuer_.fetches, 2);
}

TEST_F(IssuerKeysTest, AreNotAskedForMoreOftenBecauseTokensNameOthers) {
  EXPECT_TRUE(has("old"));
  for (int i = 0; i < 10'000; ++i) {
    EXPECT_FALSE(has("made-up-" + std::to_string(i)));
    pass(std::chrono::milliseconds(6));  // A minute in all.
  }
  EXPECT_LE(issuer_.fetches, 3) << "one at first, and one each half minute";
  EXPECT_TRUE(has("old")) << "a miss evicts nothing";
}

TEST_F(IssuerKeysTest, TurnWithoutRefusingAValidToken) {
  EXPECT_TRUE(has("old"));
  pass(seconds(31));
  issuer_.ids = {"old", "new"};
  EXPECT_TRUE(has("new")) << "the issuer is asked at once for a key that is not known";
  EXPECT_TRUE(has("old"));
  EXPECT_EQ(issuer_.fetches, 2);
}

TEST_F(IssuerKeysTest, StayForADayWhenTheIssuerDoesNotAnswer) {
  EXPECT_TRUE(has("old"));
  issuer_.silent = true;
  for (int hour = 0; hour < 23; ++hour) {
    pass(hours(1));
    EXPECT_TRUE(has("old")) << hour;
  }
  pass(hours(2));
  const auto gone = keys_.get("old", {});
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code(), "issuer.unreachable");
  issuer_.silent = false;
  EXPECT_FALSE(has("old")) << "within half a minute nobody is asked again";
  pass(seconds(30));
  EXPECT_TRUE(has("old"));
}

TEST_F(IssuerKeysTest, ComeFromTheIssuerAndOverHttps) {
  issuer_.says = "https://other.example";
  EXPECT_FALSE(has("old")) << "it describes another";
  pass(minutes(1));
  issuer_.says = "https://issuer.example";
  for (const char* elsewhere : {"http://issuer.example/keys", "http://127.0.0.1.evil.example/keys",
                                "file:///etc/passwd", ""}) {
    issuer_.keys_at = elsewhere;
    EXPECT_FALSE(has("old")) << elsewhere;
    pass(minutes(1));
  }
  EXPECT_EQ(issuer_.fetches, 0);
  issuer_.keys_at = "https://issuer.example/keys";
  issuer_.status = 302;
  EXPECT_FALSE(has("old")) << "no redirect is followed";
  pass(minutes(1));
  issuer_.status = 200;
  issuer_.ids.clear();
  EXPECT_FALSE(has("old")) << "no key at all";
}

TEST_F(IssuerKeysTest, AreAskedForByOneAtATime) {
  issuer_.slow = true;
  std::vector<std::thread> threads;
  std::atomic<int> found{0};
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { found += has("old") ? 1 : 0; });
  for (auto& each : threads) each.join();
  EXPECT_EQ(found, 8);
  EXPECT_EQ(issuer_.fetches, 1);
}

TEST(KeyLife, IsWithinBounds) {
  const auto life = [](const std::string& control) {
    HttpResponse answer;
    if (!control.empty()) answer.headers = {{"cache-control", control}};
    return key_life(answer);
  };
  EXPECT_EQ(life(""), minutes(15));
  EXPECT_EQ(life("public"), minutes(15));
  EXPECT_EQ(life("max-age=x"), minutes(15));
  EXPECT_EQ(life("public, max-age=3600, must-revalidate"), hours(1));
  EXPECT_EQ(life("max-age=0"), minutes(1));
  EXPECT_EQ(life("max-age=-5"), minutes(15));
  EXPECT_EQ(life("max-age=99999999"), hours(24));
  EXPECT_EQ(life("max-age=99999999999999999999"), hours(24));
}

}  // namespace
}  // namespace bailey
