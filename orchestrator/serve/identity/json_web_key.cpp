#include "orchestrator/serve/identity/json_web_key.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/promote/evidence/ssh_crypto.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace bailey {

namespace {

template <auto Free>
struct Release {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Number = std::unique_ptr<BIGNUM, Release<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Release<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Release<OSSL_PARAM_free>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Release<ECDSA_SIG_free>>;

constexpr std::size_t kCoordinate = 32;  // Bytes, of P-256 and of Ed25519.
constexpr int kFewestBits = 2048;
constexpr int kMostBits = 8192;

enum class Family : std::uint8_t { Rsa, P256, Ed25519 };

constexpr std::array<std::pair<JwsAlgorithm, std::string_view>, 8> kNames{{
    {JwsAlgorithm::RS256, "RS256"},
    {JwsAlgorithm::RS384, "RS384"},
    {JwsAlgorithm::RS512, "RS512"},
    {JwsAlgorithm::PS256, "PS256"},
    {JwsAlgorithm::PS384, "PS384"},
    {JwsAlgorithm::PS512, "PS512"},
    {JwsAlgorithm::ES256, "ES256"},
    {JwsAlgorithm::EdDSA, "EdDSA"},
}};

Family family_of(JwsAlgorithm algorithm) {
  if (algorithm == JwsAlgorithm::ES256) return Family::P256;
  return algorithm == JwsAlgorithm::EdDSA ? Family::Ed25519 : Family::Rsa;
}

bool is_pss(JwsAlgorithm algorithm) {
  return algorithm == JwsAlgorithm::PS256 || algorithm == JwsAlgorithm::PS384 ||
         algorithm == JwsAlgorithm::PS512;
}

const EVP_MD* hash_of(JwsAlgorithm algorithm) {
  switch (algorithm) {
    case JwsAlgorithm::RS384:
    case JwsAlgorithm::PS384:
      return EVP_sha384();
    case JwsAlgorithm::RS512:
    case JwsAlgorithm::PS512:
      return EVP_sha512();
    default:
      return EVP_sha256();
  }
}

tl::unexpected<Error> weak_or_malformed(std::string why) {
  return fail(Error(ErrorKind::Protocol, "not a usable JSON Web Key: " + std::move(why))
                  .with_code("key.malformed"));
}

tl::unexpected<Error> for_something_else(std::string why) {
  return fail(Error(ErrorKind::Unsupported, "the JSON Web Key is " + std::move(why))
                  .with_hint("Signatures are taken of RSA (2048 bits or more), P-256 and Ed25519.")
                  .with_code("key.unsupported"));
}

const unsigned char* data(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Number number(std::string_view bytes) {
  return Number(BN_bin2bn(data(bytes), static_cast<int>(bytes.size()), nullptr));
}

Key import_key(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const Context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return Key(key);
}

/// Whether a modulus has the fingerprint of CVE-2017-15361: modulo each of these primes it is a
/// power of 65537. Of other moduli less than one in 2^80 is.
bool looks_like_roca(const BIGNUM* modulus) {
  constexpr std::array<BN_ULONG, 38> kPrimes{
      3,  5,  7,  11, 13, 17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
      73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};
  return std::all_of(kPrimes.begin(), kPrimes.end(), [&](BN_ULONG prime) {
    const auto wanted = BN_mod_word(modulus, prime);
    BN_ULONG power = 1;
    for (BN_ULONG i = 0; i < prime; ++i) {
      if (power == wanted) return true;
      power = power * (65537 % prime) % prime;
    }
    return false;
  });
}

Result<Key> rsa_key(const Json& json) {
  const auto n = from_base64url(string_member(json, "n"));
  const auto e = from_base64url(string_member(json, "e"));
  if (!n || !e || n->empty() || e->empty()) return weak_or_malformed("n or e is missing");
  const auto modulus = number(*n);
  const auto exponent = number(*e);
  const int bits = BN_num_bits(modulus.get());
  if (bits < kFewestBits || bits > kMostBits) {
    return weak_or_malformed(
        fmt::format("{} bits; {} to {} are taken", bits, kFewestBits, kMostBits));
  }
  if (BN_is_odd(exponent.get()) != 1 || BN_num_bits(exponent.get()) > 32 ||
      BN_is_one(exponent.get()) == 1) {
    return weak_or_malformed("its exponent is even, one or too large");
  }
  if (BN_is_odd(modulus.get()) != 1 || looks_like_roca(modulus.get())) {
    return weak_or_malformed("its modulus is even, or was made as in CVE-2017-15361");
  }
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return weak_or_malformed("OpenSSL does not take it");
  }
  auto key = import_key("RSA", builder.get());
  if (!key) return weak_or_malformed("OpenSSL does not take it");
  return key;
}

Result<Key> p256_key(const Json& json) {
  const auto x = from_base64url(string_member(json, "x"));
  const auto y = from_base64url(string_member(json, "y"));
  if (!x || !y || x->size() != kCoordinate || y->size() != kCoordinate) {
    return weak_or_malformed("x and y have 32 bytes each");
  }
  const std::string point = '\x04' + *x + *y;
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return weak_or_malformed("OpenSSL does not take it");
  }
  auto key = import_key("EC", builder.get());
  if (!key) return weak_or_malformed("its point is not on the curve");
  return key;
}

Status is_for_signatures(const Json& json) {
  const auto& use = member(json, "use");
  if (!use.is_null() && use != "sig") return for_something_else("not for signatures");
  const auto& operations = member(json, "key_ops");
  if (operations.is_null()) return {};
  const bool verify = operations.is_array() &&
                      std::find(operations.begin(), operations.end(), "verify") != operations.end();
  if (!verify) return for_something_else("not for verifying");
  return {};
}

std::string der_of(std::string_view signature) {
  const EcSignature pair(ECDSA_SIG_new());
  if (!pair) return {};
  auto r = number(signature.substr(0, kCoordinate));
  auto s = number(signature.substr(kCoordinate));
  if (!r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
  // Owned by the pair from here on.
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  unsigned char* out = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &out);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  return der;
}

bool verify_with(EVP_PKEY* key, JwsAlgorithm algorithm, std::string_view message,
                 std::string_view signature) {
  const DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* settings = nullptr;  // Of the context.
  if (!context ||
      EVP_DigestVerifyInit(context.get(), &settings, hash_of(algorithm), nullptr, key) != 1) {
    return false;
  }
  if (is_pss(algorithm) &&
      (EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(settings, RSA_PSS_SALTLEN_DIGEST) != 1)) {
    return false;
  }
  return EVP_DigestVerify(context.get(), data(signature), signature.size(), data(message),
                          message.size()) == 1;
}

}  // namespace

std::string_view to_string(JwsAlgorithm algorithm) noexcept {
  for (const auto& [value, name] : kNames) {
    if (value == algorithm) return name;
  }
  return "";
}

std::optional<JwsAlgorithm> parse_jws_algorithm(std::string_view name) noexcept {
  for (const auto& [value, known] : kNames) {
    if (known == name) return value;
  }
  return std::nullopt;
}

struct JsonWebKey::Parsed {
  Family family = Family::Rsa;
  std::optional<JwsAlgorithm> only;  ///< The key's own `alg`.
  Key key;                           ///< Of RSA and P-256.
  std::string point;                 ///< Of Ed25519.
};

bool JsonWebKey::fits(JwsAlgorithm algorithm) const noexcept {
  return parsed_->family == family_of(algorithm) && parsed_->only.value_or(algorithm) == algorithm;
}

bool JsonWebKey::verifies(JwsAlgorithm algorithm, std::string_view message,
                          std::string_view signature) const {
  if (!fits(algorithm)) return false;
  switch (parsed_->family) {
    case Family::Ed25519:
      return verify_ed25519(parsed_->point, message, signature);
    case Family::P256:
      // RFC 7518 section 3.4: R and S as they are, of full length.
      return signature.size() == 2 * kCoordinate &&
             verify_with(parsed_->key.get(), algorithm, message, der_of(signature));
    case Family::Rsa:
      return signature.size() == static_cast<std::size_t>(EVP_PKEY_get_size(parsed_->key.get())) &&
             verify_with(parsed_->key.get(), algorithm, message, signature);
  }
  return false;
}

Result<JsonWebKey> JsonWebKey::parse(std::string_view text) {
  const auto json = parse_json(text);
  if (!json) return fail(json.error());
  if (!json->is_object()) return weak_or_malformed("it is no object");
  if (auto meant = is_for_signatures(*json); !meant) return fail(std::move(meant.error()));
  auto parsed = std::make_shared<Parsed>();
  const auto kty = string_member(*json, "kty");
  const auto crv = string_member(*json, "crv");
  if (kty == "RSA") {
    auto key = rsa_key(*json);
    if (!key) return fail(std::move(key.error()));
    parsed->key = *std::move(key);
  } else if (kty == "EC" && crv == "P-256") {
    auto key = p256_key(*json);
    if (!key) return fail(std::move(key.error()));
    parsed->family = Family::P256;
    parsed->key = *std::move(key);
  } else if (kty == "OKP" && crv == "Ed25519") {
    const auto x = from_base64url(string_member(*json, "x"));
    if (!x || x->size() != kCoordinate || is_weak_ed25519_point(*x)) {
      return weak_or_malformed("x is no point of full order in 32 bytes");
    }
    parsed->family = Family::Ed25519;
    parsed->point = *x;
  } else {
    return for_something_else(fmt::format("of the kind \"{}\" {}", kty, crv));
  }
  if (const auto& alg = member(*json, "alg"); !alg.is_null()) {
    parsed->only = alg.is_string() ? parse_jws_algorithm(alg.get<std::string>()) : std::nullopt;
    if (!parsed->only || family_of(*parsed->only) != parsed->family) {
      return for_something_else("for another algorithm than its kind has here");
    }
  }
  return JsonWebKey(std::move(parsed), string_member(*json, "kid"));
}

Result<JsonWebKeySet> JsonWebKeySet::parse(std::string_view text) {
  auto json = parse_json(text, {.max_bytes = kMostBytes, .max_depth = 8});
  if (!json) return fail(std::move(json.error()));
  if (!json->is_object()) return weak_or_malformed("a set is an object with \"keys\"");
  const auto keys = json->contains("keys") ? member(*json, "keys") : Json::array({*json});
  if (!keys.is_array() || keys.size() > kMostKeys) {
    return weak_or_malformed(fmt::format("\"keys\" is a list of at most {}", kMostKeys));
  }
  JsonWebKeySet set;
  std::set<std::string> ids;
  for (const auto& each : keys) {
    if (const auto& id = member(each, "kid"); id.is_string()) {
      if (!ids.insert(id.get<std::string>()).second) {
        return weak_or_malformed(fmt::format("two keys have the id \"{}\"", id.get<std::string>()));
      }
    }
    auto key = JsonWebKey::parse(each.dump());
    if (!key && key.error().code() == "key.unsupported") continue;
    if (!key) return fail(std::move(key.error()));
    set.keys_.push_back(*std::move(key));
  }
  return set;
}

const JsonWebKey* JsonWebKeySet::find(const std::optional<std::string>& id) const noexcept {
  if (!id) return keys_.size() == 1 ? &keys_.front() : nullptr;
  const auto found = std::find_if(keys_.begin(), keys_.end(),
                                  [&](const JsonWebKey& key) { return key.id() == *id; });
  return found == keys_.end() ? nullptr : &*found;
}

}  // namespace bailey
