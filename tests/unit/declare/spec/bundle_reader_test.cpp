#include "orchestrator/declare/spec/bundle_reader.hpp"

#include "orchestrator/base/digest.hpp"
#include "tests/unit/declare/spec/spec_fixture.hpp"

#include <algorithm>
#include <random>

namespace bailey {
namespace {

using test::Acme;
using test::read;
using test::replaced;
using test::told;

TEST(BundleReader, ReadsACompleteOrganizationWithoutAFinding) {
  const auto reading = read(Acme());
  ASSERT_TRUE(reading.findings.empty()) << told(reading);
  ASSERT_TRUE(reading.bundle);
  const Bundle& bundle = *reading.bundle;
  EXPECT_EQ(bundle.directory.people.size(), 4U);
  EXPECT_EQ(bundle.directory.services.at("ci").keys, std::vector{test::ssh_key(3)});
  EXPECT_EQ(bundle.organization->approvals, 2);
  EXPECT_EQ(bundle.accounts.at("cloud").limits.maximum_ttl, std::chrono::hours(48));
  EXPECT_EQ(bundle.accounts.at("registry").credential.command.size(), 2U);
  const auto& web = bundle.templates.at("web-service");
  EXPECT_EQ(web.parameters.at("replicas").default_value, 1);
  EXPECT_TRUE(web.resources.at("net").protect);
  EXPECT_EQ(web.resources.at("web").count, "${parameter.replicas}");
  EXPECT_EQ(web.resources.at("web-sg").fields.at("ingress")[0].at("port"), 443);
  EXPECT_EQ(web.roles.at("runtime").powers.size(), 0U);
  EXPECT_EQ(bundle.projects.at("payments").after.at("staging"), std::vector<std::string>{"test"});
  const auto& production = bundle.environments.at("production");
  EXPECT_EQ(production.execute, Execution::ByOperator);
  EXPECT_EQ(production.parameters.at("replicas"), 3);
  ASSERT_EQ(production.gate.size(), 6U);
  EXPECT_EQ(std::get<SoakCondition>(production.gate[1]).duration, std::chrono::hours(24));
  const auto& window = std::get<WindowCondition>(production.gate[5]);
  EXPECT_EQ(window.days, (std::set<unsigned>{1, 2}));
  EXPECT_EQ(window.from, std::chrono::minutes(540));
  EXPECT_EQ(bundle.environments.at("alice-play").owner, "alice");
  EXPECT_EQ(bundle.duties.exclusive.at(0).holds.at(0), (Holding{"author", "payments"}));
  EXPECT_EQ(bundle.freezes.size(), 1U);
  EXPECT_EQ(bundle.files.size(), 2U);
  EXPECT_TRUE(is_digest(bundle.digest));
  EXPECT_EQ(bundle.document("Environment", "production").at("parameters").at("replicas"), 3);
}

// A file is at most 1 MiB, and an organization may be larger.
TEST(BundleReader, ReadsADirectoryOutOfSeveralDocuments) {
  Acme divided;
  divided.directory = replaced(divided.directory, "  groups:\n",
                               "---\napiVersion: bailey/v1\nkind: Directory\nmetadata: {name: "
                               "acme-groups}\nspec:\n  groups:\n");
  const auto reading = read(divided);
  ASSERT_TRUE(reading.bundle) << told(reading);
  EXPECT_EQ(reading.bundle->digest, read(Acme()).bundle.value().digest);
  EXPECT_EQ(reading.bundle->directory.groups.at("managers").size(), 2U);
}

TEST(BundleReader, RefusesWhatTwoDirectoriesSayTwice) {
  const auto second = [](const std::string& spec) {
    Acme acme;
    acme.directory +=
        "---\napiVersion: bailey/v1\nkind: Directory\nmetadata: {name: more}\nspec: " + spec + "\n";
    return read(acme);
  };
  for (const char* spec : {"{people: {alice: {email: other@acme.example}}}",
                           "{groups: {devs: [bob]}}", "{services: {ci: {controlledBy: [bob]}}}"}) {
    const auto reading = second(spec);
    EXPECT_EQ(reading.codes(), std::vector<std::string>{"spec.duplicate-name"}) << told(reading);
  }
  EXPECT_EQ(second("{people: {zoe: {email: Alice@acme.example}}}").codes(),
            std::vector<std::string>{"spec.shared-email"});
  EXPECT_EQ(
      second("{people: {zoe: {email: zoe@acme.example, keys: [\"" + test::ssh_key(0) + "\"]}}}")
          .codes(),
      std::vector<std::string>{"spec.shared-key"});
  EXPECT_EQ(second("{groups: {one: [group:two], two: [group:one]}}").codes(),
            std::vector<std::string>{"spec.group-cycle"});
}

TEST(BundleReader, DigestDependsOnWhatIsSaidAlone) {
  const Acme acme;
  const auto expected = read(acme).bundle.value().digest;
  std::mt19937 random(20261124);
  for (int round = 0; round < 20; ++round) {
    auto parts = acme.documents();
    std::shuffle(parts.begin(), parts.end(), random);
    BundleSources sources;
    sources.programs = acme.programs;
    std::string file;
    for (auto& part : parts) {
      file += "# round " + std::to_string(round) + "\n---\n" + part;
      if (random() % 2 == 0) {
        sources.specs.push_back({std::to_string(random()) + ".yaml", std::move(file)});
        file.clear();
      }
    }
    sources.specs.push_back({"rest.yaml", std::move(file)});
    EXPECT_EQ(read(sources).bundle.value().digest, expected) << "round " << round;
  }
  auto other = acme;
  other.project = replaced(acme.project,
                           "  artifacts: {web: {repository: \"127.0.0.1:5001/payments/web\"}}\n  "
                           "authors: [group:devs]\n",
                           "  authors:\n    - \"group:devs\"\n  artifacts:\n    web:\n      "
                           "repository: 127.0.0.1:5001/payments/web\n");
  EXPECT_EQ(read(other).bundle.value().digest, expected);
}

TEST(BundleReader, DigestFollowsSpecsAndPrograms) {
  const Acme acme;
  const auto expected = read(acme).bundle.value().digest;
  auto spec = acme;
  spec.production = replaced(acme.production, "replicas: 3", "replicas: 4");
  EXPECT_NE(read(spec).bundle.value().digest, expected);
  auto program = acme;
  program.programs["checks/ticket"] += "\n";
  EXPECT_NE(read(program).bundle.value().digest, expected);
}

TEST(BundleReader, TypesValuesByTheParameterThatTheyAreFor) {
  Acme acme;
  acme.web_service = replaced(
      acme.web_service, "range: {type: string, default: 10.20.0.0/24}",
      "range: {type: string, default: 10.20.0.0/24}\n    version: {type: string, default: 1}\n"
      "    answer: {type: string, enum: [yes, no], default: yes}");
  acme.production = replaced(acme.production, "replicas: 3}", "replicas: 3, version: 010}");
  const auto reading = read(acme);
  ASSERT_TRUE(reading.bundle) << told(reading);
  EXPECT_EQ(reading.bundle->templates.at("web-service").parameters.at("version").default_value,
            "1");
  EXPECT_EQ(reading.bundle->templates.at("web-service").parameters.at("answer").default_value,
            "yes");
  EXPECT_EQ(reading.bundle->environments.at("production").parameters.at("version"), "010");
}

TEST(BundleReader, TakesStagesAsAGraph) {
  Acme acme;
  acme.project = replaced(acme.project, "stages: [dev, test, staging, production]",
                          "stages: {production: {after: [staging]}, dev: {}, staging: {after: "
                          "[test]}, test: {after: [dev]}}");
  const auto reading = read(acme);
  ASSERT_TRUE(reading.bundle) << told(reading);
  EXPECT_EQ(reading.bundle->projects.at("payments").stages,
            (std::vector<std::string>{"dev", "test", "staging", "production"}));
}

TEST(BundleReader, ATemplateAloneIsABundle) {
  BundleSources sources;
  sources.specs.push_back({"template.yaml", Acme().web_service});
  EXPECT_TRUE(read(sources).findings.empty());
}

TEST(BundleReader, ADocumentThatCannotBeReadHidesNoOther) {
  Acme acme;
  acme.project += "  x: &a [\n";
  const auto reading = read(acme);
  const auto codes = reading.codes();
  EXPECT_EQ(codes, (std::vector<std::string>{"yaml.anchor", "yaml.syntax"})) << told(reading);
}

TEST(BundleReader, BindsHowAnAccountReachesItsCloud) {
  Acme acme;
  acme.accounts = replaced(acme.accounts, "  endpoint: https://cloud.example/v3\n", "");
  acme.accounts = replaced(acme.accounts, "{file: /etc/bailey/production.json}",
                           "{file: clouds.yaml, cloud: acme}\n  interface: internal\n"
                           "  caFile: /etc/ca.pem\n  domains: {production: prod}");
  const auto reading = test::read(acme);
  ASSERT_TRUE(reading.bundle) << test::told(reading);
  const auto& account = reading.bundle->accounts.at("cloud-production");
  EXPECT_EQ(account.endpoint, "");
  EXPECT_EQ(account.interface, "internal");
  EXPECT_EQ(account.ca_file, "/etc/ca.pem");
  EXPECT_EQ(account.credential.file, "clouds.yaml");
  EXPECT_EQ(account.credential.cloud, "acme");
  EXPECT_EQ(account.domains.at(EnvironmentClass::Production), "prod");
}

TEST(BundleReader, WhatABoundaryIsDecidesAboutAnEnvironment) {
  Acme acme;
  const auto before = test::read(acme);
  acme.development = replaced(acme.development, "bindings:", "boundary: {adopt: old}\n  bindings:");
  const auto reading = test::read(acme);
  ASSERT_TRUE(reading.bundle && before.bundle) << test::told(reading);
  EXPECT_EQ(reading.bundle->environments.at("dev").boundary.adopt, "old");
  EXPECT_NE(policy_digest_of(*reading.bundle), policy_digest_of(*before.bundle));
}

TEST(BundleReader, NoTwoEnvironmentsAdoptTheSame) {
  Acme acme;
  acme.development = replaced(acme.development, "bindings:", "boundary: {adopt: old}\n  bindings:");
  acme.staging = replaced(acme.staging, "verify:", "boundary: {adopt: old}\n  verify:");
  const auto twice = test::read(acme);
  EXPECT_EQ(twice.codes(), std::vector<std::string>{"spec.duplicate-adoption"});
  // Of the same name, and in domains of their own, they are two.
  acme.accounts =
      replaced(acme.accounts, "{env: CLOUD_CREDENTIAL}",
               "{env: A}\n  domains: {sandbox: a, development: b, test: c, staging: d}");
  const auto apart = test::read(acme);
  EXPECT_TRUE(apart.bundle) << test::told(apart);
}

}  // namespace
}  // namespace bailey
