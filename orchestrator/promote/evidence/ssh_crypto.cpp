#include "orchestrator/promote/evidence/ssh_crypto.hpp"

#include "orchestrator/promote/evidence/ssh_wire.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sodium.h>

#include <memory>
#include <string>

namespace bailey {

namespace {

template <auto Free>
struct Releaser {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
using Number = std::unique_ptr<BIGNUM, Releaser<BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Releaser<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Releaser<OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Releaser<EVP_PKEY_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Releaser<EVP_PKEY_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Releaser<EVP_MD_CTX_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Releaser<ECDSA_SIG_free>>;

const unsigned char* data(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

Number number(std::string_view bytes) {
  return Number(BN_bin2bn(data(bytes), static_cast<int>(bytes.size()), nullptr));
}

Key import_key(const char* type, OSSL_PARAM_BLD* builder) {
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
    return nullptr;
  }
  return Key(key);
}

bool verify(EVP_PKEY* key, const EVP_MD* hash, std::string_view message,
            std::string_view signature) {
  const DigestContext context(EVP_MD_CTX_new());
  return key != nullptr && context &&
         EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), data(signature), signature.size(), data(message),
                          message.size()) == 1;
}

std::string der_signature(std::string_view r, std::string_view s) {
  const EcSignature pair(ECDSA_SIG_new());
  if (!pair || ECDSA_SIG_set0(pair.get(), number(r).release(), number(s).release()) != 1) return {};
  unsigned char* out = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &out);
  if (size <= 0) return {};
  std::string der(reinterpret_cast<const char*>(out), static_cast<std::size_t>(size));
  OPENSSL_free(out);
  return der;
}

Key p256_key(std::string_view point) {
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                       point.size()) != 1) {
    return nullptr;
  }
  return import_key("EC", builder.get());
}

Key rsa_key(const SshPublicKey& key) {
  const auto modulus = number(key.modulus);
  const auto exponent = number(key.exponent);
  const Builder builder(OSSL_PARAM_BLD_new());
  if (!builder || !modulus || !exponent ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return nullptr;
  }
  return import_key("RSA", builder.get());
}

bool verify_hashed(EVP_PKEY* key, const Sha256& digest, std::string_view signature) {
  const KeyContext context(key == nullptr ? nullptr : EVP_PKEY_CTX_new(key, nullptr));
  return context && EVP_PKEY_verify_init(context.get()) == 1 &&
         EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
         EVP_PKEY_verify(context.get(), data(signature), signature.size(), digest.data(),
                         digest.size()) == 1;
}

}  // namespace

bool verify_ed25519(std::string_view point, std::string_view message, std::string_view signature) {
  return point.size() == crypto_sign_PUBLICKEYBYTES && signature.size() == crypto_sign_BYTES &&
         !is_weak_ed25519_point(point) &&
         crypto_sign_verify_detached(data(signature), data(message), message.size(), data(point)) ==
             0;
}

bool verify_ecdsa_p256(std::string_view point, std::string_view message,
                       std::string_view signature) {
  SshReader reader(signature);
  const auto r = reader.positive();
  const auto s = reader.positive();
  if (!reader.finished() || r.size() > 32 || s.size() > 32) return false;
  const auto key = p256_key(point);
  const auto der = der_signature(r, s);
  return !der.empty() && verify(key.get(), EVP_sha256(), message, der);
}

bool verify_rsa(const SshPublicKey& key, RsaHash hash, std::string_view message,
                std::string_view signature) {
  if (signature.size() > key.modulus.size()) return false;
  // Some agents drop leading zeros; PKCS #1 wants the full length.
  const auto padded = std::string(key.modulus.size() - signature.size(), '\0').append(signature);
  return verify(rsa_key(key).get(), hash == RsaHash::Bits256 ? EVP_sha256() : EVP_sha512(), message,
                padded);
}

bool verify_raw(const SshPublicKey& key, std::string_view message, std::string_view signature) {
  if (key.type == SshKeyType::Ed25519) return verify_ed25519(key.point, message, signature);
  return verify_raw_digest(key, sha256(message), signature);
}

bool verify_raw_digest(const SshPublicKey& key, const Sha256& digest, std::string_view signature) {
  if (key.type == SshKeyType::Rsa) {
    return signature.size() == key.modulus.size() &&
           verify_hashed(rsa_key(key).get(), digest, signature);
  }
  if (key.type != SshKeyType::EcdsaP256) return false;
  const auto imported = p256_key(key.point);
  if (verify_hashed(imported.get(), digest, signature)) return true;
  constexpr std::size_t kHalf = 32;
  if (signature.size() != 2 * kHalf) return false;
  const auto der = der_signature(signature.substr(0, kHalf), signature.substr(kHalf));
  return !der.empty() && verify_hashed(imported.get(), digest, der);
}

}  // namespace bailey
