#include "orchestrator/serve/engine/roll_back.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/artifact/oci_registry.hpp"
#include "orchestrator/promote/evidence/receipt.hpp"
#include "orchestrator/promote/evidence/receipt_reader.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/open_change.hpp"
#include "orchestrator/serve/engine/plan_environment.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <fmt/format.h>

namespace bailey {

namespace {

// By environment: the change that failed there, the release to go back to, and what was opened.
constexpr const char* kDue = "rollback/";
// By environment: the receipt of its last release.
constexpr const char* kRelease = "release/";

/// A change that was done, as its receipt has it.
struct Release {
  std::string receipt;
  std::string bundle;
  Change change;
};

tl::unexpected<Error> refused(std::string message, const char* code) {
  return fail(Error(ErrorKind::Refused, std::move(message)).with_code(code));
}

tl::unexpected<Error> no_receipt(const std::string& receipt) {
  return fail(Error(ErrorKind::NotFound, "there is no receipt " + receipt)
                  .with_hint("A rollback goes to a release that has a receipt: "
                             "`bailey change list --state done` lists them.")
                  .with_code("rollback.no-receipt"));
}

// The receipt as it was written, and named by the entry of the log that came with it.
Result<Change> change_of(Transaction& transaction, const std::string& receipt) {
  auto record = transaction.get(Collection::Receipt, receipt);
  if (!record) return fail(std::move(record.error()));
  if (!*record) return no_receipt(receipt);
  const auto& body = (*record)->body;
  const auto& content = member(body, "receipt");
  auto read = read_receipt(content);
  if (!read) return fail(std::move(read.error()).in("reading the receipt " + receipt));
  const auto& index = member(body, "index");
  if (receipt_digest_of(content) != receipt || !index.is_number_unsigned()) {
    return no_receipt(receipt);
  }
  auto entries = transaction.log_records(index.get<std::uint64_t>(), 1);
  if (!entries) return fail(std::move(entries.error()));
  const auto entry = entries->empty() ? Result<Json>(Json()) : parse_json(entries->front().body);
  if (!entry || string_member(member(*entry, "digests"), "receipt") != receipt) {
    return no_receipt(receipt);
  }
  return std::move(read->change);
}

// A release that was itself gone back to was made from the bundle of the one that it led to.
Result<Release> release_of(Transaction& transaction, const std::string& receipt) {
  auto change = change_of(transaction, receipt);
  if (!change) return fail(std::move(change.error()));
  Release release{receipt, change->bundle_digest, *std::move(change)};
  auto back = release.change.rolls_back_to;
  while (!back.empty()) {
    auto earlier = change_of(transaction, back);
    if (!earlier) return fail(std::move(earlier.error()));
    release.bundle = earlier->bundle_digest;
    back = earlier->rolls_back_to;
  }
  return release;
}

bool is_release(const Change& change) {
  return !change.plan.partial() &&
         (change.kind == ChangeKind::Apply || change.kind == ChangeKind::Promotion ||
          change.kind == ChangeKind::Rollback);
}

Status check_release(const Release& release, const std::string& environment,
                     const EnvironmentState& state) {
  const auto& change = release.change;
  if (change.environment != environment) {
    return refused(fmt::format("the receipt is of {}, not of {}", change.environment, environment),
                   "rollback.other-environment");
  }
  if (change.environment_uid != state.uid || state.status == EnvironmentStatus::Destroyed) {
    return refused(
        fmt::format("the receipt is of an earlier {}, which was destroyed since", environment),
        "rollback.recreated");
  }
  if (!is_release(change)) {
    return refused(
        fmt::format("{} was a change of kind \"{}\"{}, which leaves no release to go back to",
                    change.id.str(), to_string(change.kind),
                    change.plan.partial() ? " to a part of it" : ""),
        "rollback.no-release");
  }
  return {};
}

// A stage's own repository is read by the stage's account, the project's by the project's.
Result<RegistryAccess> access_to(Engine& engine, const Bench& bench, const std::string& slot,
                                 const ArtifactReference& reference) {
  std::string account;
  const auto& own = bench.environment->repositories;
  const auto project = bench.bundle->projects.find(bench.environment->project);
  if (const auto found = own.find(slot);
      found != own.end() && found->second.repository == reference.name()) {
    account = found->second.account;
  } else if (project != bench.bundle->projects.end() && project->second.accounts.contains(slot)) {
    account = project->second.accounts.at(slot);
  }
  return engine.registry_access(*bench.bundle, account, reference.registry);
}

Status check_bytes(Engine& engine, const Bench& bench, const Plan& plan, std::stop_token stop) {
  for (const auto& [slot, text] : plan.artifacts) {
    auto reference = parse_artifact_reference(text);
    if (!reference) return fail(std::move(reference.error()));
    auto access = access_to(engine, bench, slot, *reference);
    if (!access) return fail(std::move(access.error()));
    auto manifest = OciRegistry(engine.http(), *std::move(access)).fetch(*reference, stop);
    if (!manifest) return fail(std::move(manifest.error()).in("fetching " + reference->str()));
  }
  return {};
}

/// What a rollback is planned from.
struct Way {
  Release release;
  Bench bench;
  BundlePointer then;  ///< The bundle that the release was made from.
};

Result<Way> find_way(Engine& engine, Transaction& transaction, const std::string& environment,
                     const std::string& receipt, const Subject& requester) {
  auto release = release_of(transaction, receipt);
  if (!release) return fail(std::move(release.error()));
  auto state = find_environment_state(transaction, environment);
  if (!state) return fail(std::move(state.error()));
  auto fits = check_release(*release, environment, state->value_or(EnvironmentState{}));
  if (!fits) return fail(std::move(fits.error()));
  Change asked;
  asked.kind = ChangeKind::Rollback;
  asked.environment = environment;
  asked.requester = requester;
  auto bench = bench_for(engine, transaction, asked);
  if (!bench) return fail(std::move(bench.error()));
  auto then = engine.bundle(transaction, release->bundle);
  if (!then) return fail(std::move(then.error()));
  const auto* declared = (*then)->environment(environment);
  if (declared == nullptr || declared->account != bench->environment->account ||
      declared->environment_class != bench->environment->environment_class) {
    return refused("the release stood on another account or in another class",
                   "rollback.other-account");
  }
  return Way{*std::move(release), *std::move(bench), *std::move(then)};
}

Result<Plan> plan_way(Engine& engine, const Way& way, std::stop_token stop) {
  PlanTarget target{*way.bench.bundle, *way.bench.environment};
  target.artifacts = way.release.change.plan.artifacts;
  target.no_others = true;
  target.as_in = way.then.get();
  return plan_environment(engine, target, stop);
}

Result<std::optional<Change>> open_rollback(Engine& engine, const Request& request,
                                            const std::string& environment,
                                            const std::string& receipt, std::stop_token stop) {
  auto way = in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
    return find_way(engine, transaction, environment, receipt, request.caller.subject);
  });
  if (!way) return fail(std::move(way.error()));
  auto plan = plan_way(engine, *way, stop);
  if (!plan) return fail(std::move(plan.error()));
  if (auto there = check_bytes(engine, way->bench, *plan, stop); !there)
    return fail(std::move(there.error()));
  auto state = in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
    return find_environment_state(transaction, environment);
  });
  if (!state) return fail(std::move(state.error()));
  if (plan->empty() && *state && (*state)->status == EnvironmentStatus::Ready &&
      (*state)->artifacts == plan->artifacts) {
    return std::optional<Change>();
  }
  Proposal proposal{ChangeKind::Rollback, *std::move(plan), way->bench.bundle->digest, {}};
  proposal.rolls_back_to = receipt;
  auto change = open_change(engine, request, proposal);
  if (!change) return fail(std::move(change.error()));
  return std::optional<Change>(*std::move(change));
}

Status open_due(Engine& engine, const std::string& environment, Json due, std::stop_token stop) {
  const Request request{{rollback_subject(), "self"}, {}};
  auto opened = open_rollback(engine, request, environment, string_member(due, "to"), stop);
  // What cannot be opened now may be later, when the provider or the registry answers again; what
  // is refused never will.
  const bool never = !opened && opened.error().kind() != ErrorKind::Unavailable;
  if (!opened && !never) return fail(std::move(opened.error()));
  return in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) -> Status {
    due["opened"] = opened && *opened ? (*opened)->id.str() : std::string("nothing");
    auto written = transaction.put(Collection::Setting, kDue + environment, due);
    if (!written) return fail(std::move(written.error()));
    if (!never) return {};
    auto entry = own_entry(engine, "change.rollback", "environment:" + environment,
                           opened.error().message());
    entry.outcome = Outcome::Failed;
    auto index = append(transaction, entry);
    if (!index) return fail(std::move(index.error()));
    return {};
  });
}

}  // namespace

BundlePointer with_rollback_gate(const BundlePointer& bundle, const std::string& environment,
                                 const Subject& requester) {
  const auto& declared = bundle->environments.at(environment).rollback;
  const bool automatic = requester == rollback_subject();
  if (automatic ? !declared.on_failed_verification : !declared.gate) return bundle;
  auto copy = std::make_shared<Bundle>(*bundle);
  auto& changed = copy->environments.at(environment);
  changed.gate = automatic ? Gate{} : *declared.gate;
  if (automatic) changed.execute = Execution::OnApproval;
  for (auto& document : copy->documents) {
    if (document.at("kind") != "Environment" || document.at("name") != environment) continue;
    auto& spec = document["spec"];
    spec["gate"] = automatic ? Json::array() : member(member(spec, "rollback"), "gate");
    if (automatic) spec.erase("execute");
  }
  return copy;
}

Result<std::optional<Change>> request_rollback(Engine& engine, const Request& request,
                                               const std::string& environment,
                                               const std::string& receipt, std::stop_token stop) {
  const auto target = "environment:" + environment;
  return audited(engine, request, "change.rollback", target,
                 [&]() -> Result<std::optional<Change>> {
                   auto bundle = engine.bundle();
                   if (!bundle) return fail(std::move(bundle.error()));
                   auto found = find_environment(**bundle, environment);
                   if (!found) return fail(std::move(found.error()));
                   auto may = require(**bundle, **found, request.caller, Power::Request);
                   if (!may) return fail(std::move(may.error()));
                   return open_rollback(engine, request, environment, receipt, stop);
                 });
}

Result<std::optional<Plan>> plan_rollback(Engine& engine, const Change& change,
                                          std::stop_token stop) {
  auto way = in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
    return find_way(engine, transaction, change.environment, change.rolls_back_to,
                    change.requester);
  });
  if (!way) {
    if (way.error().kind() != ErrorKind::Refused) return fail(std::move(way.error()));
    return std::optional<Plan>();
  }
  auto plan = plan_way(engine, *way, stop);
  if (!plan) return fail(std::move(plan.error()));
  return std::optional<Plan>(*std::move(plan));
}

Result<std::string> bundle_of_release(Transaction& transaction, const std::string& receipt) {
  auto release = release_of(transaction, receipt);
  if (!release) return fail(std::move(release.error()));
  return std::move(release->bundle);
}

Status note_rollback(Transaction& transaction, const Environment& environment,
                     const Change& failed) {
  if (!environment.rollback.on_failed_verification || failed.kind == ChangeKind::Rollback ||
      failed.plan.partial()) {
    return {};
  }
  auto release = find_setting(transaction, kRelease + failed.environment);
  if (!release) return fail(std::move(release.error()));
  if (string_member(*release, "uid") != failed.environment_uid.str()) return {};
  auto written = transaction.put(
      Collection::Setting, kDue + failed.environment,
      {{"change", failed.id.str()}, {"to", string_member(*release, "receipt")}, {"opened", ""}});
  if (!written) return fail(std::move(written.error()));
  return {};
}

Status open_due_rollbacks(Engine& engine, std::stop_token stop) {
  auto due = in_transaction(engine.store(), Access::Read, [](Transaction& transaction) {
    return transaction.list(Collection::Setting, {.prefix = kDue, .after = {}, .limit = 0});
  });
  if (!due) return fail(std::move(due.error()));
  for (const auto& record : *due) {
    if (!string_member(record.body, "opened").empty()) continue;
    const auto environment = record.key.substr(std::string_view(kDue).size());
    if (auto opened = open_due(engine, environment, record.body, stop); !opened) return opened;
  }
  return {};
}

Status note_release(Engine& engine, Transaction& transaction, const Change& done) {
  if (!is_release(done)) return {};
  auto written = transaction.put(Collection::Setting, kRelease + done.environment,
                                 {{"receipt", done.receipt}, {"uid", done.environment_uid.str()}});
  if (!written) return fail(std::move(written.error()));
  const auto key = kDue + done.environment;
  auto due = find_setting(transaction, key);
  if (!due) return fail(std::move(due.error()));
  if (string_member(*due, "opened") != done.id.str()) return {};
  auto failed = load_change(transaction, ChangeId(string_member(*due, "change")));
  if (!failed) return fail(std::move(failed.error()));
  step(*failed, ChangeState::RolledBack, engine.now(), "by " + done.id.str());
  if (auto saved = save(transaction, *failed); !saved) return saved;
  auto erased = transaction.erase(Collection::Setting, key);
  if (!erased) return fail(std::move(erased.error()));
  auto index = append(transaction, own_entry(engine, "change.rolled-back",
                                             "change:" + failed->id.str(), "by " + done.id.str()));
  if (!index) return fail(std::move(index.error()));
  return {};
}

}  // namespace bailey
