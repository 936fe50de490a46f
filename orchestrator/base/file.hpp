#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/base/secret.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace bailey {

/// Reads a whole regular file; refuses one of more than `max_bytes`.
[[nodiscard]] Result<std::string> read_file(const std::filesystem::path& path,
                                            std::size_t max_bytes = 64U * 1024 * 1024);

/// Replaces the file in one step (temporary file in the same folder, fsync, rename): readers see
/// the old bytes or the new ones. A failure leaves the old file.
[[nodiscard]] Status write_file(const std::filesystem::path& path, std::string_view bytes,
                                unsigned mode = 0644);

/// As write_file with mode 0600 from the first byte, for keys and tokens.
[[nodiscard]] Status write_private_file(const std::filesystem::path& path, std::string_view bytes);

/// Reads a key or a token. PermissionDenied when anybody but the owner has any right on the file.
[[nodiscard]] Result<Secret> read_private_file(const std::filesystem::path& path,
                                               std::size_t max_bytes = 64U * 1024);

/// A private folder that is removed with everything in it when it goes out of scope.
class TemporaryFolder {
 public:
  [[nodiscard]] static Result<TemporaryFolder> create(std::string_view prefix = "bailey");
  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace bailey
