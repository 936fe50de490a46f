#pragma once

#include "orchestrator/model/change.hpp"
#include "orchestrator/serve/engine/execute_change.hpp"
#include "orchestrator/serve/engine/grant_gate.hpp"

namespace bailey {

/// Opens the change by which somebody asks for a role for a while, or to break the glass. It goes
/// its way like every other: approved, refused, explained, executed, with a receipt. The same ask
/// that still waits is returned instead of a second one. Refused where it could never be let in.
[[nodiscard]] Result<Change> request_grant(Engine& engine, const Request& request,
                                           const GrantAsk& ask);

/// The change as things stand now: it ends when the environment is gone, and expires when nobody
/// has let it in for a day. Under another policy it has ended before, like every change.
[[nodiscard]] Result<Change> replan_grant(Engine& engine, Change change);

/// Conflict or Refused unless the change asks for what may be given now.
[[nodiscard]] Status check_grant_is_current(Engine& engine, Transaction& transaction,
                                            const Change& change);

/// Opens the grant of a claimed change: its time begins now.
[[nodiscard]] Result<Change> run_grant(Engine& engine, Claim& claim);

}  // namespace bailey
