#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/record/store/sqlite_connection.hpp"
#include "orchestrator/record/store/state_store.hpp"

#include <cstdint>
#include <string>

namespace bailey {

/// The version of the tables that this program reads and writes.
[[nodiscard]] std::uint64_t schema_version() noexcept;

[[nodiscard]] const char* table_of(Collection collection) noexcept;

/// Brings a database to schema_version(), one migration after the other in one transaction. A
/// database of a newer program, or of another program, is FailedPrecondition and stays as it is.
[[nodiscard]] Status migrate(SqliteConnection& connection);

/// For those who may not write: FailedPrecondition unless the database is of schema_version().
[[nodiscard]] Status require_schema(SqliteConnection& connection);

}  // namespace bailey
