// Applies one plan with the real executor and a real store to a provider that only takes its time,
// and prints what it took as one JSON object.
//
//   bench_apply GRAPH RESOURCES LATENCY_MS CONCURRENCY FOLDER [PORT]
//
//   GRAPH   flat: nothing depends on anything; layered: servers on networks, groups and secrets
//   FOLDER  where the database is made: a disk that syncs, or memory
//   PORT    of a server on loopback that answers after LATENCY_MS: calls are real HTTP then

#include "orchestrator/base/json.hpp"
#include "orchestrator/net/curl_http_client.hpp"
#include "orchestrator/net/limited_http_client.hpp"
#include "orchestrator/provision/apply/executor.hpp"
#include "orchestrator/provision/plan/planner.hpp"
#include "orchestrator/provision/plan/references.hpp"
#include "orchestrator/record/store/sqlite_state_store.hpp"

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

namespace {

using namespace bailey;
using std::chrono::milliseconds;

template <class T>
T expect(Result<T> result) {
  if (result) return *std::move(result);
  std::fprintf(stderr, "%s\n", result.error().render().c_str());
  std::exit(1);
}

/// Every create is one call of the same length. It counts how many are under way.
class SlowProvider final : public Provider {
 public:
  using Call = std::function<Status(std::stop_token)>;
  explicit SlowProvider(Call call) : call_(std::move(call)) {}

  [[nodiscard]] int most_in_flight() const { return most_; }

  Result<Observed> create(const ResourceRequest& request, std::stop_token stop) override {
    const int now = ++in_flight_;
    for (int most = most_; now > most && !most_.compare_exchange_weak(most, now);) continue;
    auto done = call_(stop);
    --in_flight_;
    if (!done) return fail(std::move(done.error()));
    const auto id = "id-of-" + request.marker.address.local();
    return Observed{.type = request.type,
                    .provider_id = id,
                    .inputs = request.inputs,
                    .attributes = {{"id", id}, {"ref", "secret://" + id}},
                    .marker = request.marker,
                    .name = {}};
  }

  Result<std::vector<Observed>> list(const std::string&, const std::string&,
                                     std::stop_token) override {
    return std::vector<Observed>();
  }
  Result<std::vector<Observed>> find(const std::string&, const std::string&, const Marker&,
                                     std::stop_token) override {
    return std::vector<Observed>();
  }

  // An apply that only makes calls none of these.
  Result<std::string> ensure_boundary(const BoundaryRequest&, std::stop_token) override {
    return never();
  }
  Result<std::optional<std::string>> find_boundary(const EnvironmentUid&,
                                                   std::stop_token) override {
    return never();
  }
  Result<std::vector<FoundBoundary>> list_boundaries(std::stop_token) override { return never(); }
  Status remove_boundary(const std::string&, std::stop_token) override { return never(); }
  Result<std::optional<Observed>> read(const std::string&, const std::string&, const std::string&,
                                       std::stop_token) override {
    return never();
  }
  Result<Observed> update(const ResourceRequest&, const std::string&, const Json&,
                          std::stop_token) override {
    return never();
  }
  Status remove(const std::string&, const std::string&, const std::string&,
                std::stop_token) override {
    return never();
  }
  Result<Identity> ensure_identity(const IdentityRequest&, const std::optional<Identity>&,
                                   std::stop_token) override {
    return never();
  }
  Status remove_identity(const std::string&, std::stop_token) override { return never(); }
  Result<IssuedCredential> issue(const Identity&, const IssueRequest&, std::stop_token) override {
    return never();
  }
  Status revoke(const Identity&, const std::string&, std::stop_token) override { return never(); }
  Result<std::map<std::string, Secret>> tool_environment(const Secret&) const override {
    return never();
  }
  Result<std::vector<ProbeAttempt>> probe(const Secret&, const ProbeTarget&,
                                          std::stop_token) override {
    return never();
  }

 private:
  static tl::unexpected<Error> never() { return fail(ErrorKind::Unsupported, "not expected"); }

  Call call_;
  std::atomic<int> in_flight_{0};
  std::atomic<int> most_{0};
};

ProviderSchema schema_of_anything() {
  ProviderSchema schema;
  schema.name = "slow";
  for (const char* type : {"network", "security-group", "secret", "server"}) {
    schema.resource_types[type].name = type;
  }
  return schema;
}

class Declared {
 public:
  void add(const std::string& name, const std::string& type, Json fields) {
    DesiredResource resource;
    resource.address = {"bench", name, std::nullopt};
    resource.type = type;
    for (const auto& reference : resource_references(fields)) {
      resource.depends_on.push_back({"bench", reference.resource, reference.index});
    }
    resource.fields = std::move(fields);
    expansion.resources.push_back(std::move(resource));
  }
  Expansion expansion;
};

Expansion flat(int count) {
  Declared declared;
  for (int i = 0; i < count; ++i) {
    declared.add("secret-" + std::to_string(i), "secret", {{"generate", {{"length", 32}}}});
  }
  return declared.expansion;
}

/// One in a hundred is a network, two are groups, seven secrets, and the servers use them.
Expansion layered(int count) {
  const int networks = std::max(1, count / 100);
  Declared declared;
  const auto name = [](const char* kind, int i) { return kind + std::to_string(i); };
  for (int i = 0; i < networks; ++i) {
    declared.add(name("net-", i), "network", {{"cidr", "10.20.0.0/24"}});
  }
  for (int i = 0; i < 2 * networks; ++i) {
    declared.add(name("group-", i), "security-group",
                 {{"ingress", {{{"protocol", "tcp"}, {"port", 443}, {"from", "0.0.0.0/0"}}}}});
  }
  for (int i = 0; i < 7 * networks; ++i) {
    declared.add(name("secret-", i), "secret", {{"generate", {{"length", 32}}}});
  }
  for (int i = 10 * networks; i < count; ++i) {
    const auto used = [&](const char* kind, int of, const char* field = "") {
      return "${resource." + name(kind, i % of) + field + "}";
    };
    declared.add(name("server-", i), "server",
                 {{"flavor", "small"},
                  {"image", "cirros"},
                  {"network", used("net-", networks)},
                  {"securityGroups", {used("group-", 2 * networks)}},
                  {"metadata", {{"password", used("secret-", 7 * networks, ".ref")}}}});
  }
  return declared.expansion;
}

/// The environment as it stands before its first change, under a lease.
Fence prepare(StateStore& store, const EnvironmentState& environment, WallTime now) {
  return expect(
      in_transaction(store, Access::Write, [&](Transaction& transaction) -> Result<Fence> {
        auto put = transaction.put(Collection::Environment, environment.name, to_json(environment));
        if (!put) return fail(std::move(put.error()));
        return acquire_lease(transaction, environment.name, "bench", kDefaultLeaseTtl, now);
      }));
}

/// How many transactions recorded something: each writes the environment's serial once.
std::uint64_t recording_transactions(StateStore& store) {
  return expect(in_transaction(store, Access::Read,
                               [](Transaction& transaction) {
                                 return transaction.get(Collection::Environment, "bench");
                               }))
             ->version -
         1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) return 64;
  const std::string graph = argv[1];
  const int count = std::atoi(argv[2]);
  const milliseconds latency(std::atoi(argv[3]));
  const int concurrency = std::atoi(argv[4]);
  const std::filesystem::path folder = argv[5];
  const std::string port = argc > 6 ? argv[6] : "";

  SystemClock clock;
  SystemRandom random;
  CurlHttpClient http;
  LimitedHttpClient limited(http, clock, concurrency, 0);
  SlowProvider provider([&](std::stop_token stop) -> Status {
    if (port.empty()) {
      std::this_thread::sleep_for(latency);
      return {};
    }
    auto answer = limited.send({.method = "POST",
                                .url = "http://127.0.0.1:" + port + "/machines",
                                .headers = {{"content-type", "application/json"}},
                                .body = R"({"name": "bench"})"},
                               stop);
    if (!answer) return fail(std::move(answer.error()));
    return answer->status == 201 ? Status() : fail(ErrorKind::Protocol, "not made");
  });

  const auto schema = schema_of_anything();
  EnvironmentState environment;
  environment.uid = EnvironmentUid("env-1");
  environment.name = "bench";
  environment.status = EnvironmentStatus::Applying;
  environment.boundary = "boundary";
  const auto desired = graph == "flat" ? flat(count) : layered(count);
  const auto plan = expect(make_plan({.kind = PlanKind::Apply,
                                      .desired = desired,
                                      .environment = environment,
                                      .resources = {},
                                      .refreshed = {},
                                      .schema = schema,
                                      .policy_digest = "",
                                      .template_digest = "",
                                      .artifacts = {}}));
  const auto store = expect(SqliteStateStore::open(folder / "bench.db"));
  const auto fence = prepare(*store, environment, clock.wall_now());

  const auto began = std::chrono::steady_clock::now();
  const auto report = expect(apply_plan({.store = *store,
                                         .provider = provider,
                                         .schema = schema,
                                         .clock = clock,
                                         .random = random,
                                         .concurrency = concurrency},
                                        plan, environment.boundary, fence, {}));
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  if (!report.ok() || report.operations.size() != static_cast<std::size_t>(count)) {
    std::fprintf(stderr, "%s\n", to_json(report).dump(1).substr(0, 2000).c_str());
    return 1;
  }
  std::printf("%s\n",
              Json{{"makespan", took.count()},
                   {"reported_bound", static_cast<double>(report.lower_bound.count()) / 1e3},
                   {"most_in_flight", provider.most_in_flight()},
                   {"recording_transactions", recording_transactions(*store)}}
                  .dump()
                  .c_str());
  return 0;
}
