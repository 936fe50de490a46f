#include "orchestrator/serve/engine/collect_evidence.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/artifact/oci_registry.hpp"
#include "orchestrator/promote/artifact/registry_evidence.hpp"
#include "orchestrator/promote/evidence/dsse.hpp"
#include "orchestrator/promote/evidence/predicates.hpp"
#include "orchestrator/promote/evidence/signed_evidence.hpp"
#include "orchestrator/promote/evidence/simple_signing.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/records.hpp"

#include <fmt/format.h>

#include <set>

namespace bailey {

namespace {

constexpr std::chrono::minutes kFresh{1};
constexpr std::chrono::seconds kPatience{10};
constexpr std::size_t kMaximumProblems = 20;
constexpr std::size_t kMaximumEvidence = 1024U * 1024;
constexpr const char* kCosignSignature = "dev.cosignproject.cosign/signature";

// As evidence is kept, or why it is none.
Result<Json> normal_form(const FoundEvidence& found) {
  if (found.bytes.size() > kMaximumEvidence) {
    return fail(ErrorKind::Refused, "it is larger than 1 MiB");
  }
  if (found.media_type == kSimpleSigning) {
    const auto annotation = found.annotations.find(kCosignSignature);
    auto signature =
        annotation == found.annotations.end() ? std::nullopt : from_any_base64(annotation->second);
    if (!signature) return fail(ErrorKind::Protocol, "it carries no signature");
    return normal_evidence(to_json(SimpleSigning{found.bytes, *std::move(signature)}));
  }
  auto value = parse_json(found.bytes, {.max_bytes = kMaximumEvidence});
  if (!value) return fail(std::move(value.error()));
  return normal_evidence(*value);
}

struct Good {
  Json evidence;
  std::string where;
  std::set<std::string> said;  ///< What by whom.
};

std::set<std::string> said_by(const SignedEvidence& opened) {
  const auto what = digest_of(to_json(opened.statement));
  std::set<std::string> said;
  for (const auto& who : opened.fingerprints) said.insert(what + " " + who);
  return said;
}

Result<Good> checked(const FoundEvidence& found, const std::vector<EnrolledKey>& keys,
                     const std::string& digest) {
  auto normal = normal_form(found);
  if (!normal) return fail(std::move(normal.error()));
  const auto opened = open_evidence(*normal, keys);
  if (!opened) return fail(opened.error());
  if (!is_about(opened->statement, digest)) {
    return fail(ErrorKind::Refused, "it is about another artifact");
  }
  if (auto stands = check_predicate(opened->statement); !stands) {
    return fail(std::move(stands.error()));
  }
  return Good{*std::move(normal), found.where, said_by(*opened)};
}

// What is known of an artifact, by the keys of today.
Result<std::set<std::string>> said_before(Transaction& transaction, const std::string& digest,
                                          const std::vector<EnrolledKey>& keys) {
  auto records =
      transaction.list(Collection::Evidence, {.prefix = digest + "/", .after = {}, .limit = 0});
  if (!records) return fail(std::move(records.error()));
  std::set<std::string> said;
  for (const auto& record : *records) {
    if (const auto opened = open_evidence(record.body, keys)) said.merge(said_by(*opened));
  }
  return said;
}

// Approvals bind the evidence that their approver saw. Whoever may write to the registry can put
// the same words of the same signer there in many envelopes; that is nothing new, and ends none of
// them.
Status store_found(Engine& engine, const std::string& digest, const std::vector<Good>& good,
                   const std::vector<EnrolledKey>& keys) {
  return in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) -> Status {
    auto known = said_before(transaction, digest, keys);
    if (!known) return fail(std::move(known.error()));
    auto entry = own_entry(engine, "evidence.find", "artifact:" + digest);
    for (const auto& [evidence, where, said] : good) {
      const auto before = known->size();
      known->insert(said.begin(), said.end());
      if (known->size() == before) continue;
      auto fresh = store_evidence(transaction, digest, evidence, where);
      if (!fresh) return fail(std::move(fresh.error()));
      if (!*fresh) continue;
      entry.digests["evidence-" + std::to_string(entry.digests.size() + 1)] = digest_of(evidence);
    }
    if (entry.digests.empty()) return {};
    entry.detail = fmt::format("{} pieces of evidence in the registry", entry.digests.size());
    entry.digests["artifact"] = digest;
    auto index = append(transaction, entry);
    if (!index) return fail(std::move(index.error()));
    return {};
  });
}

Result<RegistryAccess> access_to(Engine& engine, const Bundle& bundle, const std::string& project,
                                 const std::string& slot, const std::string& registry) {
  const auto found = bundle.projects.find(project);
  if (found == bundle.projects.end()) {
    return fail(ErrorKind::NotFound, "there is no project " + project);
  }
  const auto account = found->second.accounts.find(slot);
  return engine.registry_access(
      bundle, account == found->second.accounts.end() ? "" : account->second, registry);
}

Result<EvidenceSearch> ask(Engine& engine, const Bundle& bundle, const std::string& project,
                           const std::string& slot, const std::string& digest,
                           std::stop_token stop) {
  const auto found = bundle.projects.find(project);
  if (found == bundle.projects.end() || !found->second.repositories.contains(slot)) {
    return fail(ErrorKind::NotFound, "there is no artifact " + slot + " of " + project);
  }
  auto reference = parse_artifact_reference(found->second.repositories.at(slot) + "@" + digest);
  if (!reference) return fail(std::move(reference.error()));
  auto access = access_to(engine, bundle, project, slot, reference->registry);
  if (!access) return fail(std::move(access.error()));
  // Everything that waits for a gate waits here meanwhile.
  access->timeout = kPatience;
  RegistrySession session(engine.http(), reference->registry, *std::move(access));
  return find_evidence(OciRepository(session, reference->repository), digest, stop);
}

}  // namespace

void EvidenceBoard::put(const std::string& digest, std::vector<std::string> problems,
                        MonotonicTime now) {
  const std::lock_guard lock(mutex_);
  std::erase_if(answers_, [&](const auto& item) { return now - item.second.at > kFresh; });
  answers_[digest] = {std::move(problems), now};
}

std::optional<std::vector<std::string>> EvidenceBoard::get(const std::string& digest,
                                                           MonotonicTime now) const {
  const std::lock_guard lock(mutex_);
  const auto found = answers_.find(digest);
  if (found == answers_.end() || now - found->second.at > kFresh) return std::nullopt;
  return found->second.problems;
}

Status collect_evidence(Engine& engine, const Bundle& bundle, const std::string& project,
                        const std::string& slot, const std::string& digest, bool now,
                        std::stop_token stop) {
  auto& board = engine.evidence_board();
  if (!now && board.get(digest, engine.clock().monotonic_now())) return {};
  auto search = ask(engine, bundle, project, slot, digest, stop);
  if (!search) {
    board.put(digest, {search.error().message()}, engine.clock().monotonic_now());
    return {};
  }
  auto problems = std::move(search->problems);
  const auto keys = enrolled_keys(bundle.directory);
  std::vector<Good> good;
  for (const auto& found : search->found) {
    auto evidence = checked(found, keys, digest);
    if (evidence) {
      good.push_back(*std::move(evidence));
    } else {
      problems.push_back(found.where + ": " + evidence.error().message());
    }
  }
  if (problems.size() > kMaximumProblems) problems.resize(kMaximumProblems);
  board.put(digest, std::move(problems), engine.clock().monotonic_now());
  if (good.empty()) return {};
  return store_found(engine, digest, good, keys);
}

Status look_up_artifact(Engine& engine, const Bundle& bundle, const std::string& project,
                        const std::string& slot, const ArtifactReference& reference, bool now,
                        std::stop_token stop) {
  auto access = access_to(engine, bundle, project, slot, reference.registry);
  if (!access) return fail(std::move(access.error()));
  auto manifest = OciRegistry(engine.http(), *std::move(access)).fetch(reference, stop);
  if (!manifest) return fail(std::move(manifest.error()).in("fetching " + reference.str()));
  return collect_evidence(engine, bundle, project, slot, reference.digest, now, stop);
}

void collect_evidence_of(Engine& engine, const ChangeId& id, std::stop_token stop) {
  struct Read {
    Change change;
    BundlePointer bundle;
  };
  const auto read =
      in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) -> Result<Read> {
        auto change = load_change(transaction, id);
        if (!change) return fail(std::move(change.error()));
        auto bundle = engine.bundle(transaction);
        if (!bundle) return fail(std::move(bundle.error()));
        return Read{*std::move(change), *std::move(bundle)};
      });
  if (!read) return;
  const auto* environment = read->bundle->environment(read->change.environment);
  if (environment == nullptr) return;
  for (const auto& [slot, reference] : read->change.plan.artifacts) {
    const auto digest = digest_in(reference);
    if (digest.empty()) continue;
    const auto done =
        collect_evidence(engine, *read->bundle, environment->project, slot, digest, false, stop);
    if (!done) {
      engine.evidence_board().put(digest, {done.error().message()}, engine.clock().monotonic_now());
    }
  }
}

Result<bool> store_evidence(Transaction& transaction, const std::string& artifact,
                            const Json& evidence, const std::string& from) {
  const auto key = artifact + "/" + digest_of(evidence);
  auto known = transaction.get(Collection::Evidence, key);
  if (!known) return fail(std::move(known.error()));
  if (*known) return false;
  auto written = transaction.put(Collection::Evidence, key, evidence);
  if (!written) return fail(std::move(written.error()));
  auto origin = transaction.put(Collection::Setting, "evidence-origin/" + key, {{"from", from}});
  if (!origin) return fail(std::move(origin.error()));
  return true;
}

Result<std::string> evidence_origin(Transaction& transaction, const std::string& artifact,
                                    const std::string& evidence_digest) {
  auto setting = find_setting(transaction, "evidence-origin/" + artifact + "/" + evidence_digest);
  if (!setting) return fail(std::move(setting.error()));
  return string_member(*setting, "from");
}

}  // namespace bailey
