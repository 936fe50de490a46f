#pragma once

#include <compare>
#include <functional>
#include <string>
#include <utility>

namespace bailey {

/// One type an id, so that a change id can never be passed where an environment id is meant.
template <class Tag>
class StrongId {
 public:
  StrongId() = default;
  explicit StrongId(std::string value) : value_(std::move(value)) {}
  [[nodiscard]] const std::string& str() const noexcept { return value_; }
  [[nodiscard]] bool empty() const noexcept { return value_.empty(); }
  auto operator<=>(const StrongId&) const = default;

 private:
  std::string value_;
};

}  // namespace bailey

template <class Tag>
struct std::hash<bailey::StrongId<Tag>> {
  std::size_t operator()(const bailey::StrongId<Tag>& id) const noexcept {
    return std::hash<std::string>()(id.str());
  }
};
