#include "orchestrator/serve/engine/housekeeper.hpp"

#include "orchestrator/serve/engine/check_drift.hpp"
#include "orchestrator/serve/engine/credential_access.hpp"
#include "orchestrator/serve/engine/end_grants.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/sandboxes.hpp"
#include "orchestrator/serve/engine/standing_bundle.hpp"

#include <algorithm>
#include <utility>

namespace bailey {

namespace {

constexpr std::chrono::seconds kTick{1};
// So many of one kind at once. Sandboxes have the most: each of them may be stuck for long.
constexpr std::size_t kMostReapers = 64;
constexpr std::size_t kMostOthers = 4;

Status sweep(Engine& engine, const std::string& environment, std::stop_token stop) {
  auto bundle = standing_bundle(engine);
  if (!bundle) return fail(std::move(bundle.error()));
  auto found = find_environment(**bundle, environment);
  if (!found) return fail(std::move(found.error()));
  auto access = credential_access(engine, **bundle, **found);
  if (!access) return fail(std::move(access.error()));
  return sweep_credentials(access->tools(engine), access->scope, Actor{}, stop);
}

}  // namespace

Housekeeper::Housekeeper(Engine& engine, HousekeepingOptions options)
    : engine_(engine), options_(options), thread_([this](std::stop_token stop) { run(stop); }) {}

Housekeeper::~Housekeeper() {
  thread_.request_stop();
  thread_.join();
  for (auto& [name, entry] : entries_) {
    if (entry.running) entry.running->thread.request_stop();
  }
  entries_.clear();
}

void Housekeeper::run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    look();
    std::unique_lock lock(waiting_);
    wake_.wait_for(lock, stop, kTick, [] { return false; });
  }
}

void Housekeeper::collect(Entry& entry) {
  if (!entry.running || !entry.running->done) return;
  const auto now = engine_.clock().monotonic_now();
  if (entry.running->succeeded) {
    entry.backoff = {};
    entry.succeeded_at = now;
    entry.ever = true;
  } else {
    entry.backoff.failed(now);
  }
  entry.running.reset();
}

void Housekeeper::start(const std::string& kind, const std::string& environment,
                        std::chrono::seconds every, std::size_t most, Job job) {
  const auto now = engine_.clock().monotonic_now();
  const auto prefix = kind + "/";
  std::size_t running = 0;
  for (const auto& [name, other] : entries_) {
    if (name.starts_with(prefix) && other.running) ++running;
  }
  auto& entry = entries_[prefix + environment];
  if (entry.running || running >= most || !entry.backoff.due(now)) return;
  if (entry.ever && now - entry.succeeded_at < every) return;
  entry.running = std::make_unique<Running>();
  auto* state = entry.running.get();
  state->thread = std::jthread([state, job = std::move(job)](std::stop_token stop) {
    // Where it failed, the job itself has said so where people look.
    state->succeeded = job(std::move(stop)).has_value();
    state->done = true;
  });
}

bool Housekeeper::drift_is_due(const std::string& environment) {
  if (options_.drift_every == std::chrono::seconds(0)) return false;
  const auto due =
      in_transaction(engine_.store(), Access::Read, [&](Transaction& transaction) -> Result<bool> {
        auto state = find_environment_state(transaction, environment);
        if (!state) return fail(std::move(state.error()));
        // Where a change is under way or the end is near, there is nothing to hold against it.
        if (!*state || (*state)->status == EnvironmentStatus::Applying ||
            (*state)->status == EnvironmentStatus::Destroying) {
          return false;
        }
        auto report = find_drift_report(transaction, environment);
        if (!report) return fail(std::move(report.error()));
        if (!*report || (*report)->environment_uid != (*state)->uid.str()) return true;
        const auto last = parse_time((*report)->looked_at);
        const auto now = engine_.clock().wall_now();
        // A clock that was set back does not put the next look off.
        return !last || *last > now || *last + options_.drift_every <= now;
      });
  return due && *due;
}

void Housekeeper::look_after(const std::string& environment, bool declared) {
  auto& engine = engine_;
  if (declared && drift_is_due(environment)) {
    start("drift", environment, {}, kMostOthers,
          [&engine, environment](std::stop_token stop) -> Status {
            auto report = look_for_drift(engine, environment, stop);
            if (!report) return fail(std::move(report.error()));
            return {};
          });
  }
  start("sweep", environment, options_.sweep_every, kMostOthers,
        [&engine, environment](std::stop_token stop) { return sweep(engine, environment, stop); });
}

void Housekeeper::look() {
  for (auto& [name, entry] : entries_) collect(entry);
  const auto accepted = engine_.bundle();
  const auto standing = in_transaction(engine_.store(), Access::Read, [](Transaction& transaction) {
    return standing_environments(transaction);
  });
  // A server without a bundle, or whose store fails, has nothing to look after now.
  if (!accepted || !standing) return;
  for (const auto& environment : *standing) {
    look_after(environment, (*accepted)->environment(environment) != nullptr);
  }
  auto& engine = engine_;
  // Before all that may take its time: here somebody has rights that are over.
  if (const auto due = environments_with_due_grants(engine_)) {
    for (const auto& environment : *due) {
      start("grants", environment, {}, kMostReapers, [&engine, environment](std::stop_token stop) {
        return settle_grants(engine, environment, stop);
      });
    }
  }
  const auto expired = expired_sandboxes(engine_);
  if (!expired) return;
  for (const auto& environment : *expired) {
    start("reap", environment, {}, kMostReapers, [&engine, environment](std::stop_token stop) {
      return reap_sandbox(engine, environment, stop);
    });
  }
}

}  // namespace bailey
