#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/base/random.hpp"
#include "orchestrator/record/audit/checkpoint.hpp"
#include "orchestrator/record/audit/signed_note.hpp"

#include <filesystem>
#include <string>

namespace bailey {

/// The Ed25519 key that signs the checkpoints of one log. Its name is the log's origin, so the
/// verifier key that auditors pin names both.
class LogKey {
 public:
  [[nodiscard]] static Result<LogKey> generate(std::string origin, Random& random);
  /// The file must be private: PermissionDenied when anybody but its owner may read it.
  [[nodiscard]] static Result<LogKey> load(const std::filesystem::path& file);
  /// Loads the key, or makes one when there is no file. A log keeps the origin it was born with:
  /// `origin` counts only for a new key.
  [[nodiscard]] static Result<LogKey> load_or_create(const std::filesystem::path& file,
                                                     const std::string& origin, Random& random);
  /// Writes a file of mode 0600.
  [[nodiscard]] Status save(const std::filesystem::path& file) const;

  [[nodiscard]] const std::string& origin() const noexcept { return signer_.verifier().name(); }
  [[nodiscard]] const NoteVerifier& verifier() const noexcept { return signer_.verifier(); }
  /// The signed note. Whoever calls answers for `root` being that of the log's first `size` leaves.
  [[nodiscard]] Result<std::string> sign(std::uint64_t size, const Sha256& root) const;

 private:
  explicit LogKey(NoteSigner signer) : signer_(std::move(signer)) {}
  NoteSigner signer_;
};

}  // namespace bailey
