#include "orchestrator/serve/engine/engine.hpp"

#include "orchestrator/base/assert.hpp"
#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/process.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/net/limited_http_client.hpp"
#include "orchestrator/promote/artifact/registry_session.hpp"
#include "orchestrator/serve/engine/bundle_record.hpp"
#include "orchestrator/serve/engine/collect_evidence.hpp"
#include "orchestrator/serve/engine/judge.hpp"
#include "orchestrator/serve/engine/records.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <unistd.h>

namespace bailey {

namespace fs = std::filesystem;

struct Engine::OpenAccount {
  Account account;
  LimitedHttpClient http;
  std::shared_ptr<Provider> provider;
};

namespace {

// As the lines of an env file, quoted as POSIX shells read them back.
Result<Secret> variables_with_prefix(const std::string& pattern) {
  const std::string prefix = pattern.substr(0, pattern.size() - 1);
  std::string lines;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    const auto equals = variable.find('=');
    if (equals == std::string_view::npos || !variable.starts_with(prefix)) continue;
    lines.append(variable.substr(0, equals)).append("='");
    for (const char c : variable.substr(equals + 1)) {
      c == '\'' ? lines.append("'\\''") : lines.append(1, c);
    }
    lines.append("'\n");
  }
  if (!lines.empty()) return Secret(std::move(lines));
  return fail(ErrorKind::NotFound, fmt::format("no environment variable begins with {}", prefix));
}

Result<Secret> read_credential(const Account& account) {
  const auto& source = account.credential;
  if (!source.file.empty()) {
    auto text = read_file(source.file, 64U * 1024);
    if (!text) return fail(std::move(text.error()));
    return Secret(*std::move(text));
  }
  if (source.env.ends_with('*')) return variables_with_prefix(source.env);
  if (!source.env.empty()) {
    const char* value = std::getenv(source.env.c_str());
    if (value == nullptr) {
      return fail(ErrorKind::NotFound,
                  fmt::format("the environment variable {} is not set", source.env));
    }
    return Secret(value);
  }
  Command command;
  command.arguments = source.command;
  command.inherit_environment = true;
  auto result = run_process(command);
  if (!result) return fail(std::move(result.error()));
  if (result->exit_code != 0) {
    return fail(ErrorKind::Unavailable,
                fmt::format("\"{}\" ended with {}", source.command.front(), result->exit_code));
  }
  return Secret(std::move(result->output));
}

}  // namespace

Engine::Engine(EngineParts parts)
    : parts_(std::move(parts)),
      checks_(std::make_unique<CheckBoard>()),
      evidence_board_(std::make_unique<EvidenceBoard>()),
      steady_time_(parts_.store, parts_.clock) {
  for (const auto& [name, plugin] : parts_.providers) schemas_[name] = plugin.schema;
}

Engine::~Engine() = default;

Result<BundlePointer> Engine::bundle(Transaction& transaction) {
  auto setting = find_setting(transaction, "bundle");
  if (!setting) return fail(std::move(setting.error()));
  const auto digest = string_member(*setting, "digest");
  if (digest.empty()) {
    return fail(Error(ErrorKind::FailedPrecondition, "this server has accepted no bundle yet")
                    .with_hint("Give it the first one:\n    bailey init PATH")
                    .with_code("bundle.none"));
  }
  return bundle(transaction, digest);
}

Result<BundlePointer> Engine::bundle() {
  return in_transaction(store(), Access::Read,
                        [&](Transaction& transaction) { return bundle(transaction); });
}

Result<BundlePointer> Engine::bundle(Transaction& transaction, const std::string& digest) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = bundles_.find(digest); found != bundles_.end()) return found->second;
  }
  auto read = load_bundle(transaction, digest, schemas_);
  if (!read) return fail(std::move(read.error()));
  auto shared = std::make_shared<const Bundle>(*std::move(read));
  const std::lock_guard lock(mutex_);
  return bundles_.try_emplace(digest, std::move(shared)).first->second;
}

Result<std::shared_ptr<Provider>> Engine::provider(const Bundle& bundle,
                                                   const Environment& environment) {
  const auto account = bundle.accounts.find(environment.account);
  BAILEY_ASSERT(account != bundle.accounts.end());
  const std::string key =
      environment.account + "@" + digest_of(bundle.document("Account", environment.account));
  const std::lock_guard lock(mutex_);
  if (const auto found = accounts_.find(key); found != accounts_.end()) {
    return found->second->provider;
  }
  const auto plugin = parts_.providers.find(account->second.provider);
  BAILEY_ASSERT(plugin != parts_.providers.end());
  auto secret = read_credential(account->second);
  if (!secret) {
    return fail(
        std::move(secret.error()).in("reading the credential of account " + account->first));
  }
  const auto& limits = account->second.limits;
  auto open = std::unique_ptr<OpenAccount>(
      new OpenAccount{account->second,
                      {parts_.http, parts_.clock, limits.concurrency, limits.requests_per_second},
                      nullptr});
  auto provider = plugin->second.open(
      {open->account, *std::move(secret), open->http, parts_.clock, parts_.random});
  if (!provider) {
    return fail(std::move(provider.error()).in("opening the account " + account->first));
  }
  open->provider = *std::move(provider);
  return accounts_.emplace(key, std::move(open)).first->second->provider;
}

Result<RegistryAccess> Engine::registry_access(const Bundle& bundle, const std::string& account,
                                               const std::string& registry) const {
  if (account.empty()) return RegistryAccess();
  const auto found = bundle.accounts.find(account);
  if (found == bundle.accounts.end()) {
    return fail(ErrorKind::NotFound, "there is no account " + account);
  }
  const auto frame = "opening the account " + account;
  std::string_view host = found->second.endpoint;
  host.remove_prefix(std::min(host.size(), host.find("://") + 3));
  // Validation has seen to it; a credential is shown to nobody else in any case.
  if (host.substr(0, host.find('/')) != registry) {
    return fail(Error(ErrorKind::Refused, "it is not one of the registry " + registry)
                    .in(frame)
                    .with_code("registry.wrong-registry"));
  }
  auto secret = read_credential(found->second);
  if (!secret) return fail(std::move(secret.error()).in(frame));
  auto credential = parse_registry_credential(*secret, registry);
  if (!credential) return fail(std::move(credential.error()).in(frame));
  RegistryAccess access;
  access.credential = *std::move(credential);
  access.ca_file = found->second.ca_file;
  return access;
}

const ProviderSchema& Engine::schema(const Bundle& bundle, const Environment& environment) const {
  return schemas_.at(bundle.accounts.at(environment.account).provider);
}

Result<fs::path> Engine::programs(const Bundle& bundle) {
  const fs::path folder = parts_.work_folder / "programs" / bundle.digest.substr(7);
  const std::lock_guard lock(mutex_);
  std::error_code error;
  if (fs::exists(folder / ".complete", error)) return folder;
  for (const auto& [name, bytes] : bundle.files) {
    fs::create_directories((folder / name).parent_path(), error);
    if (error) return fail(ErrorKind::Io, "cannot make the folder of " + name);
    if (auto written = write_file(folder / name, bytes, 0700); !written) {
      return fail(std::move(written.error()).in("laying out the programs of the bundle"));
    }
  }
  fs::create_directories(folder, error);
  if (auto written = write_file(folder / ".complete", ""); !written) {
    return fail(std::move(written.error()).in("laying out the programs of the bundle"));
  }
  return folder;
}

AuditEntry entry_for(const Engine& engine, const Request& request, std::string action,
                     std::string target, std::string detail) {
  AuditEntry entry;
  entry.time = engine.now();
  entry.actor = request.caller.anonymous() ? "anonymous" : to_string(request.caller.subject);
  entry.proof = request.caller.anonymous() ? "none" : request.caller.proof;
  entry.action = std::move(action);
  entry.target = std::move(target);
  entry.detail = std::move(detail);
  entry.request = request.id;
  return entry;
}

AuditEntry own_entry(const Engine& engine, std::string action, std::string target,
                     std::string detail) {
  AuditEntry entry;
  entry.time = engine.now();
  entry.actor = "bailey";
  entry.proof = "self";
  entry.action = std::move(action);
  entry.target = std::move(target);
  entry.detail = std::move(detail);
  return entry;
}

Result<std::uint64_t> append(Transaction& transaction, const AuditEntry& entry) {
  auto index = transaction.append(entry);
  if (!index) return fail(std::move(index.error()).in("appending to the audit log"));
  return index;
}

Error logged(Engine& engine, AuditEntry entry, Error error) {
  const bool refused = error.kind() == ErrorKind::PermissionDenied ||
                       error.kind() == ErrorKind::Refused ||
                       error.kind() == ErrorKind::Unauthenticated;
  entry.outcome = refused ? Outcome::Refused : Outcome::Failed;
  constexpr std::size_t kMaxDetail = 2000;
  entry.detail = utf8_substr(error.message(), 0, kMaxDetail);
  auto written = in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) {
    return append(transaction, entry);
  });
  if (written) return error;
  return std::move(error).in("and the audit log could not be written: " +
                             written.error().message());
}

Result<const Environment*> find_environment(const Bundle& bundle, const std::string& name) {
  if (const auto* environment = bundle.environment(name)) return environment;
  std::vector<std::string> names;
  for (const auto& [each, environment] : bundle.environments) names.push_back(each);
  Error error(ErrorKind::NotFound, fmt::format("there is no environment \"{}\"", name));
  if (const auto near = nearest(name, names)) {
    return fail(std::move(error).with_hint(fmt::format("Did you mean \"{}\"?", *near)));
  }
  return fail(std::move(error).with_hint("See those there are:\n    bailey env list"));
}

}  // namespace bailey
