#include "orchestrator/declare/spec/expand.hpp"

#include "orchestrator/base/digest.hpp"
#include "tests/unit/declare/spec/spec_fixture.hpp"

namespace bailey {
namespace {

using Json = nlohmann::json;

const std::string kDigest = digest_of(std::string_view("web"));

class Expand : public testing::Test {
 protected:
  Expand() : bundle_(test::read(test::Acme()).bundle.value()) {}

  [[nodiscard]] Expansion expansion(const std::string& environment,
                                    const std::map<std::string, std::string>& artifacts) const {
    return expand(bundle_, *bundle_.environment(environment), artifacts);
  }
  [[nodiscard]] static std::vector<std::string> names(const Expansion& expansion) {
    std::vector<std::string> out;
    for (const auto& each : expansion.resources) out.push_back(each.address.str());
    return out;
  }
  [[nodiscard]] static const DesiredResource* find(const Expansion& expansion,
                                                   const std::string& address) {
    for (const auto& each : expansion.resources) {
      if (each.address.local() == address) return &each;
    }
    return nullptr;
  }

  Bundle bundle_;
  std::map<std::string, std::string> web_{{"web", "127.0.0.1:5001/payments/web@" + kDigest}};
};

TEST_F(Expand, FillsInWhatIsKnownAndKeepsReferencesToResources) {
  const auto expanded = expansion("production", web_);
  EXPECT_TRUE(expanded.deferred.empty());
  EXPECT_EQ(names(expanded),
            (std::vector<std::string>{"production/net", "production/password", "production/probe",
                                      "production/web[0]", "production/web[1]", "production/web[2]",
                                      "production/web-sg"}));
  const auto& web = *find(expanded, "web[1]");
  EXPECT_EQ(web.type, "server");
  EXPECT_EQ(web.fields.at("flavor"), "large");
  EXPECT_EQ(web.fields.at("image"), "cirros-production");
  EXPECT_EQ(web.fields.at("monitored"), false);
  EXPECT_EQ(web.fields.at("network"), "${resource.net}");
  EXPECT_EQ(web.fields.at("metadata").at("artifact"), kDigest);
  EXPECT_EQ(web.fields.at("metadata").at("password"), "${resource.password.ref}");
  EXPECT_FALSE(web.fields.contains("count"));
  EXPECT_EQ(web.depends_on, (std::vector<ResourceAddress>{{"production", "net", {}},
                                                          {"production", "password", {}},
                                                          {"production", "web-sg", {}}}));
  EXPECT_TRUE(find(expanded, "net")->protect);
  EXPECT_EQ(find(expanded, "probe")->depends_on,
            (std::vector<ResourceAddress>{{"production", "web", 0}}));
}

TEST_F(Expand, DefersWhatNeedsAnArtifactThatIsNotThere) {
  const auto expanded = expansion("dev", {});
  EXPECT_EQ(names(expanded), (std::vector<std::string>{"dev/net", "dev/password", "dev/web-sg"}));
  ASSERT_EQ(expanded.deferred.size(), 2U);
  EXPECT_EQ(expanded.deferred[0].address.str(), "dev/probe");
  EXPECT_EQ(expanded.deferred[1].address.str(), "dev/web[0]");
  EXPECT_FALSE(expanded.deferred[0].reason.empty());
}

TEST_F(Expand, DigestIsThatOfTheContent) {
  const auto first = expansion("production", web_);
  EXPECT_TRUE(is_digest(first.spec_digest));
  EXPECT_EQ(expansion("production", web_).spec_digest, first.spec_digest);
  EXPECT_NE(expansion("production", {}).spec_digest, first.spec_digest);
  EXPECT_NE(expansion("staging", web_).spec_digest, first.spec_digest);
}

TEST_F(Expand, ACountOfZeroIsNothing) {
  auto environment = *bundle_.environment("production");
  environment.parameters["replicas"] = 0;
  const auto expanded = expand(bundle_, environment, web_);
  EXPECT_EQ(find(expanded, "web[0]"), nullptr);
}

TEST(ResolveReferences, ReplacesWholeTextsAndPartsOfThem) {
  const Json fields{{"network", "${resource.net}"},
                    {"list", {"${resource.web[1].address}", "x"}},
                    {"text", "http://${resource.web[0].address}:${resource.web[0].port}/"},
                    {"number", 3}};
  const auto resolved =
      resolve_references(fields, [](const ResourceReference& reference) -> std::optional<Json> {
        if (reference.attribute == "port") return 8080;
        if (reference.resource == "net") return Json{{"id", "n-1"}};
        return reference.resource + std::to_string(reference.index.value_or(-1));
      });
  ASSERT_TRUE(resolved);
  EXPECT_EQ(*resolved, (Json{{"network", {{"id", "n-1"}}},
                             {"list", {"web1", "x"}},
                             {"text", "http://web0:8080/"},
                             {"number", 3}}));
}

TEST(ResolveReferences, NamesTheReferenceThatIsNotKnown) {
  const auto resolved =
      resolve_references(Json{{"a", {{"b", "x-${resource.web[2].address}"}}}},
                         [](const ResourceReference&) { return std::optional<Json>(); });
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().kind(), ErrorKind::FailedPrecondition);
  EXPECT_NE(resolved.error().message().find("${resource.web[2].address}"), std::string::npos);
}

TEST(ResolveReferences, DoesNotReadValuesAgain) {
  const auto resolved = resolve_references(Json("${resource.a}"), [](const ResourceReference&) {
    return std::optional<Json>("${resource.b}");
  });
  ASSERT_TRUE(resolved);
  EXPECT_EQ(*resolved, "${resource.b}");
}

TEST(ResourceReferences, AreListedOnce) {
  EXPECT_EQ(resource_references(
                Json{"${resource.b}", "${resource.a.x} ${resource.b}", "${environment.name}"}),
            (std::vector<ResourceReference>{{"a", {}, "x"}, {"b", {}, ""}}));
}

TEST(FillCommand, KeepsEachWordOneWord) {
  Environment environment;
  environment.name = "production";
  EXPECT_EQ(fill_command({"checks/x", "${change.id} in ${environment.name}", "$(id)"}, environment,
                         "ch 1; rm"),
            (std::vector<std::string>{"checks/x", "ch 1; rm in production", "$(id)"}));
}

}  // namespace
}  // namespace bailey
