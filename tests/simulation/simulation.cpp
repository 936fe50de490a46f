#include "tests/simulation/simulation.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/provision/apply/journal.hpp"
#include "orchestrator/provision/apply/teardown.hpp"
#include "orchestrator/provision/plan/differ.hpp"
#include "orchestrator/provision/plan/references.hpp"
#include "orchestrator/record/audit/merkle.hpp"
#include "orchestrator/record/store/sqlite_state_store.hpp"
#include "tests/simulation/server.hpp"
#include "tests/support/temporary_folder.hpp"

#include <algorithm>
#include <deque>

namespace bailey::test {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr int kLivesInTrouble = 4;
constexpr int kLivesInCalm = 4;
/// More than a slow call and the longest hiding together.
constexpr seconds kGrace{120};
const EnvironmentUid kUid("env-1");
const char* const kBoundary = "boundary-env-1";

class Simulation {
 public:
  Simulation(std::uint64_t seed, Sabotage sabotage)
      : dice_(seed),
        scheduler_(seed ^ 0x9E3779B97F4A7C15U, trace_),
        store_(SqliteStateStore::open(folder_.path() / "state.db").value()),
        spec_(dice_),
        cloud_(scheduler_, dice_, trace_, *store_, spec_) {
    cloud_.sabotage = sabotage;
    cloud_.faults = Faults::drawn(dice_);
    assignment_.schema = fake_provider_schema(
        sabotage == Sabotage::NoGrace || sabotage == Sabotage::NoLookUp ? seconds(0) : kGrace);
    assignment_.concurrency = dice_.between(1, 16);
  }

  Trace run() {
    scheduler_.run([this] { conduct(); });
    return std::move(trace_);
  }

 private:
  bool going() const { return trace_.violations().empty(); }

  void conduct() {
    set_up();
    const int rounds = dice_.between(1, 3);
    for (int round = 0; round < rounds && going(); ++round) {
      if (round > 0) spec_.change();
      assignment_.desired = spec_.expansion();
      trace_.add(scheduler_.now(), "round {} with {} resources", round, spec_.size());
      plan_trouble();
      for (int life = 0; life < kLivesInTrouble && going(); ++life) {
        if (live_once()) break;
      }
    }
    settle();
    if (!dice_.happens(0.4) || !going()) return;
    cloud_.calm = false;
    cloud_.faults = troubles_;
    assignment_.kind = PlanKind::Destroy;
    trace_.add(scheduler_.now(), "everything is to go");
    plan_trouble();
    for (int life = 0; life < kLivesInTrouble && going(); ++life) {
      if (live_once()) break;
    }
    settle();
  }

  void set_up() {
    troubles_ = cloud_.faults;
    cloud_.fake.set_hides_reads(dice_.happens(0.5));
    EXPECT_TRUE(cloud_.inner.ensure_boundary({kUid, "dev", "project"}, {}));
    EnvironmentState environment;
    environment.uid = kUid;
    environment.name = "dev";
    environment.status = EnvironmentStatus::Applying;
    environment.boundary = kBoundary;
    EXPECT_TRUE(in_transaction(*store_, Access::Write, [&](Transaction& transaction) -> Status {
      auto put = transaction.put(Collection::Environment, "dev", to_json(environment));
      if (!put) return fail(std::move(put.error()));
      return {};
    }));
    has_strangers_ = dice_.happens(0.5);
    if (has_strangers_) cloud_.put_strangers();
    // Small ones find as much as large ones, and sooner.
    spec_.declare(dice_.happens(0.1) ? dice_.between(20, 60) : dice_.between(3, 14));
  }

  /// What happens at times of its own in a round.
  void plan_trouble() {
    const auto& faults = cloud_.faults;
    const auto some_time = [&] {
      return scheduler_.now() + dice_.time_between(VirtualTime(0), minutes(4));
    };
    const auto soon = [&](VirtualTime from, std::function<void()> event) {
      scheduler_.at(from, [this, event = std::move(event)] {
        if (!cloud_.calm) event();
      });
    };
    if (dice_.happens(faults.outage)) {
      const auto begin = some_time();
      soon(begin, [this] { cloud_.outage = true; });
      soon(begin + dice_.time_between(seconds(1), minutes(2)), [this] { cloud_.outage = false; });
    }
    if (dice_.happens(faults.disk_full)) {
      const auto begin = some_time();
      const auto how = dice_.happens(0.5) ? Disk::Full : Disk::Broken;
      soon(begin, [this, how] { disk_ = how; });
      soon(begin + dice_.time_between(seconds(1), minutes(3)), [this] { disk_ = Disk::Well; });
    }
    for (int i = 0; i < 3; ++i) {
      if (dice_.happens(faults.drift)) soon(some_time(), [this] { cloud_.drift_something(); });
      if (dice_.happens(faults.loss)) soon(some_time(), [this] { cloud_.lose_something(); });
    }
    if (dice_.happens(faults.quota)) soon(some_time(), [this] { cloud_.limit_something(); });
    if (dice_.happens(faults.terminate)) {
      soon(some_time(), [this] {
        if (servers_.empty()) return;
        trace_.add(scheduler_.now(), "{} is asked to stop", servers_.back().process.name);
        servers_.back().stop.request_stop();
      });
    }
  }

  /// One server until it ends, perhaps with another one beside it. True when one of them found that
  /// nothing is left to do.
  bool live_once() {
    bool settled = false;
    {
      const auto one = start_server(settled, VirtualTime(0));
      std::unique_ptr<Thread> other;
      if (!cloud_.calm && dice_.happens(cloud_.faults.standby)) {
        other = start_server(settled, dice_.time_between(VirtualTime(0), minutes(2)));
      }
    }
    return settled;
  }

  std::unique_ptr<Thread> start_server(bool& settled, VirtualTime after) {
    auto& server = servers_.emplace_back();
    server.process.name = "p" + std::to_string(servers_.size());
    auto& life = lives_.emplace_back(cloud_, server, *store_, disk_, assignment_);
    return scheduler_.start(server.process, [this, &server, &life, &settled, after] {
      VirtualClock(scheduler_).sleep_for(after, {});
      trace_.add(scheduler_.now(), "{} begins", server.process.name);
      settled = life.live() || settled;
      trace_.add(scheduler_.now(), "{} ends", server.process.name);
    });
  }

  /// Without further faults everything comes to its end, and once all has shown, stays there.
  void settle() {
    cloud_.calm_down();
    disk_ = Disk::Well;
    for (const auto wait : {minutes(0), minutes(10), minutes(10)}) {
      VirtualClock(scheduler_).sleep_for(wait, {});
      if (!settles()) return violation("it does not come to its end without faults");
    }
    const auto before = trace_.size();
    if (!live_once() || changed_since(before)) violation("its next plan is not empty");
    check_end();
  }

  bool settles() {
    for (int life = 0; life < kLivesInCalm && going(); ++life) {
      if (live_once()) return true;
    }
    return !going();
  }

  bool changed_since(std::size_t line) const {
    return std::any_of(
        trace_.lines().begin() + static_cast<std::ptrdiff_t>(line), trace_.lines().end(),
        [](const std::string& text) { return text.find(" commits ") != std::string::npos; });
  }

  void violation(std::string what) { trace_.violation(scheduler_.now(), std::move(what)); }

  template <class T>
  T look(const std::function<Result<T>(Transaction&)>& body) {
    return in_transaction(*store_, Access::Read, body).value();
  }

  void check_end() {
    const auto states = look<std::vector<ResourceState>>(
        [](Transaction& transaction) { return load_resources(transaction, "dev"); });
    const auto intents = look<std::vector<Intent>>(
        [](Transaction& transaction) { return load_intents(transaction, "dev"); });
    if (!intents.empty()) violation("an intent is left of " + intents[0].address.str());
    if (!cloud_.are_strangers_untouched()) violation("something that is not ours was changed");
    check_records(states);
    if (assignment_.kind == PlanKind::Apply) check_declared(states);
    if (assignment_.kind == PlanKind::Destroy) check_destroyed(states);
    check_log(states);
  }

  void check_records(const std::vector<ResourceState>& states) {
    std::map<std::string, const ResourceState*> by_id;
    for (const auto& state : states) by_id[state.provider_id] = &state;
    std::size_t ours = 0;
    for (const auto& resource : cloud_.fake.resources()) {
      if (!resource.marker || resource.marker->environment_uid != kUid) continue;
      ++ours;
      const auto state = by_id.find(resource.id);
      if (state == by_id.end()) {
        violation("nobody knows " + resource.id + ", " + resource.marker->str());
      } else if (state->second->address != resource.marker->address || !resource.complete ||
                 state->second->generation != resource.marker->generation) {
        violation("the record of " + resource.id + " is another");
      }
    }
    if (ours != states.size()) violation("something is recorded that is not there");
  }

  void check_declared(const std::vector<ResourceState>& states) {
    std::map<ResourceAddress, const ResourceState*> recorded;
    for (const auto& state : states) recorded[state.address] = &state;
    const auto lookup = [&](const ResourceAddress& address) -> const ResourceState* {
      const auto found = recorded.find(address);
      return found == recorded.end() ? nullptr : found->second;
    };
    for (const auto& wanted : assignment_.desired.resources) {
      const auto* state = lookup(wanted.address);
      const auto there = state == nullptr ? std::nullopt : cloud_.fake.with_id(state->provider_id);
      const auto fields = resolve_inputs(wanted.fields, "dev", lookup);
      if (!there || !fields) {
        violation(wanted.address.str() + " is declared and not there");
      } else if (there->type != wanted.type ||
                 !diff_fields(assignment_.schema.resource_types.at(wanted.type), *fields, *fields,
                              there->inputs)
                      .fields.empty()) {
        violation(wanted.address.str() + " is not as declared: " + there->inputs.dump());
      }
    }
    if (states.size() != assignment_.desired.resources.size()) violation("too much is there");
  }

  void check_destroyed(const std::vector<ResourceState>& states) {
    if (!states.empty()) violation("something is left of what is to go");
    const auto torn = teardown(cloud_.inner, assignment_.schema, kUid, kBoundary, {});
    if (torn.has_value() == has_strangers_) violation("the boundary did not go as it should");
  }

  void check_log(const std::vector<ResourceState>& states) {
    struct Log {
      std::vector<LogRecord> records;
      std::string root;
    };
    const auto log = look<Log>([](Transaction& transaction) -> Result<Log> {
      auto records = transaction.log_records(0, 1000000);
      if (!records) return fail(std::move(records.error()));
      auto root = transaction.log_root(records->size());
      if (!root) return fail(std::move(root.error()));
      return Log{*std::move(records), *std::move(root)};
    });
    MerkleTree tree;
    std::set<std::string> told;
    for (const auto& record : log.records) {
      tree.append(leaf_hash(record.body));
      const auto entry = audit_entry_from_json(parse_json(record.body).value());
      if (entry && entry->outcome == Outcome::Ok) told.insert(entry->target);
    }
    const auto root = tree.root();
    if (std::string(root.begin(), root.end()) != log.root) violation("the log's root differs");
    for (const auto& state : states) {
      if (!told.contains("resource:" + state.address.str())) {
        violation("the log does not tell of " + state.address.str());
      }
    }
  }

  Trace trace_;
  Dice dice_;
  TemporaryFolder folder_;
  Scheduler scheduler_;
  std::unique_ptr<SqliteStateStore> store_;
  SpecModel spec_;
  SimulatedCloud cloud_;
  Faults troubles_;
  Assignment assignment_;
  Disk disk_ = Disk::Well;
  bool has_strangers_ = false;
  std::deque<Server> servers_;
  std::deque<ServerLife> lives_;
};

}  // namespace

Trace simulate(std::uint64_t seed, Sabotage sabotage) {
  return Simulation(seed, sabotage).run();
}

std::string replay_command(std::uint64_t seed) {
  return fmt::format("scripts/simulate --replay {}", seed);
}

}  // namespace bailey::test
