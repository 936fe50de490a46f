#pragma once

#include "orchestrator/base/error.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

/// The signatures that an issuer can be pinned to (RFC 7518 section 3.1, RFC 8037 section 3.1).
/// Neither `none` nor anything with a shared secret has a name here, so neither can be allowed.
enum class JwsAlgorithm : std::uint8_t { RS256, RS384, RS512, PS256, PS384, PS512, ES256, EdDSA };

[[nodiscard]] std::string_view to_string(JwsAlgorithm algorithm) noexcept;
/// Nothing for any other name; upper and lower case differ.
[[nodiscard]] std::optional<JwsAlgorithm> parse_jws_algorithm(std::string_view name) noexcept;

/// A public key that verifies signatures: RSA of 2048 bits or more, P-256 or Ed25519.
class JsonWebKey {
 public:
  [[nodiscard]] const std::string& id() const noexcept { return id_; }
  /// Whether the key says of itself, by `kty`, `crv` and `alg`, that it makes such signatures.
  [[nodiscard]] bool fits(JwsAlgorithm algorithm) const noexcept;
  /// Never throws; false too when the key does not fit the algorithm.
  [[nodiscard]] bool verifies(JwsAlgorithm algorithm, std::string_view message,
                              std::string_view signature) const;

  /// One member of `keys` (RFC 7517 section 4), as JSON text. Unsupported with `key.unsupported`
  /// for what is meant for something else: shared secrets, encryption, other curves. Protocol with
  /// `key.malformed` for what is no key or a weak one: too short, even or tiny exponents, points
  /// off the curve or of low order, moduli as CVE-2017-15361 (ROCA) made them.
  [[nodiscard]] static Result<JsonWebKey> parse(std::string_view json);

 private:
  struct Parsed;
  explicit JsonWebKey(std::shared_ptr<const Parsed> parsed, std::string id)
      : parsed_(std::move(parsed)), id_(std::move(id)) {}

  std::shared_ptr<const Parsed> parsed_;
  std::string id_;
};

/// The keys of an issuer.
class JsonWebKeySet {
 public:
  static constexpr std::size_t kMostBytes = 256U * 1024;
  static constexpr std::size_t kMostKeys = 32;

  /// A JWK Set (RFC 7517 section 5) or a single JWK. Keys that serve something else are passed
  /// over, as the RFC asks; a malformed or weak one refuses the set, and so does a key id that two
  /// keys share: nobody could say which one is meant.
  [[nodiscard]] static Result<JsonWebKeySet> parse(std::string_view json);

  /// The key with this id; without an id, the only one there is.
  [[nodiscard]] const JsonWebKey* find(const std::optional<std::string>& id) const noexcept;
  [[nodiscard]] std::size_t size() const noexcept { return keys_.size(); }

 private:
  std::vector<JsonWebKey> keys_;
};

}  // namespace bailey
