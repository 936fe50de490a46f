#include "orchestrator/promote/artifact/registry_credential.hpp"

#include "orchestrator/base/encoding.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

Result<RegistryCredential> read(const std::string& text) {
  return parse_registry_credential(Secret(text), "127.0.0.1:5001");
}

std::string code_of(const std::string& text) {
  const auto credential = read(text);
  return credential ? "accepted" : credential.error().code();
}

TEST(RegistryCredential, IsReadInBothForms) {
  const auto auth = base64("stage:pass:word");
  for (const auto& text :
       {std::string(R"({"username":"stage","password":"pass:word"})"),
        R"({"auths":{"other":{"auth":"eDp5"},"127.0.0.1:5001":{"auth":")" + auth + "\"}}}",
        R"({"auths":{"http://127.0.0.1:5001/v2/":{"auth":")" + auth + "\"}}}",
        std::string(
            R"({"auths":{"127.0.0.1:5001":{"username":"stage","password":"pass:word"}}})")}) {
    const auto credential = read(text);
    ASSERT_TRUE(credential) << text << credential.error().render();
    EXPECT_EQ(credential->user, "stage");
    EXPECT_EQ(credential->password.reveal(), "pass:word");
  }
}

TEST(RegistryCredential, IsNeverOneForAnotherRegistry) {
  for (const char* host : {"127.0.0.1", "127.0.0.1:50011", "evil.example/127.0.0.1:5001",
                           "http://evil.example/127.0.0.1:5001"}) {
    EXPECT_EQ(code_of(std::string(R"({"auths":{")") + host + R"(":{"auth":"eDp5"}}})"),
              "registry.no-entry")
        << host;
  }
}

TEST(RegistryCredential, RefusesWhatCannotBeSentOrIsNotSupported) {
  for (const char* text :
       {"", "stage:password", "[]", "{}", R"({"username":"stage"})",
        R"({"username":"sta:ge","password":"p"})", "{\"username\":\"u\",\"password\":\"p\\nX: y\"}",
        R"({"auths":{"127.0.0.1:5001":{"auth":"bm9jb2xvbg=="}}})",
        R"({"auths":{"127.0.0.1:5001":{"auth":"%%"}}})"}) {
    EXPECT_EQ(code_of(text), "registry.bad-credential") << text;
  }
  EXPECT_EQ(code_of(R"({"auths":{"127.0.0.1:5001":{"identitytoken":"t"}}})"),
            "registry.identity-token");
  EXPECT_EQ(code_of(R"({"credsStore":"desktop"})"), "registry.credential-helper");
}

TEST(RegistryCredential, TellsNothingOfTheSecretInItsFailures) {
  const auto refused = read(R"({"username":"sta:ge","password":"hunter2"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().render().find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace bailey
