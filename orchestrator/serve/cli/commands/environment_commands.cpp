#include "orchestrator/serve/cli/commands/environment_commands.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/serve/cli/table.hpp"
#include "orchestrator/serve/cli/views/probe_view.hpp"

#include <fmt/format.h>

#include <map>

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

}  // namespace

int list_environments(const Context& context) {
  auto answer = context.client().get("/v1/environments");
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  std::vector<std::vector<std::string>> rows;
  for (const auto& item : member(*answer, "environments")) {
    rows.push_back({string_member(item, "name"), string_member(item, "class"),
                    string_member(item, "status"), artifacts_text(member(item, "artifacts")),
                    string_member(item, "boundary")});
  }
  context.print(render_table({"ENVIRONMENT", "CLASS", "STATUS", "ARTIFACTS", "BOUNDARY"}, rows));
  return kDone;
}

int show_environment(const Context& context, const std::string& name) {
  auto answer = context.client().get(path_of(name));
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  context.print(fmt::format("{} ({}, {})\n  boundary   {}\n  artifacts  {}\n",
                            string_member(*answer, "name"), string_member(*answer, "class"),
                            string_member(*answer, "status"), string_member(*answer, "boundary"),
                            artifacts_text(member(*answer, "artifacts"))));
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
  return kDone;
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
