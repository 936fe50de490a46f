#pragma once

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/artifact/registry_schema.hpp"
#include "orchestrator/promote/evidence/authorship.hpp"
#include "orchestrator/provision/credential/sealing.hpp"
#include "orchestrator/record/store/sqlite_state_store.hpp"
#include "orchestrator/serve/engine/decide_change.hpp"
#include "orchestrator/serve/engine/execute_change.hpp"
#include "orchestrator/serve/engine/log_in.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/request_change.hpp"
#include "orchestrator/serve/engine/submit_artifact.hpp"
#include "orchestrator/serve/identity/token_registry.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_provider.hpp"
#include "tests/support/fake_random.hpp"
#include "tests/support/memory_registry.hpp"
#include "tests/unit/promote/test_keys.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace bailey::test {

/// A store whose log can be made unwritable, and that can be told what happens between two
/// transactions.
class MoodyStore final : public StateStore {
 public:
  explicit MoodyStore(std::unique_ptr<StateStore> store) : store_(std::move(store)) {}

  /// What is behind it from now on.
  void replace(std::unique_ptr<StateStore> store) { store_ = std::move(store); }

  bool log_is_broken = false;
  /// Runs once, before the n-th write transaction from now begins (1 is the next one).
  void before_write(int nth, std::function<void()> act) {
    countdown_ = nth;
    act_ = std::move(act);
  }

  Result<std::unique_ptr<Transaction>> begin(Access access) override {
    if (access == Access::Write && countdown_ > 0 && --countdown_ == 0) std::exchange(act_, {})();
    auto begun = store_->begin(access);
    if (!begun || !log_is_broken) return begun;
    return std::unique_ptr<Transaction>(std::make_unique<Mute>(*std::move(begun)));
  }

 private:
  class Mute final : public Transaction {
   public:
    explicit Mute(std::unique_ptr<Transaction> inner) : inner_(std::move(inner)) {}
    Result<std::optional<Record>> get(Collection collection, std::string_view key) override {
      return inner_->get(collection, key);
    }
    Result<std::vector<Record>> list(Collection collection, const ListOptions& options) override {
      return inner_->list(collection, options);
    }
    Result<std::uint64_t> put(Collection collection, std::string_view key, const Json& body,
                              std::uint64_t expected) override {
      return inner_->put(collection, key, body, expected);
    }
    Result<bool> erase(Collection collection, std::string_view key) override {
      return inner_->erase(collection, key);
    }
    Result<std::uint64_t> append(const AuditEntry&) override {
      return fail(ErrorKind::Io, "the disk is full");
    }
    Result<std::uint64_t> log_size() override { return inner_->log_size(); }
    Result<std::vector<LogRecord>> log_records(std::uint64_t from, std::size_t limit) override {
      return inner_->log_records(from, limit);
    }
    Result<std::string> log_root(std::uint64_t size) override { return inner_->log_root(size); }
    Result<std::vector<std::string>> inclusion_proof(std::uint64_t index,
                                                     std::uint64_t size) override {
      return inner_->inclusion_proof(index, size);
    }
    Result<std::vector<std::string>> consistency_proof(std::uint64_t from,
                                                       std::uint64_t to) override {
      return inner_->consistency_proof(from, to);
    }
    Status put_checkpoint(std::uint64_t size, std::string_view note) override {
      return inner_->put_checkpoint(size, note);
    }
    Result<std::optional<std::string>> newest_checkpoint() override {
      return inner_->newest_checkpoint();
    }
    Status commit() override { return inner_->commit(); }

   private:
    std::unique_ptr<Transaction> inner_;
  };

  std::unique_ptr<StateStore> store_;
  int countdown_ = 0;
  std::function<void()> act_;
};

/// The registry of the tests' artifacts.
class FakeRegistry final : public HttpClient {
 public:
  static constexpr const char* kHost = "127.0.0.1:5001";
  static constexpr const char* kRepository = "127.0.0.1:5001/payments/web";

  /// An image of its own for each word; its digest.
  std::string push(const std::string& word) { return memory.add_image(kRepository, {word}); }
  /// It answers other bytes under that digest from now on.
  void tamper(const std::string& digest) {
    memory.repositories.at(kRepository).manifests.at(digest).second += " ";
  }
  Result<HttpResponse> send(const HttpRequest& request, std::stop_token stop) override {
    return memory.send(request, stop);
  }

  MemoryRegistry memory;
};

/// The provider in memory, whose walls can be given a hole.
class LeakyProvider final : public Provider {
 public:
  LeakyProvider(FakeCloud& cloud, Clock& clock) : fake(cloud, clock) {}
  FakeProvider fake;
  bool leaks = false;
  bool given_back = false;  ///< The boundaries stand, and are not ours any more.
  BoundaryRequest wanted;   ///< The last boundary that was asked for.

  /// What is removed from that boundary hangs until let_go(), as at a cloud that does not answer.
  void hold_boundary(const std::string& boundary) {
    const std::lock_guard lock(mutex_);
    held_ = boundary;
  }
  void let_go() {
    const std::lock_guard lock(mutex_);
    held_.clear();
    changed_.notify_all();
  }

  Result<std::string> ensure_boundary(const BoundaryRequest& request,
                                      std::stop_token stop) override {
    wanted = request;
    return fake.ensure_boundary(request, stop);
  }
  Result<std::optional<std::string>> find_boundary(const EnvironmentUid& uid,
                                                   std::stop_token stop) override {
    if (given_back) return std::optional<std::string>();
    return fake.find_boundary(uid, stop);
  }
  Result<std::vector<FoundBoundary>> list_boundaries(std::stop_token stop) override {
    return fake.list_boundaries(stop);
  }
  Status remove_boundary(const std::string& boundary, std::stop_token stop) override {
    return fake.remove_boundary(boundary, stop);
  }
  Result<Observed> create(const ResourceRequest& request, std::stop_token stop) override {
    return fake.create(request, stop);
  }
  Result<std::optional<Observed>> read(const std::string& type, const std::string& boundary,
                                       const std::string& id, std::stop_token stop) override {
    return fake.read(type, boundary, id, stop);
  }
  Result<Observed> update(const ResourceRequest& request, const std::string& id, const Json& before,
                          std::stop_token stop) override {
    return fake.update(request, id, before, stop);
  }
  Status remove(const std::string& type, const std::string& boundary, const std::string& id,
                std::stop_token stop) override {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, stop, [&] { return held_ != boundary; });
    }
    return fake.remove(type, boundary, id, stop);
  }
  Result<std::vector<Observed>> list(const std::string& type, const std::string& boundary,
                                     std::stop_token stop) override {
    if (given_back) return fail(ErrorKind::Refused, "not one of ours");
    return fake.list(type, boundary, stop);
  }
  Result<std::vector<Observed>> find(const std::string& type, const std::string& boundary,
                                     const Marker& marker, std::stop_token stop) override {
    return fake.find(type, boundary, marker, stop);
  }
  Result<Identity> ensure_identity(const IdentityRequest& request,
                                   const std::optional<Identity>& known,
                                   std::stop_token stop) override {
    return fake.ensure_identity(request, known, stop);
  }
  Status remove_identity(const std::string& identity, std::stop_token stop) override {
    return fake.remove_identity(identity, stop);
  }
  Result<IssuedCredential> issue(const Identity& identity, const IssueRequest& request,
                                 std::stop_token stop) override {
    return fake.issue(identity, request, stop);
  }
  Status revoke(const Identity& identity, const std::string& id, std::stop_token stop) override {
    return fake.revoke(identity, id, stop);
  }
  [[nodiscard]] Result<std::map<std::string, Secret>> tool_environment(
      const Secret& material) const override {
    return fake.tool_environment(material);
  }
  Result<std::vector<ProbeAttempt>> probe(const Secret& material, const ProbeTarget& target,
                                          std::stop_token stop) override {
    auto attempts = fake.probe(material, target, stop);
    if (attempts && leaks) attempts->back().outcome = ProbeOutcome::Allowed;
    return attempts;
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::string held_;
};

/// The organization of the tests: one project on its way from `dev` over `test` and `staging` to
/// `production` (executed by an operator), with checks that a file can break.
///
/// alice writes, and would hold `approve`; gina may ask and approve; bob, carol, dave approve;
/// frank too, without a key; erin operates; zed stands behind the service ci; ann, abe and amy
/// administer; mallory has a key and nothing else.
inline std::string acme_specs(const std::function<std::string(const char*)>& key,
                              const std::string& secret_file) {
  const auto person = [&](const char* name) {
    return std::string("    ") + name + ": {email: " + name + "@acme.example, keys: [\"" +
           key(name) + "\"]}\n";
  };
  std::string people;
  for (const char* name :
       {"alice", "bob", "carol", "dave", "erin", "gina", "zed", "ann", "abe", "amy", "mallory"}) {
    people += person(name);
  }
  return "apiVersion: bailey/v1\nkind: Directory\nmetadata: {name: acme}\nspec:\n  people:\n" +
         people +
         "    frank: {email: frank@acme.example}\n  services:\n    ci: {controlledBy: [zed], keys: "
         "[\"" +
         key("ci") + R"("]}
  groups:
    developers: [alice, gina]
    managers: [alice, bob, carol, frank, gina, zed]
    security: [dave]
---
apiVersion: bailey/v1
kind: Organization
metadata: {name: acme}
spec: {administrators: {members: [ann, abe, amy], approvals: 2}}
---
apiVersion: bailey/v1
kind: Account
metadata: {name: cloud}
spec:
  provider: fake
  classes: [development, test, staging]
  endpoint: http://127.0.0.1:5000
  credential: {file: )" +
         secret_file + R"(}
---
apiVersion: bailey/v1
kind: Account
metadata: {name: cloud-production}
spec:
  provider: fake
  classes: [production]
  endpoint: http://127.0.0.1:5000
  credential: {file: )" +
         secret_file + R"(}
---
apiVersion: bailey/v1
kind: Template
metadata: {name: web}
spec:
  provider: fake
  parameters:
    flavor: {type: string, enum: [small, large], default: small}
  artifacts: [web]
  resources:
    net: {type: network, cidr: 10.20.0.0/24}
    password: {type: secret, generate: {length: 32}}
    web:
      type: server
      flavor: ${parameter.flavor}
      image: cirros
      network: ${resource.net}
      metadata: {artifact: "${artifact.web.digest}", password: "${resource.password.ref}"}
  outputs: {address: "${resource.web.address}"}
  roles:
    developer: {powers: [read, request, operate], grants: [member]}
    approver: {powers: [read, approve], grants: [reader]}
    deployer: {powers: [read, request, deploy], grants: [member]}
    auditor: {powers: [read, audit], grants: [reader]}
    runtime: {powers: [], grants: [reader]}
---
apiVersion: bailey/v1
kind: Project
metadata: {name: payments}
spec:
  artifacts: {web: {repository: "127.0.0.1:5001/payments/web"}}
  authors: [group:developers]
  stages: [dev, test, staging, production]
---
apiVersion: bailey/v1
kind: Environment
metadata: {name: dev}
spec:
  project: payments
  class: development
  account: cloud
  template: web
  bindings: {developer: [group:developers, "service:ci"], auditor: [amy]}
  credentials: {app: {role: runtime, ttl: 12h}}
  verify: [{command: [checks/verify, "${environment.name}"], timeout: 1m}]
---
apiVersion: bailey/v1
kind: Environment
metadata: {name: test}
spec:
  project: payments
  class: test
  account: cloud
  template: web
  bindings: {developer: [group:developers, "service:ci"], auditor: [amy]}
  verify: [{command: [checks/verify, "${environment.name}"], timeout: 1m}]
  gate: [{verified: {in: dev}}]
---
apiVersion: bailey/v1
kind: Environment
metadata: {name: staging}
spec:
  project: payments
  class: staging
  account: cloud
  template: web
  bindings: {approver: [group:managers], deployer: [group:developers, "service:ci"], auditor: [amy]}
  verify: [{command: [checks/verify, "${environment.name}"], timeout: 1m}]
  gate:
    - verified: {in: test}
    - approvals: {rules: [{from: group:managers, count: 1}], expire: 8h}
---
apiVersion: bailey/v1
kind: Environment
metadata: {name: production}
spec:
  project: payments
  class: production
  account: cloud-production
  template: web
  bindings:
    approver: [group:managers, group:security]
    deployer: [alice, bob, erin, "service:ci"]
    auditor: [amy]
  execute: by-operator
  gate:
    - verified: {in: staging}
    - soak: {in: staging, for: 24h}
    - approvals: {rules: [{from: group:managers, count: 1}, {from: group:security, count: 1}], expire: 8h}
    - evidence: {type: "urn:bailey:authorship:v1", signedBy: ["service:ci"]}
    - check: {command: [checks/ticket, "${change.id}"], timeout: 1m}
)";
}

/// Everything that an engine stands on, and the people who use it. Changes are executed in the
/// thread of the test: drive() does what the worker does.
class EngineWorld {
 public:
  EngineWorld() {
    folder_ = std::make_unique<TemporaryFolder>(*TemporaryFolder::create("engine-world"));
    EXPECT_TRUE(write_private_file(folder_->path() / "cloud-secret", "secret"));
    store = std::make_unique<MoodyStore>(*SqliteStateStore::open(folder_->path() / "state.db"));
    const KeyRing ring(folder_->path());
    EXPECT_TRUE(ring.create_missing(random));
    sealer_ = std::make_unique<Sealer>(*ring.sealer());
    opener_ = std::make_unique<Opener>(*ring.opener(
        {EnvironmentClass::Sandbox, EnvironmentClass::Development, EnvironmentClass::Test,
         EnvironmentClass::Staging, EnvironmentClass::Production}));
    log_key = std::make_unique<LogKey>(*LogKey::generate("acme.example/log", random));
    specs = acme_specs([this](const char* name) { return key(name).line(); },
                       (folder_->path() / "cloud-secret").string());
    reopen();
  }

  /// The process dies and another one starts on what it left behind.
  void reopen() {
    engine_.reset();
    provider = std::make_shared<LeakyProvider>(cloud, clock);
    plugins_["fake"] = {
        fake_provider_schema(std::chrono::seconds(0)),
        [this](const ProviderContext& context) -> Result<std::shared_ptr<Provider>> {
          ++opened;
          credential = context.credential;
          return std::shared_ptr<Provider>(provider);
        }};
    plugins_["oci"] = {registry_schema(), nullptr};
    engine_ = another_engine();
  }

  /// As another process that serves from the same store.
  [[nodiscard]] std::unique_ptr<Engine> another_engine() {
    return std::make_unique<Engine>(EngineParts{*store, plugins_, registry, clock, random, *sealer_,
                                                *opener_, *log_key, folder_->path() / "work"});
  }

  /// Everything that Bailey knew is gone; the cloud is not.
  void lose_store() {
    engine_.reset();
    store = std::make_unique<MoodyStore>(
        *SqliteStateStore::open(folder_->path() / ("state-" + std::to_string(++lost_) + ".db")));
    reopen();
  }

  /// One environment has no record any more.
  void forget(const std::string& environment) {
    EXPECT_TRUE(in_transaction(*store, Access::Write, [&](Transaction& transaction) -> Status {
      auto resources = resources_of(transaction, environment);
      if (!resources) return fail(std::move(resources.error()));
      for (const auto& resource : *resources) {
        auto gone = transaction.erase(Collection::Resource, resource.address.str());
        if (!gone) return fail(std::move(gone.error()));
      }
      auto gone = transaction.erase(Collection::Environment, environment);
      if (!gone) return fail(std::move(gone.error()));
      return {};
    }));
  }

  void forget_setting(const std::string& name) {
    EXPECT_TRUE(in_transaction(*store, Access::Write, [&](Transaction& transaction) {
      return transaction.erase(Collection::Setting, name);
    }));
  }

  [[nodiscard]] Engine& engine() { return *engine_; }
  [[nodiscard]] std::filesystem::path folder() const { return folder_->path(); }
  const TestKey& key(const std::string& name) {
    return keys_.try_emplace(name, name).first->second;
  }

  [[nodiscard]] static Request as(const std::string& name) {
    return {{*parse_subject(name), "token:test"}, "req-test"};
  }
  [[nodiscard]] Request bootstrap() {
    auto token = bootstrap_token(engine());
    EXPECT_TRUE(token && *token);
    auto caller = in_transaction(*store, Access::Read, [&](Transaction& transaction) {
      return authenticate(transaction, (*token)->reveal(), clock.wall_now());
    });
    EXPECT_TRUE(caller);
    return {*caller, "req-init"};
  }

  /// The bundle as `specs` says now, with the two programs, which fail while a file `broken-verify`
  /// or `broken-ticket` is there.
  [[nodiscard]] BundleSources sources() const {
    BundleSources sources;
    sources.specs.push_back({"acme.yaml", specs});
    for (const char* name : {"verify", "ticket"}) {
      sources.programs[std::string("checks/") + name] =
          "#!/bin/sh\necho looking at $1\ntest ! -e " +
          (folder_->path() / (std::string("broken-") + name)).string() + "\n";
    }
    return sources;
  }
  void break_program(const std::string& name) {
    EXPECT_TRUE(write_file(folder_->path() / ("broken-" + name), ""));
  }
  void mend_program(const std::string& name) {
    std::filesystem::remove(folder_->path() / ("broken-" + name));
  }
  /// Changes `specs` in the one place where `from` stands.
  void edit(const std::string& from, const std::string& to) {
    const auto at = specs.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    ASSERT_EQ(specs.find(from, at + 1), std::string::npos) << from << " stands there twice";
    specs.replace(at, from.size(), to);
  }

  void init() {
    const auto answer = accept_first_bundle(engine(), bootstrap(), sources(), {});
    ASSERT_TRUE(answer) << answer.error().render();
    ASSERT_EQ(member(*answer, "ok"), true) << answer->dump(1);
    const ChangeId root(string_member(*answer, "change"));
    for (const char* who : {"ann", "abe"}) {
      const auto confirmed = decide(root, who);
      ASSERT_TRUE(confirmed) << confirmed.error().render();
    }
    const auto done = run(root);
    ASSERT_TRUE(done) << done.error().render();
  }
  [[nodiscard]] Result<Json> apply(const std::string& who, const std::string& only = {},
                                   std::vector<std::string> authors = {}) {
    const auto given = sources();
    return apply_bundle(engine(), as(who), {given, only, {std::move(authors), ""}}, {});
  }
  [[nodiscard]] std::string reference(const std::string& digest) const {
    return std::string(FakeRegistry::kHost) + "/payments/web@" + digest;
  }
  [[nodiscard]] Result<std::optional<Change>> promote(const std::string& who,
                                                      const std::string& digest,
                                                      const std::string& to) {
    return request_promotion(engine(), as(who), {"payments", {{"web", reference(digest)}}, to}, {});
  }
  /// Signed by `signer`: these people wrote what is in the artifact.
  [[nodiscard]] Json authorship(const std::string& digest, const std::vector<std::string>& authors,
                                const std::string& signer = "ci") {
    Authorship written;
    written.repository = "https://git.acme.example/payments";
    written.to = std::string(40, 'a');
    written.commits = {{written.to, authors, authors.front()}};
    return key(signer).envelope(to_statement(written, {{"web", digest}}));
  }
  [[nodiscard]] Result<Json> submit(const std::string& who, const std::string& digest,
                                    std::vector<Json> evidence) {
    return submit_artifact(engine(), as(who),
                           {"payments", "web", reference(digest), std::move(evidence)}, {});
  }

  [[nodiscard]] Result<std::string> payload_for(const ChangeId& id, const std::string& who,
                                                Decision decision = Decision::Approve) {
    auto prepared = prepare_decision(engine(), as(who), {id, decision, "because", ""});
    if (!prepared) return fail(std::move(prepared.error()));
    return string_member(*prepared, "payload");
  }
  [[nodiscard]] Result<Approval> decide(const ChangeId& id, const std::string& who,
                                        Decision decision = Decision::Approve) {
    auto payload = payload_for(id, who, decision);
    if (!payload) return fail(std::move(payload.error()));
    return submit_decision(engine(), as(who), id, to_json(key(who).envelope(*payload)));
  }

  [[nodiscard]] Change load(const ChangeId& id) {
    auto change = in_transaction(*store, Access::Read, [&](Transaction& transaction) {
      return load_change(transaction, id);
    });
    EXPECT_TRUE(change) << id.str();
    return change ? *std::move(change) : Change{};
  }
  [[nodiscard]] std::vector<Change> changes() {
    auto all = in_transaction(*store, Access::Read,
                              [](Transaction& transaction) { return all_changes(transaction); });
    EXPECT_TRUE(all);
    return all ? *std::move(all) : std::vector<Change>();
  }
  /// The only open change of an environment.
  [[nodiscard]] Change waiting_in(const std::string& environment) {
    auto open = in_transaction(*store, Access::Read, [&](Transaction& transaction) {
      return open_changes(transaction, environment);
    });
    EXPECT_TRUE(open);
    EXPECT_EQ(open->size(), 1U) << environment;
    return open && !open->empty() ? open->front() : Change{};
  }
  [[nodiscard]] EnvironmentState state_of(const std::string& environment) {
    auto state = in_transaction(*store, Access::Read, [&](Transaction& transaction) {
      return find_environment_state(transaction, environment);
    });
    EXPECT_TRUE(state);
    return state && *state ? **state : EnvironmentState{};
  }
  [[nodiscard]] Result<Change> run(const ChangeId& id) {
    auto claim = claim_change(engine(), id, std::nullopt, {});
    if (!claim) return fail(std::move(claim.error()));
    return run_change(engine(), *std::move(claim), {}, {});
  }
  /// What the worker does: plans anew, and executes whatever its gate lets in and no operator has
  /// to let run.
  void drive() {
    for (bool moved = true; moved;) {
      moved = false;
      for (const auto& change : changes()) {
        if (change.finished()) continue;
        const auto current = replan_if_stale(engine(), change, {});
        if (!current || current->finished() || current->environment == "production") continue;
        if (run(current->id)) moved = true;
      }
    }
  }
  [[nodiscard]] std::vector<AuditEntry> log() {
    std::vector<AuditEntry> entries;
    auto records = in_transaction(*store, Access::Read, [](Transaction& transaction) {
      return transaction.log_records(0, 100'000);
    });
    EXPECT_TRUE(records);
    for (const auto& record : *records) {
      entries.push_back(*audit_entry_from_json(*parse_json(record.body)));
    }
    return entries;
  }
  [[nodiscard]] std::size_t logged(const std::string& action, Outcome outcome) {
    const auto entries = log();
    return static_cast<std::size_t>(std::count_if(
        entries.begin(), entries.end(),
        [&](const auto& entry) { return entry.action == action && entry.outcome == outcome; }));
  }

  /// A bundle is accepted, and `dev` and `test` stand with this artifact, verified.
  void reach_test(const std::string& digest) {
    init();
    ASSERT_TRUE(apply("alice"));
    drive();
    for (const char* stage : {"dev", "test"}) {
      const auto promoted = promote("service:ci", digest, stage);
      ASSERT_TRUE(promoted) << promoted.error().render();
      drive();
      ASSERT_EQ(state_of(stage).artifacts["web"], reference(digest)) << stage;
    }
  }
  /// Beyond that it stands in `staging`, approved there by bob.
  void reach_staging(const std::string& digest) {
    reach_test(digest);
    const auto promoted = promote("service:ci", digest, "staging");
    ASSERT_TRUE(promoted) << promoted.error().render();
    for (const auto& change : changes()) {
      if (change.finished() || change.environment != "staging") continue;
      const auto current = replan_if_stale(engine(), change, {});
      ASSERT_TRUE(current);
      if (current->finished()) continue;  // The other one has done it all.
      const auto approved = decide(change.id, "bob");
      ASSERT_TRUE(approved) << approved.error().render();
      drive();
    }
    ASSERT_EQ(state_of("staging").artifacts["web"], reference(digest));
  }

  FakeClock clock;
  FakeRandom random;
  FakeCloud cloud;
  FakeRegistry registry;
  std::unique_ptr<MoodyStore> store;
  std::unique_ptr<LogKey> log_key;
  std::shared_ptr<LeakyProvider> provider;
  int opened = 0;     ///< How often an account was opened.
  Secret credential;  ///< What it was opened with last.
  std::string specs;

 private:
  std::unique_ptr<TemporaryFolder> folder_;
  std::unique_ptr<Sealer> sealer_;
  std::unique_ptr<Opener> opener_;
  ProviderPlugins plugins_;
  std::unique_ptr<Engine> engine_;
  std::map<std::string, TestKey> keys_;
  int lost_ = 0;
};

/// The code of a failure, or its kind in brackets when it has none; empty for a success.
template <class T>
[[nodiscard]] std::string code_of(const Result<T>& result) {
  if (result) return {};
  if (!result.error().code().empty()) return result.error().code();
  return "[" + std::string(to_string(result.error().kind())) + "]";
}

}  // namespace bailey::test
