#pragma once

#include "orchestrator/promote/gate/gate_evaluator.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <optional>

namespace bailey {

/// The first bundle of a server is taken from whoever holds its bootstrap token. The administrators
/// whom it names confirm it by their signatures, as a policy change about all that decides; until
/// then nothing goes into staging or production.

/// Opens that change, in the transaction that accepts the first bundle.
[[nodiscard]] Result<Change> ask_to_confirm(Engine& engine, Transaction& transaction,
                                            const Request& request, const Bundle& first);

/// Whether this change is the one.
[[nodiscard]] Result<bool> confirms_root(Transaction& transaction, const ChangeId& id);

/// The plan of that change as things stand; nothing once administrators have signed another bundle,
/// since that confirmed whom it was signed by.
[[nodiscard]] Result<std::optional<Plan>> plan_of_root(const Bundle& accepted, const Bundle& first);

/// Notes, in the transaction in which a policy change is done, that the administrators have signed.
[[nodiscard]] Status note_confirmed(Transaction& transaction, const Change& done);

/// The condition that stands in the way of changes of this environment until the first bundle is
/// confirmed; nothing afterwards, and nothing below staging.
[[nodiscard]] Result<std::optional<ConditionResult>> unconfirmed_root(
    Transaction& transaction, const Bundle& bundle, const Environment& environment);

}  // namespace bailey
