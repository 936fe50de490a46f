#pragma once

#include "orchestrator/model/audit_entry.hpp"
#include "orchestrator/provision/apply/executor.hpp"
#include "orchestrator/provision/apply/journal.hpp"

#include <optional>
#include <string>

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

/// The durable side of applying: every write is one transaction that checks the fence. Any thread.
class JournalWriter {
 public:
  JournalWriter(const ApplyContext& context, Fence fence)
      : context_(context), fence_(std::move(fence)) {}

  /// Before a remote act: the intent, with the time of now, under a lease that is extended when it
  /// has grown old. Nothing may be sent unless this succeeds.
  [[nodiscard]] Status announce(Intent& intent);
  /// After it: resource, intent, audit entry and the environment's serial. A write that fails for
  /// the store's sake is tried again a few times, since what it tells of has happened already.
  [[nodiscard]] Status record(const Recording& recording);

 private:
  [[nodiscard]] Status record_once(const Recording& recording);

  const ApplyContext& context_;
  Fence fence_;
};

[[nodiscard]] bool is_lease_lost(const Error& error);

}  // namespace bailey
