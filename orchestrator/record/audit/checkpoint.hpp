#pragma once

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/error.hpp"
#include "orchestrator/record/audit/signed_note.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

/// The head of a log (C2SP tlog-checkpoint): which log, how many leaves, which root.
struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Sha256 root{};
  std::vector<std::string> extensions;  ///< Further lines, which we write none of.
  bool operator==(const Checkpoint&) const = default;
};

/// The text that is signed.
[[nodiscard]] std::string to_text(const Checkpoint& checkpoint);
/// Protocol for anything that to_text() could not have written.
[[nodiscard]] Result<Checkpoint> parse_checkpoint(std::string_view text);

/// Opens a signed checkpoint. The key is pinned by the reader and its name is the log's: a
/// checkpoint of another log, even one that this key has signed, is PermissionDenied.
[[nodiscard]] Result<Checkpoint> open_checkpoint(std::string_view note, const NoteVerifier& key);

}  // namespace bailey
