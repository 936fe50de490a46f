#pragma once

#include "orchestrator/base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bailey::devcloud {

/// One object as it lies in the file.
struct StoredObject {
  std::string kind;
  std::string id;
  std::uint64_t sequence = 0;
  std::string body;  ///< JSON text.
};

/// One change: without `object` the row goes.
struct StoredChange {
  std::string kind;
  std::string id;
  std::optional<StoredObject> object;
};

/// The cloud's memory across restarts: a SQLite file (mode 0600) with one table, and beside it
/// `<file>.key` (mode 0600), which seals what must not lie in the file in plain.
class StateFile {
 public:
  [[nodiscard]] static Result<std::unique_ptr<StateFile>> open(const std::filesystem::path& path);
  ~StateFile();
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  [[nodiscard]] Result<std::vector<StoredObject>> read_all();
  /// All changes or none.
  [[nodiscard]] Status write(const std::vector<StoredChange>& changes);
  [[nodiscard]] const std::string& key() const noexcept { return key_; }

 private:
  class Database;
  StateFile(std::unique_ptr<Database> database, std::string key);
  std::unique_ptr<Database> database_;
  std::string key_;
};

}  // namespace bailey::devcloud
