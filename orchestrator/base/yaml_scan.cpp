#include "orchestrator/base/yaml_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace bailey::detail {

namespace {

constexpr std::size_t kNone = std::string_view::npos;

bool is_blank(char c) noexcept {
  return c == ' ' || c == '\t';
}
bool is_flow_indicator(char c) noexcept {
  return c == ',' || c == '[' || c == ']' || c == '{' || c == '}';
}

class Scanner {
 public:
  Scanner(std::string_view text, const YamlReport& report) : text_(text), report_(report) {}

  void run() {
    if (text_.starts_with("---") && ends_word(3)) {
      at_ = 3;
      at_line_start_ = false;
    }
    while (!stopped_ && skip_to_token()) token();
    if (!stopped_ && !flow_.empty()) {
      say("yaml.syntax", "Invalid YAML",
          fmt::format("The \"{}\" here is never closed.", text_[flow_.back()]), flow_.back(), 1);
    }
  }

 private:
  enum class Last : std::uint8_t { Nothing, Opened, Comma, Value };

  [[nodiscard]] char at(std::size_t offset) const noexcept {
    return offset < text_.size() ? text_[offset] : '\n';
  }
  [[nodiscard]] bool ends_word(std::size_t offset) const noexcept {
    return offset >= text_.size() || is_blank(text_[offset]) || text_[offset] == '\n';
  }
  [[nodiscard]] std::int64_t column() const noexcept {
    return static_cast<std::int64_t>(at_ - line_begin_);
  }
  [[nodiscard]] bool in_flow() const noexcept { return !flow_.empty(); }

  void say(const char* code, const char* summary, std::string detail, std::size_t offset,
           std::size_t length) {
    report_(code, summary, std::move(detail), offset, length);
    // Beyond this the findings are noise, and memory must stay bounded.
    if (++findings_ >= 100) stopped_ = true;
  }

  // Goes over white space, breaks and comments; false at the end of the text.
  bool skip_to_token() {
    for (;;) {
      if (at_line_start_ && !enter_line()) return false;
      while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
      if (at_ >= text_.size()) return false;
      if (text_[at_] == '#') {
        if (at_ > line_begin_ && !is_blank(text_[at_ - 1])) {
          say("yaml.syntax", "Invalid YAML", "A comment needs a space before its \"#\".", at_, 1);
        }
        at_ = std::min(text_.find('\n', at_), text_.size());
      }
      if (at_ >= text_.size()) return false;
      if (text_[at_] != '\n') return true;
      next_line();
    }
  }

  void next_line() {
    ++at_;
    line_begin_ = at_;
    at_line_start_ = true;
  }

  // Stands behind the indentation of a line that has content, and closes what it ends.
  bool enter_line() {
    at_line_start_ = false;
    std::size_t indent = line_begin_;
    while (at(indent) == ' ' && indent < text_.size()) ++indent;
    std::size_t first = indent;
    while (first < text_.size() && is_blank(text_[first])) ++first;
    at_ = first;
    line_first_ = first;
    if (first >= text_.size() || text_[first] == '\n' || text_[first] == '#') return true;
    if (first != indent) report_tab(indent);
    const auto width = static_cast<std::int64_t>(indent - line_begin_);
    if (in_flow()) {
      require_indentation(width);
    } else {
      while (blocks_.size() > 1 && blocks_.back() > width) blocks_.pop_back();
    }
    return true;
  }

  void report_tab(std::size_t offset) {
    say("yaml.tab", "Tab in indentation",
        "YAML is indented with spaces; a tab is not allowed here.", offset, 1);
  }

  void require_indentation(std::int64_t width) {
    if (width > blocks_.back()) return;
    say("yaml.syntax", "Invalid YAML",
        "This line continues the value above, so it must be indented further than its key.",
        line_begin_ + static_cast<std::size_t>(std::max<std::int64_t>(width, 0)), 1);
  }

  void open_block(std::int64_t indent) {
    if (indent > blocks_.back()) {
      blocks_.push_back(indent);
      check_depth();
    }
  }

  void check_depth() {
    if (blocks_.size() - 1 + flow_.size() <= kYamlMaxDepth) return;
    say("yaml.too-deep", "Nested too deeply",
        fmt::format("At most {} levels of nesting are read.", kYamlMaxDepth), at_, 1);
    stopped_ = true;
  }

  void token() {
    const char c = text_[at_];
    if (!in_flow()) value_ = {at_, line_begin_, column(), at_ == line_first_};
    if (in_flow() ? flow_token(c) : block_token(c)) return;
    switch (c) {
      case '[':
      case '{':
        open_flow();
        return;
      case '"':
      case '\'':
        quoted(c);
        return;
      case '&':
        refuse_property("yaml.anchor", "Anchor", "Anchors (\"&name\") are not part of the format.");
        return;
      case '*':
        refuse_property("yaml.alias", "Alias", "Aliases (\"*name\") are not part of the format.");
        return;
      case '!':
        refuse_property("yaml.tag", "Tag", "Tags (\"!name\") are not part of the format.");
        return;
      default:
        plain();
    }
  }

  void refuse_property(const char* code, const char* summary, const char* detail) {
    const std::size_t begin = at_;
    while (!ends_word(at_) && !(in_flow() && is_flow_indicator(text_[at_]))) ++at_;
    say(code, summary, detail, begin, at_ - begin);
    last_ = Last::Value;
  }

  bool block_token(char c) {
    if (c == '-' && ends_word(at_ + 1)) {
      open_block(column());
      ++at_;
      refuse_tab_after_indicator();
      return true;
    }
    if (c == '?' && ends_word(at_ + 1)) return complex_key();
    if (c == ':' && ends_word(at_ + 1)) {
      ++at_;
      return true;
    }
    if (c == '|' || c == '>') {
      block_scalar();
      return true;
    }
    if (c == '%' && column() == 0) {
      say("yaml.directive", "Directive",
          "Directives (\"%YAML\", \"%TAG\") are not part of the format.", at_, 1);
      at_ = std::min(text_.find('\n', at_), text_.size());
      return true;
    }
    return false;
  }

  // "-<tab>- x" and the like: the tab would indent what follows.
  void refuse_tab_after_indicator() {
    std::size_t end = at_;
    while (end < text_.size() && text_[end] == ' ') ++end;
    if (at(end) != '\t') return;
    std::size_t next = end;
    while (next < text_.size() && is_blank(text_[next])) ++next;
    if (at(next) != '\n' && at(next) != '#') report_tab(end);
  }

  bool complex_key() {
    say("yaml.complex-key", "Complex key", "A key is a plain or quoted word; \"? \" is not read.",
        at_, 1);
    ++at_;
    return true;
  }

  bool flow_token(char c) {
    if (c == ']' || c == '}') {
      flow_.pop_back();
      ++at_;
      last_ = Last::Value;
      if (!in_flow()) after_value();
      return true;
    }
    if (c == ',') {
      if (last_ != Last::Value) {
        say("yaml.syntax", "Invalid YAML",
            "There is nothing between this comma and what is before it.", at_, 1);
      }
      last_ = Last::Comma;
      ++at_;
      return true;
    }
    if (c == ':' &&
        (ends_word(at_ + 1) || is_flow_indicator(at(at_ + 1)) || last_ == Last::Value)) {
      last_ = Last::Value;
      ++at_;
      return true;
    }
    if (c == '?' && ends_word(at_ + 1)) return complex_key();
    if (c == '-' && (ends_word(at_ + 1) || is_flow_indicator(at(at_ + 1)))) {
      say("yaml.syntax", "Invalid YAML",
          "A \"-\" on its own means nothing within brackets; quote it if it is a value.", at_, 1);
      last_ = Last::Value;
      ++at_;
      return true;
    }
    return false;
  }

  void open_flow() {
    flow_.push_back(at_);
    ++at_;
    last_ = Last::Opened;
    check_depth();
  }

  // A value on one line that a ": " follows is a key, and its column is the indentation of its map.
  void after_value() {
    last_ = Last::Value;
    if (in_flow()) return;
    std::size_t next = at_;
    while (next < text_.size() && is_blank(text_[next])) ++next;
    if (next < text_.size() && text_[next] == ':' && ends_word(next + 1) &&
        value_.line == line_begin_) {
      open_block(value_.column);
      at_ = next + 1;
    } else if (value_.first_of_line && value_.column == blocks_.back()) {
      say("yaml.syntax", "Invalid YAML",
          "A key with its colon, or a \"-\", is expected at this indentation.", value_.begin, 1);
    }
  }

  void quoted(char quote) {
    const std::size_t begin = at_;
    ++at_;
    refuse_blank_start(begin);
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') {
        quoted_break();
        continue;
      }
      if (c == '\\' && quote == '"') {
        check_escape();
        continue;
      }
      if (c == quote) {
        if (quote == '\'' && at(at_ + 1) == '\'') {
          at_ += 2;
          continue;
        }
        ++at_;
        after_value();
        return;
      }
      ++at_;
    }
    say("yaml.syntax", "Invalid YAML", "This quote is never closed.", begin, 1);
    stopped_ = true;
  }

  // yaml-cpp 0.7 drops the blank lines with which a quoted text begins.
  void refuse_blank_start(std::size_t begin) {
    std::size_t breaks = 0;
    for (std::size_t i = at_; i < text_.size() && (is_blank(text_[i]) || text_[i] == '\n'); ++i) {
      if (text_[i] == '\n') ++breaks;
    }
    if (breaks < 2) return;
    say("yaml.unsupported", "Not supported",
        "A quoted text that begins with blank lines is not read; use a block (\"|\") instead.",
        begin, 1);
  }

  void quoted_break() {
    ++at_;
    line_begin_ = at_;
    std::size_t indent = at_;
    while (indent < text_.size() && text_[indent] == ' ') ++indent;
    std::size_t first = indent;
    while (first < text_.size() && is_blank(text_[first])) ++first;
    at_ = first;
    if (first >= text_.size() || text_[first] == '\n') return;
    if (first != indent) report_tab(indent);
    require_indentation(static_cast<std::int64_t>(indent - line_begin_));
  }

  void check_escape() {
    constexpr std::string_view kKnown = "0abt\tnvfre \"/\\N_LPxuU\n";
    const char c = at(at_ + 1);
    if (kKnown.find(c) == kNone) {
      say("yaml.syntax", "Invalid YAML",
          "There is no such escape in a double-quoted text; write \"\\\\\" for a backslash.", at_,
          2);
    }
    // An escaped break is left for quoted_break().
    at_ += c == '\n' ? 1 : 2;
  }

  void block_scalar() {
    const std::size_t header = at_;
    ++at_;
    std::int64_t explicit_indent = 0;
    while (at_ < text_.size() &&
           (text_[at_] == '+' || text_[at_] == '-' || (text_[at_] >= '0' && text_[at_] <= '9'))) {
      if (text_[at_] >= '1' && text_[at_] <= '9') explicit_indent = text_[at_] - '0';
      ++at_;
    }
    const std::size_t behind = at_;
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    const bool comment = at(at_) == '#' && at_ > behind;
    if (at(at_) != '\n' && !comment) {
      say("yaml.syntax", "Invalid YAML",
          "Only \"+\", \"-\", a digit and a comment can stand behind a block scalar's sign.",
          header, 1);
    }
    at_ = std::min(text_.find('\n', at_), text_.size());
    block_lines(explicit_indent);
    last_ = Last::Value;
  }

  // Goes over the lines of a block scalar: those that are blank or indented further than its
  // parent.
  void block_lines(std::int64_t explicit_indent) {
    std::int64_t needed =
        explicit_indent > 0 ? std::max<std::int64_t>(blocks_.back(), 0) + explicit_indent : -1;
    std::int64_t widest_blank = 0;
    std::size_t widest_at = 0;
    while (at_ < text_.size()) {
      const std::size_t begin = at_ + 1;
      std::size_t indent = begin;
      while (indent < text_.size() && text_[indent] == ' ') ++indent;
      const auto width = static_cast<std::int64_t>(indent - begin);
      const bool blank = at(indent) == '\n';
      if (!blank && (width <= blocks_.back() || (needed >= 0 && width < needed))) break;
      if (blank && needed < 0 && width > widest_blank) {
        widest_blank = width;
        widest_at = begin;
      }
      if (!blank && needed < 0) {
        needed = width;
        if (width == 0) {
          say("yaml.unsupported", "Not supported", "The lines of a block must be indented.", indent,
              1);
        }
        if (text_[indent] == '\t') report_tab(indent);
        if (widest_blank > width) {
          say("yaml.syntax", "Invalid YAML",
              "This blank line has more spaces than the first line of text below it.", widest_at,
              1);
        }
      }
      at_ = std::min(text_.find('\n', indent), text_.size());
    }
  }

  void plain() {
    plain_line();
    const bool one_line = at(at_) != '\n' || !continue_plain();
    while (!one_line && at(at_) == '\n' && continue_plain()) {
    }
    after_value();
  }

  // Stands behind the last character of the plain scalar on this line.
  void plain_line() {
    std::size_t end = at_;
    std::size_t i = at_;
    for (; i < text_.size() && text_[i] != '\n'; ++i) {
      const char c = text_[i];
      if (c == ':' && (ends_word(i + 1) || (in_flow() && is_flow_indicator(at(i + 1))))) break;
      if (c == '#' && i > at_ && is_blank(text_[i - 1])) break;
      if (in_flow() && is_flow_indicator(c)) break;
      if (!is_blank(c)) end = i + 1;
    }
    at_ = at(i) == '\n' ? i : std::max(end, at_ + (end == at_ ? 1U : 0U));
  }

  // Steps into the next line when it goes on with the plain scalar that ended at a break.
  bool continue_plain() {
    std::size_t begin = at_;
    std::size_t first = at_;
    do {
      begin = first + 1;
      first = begin;
      while (first < text_.size() && is_blank(text_[first])) ++first;
    } while (first < text_.size() && text_[first] == '\n');
    if (first >= text_.size() || text_[first] == '#') return false;
    std::size_t indent = begin;
    while (text_[indent] == ' ') ++indent;
    const auto width = static_cast<std::int64_t>(indent - begin);
    if (in_flow()) {
      const char c = text_[first];
      if (is_flow_indicator(c) ||
          (c == ':' && (ends_word(first + 1) || is_flow_indicator(at(first + 1))))) {
        return false;
      }
    } else if (width <= blocks_.back()) {
      return false;
    }
    if (text_[first] == '%' && first == begin) return false;
    if (first != indent) report_tab(indent);
    line_begin_ = begin;
    if (in_flow()) require_indentation(width);
    at_ = first;
    plain_line();
    return true;
  }

  std::string_view text_;
  const YamlReport& report_;
  std::size_t at_ = 0;
  std::size_t line_begin_ = 0;
  bool at_line_start_ = true;
  bool stopped_ = false;
  std::size_t findings_ = 0;
  std::vector<std::int64_t> blocks_{-1};  ///< Indentation of the open block collections.
  std::vector<std::size_t> flow_;         ///< Where the open brackets stand.
  struct Value {
    std::size_t begin = 0;
    std::size_t line = 0;
    std::int64_t column = 0;
    bool first_of_line = false;
  };
  Value value_;  ///< The outermost value that is being read.
  std::size_t line_first_ = kNone;
  Last last_ = Last::Nothing;
};

}  // namespace

void scan_yaml(std::string_view text, const YamlReport& report) {
  Scanner(text, report).run();
}

std::size_t yaml_scalar_extent(std::string_view text, std::size_t offset, bool plain,
                               std::string_view value) {
  if (offset >= text.size()) return 1;
  const auto line = text.substr(offset, text.find('\n', offset) - offset);
  if (plain) {
    const bool here = !value.empty() && line.substr(0, value.size()) == value;
    return here ? value.size() : std::max<std::size_t>(line.find_last_not_of(" \t") + 1, 1);
  }
  const char quote = line.front();
  if (quote != '"' && quote != '\'') return 1;
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '\\' && quote == '"') {
      ++i;
    } else if (line[i] == quote) {
      if (quote == '\'' && i + 1 < line.size() && line[i + 1] == '\'') {
        ++i;
        continue;
      }
      return i + 1;
    }
  }
  return line.size();
}

}  // namespace bailey::detail
