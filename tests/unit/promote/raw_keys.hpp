#pragma once

#include "orchestrator/promote/evidence/dsse.hpp"
#include "orchestrator/promote/evidence/statement.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <string>
#include <string_view>

namespace bailey::test {

/// A key of another signing tool: PEM outside, raw signatures. A new one each time.
class RawKey {
 public:
  static RawKey p256() { return RawKey(EVP_EC_gen("P-256")); }
  static RawKey p384() { return RawKey(EVP_EC_gen("P-384")); }
  static RawKey ed25519() { return RawKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")); }
  static RawKey rsa(std::size_t bits = 2048) {
    return RawKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits));
  }

  [[nodiscard]] std::string pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    EXPECT_EQ(PEM_write_bio_PUBKEY(out.get(), key_.get()), 1);
    char* bytes = nullptr;
    const auto size = BIO_get_mem_data(out.get(), &bytes);
    return {bytes, static_cast<std::size_t>(size)};
  }

  /// SHA-256 where the key signs a hash; `hash` is another one for those who ask.
  [[nodiscard]] std::string sign(std::string_view message,
                                 const EVP_MD* hash = EVP_sha256()) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                          &EVP_MD_CTX_free);
    const bool hashes = EVP_PKEY_get_base_id(key_.get()) != EVP_PKEY_ED25519;
    EXPECT_EQ(
        EVP_DigestSignInit(context.get(), nullptr, hashes ? hash : nullptr, nullptr, key_.get()),
        1);
    std::string out(1024, '\0');
    std::size_t size = out.size();
    EXPECT_EQ(
        EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                       reinterpret_cast<const unsigned char*>(message.data()), message.size()),
        1);
    out.resize(size);
    return out;
  }

  [[nodiscard]] DsseEnvelope envelope(std::string_view payload,
                                      std::string_view type = kInTotoPayload) const {
    return {std::string(type),
            std::string(payload),
            {{"", sign(pre_authentication_encoding(type, payload))}}};
  }
  [[nodiscard]] nlohmann::json envelope(const Statement& statement) const {
    return to_json(envelope(payload_of(statement)));
  }

 private:
  explicit RawKey(EVP_PKEY* key) : key_(key, &EVP_PKEY_free) { EXPECT_NE(key, nullptr); }
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

}  // namespace bailey::test
