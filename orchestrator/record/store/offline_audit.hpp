#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/record/audit/log_verifier.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace bailey {

/// Verifies the log in a copy of a database, without a server and without changing the copy: every
/// entry against its hash, the roots against every stored checkpoint and against those that the
/// auditor brings (`witnessed`: notes kept elsewhere, which show a rewritten or shortened log that
/// was signed anew). A copy is the database file and, when there is one, its -wal.
[[nodiscard]] Result<LogReport> audit_database(const std::filesystem::path& database,
                                               const NoteVerifier& key,
                                               const std::vector<std::string>& witnessed = {});

}  // namespace bailey
