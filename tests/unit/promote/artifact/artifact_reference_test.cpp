#include "orchestrator/promote/artifact/artifact_reference.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/promote/artifact/challenge.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

std::string at_digest(const std::string& name) {
  return name + "@" + digest_of(std::string_view("web"));
}

template <class T>
std::string code_of(const Result<T>& result) {
  return result ? "accepted" : result.error().code();
}

std::string code(const std::string& text) {
  return code_of(parse_artifact_reference(text));
}

TEST(ArtifactReference, SurvivesARoundTrip) {
  for (const char* name :
       {"127.0.0.1:5001/payments/web", "localhost/web", "registry.acme.example/a/b-c/d__e.f_g",
        "[::1]:5000/web", "ghcr.io/a---b"}) {
    const auto text = at_digest(name);
    const auto reference = parse_artifact_reference(text);
    ASSERT_TRUE(reference) << name << ": " << reference.error().render();
    EXPECT_EQ(reference->str(), text);
    EXPECT_EQ(reference->name(), name);
  }
}

TEST(ArtifactReference, RefusesATagWithAHint) {
  for (const auto& text :
       {std::string("localhost:5000/web"), std::string("localhost:5000/web:1.0"),
        at_digest("localhost:5000/web:1.0"), std::string("ghcr.io/web:latest")}) {
    const auto reference = parse_artifact_reference(text);
    ASSERT_FALSE(reference) << text;
    EXPECT_EQ(reference.error().code(), "artifact.tag-refused") << text;
    EXPECT_EQ(reference.error().kind(), ErrorKind::Refused);
    EXPECT_FALSE(reference.error().hint().empty());
  }
}

TEST(ArtifactReference, RefusesEverythingElse) {
  const std::string hex(64, 'a');
  for (const auto& text : {std::string(),
                           std::string("web"),
                           at_digest("web"),
                           at_digest("payments/web"),
                           at_digest("localhost:5000/"),
                           at_digest("/web"),
                           at_digest("localhost:0/web"),
                           at_digest("localhost:65536/web"),
                           at_digest("localhost:05/web"),
                           at_digest("localhost:/web"),
                           at_digest("localhost:5000/Web"),
                           at_digest("localhost:5000/a//b"),
                           at_digest("localhost:5000/../web"),
                           at_digest("localhost:5000/a./b"),
                           at_digest("localhost:5000/a..b"),
                           at_digest("localhost:5000/a___b"),
                           at_digest("localhost:5000/-a"),
                           at_digest("localhost:5000/a b"),
                           at_digest("localhost:5000/a?b"),
                           at_digest("localhost:5000/a#b"),
                           at_digest("localhost:5000/a%2e"),
                           at_digest("http://localhost:5000/web"),
                           at_digest("user@localhost:5000/web"),
                           at_digest("-x.example/web"),
                           at_digest("a..example/web"),
                           at_digest("[::1/web"),
                           at_digest("[g]/web"),
                           at_digest("localhost:5000/web@sha256"),
                           at_digest("localhost:5000/web\n"),
                           at_digest("localhost:5000/" + std::string(256, 'a')),
                           "localhost:5000/web@sha256:" + hex.substr(1),
                           "localhost:5000/web@sha256:" + hex + "a",
                           "localhost:5000/web@sha256:" + std::string(64, 'A'),
                           "localhost:5000/web@sha512:" + hex,
                           "localhost:5000/web@" + hex,
                           std::string("localhost:5000/web@")}) {
    EXPECT_EQ(code(text), "artifact.malformed") << text;
  }
}

TEST(TagReference, TakesLatestForNoTag) {
  EXPECT_EQ(parse_tag_reference("localhost:5000/web")->tag, "latest");
  EXPECT_EQ(parse_tag_reference("localhost:5000/web:1.0")->tag, "1.0");
  EXPECT_FALSE(parse_tag_reference("localhost:5000/web:.1"));
  EXPECT_FALSE(parse_tag_reference("localhost:5000/web:"));
  EXPECT_FALSE(parse_tag_reference(at_digest("localhost:5000/web")));
}

TEST(LoopbackRegistry, IsNoNameOfSomebodyElse) {
  for (const char* registry : {"localhost", "localhost:5000", "127.0.0.1", "127.0.0.1:5001",
                               "127.9.9.9:1", "[::1]", "[::1]:5000"}) {
    EXPECT_TRUE(is_loopback_registry(registry)) << registry;
  }
  for (const char* registry :
       {"127.example.com", "127.0.0.1.example.com", "127.0.0.example", "localhost.example.com",
        "10.0.0.1", "[::2]", "127.0.0", "127.0.0.", "127.0.0.1.1", "", "1127.0.0.1"}) {
    EXPECT_FALSE(is_loopback_registry(registry)) << registry;
  }
}

TEST(AuthChallenge, ReadsWhatRegistriesSend) {
  const auto bearer = parse_challenge(
      R"(Bearer realm="https://auth.example/token",service="reg, \"x\"", scope=pull )");
  ASSERT_TRUE(bearer);
  EXPECT_EQ(bearer->scheme, "bearer");
  EXPECT_EQ(bearer->parameters.at("realm"), "https://auth.example/token");
  EXPECT_EQ(bearer->parameters.at("service"), "reg, \"x\"");
  EXPECT_EQ(bearer->parameters.at("scope"), "pull");
  EXPECT_EQ(parse_challenge("BASIC realm=\"x\"")->scheme, "basic");
  EXPECT_TRUE(parse_challenge("Negotiate"));
  for (const char* header :
       {"", " ", "Bearer realm=\"x", "Bearer realm", "Bearer =x", "Bearer realm=\"a\",realm=\"b\"",
        "Bearer realm=\"a\" x=\"b\"", "Bearer realm=\"a\\"}) {
    EXPECT_FALSE(parse_challenge(header)) << header;
  }
}

}  // namespace
}  // namespace bailey
