#include "orchestrator/base/digest.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bailey {
namespace {

constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

TEST(Digest, EqualsThePublishedOnes) {
  EXPECT_EQ(hex(sha256("")), kEmpty);
  // FIPS 180-4 examples.
  EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(sha256(std::string(1'000'000, 'a'))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(hex(sha512("abc")),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

TEST(Digest, KeyedHashEqualsRfc4231) {
  EXPECT_EQ(hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(hmac_sha256(std::string(131, '\xaa'),
                            "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(hmac_sha256("", "").size(), 32U);
}

TEST(Digest, OfAValueIsOverItsCanonicalForm) {
  const auto spaced = parse_json(R"({ "b": 1.0, "a": [] })");
  ASSERT_TRUE(spaced.has_value());
  EXPECT_EQ(digest_of(*spaced), digest_of(std::string_view(R"({"a":[],"b":1})")));
  // A text and the JSON string of it are different things.
  EXPECT_NE(digest_of(std::string_view("a")), digest_of(Json("a")));
}

TEST(Digest, WithAListIsThatOfTheWhole) {
  const std::vector<Json> elements{{{"b", 1}, {"a", "x,]}"}}, "two", nullptr, Json::array()};
  for (const std::string list : {"a", "m", "z", "m\"m"}) {
    for (std::size_t size = 0; size <= elements.size(); ++size) {
      const Json rest = {{"l", Json::array()}, {"n", {{list, Json::array()}}}};
      Json whole = rest;
      whole[list] = Json(std::vector<Json>(elements.begin(), elements.begin() + size));
      EXPECT_EQ(digest_with_list(rest, list, size, [&](std::size_t i) { return elements[i]; }),
                digest_of(whole))
          << list << " with " << size;
    }
  }
  EXPECT_EQ(digest_with_list(Json::object(), "only", 0, {}),
            digest_of(Json{{"only", Json::array()}}));
}

TEST(IsDigest, TakesOneSpellingOnly) {
  const std::string good = std::string("sha256:") + kEmpty;
  EXPECT_TRUE(is_digest(good));
  EXPECT_TRUE(is_digest(digest_of(std::string_view("x"))));
  EXPECT_FALSE(is_digest(""));
  EXPECT_FALSE(is_digest(kEmpty));
  EXPECT_FALSE(is_digest("SHA256:" + std::string(kEmpty)));
  EXPECT_FALSE(is_digest("sha512:" + std::string(kEmpty)));
  EXPECT_FALSE(is_digest(good + "0"));
  EXPECT_FALSE(is_digest(good + "\n"));
  EXPECT_FALSE(is_digest(good.substr(0, good.size() - 1)));
  EXPECT_FALSE(is_digest("sha256:E" + std::string(kEmpty).substr(1)));
  EXPECT_FALSE(is_digest("sha256:g" + std::string(kEmpty).substr(1)));
}

TEST(EqualInConstantTime, ComparesBytes) {
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
  EXPECT_FALSE(equal_in_constant_time(std::string_view("a\0b", 3), std::string_view("a\0c", 3)));
}

}  // namespace
}  // namespace bailey
