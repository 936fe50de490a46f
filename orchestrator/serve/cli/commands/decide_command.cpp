#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/model/grant.hpp"
#include "orchestrator/promote/evidence/approval_statement.hpp"
#include "orchestrator/promote/evidence/authorship.hpp"
#include "orchestrator/promote/evidence/dsse.hpp"
#include "orchestrator/promote/evidence/sshsig.hpp"
#include "orchestrator/provision/plan/plan_view.hpp"
#include "orchestrator/serve/cli/commands/change_commands.hpp"
#include "orchestrator/serve/cli/key_file.hpp"
#include "orchestrator/serve/cli/known_log.hpp"
#include "orchestrator/serve/cli/views/change_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace bailey {

namespace {

namespace fs = std::filesystem;

std::string path_of(const std::string& id, const char* rest = "") {
  return "/v1/changes/" + percent_encode(id) + rest;
}

struct Prepared {
  std::string payload;
  ApprovalStatement statement;
  Plan plan;
  Json evidence;
};

// The digests that the statement names are those of what is shown.
bool is_about(const ApprovalStatement& approval, const Plan& plan, const Json& answer) {
  std::vector<std::string> evidence;
  for (const auto& envelope : member(answer, "evidence")) evidence.push_back(digest_of(envelope));
  std::sort(evidence.begin(), evidence.end());
  return approval.plan_digest == plan.digest && approval.evidence == evidence &&
         approval.gate_digest == digest_of(member(answer, "gate"));
}

// Believes nothing that the server says beside the bytes to sign: what is shown is read out of
// them, and plan, gate and evidence are those whose digests they name.
Result<Prepared> check_prepared(const Json& answer, const DecideCommand& command,
                                const std::string& head) {
  auto payload = require_string(answer, "payload");
  if (!payload) return fail(std::move(payload.error()));
  auto statement = parse_statement(*payload);
  if (!statement) return fail(std::move(statement.error()));
  auto approval = approval_from_statement(*statement);
  if (!approval) return fail(std::move(approval.error()));
  auto plan = plan_from_json(member(answer, "plan"));
  if (!plan) return fail(std::move(plan.error()).in("checking the plan that is to be signed"));
  if (approval->change.str() != command.change || approval->decision != command.decision ||
      approval->reason != command.reason || approval->checkpoint != head ||
      !is_about(*approval, *plan, answer)) {
    return fail(Error(ErrorKind::Refused, "the server asks to sign something else than was shown")
                    .with_hint("Do not sign; tell your administrators."));
  }
  return Prepared{*std::move(payload), *std::move(approval), *std::move(plan),
                  member(answer, "evidence")};
}

// What a statement says about itself; whether its signature holds, the server's gate says.
std::string evidence_line(const Json& envelope) {
  const auto read = dsse_envelope_from_json(envelope);
  const auto statement =
      read ? parse_statement(read->payload) : Result<Statement>(fail(read.error()));
  if (!statement) return fmt::format("  evidence     {}\n", digest_of(envelope));
  auto line = fmt::format("  evidence     {}\n", statement->predicate_type);
  if (const auto written = authorship_from_statement(*statement)) {
    const auto people = written->people();
    line += fmt::format("               {} commits by {}\n", written->commits.size(),
                        enumerate({people.begin(), people.end()}));
  }
  return line;
}

std::string verb_of(Decision decision) {
  switch (decision) {
    case Decision::Approve:
      return "that it may go in";
    case Decision::Reject:
      return "that it must not go in: it ends";
    case Decision::Revoke:
      return "that your approval no longer counts";
  }
  return {};
}

// Who would have what, for how long and why; nothing for a plan that gives no grant.
std::string grant_terms(const Plan& plan) {
  const auto terms = terms_of(plan);
  if (!terms) return {};
  auto out = fmt::format("  {} would have {} for {}\n  reason       {}\n", to_string(terms->holder),
                         terms->role, format_duration(terms->ttl),
                         Json(terms->reason).dump(-1, ' ', true));
  if (!terms->incident.empty()) {
    out += fmt::format("  incident     {}\n", Json(terms->incident).dump(-1, ' ', true));
  }
  return out;
}

std::string to_be_signed(const Prepared& prepared, const ProviderSchemas& schemas) {
  const auto& statement = prepared.statement;
  std::string out = render_plan(prepared.plan, schemas) + grant_terms(prepared.plan);
  out += fmt::format("\nYou sign, about {}: {}\n", statement.change.str(),
                     verb_of(statement.decision));
  out += fmt::format("  environment  {} ({})\n", statement.environment,
                     to_string(statement.environment_class));
  out += fmt::format("  as           {}, until {}\n", statement.approver, statement.expires_at);
  out += fmt::format("  plan         {}\n", statement.plan_digest);
  out += fmt::format("  policy       {}\n", statement.policy_digest);
  for (const auto& [slot, reference] : statement.artifacts) {
    out += fmt::format("  artifact     {}={}\n", slot, reference);
  }
  for (const auto& envelope : prepared.evidence) out += evidence_line(envelope);
  for (const auto& author : statement.authors) out += fmt::format("  author       {}\n", author);
  out += fmt::format("  requester    {}\n", statement.requester);
  return out;
}

}  // namespace

int decide(const Context& context, const DecideCommand& command) {
  auto client = context.client();
  auto head = verified_head(client, context.connection().server, known_logs_folder());
  if (!head) return context.fail_with(head.error());
  auto answer =
      client.post(path_of(command.change, "/statement"), {{"decision", to_string(command.decision)},
                                                          {"reason", command.reason},
                                                          {"checkpoint", *head}});
  if (!answer) return context.fail_with(answer.error());
  auto prepared = check_prepared(*answer, command, *head);
  if (!prepared) return context.fail_with(prepared.error());
  context.note(to_be_signed(*prepared, context.programs().schemas));
  if (auto change = client.get(path_of(command.change))) {
    context.note("The gate now:\n" + render_gate(member(*change, "gate")));
  }
  if (!command.yes && !confirmed("Sign this?")) {
    context.note("Nothing was signed. Without a terminal, say so with --yes.");
    return kUsage;
  }
  auto key = find_key(command.key);
  if (!key) return context.fail_with(key.error());
  auto envelope = sign_envelope(kInTotoPayload, prepared->payload, *key);
  if (!envelope) return context.fail_with(envelope.error());
  auto taken =
      client.post(path_of(command.change, "/decisions"), {{"envelope", to_json(*envelope)}});
  if (!taken) return context.fail_with(taken.error());
  context.print_json(*taken);
  context.print(fmt::format("{}: {} by {}, signed with {}\n", command.change,
                            string_member(*taken, "decision"), string_member(*taken, "approver"),
                            string_member(*taken, "key_fingerprint")));
  return kDone;
}

int export_approvals(const Context& context, const std::string& change, const fs::path& folder) {
  auto answer = context.client().get(path_of(change, "/approvals"));
  if (!answer) return context.fail_with(answer.error());
  std::error_code error;
  fs::create_directories(folder, error);
  Json files = Json::array();
  std::string allowed_signers;
  for (const auto& item : member(*answer, "approvals")) {
    auto envelope = dsse_envelope_from_json(member(item, "envelope"));
    if (!envelope || envelope->signatures.empty()) continue;
    const auto approver = string_member(item, "approver");
    const auto name = fmt::format("{}-{}", string_member(item, "decision"), approver);
    for (const auto& key : strings_member(item, "keys")) {
      allowed_signers +=
          fmt::format("{} namespaces=\"{}\" {}\n", approver, kSignatureNamespace, key);
    }
    const auto signed_bytes =
        pre_authentication_encoding(envelope->payload_type, envelope->payload);
    const auto signature = armor_sshsig(envelope->signatures.front().signature);
    for (const auto& [ending, text] :
         {std::pair{".dsse", signed_bytes}, std::pair{".sig", signature},
          std::pair{".json", pretty(member(item, "envelope"))}}) {
      if (auto written = write_file(folder / (name + ending), text); !written) {
        return context.fail_with(written.error());
      }
    }
    const auto command = fmt::format(
        "ssh-keygen -Y verify -f {0}/allowed_signers -I {1} -n {2} -s {0}/{3}.sig < {0}/{3}.dsse",
        folder.string(), approver, kSignatureNamespace, name);
    files.push_back(
        {{"approver", approver}, {"file", (folder / name).string()}, {"verify", command}});
    context.print(fmt::format("{}\n    {}\n", name, command));
  }
  if (auto written = write_file(folder / "allowed_signers", allowed_signers); !written) {
    return context.fail_with(written.error());
  }
  context.print_json({{"approvals", files}});
  if (files.empty()) context.note("This change has no approval yet.");
  return kDone;
}

}  // namespace bailey
