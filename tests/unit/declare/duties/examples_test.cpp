#include "orchestrator/declare/duties/prove_duties.hpp"
#include "providers/openstack/schema.hpp"
#include "tests/support/golden.hpp"

#include <gtest/gtest.h>

#include <filesystem>

// The examples as people run them, from the root of the repository.

namespace bailey {
namespace {

class Examples : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::current_path(BAILEY_SOURCE_DIR); }

  /// What `bailey duties check` prints; empty when there is nothing to find.
  static std::string proof_of(const std::vector<std::filesystem::path>& paths) {
    Diagnostics reading;
    const auto sources = collect_sources(paths, reading);
    if (!sources) return "no sources";
    BundlePlaces places;
    const auto bundle =
        read_bundle(*sources, {{"openstack", openstack::openstack_schema()}}, reading, &places);
    std::string text;
    for (const auto& finding : reading.sorted()) text += render(finding, sources->lookup());
    if (!bundle) return "invalid:\n" + text;
    Diagnostics proof;
    prove_duties(*bundle, places, proof);
    for (const auto& finding : proof.sorted()) text += render(finding, sources->lookup());
    return text;
  }
  static void expect_failure(const std::string& name) {
    test::expect_golden("duties/" + name + ".txt",
                        proof_of({"templates/examples-of-failures/" + name}));
  }
};

TEST_F(Examples, AuthorControlsProduction) {
  expect_failure("author-controls-production");
}

TEST_F(Examples, TesterAltersProduction) {
  expect_failure("tester-alters-production");
}

TEST_F(Examples, OperatorPassesApproval) {
  expect_failure("operator-passes-approval");
}

TEST_F(Examples, SeparatedEndsInNoFinding) {
  EXPECT_EQ(proof_of({"templates/examples-of-failures/separated"}), "");
}

TEST_F(Examples, TheExampleOrganizationEndsInNoFinding) {
  EXPECT_EQ(proof_of({"templates/example-organization", "templates/web-service/template.yaml"}),
            "");
}

}  // namespace
}  // namespace bailey
