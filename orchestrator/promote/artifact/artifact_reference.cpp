#include "orchestrator/promote/artifact/artifact_reference.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace bailey {

namespace {

constexpr std::size_t kMaximumName = 255;
constexpr std::size_t kMaximumTag = 128;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter_or_digit(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

// [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*
bool is_component(std::string_view text) {
  if (text.empty() || !is_lower_or_digit(text.front()) || !is_lower_or_digit(text.back())) {
    return false;
  }
  for (std::size_t at = 0; at < text.size();) {
    if (is_lower_or_digit(text[at])) {
      ++at;
      continue;
    }
    const char separator = text[at];
    const auto end = std::min(text.find_first_not_of(separator, at), text.size());
    const auto length = end - at;
    const bool good =
        separator == '-' || (separator == '.' && length == 1) || (separator == '_' && length <= 2);
    if (!good || !is_lower_or_digit(text[end])) return false;
    at = end;
  }
  return true;
}

bool is_repository(std::string_view text) {
  const auto components = split(text, '/');
  return !text.empty() && text.size() <= kMaximumName &&
         std::all_of(components.begin(), components.end(),
                     [](const std::string& each) { return is_component(each); });
}

bool is_port(std::string_view text) {
  if (text.empty() || text.size() > 5 || text.front() == '0') return false;
  if (!std::all_of(text.begin(), text.end(), is_digit)) return false;
  int value = 0;
  for (const char c : text) value = value * 10 + (c - '0');
  return value <= 65535;
}

bool is_host_label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

bool is_ipv6_literal(std::string_view text) {
  return text.size() > 3 && text.size() <= 41 && text.front() == '[' && text.back() == ']' &&
         text.substr(1, text.size() - 2).find_first_not_of("0123456789abcdefABCDEF:.") ==
             std::string_view::npos;
}

/// HOST and what follows its colon, if anything.
std::pair<std::string_view, std::optional<std::string_view>> host_and_port(std::string_view text) {
  const auto bracket = text.starts_with('[') ? text.find(']') : std::string_view::npos;
  const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon == std::string_view::npos) return {text, std::nullopt};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

// A host must be recognisable as one: otherwise `payments/web` would name a repository of some
// registry that is nowhere written.
bool is_registry(std::string_view text) {
  const auto [host, port] = host_and_port(text);
  if (port && !is_port(*port)) return false;
  if (is_ipv6_literal(host)) return true;
  const auto labels = split(host, '.');
  return host.size() <= 253 && (labels.size() > 1 || port || host == "localhost") &&
         std::all_of(labels.begin(), labels.end(),
                     [](const std::string& label) { return is_host_label(label); });
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= kMaximumTag &&
         (is_letter_or_digit(text.front()) || text.front() == '_') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-';
         });
}

tl::unexpected<Error> malformed(std::string why) {
  return fail(Error(ErrorKind::InvalidArgument, "not a reference to an artifact: " + std::move(why))
                  .with_hint("Write HOST[:PORT]/PATH@sha256:DIGEST.")
                  .with_code("artifact.malformed"));
}

tl::unexpected<Error> tag_refused(const std::string& name) {
  return fail(Error(ErrorKind::Refused,
                    "a tag can point to something else tomorrow; only a digest names an artifact")
                  .with_hint(fmt::format(
                      "Ask the registry for the digest that is there now, and use that:\n"
                      "    bailey artifact show {}",
                      name))
                  .with_code("artifact.tag-refused"));
}

struct Parts {
  std::string registry;
  std::string repository;
  std::string tag;
};

std::optional<Parts> split_name(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto path = text.substr(slash + 1);
  const auto colon = path.find(':');
  Parts parts{std::string(text.substr(0, slash)), std::string(path.substr(0, colon)), {}};
  if (!is_registry(parts.registry) || !is_repository(parts.repository)) return std::nullopt;
  if (colon == std::string_view::npos) return parts;
  parts.tag = path.substr(colon + 1);
  if (!is_tag(parts.tag)) return std::nullopt;
  return parts;
}

}  // namespace

std::string ArtifactReference::str() const {
  return name() + "@" + digest;
}

Result<ArtifactReference> parse_artifact_reference(std::string_view text) {
  const auto at = text.find('@');
  const auto parts = split_name(text.substr(0, at));
  if (!parts) return malformed("the part before the digest is no registry and repository");
  if (at == std::string_view::npos || !parts->tag.empty()) {
    return tag_refused(std::string(text.substr(0, at)));
  }
  const auto digest = text.substr(at + 1);
  if (!is_digest(digest)) return malformed("the digest is not sha256 and 64 lower-case hex digits");
  return ArtifactReference{parts->registry, parts->repository, std::string(digest)};
}

Result<TagReference> parse_tag_reference(std::string_view text) {
  auto parts = split_name(text);
  if (!parts) return malformed("it is no registry, repository and tag");
  return TagReference{std::move(parts->registry), std::move(parts->repository),
                      parts->tag.empty() ? "latest" : std::move(parts->tag)};
}

bool is_loopback_registry(std::string_view registry) noexcept {
  return is_loopback_host(host_and_port(registry).first);
}

}  // namespace bailey
