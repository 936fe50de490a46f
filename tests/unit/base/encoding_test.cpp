#include "orchestrator/base/encoding.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace bailey {
namespace {

// RFC 4648 section 10.
const std::map<std::string, std::string> kBase64 = {{"", ""},
                                                    {"f", "Zg=="},
                                                    {"fo", "Zm8="},
                                                    {"foo", "Zm9v"},
                                                    {"foob", "Zm9vYg=="},
                                                    {"fooba", "Zm9vYmE="},
                                                    {"foobar", "Zm9vYmFy"}};

std::string all_bytes() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  return bytes;
}

TEST(Base64, EqualsRfc4648) {
  for (const auto& [bytes, text] : kBase64) {
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(from_base64(text), bytes);
  }
}

TEST(Base64, ComesBackForEveryLength) {
  const auto bytes = all_bytes();
  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    const auto part = bytes.substr(bytes.size() - length);
    EXPECT_EQ(from_base64(base64(part)), part);
    EXPECT_EQ(from_base64url(base64url(part)), part);
  }
}

TEST(Base64, HasOneSpellingForEachValue) {
  for (const char* text : {"Zg", "Zg=", "Z===", "====", "=", "Zh==", "Zm9=", "Zm9vYg==\n", " Zg==",
                           "Zm 9v", "Zm9v====", "Zg==Zg==", "Z-8_", "Zm9v=", "=Zm9", "Z=g="}) {
    EXPECT_FALSE(from_base64(text).has_value()) << text;
  }
  EXPECT_EQ(from_base64("++//"), "\xFB\xEF\xFF");
}

TEST(Base64Url, TakesNeitherPaddingNorTheOtherAlphabet) {
  EXPECT_EQ(base64url("\xFB\xEF\xFF\xFB"), "--__-w");
  for (const char* text : {"Zg==", "Zh", "Z", "++//", "Zm9v\n", "Zm9vZ"}) {
    EXPECT_FALSE(from_base64url(text).has_value()) << text;
  }
  EXPECT_EQ(from_base64url("Zg"), "f");
}

TEST(Base32, EqualsRfc4648InLowerCaseWithoutPadding) {
  const std::map<std::string, std::string> vectors = {{"", ""},
                                                      {"f", "my"},
                                                      {"fo", "mzxq"},
                                                      {"foo", "mzxw6"},
                                                      {"foob", "mzxw6yq"},
                                                      {"fooba", "mzxw6ytb"},
                                                      {"foobar", "mzxw6ytboi"}};
  for (const auto& [bytes, text] : vectors) EXPECT_EQ(base32_lower(bytes), text);
}

TEST(Hex, ReadsBothCasesAndWritesOne) {
  EXPECT_EQ(hex(std::string_view("\x00\x7f\xff", 3)), "007fff");
  EXPECT_EQ(from_hex("007Fff"), std::string("\x00\x7f\xff", 3));
  EXPECT_EQ(from_hex(""), "");
  for (const char* text : {"0", "0g", "g0", "0x00", " 00", "00 ", "0\n"}) {
    EXPECT_FALSE(from_hex(text).has_value()) << text;
  }
  EXPECT_EQ(from_hex(hex(all_bytes())), all_bytes());
}

TEST(Percent, EncodesAllButUnreservedCharacters) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("a/b?c=d&e%\n"), "a%2Fb%3Fc%3Dd%26e%25%0A");
  EXPECT_EQ(percent_encode("\xC3\xB6"), "%C3%B6");
  EXPECT_EQ(percent_decode(percent_encode(all_bytes())), all_bytes());
}

TEST(Percent, DecodesNothingFromABrokenEscape) {
  for (const char* text : {"%", "%2", "a%", "a%2", "%zz", "%2g", "%%20", "% 20"}) {
    EXPECT_FALSE(percent_decode(text).has_value()) << text;
  }
  EXPECT_EQ(percent_decode("%41%2f%2F"), "A//");
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("%2541"), "%41");
}

}  // namespace
}  // namespace bailey
