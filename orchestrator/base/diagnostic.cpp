#include "orchestrator/base/diagnostic.hpp"

#include "orchestrator/base/text.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <tuple>

namespace bailey {

namespace {

std::string_view name_of(Severity severity) {
  return severity == Severity::Error ? "error" : "warning";
}

auto position_key(const Diagnostic& item) {
  constexpr auto kLast = std::numeric_limits<std::uint32_t>::max();
  if (!item.subject) return std::make_tuple(true, std::string(), kLast, kLast);
  return std::make_tuple(false, item.subject->file, item.subject->line, item.subject->column);
}

std::string line_of(const std::string& text, std::uint32_t number) {
  std::size_t begin = 0;
  for (std::uint32_t line = 1; line < number; ++line) {
    begin = text.find('\n', begin);
    if (begin == std::string::npos) return {};
    ++begin;
  }
  auto line = text.substr(begin, text.find('\n', begin) - begin);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

// A very long line is cut around the span so that a caret stays readable.
constexpr std::size_t kMaxShown = 160;

std::string excerpt(const SourceRange& at, const std::string& text) {
  std::string line = line_of(text, at.line);
  std::size_t column = at.column == 0 ? 0 : at.column - 1;
  const std::size_t characters = utf8_length(line);
  column = std::min(column, characters);
  if (characters > kMaxShown) {
    const std::size_t from = column > kMaxShown / 2 ? column - kMaxShown / 2 : 0;
    line = utf8_substr(line, from, kMaxShown);
    column -= from;
  }
  const std::size_t room = utf8_length(line) > column ? utf8_length(line) - column : 1;
  const std::size_t length = std::clamp<std::size_t>(at.length, 1, room);
  std::string pad;
  for (const char c : utf8_substr(line, 0, column)) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) pad += c == '\t' ? '\t' : ' ';
  }
  const std::string number = std::to_string(at.line);
  const std::string margin(number.size(), ' ');
  return fmt::format("{0} |\n{1} | {2}\n{0} | {3}{4}\n", margin, number, line, pad,
                     std::string(length, '^'));
}

}  // namespace

void Diagnostics::add(Diagnostic diagnostic) {
  items_.push_back(std::move(diagnostic));
}

bool Diagnostics::has_errors() const noexcept {
  return std::any_of(items_.begin(), items_.end(),
                     [](const auto& item) { return item.severity == Severity::Error; });
}

std::vector<Diagnostic> Diagnostics::sorted() const {
  auto items = items_;
  std::stable_sort(items.begin(), items.end(), [](const auto& left, const auto& right) {
    return position_key(left) < position_key(right);
  });
  return items;
}

std::string render(const Diagnostic& diagnostic, const SourceLookup& sources) {
  std::string out = fmt::format("{}[{}]: {}\n", name_of(diagnostic.severity), diagnostic.code,
                                diagnostic.summary);
  if (diagnostic.subject) {
    const auto& at = *diagnostic.subject;
    out += fmt::format(" --> {}:{}:{}\n", at.file, at.line, at.column);
    if (const auto text = sources(at.file); text && at.line > 0) out += excerpt(at, *text);
  }
  if (!diagnostic.detail.empty()) out += diagnostic.detail + "\n";
  for (std::size_t i = 0; i < diagnostic.path.size(); ++i) {
    out += fmt::format("  {}. {}\n", i + 1, diagnostic.path[i]);
  }
  if (!diagnostic.suggestion.empty()) {
    out += fmt::format("Did you mean \"{}\"?\n", diagnostic.suggestion);
  }
  return out;
}

nlohmann::json to_json(const Diagnostics& diagnostics) {
  auto findings = nlohmann::json::array();
  for (const auto& item : diagnostics.sorted()) {
    nlohmann::json finding{{"severity", name_of(item.severity)},
                           {"code", item.code},
                           {"summary", item.summary},
                           {"detail", item.detail},
                           {"file", nullptr},
                           {"line", nullptr},
                           {"column", nullptr},
                           {"suggestion", nullptr},
                           {"path", nullptr}};
    if (item.subject) {
      finding["file"] = item.subject->file;
      finding["line"] = item.subject->line;
      finding["column"] = item.subject->column;
    }
    if (!item.suggestion.empty()) finding["suggestion"] = item.suggestion;
    if (!item.path.empty()) finding["path"] = item.path;
    findings.push_back(std::move(finding));
  }
  return {{"ok", !diagnostics.has_errors()}, {"findings", std::move(findings)}};
}

}  // namespace bailey
