#include "orchestrator/declare/spec/formats.hpp"

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/model/subject.hpp"
#include "orchestrator/model/vocabulary.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <regex>

namespace bailey::spec {

namespace {

bool is_lower_alnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_alnum(char c) {
  return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

bool is_label(std::string_view text) {
  if (text.empty() || text.size() > 63) return false;
  if (!is_lower_alnum(text.front()) || !is_lower_alnum(text.back())) return false;
  for (const char c : text) {
    if (!is_lower_alnum(c) && c != '-') return false;
  }
  return true;
}

bool is_person_name(std::string_view text) {
  if (text.size() > 63) return false;
  for (const auto& part : split(text, '.')) {
    if (!is_label(part)) return false;
  }
  return true;
}

bool is_field_name(std::string_view text) {
  if (text.empty() || text.size() > 63) return false;
  const char first = text.front();
  if (!is_alnum(first) || (first >= '0' && first <= '9')) return false;
  for (const char c : text) {
    if (!is_alnum(c) && c != '-' && c != '_') return false;
  }
  return true;
}

bool is_line(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return false;
  }
  return !trim(text).empty();
}

// IEEE Std 1003.1, "Environment Variables", with lower case as most systems allow it.
bool is_variable(std::string_view text) {
  if (text.ends_with('*')) text.remove_suffix(1);
  if (text.empty() || (text.front() >= '0' && text.front() <= '9')) return false;
  for (const char c : text) {
    if (!is_alnum(c) && c != '_') return false;
  }
  return true;
}

// What Keystone takes (its schema of project tags), without what our own tags begin with.
bool is_tag(std::string_view text) {
  return is_line(text) && text.size() <= 255 &&
         text.find_first_of(",/") == std::string_view::npos && !text.starts_with("bailey");
}

std::optional<FormatFault> check_word(TextFormat format, std::string_view text) {
  const auto fault = [&](const char* rule) {
    return FormatFault{
        "spec.bad-value", "Bad value", fmt::format("\"{}\" {}", text.substr(0, 80), rule), {}};
  };
  if (format == TextFormat::Variable && !is_variable(text)) {
    return fault("is no name of an environment variable; \"OS_*\" means all that begin so.");
  }
  if (format == TextFormat::Tag && !is_tag(text)) {
    return fault(
        "is no tag here: at most 255 characters without \",\" and \"/\", not beginning with "
        "\"bailey\".");
  }
  if (format == TextFormat::Line && !is_line(text)) {
    return fault("cannot stand here: a text on one line is needed.");
  }
  return std::nullopt;
}

// What a person most likely meant by a name with capitals, blanks or underscores.
std::string as_label(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '_' || c == ' ') c = '-';
    out += c;
  }
  return is_label(out) ? out : "";
}

FormatFault name_fault(std::string_view text, const char* rule) {
  return {"spec.bad-name", "Bad name", fmt::format("\"{}\" is no name here: {}", text, rule),
          as_label(text)};
}

std::optional<FormatFault> check_name(TextFormat format, std::string_view text) {
  if (format == TextFormat::FieldName) {
    if (is_field_name(text)) return std::nullopt;
    return name_fault(text,
                      "letters, digits, \"-\" and \"_\", beginning with a letter, at most 63.");
  }
  if (format == TextFormat::PersonName) {
    if (is_person_name(text)) return std::nullopt;
    return name_fault(text,
                      "lower-case letters, digits, \"-\" and \".\", a letter or digit beside each "
                      "dot and at both ends, at most 63.");
  }
  if (is_label(text)) return std::nullopt;
  return name_fault(text,
                    "lower-case letters, digits and \"-\", a letter or digit at both ends, at most "
                    "63.");
}

std::optional<FormatFault> check_zone(std::string_view text) {
  namespace fs = std::filesystem;
  const FormatFault fault{"spec.bad-zone",
                          "Unknown time zone",
                          fmt::format("\"{}\" is no IANA time zone of this machine.", text),
                          {}};
  if (text == "UTC") return std::nullopt;
  if (text.empty() || text.front() == '/' || text.find("..") != std::string_view::npos) {
    return fault;
  }
  for (const char c : text) {
    if (!is_alnum(c) && c != '/' && c != '_' && c != '-' && c != '+') return fault;
  }
  const fs::path folder("/usr/share/zoneinfo");
  std::ifstream file(folder / text, std::ios::binary);
  std::array<char, 4> magic{};
  std::error_code ignored;
  if (fs::is_regular_file(folder / text, ignored) && file.read(magic.data(), 4) &&
      std::string_view(magic.data(), 4) == "TZif") {
    return std::nullopt;
  }
  std::vector<std::string> zones;
  std::ifstream table(folder / "zone1970.tab");
  for (std::string line; std::getline(table, line);) {
    const auto columns = split(line, '\t');
    if (line.starts_with('#') || columns.size() < 3) continue;
    zones.push_back(columns[2]);
  }
  auto result = fault;
  result.suggestion = nearest(text, zones).value_or("");
  return result;
}

bool is_email(std::string_view text) {
  const auto at = text.find('@');
  if (at == std::string_view::npos || at == 0 || text.size() > 254) return false;
  const auto domain = text.substr(at + 1);
  for (const char c : text.substr(0, at)) {
    const bool fits =
        is_alnum(c) || std::string_view("!#$%&'*+/=?^_`{|}~.-").find(c) != std::string_view::npos;
    if (!fits) return false;
  }
  for (const auto& part : split(domain, '.')) {
    if (part.empty() || part.size() > 63 || part.front() == '-' || part.back() == '-') return false;
    for (const char c : part) {
      if (!is_alnum(c) && c != '-') return false;
    }
  }
  return true;
}

bool is_ip(std::string_view text) {
  std::array<unsigned char, 16> buffer{};
  const std::string copy(text);
  if (copy.find('\0') != std::string::npos) return false;
  return inet_pton(AF_INET, copy.c_str(), buffer.data()) == 1 ||
         inet_pton(AF_INET6, copy.c_str(), buffer.data()) == 1;
}

// Nothing when it is one; else why not.
std::optional<std::string> cidr_fault(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return "A prefix length is missing, such as \"/24\".";
  const std::string address(text.substr(0, slash));
  const auto digits = text.substr(slash + 1);
  const bool six = address.find(':') != std::string::npos;
  std::array<unsigned char, 16> bytes{};
  if (!is_ip(address) || inet_pton(six ? AF_INET6 : AF_INET, address.c_str(), bytes.data()) != 1) {
    return "What stands before the \"/\" is no IP address.";
  }
  unsigned length = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
  if (error != std::errc() || end != digits.data() + digits.size() || length > (six ? 128U : 32U) ||
      (digits.size() > 1 && digits.front() == '0')) {
    return fmt::format("The prefix length is a number from 0 to {}.", six ? 128 : 32);
  }
  for (unsigned bit = length; bit < (six ? 128U : 32U); ++bit) {
    if ((bytes[bit / 8] >> (7 - bit % 8) & 1U) != 0) {
      return "The address has bits beyond its prefix length.";
    }
  }
  return std::nullopt;
}

std::optional<std::string> url_fault(std::string_view text) {
  const bool secure = text.starts_with("https://");
  if (!secure && !text.starts_with("http://")) return "An address begins with \"https://\".";
  const auto rest = text.substr(secure ? 8 : 7);
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.empty()) return "The address has no host.";
  if (authority.find('@') != std::string_view::npos) {
    return "A user name or password has no place in an address.";
  }
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F ||
        c == '"' || c == '<' || c == '>' || c == '\\') {
      return "The address holds a character that addresses cannot hold.";
    }
  }
  return std::nullopt;
}

// OCI distribution specification 1.1, "Pulling manifests", with the registry's host before it.
bool is_repository(std::string_view text) {
  static const std::regex kForm(
      "[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?"
      "(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)+");
  return text.size() <= 255 && std::regex_match(text.begin(), text.end(), kForm);
}

std::optional<FormatFault> check_subject(std::string_view text) {
  const auto subject = parse_subject(text);
  if (!subject) {
    const auto colon = text.find(':');
    const std::string prefix(text.substr(0, colon));
    const auto near = nearest(prefix, {"person", "service", "group"});
    return FormatFault{
        "spec.bad-subject", "Bad subject",
        "Somebody is written \"NAME\" for a person, \"service:NAME\" or \"group:NAME\".",
        near && colon != std::string_view::npos ? *near + std::string(text.substr(colon)) : ""};
  }
  return std::nullopt;
}

std::optional<FormatFault> check_holding(std::string_view text) {
  const auto at = text.find('@');
  const std::string what(text.substr(0, at));
  std::vector<std::string> words{"author"};
  for (const auto power : all_powers()) words.emplace_back(to_string(power));
  bool known = false;
  for (const auto& word : words) known = known || word == what;
  if (known && at != std::string_view::npos && at + 1 < text.size()) return std::nullopt;
  const auto near = nearest(what, words);
  return FormatFault{
      "spec.bad-holding", "Bad standing",
      "A standing is written \"author@PROJECT\", \"POWER@CLASS\" or "
      "\"POWER@ENVIRONMENT\".",
      near && at != std::string_view::npos ? *near + std::string(text.substr(at)) : ""};
}

}  // namespace

std::optional<int> parse_clock_time(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const std::size_t i : {0U, 1U, 3U, 4U}) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  }
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (minute > 59 || hour * 60 + minute > 24 * 60) return std::nullopt;
  return hour * 60 + minute;
}

std::optional<FormatFault> check_format(TextFormat format, std::string_view text) {
  const auto quoted = fmt::format("\"{}\"", text.substr(0, 80));
  switch (format) {
    case TextFormat::Any:
      return std::nullopt;
    case TextFormat::Name:
    case TextFormat::PersonName:
    case TextFormat::FieldName:
      return check_name(format, text);
    case TextFormat::Line:
    case TextFormat::Variable:
    case TextFormat::Tag:
      return check_word(format, text);
    case TextFormat::Duration:
      if (parse_duration(text)) return std::nullopt;
      return FormatFault{"spec.bad-duration",
                         "Bad duration",
                         quoted +
                             " is no duration; write \"90s\", \"30m\", \"24h\", \"7d\" or a sum "
                             "such as \"1h30m\".",
                         {}};
    case TextFormat::Time:
      if (parse_time(text)) return std::nullopt;
      return FormatFault{"spec.bad-time",
                         "Bad time",
                         quoted + " is no time; write RFC 3339, such as \"2026-12-20T00:00:00Z\".",
                         {}};
    case TextFormat::ClockTime:
      if (parse_clock_time(text)) return std::nullopt;
      return FormatFault{"spec.bad-time",
                         "Bad time",
                         quoted + " is no time of day; write \"09:00\", at most \"24:00\".",
                         {}};
    case TextFormat::Zone:
      return check_zone(text);
    case TextFormat::Email:
      if (is_email(text)) return std::nullopt;
      return FormatFault{
          "spec.bad-email", "Bad email address", quoted + " is no email address.", {}};
    case TextFormat::SshKey:
      if (auto fault = ssh_key_fault(text)) {
        return FormatFault{"spec.bad-ssh-key", "Bad SSH key", std::move(*fault), {}};
      }
      return std::nullopt;
    case TextFormat::ServiceKey:
      if (auto fault = service_key_fault(text)) {
        return FormatFault{"spec.bad-ssh-key", "Bad key", std::move(*fault), {}};
      }
      return std::nullopt;
    case TextFormat::Url:
      if (auto fault = url_fault(text)) {
        return FormatFault{"spec.bad-url", "Bad address", std::move(*fault), {}};
      }
      return std::nullopt;
    case TextFormat::Cidr:
      if (auto fault = cidr_fault(text)) {
        return FormatFault{
            "spec.bad-cidr", "Bad network", quoted + " is no network. " + *fault, {}};
      }
      return std::nullopt;
    case TextFormat::Ip:
      if (is_ip(text)) return std::nullopt;
      return FormatFault{"spec.bad-ip", "Bad IP address", quoted + " is no IP address.", {}};
    case TextFormat::Repository:
      if (is_repository(text)) return std::nullopt;
      return FormatFault{"spec.bad-repository",
                         "Bad repository",
                         quoted +
                             " is no OCI repository; write \"HOST[:PORT]/NAME\" without tag or "
                             "digest.",
                         {}};
    case TextFormat::Holding:
      return check_holding(text);
    case TextFormat::Subject:
      return check_subject(text);
    case TextFormat::Person:
    case TextFormat::Provider:
    case TextFormat::Account:
    case TextFormat::Template:
    case TextFormat::Project:
    case TextFormat::Environment:
      return std::nullopt;  // It exists, or it is unknown.
  }
  return std::nullopt;
}

}  // namespace bailey::spec
