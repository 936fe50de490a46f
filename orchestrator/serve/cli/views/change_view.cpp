#include "orchestrator/serve/cli/views/change_view.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/serve/cli/views/progress_view.hpp"

#include <fmt/format.h>

#include <set>

namespace bailey {

namespace {

std::string authors_text(const Json& authors) {
  std::vector<std::string> names;
  for (const auto& author : authors) {
    const auto person = string_member(author, "person");
    names.push_back(person.empty() ? string_member(author, "email") : person);
  }
  return names.empty() ? "nobody known" : enumerate(names);
}

std::string last_detail(const Json& change) {
  const auto& history = member(change, "history");
  if (!history.is_array() || history.empty()) return {};
  return string_member(history.back(), "detail");
}

std::string indented(const std::string& text, std::string_view by) {
  std::string out;
  for (const auto& line : split(text, '\n')) out += fmt::format("{}{}\n", by, line);
  return out;
}

std::string named(const std::vector<std::string>& names) {
  constexpr std::size_t kNamed = 6;
  if (names.size() <= kNamed) return enumerate(names);
  const std::vector<std::string> first(names.begin(), names.begin() + kNamed);
  return fmt::format("{} and {} more", join(first, ", "), names.size() - kNamed);
}

std::string render_failure(const Json& failure) {
  const auto& error = member(failure, "error");
  const auto& took = member(failure, "duration_ms");
  const bool unsure = string_member(failure, "outcome") == "errored";
  std::string out = fmt::format("  {} {}  {}  {}", string_member(failure, "action"),
                                string_member(failure, "address"), string_member(failure, "type"),
                                unsure ? "outcome unknown" : "failed");
  if (took.is_number()) {
    out += " after " + short_duration(std::chrono::milliseconds(took.get<std::int64_t>()));
  }
  out += "\n" + indented(string_member(error, "message"), "    ");
  for (const auto& frame : frames_of(error)) out += "    while " + frame + "\n";
  const auto hint = string_member(error, "hint");
  if (!hint.empty()) out += indented(hint, "    ");
  if (unsure) out += "    Whether it was done is not known; the next change settles that first.\n";
  const auto undone = strings_member(failure, "left_undone");
  if (!undone.empty()) out += fmt::format("    left undone: {}\n", named(undone));
  return out;
}

std::string how_to_ask_again(const Json& change) {
  const auto environment = string_member(change, "environment");
  const auto kind = string_member(change, "kind");
  if (kind == "destroy") return fmt::format("    bailey destroy {} --wait\n", environment);
  if (kind == "rollback") {
    return fmt::format("    bailey rollback {} --to RECEIPT --wait\n", environment);
  }
  if (kind != "promotion")
    return fmt::format("    bailey apply PATH --env {} --wait\n", environment);
  std::string command = "    bailey promote --project PROJECT";
  for (const auto& [slot, reference] : member(change, "artifacts").items()) {
    if (reference.is_string()) {
      command += fmt::format(" --artifact {}={}", slot, reference.get<std::string>());
    }
  }
  return fmt::format("{} --to {} --wait\n", command, environment);
}

// All that failed, what was left undone because of it, and what to do about it.
std::string render_failures(const Json& change) {
  const auto& failures = member(change, "failures");
  if (!failures.is_array() || failures.empty()) return {};
  std::set<std::string> undone;
  std::string blocks;
  for (const auto& failure : failures) {
    for (const auto& address : strings_member(failure, "left_undone")) undone.insert(address);
    blocks += "\n" + render_failure(failure);
  }
  const auto total = member(member(change, "outcome"), "operations").size();
  std::string out = fmt::format("  {} of {} operations failed", failures.size(), total);
  if (!undone.empty()) {
    out += fmt::format("; {} {} left undone because of {}", undone.size(),
                       undone.size() == 1 ? "was" : "were", failures.size() == 1 ? "it" : "them");
  }
  return out + ".\n" + blocks;
}

std::string what_to_do_next(const Json& change) {
  return "\n  What was done stands. Mend the cause, then ask again for what is missing:\n" +
         how_to_ask_again(change);
}

std::string timing(const Json& outcome) {
  const auto& makespan = member(outcome, "makespan_ms");
  const auto& bound = member(outcome, "lower_bound_ms");
  if (!makespan.is_number() || !bound.is_number()) return {};
  const auto count = member(outcome, "operations").size();
  if (count == 0) return {};
  return fmt::format("  {} {} in {:.2f} s; their latencies allow {:.2f} s at best\n", count,
                     count == 1 ? "operation" : "operations", makespan.get<double>() / 1000,
                     bound.get<double>() / 1000);
}

}  // namespace

std::string change_line(const Json& change) {
  return fmt::format("{}  {}  {}", string_member(change, "id"),
                     string_member(change, "environment"), string_member(change, "state"));
}

std::string render_gate(const Json& gate) {
  std::string out;
  for (const auto& condition : gate) {
    out += fmt::format("  {:<7} {:<10} {}\n", member(condition, "met") == true ? "met" : "not met",
                       string_member(condition, "condition"), string_member(condition, "detail"));
    const auto people = strings_member(condition, "who_can_unblock");
    if (member(condition, "met") != true && !people.empty()) {
      out += fmt::format("          can be met by {}\n", enumerate(people, "or"));
    }
  }
  return out;
}

std::string render_change_outcome(const Json& change) {
  std::string out = change_line(change) + "\n";
  const auto state = string_member(change, "state");
  const auto& outcome = member(change, "outcome");
  if (state == "failed") {
    const auto failures = render_failures(change);
    out += failures.empty() ? indented(last_detail(change), "  ") : failures;
    if (string_member(change, "kind") != "policy") out += what_to_do_next(change);
  } else if (state == "done") {
    out += timing(outcome);
    const auto receipt = string_member(change, "receipt");
    if (!receipt.empty()) out += "  receipt " + receipt + "\n";
  } else if (state == "waiting" || state == "approved") {
    out += render_gate(member(change, "gate"));
  } else if (!last_detail(change).empty()) {
    out += "  " + last_detail(change) + "\n";
  }
  return out;
}

std::string render_change(const Json& change) {
  std::string out = fmt::format(
      "{}\n  {} of {}\n  state      {}\n  requester  {}\n  authors    {}\n  plan       {}\n"
      "  policy     {}\n  {}\n",
      string_member(change, "id"), string_member(change, "kind"),
      string_member(change, "environment"), string_member(change, "state"),
      string_member(change, "requester"), authors_text(member(change, "authors")),
      string_member(change, "plan_digest"), string_member(change, "policy_digest"),
      string_member(change, "summary"));
  for (const auto& [slot, reference] : member(change, "artifacts").items()) {
    out += fmt::format("  artifact   {}={}\n", slot, reference.get<std::string>());
  }
  for (const auto& approval : member(change, "approvals")) {
    out += fmt::format("  {:<10} by {} at {}, until {}\n", string_member(approval, "decision"),
                       string_member(approval, "approver"), string_member(approval, "issued_at"),
                       string_member(approval, "expires_at"));
  }
  const auto& gate = member(change, "gate");
  if (gate.is_array() && !gate.empty()) out += "\ngate\n" + render_gate(gate);
  out += "\nhistory\n";
  for (const auto& step : member(change, "history")) {
    const auto line = fmt::format("  {}  {:<10} {}", string_member(step, "at"),
                                  string_member(step, "state"), string_member(step, "detail"));
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  const auto failed = render_failures(change);
  if (!failed.empty()) out += "\nfailures\n" + failed;
  return out;
}

}  // namespace bailey
