#include "orchestrator/serve/cli/progress_display.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/serve/cli/views/progress_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <unistd.h>

namespace bailey {

namespace {

bool is_over(const WatchedOperation& operation) {
  return operation.state == "done" || operation.state == "failed";
}

}  // namespace

bool has_ended(const Json& change) {
  static const std::set<std::string> kEnds = {"done",       "failed",    "rejected",   "expired",
                                              "superseded", "cancelled", "rolled-back"};
  return kEnds.contains(string_member(change, "state"));
}

std::string Narrator::stage_news(const Json& change) {
  // How it ended is the result, and not for us to tell.
  if (has_ended(change)) return {};
  const auto& progress = member(change, "progress");
  auto stage = string_member(progress, "stage");
  if (stage.empty()) stage = string_member(change, "state");
  auto& before = stages_[string_member(change, "id")];
  if (before == stage) return {};
  before = stage;
  auto line = fmt::format("{}  {}  {}", string_member(change, "id"),
                          string_member(change, "environment"), stage);
  const auto& total = member(progress, "total");
  if (stage == "applying" && total.is_number()) {
    line += fmt::format("  {} operations", total.get<std::size_t>());
    const auto& left = member(progress, "left_ms");
    if (left.is_number()) {
      line += ", about " + rough_duration(std::chrono::milliseconds(left.get<std::int64_t>()));
    }
  }
  return printable(line);
}

std::vector<std::string> Narrator::news(const Json& change) {
  std::vector<std::string> out;
  auto stage = live_ ? std::string() : stage_news(change);
  auto operations = operations_of(change);
  const auto total = operations.size();
  auto& told = told_[string_member(change, "id")];
  std::erase_if(operations, [&](const WatchedOperation& each) {
    return !is_over(each) || told.contains(each.address);
  });
  std::stable_sort(operations.begin(), operations.end(),
                   [](const auto& left, const auto& right) { return left.ended < right.ended; });
  for (const auto& operation : operations) {
    told.insert(operation.address);
    auto lines = render_ended(string_member(change, "environment"), operation, look_);
    if (!live_) lines.front() += fmt::format("  ({}/{})", told.size(), total);
    out.insert(out.end(), lines.begin(), lines.end());
  }
  // What comes after the operations is told after them.
  const bool applying = string_member(member(change, "progress"), "stage") == "applying";
  if (!stage.empty()) out.insert(applying ? out.begin() : out.end(), std::move(stage));
  return out;
}

ProgressDisplay::ProgressDisplay()
    : live_(is_terminal(STDERR_FILENO)),
      narrator_(live_, terminal_look(STDERR_FILENO)),
      foot_(stderr) {
  // Lines for files and other programs are as long as they are.
  if (!live_) narrator_.adapt({.columns = 2000, .rows = 1, .unicode = false, .colour = false});
}

void ProgressDisplay::show(const std::vector<Json>& changes) {
  if (live_) narrator_.adapt(terminal_look(STDERR_FILENO));
  std::vector<std::string> above;
  std::vector<Json> open;
  for (const auto& change : changes) {
    const auto news = narrator_.news(change);
    above.insert(above.end(), news.begin(), news.end());
    if (!has_ended(change)) open.push_back(change);
  }
  draw(above, open);
}

void ProgressDisplay::say(const std::string& text) {
  foot_.clear();
  std::fprintf(stderr, "%s\n", printable(text).c_str());
}

void ProgressDisplay::draw(const std::vector<std::string>& above, const std::vector<Json>& open) {
  if (live_) {
    const auto look = terminal_look(STDERR_FILENO);
    return foot_.draw(above, render_progress(open, look), look.columns);
  }
  for (const auto& line : above) std::fprintf(stderr, "%s\n", line.c_str());
}

}  // namespace bailey
