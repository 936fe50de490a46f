// Composition: the only place that names concrete classes.

#include "orchestrator/base/file.hpp"
#include "orchestrator/net/curl_http_client.hpp"
#include "orchestrator/net/http_server.hpp"
#include "orchestrator/promote/artifact/registry_schema.hpp"
#include "orchestrator/provision/credential/sealing.hpp"
#include "orchestrator/record/store/checkpointing.hpp"
#include "orchestrator/record/store/sqlite_state_store.hpp"
#include "orchestrator/serve/api/api.hpp"
#include "orchestrator/serve/cli/command_line.hpp"
#include "orchestrator/serve/engine/housekeeper.hpp"
#include "orchestrator/serve/engine/log_in.hpp"
#include "providers/devcloud/devcloud.hpp"
#include "providers/openstack/openstack_plugin.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <sys/resource.h>

namespace bailey {

namespace {

namespace fs = std::filesystem;

ProviderPlugins builtin_providers() {
  ProviderPlugins providers;
  providers["openstack"] = openstack_plugin();
  providers["oci"] = {registry_schema(), [](const ProviderContext&) {
                        return Result<std::shared_ptr<Provider>>(
                            fail(ErrorKind::Unsupported, "a registry holds no environments"));
                      }};
  return providers;
}

int report(const Error& error) {
  std::fprintf(stderr, "error: %s\n", error.render().c_str());
  return 1;
}

// The token that accepts the first bundle, where only the server's owner can read it.
Status write_bootstrap_token(Engine& engine, const fs::path& file) {
  auto token = bootstrap_token(engine);
  if (!token) return fail(std::move(token.error()));
  std::error_code ignored;
  if (*token) return write_private_file(file, std::string((*token)->reveal()) + "\n");
  fs::remove(file, ignored);
  return {};
}

void wait_for_signal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  int received = 0;
  sigwait(&signals, &received);
}

// Before any thread is started, so that every one inherits the mask and sigwait() gets the signal.
void block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

// An account may have 1024 requests in flight, each on a connection; the usual limit is 1024 files.
void allow_many_files() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
}

Status serve(const ServeOptions& options) {
  block_signals();
  allow_many_files();
  std::error_code error;
  fs::create_directories(options.data, error);
  if (error) return fail(ErrorKind::Io, "cannot make the folder " + options.data.string());
  fs::permissions(options.data, fs::perms::owner_all, error);

  SystemClock clock;
  SystemRandom random;
  CurlHttpClient http;
  const auto providers = builtin_providers();
  auto store = SqliteStateStore::open(options.data / "bailey.db");
  if (!store) return fail(std::move(store.error()));
  auto log_key = LogKey::load_or_create(options.data / "log.key", options.origin, random);
  if (!log_key) return fail(std::move(log_key.error()).in("opening the key of the log"));
  auto continuous = in_transaction(**store, Access::Read, [&](Transaction& transaction) {
    return check_continuity(transaction, log_key->verifier());
  });
  if (!continuous) return fail(std::move(continuous.error()).in("checking the log"));
  if (auto written = write_file(options.data / "log.pub", log_key->verifier().str() + "\n");
      !written) {
    return fail(std::move(written.error()));
  }
  const KeyRing keys(options.data);
  if (auto made = keys.create_missing(random); !made) {
    return fail(std::move(made.error()).in("making the sealing keys"));
  }
  auto sealer = keys.sealer();
  if (!sealer) return fail(std::move(sealer.error()).in("reading the sealing keys"));
  const auto& classes = all_environment_classes();
  auto opener = keys.opener({classes.begin(), classes.end()});
  if (!opener) return fail(std::move(opener.error()).in("reading the sealing keys"));
  Engine engine(
      {**store, providers, http, clock, random, *sealer, *opener, *log_key, options.data});
  if (auto written = write_bootstrap_token(engine, options.data / "bootstrap-token"); !written) {
    return fail(std::move(written.error()).in("writing the bootstrap token"));
  }
  Worker worker(engine);
  HousekeepingOptions housekeeping;
  housekeeping.drift_every = options.drift_every;
  const Housekeeper housekeeper(engine, housekeeping);
  Api api(engine, worker);
  ServerOptions listen;
  listen.address = options.address;
  listen.port = options.port;
  listen.threads = 32;
  listen.max_body_bytes = 32U * 1024 * 1024;
  auto server =
      HttpServer::listen(listen, [&](const ServerRequest& request) { return api.handle(request); });
  if (!server) return fail(std::move(server.error()));
  std::fprintf(stderr, "bailey serves http://%s:%u, data in %s\n", options.address.c_str(),
               (*server)->port(), options.data.c_str());
  std::fprintf(stderr, "the log's key, for auditors to pin: %s\n",
               log_key->verifier().str().c_str());
  wait_for_signal();
  std::fprintf(stderr, "finishing what is in flight\n");
  api.stop();
  (*server)->stop();
  return {};
}

int run(int argc, char** argv) {
  Programs programs;
  for (const auto& [name, plugin] : builtin_providers()) programs.schemas[name] = plugin.schema;
  programs.serve = [](const ServeOptions& options) {
    auto served = serve(options);
    return served ? 0 : report(served.error());
  };
  programs.devcloud = [](const DevcloudCommand& command) {
    DevcloudOptions options;
    options.listen = command.listen;
    options.state = command.state;
    options.openrc = command.openrc;
    options.faults = command.faults;
    options.seed = command.seed;
    return run_devcloud(options);
  };
  return run_command_line(argc, argv, programs);
}

}  // namespace

}  // namespace bailey

int main(int argc, char** argv) {
  try {
    return bailey::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\nThis is a bug in bailey.\n", error.what());
    return 1;
  }
}
