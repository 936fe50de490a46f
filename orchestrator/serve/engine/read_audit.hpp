#pragma once

#include "orchestrator/promote/evidence/receipt.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>

namespace bailey {

/// Signs a checkpoint over the whole log as it stands and stores it before it is shown; the newest
/// stored one when nothing was appended since.
[[nodiscard]] Result<std::string> publish_checkpoint(Engine& engine);

/// A leaf and its inclusion in the tree of a checkpoint.
[[nodiscard]] Result<ReceiptLog> prove_entry(Transaction& transaction, std::uint64_t index,
                                             const std::string& checkpoint);

/// Entries from an index on, for a holder of `audit`: `{"entries": [{"index", "body"}], "size"}`,
/// where `body` is the exact text that was hashed.
[[nodiscard]] Result<nlohmann::json> read_entries(Engine& engine, const Request& request,
                                                  std::uint64_t from, std::size_t limit);

/// `{"checkpoint", "key", "consistency"}`: the signed note, the verifier key to pin, and the proof
/// (base64) that it continues the tree of the first `from` leaves; empty for a `from` of 0.
[[nodiscard]] Result<nlohmann::json> read_checkpoint(Engine& engine, const Request& request,
                                                     std::uint64_t from = 0);

/// Refused, code `approval.foreign-checkpoint`, unless the note is a head that this log has had,
/// signed with its key.
[[nodiscard]] Status check_own_checkpoint(Engine& engine, Transaction& transaction,
                                          const std::string& note);

}  // namespace bailey
