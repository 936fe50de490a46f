#include "orchestrator/serve/cli/views/progress_view.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/serve/cli/progress_display.hpp"
#include "tests/support/golden.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace bailey {
namespace {

using test::expect_golden;

constexpr const char* kStart = "2026-03-04T10:00:00.000Z";
constexpr const char* kNow = "2026-03-04T10:00:34.000Z";

Json operation(const std::string& local, const std::string& type, const std::string& state) {
  return {{"address", "payments-dev/" + local},
          {"type", type},
          {"action", "create"},
          {"state", state},
          {"started_at", state == "waiting" || state == "skipped" ? Json() : Json(kStart)},
          {"finished_at", state == "done" || state == "failed" ? Json(kNow) : Json()},
          {"waits_for", Json::array()},
          {"expected_ms", nullptr},
          {"error", nullptr}};
}

Json executing(const std::string& environment, Json operations) {
  return {{"id", "chg-7f3a9c"},
          {"environment", environment},
          {"kind", "apply"},
          {"state", "executing"},
          {"gate", Json::array()},
          {"history", {{{"state", "executing"}, {"at", kStart}, {"detail", ""}}}},
          {"outcome", nullptr},
          {"progress",
           {{"stage", "applying"},
            {"at", kNow},
            {"finished", 0},
            {"total", operations.size()},
            {"left_ms", nullptr},
            {"operations", std::move(operations)}}}};
}

Json half_way() {
  auto running = operation("web[0]", "server", "running");
  running["expected_ms"] = 40000;
  auto late = operation("web[1]", "server", "running");
  late["expected_ms"] = 20000;
  auto replaced = operation("net", "network", "running");
  replaced["action"] = "replace";
  replaced["waits_for"] = {"payments-dev/web[0]", "payments-dev/web[1]"};
  auto dns = operation("dns", "zone", "waiting");
  dns["waits_for"] = {"payments-dev/web[0]", "payments-dev/web[1]"};
  auto ip = operation("ip", "floating-ip", "waiting");
  ip["waits_for"] = {"payments-dev/web[0]", "payments-dev/web[1]"};
  auto change = executing(
      "payments-dev", {operation("sg", "security-group", "done"), running, late, replaced, dns, ip,
                       operation("vol", "volume", "waiting"), operation("db", "volume", "failed"),
                       operation("db-ip", "floating-ip", "skipped")});
  change["progress"]["left_ms"] = 80000;
  return change;
}

Json large() {
  Json operations = Json::array();
  for (int i = 0; i < 1000; ++i) {
    operations.push_back(operation(fmt::format("web[{}]", i), "server",
                                   i < 300   ? "done"
                                   : i < 364 ? "running"
                                             : "waiting"));
    if (i >= 364) operations.back()["waits_for"] = {fmt::format("payments-dev/web[{}]", i - 300)};
  }
  return executing("payments-dev", std::move(operations));
}

Json waiting(const std::string& environment) {
  return {{"id", "chg-2"},
          {"environment", environment},
          {"kind", "apply"},
          {"state", "waiting"},
          {"gate",
           {{{"condition", "freeze"}, {"met", true}, {"detail", "none"}},
            {{"condition", "verified"},
             {"met", false},
             {"detail",
              "sha256:0123456789abcdef0123456789abcdef0123456789abcdef is not verified in "
              "payments-dev yet."}}}},
          {"history", Json::array()},
          {"outcome", nullptr},
          {"progress", nullptr}};
}

std::string frame(const std::vector<Json>& changes, const Look& look) {
  const auto lines = render_progress(changes, look);
  EXPECT_LT(lines.size(), std::max<std::size_t>(look.rows, 2));
  std::string out;
  for (const auto& line : lines) {
    EXPECT_LT(shown_length(line), look.columns) << line;
    out += line + "\n";
  }
  return out;
}

TEST(ShortDuration, IsShort) {
  const std::vector<std::pair<std::int64_t, const char*>> cases = {
      {0, "0.0s"},         {49, "0.0s"},       {350, "0.4s"},     {9949, "9.9s"},
      {9950, "10s"},       {59499, "59s"},     {59500, "1m00s"},  {80000, "1m20s"},
      {3599499, "59m59s"}, {3600000, "1h00m"}, {7500000, "2h05m"}};
  for (const auto& [ms, text] : cases) {
    EXPECT_EQ(short_duration(std::chrono::milliseconds(ms)), text) << ms;
  }
}

TEST(ProgressView, ShowsWhatRunsWhatWaitsAndWhatIsLeft) {
  const Look plain;
  Look rich;
  rich.unicode = rich.colour = true;
  auto unknown = half_way();
  unknown["progress"]["left_ms"] = nullptr;
  auto preparing = executing("payments-dev", Json::array());
  preparing["progress"]["stage"] = "preparing";
  auto verifying = executing("payments-dev", {operation("sg", "security-group", "done")});
  verifying["progress"]["stage"] = "verifying";
  std::string text = "== 80 columns\n" + frame({half_way()}, plain);
  text += "== unicode and colours\n" + frame({half_way()}, rich);
  text += "== unknown what is left\n" + frame({unknown}, plain);
  text += "== preparing\n" + frame({preparing}, plain);
  text += "== verifying\n" + frame({verifying}, plain);
  text += "== a thousand\n" + frame({large()}, plain);
  text += "== several\n" +
          frame({half_way(), waiting("payments-test"), large()}, {.columns = 120, .rows = 40});
  expect_golden("cli/progress.txt", text);
}

TEST(ProgressView, FitsEveryWindow) {
  for (std::size_t columns : {1, 2, 5, 10, 20, 40, 79, 200}) {
    for (std::size_t rows : {1, 2, 3, 4, 6, 24, 100}) {
      Look look{.columns = columns, .rows = rows, .unicode = true, .colour = true};
      frame({half_way()}, look);
      frame({large()}, look);
      frame({half_way(), waiting("payments-test"), large(), waiting("x"), waiting("y")}, look);
    }
  }
}

TEST(ProgressView, LetsNoNameSteerTheTerminal) {
  auto change = executing("dev\033[2J", {operation("web\r\033]0;x\a", "ser\nver", "running"),
                                         operation("db\033[1m", "volume", "waiting")});
  for (const auto& line : render_progress({change}, {})) {
    EXPECT_EQ(line.find_first_of("\033\r\n\a"), std::string::npos) << line;
  }
  for (auto watched : operations_of(change)) {
    watched.state = "failed";
    watched.error = {{"message", "no\033[2J\nreally"}, {"frames", {"a\rb"}}};
    for (const auto& line : render_ended("dev\a", watched, {})) {
      EXPECT_EQ(line.find_first_of("\033\r\n\a"), std::string::npos) << line;
    }
  }
}

std::string told(Narrator& narrator, const Json& change) {
  std::string out;
  for (const auto& line : narrator.news(change)) out += line + "\n";
  return out + "--\n";
}

TEST(Narrator, TellsEachThingOnce) {
  for (const bool live : {false, true}) {
    Narrator narrator(live, {});
    auto change = waiting("payments-dev");
    change["id"] = "chg-7f3a9c";
    auto text = told(narrator, change) + told(narrator, change);
    change = half_way();
    change["progress"]["operations"][7]["error"] = {
        {"message", "POST /volumes answered 413: quota exceeded for gigabytes"},
        {"frames", {"creating payments-dev/db"}}};
    text += told(narrator, change) + told(narrator, change);
    change["progress"]["operations"][1]["state"] = "done";
    change["progress"]["operations"][1]["finished_at"] = kNow;
    text += told(narrator, change);
    change["progress"]["stage"] = "verifying";
    text += told(narrator, change);
    // It ended between two looks: what was missed is in its outcome.
    change["state"] = "failed";
    change["progress"] = nullptr;
    change["outcome"] = {{"operations", Json::array()}};
    for (const auto& [name, took] : {std::pair("sg", 34000), std::pair("web[1]", 35500),
                                     std::pair("web[0]", 34000), std::pair("net", 35000)}) {
      change["outcome"]["operations"].push_back({{"address", std::string("payments-dev/") + name},
                                                 {"action", "create"},
                                                 {"outcome", "succeeded"},
                                                 {"error", nullptr},
                                                 {"finished_ms", took},
                                                 {"duration_ms", took}});
    }
    change["outcome"]["operations"].push_back({{"address", "payments-dev/dns"},
                                               {"action", "create"},
                                               {"outcome", "skipped"},
                                               {"error", nullptr},
                                               {"finished_ms", 0},
                                               {"duration_ms", 0}});
    text += told(narrator, change) + told(narrator, change);
    expect_golden(live ? "cli/narration_live.txt" : "cli/narration.txt", text);
  }
}

}  // namespace
}  // namespace bailey
