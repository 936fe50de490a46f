#pragma once

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace bailey::test {

using VirtualTime = std::chrono::milliseconds;

/// Everything that happened in one run, a line each, and what must not have. Its digest tells two
/// runs apart.
class Trace {
 public:
  template <class... Arguments>
  void add(VirtualTime now, fmt::format_string<Arguments...> text, Arguments&&... arguments) {
    lines_.push_back(fmt::format("{:>9} ", now.count()) +
                     fmt::format(text, std::forward<Arguments>(arguments)...));
  }
  /// The first one counts: what comes after may be its consequence.
  void violation(VirtualTime now, std::string what) {
    add(now, "VIOLATION {}", what);
    violations_.push_back(std::move(what));
  }

  [[nodiscard]] const std::vector<std::string>& violations() const { return violations_; }
  [[nodiscard]] std::size_t size() const { return lines_.size(); }
  [[nodiscard]] std::string digest() const;
  /// The last `count` lines before the first violation and it, or before the end.
  [[nodiscard]] std::string tail(std::size_t count) const;
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
  std::vector<std::string> violations_;
};

}  // namespace bailey::test
