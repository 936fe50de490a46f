#include "orchestrator/record/audit/log_verifier.hpp"

#include "orchestrator/record/audit/checkpoint.hpp"
#include "orchestrator/record/audit/merkle.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

class Inspection {
 public:
  Inspection(const std::vector<std::string>& notes, const NoteVerifier& key) {
    for (const auto& note : notes) {
      auto checkpoint = open_checkpoint(note, key);
      if (checkpoint) {
        checkpoints_.push_back(*std::move(checkpoint));
      } else {
        add(kCheckpointBad, std::nullopt, checkpoint.error().message());
      }
    }
    std::stable_sort(checkpoints_.begin(), checkpoints_.end(),
                     [](const auto& a, const auto& b) { return a.size < b.size; });
    compare_roots();
  }

  void read(const StoredLeaf& leaf) {
    const auto expected = tree_.size();
    const auto hash = leaf_hash(leaf.body);
    if (leaf.index != expected && !said_missing_) {
      said_missing_ = true;
      add(kEntryMissing, expected,
          fmt::format("entry {} is where entry {} has to be", leaf.index, expected));
    }
    if (leaf.hash && *leaf.hash != hash) {
      add(kEntryAltered, expected, fmt::format("entry {} is not what was hashed", leaf.index));
    }
    tree_.append(hash);
    compare_roots();
  }

  LogReport finish() && {
    if (next_ < checkpoints_.size()) {
      add(kLogTruncated, tree_.size(),
          fmt::format("{} entries are left of {} that were signed", tree_.size(),
                      checkpoints_.back().size));
    }
    if (checkpoints_.empty() && report_.findings.empty() && tree_.size() > 0) {
      add(kCheckpointMissing, 0, "no signed checkpoint covers the log");
    }
    report_.entries = tree_.size();
    report_.root = tree_.root();
    return std::move(report_);
  }

 private:
  void compare_roots() {
    for (; next_ < checkpoints_.size() && checkpoints_[next_].size == tree_.size(); ++next_) {
      if (checkpoints_[next_].root == tree_.root()) {
        report_.signed_entries = tree_.size();
      } else {
        add(kRootDiffers, report_.signed_entries,
            fmt::format("the first {} entries are not those that were signed", tree_.size()));
      }
    }
  }

  void add(const char* code, std::optional<std::uint64_t> index, std::string detail) {
    report_.findings.push_back({code, index, std::move(detail)});
  }

  std::vector<Checkpoint> checkpoints_;
  std::size_t next_ = 0;
  MerkleTree tree_;
  bool said_missing_ = false;
  LogReport report_;
};

}  // namespace

Result<LogReport> inspect_log(const LeafSource& next, const std::vector<std::string>& checkpoints,
                              const NoteVerifier& key) {
  Inspection inspection(checkpoints, key);
  for (;;) {
    auto leaf = next();
    if (!leaf) return fail(std::move(leaf.error()).in("reading the log"));
    if (!*leaf) return std::move(inspection).finish();
    inspection.read(**leaf);
  }
}

Status verify_log(const LeafSource& next, const std::string& checkpoint, const NoteVerifier& key) {
  auto report = inspect_log(next, {checkpoint}, key);
  if (!report) return fail(std::move(report.error()));
  return to_status(*report);
}

Status to_status(const LogReport& report) {
  if (report.ok()) return {};
  const auto& first = report.findings.front();
  auto message = first.detail;
  if (first.first_untrusted) {
    message +=
        fmt::format("; the first entry that cannot be trusted is {}", *first.first_untrusted);
  }
  return fail(Error(ErrorKind::FailedPrecondition, std::move(message)).with_code(first.code));
}

}  // namespace bailey
