#pragma once

#include <string>
#include <string_view>

namespace bailey {

/// A value that must not be shown. It has no stream operator, no JSON form and no implicit
/// conversion, and its bytes are wiped when it goes. `reveal()` is the only way out: search for it
/// to see every place that handles the plain value.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  [[nodiscard]] std::string_view reveal() const noexcept { return value_; }
  [[nodiscard]] bool empty() const noexcept { return value_.empty(); }

 private:
  void wipe() noexcept;
  std::string value_;
};

}  // namespace bailey
