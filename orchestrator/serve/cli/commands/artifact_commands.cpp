#include "orchestrator/serve/cli/commands/artifact_commands.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/net/curl_http_client.hpp"
#include "orchestrator/promote/artifact/artifact_reference.hpp"
#include "orchestrator/promote/artifact/oci_registry.hpp"
#include "orchestrator/promote/evidence/authorship.hpp"
#include "orchestrator/promote/evidence/dsse.hpp"
#include "orchestrator/promote/evidence/receipt.hpp"
#include "orchestrator/serve/cli/key_file.hpp"

#include <fmt/format.h>

namespace bailey {

namespace {

Result<DsseEnvelope> signed_authorship(const SubmitCommand& command, const std::string& name,
                                       const ArtifactReference& reference) {
  auto authorship = collect_authorship(command.git, command.from, command.to);
  if (!authorship) return fail(std::move(authorship.error()).in("reading who wrote it from git"));
  auto key = find_key(command.key);
  if (!key) return fail(std::move(key.error()));
  const auto statement = to_statement(*authorship, {{name, reference.digest}});
  return sign_envelope(kInTotoPayload, payload_of(statement), *key);
}

}  // namespace

int submit_artifact(const Context& context, const SubmitCommand& command) {
  const auto equals = command.artifact.find('=');
  if (equals == std::string::npos || equals == 0) {
    context.note("error: --artifact is NAME=HOST/REPOSITORY@sha256:...");
    return kUsage;
  }
  const auto name = command.artifact.substr(0, equals);
  auto reference = parse_artifact_reference(command.artifact.substr(equals + 1));
  if (!reference) return context.fail_with(reference.error());
  auto envelope = signed_authorship(command, name, *reference);
  if (!envelope) return context.fail_with(envelope.error());
  auto answer =
      context.client().post("/v1/artifacts", {{"project", command.project},
                                              {"name", name},
                                              {"reference", reference->str()},
                                              {"evidence", Json::array({to_json(*envelope)})}});
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  context.print(fmt::format("{} {}\n", name, string_member(*answer, "reference")));
  for (const auto& item : member(*answer, "evidence")) {
    context.print(fmt::format("  {} signed by {}\n", string_member(item, "type"),
                              string_member(item, "signer")));
  }
  return kDone;
}

namespace {

// What a tag points at now, asked of the registry itself. For people: nothing is decided by it.
int resolve_tag(const Context& context, const std::string& text) {
  auto tag = parse_tag_reference(text);
  if (!tag) return context.fail_with(tag.error());
  CurlHttpClient http;
  auto digest = OciRegistry(http).resolve_tag(*tag);
  if (!digest) return context.fail_with(digest.error());
  const ArtifactReference reference{tag->registry, tag->repository, *digest};
  context.print_json({{"tag", text}, {"reference", reference.str()}});
  context.print(fmt::format("{} is now\n    {}\n", text, reference.str()));
  return kDone;
}

}  // namespace

int show_artifact(const Context& context, const std::string& named) {
  auto digest = named;
  if (!is_digest(named)) {
    auto reference = parse_artifact_reference(named);
    if (!reference) return resolve_tag(context, named);
    digest = reference->digest;
  }
  auto answer = context.client().get("/v1/artifacts/" + percent_encode(digest));
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  context.print(
      fmt::format("{}/{} {}\n  submitted by {} at {}\n", string_member(*answer, "project"),
                  string_member(*answer, "name"), string_member(*answer, "reference"),
                  string_member(*answer, "submitted_by"), string_member(*answer, "submitted_at")));
  for (const auto& item : member(*answer, "evidence")) {
    context.print(fmt::format("  evidence {} signed by {}\n", string_member(item, "type"),
                              string_member(item, "signer")));
  }
  for (const auto& item : member(*answer, "verified")) {
    context.print(fmt::format("  verified in {} since {}\n", string_member(item, "environment"),
                              string_member(item, "since")));
  }
  return kDone;
}

int show_receipt(const Context& context, const std::string& id, const std::filesystem::path& out) {
  auto client = context.client();
  auto digest = id;
  if (id.substr(0, 7) != "sha256:") {
    auto change = client.get("/v1/changes/" + percent_encode(id));
    if (!change) return context.fail_with(change.error());
    digest = string_member(*change, "receipt");
    if (digest.empty()) {
      return context.fail_with(
          Error(ErrorKind::NotFound,
                fmt::format("{} has no receipt: it is {}", id, string_member(*change, "state"))));
    }
  }
  auto receipt = client.get("/v1/receipts/" + percent_encode(digest));
  if (!receipt) return context.fail_with(receipt.error());
  if (out.empty()) {
    const auto text = pretty(*receipt);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return kDone;
  }
  if (auto written = write_file(out, pretty(*receipt)); !written) {
    return context.fail_with(written.error());
  }
  context.print_json({{"receipt", digest}, {"file", out.string()}});
  context.print(fmt::format("{} in {}\n", digest, out.string()));
  return kDone;
}

int verify_receipt(const Context& context, const std::filesystem::path& file,
                   const std::string& key) {
  auto text = read_file(file);
  if (!text) return context.fail_with(text.error());
  auto receipt = parse_json(*text);
  if (!receipt) return context.fail_with(receipt.error());
  auto report = verify_receipt(*receipt, key.empty() ? std::nullopt : std::optional(key));
  if (!report) return context.fail_with(report.error());
  context.print_json(to_json(*report));
  context.print(
      fmt::format("receipt {}\n  {} in {}\n", report->digest, report->change, report->environment));
  for (const auto& check : report->checks) {
    context.print(
        fmt::format("  {:<7} {:<12} {}\n", check.ok ? "ok" : "NOT OK", check.name, check.detail));
  }
  context.print(report->ok ? "verified\n" : "NOT verified\n");
  return report->ok ? kDone : kFailed;
}

}  // namespace bailey
