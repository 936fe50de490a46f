#pragma once

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/net/http_client.hpp"

#include <sodium.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <string>

namespace bailey::test {

/// An OpenID Connect issuer with one Ed25519 key, `one`: it signs tokens, and answers for its keys
/// in place of the network.
class TokenIssuer final : public HttpClient {
 public:
  explicit TokenIssuer(std::string name = "https://token.actions.githubusercontent.com")
      : name_(std::move(name)) {
    if (sodium_init() < 0) std::abort();
    std::array<unsigned char, crypto_sign_SEEDBYTES> seed{};
    crypto_sign_seed_keypair(open_.data(), secret_.data(), seed.data());
  }

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] Json jwk() const {
    return {{"kty", "OKP"}, {"crv", "Ed25519"}, {"kid", "one"}, {"x", base64url(bytes_of(open_))}};
  }
  [[nodiscard]] std::string sign(const std::string& header, const std::string& payload) const {
    const auto text = base64url(header) + "." + base64url(payload);
    std::array<unsigned char, crypto_sign_BYTES> signature{};
    crypto_sign_detached(signature.data(), nullptr,
                         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                         secret_.data());
    return text + "." + base64url(bytes_of(signature));
  }
  [[nodiscard]] std::string sign(const Json& claims) const {
    return sign(R"({"alg":"EdDSA","kid":"one","typ":"JWT"})", claims.dump());
  }

  Result<HttpResponse> send(const HttpRequest& request, std::stop_token) override {
    ++requests;
    if (silent) return fail(ErrorKind::Unavailable, "no connection");
    if (!request.url.starts_with(name_ + "/")) return HttpResponse{404, {}, ""};
    if (request.url.ends_with("/.well-known/openid-configuration")) {
      return HttpResponse{200, {}, Json{{"issuer", name_}, {"jwks_uri", name_ + "/keys"}}.dump()};
    }
    return HttpResponse{200, {}, Json{{"keys", {jwk()}}}.dump()};
  }

  std::atomic<int> requests{0};
  std::atomic<bool> silent{false};

 private:
  const std::string name_;
  std::array<unsigned char, crypto_sign_PUBLICKEYBYTES> open_{};
  std::array<unsigned char, crypto_sign_SECRETKEYBYTES> secret_{};
};

}  // namespace bailey::test
