#include "orchestrator/promote/artifact/oci_registry.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace bailey {
namespace {

constexpr const char* kManifest =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
    R"("config":{"digest":"x"},"layers":[]})";
constexpr const char* kIndex =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]})";
constexpr const char* kManifestType = "application/vnd.oci.image.manifest.v1+json";
constexpr const char* kIndexType = "application/vnd.oci.image.index.v1+json";

/// Answers in order and keeps what it was asked.
class ScriptedHttp final : public HttpClient {
 public:
  Result<HttpResponse> send(const HttpRequest& request, std::stop_token) override {
    requests.push_back(request);
    if (answers.empty()) return fail(ErrorKind::Unavailable, "nothing scripted");
    auto answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }
  [[nodiscard]] std::string authorization(std::size_t index) const {
    const auto& headers = requests.at(index).secret_headers;
    return headers.empty() ? std::string() : std::string(headers.at(0).second.reveal());
  }
  std::deque<Result<HttpResponse>> answers;
  std::vector<HttpRequest> requests;
};

HttpResponse answer(int status, std::string body = {}, const std::string& type = {}) {
  HttpResponse response;
  response.status = status;
  response.body = std::move(body);
  if (!type.empty()) response.headers = {{"content-type", type}};
  return response;
}

HttpResponse challenge(const std::string& header) {
  auto response = answer(401);
  response.headers = {{"www-authenticate", header}};
  return response;
}

ArtifactReference reference_to(const std::string& body,
                               const std::string& registry = "127.0.0.1:5001") {
  return {registry, "payments/web", digest_of(std::string_view(body))};
}

Result<ArtifactManifest> fetch(const std::string& body, const std::string& type) {
  ScriptedHttp http;
  http.answers = {answer(200, body, type)};
  return OciRegistry(http).fetch(reference_to(body));
}

TEST(OciRegistry, FetchesAManifestAndAnIndexByDigest) {
  const auto manifest = fetch(kManifest, std::string(kManifestType) + "; charset=utf-8");
  ASSERT_TRUE(manifest) << manifest.error().render();
  EXPECT_FALSE(manifest->index);
  EXPECT_EQ(manifest->body, kManifest);
  const auto index = fetch(kIndex, kIndexType);
  ASSERT_TRUE(index);
  EXPECT_TRUE(index->index);
  EXPECT_TRUE(fetch(R"({"schemaVersion":2,"config":{},"layers":[]})",
                    "application/vnd.docker.distribution.manifest.v2+json"));
}

TEST(OciRegistry, AsksForTheDigestOverPlainHttpOnlyOnLoopback) {
  ScriptedHttp http;
  const OciRegistry registry(http);
  static_cast<void>(registry.fetch(reference_to(kManifest)));
  static_cast<void>(registry.fetch(reference_to(kManifest, "registry.example")));
  EXPECT_EQ(http.requests.at(0).url,
            "http://127.0.0.1:5001/v2/payments/web/manifests/" + reference_to(kManifest).digest);
  EXPECT_TRUE(http.requests.at(1).url.starts_with("https://registry.example/v2/"));
}

TEST(OciRegistry, RefusesOtherBytesThanTheDigestStandsFor) {
  ScriptedHttp http;
  http.answers = {answer(200, kManifest, kManifestType)};
  const auto manifest = OciRegistry(http).fetch(reference_to(std::string(kManifest) + " "));
  ASSERT_FALSE(manifest);
  EXPECT_EQ(manifest.error().kind(), ErrorKind::Refused);
  EXPECT_EQ(manifest.error().code(), "artifact.digest-mismatch");
}

TEST(OciRegistry, RefusesWhatIsNotOneKnownKindOfManifest) {
  const std::string head = R"({"schemaVersion":2,)";
  for (const auto& [body, type] : std::vector<std::pair<std::string, std::string>>{
           {kManifest, kIndexType},
           {kManifest, "application/json"},
           {kManifest, ""},
           {"not json", kManifestType},
           {"[]", kManifestType},
           {R"({"schemaVersion":1,"config":{},"layers":[]})", kManifestType},
           {R"({"config":{},"layers":[]})", kManifestType},
           {head + R"("config":{}})", kManifestType},
           {head + R"("layers":[]})", kManifestType},
           {head + R"("config":{},"layers":[],"manifests":[]})", kManifestType},
           {head + R"("manifests":[],"layers":[]})", kIndexType},
           {head + R"("manifests":[],"config":{}})", kIndexType},
           {head + R"("manifests":{}})", kIndexType},
           {head + R"("mediaType":7,"config":{},"layers":[]})", kManifestType},
           {head + R"("config":{},"config":{},"layers":[]})", kManifestType},
           {std::string(4U * 1024 * 1024 + 1, ' '), kManifestType}}) {
    const auto manifest = fetch(body, type);
    ASSERT_FALSE(manifest) << body.substr(0, 100) << type;
    EXPECT_EQ(manifest.error().code(), "artifact.no-manifest") << body.substr(0, 100);
  }
}

TEST(OciRegistry, MapsAnswersToKinds) {
  for (const auto& [status, kind] : {std::pair{401, ErrorKind::Unauthenticated},
                                     {403, ErrorKind::PermissionDenied},
                                     {404, ErrorKind::NotFound},
                                     {429, ErrorKind::RateLimited},
                                     {500, ErrorKind::Unavailable},
                                     {503, ErrorKind::Unavailable},
                                     {302, ErrorKind::Protocol},
                                     {400, ErrorKind::Protocol},
                                     {204, ErrorKind::Protocol}}) {
    ScriptedHttp http;
    http.answers = {answer(status, kManifest, kManifestType)};
    const auto manifest = OciRegistry(http).fetch(reference_to(kManifest));
    ASSERT_FALSE(manifest);
    EXPECT_EQ(manifest.error().kind(), kind) << status;
  }
  ScriptedHttp http;
  auto busy = answer(429);
  busy.headers = {{"retry-after", "7"}};
  http.answers = {busy};
  EXPECT_EQ(OciRegistry(http).fetch(reference_to(kManifest)).error().retry_after(),
            std::chrono::seconds(7));
}

TEST(OciRegistry, AnswersABasicChallengeWithTheCredential) {
  ScriptedHttp http;
  http.answers = {challenge("Basic realm=\"r\""), answer(200, kManifest, kManifestType)};
  const OciRegistry registry(http, {RegistryCredential{"ci", Secret("hunter2")}, {}});
  ASSERT_TRUE(registry.fetch(reference_to(kManifest)));
  EXPECT_EQ(http.authorization(0), "");
  EXPECT_EQ(http.authorization(1), "Basic " + base64("ci:hunter2"));
  http.answers = {challenge("Basic realm=\"r\"")};
  const auto anonymous = OciRegistry(http).fetch(reference_to(kManifest));
  EXPECT_EQ(anonymous.error().kind(), ErrorKind::Unauthenticated);
}

TEST(OciRegistry, FetchesABearerTokenWhereItIsTold) {
  ScriptedHttp http;
  http.answers = {challenge(R"(Bearer realm="https://auth.example/token",service="reg x")"),
                  answer(200, R"({"token":"abc"})"), answer(200, kManifest, kManifestType)};
  const OciRegistry registry(http, {RegistryCredential{"ci", Secret("hunter2")}, {}});
  ASSERT_TRUE(registry.fetch(reference_to(kManifest, "registry.example")));
  EXPECT_EQ(http.requests.at(1).url,
            "https://auth.example/token?scope=repository%3Apayments%2Fweb%3Apull&service=reg%20x");
  EXPECT_EQ(http.authorization(1), "Basic " + base64("ci:hunter2"));
  EXPECT_EQ(http.authorization(2), "Bearer abc");
}

TEST(OciRegistry, SendsNoCredentialToAnUnsafePlace) {
  for (const char* realm :
       {"http://auth.example/token", "http://127.0.0.1/token", "https://127.0.0.1/token",
        "https://localhost:8443/token", "https://user@auth.example/", "file:///etc/passwd", "",
        "https://", "https://auth.example/#x"}) {
    ScriptedHttp http;
    http.answers = {challenge(std::string("Bearer realm=\"") + realm + "\"")};
    const OciRegistry registry(http, {RegistryCredential{"ci", Secret("hunter2")}, {}});
    const auto manifest = registry.fetch(reference_to(kManifest, "registry.example"));
    ASSERT_FALSE(manifest);
    EXPECT_EQ(manifest.error().kind(), ErrorKind::Unauthenticated) << realm;
    EXPECT_EQ(http.requests.size(), 1U) << realm;
  }
}

TEST(OciRegistry, TakesNoTokenThatCouldForgeAHeader) {
  for (const char* body : {R"({"token":"a\r\nX: y"})", R"({"token":""})", R"({"token":7})", "{}",
                           "no json", R"({"token":"a b"})"}) {
    ScriptedHttp http;
    http.answers = {challenge(R"(Bearer realm="https://auth.example/token")"), answer(200, body)};
    const auto manifest = OciRegistry(http).fetch(reference_to(kManifest, "registry.example"));
    ASSERT_FALSE(manifest);
    EXPECT_EQ(manifest.error().kind(), ErrorKind::Unauthenticated) << body;
  }
}

TEST(OciRegistry, ResolvesATagFromTheBytesAndNotFromAHeader) {
  ScriptedHttp http;
  auto response = answer(200, kManifest, kManifestType);
  response.headers.emplace_back("docker-content-digest", "sha256:" + std::string(64, '0'));
  http.answers = {response};
  const auto digest = OciRegistry(http).resolve_tag({"127.0.0.1:5001", "payments/web", "1.0"});
  ASSERT_TRUE(digest);
  EXPECT_EQ(*digest, digest_of(std::string_view(kManifest)));
  EXPECT_EQ(http.requests.at(0).url, "http://127.0.0.1:5001/v2/payments/web/manifests/1.0");
}

TEST(OciRegistry, PassesFailuresOfTheTransportOn) {
  ScriptedHttp http;
  http.answers.emplace_back(fail(ErrorKind::Timeout, "slow"));
  EXPECT_EQ(OciRegistry(http).fetch(reference_to(kManifest)).error().kind(), ErrorKind::Timeout);
}

}  // namespace
}  // namespace bailey
