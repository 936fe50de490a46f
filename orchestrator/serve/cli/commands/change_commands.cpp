#include "orchestrator/serve/cli/commands/change_commands.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/provision/plan/plan_view.hpp"
#include "orchestrator/serve/cli/table.hpp"
#include "orchestrator/serve/cli/terminal.hpp"
#include "orchestrator/serve/cli/views/change_view.hpp"
#include "orchestrator/serve/cli/views/journal_view.hpp"
#include "orchestrator/serve/cli/wait.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace bailey {

namespace {

std::string path_of(const std::string& id, const char* rest = "") {
  return "/v1/changes/" + percent_encode(id) + rest;
}

Result<Json> artifacts_from(const std::vector<std::string>& texts) {
  Json artifacts = Json::object();
  for (const auto& text : texts) {
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return fail(ErrorKind::InvalidArgument,
                  fmt::format("\"{}\" is not NAME=HOST/REPOSITORY@sha256:...", text));
    }
    artifacts[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return artifacts;
}

int after_request(const Context& context, ApiClient& client, Result<Json> answer, bool wait) {
  if (!answer) return context.fail_with(answer.error());
  const auto id = string_member(*answer, "change");
  if (id.empty()) {
    context.print("nothing to change\n");
    context.print_json(*answer);
    return kDone;
  }
  if (!wait) return ask_for_entry(context, client, id);
  const int code = follow(context, client, {id}, true);
  if (auto change = client.get(path_of(id))) context.print_json(*change);
  return code;
}

}  // namespace

int promote(const Context& context, const PromoteCommand& command) {
  auto artifacts = artifacts_from(command.artifacts);
  if (!artifacts) {
    context.note("error: " + artifacts.error().render());
    return kUsage;
  }
  auto client = context.client();
  auto answer = client.post(
      "/v1/promotions",
      {{"project", command.project}, {"artifacts", *std::move(artifacts)}, {"to", command.to}});
  return after_request(context, client, std::move(answer), command.wait);
}

int roll_back(const Context& context, const std::string& environment, const std::string& receipt,
              bool wait) {
  auto client = context.client();
  auto digest = receipt;
  if (receipt.starts_with("chg-")) {
    auto change = client.get(path_of(receipt));
    if (!change) return context.fail_with(change.error());
    digest = string_member(*change, "receipt");
    if (digest.empty()) {
      return context.fail_with(
          Error(ErrorKind::Refused, receipt + " has no receipt: it was never done")
              .with_code("rollback.no-receipt"));
    }
  }
  auto answer = client.post("/v1/environments/" + percent_encode(environment) + "/rollback",
                            {{"receipt", digest}});
  return after_request(context, client, std::move(answer), wait);
}

int destroy(const Context& context, const std::string& environment, bool wait) {
  auto client = context.client();
  auto answer =
      client.post("/v1/environments/" + percent_encode(environment) + "/destroy", Json::object());
  return after_request(context, client, std::move(answer), wait);
}

int list_changes(const Context& context, const std::string& environment, const std::string& state) {
  auto answer = context.client().get("/v1/changes?environment=" + percent_encode(environment) +
                                     "&state=" + percent_encode(state));
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  std::vector<std::vector<std::string>> rows;
  for (const auto& change : member(*answer, "changes")) {
    rows.push_back({string_member(change, "id"), string_member(change, "environment"),
                    string_member(change, "kind"), string_member(change, "state"),
                    string_member(change, "requester"), string_member(change, "created_at")});
  }
  if (rows.empty()) {
    context.note("There are no such changes.");
  } else {
    context.print(
        render_table({"CHANGE", "ENVIRONMENT", "KIND", "STATE", "REQUESTER", "SINCE"}, rows));
  }
  return kDone;
}

int show_change(const Context& context, const std::string& id) {
  auto answer = context.client().get(path_of(id));
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  context.print(render_change(*answer));
  return kDone;
}

int why(const Context& context, const std::string& id) {
  auto answer = context.client().get(path_of(id));
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  const auto& history = member(*answer, "history");
  const auto since =
      history.is_array() && !history.empty() ? string_member(history.back(), "at") : std::string();
  context.print(fmt::format("{}, since {}\n", change_line(*answer), since));
  context.print(render_gate(member(*answer, "gate")));
  return member(*answer, "waits_for_people") == true ? kWaitsForPeople : kDone;
}

int show_plan(const Context& context, const std::string& id) {
  auto answer = context.client().get(path_of(id, "/plan"));
  if (!answer) return context.fail_with(answer.error());
  auto plan = plan_from_json(*answer);
  if (!plan) return context.fail_with(plan.error());
  context.print_json(*answer);
  context.print(render_plan(*plan, context.programs().schemas));
  return kDone;
}

int execute_change(const Context& context, const std::string& id, bool wait) {
  auto client = context.client();
  auto answer = client.post(path_of(id, "/execute"), Json::object());
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  return follow(context, client, {id}, wait);
}

int follow_change(const Context& context, const std::string& id) {
  auto client = context.client();
  const int code = follow(context, client, {id}, true);
  if (!context.json() || code == kInterrupted) return code;
  if (auto change = client.get(path_of(id))) context.print_json(*change);
  return code;
}

int read_journal(const Context& context, const std::string& subject) {
  constexpr std::string_view kChangeId = "chg-";
  std::string query;
  if (!subject.empty()) {
    const bool change = subject.starts_with(kChangeId);
    query = (change ? "?change=" : "?environment=") + percent_encode(subject);
  }
  auto answer = context.client().get("/v1/journal" + query);
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  auto look = terminal_look(STDOUT_FILENO);
  if (!is_terminal(STDOUT_FILENO)) look = {.columns = 100};
  context.print(render_journal(*answer, look));
  return kDone;
}

int cancel_change(const Context& context, const std::string& id) {
  auto answer = context.client().post(path_of(id, "/cancel"), Json::object());
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  context.print(fmt::format("{} is cancelled\n", id));
  return kDone;
}

}  // namespace bailey
