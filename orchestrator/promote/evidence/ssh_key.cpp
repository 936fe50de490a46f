#include "orchestrator/promote/evidence/ssh_key.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/promote/evidence/ssh_wire.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <utility>

namespace bailey {

namespace {

constexpr std::size_t kMinimumRsaBytes = 256;
constexpr std::size_t kMaximumRsaBytes = 2048;
constexpr std::size_t kMaximumLine = 16U * 1024;

constexpr std::array<std::pair<std::string_view, SshKeyType>, 5> kTypes{{
    {"ssh-ed25519", SshKeyType::Ed25519},
    {"ecdsa-sha2-nistp256", SshKeyType::EcdsaP256},
    {"ssh-rsa", SshKeyType::Rsa},
    {"sk-ssh-ed25519@openssh.com", SshKeyType::SkEd25519},
    {"sk-ecdsa-sha2-nistp256@openssh.com", SshKeyType::SkEcdsaP256},
}};

tl::unexpected<Error> malformed(std::string why) {
  return fail(Error(ErrorKind::Protocol, "not an SSH public key: " + std::move(why))
                  .with_code("key.malformed"));
}

tl::unexpected<Error> weak(std::string why) {
  return fail(Error(ErrorKind::Refused, "the SSH key is too weak: " + std::move(why))
                  .with_code("key.weak"));
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 64)) out += c > ' ' && c < 0x7F ? c : '?';
  return out;
}

void read_rsa(SshReader& reader, SshPublicKey& key) {
  key.exponent = reader.positive();
  key.modulus = reader.positive();
}

void read_curve(SshReader& reader, SshPublicKey& key) {
  const bool known = reader.string() == "nistp256";
  const auto point = reader.string();
  if (known && point.size() == 65 && point[0] == 4) key.point = point;
}

Status check_strength(const SshPublicKey& key) {
  switch (key.type) {
    case SshKeyType::Ed25519:
    case SshKeyType::SkEd25519:
      if (key.point.size() != crypto_sign_PUBLICKEYBYTES)
        return malformed("the point has no 32 bytes");
      if (is_weak_ed25519_point(key.point))
        return weak("its point is of low order or not canonical");
      return {};
    case SshKeyType::EcdsaP256:
    case SshKeyType::SkEcdsaP256:
      if (key.point.empty()) return malformed("no uncompressed point of nistp256");
      return {};
    case SshKeyType::Rsa:
      if (key.modulus.size() < kMinimumRsaBytes) return weak("RSA needs at least 2048 bits");
      if (key.modulus.size() > kMaximumRsaBytes) return malformed("RSA beyond 16384 bits");
      if ((key.modulus.back() & 1) == 0) return malformed("the RSA modulus is even");
      // An exponent of 1 would make every message its own signature.
      if ((key.exponent.back() & 1) == 0 || key.exponent == "\x01" || key.exponent.size() > 8) {
        return weak("its RSA exponent is not usable");
      }
      return {};
  }
  return malformed("unknown type");
}

}  // namespace

bool is_weak_ed25519_point(std::string_view point) noexcept {
  static const int ready = sodium_init();
  return ready < 0 || point.size() != crypto_core_ed25519_BYTES ||
         crypto_core_ed25519_is_valid_point(reinterpret_cast<const unsigned char*>(point.data())) !=
             1;
}

Result<SshPublicKey> parse_ssh_key_blob(std::string_view blob) {
  SshReader reader(blob);
  const auto name = reader.string();
  if (!reader.ok()) return malformed("it is cut short");
  SshPublicKey key;
  bool known = false;
  for (const auto& [type_name, type] : kTypes) {
    if (type_name != name) continue;
    key.type = type;
    known = true;
  }
  if (!known) {
    return fail(Error(ErrorKind::Unsupported,
                      fmt::format("keys of type \"{}\" are not supported", printable(name)))
                    .with_hint("Use ssh-ed25519, ecdsa-sha2-nistp256, ssh-rsa of at least 2048 "
                               "bits, or a FIDO key of type ed25519-sk or ecdsa-sk.")
                    .with_code("key.unsupported"));
  }
  switch (key.type) {
    case SshKeyType::Ed25519:
    case SshKeyType::SkEd25519:
      key.point = reader.string();
      break;
    case SshKeyType::EcdsaP256:
    case SshKeyType::SkEcdsaP256:
      read_curve(reader, key);
      break;
    case SshKeyType::Rsa:
      read_rsa(reader, key);
      break;
  }
  if (key.type == SshKeyType::SkEd25519 || key.type == SshKeyType::SkEcdsaP256) {
    key.application = reader.string();
  }
  if (!reader.finished()) return malformed("its parts do not fit its length");
  if (auto strong = check_strength(key); !strong) return fail(std::move(strong.error()));
  key.blob = blob;
  return key;
}

Result<SshPublicKey> parse_ssh_public_key(std::string_view line) {
  line = trim(line);
  if (line.size() > kMaximumLine || line.find_first_of("\r\n") != std::string_view::npos) {
    return malformed("it must be one line");
  }
  const auto type_end = line.find_first_of(" \t");
  if (type_end == std::string_view::npos) return malformed("there is no key after the type");
  const auto type = line.substr(0, type_end);
  const auto rest = trim(line.substr(type_end));
  const auto key_end = rest.find_first_of(" \t");
  const auto blob = from_base64(rest.substr(0, key_end));
  if (!blob) return malformed("what follows the type is not base64");
  if (SshReader(*blob).string() != type)
    return malformed("the type outside is not the type inside");
  auto key = parse_ssh_key_blob(*blob);
  if (key && key_end != std::string_view::npos) key->comment = trim(rest.substr(key_end));
  return key;
}

std::string fingerprint(const SshPublicKey& key) {
  auto digest = base64(bytes_of(sha256(key.blob)));
  while (digest.back() == '=') digest.pop_back();
  return "SHA256:" + digest;
}

std::vector<EnrolledKey> enrolled_keys(const Directory& directory, const Subject& owner) {
  const std::vector<std::string>* lines = nullptr;
  if (owner.kind == SubjectKind::Person) {
    const auto found = directory.people.find(owner.name);
    if (found != directory.people.end()) lines = &found->second.keys;
  } else if (owner.kind == SubjectKind::Service) {
    const auto found = directory.services.find(owner.name);
    if (found != directory.services.end()) lines = &found->second.keys;
  }
  std::vector<EnrolledKey> keys;
  if (lines == nullptr) return keys;
  for (const auto& line : *lines) keys.push_back({owner, line});
  return keys;
}

std::vector<EnrolledKey> enrolled_keys(const Directory& directory) {
  std::vector<EnrolledKey> keys;
  const auto add = [&](const Subject& owner) {
    for (auto& key : enrolled_keys(directory, owner)) keys.push_back(std::move(key));
  };
  for (const auto& [name, person] : directory.people) add({SubjectKind::Person, name});
  for (const auto& [name, service] : directory.services) add({SubjectKind::Service, name});
  return keys;
}

bool has_key(const Directory& directory, const Subject& owner, std::string_view key_fingerprint) {
  for (const auto& enrolled : enrolled_keys(directory, owner)) {
    const auto key = parse_ssh_public_key(enrolled.line);
    if (key && fingerprint(*key) == key_fingerprint) return true;
  }
  return false;
}

}  // namespace bailey
