#include "orchestrator/promote/artifact/challenge.hpp"

#include "orchestrator/base/text.hpp"

#include <algorithm>
#include <cctype>

namespace bailey {

namespace {

bool is_token(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return out;
}

std::string_view take_token(std::string_view& rest) {
  const auto end = std::find_if_not(rest.begin(), rest.end(), is_token);
  const auto token = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
  rest.remove_prefix(token.size());
  return token;
}

void skip_space(std::string_view& rest) {
  while (!rest.empty() && (rest.front() == ' ' || rest.front() == '\t')) rest.remove_prefix(1);
}

std::optional<std::string> take_quoted(std::string_view& rest) {
  std::string value;
  rest.remove_prefix(1);
  while (!rest.empty() && rest.front() != '"') {
    if (rest.front() == '\\') rest.remove_prefix(1);
    if (rest.empty()) return std::nullopt;
    value += rest.front();
    rest.remove_prefix(1);
  }
  if (rest.empty()) return std::nullopt;
  rest.remove_prefix(1);
  return value;
}

bool take_parameter(std::string_view& rest, AuthChallenge& challenge) {
  const auto name = lower_case(take_token(rest));
  skip_space(rest);
  if (name.empty() || rest.empty() || rest.front() != '=') return false;
  rest.remove_prefix(1);
  skip_space(rest);
  std::optional<std::string> value;
  if (!rest.empty() && rest.front() == '"') {
    value = take_quoted(rest);
  } else {
    value = std::string(take_token(rest));
  }
  return value && challenge.parameters.emplace(name, *std::move(value)).second;
}

}  // namespace

std::optional<AuthChallenge> parse_challenge(std::string_view header) {
  auto rest = trim(header);
  AuthChallenge challenge{lower_case(take_token(rest)), {}};
  if (challenge.scheme.empty()) return std::nullopt;
  skip_space(rest);
  while (!rest.empty()) {
    if (!take_parameter(rest, challenge)) return std::nullopt;
    skip_space(rest);
    if (rest.empty()) break;
    if (rest.front() != ',') return std::nullopt;
    rest.remove_prefix(1);
    skip_space(rest);
  }
  return challenge;
}

}  // namespace bailey
