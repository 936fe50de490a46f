#include "orchestrator/serve/engine/submit_artifact.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/artifact/oci_registry.hpp"
#include "orchestrator/promote/evidence/predicates.hpp"
#include "orchestrator/promote/evidence/signed_evidence.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

constexpr std::size_t kMaxEnvelopeBytes = 1024U * 1024;

Status may_submit(const Bundle& bundle, const Request& request, const std::string& project) {
  const auto found = bundle.projects.find(project);
  if (found == bundle.projects.end()) {
    return fail(ErrorKind::NotFound, fmt::format("there is no project \"{}\"", project));
  }
  for (const auto& stage : found->second.stages) {
    const auto* environment = bundle.environment(stage);
    if (environment != nullptr && require(bundle, *environment, request.caller, Power::Request)) {
      return {};
    }
  }
  return fail(Error(ErrorKind::PermissionDenied,
                    fmt::format("{} does not hold the power \"request\" in any stage of {}",
                                to_string(request.caller.subject), project))
                  .with_code("identity.power-missing"));
}

struct CheckedEvidence {
  std::string digest;
  std::string type;
  std::string signer;
  Json envelope;
};

Result<CheckedEvidence> check_evidence(const Bundle& bundle, const Json& evidence,
                                       const std::string& artifact_digest) {
  if (canonical(evidence).size() > kMaxEnvelopeBytes) {
    return fail(ErrorKind::InvalidArgument, "a piece of evidence is larger than 1 MiB");
  }
  auto normal = normal_evidence(evidence);
  if (!normal) return fail(std::move(normal.error()).in("reading evidence"));
  auto opened = open_evidence(*normal, enrolled_keys(bundle.directory));
  if (!opened) return fail(std::move(opened.error()).in("verifying evidence"));
  const auto& statement = opened->statement;
  if (!is_about(statement, artifact_digest)) {
    return fail(Error(ErrorKind::Refused, fmt::format("a statement of type {} is not about {}",
                                                      statement.predicate_type, artifact_digest))
                    .with_code("evidence.other-subject"));
  }
  if (auto stands = check_predicate(statement); !stands) return fail(std::move(stands.error()));
  auto digest = digest_of(*normal);
  return CheckedEvidence{std::move(digest), statement.predicate_type,
                         to_string(opened->signers.front().owner), *std::move(normal)};
}

Result<Json> store(Engine& engine, const Request& request, const ArtifactSubmission& submission,
                   const ArtifactReference& reference,
                   const std::vector<CheckedEvidence>& evidence) {
  return in_transaction(
      engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Json> {
        const auto key =
            fmt::format("{}/{}@{}", submission.project, submission.name, reference.digest);
        auto known = transaction.get(Collection::Artifact, key);
        if (!known) return fail(std::move(known.error()));
        if (!*known) {
          auto written = transaction.put(Collection::Artifact, key,
                                         {{"project", submission.project},
                                          {"name", submission.name},
                                          {"reference", reference.str()},
                                          {"submitted_by", to_string(request.caller.subject)},
                                          {"submitted_at", engine.now()}});
          if (!written) return fail(std::move(written.error()));
        }
        Json listed = Json::array();
        auto entry = entry_for(engine, request, "artifact.submit",
                               "artifact:" + submission.project + "/" + submission.name,
                               fmt::format("{} pieces of evidence", evidence.size()));
        entry.digests["artifact"] = reference.digest;
        for (const auto& item : evidence) {
          auto written = transaction.put(Collection::Evidence, reference.digest + "/" + item.digest,
                                         item.envelope);
          if (!written) return fail(std::move(written.error()));
          listed.push_back({{"type", item.type}, {"signer", item.signer}, {"digest", item.digest}});
          entry.digests["evidence-" + std::to_string(listed.size())] = item.digest;
        }
        auto index = append(transaction, entry);
        if (!index) return fail(std::move(index.error()));
        return Json{{"project", submission.project},
                    {"name", submission.name},
                    {"reference", reference.str()},
                    {"evidence", std::move(listed)}};
      });
}

}  // namespace

Result<Json> submit_artifact(Engine& engine, const Request& request,
                             const ArtifactSubmission& submission, std::stop_token stop) {
  const auto target = "artifact:" + submission.project + "/" + submission.name;
  return audited(engine, request, "artifact.submit", target, [&]() -> Result<Json> {
    auto bundle = engine.bundle();
    if (!bundle) return fail(std::move(bundle.error()));
    if (auto may = may_submit(**bundle, request, submission.project); !may) {
      return fail(std::move(may.error()));
    }
    auto reference = parse_artifact_reference(submission.reference);
    if (!reference) return fail(std::move(reference.error()));
    const auto& repositories = (*bundle)->projects.at(submission.project).repositories;
    const auto repository = repositories.find(submission.name);
    if (repository == repositories.end() || repository->second != reference->name()) {
      return fail(Error(ErrorKind::Refused,
                        fmt::format("project {} has no artifact \"{}\" in {}", submission.project,
                                    submission.name, reference->name()))
                      .with_code("artifact.foreign-repository"));
    }
    auto manifest = OciRegistry(engine.http()).fetch(*reference, stop);
    if (!manifest) return fail(std::move(manifest.error()).in("fetching " + reference->str()));
    std::vector<CheckedEvidence> checked;
    for (const auto& envelope : submission.evidence) {
      auto item = check_evidence(**bundle, envelope, reference->digest);
      if (!item) return fail(std::move(item.error()));
      checked.push_back(*std::move(item));
    }
    return store(engine, request, submission, *reference, checked);
  });
}

Result<Json> show_artifact(Engine& engine, const Request& request, const std::string& digest) {
  return audited_read(engine, request, "artifact.read", "artifact:" + digest, [&] {
    return in_transaction(
        engine.store(), Access::Read, [&](Transaction& transaction) -> Result<Json> {
          auto bundle = engine.bundle(transaction);
          if (!bundle) return fail(std::move(bundle.error()));
          if (auto may = require_somewhere(**bundle, request.caller, Power::Read); !may) {
            return fail(std::move(may.error()));
          }
          auto artifacts = transaction.list(Collection::Artifact, {});
          if (!artifacts) return fail(std::move(artifacts.error()));
          for (const auto& record : *artifacts) {
            const auto reference = string_member(record.body, "reference");
            if (digest_in(reference) != digest) continue;
            Json answer = record.body;
            auto known = evidence_for(transaction, **bundle, {{"", reference}});
            if (!known) return fail(std::move(known.error()));
            answer["evidence"] = Json::array();
            for (const auto& item : known->items) {
              answer["evidence"].push_back({{"type", item.predicate_type},
                                            {"signer", to_string(item.signer)},
                                            {"digest", item.envelope_digest}});
            }
            answer["verified"] = Json::array();
            for (const auto& [name, environment] : (*bundle)->environments) {
              auto item = find_verified(transaction, name, digest);
              if (!item) return fail(std::move(item.error()));
              if (*item)
                answer["verified"].push_back({{"environment", name}, {"since", (*item)->since}});
            }
            return answer;
          }
          return fail(ErrorKind::NotFound, "no artifact " + digest + " was submitted");
        });
  });
}

}  // namespace bailey
