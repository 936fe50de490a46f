#pragma once

#include "orchestrator/model/audit_entry.hpp"
#include "orchestrator/provision/apply/executor.hpp"
#include "orchestrator/provision/apply/group_commit.hpp"
#include "orchestrator/provision/apply/journal.hpp"

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <vector>

namespace bailey {

/// What becomes true together once a step has ended, however it ended.
struct Recording {
  ResourceAddress address;
  std::string action;  ///< `resource.create` and so on.
  Outcome outcome = Outcome::Ok;
  std::string detail;
  std::string plan_digest;
  std::optional<ResourceState> resource;  ///< To be put.
  bool erase_resource = false;
  std::optional<Intent> intent;  ///< To be put; nothing: the open one ends.
  bool keep_intent = false;      ///< Leaves the open one as it is.
};

/// The durable side of applying: every transaction checks the fence, and what several threads write
/// at once shares one. Any thread.
class JournalWriter {
 public:
  JournalWriter(const ApplyContext& context, Fence fence);

  /// Before a remote act: the intent, with the time of now, under a lease that is extended when it
  /// has grown old. Nothing may be sent unless this succeeds.
  [[nodiscard]] Status announce(Intent& intent);
  /// Instead of the act, which was not begun: `before` stands there again, or nothing.
  [[nodiscard]] Status withdraw(const ResourceAddress& address,
                                const std::optional<Intent>& before);
  /// After it: resource, intent, audit entry and the environment's serial. A write that fails for
  /// the store's sake is tried again a few times, since what it tells of has happened already.
  [[nodiscard]] Status record(const Recording& recording);

 private:
  /// What one step writes: values ready to be put, so that a transaction is short.
  struct Entry {
    std::string key;
    std::optional<nlohmann::json> resource;
    bool erase_resource = false;
    std::optional<nlohmann::json> intent;
    bool erase_intent = false;
    std::optional<AuditEntry> audit;
    bool announces = false;  ///< Something is sent once this is durable.
  };

  [[nodiscard]] Status write_all(Transaction& transaction,
                                 const std::vector<const Entry*>& entries) const;
  [[nodiscard]] static Status write_one(Transaction& transaction, const Entry& entry);

  const ApplyContext& context_;
  Fence fence_;
  GroupCommit<Entry> group_;
};

[[nodiscard]] bool is_lease_lost(const Error& error);

}  // namespace bailey
