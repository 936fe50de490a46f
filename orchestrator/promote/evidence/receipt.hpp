#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/change.hpp"
#include "orchestrator/model/vocabulary.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bailey {

/// What goes into a receipt: the whole story of one finished change. `policy` is policy_of() as it
/// stood when the gate let the change through, so that rules and keys are inside and the approvals
/// bind them by the plan's policy digest.
struct ReceiptContent {
  Change change;
  EnvironmentClass environment_class = EnvironmentClass::Production;
  std::string executed_at;  ///< RFC 3339: when the gate was last evaluated.
  std::string finished_at;
  std::vector<nlohmann::json> evidence;  ///< DSSE envelopes.
  nlohmann::json gate;                   ///< gate_record() of the evaluation that let it through.
  nlohmann::json policy;
  std::vector<nlohmann::json> approvals;     ///< DSSE envelopes that held.
  std::vector<nlohmann::json> verification;  ///< Statements, `urn:bailey:verification:v1`.
  nlohmann::json outcome;
};

/// Where the log says that this change was done. The entry names the receipt's digest under
/// `digests.receipt`.
struct ReceiptLog {
  std::string checkpoint;  ///< Signed note.
  std::string entry;       ///< The exact bytes of the leaf.
  std::uint64_t index = 0;
  std::vector<std::string> proof;  ///< Raw hashes of 32 bytes.
};

/// The receipt without its log part (`log` is null), `digest` set: SHA-256 over the RFC 8785 form
/// without `digest` and `log`.
[[nodiscard]] nlohmann::json make_receipt(const ReceiptContent& content);
/// The receipt with its log part filled in.
[[nodiscard]] nlohmann::json with_log(nlohmann::json receipt, const ReceiptLog& log);
[[nodiscard]] std::string receipt_digest_of(const nlohmann::json& receipt);

struct ReceiptCheck {
  std::string name;  ///< `digest`, `plan`, `policy`, `approval`, `quorum`, `evidence`, `log`, ...
  bool ok = false;
  std::string detail;
};

struct ReceiptReport {
  bool ok = false;  ///< Every check is.
  std::string digest;
  std::string change;
  std::string environment;
  std::vector<ReceiptCheck> checks;
};

/// Recomputes everything that a receipt claims, with no network, no clock and no server: digests,
/// every approval's signature by a key of that person in the embedded directory, every bound field,
/// the quorum without authors, requester and executor, the class's floor, evidence by the services
/// that the gate allows, and inclusion in the log. With `log_key` (a verifier key of a signed note)
/// the checkpoint must be signed by it; without, the report says that nobody vouches for the log.
/// Fails with Protocol only when the value is no receipt at all.
[[nodiscard]] Result<ReceiptReport> verify_receipt(const nlohmann::json& receipt,
                                                   const std::optional<std::string>& log_key);

[[nodiscard]] nlohmann::json to_json(const ReceiptReport& report);

}  // namespace bailey
