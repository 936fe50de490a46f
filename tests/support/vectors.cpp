#include "tests/support/vectors.hpp"

#include <cstdlib>

namespace bailey::test {

std::optional<std::filesystem::path> vectors_folder() {
  const char* named = std::getenv("BAILEY_VECTORS");
  const std::filesystem::path folder =
      named != nullptr ? std::filesystem::path(named)
                       : std::filesystem::path(BAILEY_SOURCE_DIR) / "../shared/vectors";
  if (!std::filesystem::is_directory(folder)) return std::nullopt;
  return folder;
}

}  // namespace bailey::test
