#include "orchestrator/serve/cli/views/why_view.hpp"

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"

#include <fmt/format.h>

namespace bailey {

namespace {

// `2026-03-04 10:00 UTC`: seconds tell people nothing here.
std::string told(const std::string& time) {
  const auto at = parse_time(time);
  if (!at) return time;
  auto text = format_time(*at).substr(0, 16);
  text[10] = ' ';
  return text + " UTC";
}

std::string who(const std::vector<std::string>& names) {
  constexpr std::size_t kNamed = 6;
  if (names.size() <= kNamed) return enumerate(names, "or");
  const std::vector<std::string> first(names.begin(), names.begin() + kNamed);
  return fmt::format("{} or {} more", join(first, ", "), names.size() - kNamed);
}

std::string render(const Json& blocker) {
  auto out = fmt::format("\n  {:<12}{}\n", string_member(blocker, "what"),
                         string_member(blocker, "detail"));
  const auto line = [&](const std::string& text) { out += fmt::format("{:14}{}\n", "", text); };
  const auto since = string_member(blocker, "since");
  const auto until = string_member(blocker, "until");
  if (!since.empty() && !until.empty()) {
    line(fmt::format("Since {}; ends by itself at {}.", told(since), told(until)));
  } else if (!since.empty()) {
    line(fmt::format("Since {}.", told(since)));
  } else if (!until.empty()) {
    line(fmt::format("Ends by itself at {}.", told(until)));
  }
  const auto people = strings_member(blocker, "who_can_unblock");
  const auto how = string_member(blocker, "how");
  if (!people.empty()) line("Can be met by " + who(people) + (how.empty() ? "." : ":"));
  if (!how.empty()) line("    " + how);
  return out;
}

}  // namespace

std::string render_why(const Json& change) {
  const auto& blockers = member(change, "blocked_by");
  const auto name =
      fmt::format("{}, a {} of {},", string_member(change, "id"), string_member(change, "kind"),
                  string_member(change, "environment"));
  const auto state = string_member(change, "state");
  if (!blockers.is_array() || blockers.empty()) {
    return fmt::format("{} is {}: nothing blocks it.\n", name, state);
  }
  auto out = fmt::format("{} is {}. {} {} in its way:\n", name, state, blockers.size(),
                         blockers.size() == 1 ? "thing is" : "things are");
  for (const auto& blocker : blockers) out += render(blocker);
  return out;
}

}  // namespace bailey
