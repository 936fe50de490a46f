#include "orchestrator/base/json.hpp"

#include "orchestrator/base/assert.hpp"
#include "orchestrator/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <set>

namespace bailey {

namespace {

// Refuses depth and duplicate names before a DOM exists: nlohmann keeps the last duplicate, and
// copies and dumps by recursion.
class StrictSax final : public nlohmann::json_sax<Json> {
 public:
  StrictSax(Json& out, std::size_t max_depth) : builder_(out, false), max_depth_(max_depth) {}

  bool null() override { return builder_.null(); }
  bool boolean(bool value) override { return builder_.boolean(value); }
  bool number_integer(number_integer_t value) override { return builder_.number_integer(value); }
  bool number_unsigned(number_unsigned_t value) override { return builder_.number_unsigned(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    return builder_.number_float(value, text);
  }
  bool string(string_t& value) override { return builder_.string(value); }
  bool binary(binary_t& value) override { return builder_.binary(value); }
  bool start_object(std::size_t size) override {
    names_.emplace_back();
    return enter() && builder_.start_object(size);
  }
  bool key(string_t& name) override {
    if (!names_.back().insert(name).second) return stop("duplicate name \"" + name + "\"");
    return builder_.key(name);
  }
  bool end_object() override {
    names_.pop_back();
    --depth_;
    return builder_.end_object();
  }
  bool start_array(std::size_t size) override { return enter() && builder_.start_array(size); }
  bool end_array() override {
    --depth_;
    return builder_.end_array();
  }
  bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
    if (problem_.empty()) problem_ = fmt::format("not valid JSON at byte {}", position);
    return false;
  }

  [[nodiscard]] const std::string& problem() const noexcept { return problem_; }

 private:
  bool stop(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }
  bool enter() {
    if (++depth_ > max_depth_) return stop(fmt::format("nested deeper than {}", max_depth_));
    return true;
  }

  nlohmann::detail::json_sax_dom_parser<Json> builder_;
  std::size_t max_depth_;
  std::size_t depth_ = 0;
  std::vector<std::set<std::string>> names_;
  std::string problem_;
};

// RFC 8785 section 3.2.2.3: the shortest digits that read back, laid out as ECMAScript does.
std::string canonical_number(double value) {
  BAILEY_ASSERT(std::isfinite(value));
  if (value == 0) return "0";
  char buffer[64];
  const auto [end, error] =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  BAILEY_ASSERT(error == std::errc());
  std::string text(buffer, end);
  std::string sign;
  if (text[0] == '-') {
    sign = "-";
    text.erase(0, 1);
  }
  const auto mark = text.find('e');
  const int exponent = std::stoi(text.substr(mark + 1));
  std::string digits = text.substr(0, mark);
  digits.erase(std::remove(digits.begin(), digits.end(), '.'), digits.end());
  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;
  if (count <= point && point <= 21) {
    return sign + digits + std::string(static_cast<std::size_t>(point - count), '0');
  }
  if (0 < point && point <= 21) {
    return sign + digits.insert(static_cast<std::size_t>(point), ".");
  }
  if (-6 < point && point <= 0) {
    return sign + "0." + std::string(static_cast<std::size_t>(-point), '0') + digits;
  }
  if (count > 1) digits.insert(1, ".");
  return fmt::format("{}{}e{}{}", sign, digits, exponent < 0 ? '-' : '+', std::abs(exponent));
}

void write_string(std::string& out, const std::string& text) {
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (byte < 0x20) {
          out += fmt::format("\\u{:04x}", byte);
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

// Names sort by UTF-16 code units. For UTF-8 that is byte order, except that characters beyond
// U+FFFF (lead bytes F0 to F4) come before U+E000..U+FFFF (lead bytes EE and EF).
bool utf16_less(const std::string& left, const std::string& right) {
  const auto rank = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0xF0 ? byte - 2 : byte >= 0xEE ? byte + 5 : int{byte};
  };
  return std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end(),
                                      [&](char a, char b) { return rank(a) < rank(b); });
}

void write_canonical(std::string& out, const Json& value) {
  switch (value.type()) {
    case Json::value_t::object: {
      std::vector<const Json::object_t::value_type*> members;
      for (const auto& item : value.get_ref<const Json::object_t&>()) members.push_back(&item);
      std::sort(members.begin(), members.end(),
                [](auto* a, auto* b) { return utf16_less(a->first, b->first); });
      out += '{';
      for (const auto* item : members) {
        if (item != members.front()) out += ',';
        write_string(out, item->first);
        out += ':';
        write_canonical(out, item->second);
      }
      out += '}';
      return;
    }
    case Json::value_t::array:
      out += '[';
      for (const auto& item : value) {
        if (&item != &value.front()) out += ',';
        write_canonical(out, item);
      }
      out += ']';
      return;
    case Json::value_t::string:
      return write_string(out, value.get_ref<const std::string&>());
    case Json::value_t::number_float:
      out += canonical_number(value.get<double>());
      return;
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned: {
      // Beyond 2^53 a number is what a double makes of it, as every JCS reader would have it.
      constexpr std::int64_t kExact = std::int64_t{1} << 53;
      const bool exact = value.is_number_unsigned() ? value.get<std::uint64_t>() <= kExact
                                                    : value.get<std::int64_t>() >= -kExact;
      out += exact ? value.dump() : canonical_number(value.get<double>());
      return;
    }
    default:
      out += value.dump();
      return;
  }
}

}  // namespace

Result<Json> parse_json(std::string_view text, JsonLimits limits) {
  if (text.size() > limits.max_bytes) {
    return fail(ErrorKind::Protocol, fmt::format("JSON of {} bytes is larger than the limit of {}",
                                                 text.size(), limits.max_bytes));
  }
  if (const auto at = find_invalid_utf8(text)) {
    return fail(ErrorKind::Protocol, fmt::format("not valid JSON: no UTF-8 at byte {}", *at));
  }
  if (text.substr(0, 3) == "\xEF\xBB\xBF") {
    return fail(ErrorKind::Protocol, "not valid JSON: starts with a byte order mark");
  }
  // The parser takes a NUL for the end of its input and would pass over what follows.
  if (const auto at = text.find('\0'); at != std::string_view::npos) {
    return fail(ErrorKind::Protocol, fmt::format("not valid JSON at byte {}", at));
  }
  Json out;
  StrictSax sax(out, limits.max_depth);
  try {
    if (!Json::sax_parse(text, &sax)) return fail(ErrorKind::Protocol, sax.problem());
  } catch (const Json::exception&) {
    return fail(ErrorKind::Protocol, "not valid JSON: a number is out of range");
  }
  return out;
}

std::string canonical(const Json& value) {
  std::string out;
  write_canonical(out, value);
  return out;
}

std::string pretty(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

const Json& member(const Json& object, std::string_view name) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

std::string string_member(const Json& object, std::string_view name) {
  const auto& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

Result<std::string> require_string(const Json& object, std::string_view name) {
  const auto& value = member(object, name);
  if (!value.is_string()) {
    return fail(ErrorKind::Protocol, fmt::format("the text member \"{}\" is missing", name));
  }
  return value.get<std::string>();
}

std::vector<std::string> strings_member(const Json& object, std::string_view name) {
  std::vector<std::string> strings;
  const auto& value = member(object, name);
  if (!value.is_array()) return strings;
  for (const auto& item : value) {
    if (item.is_string()) strings.push_back(item.get<std::string>());
  }
  return strings;
}

}  // namespace bailey
