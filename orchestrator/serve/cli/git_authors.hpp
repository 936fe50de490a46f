#pragma once

#include "orchestrator/serve/engine/bundle_record.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace bailey {

/// The commit that the specs stand at, and the e-mail addresses of everybody who authored,
/// co-authored or committed something under these paths since `commit` (all of them when it is
/// empty or not known here). Empty for folders that are not kept in git.
[[nodiscard]] BundleOrigin find_origin(const std::vector<std::filesystem::path>& paths,
                                       const std::string& since);

}  // namespace bailey
