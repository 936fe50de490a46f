#include "orchestrator/serve/engine/copy_artifacts.hpp"

#include "orchestrator/base/text.hpp"
#include "orchestrator/promote/artifact/artifact_reference.hpp"
#include "orchestrator/promote/artifact/copy_artifact.hpp"
#include "orchestrator/serve/engine/records.hpp"

#include <fmt/format.h>

namespace bailey {

namespace {

/// One artifact on its way: where it is built, and where the stage keeps it.
struct Way {
  std::string slot;
  ArtifactReference from;
  std::string from_account;
  ArtifactReference to;
  std::string to_account;
};

bool copies(const Change& change) {
  return change.plan.kind == PlanKind::Apply && change.kind != ChangeKind::Drift &&
         !change.plan.partial();
}

Result<std::vector<Way>> ways_of(const Change& change, const Bench& bench,
                                 const std::map<std::string, std::string>& standing) {
  std::vector<Way> ways;
  const auto& environment = *bench.environment;
  const auto project = bench.bundle->projects.find(environment.project);
  if (project == bench.bundle->projects.end()) return ways;
  const auto& [name, source] = *project;
  for (const auto& [slot, reference] : change.plan.artifacts) {
    const auto own = environment.repositories.find(slot);
    if (own == environment.repositories.end() || reference.empty()) continue;
    const auto stands = standing.find(slot);
    const bool known = stands != standing.end() && stands->second == reference;
    if (known && change.kind == ChangeKind::Apply) continue;
    auto to = parse_artifact_reference(reference);
    if (!to) return fail(std::move(to.error()));
    if (to->name() != own->second.repository) {
      return fail(Error(ErrorKind::Conflict,
                        fmt::format("the plan brings {} from {}, and {} keeps it in {}", slot,
                                    to->name(), environment.name, own->second.repository))
                      .with_code("plan.stale"));
    }
    const auto built = source.repositories.find(slot);
    if (built == source.repositories.end()) {
      return fail(ErrorKind::FailedPrecondition,
                  fmt::format("the project {} has no artifact {}", name, slot));
    }
    auto from = parse_artifact_reference(built->second + "@" + to->digest);
    if (!from) return fail(std::move(from.error()));
    const auto account = source.accounts.find(slot);
    ways.push_back({slot, *std::move(from), account == source.accounts.end() ? "" : account->second,
                    *std::move(to), own->second.account});
  }
  return ways;
}

std::string told(const CopyReport& report) {
  auto text = fmt::format(
      "{} manifests written; of the blobs {} copied, {} mounted, {} there already; {} bytes read "
      "back; {} referrers went along",
      report.manifests, report.copied, report.mounted, report.present, report.verified_bytes,
      report.referrers);
  if (!report.left_out.empty()) text += "; left out: " + join(report.left_out, "; ");
  return text;
}

Result<CopyReport> copy(Engine& engine, const Bundle& bundle, const Way& way,
                        std::stop_token stop) {
  auto reading = engine.registry_access(bundle, way.from_account, way.from.registry);
  if (!reading) return fail(std::move(reading.error()));
  auto writing = engine.registry_access(bundle, way.to_account, way.to.registry);
  if (!writing) return fail(std::move(writing.error()));
  RegistrySession source(engine.http(), way.from.registry, *std::move(reading));
  RegistrySession target(engine.http(), way.to.registry, *std::move(writing));
  const OciRepository from(source, way.from.repository);
  const OciRepository to(target, way.to.repository);
  auto report = copy_artifact(from, to, way.to.digest, stop);
  if (report) copy_referrers(from, to, way.to.digest, *report, stop);
  return report;
}

Status log_copy(Engine& engine, const Claim& claim, const Way& way, const CopyReport& report) {
  constexpr std::size_t kMaxDetail = 2000;
  return in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) -> Status {
    if (auto held = check_fence(transaction, claim.fence); !held) return held;
    auto entry =
        own_entry(engine, "artifact.copy", "environment:" + claim.change.environment,
                  utf8_substr(fmt::format("{} to {}: {}", way.slot, way.to.name(), told(report)), 0,
                              kMaxDetail));
    entry.digests["artifact"] = way.to.digest;
    auto index = append(transaction, entry);
    if (!index) return fail(std::move(index.error()));
    return {};
  });
}

}  // namespace

std::map<std::string, std::string> in_own_repositories(
    const Environment& environment, std::map<std::string, std::string> artifacts) {
  for (auto& [slot, reference] : artifacts) {
    const auto own = environment.repositories.find(slot);
    const auto digest = digest_in(reference);
    if (own == environment.repositories.end() || digest.empty()) continue;
    reference = own->second.repository + "@" + digest;
  }
  return artifacts;
}

Status copy_artifacts(Engine& engine, const Claim& claim, const Bench& bench,
                      std::stop_token stop) {
  const auto& change = claim.change;
  if (!copies(change) || bench.environment->repositories.empty()) return {};
  auto state = in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
    return find_environment_state(transaction, change.environment);
  });
  if (!state) return fail(std::move(state.error()));
  const auto ways =
      ways_of(change, bench, *state ? (*state)->artifacts : std::map<std::string, std::string>());
  if (!ways) return fail(ways.error());
  for (const auto& way : *ways) {
    const auto report = copy(engine, *bench.bundle, way, stop);
    if (!report) {
      return fail(Error(report.error()).in("bringing the artifact into " + change.environment));
    }
    if (auto written = log_copy(engine, claim, way, *report); !written) return written;
  }
  return {};
}

}  // namespace bailey
