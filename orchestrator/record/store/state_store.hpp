#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/audit_entry.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

/// One table each, all of the same shape: key, version, JSON body.
enum class Collection : std::uint8_t {
  Setting,      ///< Name of a setting.
  Bundle,       ///< Digest.
  Environment,  ///< Environment name.
  Resource,     ///< Resource address.
  Intent,       ///< Resource address: at most one unconfirmed operation each.
  Change,       ///< Change id.
  OpenChange,   ///< Change id, of those that are not over: `{environment, created_at,
                ///< failed_destroy}`.
  Approval,     ///< `<change>/<approval>`.
  Nonce,        ///< Nonce of a statement that was handed out to be signed.
  Verified,     ///< `<environment>/<digest>`.
  Artifact,     ///< `<project>/<name>@<digest>`.
  Evidence,     ///< `<subject digest>/<evidence digest>`.
  Receipt,      ///< Digest.
  Credential,   ///< `<environment>/<credential>`.
  Sealed,       ///< Credential id: the sealed secret, a base64 string.
  Lease,        ///< `<environment>/<lease>`.
  Token,        ///< Hash of an API token.
  Identity,     ///< `<environment>/<role>`: who a role is at the provider.
  Drift,        ///< Environment name: what looking at it came to.
  Grant,        ///< `<environment>/<grant>`: a role for a while.
};

struct Record {
  std::string key;
  std::uint64_t version = 0;  ///< Grows by one with each write of this key.
  nlohmann::json body;
};

/// What must be there for a write to happen: `kAnyVersion`, `kAbsent`, or the version last read.
inline constexpr std::uint64_t kAnyVersion = UINT64_MAX;
inline constexpr std::uint64_t kAbsent = 0;

struct ListOptions {
  std::string prefix;
  std::string after;      ///< Only keys beyond this one.
  std::size_t limit = 0;  ///< 0: all.
};

/// A leaf of the log.
struct LogRecord {
  std::uint64_t index = 0;
  std::string body;  ///< The exact bytes that were hashed.
};

/// Reads and writes that become true together, or not at all. Destroyed without commit(), nothing
/// happened. A write transaction excludes every other one of the store until it ends, so that what
/// was read inside it still holds at commit. Use from one thread, briefly: never across a call to
/// the outside.
class Transaction {
 public:
  virtual ~Transaction() = default;

  virtual Result<std::optional<Record>> get(Collection collection, std::string_view key) = 0;
  /// In byte order of the keys.
  virtual Result<std::vector<Record>> list(Collection collection, const ListOptions& options) = 0;
  /// Returns the new version; Conflict when `expected` does not hold.
  virtual Result<std::uint64_t> put(Collection collection, std::string_view key,
                                    const nlohmann::json& body,
                                    std::uint64_t expected = kAnyVersion) = 0;
  /// True when there was something to erase.
  virtual Result<bool> erase(Collection collection, std::string_view key) = 0;

  /// Appends a leaf to the log and returns its index. Becomes durable with the rest.
  virtual Result<std::uint64_t> append(const AuditEntry& entry) = 0;
  virtual Result<std::uint64_t> log_size() = 0;
  virtual Result<std::vector<LogRecord>> log_records(std::uint64_t from, std::size_t limit) = 0;
  /// RFC 6962 root over the first `size` leaves.
  virtual Result<std::string> log_root(std::uint64_t size) = 0;
  /// Hashes of 32 raw bytes each.
  virtual Result<std::vector<std::string>> inclusion_proof(std::uint64_t index,
                                                           std::uint64_t size) = 0;
  virtual Result<std::vector<std::string>> consistency_proof(std::uint64_t from,
                                                             std::uint64_t to) = 0;
  /// Signed checkpoints that were published, newest last.
  virtual Status put_checkpoint(std::uint64_t size, std::string_view note) = 0;
  virtual Result<std::optional<std::string>> newest_checkpoint() = 0;

  /// Durable when it returns (full sync).
  virtual Status commit() = 0;
};

enum class Access : std::uint8_t { Read, Write };

/// The code of a failure of the store itself: no room, a failing disk, a lock that is not given up.
inline constexpr std::string_view kStoreFailed = "store.failed";

/// Where everything is kept. Thread-safe; a failing disk makes calls fail with Io, code
/// kStoreFailed, and changes nothing. Whether a commit that failed so became durable is known once
/// the store answers again.
class StateStore {
 public:
  virtual ~StateStore() = default;
  virtual Result<std::unique_ptr<Transaction>> begin(Access access) = 0;
};

/// Runs `body` in a write transaction and commits when it succeeds.
template <class Body>
auto in_transaction(StateStore& store, Access access, Body&& body)
    -> decltype(body(std::declval<Transaction&>())) {
  auto transaction = store.begin(access);
  if (!transaction) return fail(std::move(transaction.error()));
  auto result = body(**transaction);
  if (!result || access == Access::Read) return result;
  if (auto committed = (*transaction)->commit(); !committed) {
    return fail(std::move(committed.error()));
  }
  return result;
}

}  // namespace bailey
