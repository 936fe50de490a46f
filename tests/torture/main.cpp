// A bailey server that can be told where to die, and a cloud that outlives it: two processes of one
// program, built from the project's own libraries. tests/torture/torture.py starts them.
//
//   torture cloud --openrc FILE --log FILE [--faults FILE]
//   torture server --data FOLDER --specs FILE [--destroy ENVIRONMENT] [--name NAME]
//                  [--die N | --halt N | --cut N] [--from-first-intent] [--points FILE]
//                  [--lease SECONDS] [--grace SECONDS]
//
// The server takes up what an earlier one left, proposes the specs (or the end of an environment),
// carries out whatever comes of it, and says what is left to do:
//   {"empty": true, "unfinished": [], "failed": [], "struck": false}

#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/net/curl_http_client.hpp"
#include "orchestrator/provision/credential/sealing.hpp"
#include "orchestrator/record/store/sqlite_state_store.hpp"
#include "orchestrator/serve/engine/execute_change.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/log_in.hpp"
#include "orchestrator/serve/engine/plan_environment.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/engine/request_change.hpp"
#include "orchestrator/serve/identity/token_registry.hpp"
#include "providers/devcloud/devcloud.hpp"
#include "providers/openstack/openstack_plugin.hpp"
#include "tests/torture/fuse.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace bailey::torture {

namespace {

namespace fs = std::filesystem;

/// `--name value` pairs; flags have the value "1".
class Options {
 public:
  Options(int argc, char** argv) {
    for (int i = 2; i < argc; ++i) {
      const std::string name(argv[i]);
      const bool flag = i + 1 == argc || std::string_view(argv[i + 1]).starts_with("--");
      values_[name] = flag ? "1" : argv[++i];
    }
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? "" : found->second;
  }
  [[nodiscard]] std::uint64_t number(const std::string& name, std::uint64_t otherwise = 0) const {
    const auto value = text(name);
    return value.empty() ? otherwise : std::stoull(value);
  }

 private:
  std::map<std::string, std::string> values_;
};

FuseOptions fuse_options(const Options& options) {
  FuseOptions fuse;
  for (const auto& [name, fate] :
       {std::pair{"--die", Fate::Die}, {"--halt", Fate::Halt}, {"--cut", Fate::Cut}}) {
    if (options.text(name).empty()) continue;
    fuse.fate = fate;
    fuse.at = options.number(name);
  }
  fuse.from_first_intent = !options.text("--from-first-intent").empty();
  fuse.log = options.text("--points");
  return fuse;
}

/// SIGTERM, as a stop. Made before any other thread, so that all inherit the mask.
class Termination {
 public:
  Termination() {
    sigemptyset(&signals_);
    sigaddset(&signals_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    std::thread([this] {
      int received = 0;
      sigwait(&signals_, &received);
      source_.request_stop();
    }).detach();
  }
  [[nodiscard]] std::stop_token stop() const { return source_.get_token(); }

 private:
  sigset_t signals_{};
  std::stop_source source_;
};

class Server {
 public:
  Server(Engine& engine, const Options& options, std::stop_token stop)
      : engine_(engine), options_(options), stop_(std::move(stop)) {}

  Result<Json> serve() {
    auto text = read_file(options_.text("--specs"));
    if (!text) return fail(std::move(text.error()));
    sources_.specs.push_back({"specs.yaml", *std::move(text)});
    if (auto accepted = accept_first(); !accepted) return fail(std::move(accepted.error()));
    if (auto moved = drive(); !moved) return fail(std::move(moved.error()));
    if (auto proposed = propose(); !proposed) return fail(std::move(proposed.error()));
    if (auto moved = drive(); !moved) return fail(std::move(moved.error()));
    return what_is_left();
  }

 private:
  static Request request() { return {{*parse_subject("grace"), "token:torture"}, "torture"}; }

  Status accept_first() {
    auto token = bootstrap_token(engine_);
    if (!token) return fail(std::move(token.error()));
    if (!*token) return {};
    auto caller = in_transaction(engine_.store(), Access::Read, [&](Transaction& transaction) {
      return authenticate(transaction, (*token)->reveal(), engine_.clock().wall_now());
    });
    if (!caller) return fail(std::move(caller.error()));
    auto answer = accept_first_bundle(engine_, {*caller, "torture"}, sources_, {});
    if (!answer) return fail(std::move(answer.error()));
    if (member(*answer, "ok") != true) return fail(ErrorKind::InvalidArgument, answer->dump());
    return {};
  }

  Status propose() {
    const auto gone = options_.text("--destroy");
    if (!gone.empty()) {
      auto change = request_destroy(engine_, request(), gone, stop_);
      if (!change) return fail(std::move(change.error()));
      return {};
    }
    auto answer = apply_bundle(engine_, request(), {sources_, {}, {}}, stop_);
    if (!answer) return fail(std::move(answer.error()));
    if (member(*answer, "accepted") != true || !member(*answer, "refused").empty()) {
      return fail(ErrorKind::InvalidArgument, answer->dump());
    }
    return {};
  }

  /// Those of environments: what confirms the first bundle waits for its administrators, and
  /// development does not wait for them.
  Result<std::vector<Change>> changes() {
    auto all = in_transaction(engine_.store(), Access::Read,
                              [](Transaction& transaction) { return all_changes(transaction); });
    if (all) {
      std::erase_if(*all, [](const Change& change) {
        return change.environment == kOrganizationEnvironment;
      });
    }
    return all;
  }

  /// What the worker does, one change after the other.
  Status drive() {
    auto all = changes();
    if (!all) return fail(std::move(all.error()));
    for (const auto& change : *all) {
      if (change.finished() || stop_.stop_requested()) continue;
      if (auto moved = move(change); !moved) {
        return fail(std::move(moved.error()).in(change.id.str()));
      }
    }
    return {};
  }

  Status move(const Change& change) {
    const bool begun =
        change.state == ChangeState::Executing || change.state == ChangeState::Verifying;
    if (!begun) {
      auto current = replan_if_stale(engine_, change, stop_);
      if (!current) return fail(std::move(current.error()));
      if (current->finished()) return {};
    }
    auto claim = begun ? reclaim(change.id) : claim_change(engine_, change.id, std::nullopt, stop_);
    // Whoever had it was not dead, and has ended it.
    if (begun && !claim && claim.error().kind() == ErrorKind::FailedPrecondition) return {};
    if (!claim) return fail(std::move(claim.error()));
    auto ended = run_change(engine_, *std::move(claim), {}, stop_);
    if (!ended) return fail(std::move(ended.error()));
    return {};
  }

  /// As soon as the lease of whoever had it has run out.
  Result<Claim> reclaim(const ChangeId& id) {
    for (;;) {
      auto claim = reclaim_change(engine_, id);
      if (claim || claim.error().code() != "lease.held") return claim;
      if (!engine_.clock().sleep_for(std::chrono::milliseconds(20), stop_)) return claim;
    }
  }

  Result<Json> what_is_left() {
    Json left{{"empty", true}, {"unfinished", Json::array()}, {"failed", Json::array()}};
    auto all = changes();
    if (!all) return fail(std::move(all.error()));
    for (const auto& change : *all) {
      if (!change.finished()) left["unfinished"].push_back(change.id.str());
      if (change.state == ChangeState::Failed) {
        left["failed"].push_back({change.id.str(), change.history.back().detail});
      }
    }
    if (!options_.text("--destroy").empty() || stop_.stop_requested()) return left;
    auto planned = plan_sources(engine_, request(), sources_, {}, stop_);
    if (!planned) return fail(std::move(planned.error()));
    for (const auto& plan : member(*planned, "plans")) {
      for (const auto& operation : member(plan, "operations")) {
        if (member(operation, "action") == "no-op") continue;
        left["empty"] = false;
        left["operations"].push_back(operation);
      }
    }
    return left;
  }

  Engine& engine_;
  const Options& options_;
  std::stop_token stop_;
  BundleSources sources_;
};

/// A real server's grace is for clouds that show late what was made.
ProviderPlugins plugins(std::chrono::seconds grace) {
  auto plugin = openstack_plugin();
  for (auto& [name, type] : plugin.schema.resource_types) type.visibility_grace = grace;
  return {{"openstack", std::move(plugin)}};
}

Result<Json> serve(const Options& options, std::stop_token stop) {
  const fs::path data = options.text("--data");
  fs::create_directories(data);
  SystemClock clock;
  SystemRandom random;
  Fuse fuse(fuse_options(options));
  CurlHttpClient curl;
  FusedHttpClient http(curl, fuse, options.text("--name"));
  auto sqlite = SqliteStateStore::open(data / "bailey.db");
  if (!sqlite) return fail(std::move(sqlite.error()));
  FusedStore store(**sqlite, fuse);
  auto log_key = LogKey::load_or_create(data / "log.key", "torture.test", random);
  if (!log_key) return fail(std::move(log_key.error()));
  const KeyRing keys(data);
  if (auto made = keys.create_missing(random); !made) return fail(std::move(made.error()));
  auto sealer = keys.sealer();
  if (!sealer) return fail(std::move(sealer.error()));
  const auto& classes = all_environment_classes();
  auto opener = keys.opener({classes.begin(), classes.end()});
  if (!opener) return fail(std::move(opener.error()));
  const auto providers = plugins(std::chrono::seconds(options.number("--grace")));
  Engine engine({store, providers, http, clock, random, *sealer, *opener, *log_key, data,
                 std::chrono::seconds(options.number("--lease", kDefaultLeaseTtl.count()))});
  auto left = Server(engine, options, std::move(stop)).serve();
  if (left) (*left)["struck"] = fuse.struck();
  return left;
}

int run_server(const Options& options) {
  std::signal(SIGPIPE, SIG_IGN);
  const Termination termination;
  auto left = serve(options, termination.stop());
  if (left) {
    std::printf("%s\n", left->dump().c_str());
    return 0;
  }
  // It was asked to end while it planned or waited.
  const bool ended =
      termination.stop().stop_requested() && left.error().kind() == ErrorKind::Cancelled;
  if (ended) return 0;
  std::fprintf(stderr, "%s%s\n", left.error().render().c_str(),
               left.error().code().empty() ? "" : (" [" + left.error().code() + "]").c_str());
  return left.error().code() == "lease.lost" ? 75 : 1;
}

/// A line for each request, when it arrives: microseconds, who sent it, what it asks for.
class RequestLog {
 public:
  explicit RequestLog(const std::string& file)
      : file_(open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}
  void write(const ServerRequest& request) const {
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    const auto line = fmt::format("{} {} {} {}\n", now.count(),
                                  request.header("x-openstack-request-id").value_or("-"),
                                  request.method, request.path);
    [[maybe_unused]] const auto written = ::write(file_, line.data(), line.size());
  }

 private:
  int file_;
};

int run_cloud(const Options& options) {
  const RequestLog log(options.text("--log"));
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  DevcloudOptions cloud;
  cloud.openrc = options.text("--openrc");
  cloud.faults = options.text("--faults");
  cloud.build_delay = std::chrono::milliseconds(20);
  cloud.observer = [&](const ServerRequest& request) { log.write(request); };
  auto started = Devcloud::start(cloud);
  if (!started) {
    std::fprintf(stderr, "%s\n", started.error().render().c_str());
    return 1;
  }
  std::printf("%s\n", (*started)->auth_url().c_str());
  std::fflush(stdout);
  int received = 0;
  sigwait(&signals, &received);
  return 0;
}

}  // namespace

}  // namespace bailey::torture

int main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  const bailey::torture::Options options(argc, argv);
  if (command == "cloud") return bailey::torture::run_cloud(options);
  if (command == "server") return bailey::torture::run_server(options);
  std::fprintf(stderr, "torture cloud|server: see tests/torture/main.cpp\n");
  return 64;
}
