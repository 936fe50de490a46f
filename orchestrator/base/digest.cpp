#include "orchestrator/base/digest.hpp"

#include "orchestrator/base/assert.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/sha256_stream.hpp"

#include <nlohmann/json.hpp>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <memory>

namespace bailey {

namespace {

// Fetched once: an implicit fetch for each call costs more than hashing a short record.
const EVP_MD* fetched(const char* name) {
  return EVP_MD_fetch(nullptr, name, nullptr);
}

template <std::size_t N>
std::array<std::uint8_t, N> hash(const EVP_MD* method, std::string_view bytes) {
  std::array<std::uint8_t, N> out{};
  unsigned length = 0;
  const int ok = EVP_Digest(bytes.data(), bytes.size(), out.data(), &length, method, nullptr);
  BAILEY_ASSERT(ok == 1 && length == N);
  return out;
}

EVP_MD_CTX* raw(const std::shared_ptr<void>& context) {
  return static_cast<EVP_MD_CTX*>(context.get());
}

}  // namespace

Sha256Stream::Sha256Stream()
    : context_(EVP_MD_CTX_new(),
               [](void* context) { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context)); }) {
  static const EVP_MD* const kMethod = fetched("SHA256");
  BAILEY_ASSERT(context_ != nullptr && EVP_DigestInit_ex2(raw(context_), kMethod, nullptr) == 1);
}

void Sha256Stream::add(std::string_view bytes) {
  BAILEY_ASSERT(EVP_DigestUpdate(raw(context_), bytes.data(), bytes.size()) == 1);
}

Sha256 Sha256Stream::finish() {
  Sha256 out{};
  BAILEY_ASSERT(EVP_DigestFinal_ex(raw(context_), out.data(), nullptr) == 1);
  return out;
}

std::string digest_of(const Sha256& hash) {
  return "sha256:" + hex(bytes_of(hash));
}

Sha256 sha256(std::string_view bytes) {
  static const EVP_MD* const kMethod = fetched("SHA256");
  return hash<32>(kMethod, bytes);
}

std::array<std::uint8_t, 64> sha512(std::string_view bytes) {
  static const EVP_MD* const kMethod = fetched("SHA512");
  return hash<64>(kMethod, bytes);
}

Sha256 hmac_sha256(std::string_view key, std::string_view bytes) {
  Sha256 out{};
  unsigned length = 0;
  const auto* done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out.data(), &length);
  BAILEY_ASSERT(done != nullptr && length == out.size());
  return out;
}

std::string digest_of(std::string_view bytes) {
  return "sha256:" + hex(sha256(bytes));
}

std::string digest_of(const nlohmann::json& value) {
  return digest_of(std::string_view(canonical(value)));
}

std::string digest_with_list(const nlohmann::json& rest, const std::string& list, std::size_t size,
                             const std::function<nlohmann::json(std::size_t)>& element) {
  nlohmann::json members = rest;
  members[list] = nullptr;  // Its place among the names, which are sorted.
  Sha256Stream hasher;
  const char* before = "{";
  for (const auto& [name, value] : members.items()) {
    hasher.add(before + canonical(name) + ":");
    before = ",";
    if (name != list) {
      hasher.add(canonical(value));
      continue;
    }
    hasher.add("[");
    for (std::size_t i = 0; i < size; ++i) hasher.add((i > 0 ? "," : "") + canonical(element(i)));
    hasher.add("]");
  }
  hasher.add("}");
  return "sha256:" + hex(hasher.finish());
}

bool is_digest(std::string_view text) noexcept {
  constexpr std::string_view kPrefix = "sha256:";
  if (text.substr(0, kPrefix.size()) != kPrefix || text.size() != kPrefix.size() + 64) return false;
  return std::all_of(text.begin() + kPrefix.size(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool equal_in_constant_time(std::string_view left, std::string_view right) noexcept {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace bailey
