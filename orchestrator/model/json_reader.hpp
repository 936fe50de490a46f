#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/base/strong_id.hpp"

#include <nlohmann/json.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

/// Reads the members of one JSON object into a value, strictly: a missing or unknown member, a
/// wrong type, an unknown word. Each read returns an empty value once something was wrong, so that
/// a reader is a plain list of fields; finish() tells the first thing that was. `value` outlives
/// it.
class JsonReader {
 public:
  JsonReader(const nlohmann::json& value, std::string_view what);

  void read(std::string_view name, std::string& out);
  void read(std::string_view name, bool& out);
  void read(std::string_view name, int& out);
  void read(std::string_view name, std::uint64_t& out);
  void read(std::string_view name, nlohmann::json& out);
  /// null means nothing.
  void read(std::string_view name, std::optional<nlohmann::json>& out);
  void read(std::string_view name, std::vector<std::string>& out);
  void read(std::string_view name, std::map<std::string, std::string>& out);

  template <class Tag>
  void read(std::string_view name, StrongId<Tag>& out) {
    std::string text;
    read(name, text);
    out = StrongId<Tag>(std::move(text));
  }

  /// The word that to_string() gives for one of `values`.
  template <class Enum>
  void read_word(std::string_view name, std::initializer_list<Enum> values, Enum& out) {
    std::string text;
    read(name, text);
    if (failed()) return;
    for (const auto value : values) {
      if (to_string(value) == text) {
        out = value;
        return;
      }
    }
    refuse(name, "holds a word that is not known");
  }

  /// A text that `parse` makes a value of.
  template <class T, class Parse>
  void read_text(std::string_view name, T& out, Parse parse) {
    std::string text;
    read(name, text);
    if (failed()) return;
    if (auto value = parse(std::string_view(text))) {
      out = *std::move(value);
    } else {
      refuse(name, "holds a text that cannot be read");
    }
  }

  /// Each element of an array, through a function of ours that returns a Result.
  template <class T, class FromJson>
  void read_list(std::string_view name, std::vector<T>& out, FromJson from_json) {
    for (const auto& item : array(name)) {
      Result<T> value = from_json(item);
      if (!value) return adopt(name, std::move(value.error()));
      out.push_back(*std::move(value));
    }
  }

  /// The array `name`; empty after a failure.
  [[nodiscard]] const nlohmann::json& array(std::string_view name);
  /// The member as it is; null after a failure.
  [[nodiscard]] const nlohmann::json& at(std::string_view name);
  /// Says that the member is not what it has to be. The first such word stays.
  void refuse(std::string_view name, std::string_view why);
  void adopt(std::string_view name, Error error);
  [[nodiscard]] bool failed() const noexcept { return error_.has_value(); }

  /// A Protocol error naming the first bad member, or the first member that nothing has read.
  [[nodiscard]] Status finish();

 private:
  const nlohmann::json& value_;
  std::string what_;
  std::set<std::string, std::less<>> seen_;
  std::optional<Error> error_;
};

}  // namespace bailey
