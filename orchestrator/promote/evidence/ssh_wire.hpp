#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bailey {

/// Takes RFC 4251 values off the front of a byte string. After the first value that is not there,
/// ok() is false for good and everything reads as empty.
class SshReader {
 public:
  explicit SshReader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t byte();
  std::uint32_t number();
  std::string_view string();
  /// A positive mpint in its shortest form, as big-endian bytes without a leading zero.
  std::string_view positive();
  std::string_view take(std::size_t count);

  [[nodiscard]] std::string_view rest() const noexcept { return rest_; }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  /// Everything was there, and nothing more.
  [[nodiscard]] bool finished() const noexcept { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

/// RFC 4251 `string`: the length in four bytes, then the bytes.
[[nodiscard]] std::string ssh_string(std::string_view bytes);

}  // namespace bailey
