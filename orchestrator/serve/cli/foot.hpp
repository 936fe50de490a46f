#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace bailey {

/// The lines at the foot of a terminal that are drawn over again and again, and what scrolls away
/// above them. Leaves the terminal as it was when it is cleared or goes.
class Foot {
 public:
  explicit Foot(std::FILE* terminal) : terminal_(terminal) {}
  ~Foot() { clear(); }
  Foot(const Foot&) = delete;
  Foot& operator=(const Foot&) = delete;
  /// `above` scrolls away for good; `foot` is drawn below. Neither holds anything but printable
  /// text and painted() colours; lines of the foot are no longer than the terminal is wide.
  void draw(const std::vector<std::string>& above, const std::vector<std::string>& foot,
            std::size_t columns);
  void clear();

 private:
  /// What moves back to the first row of the foot and erases from there.
  [[nodiscard]] std::string erasure(std::size_t columns) const;

  std::FILE* terminal_;
  std::vector<std::size_t> lengths_;  ///< Of the lines that stand there.
};

}  // namespace bailey
