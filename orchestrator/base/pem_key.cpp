#include "orchestrator/base/pem_key.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <memory>

namespace bailey {

namespace {

constexpr std::string_view kBegin = "-----BEGIN PUBLIC KEY-----";
constexpr std::string_view kEnd = "-----END PUBLIC KEY-----";
constexpr std::size_t kMaximumText = 16U * 1024;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;

tl::unexpected<Error> malformed(std::string why) {
  return fail(Error(ErrorKind::Protocol, "not a PEM public key: " + std::move(why))
                  .with_code("key.malformed"));
}

tl::unexpected<Error> unsupported() {
  return fail(Error(ErrorKind::Unsupported, "public keys of this kind are not supported")
                  .with_hint("Use Ed25519, ECDSA P-256, or RSA of at least 2048 bits.")
                  .with_code("key.unsupported"));
}

// RFC 4251 section 5.
std::string field(std::string_view bytes) {
  std::string out;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) {
    out += static_cast<char>(bytes.size() >> shift & 0xFFU);
  }
  return out.append(bytes);
}

std::string number_field(const BIGNUM* number) {
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  // A leading zero byte keeps it positive.
  if (!bytes.empty() && (static_cast<unsigned char>(bytes.front()) & 0x80U) != 0) {
    bytes.insert(bytes.begin(), '\0');
  }
  return field(bytes);
}

Result<std::string> der_in(std::string_view text) {
  text = trim(text);
  if (text.size() > kMaximumText) return malformed("it is too large");
  if (!text.starts_with(kBegin) || !text.ends_with(kEnd) ||
      text.size() < kBegin.size() + kEnd.size()) {
    return malformed("the lines around it are missing");
  }
  text = text.substr(kBegin.size(), text.size() - kBegin.size() - kEnd.size());
  std::string joined;
  std::copy_if(text.begin(), text.end(), std::back_inserter(joined),
               [](char c) { return c != '\n' && c != '\r' && c != ' ' && c != '\t'; });
  auto der = from_base64(joined);
  if (!der || der->empty()) return malformed("what it holds is not base64");
  return *std::move(der);
}

Result<Key> key_in(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = at + der.size();
  Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())), &EVP_PKEY_free);
  if (!key || at != end) return malformed("what it holds is no key");
  unsigned char* again = nullptr;
  const int size = i2d_PUBKEY(key.get(), &again);
  const bool same = size > 0 && static_cast<std::size_t>(size) == der.size() &&
                    std::equal(again, again + size, end - der.size());
  OPENSSL_free(again);
  if (!same) return malformed("its encoding is not the canonical one");
  return key;
}

Result<std::string> ed25519_line(EVP_PKEY* key) {
  std::array<unsigned char, 32> point{};
  std::size_t size = point.size();
  if (EVP_PKEY_get_raw_public_key(key, point.data(), &size) != 1 || size != point.size()) {
    return malformed("the point has no 32 bytes");
  }
  return "ssh-ed25519 " + base64(field("ssh-ed25519") + field(bytes_of(point)));
}

Result<std::string> p256_line(EVP_PKEY* key) {
  std::array<char, 64> group{};
  std::size_t size = 0;
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(),
                                     &size) != 1 ||
      std::string_view(group.data(), size) != SN_X9_62_prime256v1) {
    return unsupported();
  }
  std::array<unsigned char, 128> point{};
  if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(),
                                      &size) != 1 ||
      size != 65 || point[0] != 4) {
    return malformed("the point is not uncompressed");
  }
  return "ecdsa-sha2-nistp256 " +
         base64(field("ecdsa-sha2-nistp256") + field("nistp256") +
                field(std::string_view(reinterpret_cast<const char*>(point.data()), size)));
}

Result<std::string> rsa_line(EVP_PKEY* key) {
  BIGNUM* raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &raw) != 1) return malformed("no exponent");
  const Number exponent(raw, &BN_free);
  raw = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &raw) != 1) return malformed("no modulus");
  const Number modulus(raw, &BN_free);
  return "ssh-rsa " +
         base64(field("ssh-rsa") + number_field(exponent.get()) + number_field(modulus.get()));
}

}  // namespace

bool looks_like_pem(std::string_view text) noexcept {
  return trim(text).starts_with("-----BEGIN");
}

Result<std::string> openssh_line_from_pem(std::string_view text) {
  const auto der = der_in(text);
  if (!der) return fail(der.error());
  const auto key = key_in(*der);
  if (!key) return fail(key.error());
  switch (EVP_PKEY_get_base_id(key->get())) {
    case EVP_PKEY_ED25519:
      return ed25519_line(key->get());
    case EVP_PKEY_EC:
      return p256_line(key->get());
    case EVP_PKEY_RSA:
      return rsa_line(key->get());
    default:
      return unsupported();
  }
}

}  // namespace bailey
