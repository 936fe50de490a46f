#include "orchestrator/serve/cli/views/grant_view.hpp"

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/serve/cli/table.hpp"

#include <fmt/format.h>

#include <vector>

namespace bailey {

namespace {

std::string seconds_text(const Json& value) {
  if (!value.is_number_integer()) return "-";
  const auto seconds = value.get<std::int64_t>();
  return seconds > 0 ? format_duration(std::chrono::seconds(seconds)) : std::string("over");
}

bool owes_review(const Json& grant) {
  const auto& review = member(grant, "review");
  return review.is_object() && member(review, "reviewed_at").is_null() &&
         string_member(grant, "state") != "waiting";
}

std::string state_text(const Json& grant) {
  auto text = string_member(grant, "state");
  if (!owes_review(grant)) return text;
  return text + (member(member(grant, "review"), "overdue") == true ? ", review is late"
                                                                    : ", review owed");
}

std::string people(const std::vector<std::string>& names) {
  return names.empty() ? "nobody" : enumerate(names, "or");
}

std::string line(const char* name, const std::string& text) {
  return text.empty() ? std::string() : fmt::format("  {:<10} {}\n", name, text);
}

std::string render_review(const Json& grant) {
  const auto& review = member(grant, "review");
  if (!review.is_object()) return {};
  std::string out = "\nreview\n";
  const auto& given = member(review, "signed");
  out += line("asks for", fmt::format("{} from {}, within {}", member(review, "count").dump(),
                                      string_member(review, "from"),
                                      seconds_text(member(review, "within_seconds"))));
  for (const auto& each : given) {
    out +=
        line("signed", fmt::format("by {} at {}: {}", string_member(each, "reviewer"),
                                   string_member(each, "at"), string_member(each, "conclusion")));
  }
  const auto reviewed = string_member(review, "reviewed_at");
  if (!reviewed.empty()) return out + line("complete", reviewed);
  const auto due = string_member(review, "due_at");
  out += line("due", due.empty() ? "once it has ended"
                                 : due + (member(review, "overdue") == true ? ", late" : ""));
  return out + line("can sign", people(strings_member(review, "who_can_sign")));
}

}  // namespace

std::string render_grants(const Json& grants) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& grant : grants) {
    rows.push_back({string_member(grant, "id"), string_member(grant, "environment"),
                    string_member(grant, "role"), string_member(grant, "holder"), state_text(grant),
                    seconds_text(member(grant, "seconds_left")), string_member(grant, "change")});
  }
  return render_table({"GRANT", "ENVIRONMENT", "ROLE", "HOLDER", "STATE", "LEFT", "CHANGE"}, rows);
}

std::string render_grant(const Json& grant) {
  std::string out =
      fmt::format("{}  {} in {} for {}\n", string_member(grant, "id"), string_member(grant, "role"),
                  string_member(grant, "environment"), string_member(grant, "holder"));
  out += line("state", state_text(grant));
  out += line("reason", string_member(grant, "reason"));
  out += line("incident", string_member(grant, "incident"));
  out += line("change", string_member(grant, "change"));
  out += line("lasts", seconds_text(member(grant, "ttl_seconds")));
  out += line("agreed", join(strings_member(grant, "agreed"), ", "));
  out += line("opened", string_member(grant, "opened_at"));
  if (string_member(grant, "state") == "open") {
    out += line("until", fmt::format("{} ({} left)", string_member(grant, "ends_at"),
                                     seconds_text(member(grant, "seconds_left"))));
  }
  if (const auto ended = string_member(grant, "ended_at"); !ended.empty()) {
    out += line("ended", fmt::format("{}: {}", ended, string_member(grant, "ended_because")));
  }
  for (const auto& use : member(grant, "uses")) {
    out +=
        line("taken", fmt::format("{} at {}, entry {} of the log", string_member(use, "credential"),
                                  string_member(use, "at"), member(use, "entry").dump()));
  }
  return out + render_review(grant);
}

std::string render_frozen(const Json& frozen) {
  std::string out;
  for (const auto& owed : frozen) {
    out +=
        line("frozen", fmt::format("since {}: {} broke the glass for {} ({})",
                                   string_member(owed, "since"), string_member(owed, "holder"),
                                   string_member(owed, "incident"), string_member(owed, "grant")));
    const auto due = string_member(owed, "due");
    auto text = fmt::format("{} of {} from {}", member(owed, "have").dump(),
                            member(owed, "count").dump(), string_member(owed, "from"));
    if (member(owed, "open") == true) text += "; it has not ended yet";
    if (!due.empty()) {
      text += member(owed, "overdue") == true ? "; late, it was due at " + due : "; due at " + due;
    }
    out += line("review", text);
    out += line("can sign", people(strings_member(owed, "who_can_unblock")));
  }
  return out;
}

}  // namespace bailey
