#include "orchestrator/serve/cli/commands/artifact_commands.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/net/curl_http_client.hpp"
#include "orchestrator/promote/artifact/artifact_reference.hpp"
#include "orchestrator/promote/artifact/oci_registry.hpp"
#include "orchestrator/promote/artifact/referrers.hpp"
#include "orchestrator/promote/artifact/registry_evidence.hpp"
#include "orchestrator/promote/evidence/authorship.hpp"
#include "orchestrator/promote/evidence/dsse.hpp"
#include "orchestrator/promote/evidence/receipt.hpp"
#include "orchestrator/promote/evidence/sigstore_bundle.hpp"
#include "orchestrator/serve/cli/key_file.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace bailey {

namespace {

constexpr std::size_t kMaximumEvidence = 1024U * 1024;

struct Named {
  std::string name;
  ArtifactReference reference;
};

Result<Json> signed_statement(const SubmitCommand& command, const Statement& statement) {
  auto key = find_key(command.key);
  if (!key) return fail(std::move(key.error()));
  auto envelope = sign_envelope(kInTotoPayload, payload_of(statement), *key);
  if (!envelope) return fail(std::move(envelope.error()));
  return to_json(*envelope);
}

// Since what runs in the last stage: whoever wrote something that is not released yet is an author
// of this one. Since an earlier submission would leave out who wrote what never came that far.
Result<std::string> released_commit(ApiClient& client, const SubmitCommand& command,
                                    const std::string& name) {
  if (!command.from.empty()) return command.from;
  auto answer = client.get(fmt::format("/v1/projects/{}/artifacts/{}/released",
                                       percent_encode(command.project), percent_encode(name)));
  if (!answer) return fail(std::move(answer.error()).in("asking what was released before"));
  return string_member(*answer, "commit");
}

Result<Json> signed_authorship(ApiClient& client, const SubmitCommand& command,
                               const Named& artifact) {
  auto from = released_commit(client, command, artifact.name);
  if (!from) return fail(std::move(from.error()));
  auto authorship = collect_authorship(command.git, *from, command.to);
  // Built again from what is released: its authors are all of them.
  if (!authorship && command.from.empty() && authorship.error().code() == "authorship.empty") {
    authorship = collect_authorship(command.git, "", command.to);
  }
  if (!authorship) return fail(std::move(authorship.error()).in("reading who wrote it from git"));
  return signed_statement(command,
                          to_statement(*authorship, {{artifact.name, artifact.reference.digest}}));
}

Result<Json> json_in(const std::filesystem::path& file) {
  auto text = read_file(file, kMaximumEvidence);
  if (!text) return fail(std::move(text.error()));
  auto value = parse_json(*text);
  if (!value) return fail(std::move(value.error()).in("reading " + file.string()));
  return value;
}

Result<std::vector<Json>> gather(ApiClient& client, const SubmitCommand& command,
                                 const Named& artifact) {
  std::vector<Json> evidence;
  if (command.authorship) {
    auto envelope = signed_authorship(client, command, artifact);
    if (!envelope) return fail(std::move(envelope.error()));
    evidence.push_back(*std::move(envelope));
  }
  if (!command.predicate.empty()) {
    auto predicate = json_in(command.predicate);
    if (!predicate) return fail(std::move(predicate.error()));
    auto envelope = signed_statement(
        command,
        {{{artifact.name, artifact.reference.digest}}, command.type, *std::move(predicate)});
    if (!envelope) return fail(std::move(envelope.error()));
    evidence.push_back(*std::move(envelope));
  }
  for (const auto& file : command.evidence) {
    auto value = json_in(file);
    if (!value) return fail(std::move(value.error()));
    evidence.push_back(*std::move(value));
  }
  return evidence;
}

// A login of the caller's own, as `docker login` leaves it; without one, anonymously.
Result<RegistryAccess> access_to(const SubmitCommand& command, const std::string& registry) {
  auto file = command.registry_auth;
  if (file.empty()) {
    const char* folder = std::getenv("DOCKER_CONFIG");
    const char* home = std::getenv("HOME");
    file = folder != nullptr
               ? std::filesystem::path(folder) / "config.json"
               : std::filesystem::path(home == nullptr ? "" : home) / ".docker" / "config.json";
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) return RegistryAccess();
  }
  auto text = read_file(file, kMaximumEvidence);
  if (!text) return fail(std::move(text.error()));
  auto credential = parse_registry_credential(Secret(*std::move(text)), registry);
  RegistryAccess access;
  if (credential) {
    access.credential = *std::move(credential);
  } else if (!command.registry_auth.empty()) {
    return fail(std::move(credential.error()).in("reading " + file.string()));
  }
  return access;
}

Attachment attachment_of(const Json& evidence) {
  if (looks_like_sigstore_bundle(evidence)) {
    return {
        std::string(kSigstoreBundle), string_member(evidence, "mediaType"), evidence.dump(), {}};
  }
  Attachment out{std::string(kInTotoArtifact), std::string(kDsseMediaType), evidence.dump(), {}};
  const auto envelope = dsse_envelope_from_json(evidence);
  const auto statement = envelope ? parse_json(envelope->payload)
                                  : Result<Json>(fail(ErrorKind::Protocol, "no envelope"));
  if (statement)
    out.annotations["in-toto.io/predicate-type"] = string_member(*statement, "predicateType");
  return out;
}

Status push(const SubmitCommand& command, const ArtifactReference& reference,
            const std::vector<Json>& evidence) {
  auto access = access_to(command, reference.registry);
  if (!access) return fail(std::move(access.error()));
  CurlHttpClient http;
  RegistrySession session(http, reference.registry, *std::move(access));
  const OciRepository repository(session, reference.repository);
  auto subject = repository.manifest(reference.digest);
  if (!subject) return fail(std::move(subject.error()));
  if (!*subject) return fail(ErrorKind::NotFound, reference.str() + " is not there");
  for (const auto& item : evidence) {
    auto attached = attach(repository, **subject, attachment_of(item));
    if (!attached) return fail(std::move(attached.error()));
  }
  return {};
}

}  // namespace

int submit_artifact(const Context& context, const SubmitCommand& command) {
  const auto equals = command.artifact.find('=');
  if (equals == std::string::npos || equals == 0) {
    context.note("error: --artifact is NAME=HOST/REPOSITORY@sha256:...");
    return kUsage;
  }
  auto reference = parse_artifact_reference(command.artifact.substr(equals + 1));
  if (!reference) return context.fail_with(reference.error());
  const Named artifact{command.artifact.substr(0, equals), *std::move(reference)};
  auto client = context.client();
  const auto evidence = gather(client, command, artifact);
  if (!evidence) return context.fail_with(evidence.error());
  auto answer = client.post("/v1/artifacts", {{"project", command.project},
                                              {"name", artifact.name},
                                              {"reference", artifact.reference.str()},
                                              {"evidence", *evidence}});
  if (!answer) return context.fail_with(answer.error());
  context.print_json(*answer);
  context.print(fmt::format("{} {}\n", artifact.name, string_member(*answer, "reference")));
  for (const auto& item : member(*answer, "evidence")) {
    context.print(fmt::format("  {} signed by {}\n", string_member(item, "type"),
                              string_member(item, "signer")));
  }
  if (!command.push || evidence->empty()) return kDone;
  if (auto pushed = push(command, artifact.reference, *evidence); !pushed) {
    return context.fail_with(
        std::move(pushed.error())
            .in("pushing the evidence into the registry")
            .with_hint("The server has it. Name the registry's login with --registry-auth, or "
                       "leave the registry out with --no-push."));
  }
  context.note("The evidence lies beside the artifact in the registry.");
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
    const bool counts = member(item, "verified") == true;
    const auto type = string_member(item, "type");
    context.print(fmt::format(
        "  evidence {}{}\n    {} {}\n", type.empty() ? string_member(item, "digest") : type,
        type.empty() ? "" : " signed by " + string_member(item, "signer"),
        counts ? "verified;" : "does not count: " + string_member(item, "why") + ";",
        string_member(item, "from")));
  }
  for (const auto& item : strings_member(*answer, "unread")) {
    context.print("  not taken as evidence: " + item + "\n");
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
