#include "orchestrator/serve/cli/views/change_view.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"

#include <fmt/format.h>

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

std::string failures(const Json& outcome) {
  std::string out;
  for (const auto& operation : member(outcome, "operations")) {
    const auto& error = member(operation, "error");
    if (!error.is_object()) continue;
    out += fmt::format("  {}: {}\n", string_member(operation, "address"),
                       string_member(error, "message"));
    for (const auto& frame : strings_member(error, "frames")) out += "    while " + frame + "\n";
  }
  return out;
}

std::string timing(const Json& outcome) {
  const auto& makespan = member(outcome, "makespan_ms");
  const auto& bound = member(outcome, "lower_bound_ms");
  if (!makespan.is_number() || !bound.is_number()) return {};
  return fmt::format("  {} operations in {:.2f} s; their latencies allow {:.2f} s at best\n",
                     member(outcome, "operations").size(), makespan.get<double>() / 1000,
                     bound.get<double>() / 1000);
}

}  // namespace

std::string change_line(const Json& change) {
  return fmt::format("{}  {}  {}", string_member(change, "id"),
                     string_member(change, "environment"), string_member(change, "state"));
}

std::string progress_bar(const Json& progress) {
  return fmt::format("{}/{} {}", member(progress, "finished").get<std::size_t>(),
                     member(progress, "total").get<std::size_t>(), string_member(progress, "last"));
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
    out += "  " + last_detail(change) + "\n" + failures(outcome);
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
  const auto failed = failures(member(change, "outcome"));
  if (!failed.empty()) out += "\nfailures\n" + failed;
  return out;
}

}  // namespace bailey
