#include "orchestrator/serve/cli/views/journal_view.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "tests/support/golden.hpp"

#include <gtest/gtest.h>

namespace bailey {
namespace {

Json operation(const std::string& local, const std::string& type, const std::string& outcome,
               int started, int took) {
  Json error;
  if (outcome == "failed")
    error = {{"message", "POST /servers answered 403: quota exceeded\033[2J"}};
  return {{"address", "payments-dev/" + local},
          {"type", type},
          {"action", "create"},
          {"outcome", outcome},
          {"started_ms", started},
          {"duration_ms", took},
          {"error", error}};
}

Json journal() {
  return {{"intents",
           {{{"address", "payments-dev/web[1]"},
             {"type", "server"},
             {"verb", "create"},
             {"phase", "sent"},
             {"since", "2026-03-04T10:00:00.000Z"},
             {"provider_id", ""},
             {"settled_by", "looking for its marker at the provider"}}}},
          {"changes",
           {{{"id", "chg-2"},
             {"environment", "payments-dev"},
             {"kind", "apply"},
             {"state", "failed"},
             {"started_at", "2026-03-04T10:00:00.000Z"},
             {"makespan_ms", 43210},
             {"lower_bound_ms", 40000},
             {"operations",
              {operation("net", "network", "succeeded", 0, 3200),
               operation("sg", "security-group", "succeeded", 10, 1100),
               operation("web[0]", "server", "succeeded", 3200, 40010),
               operation("web[1]", "server", "failed", 3200, 400),
               operation("dns", "zone", "skipped", 0, 0)}}},
            {{"id", "chg-1"},
             {"environment", "payments-test"},
             {"kind", "destroy"},
             {"state", "executing"},
             {"started_at", "2026-03-04T09:00:00.000Z"},
             {"makespan_ms", nullptr},
             {"lower_bound_ms", nullptr},
             {"operations", Json::array()}}}}};
}

TEST(JournalView, ShowsWhatIsOpenAndWhatWasDone) {
  std::string text = render_journal(journal(), {.columns = 80});
  text +=
      "== 120 columns, unicode\n" + render_journal(journal(), {.columns = 120, .unicode = true});
  text += "== nothing\n" +
          render_journal({{"intents", Json::array()}, {"changes", Json::array()}}, {.columns = 80});
  test::expect_golden("cli/journal.txt", text);
}

TEST(JournalView, FitsTheWindow) {
  for (const auto& line : split(render_journal(journal(), {.columns = 80}), '\n')) {
    if (line.find("SETTLED") != std::string::npos || line.find("marker") != std::string::npos)
      continue;
    EXPECT_LE(utf8_length(line), 80U) << line;
  }
}

}  // namespace
}  // namespace bailey
