#include "orchestrator/serve/api/router.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"

namespace bailey {

namespace {

std::optional<std::map<std::string, std::string>> match_path(std::string_view pattern,
                                                             std::string_view path) {
  const auto wanted = split(pattern, '/');
  const auto given = split(path, '/');
  if (wanted.size() != given.size()) return std::nullopt;
  std::map<std::string, std::string> values;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& part = wanted[i];
    if (part.size() < 2 || part.front() != '{') {
      if (part != given[i]) return std::nullopt;
      continue;
    }
    auto value = percent_decode(given[i]);
    if (!value || value->empty() || find_invalid_utf8(*value)) return std::nullopt;
    values[part.substr(1, part.size() - 2)] = *std::move(value);
  }
  return values;
}

}  // namespace

void Router::add(std::string method, std::string pattern, Door door, ApiHandler handler) {
  routes_.push_back({std::move(method), std::move(pattern), door, std::move(handler)});
}

void Router::add(std::string method, std::string pattern, ApiHandler handler) {
  add(std::move(method), std::move(pattern), Door::KnownCaller, std::move(handler));
}

RouteMatch Router::match(std::string_view method, std::string_view path) const {
  RouteMatch match;
  for (const auto& route : routes_) {
    auto values = match_path(route.pattern, path);
    if (!values) continue;
    if (route.method == method) {
      match.route = &route;
      match.path = *std::move(values);
      return match;
    }
    match.allowed.push_back(route.method);
  }
  return match;
}

}  // namespace bailey
