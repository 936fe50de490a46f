#pragma once

#include "orchestrator/base/json.hpp"
#include "orchestrator/provision/apply/executor.hpp"
#include "orchestrator/provision/apply/journal.hpp"
#include "orchestrator/provision/apply/lease.hpp"
#include "orchestrator/provision/apply/recovery.hpp"
#include "orchestrator/provision/plan/planner.hpp"
#include "orchestrator/provision/plan/references.hpp"
#include "orchestrator/record/store/sqlite_state_store.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_provider.hpp"
#include "tests/support/fake_random.hpp"
#include "tests/support/forwarding_transaction.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bailey::test {

inline ResourceAddress at(const std::string& local) {
  return ResourceAddress::parse("dev/" + local).value();
}

/// A store whose n-th beginning or committing of a write fails, once or, after a crash, for good.
class FaultyStore final : public StateStore {
 public:
  enum class Fault : std::uint8_t { Once, Stay };

  explicit FaultyStore(StateStore& store) : store_(store) {}
  void fail_write(int nth, Fault fault) {
    fault_ = fault;
    countdown_ = nth;
    fired_ = false;
  }
  [[nodiscard]] bool fired() const { return fired_; }
  /// Called once, when the next transaction has ended.
  void then(std::function<void()> call) { then_ = std::move(call); }

  Result<std::unique_ptr<Transaction>> begin(Access access) override {
    auto inner = store_.begin(access);
    if (!inner || access == Access::Read) return inner;
    return std::unique_ptr<Transaction>(new Faulty(*this, *std::move(inner)));
  }

 private:
  bool fails() {
    const auto left = --countdown_;
    if (left == 0) fired_ = true;
    return left == 0 || (left < 0 && fired_ && fault_ == Fault::Stay);
  }

  class Faulty final : public ForwardingTransaction {
   public:
    Faulty(FaultyStore& owner, std::unique_ptr<Transaction> inner)
        : ForwardingTransaction(std::move(inner)), owner_(owner) {}
    ~Faulty() override {
      end();
      if (committed_ && owner_.then_) std::exchange(owner_.then_, nullptr)();
    }
    Faulty(const Faulty&) = delete;
    Faulty& operator=(const Faulty&) = delete;
    Status commit() override {
      if (owner_.fails()) {
        return fail(
            Error(ErrorKind::Io, "the disk does not answer").with_code(std::string(kStoreFailed)));
      }
      committed_ = true;
      return ForwardingTransaction::commit();
    }

   private:
    FaultyStore& owner_;
    bool committed_ = false;
  };

  StateStore& store_;
  std::atomic<int> countdown_{0};
  std::atomic<bool> fired_{false};
  Fault fault_ = Fault::Once;
  std::function<void()> then_;
};

/// One environment `dev` with a store, a cloud and a lease; a process can die in it and another one
/// go on.
class ApplyWorld {
 public:
  explicit ApplyWorld(std::chrono::seconds grace = std::chrono::seconds(5))
      : schema(fake_provider_schema(grace)) {
    auto opened = SqliteStateStore::open(folder_.path() / "state.db");
    EXPECT_TRUE(opened) << opened.error().render();
    store_ = *std::move(opened);
    restart();
    EnvironmentState environment;
    environment.uid = EnvironmentUid("env-1");
    environment.name = "dev";
    environment.status = EnvironmentStatus::Applying;
    environment.boundary = boundary;
    EXPECT_TRUE(in_transaction(*store_, Access::Write, [&](Transaction& transaction) -> Status {
      auto put = transaction.put(Collection::Environment, "dev", to_json(environment));
      if (!put) return fail(std::move(put.error()));
      return {};
    }));
    const auto made = provider->ensure_boundary({EnvironmentUid("env-1"), "dev", "project"}, {});
    EXPECT_EQ(made.value_or(""), boundary);
    take_lease();
  }

  /// A new process: nothing is left but the store and the cloud.
  void restart() {
    provider = std::make_unique<FakeProvider>(cloud, clock);
    store = std::make_unique<FaultyStore>(*store_);
  }
  void take_lease() {
    clock.advance(2 * kDefaultLeaseTtl);
    auto fence_taken = in_transaction(*store_, Access::Write, [&](Transaction& transaction) {
      return acquire_lease(transaction, "dev", "process", kDefaultLeaseTtl, clock.wall_now());
    });
    EXPECT_TRUE(fence_taken) << fence_taken.error().render();
    fence = fence_taken.value_or(Fence{});
  }

  DesiredResource& declare(const std::string& local, const std::string& type, Json fields) {
    DesiredResource resource;
    resource.address = at(local);
    resource.type = type;
    for (const auto& reference : resource_references(fields)) {
      resource.depends_on.push_back({"dev", reference.resource, reference.index});
    }
    std::sort(resource.depends_on.begin(), resource.depends_on.end());
    resource.depends_on.erase(std::unique(resource.depends_on.begin(), resource.depends_on.end()),
                              resource.depends_on.end());
    resource.fields = std::move(fields);
    desired.resources.push_back(std::move(resource));
    return desired.resources.back();
  }
  DesiredResource& declared(const std::string& local) {
    return *std::find_if(desired.resources.begin(), desired.resources.end(),
                         [&](const auto& each) { return each.address == at(local); });
  }
  void declare_all(int servers = 2) {
    declare("net", "network", {{"cidr", "10.20.0.0/24"}});
    declare("sg", "security-group", {{"ingress", {{{"protocol", "tcp"}, {"port", 443}}}}});
    declare("password", "secret", {{"generate", {{"length", 32}}}});
    for (int i = 0; i < servers; ++i) {
      declare("web[" + std::to_string(i) + "]", "server",
              {{"flavor", "small"},
               {"network", "${resource.net}"},
               {"securityGroups", {"${resource.sg}"}},
               {"metadata", {{"password", "${resource.password.ref}"}, {"artifact", "a"}}}});
    }
  }

  std::vector<ResourceState> states() {
    auto loaded = in_transaction(*store_, Access::Read, [](Transaction& transaction) {
      return load_resources(transaction, "dev");
    });
    EXPECT_TRUE(loaded) << loaded.error().render();
    return loaded.value_or(std::vector<ResourceState>{});
  }
  std::vector<Intent> intents() {
    auto loaded = in_transaction(*store_, Access::Read, [](Transaction& transaction) {
      return load_intents(transaction, "dev");
    });
    EXPECT_TRUE(loaded) << loaded.error().render();
    return loaded.value_or(std::vector<Intent>{});
  }
  EnvironmentState environment() {
    auto loaded = in_transaction(*store_, Access::Read, [](Transaction& transaction) {
      return load_environment(transaction, "dev");
    });
    EXPECT_TRUE(loaded);
    return loaded->value();
  }
  std::vector<AuditEntry> log() {
    std::vector<AuditEntry> entries;
    auto transaction = store_->begin(Access::Read).value();
    const auto records = transaction->log_records(0, 100000).value();
    for (const auto& record : records) {
      entries.push_back(audit_entry_from_json(parse_json(record.body).value()).value());
    }
    return entries;
  }

  Result<Plan> try_plan(PlanKind kind = PlanKind::Apply) {
    const auto recorded = states();
    auto refreshed = refresh(*provider,
                             {.environment_uid = EnvironmentUid("env-1"),
                              .boundary = boundary,
                              .schema = schema,
                              .now = clock.wall_now()},
                             recorded, {});
    if (!refreshed) return fail(std::move(refreshed.error()));
    const auto state = environment();
    return make_plan({.kind = kind,
                      .desired = desired,
                      .environment = state,
                      .resources = recorded,
                      .refreshed = *refreshed,
                      .schema = schema,
                      .policy_digest = "",
                      .template_digest = "",
                      .artifacts = {}});
  }
  Plan plan(PlanKind kind = PlanKind::Apply) {
    auto made = try_plan(kind);
    EXPECT_TRUE(made) << made.error().render();
    return made ? *std::move(made) : Plan{};
  }

  ApplyContext context() {
    return {.store = *store,
            .provider = *provider,
            .schema = schema,
            .clock = clock,
            .random = random,
            .concurrency = concurrency,
            .observer = observer};
  }
  Result<ApplyReport> try_apply(const Plan& planned, std::stop_token stop = {}) {
    return apply_plan(context(), planned, boundary, fence, std::move(stop));
  }
  ApplyReport apply(const Plan& planned, std::stop_token stop = {}) {
    auto report = try_apply(planned, std::move(stop));
    EXPECT_TRUE(report) << report.error().render();
    return report ? *std::move(report) : ApplyReport{};
  }
  RecoveryReport recover_all() {
    auto report = recover(context(), boundary, fence, {});
    EXPECT_TRUE(report) << report.error().render();
    return report ? *std::move(report) : RecoveryReport{};
  }

  FakeClock clock;
  FakeRandom random;
  FakeCloud cloud;
  ProviderSchema schema;
  Expansion desired;
  std::string boundary = "boundary-env-1";
  Fence fence;
  int concurrency = 4;
  std::function<void(const ApplyEvent&)> observer;
  std::unique_ptr<FakeProvider> provider;
  std::unique_ptr<FaultyStore> store;

 private:
  TemporaryFolder folder_;
  std::unique_ptr<SqliteStateStore> store_;
};

inline OperationOutcome outcome_of(const ApplyReport& report, const std::string& local) {
  for (const auto& operation : report.operations) {
    if (operation.address == at(local)) return operation.outcome;
  }
  ADD_FAILURE() << "no operation on " << local;
  return OperationOutcome::Errored;
}

}  // namespace bailey::test
