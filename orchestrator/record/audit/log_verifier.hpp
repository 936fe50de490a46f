#pragma once

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/error.hpp"
#include "orchestrator/record/audit/signed_note.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bailey {

/// One leaf of a log as somebody keeps it.
struct StoredLeaf {
  std::uint64_t index = 0;
  std::string body;
  std::optional<Sha256> hash;  ///< What is kept beside it as its leaf hash, if anything.
};

/// The next leaf in order, or nothing at the end.
using LeafSource = std::function<Result<std::optional<StoredLeaf>>()>;

/// Something that an honest log cannot show.
struct LogFinding {
  std::string code;  ///< `audit.entry-altered` and the like; see the list below.
  /// The first entry that cannot be trusted, as far as that can be told: everything before it is
  /// as it was signed.
  std::optional<std::uint64_t> first_untrusted;
  std::string detail;
};

/// Codes of findings.
inline constexpr const char* kEntryAltered = "audit.entry-altered";    ///< Body and hash differ.
inline constexpr const char* kEntryMissing = "audit.entry-missing";    ///< A gap or a swap.
inline constexpr const char* kLogTruncated = "audit.log-truncated";    ///< Shorter than was signed.
inline constexpr const char* kRootDiffers = "audit.root-differs";      ///< Not what was signed.
inline constexpr const char* kCheckpointBad = "audit.checkpoint-bad";  ///< Not signed by the key.
inline constexpr const char* kCheckpointMissing = "audit.checkpoint-missing";  ///< None at all.

struct LogReport {
  std::uint64_t entries = 0;         ///< That were read.
  std::uint64_t signed_entries = 0;  ///< That the newest good checkpoint covers.
  Sha256 root{};                     ///< Over all that were read.
  std::vector<LogFinding> findings;
  [[nodiscard]] bool ok() const noexcept { return findings.empty(); }
};

/// Reads the whole log once, in constant memory, hashes every body anew and compares the root at
/// the size of each checkpoint (signed notes, in any order). It trusts the key alone. Fails only
/// when the source does; what is wrong with the log is in the report. A log without any checkpoint
/// is not in order unless it is empty.
[[nodiscard]] Result<LogReport> inspect_log(const LeafSource& next,
                                            const std::vector<std::string>& checkpoints,
                                            const NoteVerifier& key);

/// As inspect_log with one checkpoint: the first finding as an error (FailedPrecondition, with its
/// code).
[[nodiscard]] Status verify_log(const LeafSource& next, const std::string& checkpoint,
                                const NoteVerifier& key);

/// The first finding of a report as an error.
[[nodiscard]] Status to_status(const LogReport& report);

}  // namespace bailey
