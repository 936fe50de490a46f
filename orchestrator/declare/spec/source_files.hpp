#pragma once

#include "orchestrator/base/diagnostic.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace bailey {

/// One spec file; `path` as the user would type it, for messages.
struct SourceFile {
  std::string path;
  std::string text;
};

/// What a bundle is read from: a value, so that reading needs no disk and a later edit changes
/// nothing.
struct BundleSources {
  std::vector<SourceFile> specs;
  std::map<std::string, std::string> programs;  ///< Path within the bundle's folder to bytes.

  /// For render(): the text of a spec file by its path.
  [[nodiscard]] SourceLookup lookup() const;
};

/// Gathers the specs (`*.yaml`, `*.yml`) and programs (other regular files that are executable, at
/// most 256 KiB each) of files and folders; a folder is read with its subfolders, in the order of
/// names. Hidden files and folders are passed over; a link that leads out of its folder, a path
/// that cannot be read and a folder without any spec are errors. Nothing when there was an error.
[[nodiscard]] std::optional<BundleSources> collect_sources(
    const std::vector<std::filesystem::path>& paths, Diagnostics& diagnostics);

}  // namespace bailey
