#include "providers/devcloud/faults.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace bailey::devcloud {

namespace {

Error invalid(std::string message) {
  return {ErrorKind::InvalidArgument, "the faults file: " + std::move(message)};
}

Status only_members(const Json& object, const std::set<std::string>& known) {
  for (const auto& [name, value] : object.items()) {
    if (known.count(name) == 0) return fail(invalid("unknown member \"" + name + "\""));
  }
  return {};
}

Result<std::uint64_t> whole_number(const Json& object, const std::string& name,
                                   std::uint64_t otherwise) {
  const Json& value = member(object, name);
  if (value.is_null()) return otherwise;
  if (!value.is_number_unsigned()) return fail(invalid("\"" + name + "\" is no whole number"));
  return value.get<std::uint64_t>();
}

const std::map<std::string, Disturbance::Kind>& kinds() {
  using Kind = Disturbance::Kind;
  static const std::map<std::string, Kind> table = {
      {"429", Kind::TooManyRequests},    {"500", Kind::InternalServerError},
      {"503", Kind::ServiceUnavailable}, {"cut-before", Kind::CutBefore},
      {"cut-after", Kind::CutAfter},     {"slow", Kind::None}};
  return table;
}

}  // namespace

Result<Faults::Rule> Faults::read_rule(const Json& description) {
  if (!description.is_object()) return fail(invalid("a rule is no object"));
  auto known = only_members(
      description, {"match", "probability", "every", "times", "fault", "retry_after", "delay_ms"});
  if (!known) return fail(std::move(known.error()));
  Rule rule;
  const Json& match = member(description, "match");
  known = only_members(match, {"service", "method", "path"});
  if (!known) return fail(std::move(known.error()));
  rule.service = string_member(match, "service");
  rule.method = string_member(match, "method");
  if (const std::string path = string_member(match, "path"); !path.empty()) {
    try {
      rule.path.emplace(path, std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error&) {
      return fail(invalid("\"" + path + "\" is no regular expression"));
    }
  }
  const auto kind = kinds().find(string_member(description, "fault"));
  if (kind == kinds().end()) {
    return fail(invalid("\"fault\" is not one of 429, 500, 503, cut-before, cut-after, slow"));
  }
  rule.effect.kind = kind->second;
  const Json& probability = member(description, "probability");
  if (!probability.is_null()) {
    if (!probability.is_number() || probability < 0.0 || probability > 1.0) {
      return fail(invalid("\"probability\" is not between 0 and 1"));
    }
    rule.probability = probability.get<double>();
  }
  const auto every = whole_number(description, "every", 0);
  const auto delay = whole_number(description, "delay_ms", 0);
  const auto times = whole_number(description, "times", 0);
  const auto retry_after = whole_number(description, "retry_after", 0);
  for (const auto* number : {&every, &delay, &times, &retry_after}) {
    if (!*number) return fail(number->error());
  }
  rule.every = *every;
  rule.effect.delay = std::chrono::milliseconds(*delay);
  if (description.contains("times")) rule.times = *times;
  if (description.contains("retry_after")) rule.effect.retry_after = static_cast<int>(*retry_after);
  return rule;
}

Status Faults::configure(const Json& description) {
  const Json& rules = description.is_array() ? description : member(description, "rules");
  if (!description.is_array()) {
    if (!description.is_object()) return fail(invalid("neither an object nor an array"));
    auto known = only_members(description, {"rules", "latency_ms", "visibility_delay_ms"});
    if (!known) return known;
    const Json& latency = member(description, "latency_ms");
    const auto least = whole_number(latency, "min", 0);
    if (!least) return fail(least.error());
    const auto most = whole_number(latency, "max", *least);
    if (!most) return fail(most.error());
    if (*most < *least) return fail(invalid("\"latency_ms\" has its max below its min"));
    const auto hidden = whole_number(description, "visibility_delay_ms", 0);
    if (!hidden) return fail(hidden.error());
    least_latency_ = std::chrono::milliseconds(*least);
    most_latency_ = std::chrono::milliseconds(*most);
    visibility_delay_ = std::chrono::milliseconds(*hidden);
  }
  for (const Json& each : rules) {
    auto rule = read_rule(each);
    if (!rule) return fail(std::move(rule.error()));
    rules_.push_back(std::move(*rule));
  }
  return {};
}

bool Faults::strikes(Rule& rule) {
  if (rule.times && rule.struck >= *rule.times) return false;
  ++rule.seen;
  if (rule.every > 0 && rule.seen % rule.every != 0) return false;
  if (rule.probability < 1.0) {
    // 53 bits, as a double holds them: the same on every standard library.
    const double chance = static_cast<double>(engine_() >> 11U) / 9007199254740992.0;
    if (chance >= rule.probability) return false;
  }
  ++rule.struck;
  return true;
}

Disturbance Faults::next(std::string_view service, std::string_view method,
                         const std::string& path) {
  const std::lock_guard lock(mutex_);
  Disturbance found;
  for (Rule& rule : rules_) {
    if (!rule.service.empty() && rule.service != service) continue;
    if (!rule.method.empty() && rule.method != method) continue;
    if (rule.path && !std::regex_search(path, *rule.path)) continue;
    if (!strikes(rule)) continue;
    found = rule.effect;
    break;
  }
  if (most_latency_.count() > 0) {
    const auto span = static_cast<std::uint64_t>((most_latency_ - least_latency_).count()) + 1;
    found.delay += least_latency_ + std::chrono::milliseconds(engine_() % span);
  }
  return found;
}

}  // namespace bailey::devcloud
