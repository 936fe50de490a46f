#include "orchestrator/serve/cli/terminal.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

TEST(Printable, LetsNothingSteerTheTerminal) {
  EXPECT_EQ(printable("plain\ttext\n"), "plain\ttext\n");
  EXPECT_EQ(printable("\033[2J\rx\x7F"), "?[2J?x?");
  EXPECT_EQ(printable("a\xC2\x9B"
                      "2J"),
            "a?2J");  // CSI as one character
  EXPECT_EQ(printable("gr\xC3\xBC\xC3\x9F"
                      "e"),
            "gr\xC3\xBC\xC3\x9F"
            "e");
  EXPECT_EQ(printable("a\xFFz\xC3"), "a?z?");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a?b");
  EXPECT_EQ(printable(""), "");
}

TEST(OneLine, CutsAtTheWidthAndSaysSo) {
  EXPECT_EQ(one_line("a\nb\tc", 80), "a b c");
  EXPECT_EQ(one_line("12345678", 8), "12345678");
  EXPECT_EQ(one_line("123456789", 8), "12345...");
  EXPECT_EQ(one_line("123456789", 2), "12");
  EXPECT_EQ(one_line("123", 0), "");
  EXPECT_EQ(one_line("\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC\xC3\xBC", 4), "\xC3\xBC...");
}

TEST(Painted, IsPlainWithoutColoursAndCountsOnlyWhatShows) {
  EXPECT_EQ(painted({}, Colour::Bad, "x"), "x");
  Look look;
  look.colour = true;
  EXPECT_EQ(painted(look, Colour::Plain, "x"), "x");
  const auto text = painted(look, Colour::Bad, "gr\xC3\xBC") + "y";
  EXPECT_EQ(text.front(), '\033');
  EXPECT_EQ(shown_length(text), 4U);
  EXPECT_EQ(shown_length("\033"), 0U);
}

}  // namespace
}  // namespace bailey
