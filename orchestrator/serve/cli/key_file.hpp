#pragma once

#include "orchestrator/base/error.hpp"

#include <filesystem>

namespace bailey {

/// The SSH key to sign with: the one that is named, else BAILEY_KEY, else the first of the usual
/// ones in ~/.ssh. NotFound when there is none.
[[nodiscard]] Result<std::filesystem::path> find_key(const std::filesystem::path& named);

}  // namespace bailey
