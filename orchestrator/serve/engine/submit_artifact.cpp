#include "orchestrator/serve/engine/submit_artifact.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/artifact/artifact_reference.hpp"
#include "orchestrator/promote/evidence/authorship.hpp"
#include "orchestrator/promote/evidence/predicates.hpp"
#include "orchestrator/promote/evidence/signed_evidence.hpp"
#include "orchestrator/serve/engine/collect_evidence.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

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
          auto written = store_evidence(transaction, reference.digest, item.envelope,
                                        "submitted by " + to_string(request.caller.subject));
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

// One piece as it stands today: what it says, by whom, and whether it counts.
Json shown(const Json& evidence, const std::vector<EnrolledKey>& keys, const std::string& artifact,
           const std::string& from) {
  Json out{{"type", ""},   {"signer", ""},      {"digest", digest_of(evidence)},
           {"from", from}, {"verified", false}, {"why", ""}};
  const auto opened = open_evidence(evidence, keys);
  if (!opened) {
    out["why"] = opened.error().message();
    return out;
  }
  out["type"] = opened->statement.predicate_type;
  out["signer"] = to_string(opened->signers.front().owner);
  if (!is_about(opened->statement, artifact)) {
    out["why"] = "it is about another artifact";
  } else if (const auto stands = check_predicate(opened->statement); !stands) {
    out["why"] = stands.error().message();
  } else {
    out["verified"] = true;
  }
  return out;
}

Result<Json> all_evidence(Transaction& transaction, const Bundle& bundle,
                          const std::string& artifact) {
  auto records =
      transaction.list(Collection::Evidence, {.prefix = artifact + "/", .after = {}, .limit = 0});
  if (!records) return fail(std::move(records.error()));
  const auto keys = enrolled_keys(bundle.directory);
  Json list = Json::array();
  for (const auto& record : *records) {
    auto from = evidence_origin(transaction, artifact, digest_of(record.body));
    if (!from) return fail(std::move(from.error()));
    list.push_back(shown(record.body, keys, artifact, *from));
  }
  return list;
}

// The commit that an artifact was built from; empty where statements about it differ, or none is
// there: then nothing can be left out as known.
Result<std::string> commit_of(Transaction& transaction, const Bundle& bundle,
                              const std::string& artifact) {
  auto records =
      transaction.list(Collection::Evidence, {.prefix = artifact + "/", .after = {}, .limit = 0});
  if (!records) return fail(std::move(records.error()));
  const auto keys = enrolled_keys(bundle.directory);
  std::set<std::string> commits;
  for (const auto& record : *records) {
    const auto opened = open_evidence(record.body, keys);
    if (!opened || !is_about(opened->statement, artifact)) continue;
    if (const auto read = authorship_from_statement(opened->statement)) commits.insert(read->to);
  }
  return commits.size() == 1 ? *commits.begin() : std::string();
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
    std::vector<CheckedEvidence> checked;
    for (const auto& envelope : submission.evidence) {
      auto item = check_evidence(**bundle, envelope, reference->digest);
      if (!item) return fail(std::move(item.error()));
      checked.push_back(*std::move(item));
    }
    auto looked = look_up_artifact(engine, **bundle, submission.project, submission.name,
                                   *reference, true, stop);
    if (!looked) return fail(std::move(looked.error()));
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
            auto evidence = all_evidence(transaction, **bundle, digest);
            if (!evidence) return fail(std::move(evidence.error()));
            answer["evidence"] = *std::move(evidence);
            const auto unread = engine.evidence_board().get(digest, engine.clock().monotonic_now());
            answer["unread"] = unread.value_or(std::vector<std::string>());
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

Result<Json> released_artifact(Engine& engine, const Request& request, const std::string& project,
                               const std::string& name) {
  const auto target = "artifact:" + project + "/" + name;
  return audited_read(engine, request, "artifact.read", target, [&] {
    return in_transaction(
        engine.store(), Access::Read, [&](Transaction& transaction) -> Result<Json> {
          auto bundle = engine.bundle(transaction);
          if (!bundle) return fail(std::move(bundle.error()));
          if (auto may = require_somewhere(**bundle, request.caller, Power::Read); !may) {
            return fail(std::move(may.error()));
          }
          const auto found = (*bundle)->projects.find(project);
          if (found == (*bundle)->projects.end()) {
            return fail(ErrorKind::NotFound, fmt::format("there is no project \"{}\"", project));
          }
          const auto stage =
              found->second.stages.empty() ? std::string() : found->second.stages.back();
          Json answer{{"environment", stage}, {"reference", ""}, {"commit", ""}};
          auto state = find_environment_state(transaction, stage);
          if (!state) return fail(std::move(state.error()));
          if (!*state || !(*state)->artifacts.contains(name)) return answer;
          const auto& reference = (*state)->artifacts.at(name);
          answer["reference"] = reference;
          auto commit = commit_of(transaction, **bundle, digest_in(reference));
          if (!commit) return fail(std::move(commit.error()));
          answer["commit"] = *std::move(commit);
          return answer;
        });
  });
}

}  // namespace bailey
