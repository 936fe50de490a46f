#pragma once

#include "orchestrator/model/change.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace bailey {

/// What somebody wants to say about a change.
struct DecisionRequest {
  ChangeId change;
  Decision decision = Decision::Approve;
  std::string reason;
  std::string checkpoint;  ///< The log's head as the caller has verified it; empty: not at all.
};

/// The statement that the caller would sign on a change, made by the server with a nonce that is
/// good once: `{"statement", "payload", "payload_type", "plan", "gate", "evidence"}` (`payload` the
/// exact bytes to sign in a DSSE envelope; the rest is what it names by digest: the whole plan, the
/// gate as its spec has it, the envelopes of the evidence). Refused, with the reason, for somebody
/// whose decision could not count: an author, the requester, who has no power to approve or no key;
/// to take back an approval asks for no more than having given one.
[[nodiscard]] Result<nlohmann::json> prepare_decision(Engine& engine, const Request& request,
                                                      const DecisionRequest& wanted);

/// Takes in a signed decision. The envelope must carry exactly the bytes that prepare_decision()
/// gave to this caller, signed by a key that the Directory has for that person, and the change must
/// still be what they say. A rejection ends the change. The nonce goes with the decision that is
/// taken in: the same envelope a second time is refused.
[[nodiscard]] Result<Approval> submit_decision(Engine& engine, const Request& request,
                                               const ChangeId& id, const nlohmann::json& envelope);

}  // namespace bailey
