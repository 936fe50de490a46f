#pragma once

#include <filesystem>
#include <optional>

namespace bailey::test {

/// The folder of published test vectors: $BAILEY_VECTORS, else ../shared/vectors beside the
/// project; nothing when there is none.
[[nodiscard]] std::optional<std::filesystem::path> vectors_folder();

}  // namespace bailey::test

/// Skips the test, in words, when the vectors are not at hand.
#define BAILEY_VECTORS_OR_SKIP(variable)                                                    \
  const auto variable##_found = ::bailey::test::vectors_folder();                           \
  if (!variable##_found) {                                                                  \
    GTEST_SKIP() << "no folder of test vectors: set BAILEY_VECTORS or see CONTRIBUTING.md"; \
  }                                                                                         \
  const std::filesystem::path& variable = *variable##_found
