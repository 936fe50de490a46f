// One change of production, and everything that may happen to it in any order: ten thousand orders,
// by seed. Whenever one is let through, an oracle that shares nothing with the gate counts again
// from the store and the log.

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/serve/engine/bundle_record.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/manage_changes.hpp"
#include "orchestrator/serve/engine/policy_change.hpp"
#include "tests/support/engine_world.hpp"
#include "tests/support/temporary_folder.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <iostream>
#include <random>

namespace bailey {
namespace {

using test::EngineWorld;

constexpr std::array<const char*, 6> kApprovers{"carol", "dave", "bob", "zed", "gina", "alice"};
constexpr std::array<const char*, 4> kExecutors{"erin", "bob", "alice", "service:ci"};

/// The promotion waits in production, long enough in staging, and the world can be brought back to
/// that moment.
class Moment {
 public:
  Moment() {
    digest = world.registry.push("one");
    world.reach_staging(digest);
    world.clock.advance(std::chrono::hours(1));
    EXPECT_TRUE(
        world.submit("service:ci", digest, {world.authorship(digest, {"alice@acme.example"})}));
    const auto first = world.waiting_in("production");
    EXPECT_TRUE(cancel_change(world.engine(), EngineWorld::as("alice"), first.id));
    world.clock.advance(std::chrono::hours(25));
    const auto promoted = world.promote("service:ci", digest, "production");
    EXPECT_TRUE(promoted && *promoted);
    id = (*promoted)->id;
    bundles.push_back((*world.engine().bundle())->digest);
    know_bundle("security: [dave]", "security: [bob]");
    know_bundle("managers: [alice, bob, carol, frank, gina, zed]", "managers: [alice, bob, gina]");
    know_bundle("from: group:managers, count: 1}, {from", "from: group:managers, count: 2}, {from");
    world.store->replace(nullptr);
    image_ = *read_file(world.folder() / "state.db", 64U << 20);
  }

  void bring_back() {
    const auto file = folder_.path() / (std::to_string(++runs_) + ".db");
    ASSERT_TRUE(write_file(file, image_));
    auto store = SqliteStateStore::open(file);
    ASSERT_TRUE(store) << store.error().render();
    world.store->replace(*std::move(store));
    std::error_code ignored;
    std::filesystem::remove(folder_.path() / (std::to_string(runs_ - 1) + ".db"), ignored);
  }

  EngineWorld world;
  std::string digest;
  ChangeId id;
  std::vector<std::string> bundles;  ///< Digests of what may come to be accepted.

 private:
  /// Stores a bundle that differs in one place.
  void know_bundle(const std::string& from, const std::string& to) {
    const auto before = world.specs;
    world.edit(from, to);
    const auto proposed = world.apply("alice");
    ASSERT_TRUE(proposed) << proposed.error().render();
    const ChangeId policy(member(*proposed, "changes").at(0).get<std::string>());
    bundles.push_back(world.load(policy).bundle_digest);
    ASSERT_TRUE(cancel_change(world.engine(), EngineWorld::as("alice"), policy));
    world.specs = before;
  }

  test::TemporaryFolder folder_;
  std::string image_;
  int runs_ = 0;
};

/// Counts again. Reads records, payloads and documents; asks no function of the gate.
class Oracle {
 public:
  Oracle(EngineWorld& world, const ChangeId& id) : world_(world), change_(world.load(id)) {
    const auto read =
        in_transaction(*world.store, Access::Read, [&](Transaction& transaction) -> Status {
          const auto approvals = transaction.list(
              Collection::Approval, {.prefix = id.str() + "/", .after = {}, .limit = 0});
          for (const auto& record : *approvals) approvals_.push_back(record.body);
          const auto reference = change_.plan.artifacts.at("web");
          const auto artifact = reference.substr(reference.rfind('@') + 1);
          const auto evidence = transaction.list(
              Collection::Evidence, {.prefix = artifact + "/", .after = {}, .limit = 0});
          for (const auto& record : *evidence) evidence_.push_back(record.body);
          documents_ = (*world.engine().bundle(transaction))->documents;
          return {};
        });
    EXPECT_TRUE(read);
  }

  /// Empty when the change was rightly let through.
  [[nodiscard]] std::string wrong() const {
    const auto managers = group("managers");
    const auto security = group("security");
    std::set<std::string> yes;
    for (const auto& [person, decision] : last_words()) {
      if (decision == "reject") return person + " had rejected it";
      if (decision == "approve") yes.insert(person);
    }
    for (const auto& person : apart_from()) yes.erase(person);
    std::set<std::string> ones;
    std::set<std::string> others;
    for (const auto& person : yes) {
      if (managers.contains(person)) ones.insert(person);
      if (security.contains(person)) others.insert(person);
    }
    const auto needed = managers_needed();
    std::set<std::string> both = ones;
    both.insert(others.begin(), others.end());
    if (ones.size() < needed || others.empty() || both.size() < needed + 1) {
      return "too few people had approved it: " + enumerate({both.begin(), both.end()});
    }
    return log_is_wrong();
  }

 private:
  static Json payload_of(const Json& envelope) {
    return *parse_json(*from_base64(envelope.at("payload").get<std::string>()));
  }

  [[nodiscard]] const Json& document(const std::string& kind, const std::string& name) const {
    for (const auto& each : documents_) {
      if (each.at("kind") == kind && each.at("name") == name) return each.at("spec");
    }
    return documents_;
  }
  /// No group of this world nests.
  [[nodiscard]] std::set<std::string> group(const char* name) const {
    return document("Directory", "acme").at("groups").at(name).get<std::set<std::string>>();
  }
  [[nodiscard]] std::size_t managers_needed() const {
    const auto& gate = document("Environment", "production").at("gate");
    return gate.at(2).at("approvals").at("rules").at(0).at("count").get<std::size_t>();
  }

  /// The newest decision of each person that is about what was executed and holds still.
  [[nodiscard]] std::map<std::string, std::string> last_words() const {
    std::vector<std::string> evidence;
    for (const auto& each : evidence_) evidence.push_back(digest_of(each));
    std::sort(evidence.begin(), evidence.end());
    std::map<std::string, std::pair<std::string, std::string>> words;
    const auto now = format_time(world_.clock.wall_now());
    for (const auto& each : approvals_) {
      const auto said = payload_of(each.at("envelope")).at("predicate");
      const bool about_this = said.at("plan").at("digest") == change_.plan.digest &&
                              said.at("evidence") == Json(evidence) &&
                              said.at("change").at("id") == change_.id.str();
      const bool holds = said.at("decision") != "approve" || now < said.at("expiresAt");
      if (!about_this || !holds) continue;
      auto& word = words[said.at("approver")];
      const std::string issued = said.at("issuedAt");
      if (issued >= word.first) word = {issued, said.at("decision")};
    }
    std::map<std::string, std::string> out;
    for (const auto& [person, word] : words) out[person] = word.second;
    return out;
  }

  /// Authors, who stands behind ci (which asked), and the executor.
  [[nodiscard]] std::set<std::string> apart_from() const {
    std::set<std::string> people{"zed", to_string(*change_.executor)};
    for (const auto& each : evidence_) {
      const auto statement = payload_of(each);
      for (const auto& commit : statement.at("predicate").at("commits")) {
        for (const auto& author : commit.at("authors")) {
          const auto address = author.get<std::string>();
          people.insert(address.substr(0, address.find('@')));
        }
      }
    }
    return people;
  }

  [[nodiscard]] std::string log_is_wrong() const {
    std::set<std::string> approved;
    bool executed = false;
    for (const auto& entry : world_.log()) {
      if (entry.target != "change:" + change_.id.str() || entry.outcome != Outcome::Ok) continue;
      if (executed) return "the log goes on after the change was executed";
      if (entry.action == "change.approve") approved.insert(entry.actor);
      executed = entry.action == "change.execute";
      if (executed && approved.contains(entry.actor) && entry.actor != "erin") {
        return entry.actor + " approved and executed it";
      }
    }
    if (!executed) return "the log does not know that it was executed";
    return approved.size() < 2 ? "the log knows of fewer than two who approved" : "";
  }

  EngineWorld& world_;
  Change change_;
  std::vector<Json> approvals_;
  std::vector<Json> evidence_;
  Json documents_;
};

/// One order of events.
class Order {
 public:
  Order(Moment& moment, std::uint64_t seed)
      : moment_(moment), world_(moment.world), random_(seed) {}

  /// Whether the change was let through in the end.
  bool go() {
    for (int i = 0; i < 14; ++i) {
      if (claim_next()) {
        if (random_() % 3 == 0) world_.store->before_write(1 + pick(3), [this] { happens(); });
        const bool claimed = claim();
        world_.store->before_write(0, {});  // What has not happened by now does not.
        if (claimed) return true;
      } else {
        happens();
      }
    }
    return false;
  }
  [[nodiscard]] std::string told() const { return join(events_, ", "); }

 private:
  int pick(std::size_t among) { return static_cast<int>(random_() % among); }
  bool claim_next() { return random_() % 4 == 0; }

  bool claim() {
    world_.engine().checks().put(moment_.id, world_.load(moment_.id).plan.digest, {{4, {true, ""}}},
                                 world_.clock.monotonic_now());
    const auto who = pick(8);
    if (who == 7) {
      events_.emplace_back("Bailey claims");
      return claim_change(world_.engine(), moment_.id, std::nullopt, {}).has_value();
    }
    const auto* name = kExecutors[static_cast<std::size_t>(who) % kExecutors.size()];
    events_.push_back(std::string(name) + " claims");
    return claim_by_operator(world_.engine(), EngineWorld::as(name), moment_.id, {}).has_value();
  }

  void prepare(const char* who, Decision decision) {
    if (auto payload = world_.payload_for(moment_.id, who, decision)) {
      prepared_.emplace_back(who, *std::move(payload));
    }
  }
  void submit() {
    if (prepared_.empty()) return;
    const auto at = prepared_.begin() + pick(prepared_.size());
    [[maybe_unused]] const auto given =
        submit_decision(world_.engine(), EngineWorld::as(at->first), moment_.id,
                        to_json(world_.key(at->first).envelope(at->second)));
    if (random_() % 4 != 0) prepared_.erase(at);  // Else it is tried once more.
  }
  const char* somebody() {
    // Those who may are asked more often.
    return kApprovers[static_cast<std::size_t>(pick(random_() % 3 == 0 ? kApprovers.size() : 2))];
  }

  void accept(std::size_t which) {
    const auto accepted = in_transaction(*world_.store, Access::Write, [&](Transaction& change) {
      return accept_bundle(world_.engine(), change,
                           own_entry(world_.engine(), "bundle.accept", "organization"),
                           moment_.bundles[which]);
    });
    EXPECT_TRUE(accepted) << accepted.error().render();
  }

  void happens() {
    const auto what = pick(20);
    const auto* who = somebody();
    events_.push_back(fmt::format("{} ({})", what, who));
    if (what < 6) {
      prepare(who, Decision::Approve);
      if (what < 5) submit();
    } else if (what < 9) {
      submit();
    } else if (what == 9) {
      prepare(who, random_() % 10 == 0 ? Decision::Reject : Decision::Approve);
    } else if (what == 10) {
      prepare(who, Decision::Revoke);
      submit();
    } else if (what == 11) {
      accept(static_cast<std::size_t>(pick(moment_.bundles.size())));
    } else if (what == 12) {
      const std::string author = std::string(who) + "@acme.example";
      EXPECT_TRUE(world_.submit("service:ci", moment_.digest,
                                {world_.authorship(moment_.digest, {author})}));
    } else if (what == 13) {
      world_.clock.advance(std::chrono::hours(1 + pick(8)));
    } else if (what < 17) {
      EXPECT_TRUE(replan_if_stale(world_.engine(), world_.load(moment_.id), {}));
    } else {
      world_.clock.advance(std::chrono::seconds(pick(100)));
      prepare(kApprovers[static_cast<std::size_t>(pick(2))], Decision::Approve);
      submit();
    }
  }

  Moment& moment_;
  EngineWorld& world_;
  std::mt19937_64 random_;
  std::vector<std::pair<const char*, std::string>> prepared_;
  std::vector<std::string> events_;
};

// As many as BAILEY_INTERLEAVINGS says (10,000 take some five minutes), 500 where it says nothing.
TEST(Interleavings, NoneLetsThroughWhatTooFewPeopleApproved) {
  const char* wanted = std::getenv("BAILEY_INTERLEAVINGS");
  const auto count = wanted == nullptr ? 500U : std::strtoul(wanted, nullptr, 10);
  Moment moment;
  std::size_t through = 0;
  for (std::uint64_t seed = 0; seed < count; ++seed) {
    moment.bring_back();
    if (HasFatalFailure()) return;
    Order order(moment, seed);
    if (!order.go()) continue;
    ++through;
    const auto wrong = Oracle(moment.world, moment.id).wrong();
    ASSERT_EQ(wrong, "") << "seed " << seed << ": " << order.told();
  }
  std::cout << count << " interleavings, " << through << " let through\n";
  // Where nothing is let through, nothing is shown.
  EXPECT_GT(through, count / 20);
}

}  // namespace
}  // namespace bailey
