#pragma once

#include "orchestrator/model/change.hpp"
#include "orchestrator/model/own_subjects.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <optional>
#include <stop_token>
#include <string>

namespace bailey {

/// The bundle in which the environment has the gate that its rollbacks go through: the one that the
/// spec declares for them, else its own. One that Bailey asks for itself has none to pass, where
/// the spec declares such rollbacks: it leads to what stood before, and whoever let the failed
/// change in let its policy in too. Policy, gate digest and receipts follow from this bundle.
[[nodiscard]] BundlePointer with_rollback_gate(const BundlePointer& bundle,
                                               const std::string& environment,
                                               const Subject& requester);

/// Opens the change that brings an environment back to a release: the artifacts, template and
/// parameters of a change that was done there and has a receipt, by today's policy. Refused, codes
/// `rollback.*`, for a receipt that is not in the log, is of another environment or of one of the
/// same name before it, or of a change that was no release; and for artifacts whose bytes the
/// registry no longer has. Nothing when that release stands already.
[[nodiscard]] Result<std::optional<Change>> request_rollback(Engine& engine, const Request& request,
                                                             const std::string& environment,
                                                             const std::string& receipt,
                                                             std::stop_token stop);

/// The plan of a waiting rollback as things stand now; nothing when its environment is gone.
[[nodiscard]] Result<std::optional<Plan>> plan_rollback(Engine& engine, const Change& change,
                                                        std::stop_token stop);

/// Digest of the bundle that a release was made from.
[[nodiscard]] Result<std::string> bundle_of_release(Transaction& transaction,
                                                    const std::string& receipt);

/// Notes, in the transaction in which the verification of `failed` did not pass, that its
/// environment is to go back to what stood before, where the spec declares so and something did.
[[nodiscard]] Status note_rollback(Transaction& transaction, const Environment& environment,
                                   const Change& failed);
/// Opens what note_rollback() noted and nobody has opened yet.
[[nodiscard]] Status open_due_rollbacks(Engine& engine, std::stop_token stop);
/// Remembers, in the transaction in which `done` is done and has its receipt, that this is what
/// its environment goes back to from now on; if it is itself a rollback that open_due_rollbacks()
/// opened, the change whose verification failed is rolled back by it.
[[nodiscard]] Status note_release(Engine& engine, Transaction& transaction, const Change& done);

}  // namespace bailey
