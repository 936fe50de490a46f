#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/evidence/approval_statement.hpp"
#include "orchestrator/promote/evidence/dsse.hpp"
#include "orchestrator/promote/evidence/sshsig.hpp"
#include "orchestrator/provision/plan/plan_view.hpp"
#include "orchestrator/serve/cli/commands/change_commands.hpp"
#include "orchestrator/serve/cli/key_file.hpp"
#include "orchestrator/serve/cli/views/change_view.hpp"

#include <fmt/format.h>

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
};

// Believes nothing that the server says beside the bytes to sign: what is shown is read out of
// them, and the plan is the one whose digest they name.
Result<Prepared> check_prepared(const Json& answer, const DecideCommand& command) {
  auto payload = require_string(answer, "payload");
  if (!payload) return fail(std::move(payload.error()));
  auto statement = parse_statement(*payload);
  if (!statement) return fail(std::move(statement.error()));
  auto approval = approval_from_statement(*statement);
  if (!approval) return fail(std::move(approval.error()));
  auto plan = plan_from_json(member(answer, "plan"));
  if (!plan) return fail(std::move(plan.error()).in("checking the plan that is to be signed"));
  if (approval->change.str() != command.change || approval->decision != command.decision ||
      approval->plan_digest != plan->digest || approval->reason != command.reason) {
    return fail(Error(ErrorKind::Refused, "the server asks to sign something else than was shown")
                    .with_hint("Do not sign; tell your administrators."));
  }
  return Prepared{*std::move(payload), *std::move(approval), *std::move(plan)};
}

std::string to_be_signed(const Prepared& prepared, const ProviderSchemas& schemas) {
  const auto& statement = prepared.statement;
  std::string out = render_plan(prepared.plan, schemas);
  out +=
      fmt::format("\nYou sign: {} of {}\n", to_string(statement.decision), statement.change.str());
  out += fmt::format("  environment  {} ({})\n", statement.environment,
                     to_string(statement.environment_class));
  out += fmt::format("  as           {}, until {}\n", statement.approver, statement.expires_at);
  out += fmt::format("  plan         {}\n", statement.plan_digest);
  out += fmt::format("  policy       {}\n", statement.policy_digest);
  for (const auto& [slot, reference] : statement.artifacts) {
    out += fmt::format("  artifact     {}={}\n", slot, reference);
  }
  for (const auto& author : statement.authors) out += fmt::format("  author       {}\n", author);
  out += fmt::format("  requester    {}\n", statement.requester);
  return out;
}

}  // namespace

int decide(const Context& context, const DecideCommand& command) {
  auto client = context.client();
  auto answer =
      client.post(path_of(command.change, "/statement"),
                  {{"decision", to_string(command.decision)}, {"reason", command.reason}});
  if (!answer) return context.fail_with(answer.error());
  auto prepared = check_prepared(*answer, command);
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
