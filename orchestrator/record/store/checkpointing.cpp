#include "orchestrator/record/store/checkpointing.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/record/audit/checkpoint.hpp"
#include "orchestrator/record/audit/log_verifier.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey {

namespace {

tl::unexpected<Error> broken(const char* code, std::string why) {
  return fail(Error(ErrorKind::FailedPrecondition, std::move(why)).with_code(code));
}

}  // namespace

Status check_continuity(Transaction& transaction, const NoteVerifier& key) {
  auto note = transaction.newest_checkpoint();
  if (!note) return fail(std::move(note.error()));
  if (!*note) return {};
  auto checkpoint = open_checkpoint(**note, key);
  if (!checkpoint) return broken(kCheckpointBad, checkpoint.error().message());
  auto size = transaction.log_size();
  if (!size) return fail(std::move(size.error()));
  if (checkpoint->size > *size) {
    return broken(kLogTruncated, fmt::format("{} entries are left of {} that were signed", *size,
                                             checkpoint->size));
  }
  auto root = transaction.log_root(checkpoint->size);
  if (!root) return fail(std::move(root.error()));
  if (*root != bytes_of(checkpoint->root)) {
    return broken(kRootDiffers, fmt::format("the first {} entries are not those that were signed",
                                            checkpoint->size));
  }
  return {};
}

Result<std::string> sign_checkpoint(Transaction& transaction, const LogKey& key) {
  if (auto continues = check_continuity(transaction, key.verifier()); !continues) {
    return fail(std::move(continues.error()).in("signing a checkpoint"));
  }
  auto size = transaction.log_size();
  if (!size) return fail(std::move(size.error()));
  auto raw = transaction.log_root(*size);
  if (!raw) return fail(std::move(raw.error()));
  Sha256 root{};
  std::copy(raw->begin(), raw->end(), root.begin());
  auto note = key.sign(*size, root);
  if (!note) return note;
  if (auto stored = transaction.put_checkpoint(*size, *note); !stored) {
    return fail(std::move(stored.error()));
  }
  return note;
}

}  // namespace bailey
