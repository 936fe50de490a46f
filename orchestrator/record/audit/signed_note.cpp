#include "orchestrator/record/audit/signed_note.hpp"

#include "orchestrator/base/assert.hpp"
#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace bailey {

namespace {

constexpr char kEd25519 = '\1';
constexpr std::string_view kSignatureMark = "\u2014 ";
constexpr std::string_view kSignerPrefix = "PRIVATE+KEY+";
constexpr std::size_t kMaxNoteBytes = 1'000'000;
constexpr std::size_t kMaxSignatures = 100;

// Unicode's White_Space beyond ASCII, as UTF-8.
constexpr std::string_view kWideSpaces[] = {"\u0085", "\u00A0", "\u1680", "\u2000", "\u2001",
                                            "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
                                            "\u2007", "\u2008", "\u2009", "\u200A", "\u2028",
                                            "\u2029", "\u202F", "\u205F", "\u3000"};

bool is_key_name(std::string_view name) {
  if (name.empty() || find_invalid_utf8(name)) return false;
  const bool plain = std::none_of(name.begin(), name.end(), [](char c) {
    return c == '+' || static_cast<unsigned char>(c) <= 0x20 || c == 0x7F;
  });
  return plain && std::none_of(std::begin(kWideSpaces), std::end(kWideSpaces),
                               [&](auto space) { return name.find(space) != name.npos; });
}

bool is_note_text(std::string_view text) {
  return text.ends_with('\n') && !find_invalid_utf8(text) &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; });
}

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::uint32_t key_id(std::string_view name, std::string_view public_key) {
  std::string input(name);
  input += '\n';
  input += kEd25519;
  input += public_key;
  return big_endian(bytes_of(sha256(input)));
}

struct KeyParts {
  std::string name;
  std::uint32_t id = 0;
  std::string key;  // Without the byte that says its kind.
};

std::optional<KeyParts> split_key(std::string_view text) {
  const auto first = text.find('+');
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = text.find('+', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  KeyParts parts;
  parts.name = text.substr(0, first);
  const auto hash = text.substr(first + 1, second - first - 1);
  const auto id = from_hex(hash);
  auto key = from_base64(text.substr(second + 1));
  if (!is_key_name(parts.name) || hash.size() != 8 || !id || !key) return std::nullopt;
  if (key->size() != 1 + crypto_sign_PUBLICKEYBYTES || key->front() != kEd25519) {
    return std::nullopt;
  }
  parts.id = big_endian(*id);
  parts.key = key->substr(1);
  return parts;
}

struct SignatureLine {
  std::string name;
  std::uint32_t id = 0;
  std::string signature;
};

std::optional<SignatureLine> parse_signature(std::string_view line) {
  if (!line.starts_with(kSignatureMark)) return std::nullopt;
  line.remove_prefix(kSignatureMark.size());
  const auto space = line.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto bytes = from_base64(line.substr(space + 1));
  const auto name = line.substr(0, space);
  if (!is_key_name(name) || !bytes || bytes->size() < 5) return std::nullopt;
  return SignatureLine{std::string(name), big_endian(*bytes), bytes->substr(4)};
}

// Text and signature lines of a note, or nothing when it is none.
std::optional<std::pair<std::string_view, std::vector<SignatureLine>>> split_note(
    std::string_view note) {
  if (note.size() > kMaxNoteBytes || !is_note_text(note)) return std::nullopt;
  const auto blank = note.rfind("\n\n");
  if (blank == std::string_view::npos) return std::nullopt;
  auto rest = note.substr(blank + 2);
  std::vector<SignatureLine> signatures;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    auto line = parse_signature(rest.substr(0, end));
    if (!line || signatures.size() == kMaxSignatures) return std::nullopt;
    signatures.push_back(*std::move(line));
    rest.remove_prefix(end + 1);
  }
  if (signatures.empty()) return std::nullopt;
  return std::pair(note.substr(0, blank + 1), std::move(signatures));
}

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

NoteVerifier::NoteVerifier(std::string name, std::string public_key)
    : name_(std::move(name)), public_key_(std::move(public_key)), id_(key_id(name_, public_key_)) {}

Result<NoteVerifier> NoteVerifier::make(std::string name, std::string_view public_key) {
  if (!is_key_name(name)) {
    return fail(ErrorKind::InvalidArgument,
                "the name of a note key must not be empty and has neither spaces nor \"+\"");
  }
  if (public_key.size() != crypto_sign_PUBLICKEYBYTES) {
    return fail(ErrorKind::InvalidArgument, "an Ed25519 public key has 32 bytes");
  }
  return NoteVerifier(std::move(name), std::string(public_key));
}

Result<NoteVerifier> NoteVerifier::parse(std::string_view verifier_key) {
  auto parts = split_key(verifier_key);
  if (!parts) {
    return fail(ErrorKind::InvalidArgument,
                "not an Ed25519 verifier key of the form name+hash+base64");
  }
  NoteVerifier verifier(std::move(parts->name), std::move(parts->key));
  if (verifier.id() != parts->id) {
    return fail(ErrorKind::InvalidArgument, "the hash of the verifier key is not that of its key");
  }
  return verifier;
}

std::string NoteVerifier::str() const {
  return fmt::format("{}+{:08x}+{}", name_, id_, base64(kEd25519 + public_key_));
}

bool NoteVerifier::accepts(std::string_view text, std::string_view signature) const {
  return signature.size() == crypto_sign_BYTES &&
         crypto_sign_verify_detached(raw(signature), raw(text), text.size(), raw(public_key_)) == 0;
}

NoteSigner::NoteSigner(NoteVerifier verifier, Secret seed)
    : verifier_(std::move(verifier)), seed_(std::move(seed)) {}

Result<NoteSigner> NoteSigner::from_seed(std::string name, Secret seed) {
  BAILEY_ASSERT(seed.reveal().size() == crypto_sign_SEEDBYTES);
  unsigned char public_key[crypto_sign_PUBLICKEYBYTES];
  unsigned char secret_key[crypto_sign_SECRETKEYBYTES];
  crypto_sign_seed_keypair(public_key, secret_key, raw(seed.reveal()));
  sodium_memzero(secret_key, sizeof secret_key);
  auto verifier = NoteVerifier::make(std::move(name), bytes_of(public_key));
  if (!verifier) return fail(std::move(verifier.error()));
  return NoteSigner(*std::move(verifier), std::move(seed));
}

Result<NoteSigner> NoteSigner::generate(std::string name, Random& random) {
  return from_seed(std::move(name), Secret(random.bytes(crypto_sign_SEEDBYTES)));
}

Result<NoteSigner> NoteSigner::parse(const Secret& signer_key) {
  auto text = signer_key.reveal();
  const auto refused = [] {
    return fail(ErrorKind::InvalidArgument,
                "not an Ed25519 signer key of the form PRIVATE+KEY+name+hash+base64");
  };
  if (!text.starts_with(kSignerPrefix)) return refused();
  text.remove_prefix(kSignerPrefix.size());
  auto parts = split_key(text);
  if (!parts) return refused();
  auto signer = from_seed(std::move(parts->name), Secret(std::move(parts->key)));
  if (!signer) return signer;
  if (signer->verifier().id() != parts->id) return refused();
  return signer;
}

Secret NoteSigner::str() const {
  return Secret(fmt::format("{}{}+{:08x}+{}", kSignerPrefix, verifier_.name(), verifier_.id(),
                            base64(kEd25519 + std::string(seed_.reveal()))));
}

Result<std::string> NoteSigner::sign(std::string_view text) const {
  if (!is_note_text(text)) {
    return fail(ErrorKind::InvalidArgument,
                "the text of a note is UTF-8 lines, each ended by a newline");
  }
  unsigned char public_key[crypto_sign_PUBLICKEYBYTES];
  unsigned char secret_key[crypto_sign_SECRETKEYBYTES];
  unsigned char signature[crypto_sign_BYTES];
  crypto_sign_seed_keypair(public_key, secret_key, raw(seed_.reveal()));
  crypto_sign_detached(signature, nullptr, raw(text), text.size(), secret_key);
  sodium_memzero(secret_key, sizeof secret_key);
  auto bytes = big_endian(verifier_.id());
  bytes += bytes_of(signature);
  return fmt::format("{}\n{}{} {}\n", text, kSignatureMark, verifier_.name(), base64(bytes));
}

Result<OpenedNote> open_note(std::string_view note, const std::vector<NoteVerifier>& known) {
  const auto parts = split_note(note);
  if (!parts) return fail(ErrorKind::Protocol, "not a signed note");
  OpenedNote opened;
  opened.text = parts->first;
  for (const auto& line : parts->second) {
    const auto key = std::find_if(known.begin(), known.end(), [&](const NoteVerifier& verifier) {
      return verifier.name() == line.name && verifier.id() == line.id;
    });
    if (key == known.end()) {
      ++opened.unknown_signatures;
      continue;
    }
    if (!key->accepts(opened.text, line.signature)) {
      return fail(ErrorKind::PermissionDenied,
                  fmt::format("the note carries a wrong signature of {}", line.name));
    }
    if (std::find(opened.signed_by.begin(), opened.signed_by.end(), line.name) ==
        opened.signed_by.end()) {
      opened.signed_by.push_back(line.name);
    }
  }
  if (opened.signed_by.empty()) {
    return fail(ErrorKind::PermissionDenied, "no known key has signed the note");
  }
  return opened;
}

}  // namespace bailey
