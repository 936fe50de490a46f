#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

enum class Severity : std::uint8_t { Error, Warning };

/// A span within one line of a source file. Line and column count from 1, in characters for the
/// column; `length` is in characters too and at least 1.
struct SourceRange {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t length = 1;
  bool operator==(const SourceRange&) const = default;
};

/// One finding about what a user wrote. `summary` is a fixed phrase without the user's words;
/// `detail` is whole sentences; `code` is dotted kebab and stable for ever.
struct Diagnostic {
  Severity severity = Severity::Error;
  std::string code;
  std::string summary;
  std::string detail;
  std::optional<SourceRange> subject;
  std::string suggestion;         ///< The nearest valid spelling, or empty.
  std::vector<std::string> path;  ///< Steps of a proof, or empty.
};

/// Collects every finding of a run; nothing stops at the first.
class Diagnostics {
 public:
  void add(Diagnostic diagnostic);
  [[nodiscard]] bool has_errors() const noexcept;
  [[nodiscard]] bool empty() const noexcept { return items_.empty(); }
  /// Sorted by file, line and column; those without a position come last.
  [[nodiscard]] std::vector<Diagnostic> sorted() const;

 private:
  std::vector<Diagnostic> items_;
};

/// Gives the text of a source file, or nothing when it is not at hand.
using SourceLookup = std::function<std::optional<std::string>(std::string_view file)>;

/// The finding as people read it: header, position, the line with a caret under the span, detail,
/// suggestion. Ends with a newline.
[[nodiscard]] std::string render(const Diagnostic& diagnostic, const SourceLookup& sources);

/// `{"ok", "findings": [...]}` with every field always present; `path` is null when there is none.
[[nodiscard]] nlohmann::json to_json(const Diagnostics& diagnostics);

}  // namespace bailey
