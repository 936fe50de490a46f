#include "orchestrator/serve/cli/views/journal_view.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/serve/cli/table.hpp"
#include "orchestrator/serve/cli/views/progress_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace bailey {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kWidestLine = 40;
constexpr std::size_t kNarrowestLine = 12;

std::int64_t number(const Json& object, const char* name) {
  const auto& value = member(object, name);
  return value.is_number() ? value.get<std::int64_t>() : 0;
}

std::string render_intents(const Json& intents) {
  if (intents.empty()) return "Nothing stands open.\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& intent : intents) {
    rows.push_back({string_member(intent, "address"), string_member(intent, "verb"),
                    string_member(intent, "phase"), string_member(intent, "since"),
                    string_member(intent, "settled_by")});
  }
  return "Open: under way, or left by a crash; the environment's next run settles it.\n" +
         render_table({"ADDRESS", "VERB", "PHASE", "SINCE", "SETTLED BY"}, rows);
}

// Where an operation lies between the start and the end of its change.
std::string time_line(std::int64_t started, std::int64_t took, std::int64_t makespan,
                      std::size_t width, const Look& look) {
  if (makespan <= 0) return std::string(width, ' ');
  const auto column = [&](std::int64_t at) {
    return std::min(width,
                    static_cast<std::size_t>(at) * width / static_cast<std::size_t>(makespan));
  };
  const auto from = std::min(column(started), width - 1);
  const auto to = std::max(from + 1, column(started + took));
  std::string line(from, ' ');
  for (std::size_t i = from; i < to; ++i) line += look.unicode ? "\u2501" : "=";
  return line + std::string(width - to, ' ');
}

struct Widths {
  std::size_t address = 0;
  std::size_t type = 0;
};

std::string local(const Json& operation) {
  const auto address = string_member(operation, "address");
  return address.substr(address.find('/') + 1);
}

std::string operation_line(const Json& operation, const Widths& widths, std::int64_t makespan,
                           const Look& look) {
  const auto outcome = string_member(operation, "outcome");
  const bool started = outcome != "skipped" && outcome != "cancelled";
  const auto head =
      fmt::format("  {:<7}  {:<{}}  {:<{}}  ", string_member(operation, "action"), local(operation),
                  widths.address, string_member(operation, "type"), widths.type);
  constexpr std::size_t kTail = 20;  // A duration and an outcome.
  const auto used = head.size() + kTail;
  const auto room = look.columns > used + kNarrowestLine ? look.columns - used : kNarrowestLine;
  const auto width = std::min(kWidestLine, room);
  auto line = head;
  line += started ? time_line(number(operation, "started_ms"), number(operation, "duration_ms"),
                              makespan, width, look)
                  : std::string(width, ' ');
  line += started ? fmt::format("  {:>6}",
                                short_duration(milliseconds(number(operation, "duration_ms"))))
                  : std::string(8, ' ');
  if (outcome != "succeeded") line += "  " + outcome;
  line.erase(line.find_last_not_of(' ') + 1);
  line += "\n";
  const auto& error = member(operation, "error");
  if (error.is_object()) {
    const auto indent = look.columns > 20 ? look.columns - 12 : look.columns;
    line += "           " + one_line(string_member(error, "message"), indent) + "\n";
  }
  return line;
}

std::string render_change(const Json& change, const Look& look) {
  const auto& operations = member(change, "operations");
  const auto makespan = number(change, "makespan_ms");
  auto out = fmt::format("\n{}  {}  {}  {}  {}\n", string_member(change, "id"),
                         string_member(change, "environment"), string_member(change, "kind"),
                         string_member(change, "state"), string_member(change, "started_at"));
  if (operations.empty()) {
    const bool over = string_member(change, "state") != "executing";
    return out + (over ? "  no operation\n" : "  under way\n");
  }
  Widths widths;
  for (const auto& operation : operations) {
    widths.address = std::max(widths.address, utf8_length(local(operation)));
    widths.type = std::max(widths.type, utf8_length(string_member(operation, "type")));
  }
  for (const auto& operation : operations) out += operation_line(operation, widths, makespan, look);
  return out + fmt::format("  {} {} in {}\n", operations.size(),
                           operations.size() == 1 ? "operation" : "operations",
                           short_duration(milliseconds(makespan)));
}

}  // namespace

std::string render_journal(const Json& journal, const Look& look) {
  auto out = render_intents(member(journal, "intents"));
  const auto& changes = member(journal, "changes");
  if (changes.empty()) out += "Nothing was executed yet.\n";
  for (const auto& change : changes) out += render_change(change, look);
  return out;
}

}  // namespace bailey
