#include "orchestrator/base/text.hpp"
#include "providers/openstack/login_options.hpp"

#include <cctype>
#include <optional>

namespace bailey::openstack {

namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

/// One line of an env file, as POSIX shells read words (IEEE Std 1003.1, Shell Command Language,
/// 2.2 and 2.3), without what they would have to expand or run.
class Line {
 public:
  explicit Line(std::string_view text) : text_(text) {}

  void skip_blanks() {
    while (!at_end() && is_blank(text_[at_])) ++at_;
  }
  /// At the end, or at a comment.
  [[nodiscard]] bool done() {
    skip_blanks();
    return at_end() || text_[at_] == '#';
  }
  /// Takes `word` when it stands here alone.
  [[nodiscard]] bool take(std::string_view word) {
    const auto rest = text_.substr(at_);
    if (!rest.starts_with(word)) return false;
    if (rest.size() > word.size() && !is_blank(rest[word.size()])) return false;
    at_ += word.size();
    return true;
  }
  /// Empty when none stands here.
  [[nodiscard]] std::string name() {
    const auto begin = at_;
    while (!at_end() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_'))
      ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  [[nodiscard]] bool take_equals() {
    if (at_end() || text_[at_] != '=') return false;
    ++at_;
    return true;
  }
  /// A word with its quotes taken away; nothing when only a shell could tell what it is.
  [[nodiscard]] std::optional<std::string> word() {
    std::string out;
    if (!at_end() && text_[at_] == '~') return std::nullopt;
    while (!at_end() && !is_blank(text_[at_])) {
      const char c = text_[at_++];
      if (c == '\'') {
        if (!single_quoted(out)) return std::nullopt;
      } else if (c == '"') {
        if (!double_quoted(out)) return std::nullopt;
      } else if (c == '\\') {
        if (at_end()) return std::nullopt;  // goes on in the next line
        out += text_[at_++];
      } else if (std::string_view("$`;&|<>()").find(c) != std::string_view::npos) {
        return std::nullopt;
      } else {
        out += c;
      }
    }
    return out;
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }

  bool single_quoted(std::string& out) {
    const auto end = text_.find('\'', at_);
    if (end == std::string_view::npos) return false;
    out += text_.substr(at_, end - at_);
    at_ = end + 1;
    return true;
  }

  bool double_quoted(std::string& out) {
    while (!at_end()) {
      char c = text_[at_++];
      if (c == '"') return true;
      if (c == '$' || c == '`') return false;
      if (c == '\\' && !at_end() &&
          std::string_view("$`\"\\").find(text_[at_]) != std::string_view::npos) {
        c = text_[at_++];
      }
      out += c;
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// openstacksdk's name of what a variable says; empty for a variable that is none of OpenStack's.
std::string option_of(const std::string& variable) {
  if (!variable.starts_with("OS_")) return {};
  std::string name = variable.substr(3);
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (name == "tenant_name") return "project_name";
  if (name == "tenant_id") return "project_id";
  return name;
}

Status needs_shell(const std::string& what, std::size_t number) {
  return fail(Error(ErrorKind::InvalidArgument, what + " in line " + std::to_string(number) +
                                                    " of the openrc file needs a shell")
                  .with_hint("Nothing in it is run: write the values themselves."));
}

Status read_line(LoginOptions& options, Line line, std::size_t number) {
  if (line.done()) return {};
  if (line.take("unset")) {
    while (!line.done()) {
      const auto name = line.name();
      if (name.empty()) return needs_shell("what stands", number);
      options.erase(option_of(name));
    }
    return {};
  }
  (void)line.take("export");
  while (!line.done()) {
    const auto name = line.name();
    // A word that is no assignment may be the rest of somebody's password: it is not shown.
    if (name.empty() || !line.take_equals()) return needs_shell("what stands", number);
    auto value = line.word();
    if (!value) return needs_shell("the value of " + name, number);
    const auto option = option_of(name);
    if (option.empty()) continue;
    options.erase(option);
    options.set(option, std::move(*value), number);
  }
  return {};
}

}  // namespace

Result<LoginOptions> read_openrc(std::string_view text) {
  LoginOptions options(LoginForm::OpenRc);
  std::size_t number = 0;
  for (const auto& line : split(text, '\n')) {
    if (auto read = read_line(options, Line(line), ++number); !read) {
      return fail(std::move(read.error()));
    }
  }
  return options;
}

}  // namespace bailey::openstack
