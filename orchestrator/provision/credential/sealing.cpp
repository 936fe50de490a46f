#include "orchestrator/provision/credential/sealing.hpp"

#include "orchestrator/base/assert.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/file.hpp"
#include "orchestrator/base/text.hpp"

#include <fmt/format.h>
#include <sodium.h>

namespace bailey {

namespace {

constexpr std::string_view kSecretKeyKind = "bailey-seal-key";
constexpr std::string_view kPublicKeyKind = "bailey-seal-public-key";

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

unsigned char* raw(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

void ready() {
  BAILEY_ASSERT(sodium_init() >= 0);
}

// What is sealed before the secret itself. Lines, so no two contexts give the same bytes.
Result<std::string> header_of(const SealContext& context) {
  const auto& uid = context.environment_uid.str();
  const auto one_line = [](const std::string& text) {
    return !text.empty() && text.find('\n') == std::string::npos;
  };
  if (!one_line(context.id) || !one_line(uid)) {
    return fail(ErrorKind::InvalidArgument, "a secret is sealed for one row of one environment");
  }
  return fmt::format("bailey-sealed-v1\n{}\n{}\n{}\n", context.id, uid,
                     to_string(context.environment_class));
}

std::string public_half(const Secret& secret_key) {
  std::string public_key(crypto_box_PUBLICKEYBYTES, '\0');
  crypto_scalarmult_base(raw(public_key), raw(secret_key.reveal()));
  return public_key;
}

Secret key_text(std::string_view kind, EnvironmentClass environment_class, std::string_view key) {
  return Secret(fmt::format("{} {} {}\n", kind, to_string(environment_class), base64(key)));
}

// The key of a file, or nothing when it is of another kind or class.
std::optional<std::string> read_key(std::string_view text, std::string_view kind,
                                    EnvironmentClass environment_class) {
  const auto prefix = fmt::format("{} {} ", kind, to_string(environment_class));
  text = trim(text);
  if (!text.starts_with(prefix)) return std::nullopt;
  auto key = from_base64(text.substr(prefix.size()));
  if (!key || key->size() != crypto_box_PUBLICKEYBYTES) return std::nullopt;
  return key;
}

tl::unexpected<Error> not_a_key(const std::filesystem::path& file,
                                EnvironmentClass environment_class) {
  return fail(ErrorKind::FailedPrecondition,
              fmt::format("{} holds no sealing key of class {}", file.string(),
                          to_string(environment_class)));
}

}  // namespace

Result<std::string> Sealer::seal(const Secret& secret, const SealContext& context) const {
  ready();
  const auto key = public_keys_.find(context.environment_class);
  BAILEY_ASSERT(key != public_keys_.end());
  auto header = header_of(context);
  if (!header) return header;
  const Secret plain(*header + std::string(secret.reveal()));
  const auto bytes = plain.reveal();
  std::string sealed(bytes.size() + crypto_box_SEALBYTES, '\0');
  if (crypto_box_seal(raw(sealed), raw(bytes), bytes.size(), raw(key->second)) != 0) {
    return fail(ErrorKind::FailedPrecondition, "the public sealing key is of no use");
  }
  return base64(sealed);
}

bool Opener::opens(EnvironmentClass environment_class) const {
  return secret_keys_.contains(environment_class);
}

Result<Secret> Opener::open(std::string_view sealed, const SealContext& context) const {
  ready();
  const auto key = secret_keys_.find(context.environment_class);
  if (key == secret_keys_.end()) {
    return fail(Error(ErrorKind::PermissionDenied,
                      fmt::format("this process does not open secrets of class {}",
                                  to_string(context.environment_class)))
                    .with_code("credential.class-not-opened"));
  }
  auto header = header_of(context);
  if (!header) return fail(std::move(header.error()));
  const auto refused = [] {
    return fail(Error(ErrorKind::PermissionDenied, "the sealed secret does not open")
                    .with_code("credential.seal-broken"));
  };
  const auto bytes = from_base64(sealed);
  if (!bytes || bytes->size() < crypto_box_SEALBYTES + header->size()) return refused();
  std::string opened(bytes->size() - crypto_box_SEALBYTES, '\0');
  const bool authentic =
      crypto_box_seal_open(raw(opened), raw(*bytes), bytes->size(), raw(public_half(key->second)),
                           raw(key->second.reveal())) == 0;
  const Secret plain(opened);
  sodium_memzero(opened.data(), opened.size());
  if (!authentic || !plain.reveal().starts_with(*header)) return refused();
  return Secret(std::string(plain.reveal().substr(header->size())));
}

std::filesystem::path KeyRing::file(EnvironmentClass environment_class, const char* ending) const {
  return folder_ / fmt::format("seal-{}.{}", to_string(environment_class), ending);
}

Result<Secret> KeyRing::secret_key(EnvironmentClass environment_class) const {
  const auto path = file(environment_class, "key");
  auto text = read_private_file(path);
  if (!text) return text;
  auto key = read_key(text->reveal(), kSecretKeyKind, environment_class);
  if (!key) return not_a_key(path, environment_class);
  return Secret(*std::move(key));
}

Result<std::string> KeyRing::public_key(EnvironmentClass environment_class) const {
  const auto path = file(environment_class, "pub");
  auto text = read_file(path);
  if (!text) return text;
  auto key = read_key(*text, kPublicKeyKind, environment_class);
  if (!key) return not_a_key(path, environment_class);
  return *std::move(key);
}

Status KeyRing::create(EnvironmentClass environment_class, Random& random) const {
  auto secret = secret_key(environment_class);
  const auto published = public_key(environment_class);
  const auto absent = [](const auto& read) {
    return !read && read.error().kind() == ErrorKind::NotFound;
  };
  if (!published && !absent(published)) return fail(published.error());
  if (!secret && !absent(secret)) return fail(std::move(secret.error()));
  if (!secret && published) {
    return fail(ErrorKind::FailedPrecondition,
                fmt::format("{} is missing, and its public half is there",
                            file(environment_class, "key").string()));
  }
  if (!secret) {
    secret = Secret(random.bytes(crypto_box_SECRETKEYBYTES));
    const auto text = key_text(kSecretKeyKind, environment_class, secret->reveal());
    auto written = write_private_file(file(environment_class, "key"), text.reveal());
    if (!written) return written;
  }
  const auto derived = public_half(*secret);
  if (published && *published != derived) {
    return fail(ErrorKind::FailedPrecondition,
                fmt::format("{} is not the public half of its key",
                            file(environment_class, "pub").string()));
  }
  if (published) return {};
  return write_file(file(environment_class, "pub"),
                    key_text(kPublicKeyKind, environment_class, derived).reveal());
}

Status KeyRing::create_missing(Random& random) const {
  ready();
  for (const auto environment_class : all_environment_classes()) {
    if (auto created = create(environment_class, random); !created) {
      return fail(std::move(created.error()).in("making the sealing keys"));
    }
  }
  return {};
}

Result<Sealer> KeyRing::sealer() const {
  Sealer sealer;
  for (const auto environment_class : all_environment_classes()) {
    auto key = public_key(environment_class);
    if (!key) return fail(std::move(key.error()).in("loading the public sealing keys"));
    sealer.public_keys_.emplace(environment_class, *std::move(key));
  }
  return sealer;
}

Result<Opener> KeyRing::opener(const std::set<EnvironmentClass>& classes) const {
  ready();
  Opener opener;
  for (const auto environment_class : classes) {
    auto key = secret_key(environment_class);
    if (!key) return fail(std::move(key.error()).in("loading the secret sealing keys"));
    opener.secret_keys_.emplace(environment_class, *std::move(key));
  }
  return opener;
}

}  // namespace bailey
