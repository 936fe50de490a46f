#include "orchestrator/promote/evidence/ssh_key.hpp"

#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/promote/evidence/ssh_crypto.hpp"
#include "tests/support/vectors.hpp"
#include "tests/unit/promote/test_keys.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

using test::TestKey;

std::string line_of(std::string_view type, const std::string& blob) {
  return std::string(type) + " " + base64(blob);
}

std::string code_of(const Result<SshPublicKey>& key) {
  return key ? "accepted" : key.error().code();
}

std::string rsa_line(std::size_t bytes, const std::string& exponent = "\x01\x01") {
  std::string modulus(bytes, '\x7F');
  return line_of("ssh-rsa", ssh_string("ssh-rsa") + ssh_string(exponent) + ssh_string(modulus));
}

TEST(SshPublicKey, ReadsWhatSshKeygenWritesAndPrintsItsFingerprint) {
  const auto folder = TemporaryFolder::create();
  ASSERT_TRUE(folder);
  for (const auto& [type, bits] : {std::pair{"ed25519", "0"}, {"ecdsa", "256"}, {"rsa", "2048"}}) {
    const auto file = (folder->path() / type).string();
    std::vector<std::string> make{"ssh-keygen", "-q", "-t",        type, "-N",
                                  "",           "-C", "a comment", "-f", file};
    if (bits != std::string("0")) make.insert(make.end(), {"-b", bits});
    ASSERT_EQ(test::run(make).exit_code, 0);
    const auto line = read_file(file + ".pub");
    ASSERT_TRUE(line);
    const auto key = parse_ssh_public_key(*line);
    ASSERT_TRUE(key) << key.error().render();
    EXPECT_EQ(key->comment, "a comment");
    EXPECT_EQ(split(test::run({"ssh-keygen", "-l", "-f", file + ".pub"}).output, ' ')[1],
              fingerprint(*key));
  }
}

TEST(SshPublicKey, ReadsTheKeysOfTheVectorsButNotMlDsa) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  for (const char* name : {"ed25519", "ecdsa", "rsa", "ed25519_sk", "ecdsa_sk"}) {
    const auto line = read_file(vectors / "sshsig" / (std::string(name) + ".pub"));
    ASSERT_TRUE(line);
    EXPECT_TRUE(parse_ssh_public_key(*line)) << name;
  }
  const auto line = read_file(vectors / "sshsig/mldsa44-ed25519.pub");
  ASSERT_TRUE(line);
  const auto key = parse_ssh_public_key(*line);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind(), ErrorKind::Unsupported);
}

TEST(SshPublicKey, RefusesWhatIsNoKeyLine) {
  const auto good = TestKey("alice").line();
  const auto blob = TestKey("alice").blob();
  for (const auto& line :
       {std::string(), std::string("ssh-ed25519"), std::string("ssh-ed25519 !!!!"), "x" + good,
        "command=\"rm\" " + good, "ssh-rsa " + base64(blob), good + "\n" + good,
        line_of("ssh-ed25519", blob + "x"), line_of("ssh-ed25519", blob.substr(0, blob.size() - 1)),
        line_of("ssh-ed25519", ssh_string("ssh-ed25519") + ssh_string(std::string(33, 'a'))),
        std::string(20'000, 'a')}) {
    EXPECT_EQ(code_of(parse_ssh_public_key(line)), "key.malformed") << line.substr(0, 100);
  }
  for (const char* type : {"ssh-dss", "ecdsa-sha2-nistp384", "ssh-ed25519-cert-v01@openssh.com"}) {
    EXPECT_EQ(code_of(parse_ssh_public_key(line_of(type, ssh_string(type)))), "key.unsupported");
  }
}

TEST(SshPublicKey, RefusesWeakKeys) {
  EXPECT_EQ(code_of(parse_ssh_public_key(rsa_line(256))), "accepted");
  EXPECT_EQ(code_of(parse_ssh_public_key(rsa_line(255))), "key.weak");
  EXPECT_EQ(code_of(parse_ssh_public_key(rsa_line(256, "\x01"))), "key.weak");
  EXPECT_EQ(code_of(parse_ssh_public_key(rsa_line(256, "\x04"))), "key.weak");
  EXPECT_EQ(code_of(parse_ssh_public_key(rsa_line(256, std::string(9, '\x03')))), "key.weak");
  EXPECT_EQ(code_of(parse_ssh_public_key(rsa_line(256, ""))), "key.malformed");
  EXPECT_EQ(code_of(parse_ssh_public_key(rsa_line(4096))), "key.malformed");
}

TEST(SshPublicKey, RefusesEveryLowOrderAndNonCanonicalPointOfTheVectors) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  const auto text = read_file(vectors / "cctv-ed25519/ed25519vectors.json");
  ASSERT_TRUE(text);
  const auto list = parse_json(*text);
  ASSERT_TRUE(list);
  std::set<std::string> weak_points;
  int good_points = 0;
  for (const auto& vector : *list) {
    const auto point = from_hex(vector.at("key").get<std::string>());
    const auto flags = strings_member(vector, "flags");
    const bool weak = std::any_of(flags.begin(), flags.end(), [](const std::string& flag) {
      return flag == "low_order_A" || flag == "non_canonical_A";
    });
    const auto blob = ssh_string("ssh-ed25519") + ssh_string(*point);
    const auto key = parse_ssh_key_blob(blob);
    if (!weak) {
      good_points += key ? 1 : 0;
      continue;
    }
    weak_points.insert(*point);
    EXPECT_EQ(code_of(key), "key.weak");
    EXPECT_FALSE(verify_ed25519(*point, vector.at("msg").get<std::string>(),
                                *from_hex(vector.at("sig").get<std::string>())));
  }
  EXPECT_EQ(list->size(), 914U);
  EXPECT_EQ(weak_points.size(), 14U);
  EXPECT_GT(good_points, 0);
}

TEST(EnrolledKeys, BelongToPeopleAndServicesAndToNobodyElse) {
  Directory directory;
  directory.people["alice"] = {"a@x", {TestKey("alice").line(), "nonsense"}};
  directory.services["ci"].keys = {TestKey("ci").line()};
  directory.groups["all"] = {{SubjectKind::Person, "alice"}};
  EXPECT_EQ(enrolled_keys(directory).size(), 3U);
  EXPECT_TRUE(enrolled_keys(directory, {SubjectKind::Group, "all"}).empty());
  EXPECT_TRUE(enrolled_keys(directory, {SubjectKind::Service, "alice"}).empty());
  EXPECT_TRUE(has_key(directory, {SubjectKind::Person, "alice"}, TestKey("alice").print()));
  EXPECT_FALSE(has_key(directory, {SubjectKind::Person, "alice"}, TestKey("ci").print()));
  EXPECT_FALSE(has_key(directory, {SubjectKind::Person, "bob"}, TestKey("alice").print()));
}

}  // namespace
}  // namespace bailey
