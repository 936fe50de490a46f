#include "orchestrator/serve/cli/commands/grant_commands.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/evidence/dsse.hpp"
#include "orchestrator/promote/evidence/review_statement.hpp"
#include "orchestrator/serve/cli/key_file.hpp"
#include "orchestrator/serve/cli/views/grant_view.hpp"
#include "orchestrator/serve/cli/wait.hpp"

#include <fmt/format.h>

namespace bailey {

namespace {

std::string path_of(const std::string& id, const char* rest = "") {
  return "/v1/grants/" + percent_encode(id) + rest;
}

struct Prepared {
  std::string payload;
  ReviewStatement statement;
  Json subject;
};

// Believes nothing that the server says beside the bytes to sign: what is shown is what their
// digest covers.
Result<Prepared> check_prepared(const Json& answer, const ReviewCommand& command) {
  auto payload = require_string(answer, "payload");
  if (!payload) return fail(std::move(payload.error()));
  auto statement = parse_statement(*payload);
  if (!statement) return fail(std::move(statement.error()));
  auto review = review_from_statement(*statement);
  if (!review) return fail(std::move(review.error()));
  const auto& subject = member(answer, "subject");
  if (review->grant.str() != command.grant || review->conclusion != command.conclusion ||
      digest_of(subject) != review->grant_digest || string_member(subject, "id") != command.grant) {
    return fail(Error(ErrorKind::Refused, "the server asks to sign something else than was shown")
                    .with_hint("Do not sign; tell your administrators."));
  }
  return Prepared{*std::move(payload), *std::move(review), subject};
}

std::string to_be_signed(const Prepared& prepared) {
  const auto& terms = member(prepared.subject, "terms");
  const auto& statement = prepared.statement;
  std::string out = fmt::format("You sign: {} was looked at\n", statement.grant.str());
  out += fmt::format("  environment  {} ({})\n", statement.environment,
                     statement.environment_uid.str());
  out += fmt::format("  who had it   {}, for {}: {}\n", statement.holder, statement.incident,
                     string_member(terms, "reason"));
  for (const auto& person : strings_member(prepared.subject, "agreed")) {
    out += fmt::format("  agreed       {}\n", person);
  }
  out += fmt::format("  from         {}\n  until        {}, {}\n",
                     string_member(prepared.subject, "opened_at"),
                     string_member(prepared.subject, "ended_at"),
                     string_member(prepared.subject, "ended_because"));
  const auto& uses = member(prepared.subject, "uses");
  out += fmt::format("  credentials  {} were taken\n", uses.size());
  for (const auto& use : uses) {
    out +=
        fmt::format("    {} at {}\n", string_member(use, "credential"), string_member(use, "at"));
  }
  out += fmt::format("  log entries  {}\n", member(prepared.subject, "entries").dump());
  out += fmt::format("  digest       {}\n", statement.grant_digest);
  out += fmt::format("  as           {}\n  conclusion   {}\n", statement.reviewer,
                     statement.conclusion);
  return out;
}

}  // namespace

int request_grant(const Context& context, const GrantCommand& command) {
  const bool emergency = command.role.empty();
  Json body{{"reason", command.reason}};
  if (emergency) body["incident"] = command.incident;
  if (!emergency) body["role"] = command.role;
  if (command.ttl) body["ttl_seconds"] = command.ttl->count();
  auto client = context.client();
  auto answer = client.post("/v1/environments/" + percent_encode(command.environment) +
                                (emergency ? "/break-glass" : "/grants"),
                            body);
  if (!answer) return context.fail_with(answer.error());
  const auto id = string_member(*answer, "change");
  const auto grant = string_member(*answer, "grant");
  const int code = follow(context, client, {id}, command.wait);
  const auto change = client.get("/v1/changes/" + percent_encode(id));
  if (change) context.print_json({{"grant", grant}, {"change", *change}});
  const auto state = change ? string_member(*change, "state") : std::string();
  if (state == "done") {
    context.print(fmt::format("  {} is open: bailey run {} --role {} -- COMMAND\n", grant,
                              command.environment, emergency ? "break-glass" : command.role));
  } else if (state == "waiting") {
    context.note("Others have to agree:\n    bailey approve " + id);
  }
  return code;
}

int list_grants(const Context& context, const std::string& environment, bool all) {
  auto answer = context.client().get("/v1/grants?environment=" + percent_encode(environment) +
                                     (all ? "&all=true" : ""));
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  if (member(*answer, "grants").empty()) {
    context.note(all ? "There are no such grants." : "Nobody has or waits for a grant.");
  } else {
    context.print(render_grants(member(*answer, "grants")));
  }
  return kDone;
}

int show_grant(const Context& context, const std::string& id) {
  auto answer = context.client().get(path_of(id));
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  context.print(render_grant(*answer));
  return kDone;
}

int revoke_grant(const Context& context, const std::string& id) {
  auto answer = context.client().post(path_of(id, "/revoke"), Json::object());
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  const bool closed = string_member(*answer, "state") == "closed";
  context.print(fmt::format("{} has ended{}\n", string_member(*answer, "id"),
                            closed ? "" : "; the provider is asked again to end its credentials"));
  return kDone;
}

int review_grant(const Context& context, const ReviewCommand& command) {
  auto client = context.client();
  auto answer =
      client.post(path_of(command.grant, "/statement"), {{"conclusion", command.conclusion}});
  if (!answer) return context.fail_with(answer.error());
  auto prepared = check_prepared(*answer, command);
  if (!prepared) return context.fail_with(prepared.error());
  context.note(to_be_signed(*prepared));
  if (!command.yes && !confirmed("Sign this?")) {
    context.note("Nothing was signed. Without a terminal, say so with --yes.");
    return kUsage;
  }
  auto key = find_key(command.key);
  if (!key) return context.fail_with(key.error());
  auto envelope = sign_envelope(kInTotoPayload, prepared->payload, *key);
  if (!envelope) return context.fail_with(envelope.error());
  auto taken = client.post(path_of(command.grant, "/reviews"), {{"envelope", to_json(*envelope)}});
  if (!taken) return context.fail_with(taken.error());
  context.print_json(*taken);
  const auto& review = member(*taken, "review");
  const bool complete = !member(review, "reviewed_at").is_null();
  context.print(
      fmt::format("{}: reviewed by {}{}\n", command.grant, prepared->statement.reviewer,
                  complete ? "; " + prepared->statement.environment + " is free again"
                           : fmt::format("; {} of {} have signed", member(review, "signed").size(),
                                         member(review, "count").dump())));
  return kDone;
}

}  // namespace bailey
