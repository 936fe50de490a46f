#pragma once

#include "orchestrator/serve/cli/context.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace bailey {

struct AuditListCommand {
  std::uint64_t from = 0;
  std::size_t limit = 0;  ///< 0: all.
};
[[nodiscard]] int list_audit(const Context& context, const AuditListCommand& command);

struct AuditVerifyCommand {
  std::filesystem::path database;  ///< A copy of the server's database; empty: over the API.
  std::string key;                 ///< The log's verifier key, or a file that holds it.
};
/// Hashes every entry anew and compares the root with the signed checkpoint. It trusts the pinned
/// key alone; over the API without one, it says which key it has taken on faith.
[[nodiscard]] int verify_audit(const Context& context, const AuditVerifyCommand& command);

}  // namespace bailey
