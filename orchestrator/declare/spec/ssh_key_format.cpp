#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/pem_key.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/spec/formats.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <cstdint>

namespace bailey::spec {

namespace {

/// Reads the length-prefixed fields of RFC 4251 section 5.
class Blob {
 public:
  explicit Blob(std::string_view bytes) : rest_(bytes) {}

  std::optional<std::string_view> field() {
    if (rest_.size() < 4) return std::nullopt;
    std::uint32_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      length = length << 8 | static_cast<unsigned char>(rest_[i]);
    }
    if (length > rest_.size() - 4) return std::nullopt;
    const auto value = rest_.substr(4, length);
    rest_.remove_prefix(4U + length);
    return value;
  }
  [[nodiscard]] bool done() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_;
};

constexpr const char* kIncomplete =
    "The key is not complete; copy the whole line of the .pub file.";

std::optional<std::string> ed25519_fault(Blob& blob) {
  const auto point = blob.field();
  if (!point || point->size() != 32) return kIncomplete;
  const auto* bytes = reinterpret_cast<const unsigned char*>(point->data());
  if (crypto_core_ed25519_is_valid_point(bytes) == 1) return std::nullopt;
  return "This is no point that an Ed25519 key can have: with a key of low order one signature "
         "would fit any text.";
}

std::optional<std::string> ecdsa_fault(Blob& blob, std::string_view curve, std::size_t size) {
  const auto named = blob.field();
  const auto point = blob.field();
  if (!named || !point || *named != curve || point->size() != size || point->front() != '\x04') {
    return kIncomplete;
  }
  return std::nullopt;
}

std::optional<std::string> rsa_fault(Blob& blob) {
  const auto exponent = blob.field();
  const auto modulus = blob.field();
  if (!exponent || !modulus || exponent->empty()) return kIncomplete;
  // A leading zero byte keeps the number positive.
  if (modulus->size() < 257) return "An RSA key has at least 2048 bits; better is ssh-ed25519.";
  if (modulus->size() > 2049) return "An RSA key has at most 16384 bits.";
  if (exponent->size() > 8 || (exponent->back() & 1) == 0 || *exponent == "\x01") {
    return "This RSA key has an exponent with which nothing is secret; make another one.";
  }
  return std::nullopt;
}

std::optional<std::string> body_fault(std::string_view type, Blob& blob, bool& hardware) {
  hardware = type.starts_with("sk-");
  if (type == "ssh-ed25519" || type == "sk-ssh-ed25519@openssh.com") return ed25519_fault(blob);
  if (type == "ecdsa-sha2-nistp256" || type == "sk-ecdsa-sha2-nistp256@openssh.com") {
    return ecdsa_fault(blob, "nistp256", 65);
  }
  return rsa_fault(blob);
}

const std::vector<std::string>& known_types() {
  static const std::vector<std::string> kTypes{"ssh-ed25519", "sk-ssh-ed25519@openssh.com",
                                               "ecdsa-sha2-nistp256",
                                               "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-rsa"};
  return kTypes;
}

}  // namespace

std::optional<std::string> ssh_key_fault(std::string_view line) {
  if (looks_like_pem(line)) return "PEM keys are for services; a person signs with an SSH key.";
  if (line.find('\n') != std::string_view::npos) return "A key is one line.";
  const auto space = line.find(' ');
  const std::string type(line.substr(0, space));
  bool known = false;
  for (const auto& each : known_types()) known = known || each == type;
  if (!known) {
    return fmt::format("A key begins with its type, such as \"ssh-ed25519\"; known are {}.",
                       enumerate(known_types()));
  }
  if (space == std::string_view::npos) return kIncomplete;
  auto body = line.substr(space + 1);
  body = body.substr(0, body.find(' '));
  const auto bytes = from_base64(body);
  if (!bytes) return "What follows the type is not base64; copy the whole line of the .pub file.";
  Blob blob(*bytes);
  const auto inner = blob.field();
  if (!inner) return kIncomplete;
  if (*inner != type) {
    return fmt::format("The line says \"{}\" and the key inside is of another type.", type);
  }
  bool hardware = false;
  if (auto fault = body_fault(type, blob, hardware)) return fault;
  if (hardware && !blob.field()) return kIncomplete;
  if (!blob.done()) return "The key is longer than its type says.";
  return std::nullopt;
}

std::optional<std::string> service_key_fault(std::string_view text) {
  if (!looks_like_pem(text)) return ssh_key_fault(text);
  const auto line = openssh_line_from_pem(text);
  if (line) return ssh_key_fault(*line);
  return fmt::format("This cannot be used: {}.", line.error().message());
}

std::string ssh_key_identity(std::string_view line) {
  if (looks_like_pem(line)) return openssh_line_from_pem(line).value_or(std::string(line));
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return std::string(line);
  return std::string(line.substr(0, line.find(' ', space + 1)));
}

}  // namespace bailey::spec
