#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/random.hpp"
#include "orchestrator/declare/spec/source_files.hpp"
#include "orchestrator/model/bundle.hpp"
#include "orchestrator/provision/apply/lease.hpp"
#include "orchestrator/provision/provider/provider.hpp"
#include "orchestrator/record/audit/log_key.hpp"
#include "orchestrator/record/store/state_store.hpp"
#include "orchestrator/serve/engine/steady_time.hpp"
#include "orchestrator/serve/identity/caller.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace bailey {

class Opener;
class Sealer;

/// Everything that the engine stands on; the composition root owns it and it outlives the engine.
struct EngineParts {
  StateStore& store;
  const ProviderPlugins& providers;
  HttpClient& http;
  Clock& clock;
  Random& random;
  const Sealer& sealer;
  const Opener& opener;
  const LogKey& log_key;
  std::filesystem::path work_folder;  ///< Programs of bundles are laid out here.
  std::chrono::seconds lease_ttl = kDefaultLeaseTtl;
};

using BundlePointer = std::shared_ptr<const Bundle>;

class CheckBoard;
class EvidenceBoard;
struct RegistryAccess;

/// What the use cases of this folder share: the parts, and caches of what is dear to make again
/// and never changes (bundles by digest, opened providers). Thread-safe.
class Engine {
 public:
  explicit Engine(EngineParts parts);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  [[nodiscard]] StateStore& store() const noexcept { return parts_.store; }
  [[nodiscard]] HttpClient& http() const noexcept { return parts_.http; }
  [[nodiscard]] Clock& clock() const noexcept { return parts_.clock; }
  [[nodiscard]] Random& random() const noexcept { return parts_.random; }
  [[nodiscard]] const Sealer& sealer() const noexcept { return parts_.sealer; }
  [[nodiscard]] const Opener& opener() const noexcept { return parts_.opener; }
  [[nodiscard]] const LogKey& log_key() const noexcept { return parts_.log_key; }
  /// How long an environment that a killed process worked on stays closed to others.
  [[nodiscard]] std::chrono::seconds lease_ttl() const noexcept { return parts_.lease_ttl; }
  [[nodiscard]] const ProviderSchemas& schemas() const noexcept { return schemas_; }
  [[nodiscard]] CheckBoard& checks() noexcept { return *checks_; }
  [[nodiscard]] EvidenceBoard& evidence_board() noexcept { return *evidence_board_; }
  /// By which the lives of sandboxes are measured.
  [[nodiscard]] SteadyTime& steady_time() noexcept { return steady_time_; }
  [[nodiscard]] std::string now() const { return format_time(parts_.clock.wall_now()); }

  /// The accepted bundle. FailedPrecondition, with the way out, before `bailey init`.
  [[nodiscard]] Result<BundlePointer> bundle(Transaction& transaction);
  [[nodiscard]] Result<BundlePointer> bundle();
  /// Any stored bundle by its digest. It was valid when it was stored; read again it must give the
  /// same digest, else Internal.
  [[nodiscard]] Result<BundlePointer> bundle(Transaction& transaction, const std::string& digest);

  /// The provider of an environment's account, opened once for each account and bundle.
  [[nodiscard]] Result<std::shared_ptr<Provider>> provider(const Bundle& bundle,
                                                           const Environment& environment);
  /// With what the account of a registry is used, its credential read now and kept nowhere;
  /// anonymously for no account. Refused with `registry.wrong-registry` for a registry other than
  /// the one that the account is of.
  [[nodiscard]] Result<RegistryAccess> registry_access(const Bundle& bundle,
                                                       const std::string& account,
                                                       const std::string& registry) const;
  [[nodiscard]] const ProviderSchema& schema(const Bundle& bundle,
                                             const Environment& environment) const;

  /// The folder in which the programs of a bundle lie, laid out when first asked for.
  [[nodiscard]] Result<std::filesystem::path> programs(const Bundle& bundle);

 private:
  struct OpenAccount;
  EngineParts parts_;
  ProviderSchemas schemas_;
  std::unique_ptr<CheckBoard> checks_;
  std::unique_ptr<EvidenceBoard> evidence_board_;
  SteadyTime steady_time_;
  std::mutex mutex_;
  std::map<std::string, BundlePointer> bundles_;
  std::map<std::string, std::unique_ptr<OpenAccount>> accounts_;
};

/// An entry of the log by the one who asks.
[[nodiscard]] AuditEntry entry_for(const Engine& engine, const Request& request, std::string action,
                                   std::string target, std::string detail = {});
/// An entry by Bailey itself.
[[nodiscard]] AuditEntry own_entry(const Engine& engine, std::string action, std::string target,
                                   std::string detail = {});

/// Appends within a transaction; the index when it is wanted.
[[nodiscard]] Result<std::uint64_t> append(Transaction& transaction, const AuditEntry& entry);

/// Writes a failed act into the log, in a transaction of its own: `refused` for what was not
/// allowed, `failed` for the rest. Returns the error as it was, with the log's own failure added
/// when the log could not be written.
[[nodiscard]] Error logged(Engine& engine, AuditEntry entry, Error error);

/// Runs a use case and logs its failure. A success is logged by the use case itself, in the
/// transaction of what it did.
template <class Body>
auto audited(Engine& engine, const Request& request, const std::string& action,
             const std::string& target, Body&& body) -> decltype(body()) {
  auto result = body();
  if (result) return result;
  return fail(
      logged(engine, entry_for(engine, request, action, target), std::move(result.error())));
}

/// Runs a use case that only reads and logs its refusal; what is merely not there is not logged.
template <class Body>
auto audited_read(Engine& engine, const Request& request, const std::string& action,
                  const std::string& target, Body&& body) -> decltype(body()) {
  auto result = body();
  if (result || (result.error().kind() != ErrorKind::PermissionDenied &&
                 result.error().kind() != ErrorKind::Refused)) {
    return result;
  }
  return fail(
      logged(engine, entry_for(engine, request, action, target), std::move(result.error())));
}

/// The environment of that name in the bundle; NotFound with the nearest name.
[[nodiscard]] Result<const Environment*> find_environment(const Bundle& bundle,
                                                          const std::string& name);

}  // namespace bailey
