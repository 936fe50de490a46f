#pragma once

#include "orchestrator/base/digest.hpp"
#include "orchestrator/promote/evidence/ssh_key.hpp"

#include <string_view>
#include <vector>

namespace bailey {

/// A service may have, besides SSH keys, keys enrolled as PEM: those of other signing tools. How a
/// key was enrolled decides which signatures count: an SSH key makes SSHSIG ones in our namespace,
/// a PEM key raw ones. So no signature that a key made for another purpose is taken for either.

/// Reads a key as it was enrolled, as PEM or as an OpenSSH line; both are judged alike, so that a
/// weak key is none in either form.
[[nodiscard]] Result<SshPublicKey> parse_enrolled_key(std::string_view text);

/// Succeeds when the raw `signature` was made over `message` by a PEM key of one of the services
/// among `keys`, and says which. Otherwise Refused with `signature.unknown-key`: which key was
/// meant cannot be told, as a raw signature names none and its key id is not believed.
[[nodiscard]] Result<EnrolledKey> verify_raw_signature(std::string_view signature,
                                                       const std::vector<EnrolledKey>& keys,
                                                       std::string_view message);
/// The same over something of which the SHA-256 alone is known (see verify_raw_digest()).
[[nodiscard]] Result<EnrolledKey> verify_raw_signature_of(std::string_view signature,
                                                          const std::vector<EnrolledKey>& keys,
                                                          const Sha256& digest);

}  // namespace bailey
