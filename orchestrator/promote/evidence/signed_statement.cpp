#include "orchestrator/promote/evidence/signed_statement.hpp"

#include "orchestrator/promote/evidence/dsse.hpp"

#include <nlohmann/json.hpp>

namespace bailey {

namespace {

struct Opened {
  Statement statement;
  VerifiedEnvelope envelope;
};

Result<Opened> open(const nlohmann::json& value, const Directory& directory) {
  const auto envelope = dsse_envelope_from_json(value);
  if (!envelope) return fail(envelope.error());
  auto verified = verify_envelope(*envelope, kInTotoPayload, enrolled_keys(directory));
  if (!verified) return fail(std::move(verified.error()));
  // The bytes that were verified are the bytes that are read.
  auto statement = parse_statement(verified->payload);
  if (!statement) return fail(std::move(statement.error()));
  return Opened{*std::move(statement), *std::move(verified)};
}

}  // namespace

Result<SignedApproval> open_approval(const nlohmann::json& envelope, const Directory& directory) {
  const auto opened = open(envelope, directory);
  if (!opened) return fail(opened.error());
  auto approval = approval_from_statement(opened->statement);
  if (!approval) return fail(std::move(approval.error()));
  const Subject approver{SubjectKind::Person, approval->approver};
  const auto& signers = opened->envelope.signers;
  for (std::size_t i = 0; i < signers.size(); ++i) {
    if (signers[i].owner != approver) continue;
    return SignedApproval{*std::move(approval), opened->envelope.fingerprints[i]};
  }
  return fail(Error(ErrorKind::Refused,
                    "the approval is not signed by the person whom it names as its approver")
                  .with_code("approval.wrong-signer"));
}

}  // namespace bailey
