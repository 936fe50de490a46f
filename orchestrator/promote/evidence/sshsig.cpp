#include "orchestrator/promote/evidence/sshsig.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/process.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/promote/evidence/ssh_crypto.hpp"
#include "orchestrator/promote/evidence/ssh_wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace bailey {

namespace {

constexpr std::string_view kMagic = "SSHSIG";
constexpr std::string_view kBegin = "-----BEGIN SSH SIGNATURE-----";
constexpr std::string_view kEnd = "-----END SSH SIGNATURE-----";
constexpr std::size_t kMaximumSize = 64U * 1024;
constexpr std::string_view kWebauthn = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com";
constexpr std::uint8_t kUserPresent = 0x01;
constexpr std::uint8_t kAttested = 0x40;
constexpr std::uint8_t kExtensions = 0x80;

tl::unexpected<Error> malformed(std::string why) {
  return fail(Error(ErrorKind::Protocol, "not an SSH signature: " + std::move(why))
                  .with_code("signature.malformed"));
}

tl::unexpected<Error> refused(std::string message, std::string code) {
  return fail(Error(ErrorKind::Refused, std::move(message)).with_code(std::move(code)));
}

bool offered(SshKeyType type, std::string_view algorithm) {
  switch (type) {
    case SshKeyType::Ed25519:
      return algorithm == "ssh-ed25519";
    case SshKeyType::EcdsaP256:
      return algorithm == "ecdsa-sha2-nistp256";
    case SshKeyType::Rsa:
      return algorithm == "rsa-sha2-256" || algorithm == "rsa-sha2-512";
    case SshKeyType::SkEd25519:
      return algorithm == "sk-ssh-ed25519@openssh.com";
    case SshKeyType::SkEcdsaP256:
      return algorithm == "sk-ecdsa-sha2-nistp256@openssh.com" || algorithm == kWebauthn;
  }
  return false;
}

bool needs_token(SshKeyType type) {
  return type == SshKeyType::SkEd25519 || type == SshKeyType::SkEcdsaP256;
}

std::string hashed(std::string_view algorithm, std::string_view message) {
  if (algorithm == "sha512") return std::string(bytes_of(sha512(message)));
  return std::string(bytes_of(sha256(message)));
}

// PROTOCOL.sshsig section 3: what the key signs.
std::string signed_data(const SshSignature& signature, std::string_view message) {
  return std::string(kMagic) + ssh_string(signature.name_space) + ssh_string(signature.reserved) +
         ssh_string(signature.hash_algorithm) +
         ssh_string(hashed(signature.hash_algorithm, message));
}

// PROTOCOL.u2f: what a token signs is its own view of the request, with our data hashed inside.
struct TokenView {
  std::string authenticated;
  std::uint8_t flags = 0;
};

std::optional<TokenView> token_view(const SshSignature& signature, std::string_view data) {
  SshReader reader(signature.trailer);
  const auto flags = reader.byte();
  const auto counter = reader.take(4);
  if (!reader.ok()) return std::nullopt;
  TokenView view{std::string(bytes_of(sha256(signature.key.application))), flags};
  view.authenticated += static_cast<char>(flags);
  view.authenticated += counter;
  if (signature.algorithm != kWebauthn) {
    if (!reader.finished()) return std::nullopt;
    view.authenticated += bytes_of(sha256(data));
    return view;
  }
  const auto origin = reader.string();
  const auto client_data = reader.string();
  const auto extensions = reader.string();
  const bool has_extensions = (flags & kExtensions) != 0;
  if (!reader.finished() || origin.find('"') != std::string_view::npos ||
      (flags & kAttested) != 0 || has_extensions == extensions.empty()) {
    return std::nullopt;
  }
  const auto wanted = fmt::format(R"({{"type":"webauthn.get","challenge":"{}","origin":"{}")",
                                  base64url(data), origin);
  if (client_data.substr(0, wanted.size()) != wanted) return std::nullopt;
  view.authenticated += extensions;
  view.authenticated += bytes_of(sha256(client_data));
  return view;
}

bool verify_plain(const SshSignature& signature, std::string_view data) {
  switch (signature.key.type) {
    case SshKeyType::Ed25519:
    case SshKeyType::SkEd25519:
      return verify_ed25519(signature.key.point, data, signature.signature);
    case SshKeyType::EcdsaP256:
    case SshKeyType::SkEcdsaP256:
      return verify_ecdsa_p256(signature.key.point, data, signature.signature);
    case SshKeyType::Rsa:
      return verify_rsa(signature.key,
                        signature.algorithm == "rsa-sha2-256" ? RsaHash::Bits256 : RsaHash::Bits512,
                        data, signature.signature);
  }
  return false;
}

Status verify_with_own_key(const SshSignature& signature, std::string_view message) {
  auto data = signed_data(signature, message);
  if (needs_token(signature.key.type)) {
    auto view = token_view(signature, data);
    if (!view)
      return refused("the token's part of the signature does not fit", "signature.invalid");
    if ((view->flags & kUserPresent) == 0) {
      return refused("the signature was made without anybody touching the token",
                     "signature.absent-user");
    }
    data = std::move(view->authenticated);
  }
  if (!verify_plain(signature, data)) {
    return refused("the signature does not fit what it is said to sign", "signature.invalid");
  }
  return {};
}

std::map<std::string, Secret> signing_environment() {
  std::map<std::string, Secret> environment;
  for (const char* name : {"PATH", "HOME", "SSH_AUTH_SOCK", "SSH_ASKPASS", "SSH_ASKPASS_REQUIRE",
                           "SSH_SK_PROVIDER", "DISPLAY", "WAYLAND_DISPLAY", "TERM"}) {
    if (const char* value = std::getenv(name)) environment.emplace(name, Secret(value));
  }
  return environment;
}

}  // namespace

bool is_sshsig(std::string_view signature) noexcept {
  return signature.starts_with(kMagic) || signature.starts_with(kBegin);
}

Result<SshSignature> parse_sshsig(std::string_view blob) {
  if (blob.size() > kMaximumSize) return malformed("it is too large");
  SshReader reader(blob);
  if (reader.take(kMagic.size()) != kMagic) return malformed("it does not begin as one");
  if (reader.number() != 1) return malformed("its version is not 1");
  const auto key_blob = reader.string();
  SshSignature out;
  out.name_space = reader.string();
  out.reserved = reader.string();
  out.hash_algorithm = reader.string();
  SshReader inner(reader.string());
  if (!reader.finished()) return malformed("its parts do not fit its length");
  if (out.name_space.empty()) return malformed("its namespace is empty");
  if (out.hash_algorithm != "sha256" && out.hash_algorithm != "sha512") {
    return fail(Error(ErrorKind::Unsupported, "the signature's hash is neither sha256 nor sha512")
                    .with_code("signature.unsupported"));
  }
  auto key = parse_ssh_key_blob(key_blob);
  if (!key) return fail(std::move(key.error()).in("reading the key of a signature"));
  out.key = std::move(*key);
  out.algorithm = inner.string();
  out.signature = inner.string();
  out.trailer = inner.rest();
  if (!inner.ok()) return malformed("the signature inside is cut short");
  if (!offered(out.key.type, out.algorithm)) {
    return fail(
        Error(ErrorKind::Unsupported, "the signature's algorithm is not offered for its key")
            .with_code("signature.unsupported"));
  }
  if (!needs_token(out.key.type) && !out.trailer.empty()) return malformed("bytes follow it");
  return out;
}

Result<std::string> unarmor_sshsig(std::string_view text) {
  if (text.size() > 2 * kMaximumSize) return malformed("it is too large");
  std::string plain(text);
  // A file that went through Windows is the same signature.
  for (auto at = plain.find("\r\n"); at != std::string::npos; at = plain.find("\r\n", at)) {
    plain.erase(at, 1);
  }
  const auto head = std::string(kBegin) + "\n";
  const auto tail = "\n" + std::string(kEnd);
  std::string_view body = plain;
  if (!body.empty() && body.back() == '\n') body.remove_suffix(1);
  if (body.size() < head.size() + tail.size() || !body.starts_with(head) || !body.ends_with(tail)) {
    return malformed("the lines around it are missing");
  }
  body = body.substr(head.size(), body.size() - head.size() - tail.size());
  std::string joined;
  std::copy_if(body.begin(), body.end(), std::back_inserter(joined),
               [](char c) { return c != '\n'; });
  auto blob = from_base64(joined);
  if (!blob) return malformed("it is not base64");
  return *std::move(blob);
}

std::string armor_sshsig(std::string_view blob) {
  constexpr std::size_t kColumns = 70;
  const auto text = base64(blob);
  std::string out = std::string(kBegin) + "\n";
  for (std::size_t at = 0; at < text.size(); at += kColumns)
    out += text.substr(at, kColumns) + "\n";
  return out + std::string(kEnd) + "\n";
}

Result<EnrolledKey> verify_sshsig(std::string_view signature, const std::vector<EnrolledKey>& keys,
                                  std::string_view name_space, std::string_view message) {
  std::string blob(signature);
  if (signature.starts_with("-----")) {
    auto raw = unarmor_sshsig(signature);
    if (!raw) return fail(std::move(raw.error()));
    blob = std::move(*raw);
  }
  const auto parsed = parse_sshsig(blob);
  if (!parsed) return fail(parsed.error());
  if (parsed->name_space != name_space) {
    return refused(
        fmt::format("the signature was made for another purpose than \"{}\"", name_space),
        "signature.wrong-namespace");
  }
  const auto wanted = base64(parsed->key.blob);
  const auto signer = std::find_if(keys.begin(), keys.end(), [&](const EnrolledKey& candidate) {
    // Spares the arithmetic of reading every key of a large directory.
    if (candidate.line.find(wanted) == std::string::npos) return false;
    const auto key = parse_ssh_public_key(candidate.line);
    return key && key->blob == parsed->key.blob;
  });
  if (signer == keys.end()) {
    return refused(fmt::format("the signature is by the key {}, which is none of those that count",
                               fingerprint(parsed->key)),
                   "signature.unknown-key");
  }
  if (auto verified = verify_with_own_key(*parsed, message); !verified) {
    return fail(std::move(verified.error()));
  }
  return *signer;
}

Result<std::string> sign_with_ssh_keygen(const std::filesystem::path& key,
                                         std::string_view name_space, std::string_view message,
                                         std::stop_token stop) {
  Command command;
  command.arguments = {"ssh-keygen", "-Y", "sign", "-n", std::string(name_space), "-f",
                       // A path is never taken for an option.
                       std::filesystem::absolute(key).string()};
  command.environment = signing_environment();
  command.input = message;
  command.timeout = std::chrono::minutes(2);
  const auto frame = fmt::format("signing with the key {}", key.string());
  auto done = run_process(command, stop);
  if (!done) return fail(std::move(done.error()).in(frame));
  if (done->exit_code != 0) {
    return fail(
        Error(ErrorKind::FailedPrecondition,
              fmt::format("ssh-keygen ended with {}: {}", done->exit_code, trim(done->errors)))
            .in(frame)
            .with_hint("Check that the key file is there, and that its private part is in "
                       "it or in the agent."));
  }
  if (auto blob = unarmor_sshsig(done->output); !blob) {
    return fail(std::move(blob.error()).in(frame));
  }
  return std::move(done->output);
}

}  // namespace bailey
