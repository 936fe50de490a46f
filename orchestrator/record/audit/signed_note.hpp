#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/base/random.hpp"
#include "orchestrator/base/secret.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

/// The public half of a key for notes (C2SP signed-note, Ed25519), written `name+hash+base64`.
class NoteVerifier {
 public:
  /// InvalidArgument for anything but one well-formed key whose hash is that of its content.
  [[nodiscard]] static Result<NoteVerifier> parse(std::string_view verifier_key);
  /// `public_key` has 32 bytes.
  [[nodiscard]] static Result<NoteVerifier> make(std::string name, std::string_view public_key);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint32_t id() const noexcept { return id_; }
  /// The `name+hash+base64` form.
  [[nodiscard]] std::string str() const;
  [[nodiscard]] bool accepts(std::string_view text, std::string_view signature) const;

 private:
  NoteVerifier(std::string name, std::string public_key);
  std::string name_;
  std::string public_key_;
  std::uint32_t id_;
};

/// The secret half. Its own text form is `PRIVATE+KEY+name+hash+base64`, as Go's tools write it.
class NoteSigner {
 public:
  [[nodiscard]] static Result<NoteSigner> generate(std::string name, Random& random);
  [[nodiscard]] static Result<NoteSigner> parse(const Secret& signer_key);

  [[nodiscard]] const NoteVerifier& verifier() const noexcept { return verifier_; }
  [[nodiscard]] Secret str() const;
  /// The note of `text`, signed. InvalidArgument for a text that no note can have: not ending with
  /// a newline, with control characters, not UTF-8.
  [[nodiscard]] Result<std::string> sign(std::string_view text) const;

 private:
  NoteSigner(NoteVerifier verifier, Secret seed);
  [[nodiscard]] static Result<NoteSigner> from_seed(std::string name, Secret seed);
  NoteVerifier verifier_;
  Secret seed_;
};

/// A note whose text at least one known key has signed.
struct OpenedNote {
  std::string text;                    ///< With its final newline.
  std::vector<std::string> signed_by;  ///< Names of the known keys, in the order of the note.
  std::size_t unknown_signatures = 0;  ///< Passed over, as the specification asks.
};

/// Protocol for a malformed note; PermissionDenied when no known key signed it, or when a signature
/// under the name and hash of a known key is wrong, whatever the others say.
[[nodiscard]] Result<OpenedNote> open_note(std::string_view note,
                                           const std::vector<NoteVerifier>& known);

}  // namespace bailey
