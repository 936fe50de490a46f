#include "orchestrator/net/http_head.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"

#include <algorithm>

namespace bailey {

namespace {

constexpr std::size_t kMaxTarget = 4096;
constexpr std::size_t kMaxMethod = 32;
constexpr std::size_t kMaxFields = 100;
constexpr std::size_t kMaxLengthDigits = 18;  // fits 64 bits whatever the digits are

constexpr int kBadRequest = 400;
constexpr int kTargetTooLong = 414;
constexpr int kTooManyFields = 431;
constexpr int kNotImplemented = 501;
constexpr int kVersionNotSupported = 505;

bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
bool is_alnum(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_control(char c) noexcept {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}
bool is_visible(char c) noexcept {
  return c > 0x20 && c < 0x7F;
}

// What the framing of a message rests on, gathered from the fields.
struct Framing {
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  std::size_t encodings = 0;
  bool host_valid = true;
  bool length_valid = true;
  bool chunked = true;
};

std::string_view trim_blanks(std::string_view text) noexcept {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool is_host(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_alnum(c) || std::string_view(".-_:[]").find(c) != std::string_view::npos;
  });
}

bool is_length(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kMaxLengthDigits &&
         std::all_of(text.begin(), text.end(), is_digit);
}

bool has_dot_segment(const std::string& decoded_path) {
  const auto segments = split(decoded_path, '/');
  return std::any_of(segments.begin(), segments.end(),
                     [](const auto& segment) { return segment == "." || segment == ".."; });
}

std::optional<int> refuse_target(std::string_view target) {
  if (target.size() > kMaxTarget) return kTargetTooLong;
  if (!target.starts_with('/') || target.find('#') != std::string_view::npos ||
      !std::all_of(target.begin(), target.end(), is_visible)) {
    return kBadRequest;
  }
  const auto question = target.find('?');
  const auto path = percent_decode(target.substr(0, question));
  if (!path || std::any_of(path->begin(), path->end(), is_control) || has_dot_segment(*path)) {
    return kBadRequest;
  }
  if (question == std::string_view::npos) return std::nullopt;
  const auto query = percent_decode(target.substr(question + 1));
  if (!query || query->find('\0') != std::string::npos) return kBadRequest;
  return std::nullopt;
}

std::optional<int> refuse_version(std::string_view version) {
  if (version == "HTTP/1.1" || version == "HTTP/1.0") return std::nullopt;
  const bool well_formed = version.size() == 8 && version.starts_with("HTTP/") &&
                           is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
  return well_formed ? kVersionNotSupported : kBadRequest;
}

std::optional<int> refuse_request_line(std::string_view line) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return kBadRequest;
  const auto method = line.substr(0, first);
  if (method.size() > kMaxMethod || !is_http_token(method)) return kBadRequest;
  if (const auto status = refuse_target(line.substr(first + 1, last - first - 1))) return status;
  return refuse_version(line.substr(last + 1));
}

// False when the line is no field.
bool read_field(std::string_view line, Framing& framing) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  // An obs-fold line starts with white space and white space before the colon ends in it: neither
  // leaves a token.
  const auto name = line.substr(0, colon);
  const auto value = trim_blanks(line.substr(colon + 1));
  if (!is_http_token(name) || !is_field_value(value)) return false;
  const auto lower = to_lower_ascii(name);
  if (lower == "host") {
    ++framing.hosts;
    framing.host_valid = framing.host_valid && is_host(value);
  } else if (lower == "content-length") {
    ++framing.lengths;
    framing.length_valid = framing.length_valid && is_length(value);
  } else if (lower == "transfer-encoding") {
    ++framing.encodings;
    framing.chunked = framing.chunked && to_lower_ascii(value) == "chunked";
  }
  return true;
}

std::optional<int> refuse_framing(const Framing& framing, bool http_1_0) {
  if (framing.hosts != 1 || !framing.host_valid) return kBadRequest;
  if (framing.lengths > 1 || !framing.length_valid) return kBadRequest;
  if (framing.encodings == 0) return std::nullopt;
  if (http_1_0 || framing.encodings > 1 || framing.lengths > 0) return kBadRequest;
  if (!framing.chunked) return kNotImplemented;
  return std::nullopt;
}

}  // namespace

bool is_http_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return is_alnum(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view text) noexcept {
  return std::none_of(text.begin(), text.end(), [](char c) { return is_control(c) && c != '\t'; });
}

std::string to_lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::optional<std::size_t> find_head_end(std::string_view text, std::size_t from) {
  for (auto at = text.find('\n', from); at != std::string_view::npos;
       at = text.find('\n', at + 1)) {
    const auto rest = text.substr(at + 1);
    if (rest.starts_with('\n')) return at + 2;
    if (rest.starts_with("\r\n")) return at + 3;
  }
  return std::nullopt;
}

std::optional<int> refuse_head(std::string_view head) {
  std::optional<std::string_view> request_line;
  Framing framing;
  std::size_t fields = 0;
  while (!head.empty()) {
    const auto end = head.find('\n');
    if (end == std::string_view::npos || end == 0 || head[end - 1] != '\r') return kBadRequest;
    const auto line = head.substr(0, end - 1);
    head.remove_prefix(end + 1);
    if (!request_line) {
      if (const auto status = refuse_request_line(line)) return status;
      request_line = line;
    } else if (line.empty()) {
      return head.empty() ? refuse_framing(framing, request_line->ends_with("1.0")) : kBadRequest;
    } else if (++fields > kMaxFields) {
      return kTooManyFields;
    } else if (!read_field(line, framing)) {
      return kBadRequest;
    }
  }
  return kBadRequest;
}

std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(
    std::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (auto part : split(query, '&')) {
    if (part.empty()) continue;
    std::replace(part.begin(), part.end(), '+', ' ');
    const auto equals = part.find('=');
    const bool has_value = equals != std::string::npos;
    auto name = percent_decode(std::string_view(part).substr(0, equals));
    auto value = percent_decode(has_value ? std::string_view(part).substr(equals + 1) : "");
    if (!name || !value) return std::nullopt;
    pairs.emplace_back(std::move(*name), std::move(*value));
  }
  return pairs;
}

}  // namespace bailey
