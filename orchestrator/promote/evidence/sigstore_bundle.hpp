#pragma once

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/error.hpp"
#include "orchestrator/promote/evidence/dsse.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>
#include <variant>

namespace bailey {

/// The media type of the newest bundles, and the artifact type under which a registry keeps them.
inline constexpr std::string_view kSigstoreBundle = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// A signature over something of which the bundle says the SHA-256.
struct MessageSignature {
  Sha256 digest{};
  std::string signature;  ///< Raw bytes.
};

using BundleContent = std::variant<DsseEnvelope, MessageSignature>;

/// Reads a sigstore bundle, version 0.1 to 0.3, that was made with a managed key. The key's hint
/// decides nothing, and entries of transparency logs and time stamps are not looked at: who trusts
/// a key needs none of them. Unsupported with `bundle.keyless` for one whose key stands in a
/// certificate, with `bundle.unknown-version` for other versions; Protocol with `bundle.malformed`
/// otherwise.
[[nodiscard]] Result<BundleContent> read_sigstore_bundle(const nlohmann::json& value);

/// A bundle with nothing in it but that signature: the form in which it is kept.
[[nodiscard]] nlohmann::json to_json(const MessageSignature& signature);

/// Whether a value is meant as a bundle: it says so by its media type.
[[nodiscard]] bool looks_like_sigstore_bundle(const nlohmann::json& value);

}  // namespace bailey
