#include "orchestrator/serve/cli/foot.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

namespace bailey {
namespace {

/// What is written to a terminal.
class FootTest : public ::testing::Test {
 protected:
  FootTest() : file_(open_memstream(&bytes_, &size_)) {}
  ~FootTest() override {
    std::fclose(file_);
    std::free(bytes_);
  }
  /// Since it was last asked.
  std::string written() {
    std::fflush(file_);
    auto text = std::string(bytes_, size_).substr(seen_);
    seen_ = size_;
    return text;
  }

  char* bytes_ = nullptr;
  std::size_t size_ = 0;
  std::size_t seen_ = 0;
  std::FILE* file_;
};

TEST_F(FootTest, DrawsInPlaceAndScrollsTheRestAbove) {
  Foot foot(file_);
  foot.draw({}, {"one", "two"}, 80);
  EXPECT_EQ(written(), "\033[?25l\033[?7lone\ntwo\033[?7h\033[?25h");
  foot.draw({"done"}, {"three"}, 80);
  EXPECT_EQ(written(), "\033[?25l\r\033[1A\033[Jdone\n\033[?7lthree\033[?7h\033[?25h");
}

TEST_F(FootTest, ReckonsWithLinesThatANarrowerWindowHasWrapped) {
  Foot foot(file_);
  foot.draw({}, {std::string(70, 'x'), "\033[32my\033[0m"}, 80);
  written();
  foot.draw({}, {"z"}, 30);
  EXPECT_EQ(written().substr(0, 14), "\033[?25l\r\033[3A\033[J");
}

TEST_F(FootTest, LeavesNothingBehind) {
  {
    Foot foot(file_);
    foot.draw({}, {"one", "two", "three"}, 80);
    written();
    foot.clear();
    EXPECT_EQ(written(), "\r\033[2A\033[J");
    foot.clear();
    EXPECT_EQ(written(), "");
    foot.draw({}, {"four"}, 80);
    written();
  }
  EXPECT_EQ(written(), "\r\033[J");
}

}  // namespace
}  // namespace bailey
