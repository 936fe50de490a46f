#include "tests/support/golden.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace bailey::test {

namespace {

void write_and_skip(const std::filesystem::path& file, const std::string& got) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << got;
  GTEST_SKIP() << "wrote " << file;
}

}  // namespace

void expect_golden(std::string_view name, const std::string& got) {
  const auto file = std::filesystem::path(BAILEY_SOURCE_DIR) / "tests/golden" / name;
  const char* update = std::getenv("UPDATE_GOLDEN");
  if (update != nullptr && std::string_view(update) == "1") return write_and_skip(file, got);
  std::ifstream stream(file, std::ios::binary);
  ASSERT_TRUE(stream.is_open()) << file << " is missing; run with UPDATE_GOLDEN=1 and read it";
  std::stringstream want;
  want << stream.rdbuf();
  EXPECT_EQ(got, want.str()) << "differs from " << file;
}

}  // namespace bailey::test
