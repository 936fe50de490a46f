#include "tests/simulation/trace.hpp"

#include "orchestrator/base/digest.hpp"

#include <algorithm>

namespace bailey::test {

std::string Trace::digest() const {
  std::string all;
  for (const auto& line : lines_) all += line + "\n";
  return digest_of(std::string_view(all));
}

std::string Trace::tail(std::size_t count) const {
  auto end = std::find_if(lines_.begin(), lines_.end(), [](const std::string& line) {
    return line.find("VIOLATION") != std::string::npos;
  });
  if (end != lines_.end()) ++end;
  const auto shown = std::min(count, static_cast<std::size_t>(end - lines_.begin()));
  std::string text;
  for (auto line = end - static_cast<std::ptrdiff_t>(shown); line != end; ++line) {
    text += *line + "\n";
  }
  return text;
}

}  // namespace bailey::test
