#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bailey {

/// How something may be drawn.
struct Look {
  std::size_t columns = 80;
  std::size_t rows = 24;
  bool unicode = false;
  bool colour = false;
};

/// Of a terminal, now: its size, Unicode where the locale is one of UTF-8, colour unless NO_COLOR
/// is set (no-color.org) or TERM is `dumb`.
[[nodiscard]] Look terminal_look(int descriptor);
[[nodiscard]] bool is_terminal(int descriptor);

/// What comes from a server or a spec never steers the terminal: control characters, C1 included,
/// become "?", invalid UTF-8 too. Line ends and tabs stay.
[[nodiscard]] std::string printable(std::string_view text);
/// The same on one line, with at most `columns` characters; what was cut ends in "...".
[[nodiscard]] std::string one_line(std::string_view text, std::size_t columns);

enum class Colour : std::uint8_t { Plain, Good, Bad, Faint, Strong };
/// The text in a colour, where there are colours.
[[nodiscard]] std::string painted(const Look& look, Colour colour, std::string_view text);
/// Characters that a terminal shows: those of escape sequences of ours do not count.
[[nodiscard]] std::size_t shown_length(std::string_view text);

}  // namespace bailey
