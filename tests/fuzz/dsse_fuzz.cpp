#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/evidence/approval_statement.hpp"
#include "orchestrator/promote/evidence/authorship.hpp"
#include "orchestrator/promote/evidence/dsse.hpp"
#include "orchestrator/promote/evidence/receipt.hpp"
#include "orchestrator/promote/evidence/verification.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto statement = bailey::parse_statement(bytes)) {
    (void)bailey::approval_from_statement(*statement);
    (void)bailey::authorship_from_statement(*statement);
    (void)bailey::verification_from_statement(*statement);
  }
  const auto value = bailey::parse_json(bytes);
  if (!value) return 0;
  (void)bailey::verify_receipt(*value, {});
  if (const auto envelope = bailey::dsse_envelope_from_json(*value)) {
    (void)bailey::verify_envelope(*envelope, bailey::kInTotoPayload, {});
  }
  return 0;
}
