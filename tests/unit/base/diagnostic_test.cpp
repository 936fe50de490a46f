#include "orchestrator/base/diagnostic.hpp"

#include "tests/support/golden.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <random>
#include <string>

namespace bailey {
namespace {

using test::expect_golden;

const std::string kSource =
    "apiVersion: bailey/v1\n"
    "spec:\n"
    "    regoin: fsn1\n"
    "  gr\xC3\xB6\xC3\x9F"
    "e: \xF0\x9F\x98\x80 wr\xC3\xB6ng\n"
    "\tsize: \"tab\"\r\n"
    "last: " +
    std::string(300, 'x') + "HERE" + std::string(300, 'y') + "\n";

SourceLookup sources() {
  return [](std::string_view file) -> std::optional<std::string> {
    if (file == "env.yaml") return kSource;
    return std::nullopt;
  };
}

Diagnostic finding(std::uint32_t line, std::uint32_t column, std::uint32_t length) {
  Diagnostic diagnostic;
  diagnostic.code = "spec.unknown-field";
  diagnostic.summary = "Unknown field";
  diagnostic.detail = "There is no such field.";
  diagnostic.subject = SourceRange{"env.yaml", line, column, length};
  return diagnostic;
}

TEST(RenderDiagnostic, IsWhatPeopleRead) {
  std::string out;
  auto typo = finding(3, 5, 6);
  typo.suggestion = "region";
  out += render(typo, sources()) + "\n";
  out += render(finding(4, 3, 5), sources()) + "\n";
  out += render(finding(4, 10, 1), sources()) + "\n";
  out += render(finding(4, 12, 5), sources()) + "\n";
  out += render(finding(5, 2, 4), sources()) + "\n";
  out += render(finding(6, 307, 4), sources()) + "\n";
  auto proof = finding(1, 1, 10);
  proof.severity = Severity::Warning;
  proof.path = {"alice is in group:devs", "group:devs holds operate"};
  out += render(proof, sources());
  expect_golden("base/diagnostics.txt", out);
}

TEST(RenderDiagnostic, StandsPositionsThatTheSourceDoesNotHave) {
  std::string out;
  out += render(finding(99, 1, 1), sources()) + "\n";
  out += render(finding(3, 99, 5), sources()) + "\n";
  out += render(finding(3, 5, 4'000'000'000U), sources()) + "\n";
  out += render(finding(3, 0, 0), sources()) + "\n";
  out += render(finding(0, 0, 0), sources()) + "\n";
  auto elsewhere = finding(3, 5, 6);
  elsewhere.subject->file = "gone.yaml";
  out += render(elsewhere, sources()) + "\n";
  auto nowhere = finding(1, 1, 1);
  nowhere.subject.reset();
  nowhere.detail.clear();
  out += render(nowhere, sources());
  expect_golden("base/diagnostics_at_odd_places.txt", out);
}

TEST(Diagnostics, AreSortedByPositionInWhateverOrderTheyCame) {
  std::vector<Diagnostic> items = {finding(1, 2, 1), finding(1, 3, 1), finding(2, 1, 1),
                                   finding(10, 1, 1)};
  Diagnostic nowhere;
  nowhere.code = "spec.none";
  items.push_back(nowhere);
  std::mt19937 random(3);
  auto shuffled = items;
  for (int round = 0; round < 20; ++round) {
    std::shuffle(shuffled.begin(), shuffled.end(), random);
    Diagnostics diagnostics;
    for (const auto& item : shuffled) diagnostics.add(item);
    const auto sorted = diagnostics.sorted();
    ASSERT_EQ(sorted.size(), items.size());
    for (std::size_t i = 0; i < items.size(); ++i) EXPECT_EQ(sorted[i].subject, items[i].subject);
  }
}

TEST(Diagnostics, WarningsAreNoErrors) {
  Diagnostics diagnostics;
  EXPECT_TRUE(diagnostics.empty());
  EXPECT_EQ(to_json(diagnostics).dump(), R"({"findings":[],"ok":true})");
  Diagnostic warning;
  warning.severity = Severity::Warning;
  diagnostics.add(warning);
  EXPECT_FALSE(diagnostics.has_errors());
  EXPECT_FALSE(diagnostics.empty());
  EXPECT_EQ(to_json(diagnostics)["ok"], true);
  diagnostics.add({});
  EXPECT_TRUE(diagnostics.has_errors());
  EXPECT_EQ(to_json(diagnostics)["ok"], false);
}

TEST(Diagnostics, JsonHasEveryFieldAlways) {
  Diagnostics diagnostics;
  auto full = finding(3, 5, 6);
  full.suggestion = "region";
  full.path = {"step"};
  diagnostics.add(full);
  diagnostics.add({});
  const auto json = to_json(diagnostics);
  for (const auto& item : json["findings"]) {
    for (const char* name : {"severity", "code", "summary", "detail", "file", "line", "column",
                             "suggestion", "path"}) {
      EXPECT_TRUE(item.contains(name)) << name;
    }
    EXPECT_EQ(item.size(), 9U);
  }
  EXPECT_TRUE(to_json(diagnostics)["findings"][1]["path"].is_null());
}

}  // namespace
}  // namespace bailey
