#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/record/audit/log_key.hpp"
#include "orchestrator/record/store/state_store.hpp"

#include <string>

namespace bailey {

/// Signs the log as it stands in this write transaction and stores the checkpoint; once committed,
/// it may be published. Nothing is signed that does not continue what was signed before: a newest
/// checkpoint of another key, one over more entries than there are, or one with another root is
/// FailedPrecondition. (C2SP tlog-checkpoint.)
[[nodiscard]] Result<std::string> sign_checkpoint(Transaction& transaction, const LogKey& key);

/// For the start of a server: the newest stored checkpoint, if any, must be of this key and agree
/// with the log. FailedPrecondition otherwise: the database is an old copy, or was altered.
[[nodiscard]] Status check_continuity(Transaction& transaction, const NoteVerifier& key);

}  // namespace bailey
