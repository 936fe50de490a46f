#include "orchestrator/serve/engine/open_change.hpp"

#include "orchestrator/promote/evidence/authorship.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/root_of_trust.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace bailey {

namespace {

// An environment that was destroyed and comes back is another one: nothing that was said about the
// old counts for it.
Result<EnvironmentUid> ensure_uid(Engine& engine, Transaction& transaction,
                                  const std::string& environment) {
  if (environment == kOrganizationEnvironment) return EnvironmentUid("organization");
  auto state = find_environment_state(transaction, environment);
  if (!state) return fail(std::move(state.error()));
  if (*state && (*state)->status != EnvironmentStatus::Destroyed) return (*state)->uid;
  EnvironmentState fresh;
  fresh.name = environment;
  fresh.uid = EnvironmentUid(new_id(engine.random(), "env"));
  if (auto saved = save(transaction, fresh); !saved) return fail(std::move(saved.error()));
  return fresh.uid;
}

// Another artifact's promotion is another matter: both wait, and neither ends the other.
bool replaces(const Change& newer, const Change& older) {
  if (newer.kind == ChangeKind::Drift || newer.kind == ChangeKind::Grant) return false;
  if (newer.kind != ChangeKind::Promotion) return true;
  return std::all_of(older.brings.begin(), older.brings.end(),
                     [&](const auto& each) { return newer.brings.contains(each.first); });
}

Result<std::optional<Change>> settle_earlier(Engine& engine, Transaction& transaction,
                                             const Request& request, const Change& change) {
  auto earlier = open_changes(transaction, change.environment);
  if (!earlier) return fail(std::move(earlier.error()));
  for (auto& other : *earlier) {
    if (other.kind != change.kind) continue;
    if (other.plan.digest == change.plan.digest) return std::optional<Change>(std::move(other));
    const bool waits = other.state == ChangeState::Planned || other.state == ChangeState::Waiting ||
                       other.state == ChangeState::Approved;
    if (!waits || !replaces(change, other)) continue;
    // Who proposes does not take the first bundle out of the administrators' hands.
    auto root = confirms_root(transaction, other.id);
    if (!root) return fail(std::move(root.error()));
    if (*root) continue;
    step(other, ChangeState::Superseded, engine.now(), "by " + change.id.str());
    if (auto saved = save(transaction, other); !saved) return fail(std::move(saved.error()));
    auto index =
        append(transaction, entry_for(engine, request, "change.supersede",
                                      "change:" + other.id.str(), "by " + change.id.str()));
    if (!index) return fail(std::move(index.error()));
  }
  return std::optional<Change>();
}

// Who wrote any part of it: the specs, and the artifacts as their evidence says.
Result<std::vector<Author>> authors_for(Transaction& transaction, const Bundle& bundle,
                                        const Proposal& proposal) {
  std::set<std::string> addresses(proposal.author_addresses.begin(),
                                  proposal.author_addresses.end());
  auto known = evidence_for(transaction, bundle, proposal.plan.artifacts);
  if (!known) return fail(std::move(known.error()));
  for (const auto& item : known->items) {
    for (const auto& author : item.authors) addresses.insert(author.email);
  }
  return authors_of(addresses, bundle.directory);
}

// A second proposal of the same names authors of it too.
Result<Change> with_authors(Engine& engine, Transaction& transaction, const Request& request,
                            Change known, const Change& proposed) {
  const auto before = known.authors.size();
  for (const auto& author : proposed.authors) {
    if (std::find(known.authors.begin(), known.authors.end(), author) == known.authors.end()) {
      known.authors.push_back(author);
    }
  }
  if (known.authors.size() == before) return known;
  if (auto saved = save(transaction, known); !saved) return fail(std::move(saved.error()));
  auto index = append(transaction, entry_for(engine, request, "change.authors",
                                             "change:" + known.id.str(), "more authors are named"));
  if (!index) return fail(std::move(index.error()));
  return known;
}

}  // namespace

void step(Change& change, ChangeState state, const std::string& at, std::string detail) {
  change.state = state;
  change.history.push_back({state, at, std::move(detail)});
}

Result<Change> expire_if_old(Engine& engine, Change change) {
  constexpr std::chrono::days kLife{30};
  const auto created = parse_time(change.created_at);
  if (created && engine.clock().wall_now() < *created + kLife) return change;
  return in_transaction(
      engine.store(), Access::Write, [&](Transaction& transaction) -> Result<Change> {
        auto now = load_change(transaction, change.id);
        if (!now || now->state != change.state) return now;
        step(*now, ChangeState::Expired, engine.now(), "it had waited for 30 days");
        if (auto saved = save(transaction, *now); !saved) return fail(std::move(saved.error()));
        auto index = append(transaction, own_entry(engine, "change.expire",
                                                   "change:" + now->id.str(), "after 30 days"));
        if (!index) return fail(std::move(index.error()));
        return now;
      });
}

std::vector<std::string> introduced_by(const Plan& plan) {
  std::vector<std::string> digests;
  if (plan.kind == PlanKind::Destroy || plan.partial()) return digests;
  for (const auto& [slot, reference] : plan.artifacts) digests.push_back(digest_in(reference));
  digests.push_back(plan.template_digest);
  std::sort(digests.begin(), digests.end());
  digests.erase(std::unique(digests.begin(), digests.end()), digests.end());
  return digests;
}

Result<Change> open_change(Engine& engine, Transaction& transaction, const Request& request,
                           const Proposal& proposal) {
  auto bench = bench_for(engine, transaction, proposal.plan.environment);
  if (!bench) return fail(std::move(bench.error()));
  Change change;
  change.id = ChangeId(new_id(engine.random(), "chg"));
  change.kind = proposal.kind;
  change.environment = proposal.plan.environment;
  auto uid = ensure_uid(engine, transaction, change.environment);
  if (!uid) return fail(std::move(uid.error()));
  change.environment_uid = *uid;
  change.plan = proposal.plan;
  change.plan.environment_uid = *std::move(uid);
  seal(change.plan);
  change.bundle_digest = proposal.bundle_digest;
  change.requester = request.caller.subject;
  auto authors = authors_for(transaction, *bench->bundle, proposal);
  if (!authors) return fail(std::move(authors.error()));
  change.authors = *std::move(authors);
  change.introduces = introduced_by(change.plan);
  change.brings = proposal.brings;
  change.affects = proposal.affects;
  change.rolls_back_to = proposal.rolls_back_to;
  change.created_at = engine.now();

  auto same = settle_earlier(engine, transaction, request, change);
  if (!same) return fail(std::move(same.error()));
  if (*same) return with_authors(engine, transaction, request, **std::move(same), change);

  step(change, ChangeState::Planned, change.created_at);
  step(change, ChangeState::Waiting, change.created_at);
  if (auto saved = save(transaction, change); !saved) return fail(std::move(saved.error()));
  auto entry = entry_for(engine, request, "change.open", "change:" + change.id.str(),
                         fmt::format("{} of {}", to_string(change.kind), change.environment));
  entry.digests = {{"plan", change.plan.digest}, {"bundle", change.bundle_digest}};
  auto index = append(transaction, entry);
  if (!index) return fail(std::move(index.error()));
  return change;
}

Result<Change> open_change(Engine& engine, const Request& request, const Proposal& proposal) {
  return in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) {
    return open_change(engine, transaction, request, proposal);
  });
}

}  // namespace bailey
