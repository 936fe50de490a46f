#include "orchestrator/base/text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace bailey {
namespace {

TEST(Utf8, CountsAndCutsCharacters) {
  const std::string text = "a\xC3\xB6\xE2\x82\xAC\xF0\x9F\x98\x80z";
  EXPECT_EQ(utf8_length(text), 5U);
  EXPECT_EQ(utf8_substr(text, 1, 2), "\xC3\xB6\xE2\x82\xAC");
  EXPECT_EQ(utf8_substr(text, 3, 99), "\xF0\x9F\x98\x80z");
  EXPECT_EQ(utf8_substr(text, 5, 1), "");
  EXPECT_EQ(utf8_substr(text, 99, 1), "");
  EXPECT_EQ(utf8_substr(text, 2, 0), "");
}

TEST(Utf8, FindsTheFirstByteThatIsNone) {
  for (const char* text :
       {"", "plain", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
        "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_FALSE(find_invalid_utf8(text).has_value()) << text;
  }
  for (const char* text :
       {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2x", "\xE0\x9F\xBF", "\xED\xA0\x80",
        "\xED\xBF\xBF", "\xE2\x82", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
        "\xF0\x9F\x98", "\xFE", "\xFF"}) {
    EXPECT_EQ(find_invalid_utf8(std::string("ok") + text), 2U);
  }
  EXPECT_FALSE(find_invalid_utf8(std::string_view("a\0b", 3)).has_value());
}

TEST(Nearest, FindsATypingMistakeAndNothingFarther) {
  const std::vector<std::string> words = {"region", "image", "flavor", "network", "in"};
  EXPECT_EQ(nearest("regoin", words), "region");
  EXPECT_EQ(nearest("netwrok", words), "network");
  EXPECT_EQ(nearest("Image", words), "image");
  EXPECT_EQ(nearest("i", words), "in");
  EXPECT_FALSE(nearest("zone", words).has_value());
  EXPECT_FALSE(nearest("securityGroups", words).has_value());
  EXPECT_FALSE(nearest("image", {"image"}).has_value());
  EXPECT_FALSE(nearest("image", {}).has_value());
  EXPECT_FALSE(nearest("", {"longer"}).has_value());
  EXPECT_FALSE(nearest(std::string(65, 'a'), {std::string(64, 'a')}).has_value());
}

TEST(Text, SplitsAndJoins) {
  EXPECT_EQ(split("a/b", '/'), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(split("", '/'), (std::vector<std::string>{""}));
  EXPECT_EQ(split("/a/", '/'), (std::vector<std::string>{"", "a", ""}));
  EXPECT_EQ(join({"", "a", ""}, "/"), "/a/");
  EXPECT_EQ(join({}, "/"), "");
}

TEST(Text, Trims) {
  EXPECT_EQ(trim(" \t\r\n a b \n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(trim("\xC2\xA0x"), "\xC2\xA0x");
}

TEST(Text, EnumeratesAsPeopleDo) {
  EXPECT_EQ(enumerate({}), "");
  EXPECT_EQ(enumerate({"a"}), "a");
  EXPECT_EQ(enumerate({"a", "b"}), "a and b");
  EXPECT_EQ(enumerate({"a", "b", "c"}, "or"), "a, b or c");
}

}  // namespace
}  // namespace bailey
