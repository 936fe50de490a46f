#include "orchestrator/serve/cli/terminal.hpp"

#include "orchestrator/base/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

namespace bailey {

namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

// The order in which POSIX looks at them. The program itself stays in the locale "C".
bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const auto value = variable(name);
    if (value.empty()) continue;
    for (const char* word : {"UTF-8", "utf-8", "UTF8", "utf8"}) {
      if (value.find(word) != std::string_view::npos) return true;
    }
    return false;
  }
  return false;
}

bool is_control(std::string_view character) {
  const auto byte = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return byte < 0x20 || byte == 0x7F;
  return byte == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
}

std::size_t character_size(unsigned char first) {
  if (first < 0x80) return 1;
  if (first < 0xE0) return 2;
  return first < 0xF0 ? 3 : 4;
}

}  // namespace

bool is_terminal(int descriptor) {
  return ::isatty(descriptor) != 0;
}

Look terminal_look(int descriptor) {
  Look look;
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
    look.columns = size.ws_col;
    look.rows = size.ws_row;
  }
  look.unicode = locale_is_utf8();
  look.colour =
      is_terminal(descriptor) && variable("NO_COLOR").empty() && variable("TERM") != "dumb";
  return look;
}

std::string printable(std::string_view text) {
  std::string out;
  auto bad = find_invalid_utf8(text);
  while (!text.empty()) {
    if (bad == 0U) {
      out += '?';
      text.remove_prefix(1);
      bad = find_invalid_utf8(text);
      continue;
    }
    const auto character = text.substr(0, character_size(static_cast<unsigned char>(text[0])));
    const bool stays = !is_control(character) || character == "\n" || character == "\t";
    out += stays ? character : "?";
    text.remove_prefix(character.size());
    if (bad) *bad -= character.size();
  }
  return out;
}

std::string one_line(std::string_view text, std::size_t columns) {
  auto line = printable(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  std::replace(line.begin(), line.end(), '\t', ' ');
  if (utf8_length(line) <= columns) return line;
  return columns < 4 ? utf8_substr(line, 0, columns) : utf8_substr(line, 0, columns - 3) + "...";
}

std::string painted(const Look& look, Colour colour, std::string_view text) {
  if (!look.colour || colour == Colour::Plain) return std::string(text);
  const auto* code = colour == Colour::Good    ? "32"
                     : colour == Colour::Bad   ? "1;31"
                     : colour == Colour::Faint ? "2"
                                               : "1";
  return "\033[" + std::string(code) + "m" + std::string(text) + "\033[0m";
}

std::size_t shown_length(std::string_view text) {
  std::string bare;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\033') {
      i = std::min(text.find('m', i), text.size() - 1);
      continue;
    }
    bare += text[i];
  }
  return utf8_length(bare);
}

}  // namespace bailey
