#include "orchestrator/promote/evidence/sshsig.hpp"

#include "orchestrator/base/file.hpp"
#include "orchestrator/base/text.hpp"
#include "tests/support/vectors.hpp"
#include "tests/unit/promote/test_keys.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using test::TestKey;

const Subject kAlice{SubjectKind::Person, "alice"};

std::vector<EnrolledKey> keys_of(const std::string& line) {
  return {{kAlice, line}};
}

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "accepted" : result.error().code();
}

struct Vector {
  std::string key;
  std::string signature;
  std::string name_space;
  std::string message;
};

Vector read_vector(const std::filesystem::path& vectors, const std::string& name) {
  const auto folder = vectors / "sshsig";
  const auto read = [&](const std::string& file) { return read_file(folder / file).value_or(""); };
  return {read(name + ".pub"), read(name + ".sig"), std::string(trim(read("namespace"))),
          read("signed-data")};
}

constexpr const char* kVectors[] = {"ed25519",    "ecdsa",    "rsa",
                                    "ed25519_sk", "ecdsa_sk", "ecdsa_sk_webauthn"};

TEST(Sshsig, AcceptsAllSixVectorsArmoredAndRaw) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  for (const char* name : kVectors) {
    const auto vector = read_vector(vectors, name);
    const auto keys = keys_of(vector.key);
    const auto armored = verify_sshsig(vector.signature, keys, vector.name_space, vector.message);
    EXPECT_TRUE(armored) << name << ": " << armored.error().render();
    const auto raw = unarmor_sshsig(vector.signature);
    ASSERT_TRUE(raw);
    EXPECT_TRUE(verify_sshsig(*raw, keys, vector.name_space, vector.message)) << name;
  }
}

TEST(Sshsig, RefusesMlDsaAsUnknown) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  const auto vector = read_vector(vectors, "mldsa44-ed25519");
  const auto verified =
      verify_sshsig(vector.signature, keys_of(vector.key), vector.name_space, vector.message);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().kind(), ErrorKind::Unsupported);
}

TEST(Sshsig, RefusesAnotherNamespaceMessageOrKey) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  for (const char* name : kVectors) {
    const auto vector = read_vector(vectors, name);
    const auto keys = keys_of(vector.key);
    EXPECT_EQ(code_of(verify_sshsig(vector.signature, keys, "file", vector.message)),
              "signature.wrong-namespace");
    EXPECT_EQ(code_of(verify_sshsig(vector.signature, keys, vector.name_space, "other")),
              "signature.invalid");
    EXPECT_EQ(code_of(verify_sshsig(vector.signature, keys_of(TestKey("mallory").line()),
                                    vector.name_space, vector.message)),
              "signature.unknown-key");
    EXPECT_EQ(code_of(verify_sshsig(vector.signature, {}, vector.name_space, vector.message)),
              "signature.unknown-key");
    EXPECT_EQ(code_of(verify_sshsig(vector.signature, keys_of("not a key"), vector.name_space,
                                    vector.message)),
              "signature.unknown-key");
  }
}

TEST(Sshsig, RefusesEverySingleBitFlipInTheBlob) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  for (const char* name : kVectors) {
    const auto vector = read_vector(vectors, name);
    const auto keys = keys_of(vector.key);
    const auto raw = *unarmor_sshsig(vector.signature);
    for (std::size_t bit = 0; bit < raw.size() * 8; ++bit) {
      auto flipped = raw;
      flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
      ASSERT_FALSE(verify_sshsig(flipped, keys, vector.name_space, vector.message))
          << name << " bit " << bit;
    }
  }
}

TEST(Sshsig, RefusesEverySingleBitFlipInTheArmor) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  const auto vector = read_vector(vectors, "ed25519");
  for (std::size_t bit = 0; bit < vector.signature.size() * 8; ++bit) {
    auto flipped = vector.signature;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    ASSERT_FALSE(verify_sshsig(flipped, keys_of(vector.key), vector.name_space, vector.message))
        << "bit " << bit;
  }
}

TEST(Sshsig, RefusesEveryTruncationAndTrailingBytes) {
  const TestKey key("alice");
  const auto signature = key.sign("message");
  for (std::size_t length = 0; length < signature.size(); ++length) {
    ASSERT_FALSE(verify_sshsig(signature.substr(0, length), keys_of(key.line()),
                               kSignatureNamespace, "message"));
  }
  EXPECT_EQ(
      code_of(verify_sshsig(signature + '\0', keys_of(key.line()), kSignatureNamespace, "message")),
      "signature.malformed");
}

TEST(Sshsig, RefusesWeakAlgorithmsAndAnEmptyNamespace) {
  const TestKey key("alice");
  const auto blob_with = [&](const std::string& name_space, const std::string& hash,
                             const std::string& algorithm) {
    return std::string("SSHSIG") + std::string("\0\0\0\1", 4) + ssh_string(key.blob()) +
           ssh_string(name_space) + ssh_string("") + ssh_string(hash) +
           ssh_string(ssh_string(algorithm) + ssh_string(std::string(64, 'x')));
  };
  EXPECT_TRUE(parse_sshsig(blob_with("n", "sha256", "ssh-ed25519")));
  EXPECT_EQ(code_of(parse_sshsig(blob_with("", "sha256", "ssh-ed25519"))), "signature.malformed");
  EXPECT_EQ(code_of(parse_sshsig(blob_with("n", "sha1", "ssh-ed25519"))), "signature.unsupported");
  EXPECT_EQ(code_of(parse_sshsig(blob_with("n", "sha512", "ssh-rsa"))), "signature.unsupported");
  EXPECT_EQ(code_of(parse_sshsig(blob_with("n", "sha512", "rsa-sha2-512"))),
            "signature.unsupported");
}

/// A software token: signs as a FIDO key of type ed25519-sk does.
std::string token_signature(std::string_view message, char flags, std::string& line) {
  unsigned char point[crypto_sign_PUBLICKEYBYTES];
  unsigned char secret[crypto_sign_SECRETKEYBYTES];
  const auto seed = sha256("token");
  crypto_sign_seed_keypair(point, secret, seed.data());
  const std::string type = "sk-ssh-ed25519@openssh.com";
  const auto key = ssh_string(type) + ssh_string(bytes_of(point)) + ssh_string("ssh:");
  line = type + " " + base64(key);
  const auto data = "SSHSIG" + ssh_string("bailey") + ssh_string("") + ssh_string("sha512") +
                    ssh_string(bytes_of(sha512(message)));
  const auto trailer = std::string(1, flags) + std::string("\0\0\0\7", 4);
  const auto authenticated =
      std::string(bytes_of(sha256("ssh:"))) + trailer + std::string(bytes_of(sha256(data)));
  unsigned char signature[crypto_sign_BYTES];
  crypto_sign_detached(signature, nullptr,
                       reinterpret_cast<const unsigned char*>(authenticated.data()),
                       authenticated.size(), secret);
  return std::string("SSHSIG") + std::string("\0\0\0\1", 4) + ssh_string(key) +
         ssh_string("bailey") + ssh_string("") + ssh_string("sha512") +
         ssh_string(ssh_string(type) + ssh_string(bytes_of(signature)) + trailer);
}

TEST(Sshsig, DemandsThatSomebodyTouchedTheToken) {
  std::string line;
  const auto touched = token_signature("m", '\x01', line);
  EXPECT_EQ(code_of(verify_sshsig(touched, keys_of(line), "bailey", "m")), "accepted");
  const auto untouched = token_signature("m", '\x00', line);
  EXPECT_EQ(code_of(verify_sshsig(untouched, keys_of(line), "bailey", "m")),
            "signature.absent-user");
  const auto verified_only = token_signature("m", '\x04', line);
  EXPECT_EQ(code_of(verify_sshsig(verified_only, keys_of(line), "bailey", "m")),
            "signature.absent-user");
}

TEST(Sshsig, SaysWhoseKeyItWas) {
  const TestKey alice("alice");
  const Subject ci{SubjectKind::Service, "ci"};
  const std::vector<EnrolledKey> keys{{kAlice, alice.line()}, {ci, TestKey("ci").line()}};
  const auto signer = verify_sshsig(TestKey("ci").sign("m"), keys, kSignatureNamespace, "m");
  ASSERT_TRUE(signer);
  EXPECT_EQ(signer->owner, ci);
}

TEST(Sshsig, ArmorsAsSshKeygenDoes) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  const auto vector = read_vector(vectors, "ecdsa");
  EXPECT_EQ(armor_sshsig(*unarmor_sshsig(vector.signature)), vector.signature);
}

TEST(SignWithSshKeygen, AgreesWithStockSshKeygenBothWays) {
  const auto folder = TemporaryFolder::create();
  ASSERT_TRUE(folder);
  const auto key = folder->path() / "-key";
  ASSERT_EQ(
      test::run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key.string()}).exit_code, 0);
  const std::string message("zero \0 byte\n", 12);
  const auto armored = sign_with_ssh_keygen(key, kSignatureNamespace, message);
  ASSERT_TRUE(armored) << armored.error().render();
  const auto line = read_file(key.string() + ".pub");
  EXPECT_TRUE(verify_sshsig(*armored, keys_of(*line), kSignatureNamespace, message));

  // And ours with theirs.
  const TestKey own("own");
  const auto signers = folder->path() / "signers";
  const auto signature = folder->path() / "signature";
  ASSERT_TRUE(write_file(signers, "alice " + own.line() + "\n"));
  ASSERT_TRUE(write_file(signature, armor_sshsig(own.sign(message))));
  EXPECT_EQ(test::run({"ssh-keygen", "-Y", "verify", "-f", signers.string(), "-I", "alice", "-n",
                       "bailey", "-s", signature.string()},
                      message)
                .exit_code,
            0);
}

TEST(SignWithSshKeygen, FailsWithoutAKey) {
  const auto folder = TemporaryFolder::create();
  ASSERT_TRUE(folder);
  const auto signature = sign_with_ssh_keygen(folder->path() / "none", kSignatureNamespace, "m");
  ASSERT_FALSE(signature);
  EXPECT_EQ(signature.error().kind(), ErrorKind::FailedPrecondition);
}

}  // namespace
}  // namespace bailey
