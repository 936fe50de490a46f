#include "orchestrator/serve/cli/foot.hpp"

#include "orchestrator/serve/cli/terminal.hpp"

#include <algorithm>

namespace bailey {

std::string Foot::erasure(std::size_t columns) const {
  if (lengths_.empty()) return {};
  // A window that became narrower has wrapped the lines that stood there.
  std::size_t rows = 0;
  for (const auto length : lengths_) {
    rows += length == 0 ? 1 : (length + columns - 1) / std::max<std::size_t>(1, columns);
  }
  std::string out = "\r";
  if (rows > 1) out += "\033[" + std::to_string(rows - 1) + "A";
  return out + "\033[J";
}

void Foot::draw(const std::vector<std::string>& above, const std::vector<std::string>& foot,
                std::size_t columns) {
  // The cursor is hidden, and nothing wraps, only while this is written: whatever ends the program
  // leaves the terminal whole.
  std::string out = "\033[?25l" + erasure(columns);
  for (const auto& line : above) out += line + "\n";
  out += "\033[?7l";
  lengths_.clear();
  for (const auto& line : foot) {
    if (!lengths_.empty()) out += "\n";
    out += line;
    lengths_.push_back(shown_length(line));
  }
  out += "\033[?7h\033[?25h";
  std::fwrite(out.data(), 1, out.size(), terminal_);
  std::fflush(terminal_);
}

void Foot::clear() {
  if (lengths_.empty()) return;
  const auto out = erasure(terminal_look(::fileno(terminal_)).columns);
  lengths_.clear();
  std::fwrite(out.data(), 1, out.size(), terminal_);
  std::fflush(terminal_);
}

}  // namespace bailey
