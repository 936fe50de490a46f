#include "orchestrator/serve/cli/commands/environment_commands.hpp"

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/serve/cli/table.hpp"
#include "orchestrator/serve/cli/views/grant_view.hpp"
#include "orchestrator/serve/cli/views/probe_view.hpp"
#include "orchestrator/serve/cli/wait.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace bailey {

namespace {

std::string path_of(const std::string& environment, const std::string& rest = "") {
  return "/v1/environments/" + percent_encode(environment) + rest;
}

std::string artifacts_text(const Json& artifacts) {
  std::vector<std::string> parts;
  for (const auto& [slot, reference] : artifacts.items()) {
    const auto text = reference.get<std::string>();
    parts.push_back(slot + "@" + text.substr(text.rfind('@') + 1, 19));
  }
  return parts.empty() ? "-" : join(parts, " ");
}

std::string drifted_text(const Json& item) {
  const auto& drifted = member(item, "drifted");
  if (!drifted.is_number_integer()) return "-";
  return drifted == 0 ? "no" : fmt::format("{}", drifted.get<std::int64_t>());
}

std::string status_text(const Json& item) {
  const auto status = string_member(item, "status");
  if (member(item, "declared") == false) return status + ", no longer declared";
  const auto& frozen = member(item, "frozen");
  if (!frozen.is_array()) return status;
  const bool late = std::any_of(frozen.begin(), frozen.end(),
                                [](const Json& owed) { return member(owed, "overdue") == true; });
  return status + (late ? ", frozen: a review is late" : ", frozen until reviewed");
}

void print_drift(const Context& context, const Json& report) {
  for (const auto& finding : member(report, "findings")) {
    const auto& ignored = member(finding, "ignored");
    context.print(fmt::format("  {}  {}, since {}{}\n", string_member(finding, "id"),
                              string_member(finding, "text"), string_member(finding, "since"),
                              ignored.is_object()
                                  ? ", ignored until " + string_member(ignored, "until") + ": " +
                                        string_member(ignored, "reason")
                                  : ""));
  }
  if (const auto error = string_member(report, "error"); !error.empty()) {
    context.print(
        fmt::format("  looking failed at {}: {}\n", string_member(report, "failed_at"), error));
  }
}

}  // namespace

int list_environments(const Context& context) {
  auto answer = context.client().get("/v1/environments");
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  std::vector<std::vector<std::string>> rows;
  for (const auto& item : member(*answer, "environments")) {
    rows.push_back({string_member(item, "name"), string_member(item, "class"), status_text(item),
                    drifted_text(item), artifacts_text(member(item, "artifacts")),
                    string_member(item, "boundary")});
  }
  context.print(
      render_table({"ENVIRONMENT", "CLASS", "STATUS", "DRIFTED", "ARTIFACTS", "BOUNDARY"}, rows));
  return kDone;
}

int show_environment(const Context& context, const std::string& name) {
  auto answer = context.client().get(path_of(name));
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  context.print(fmt::format("{} ({}, {})\n  boundary   {}\n  artifacts  {}\n",
                            string_member(*answer, "name"), string_member(*answer, "class"),
                            status_text(*answer), string_member(*answer, "boundary"),
                            artifacts_text(member(*answer, "artifacts"))));
  if (const auto ends = string_member(*answer, "ends_at"); !ends.empty()) {
    context.print(fmt::format("  ends       {}\n", ends));
  }
  if (const auto& frozen = member(*answer, "frozen"); frozen.is_array()) {
    context.print(render_frozen(frozen));
  }
  for (const auto& what : strings_member(*answer, "left")) {
    context.print(fmt::format("  left       {}\n", what));
  }
  for (const auto& [role, holders] : member(*answer, "bindings").items()) {
    std::vector<std::string> names;
    for (const auto& holder : holders) names.push_back(holder.get<std::string>());
    context.print(fmt::format("  {:<10} {}\n", role, join(names, ", ")));
  }
  std::vector<std::vector<std::string>> rows;
  for (const auto& item : member(*answer, "resources")) {
    rows.push_back({string_member(item, "address"), string_member(item, "type"),
                    string_member(item, "provider_id")});
  }
  context.print("\n" + render_table({"RESOURCE", "TYPE", "ID"}, rows));
  if (const auto& report = member(*answer, "drift"); report.is_object()) {
    context.print(fmt::format("\nDrift, looked at {}: {}\n", string_member(report, "looked_at"),
                              member(report, "findings").empty() ? "none" : ""));
    print_drift(context, report);
  }
  return kDone;
}

int list_sandboxes(const Context& context) {
  auto answer = context.client().get("/v1/environments");
  if (!answer) return context.fail_with(answer.error());
  Json sandboxes = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const auto& item : member(*answer, "environments")) {
    if (string_member(item, "class") != "sandbox") continue;
    sandboxes.push_back(item);
    const auto& left = member(item, "seconds_left");
    const auto seconds = left.is_number_integer() ? left.get<std::int64_t>() : 0;
    const auto text = !left.is_number_integer() ? std::string("-")
                      : seconds == 0            ? std::string("over")
                                                : format_duration(std::chrono::seconds(seconds));
    rows.push_back({string_member(item, "name"), string_member(item, "owner"), status_text(item),
                    text, string_member(item, "ends_at")});
  }
  context.print_json({{"sandboxes", std::move(sandboxes)}});
  if (rows.empty()) {
    context.note("There are no sandboxes that you may read.");
  } else {
    context.print(render_table({"SANDBOX", "OWNER", "STATUS", "LEFT", "ENDS"}, rows));
  }
  return kDone;
}

int extend_sandbox(const Context& context, const std::string& name, std::chrono::seconds ttl) {
  auto answer = context.client().post(path_of(name, "/extend"), {{"ttl_seconds", ttl.count()}});
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  context.print(fmt::format("{} ends at {}\n", name, string_member(*answer, "ends_at")));
  return kDone;
}

namespace {

int look_for_drift(const Context& context, ApiClient& client,
                   const std::vector<std::string>& environments) {
  Json reports = Json::array();
  int code = kDone;
  for (const auto& name : environments) {
    auto report = client.post(path_of(name, "/drift"), Json::object());
    if (!report) {
      if (environments.size() == 1) return context.fail_with(report.error());
      context.note(name + ": " + report.error().render());
      code = kFailed;
      continue;
    }
    const bool drifted = member(*report, "open") != 0;
    if (drifted && code == kDone) code = kDifferences;
    context.print(fmt::format("{}: {}\n", name,
                              drifted ? "differs from what was applied" : "as it was applied"));
    print_drift(context, *report);
    reports.push_back(*std::move(report));
  }
  context.print_json({{"environments", std::move(reports)}});
  return code;
}

int decide_about_drift(const Context& context, const DriftCommand& command, const char* action,
                       const std::vector<std::string>& findings) {
  auto client = context.client();
  auto answer = client.post(path_of(command.environment, "/drift/decisions"),
                            {{"action", action},
                             {"findings", findings},
                             {"reason", command.reason},
                             {"seconds", command.ignore_for.count()}});
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  return follow(context, client, {string_member(*answer, "change")}, command.wait);
}

}  // namespace

int drift(const Context& context, const DriftCommand& command) {
  for (const auto& [action, findings] :
       {std::pair("accept", &command.accept), std::pair("restore", &command.restore),
        std::pair("ignore", &command.ignore)}) {
    if (!findings->empty()) return decide_about_drift(context, command, action, *findings);
  }
  auto client = context.client();
  if (!command.environment.empty()) return look_for_drift(context, client, {command.environment});
  auto answer = client.get("/v1/environments");
  if (!answer) return context.fail_with(answer.error());
  std::vector<std::string> names;
  for (const auto& item : member(*answer, "environments")) {
    const auto status = string_member(item, "status");
    const bool stands = status != "absent" && status != "destroyed" && status != "destroying";
    if (stands && member(item, "declared") == true) names.push_back(string_member(item, "name"));
  }
  if (names.empty()) context.note("Nothing stands that you may read.");
  return look_for_drift(context, client, names);
}

int import_environment(const Context& context, const std::string& name, const std::string& uid) {
  auto answer = context.client().post(path_of(name, "/import"), {{"uid", uid}});
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  std::vector<std::vector<std::string>> rows;
  for (const auto& item : member(*answer, "resources")) {
    rows.push_back({string_member(item, "address"), string_member(item, "type"),
                    string_member(item, "provider_id")});
  }
  context.print(render_table({"RESOURCE", "TYPE", "ID"}, rows));
  context.print(fmt::format("\n{} is recorded again: {} resources of {} in {}, artifacts {}\n",
                            name, rows.size(), string_member(*answer, "uid"),
                            string_member(*answer, "boundary"),
                            artifacts_text(member(*answer, "artifacts"))));
  for (const auto& item : member(*answer, "left")) {
    const auto owner = string_member(item, "owner");
    context.note(fmt::format("{} {} ({}): {}", string_member(item, "type"),
                             string_member(item, "name"), string_member(item, "provider_id"),
                             owner == "ours" ? "half made or superseded; the next plan settles it"
                             : owner == "nobody" ? "bears no mark and is left alone"
                                                 : "marked as " + owner + "'s and left alone"));
  }
  context.note("Nothing of it counts as verified until its next change: bailey apply PATH");
  return kDone;
}

int probe(const Context& context, const std::string& environment) {
  auto answer = context.client().post("/v1/probe", {{"environment", environment}});
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  context.print(render_probe(*answer));
  return member(*answer, "ok") == true ? kDone : kFailed;
}

int list_credentials(const Context& context, const std::string& environment) {
  auto answer = context.client().get(path_of(environment, "/credentials"));
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  std::vector<std::vector<std::string>> rows;
  for (const auto& item : member(*answer, "credentials")) {
    rows.push_back({string_member(item, "id"), string_member(item, "role"),
                    string_member(item, "status"), string_member(item, "expires_at")});
  }
  context.print(render_table({"CREDENTIAL", "ROLE", "STATUS", "UNTIL"}, rows));
  rows.clear();
  for (const auto& item : member(*answer, "leases")) {
    rows.push_back({string_member(item, "id"), string_member(item, "role"),
                    string_member(item, "holder"),
                    member(item, "revoked") == true ? "revoked" : "active",
                    string_member(item, "expires_at")});
  }
  context.print("\n" + render_table({"LEASE", "ROLE", "HOLDER", "STATUS", "UNTIL"}, rows));
  return kDone;
}

int rotate_credentials(const Context& context, const std::string& environment) {
  auto answer = context.client().post(path_of(environment, "/credentials/rotate"), Json::object());
  if (!answer) return context.fail_with(answer.error());
  context.print_json({{"rotated", environment}});
  context.print(fmt::format("the credentials of {} are new\n", environment));
  return kDone;
}

int revoke_credentials(const Context& context, const std::string& environment,
                       const std::string& lease, const std::string& role) {
  auto client = context.client();
  Status done;
  if (!lease.empty()) {
    done = client.remove(path_of(environment, "/leases/" + percent_encode(lease)));
  } else {
    auto answer = client.post(path_of(environment, "/credentials/revoke"), {{"role", role}});
    if (!answer) done = fail(std::move(answer.error()));
  }
  if (!done) return context.fail_with(done.error());
  context.print_json({{"environment", environment}, {"lease", lease}, {"role", role}});
  context.print("revoked\n");
  return kDone;
}

}  // namespace bailey
