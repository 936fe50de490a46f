#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/serve/identity/json_web_signature.hpp"
#include "tests/support/vectors.hpp"

#include <gtest/gtest.h>

#include <iostream>
#include <map>

namespace bailey {
namespace {

const std::set<JwsAlgorithm> kAll{JwsAlgorithm::RS256, JwsAlgorithm::RS384, JwsAlgorithm::RS512,
                                  JwsAlgorithm::PS256, JwsAlgorithm::PS384, JwsAlgorithm::PS512,
                                  JwsAlgorithm::ES256, JwsAlgorithm::EdDSA};

struct Counts {
  int cases = 0, accepted = 0;
  std::map<std::string, int> refused_though_valid;  ///< By code: what we do not offer.
};

/// What is asked of a group's keys: the public ones where there are any.
Result<JwsContents> verify(const Json& group, const Json& test) {
  const auto& keys = group.contains("public") ? group["public"] : member(group, "private");
  auto set = JsonWebKeySet::parse(keys.dump());
  if (!set) return fail(std::move(set.error()));
  const auto& jws = test.contains("jws") ? test["jws"] : member(test, "jwe");
  // The JSON forms are read by nobody here, so they come as the text that they are.
  return verify_jws(jws.is_string() ? jws.get<std::string>() : jws.dump(), *set, kAll);
}

Counts run(const std::filesystem::path& file) {
  Counts counts;
  const auto text = read_file(file);
  EXPECT_TRUE(text) << file;
  const auto vectors = Json::parse(text ? *text : "{}");
  for (const auto& group : member(vectors, "testGroups")) {
    for (const auto& test : group["tests"]) {
      ++counts.cases;
      const auto answer = verify(group, test);
      const bool valid = test["result"] == "valid";
      counts.accepted += answer ? 1 : 0;
      EXPECT_FALSE(answer && !valid) << file << " " << test["tcId"] << " " << test["comment"];
      if (!answer && valid) ++counts.refused_though_valid[answer.error().code()];
    }
  }
  for (const auto& [code, many] : counts.refused_though_valid) {
    std::cout << file.filename().string() << ": " << many << " valid ones refused with " << code
              << "\n";
  }
  return counts;
}

TEST(JoseVectors, SignaturesAgree) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  const auto counts = run(vectors / "wycheproof/json_web_signature_test.json");
  EXPECT_EQ(counts.cases, 401);
  // Valid are 46 of them: 10 by shared secrets, 2 over P-521, and 2 whose key says PS256 and whose
  // token says PS384. The former have no algorithm here, the latter none that fits.
  EXPECT_EQ(counts.accepted, 46 - 14);
  // One of the former has a character in its base64url that does not belong there.
  const std::map<std::string, int> outside{{"jws.algorithm-not-allowed", 13}, {"jws.malformed", 1}};
  EXPECT_EQ(counts.refused_though_valid, outside);
}

TEST(JoseVectors, KeysAgree) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  const auto counts = run(vectors / "wycheproof/json_web_key_test.json");
  EXPECT_EQ(counts.cases, 26);
  EXPECT_EQ(counts.accepted, 1) << "the one of RSA; the other four are shared secrets";
}

TEST(JoseVectors, KeySetsAgree) {
  BAILEY_VECTORS_OR_SKIP(vectors);
  const auto counts = run(vectors / "wycheproof/json_web_crypto_test.json");
  EXPECT_EQ(counts.cases, 83);
  EXPECT_EQ(counts.accepted, 2) << "ES256 and RS256; shared secrets and encryption are not offered";
}

}  // namespace
}  // namespace bailey
