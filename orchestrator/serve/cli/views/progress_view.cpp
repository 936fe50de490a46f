#include "orchestrator/serve/cli/views/progress_view.hpp"

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace bailey {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMostRows = 16;
constexpr std::size_t kRunningShown = 8;
constexpr std::size_t kBarWidth = 20;
constexpr std::size_t kWidestAddress = 32;

// The last column stays free: some terminals wrap once it is written.
std::size_t width_of(const Look& look) {
  return look.columns > 1 ? look.columns - 1 : 0;
}

struct Marks {
  const char* done;
  const char* failed;
  const char* running;
  const char* waiting;
  const char* full;
  const char* empty;
};

const Marks& marks(const Look& look) {
  static constexpr Marks kUnicode{"\u2713", "\u2717", "\u25B8", "\u00B7", "\u2501", "\u2500"};
  static constexpr Marks kAscii{"ok", "!!", ">", ".", "#", "-"};
  return look.unicode ? kUnicode : kAscii;
}

milliseconds number(const Json& object, const char* name) {
  const auto& value = member(object, name);
  return milliseconds(value.is_number() ? value.get<std::int64_t>() : 0);
}

std::optional<milliseconds> known(const Json& object, const char* name) {
  const auto& value = member(object, name);
  if (!value.is_number()) return std::nullopt;
  return milliseconds(value.get<std::int64_t>());
}

std::optional<WallTime> time_of(const Json& object, const char* name) {
  return parse_time(string_member(object, name));
}

std::string local(const std::string& address) {
  return address.substr(address.find('/') + 1);
}

WatchedOperation from_progress(const Json& item, WallTime now) {
  WatchedOperation operation;
  operation.state = string_member(item, "state");
  operation.expected = known(item, "expected_ms");
  for (const auto& each : strings_member(item, "waits_for")) {
    operation.waits_for.push_back(local(each));
  }
  const auto started = time_of(item, "started_at");
  const auto finished = time_of(item, "finished_at");
  if (started) operation.ran = std::max(milliseconds(0), finished.value_or(now) - *started);
  if (finished) operation.ended = finished->time_since_epoch();
  return operation;
}

WatchedOperation from_outcome(const Json& item) {
  static const std::map<std::string, std::string> kStates = {{"succeeded", "done"},
                                                             {"failed", "failed"},
                                                             {"errored", "failed"},
                                                             {"skipped", "skipped"},
                                                             {"cancelled", "waiting"}};
  WatchedOperation operation;
  const auto state = kStates.find(string_member(item, "outcome"));
  operation.state = state == kStates.end() ? "failed" : state->second;
  operation.ran = number(item, "duration_ms");
  operation.ended = number(item, "finished_ms");
  return operation;
}

struct Counts {
  std::size_t running = 0;
  std::size_t waiting = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;
  std::size_t ended = 0;
};

Counts count(const std::vector<WatchedOperation>& operations) {
  Counts counts;
  for (const auto& operation : operations) {
    if (operation.state == "running") ++counts.running;
    if (operation.state == "waiting") ++counts.waiting;
    if (operation.state == "failed") ++counts.failed;
    if (operation.state == "skipped") ++counts.skipped;
  }
  counts.ended = operations.size() - counts.running - counts.waiting;
  return counts;
}

// Names as far as they fit into a few words.
std::string some(const std::vector<std::string>& names) {
  constexpr std::size_t kNamed = 3;
  if (names.size() <= kNamed) return enumerate(names);
  return fmt::format("{}, {} and {} more", names[0], names[1], names.size() - 2);
}

std::string stage_words(const Json& change) {
  const auto stage = string_member(member(change, "progress"), "stage");
  if (stage == "preparing") return "preparing its boundary";
  if (stage == "stamping") return "issuing and revoking credentials";
  if (stage == "verifying") return "verifying";
  if (stage == "taking-down") return "taking its boundary down";
  return string_member(change, "kind") == "destroy" ? "destroying" : "applying";
}

// When it began to be executed, by the server's clock.
std::string so_far(const Json& change) {
  const auto now = time_of(member(change, "progress"), "at");
  for (const auto& step : member(change, "history")) {
    if (string_member(step, "state") != "executing") continue;
    const auto began = time_of(step, "at");
    if (began && now && *now >= *began) return short_duration(*now - *began);
  }
  return {};
}

/// The frame of one change.
class Frame {
 public:
  Frame(const Json& change, const Look& look)
      : change_(change),
        look_(look),
        width_(width_of(look)),
        operations_(operations_of(change)),
        counts_(count(operations_)) {}

  [[nodiscard]] std::vector<std::string> lines(std::size_t rows) const {
    if (!member(change_, "progress").is_object()) return {standing()};
    std::vector<std::string> out{heading()};
    if (operations_.empty()) return out;
    const auto waiting = waiting_line();
    // The heading, the bar and the line of those that wait come first.
    const std::size_t kept = waiting.empty() ? 2 : 3;
    if (rows > kept) add_running(out, std::min(kRunningShown, rows - kept));
    if (rows >= kept && !waiting.empty()) out.push_back(waiting);
    if (rows > 1) out.push_back(bar());
    return out;
  }

 private:
  [[nodiscard]] std::string cut(const std::string& text) const { return one_line(text, width_); }

  /// One that is not being executed: it waits, and for what.
  [[nodiscard]] std::string standing() const {
    auto text = fmt::format("{}  {}", string_member(change_, "environment"),
                            string_member(change_, "state"));
    // Its worker went away; whoever runs next takes it up when the lease has run out.
    if (text.ends_with("executing") || text.ends_with("verifying")) {
      text += "  nobody is at it now; it will be taken up again";
    }
    for (const auto& condition : member(change_, "gate")) {
      if (member(condition, "met") == true) continue;
      text += fmt::format("  {}: {}", string_member(condition, "condition"),
                          string_member(condition, "detail"));
      break;
    }
    return painted(look_, Colour::Faint, cut(text));
  }

  [[nodiscard]] std::string heading() const {
    const auto text =
        fmt::format("{}  {}", string_member(change_, "environment"), stage_words(change_));
    const auto id = string_member(change_, "id");
    if (text.size() + id.size() + 4 > width_) return painted(look_, Colour::Strong, cut(text));
    return painted(look_, Colour::Strong, cut(text)) + "  " +
           painted(look_, Colour::Faint, one_line(id, width_));
  }

  void add_running(std::vector<std::string>& out, std::size_t most) const {
    std::vector<const WatchedOperation*> running;
    for (const auto& operation : operations_) {
      if (operation.state == "running") running.push_back(&operation);
    }
    std::stable_sort(running.begin(), running.end(),
                     [](const auto* left, const auto* right) { return left->ran > right->ran; });
    const auto shown = running.size() > most ? most - 1 : running.size();
    // As wide as all of them need, so that nothing moves sideways from one frame to the next.
    std::size_t address = 0;
    std::size_t type = 0;
    for (const auto& operation : operations_) {
      address = std::max(address, std::min(kWidestAddress, utf8_length(operation.address)));
      type = std::max(type, utf8_length(operation.type));
    }
    for (std::size_t i = 0; i < shown; ++i) {
      out.push_back(running_line(*running[i], address, type));
    }
    if (shown < running.size()) {
      out.push_back(cut(fmt::format("    and {} more running", running.size() - shown)));
    }
  }

  [[nodiscard]] std::string running_line(const WatchedOperation& operation, std::size_t address,
                                         std::size_t type) const {
    auto text = fmt::format("  {} {:<7} {:<{}}  {:<{}}  {:>5}", marks(look_).running,
                            operation.action, one_line(operation.address, address), address,
                            operation.type, type, short_duration(operation.ran));
    if (operation.expected) {
      text += operation.ran > *operation.expected ? ", usually " : " of about ";
      text += rough_duration(*operation.expected);
    }
    if (!operation.waits_for.empty()) {
      text += ", the old one goes after " + some(operation.waits_for);
    }
    return cut(text);
  }

  /// What holds up most of them, and how many wait besides.
  [[nodiscard]] std::string waiting_line() const {
    if (counts_.waiting == 0) return {};
    std::map<std::vector<std::string>, std::vector<std::string>> by_reason;
    std::size_t ready = 0;  // These wait for nothing but their turn.
    for (const auto& operation : operations_) {
      if (operation.state != "waiting") continue;
      if (operation.waits_for.empty())
        ++ready;
      else
        by_reason[operation.waits_for].push_back(operation.address);
    }
    std::vector<std::string> parts;
    const auto most = std::max_element(by_reason.begin(), by_reason.end(),
                                       [](const auto& left, const auto& right) {
                                         return left.second.size() < right.second.size();
                                       });
    if (most != by_reason.end()) {
      const auto& [reason, names] = *most;
      parts.push_back(fmt::format("{} {} for {}", some(names), names.size() == 1 ? "waits" : "wait",
                                  some(reason)));
      const auto others = counts_.waiting - ready - names.size();
      if (others > 0) parts.push_back(fmt::format("{} for others", others));
    }
    if (ready > 0) parts.push_back(fmt::format("{} for a free slot", ready));
    if (most == by_reason.end()) parts.back() = fmt::format("{} wait for a free slot", ready);
    const auto text = fmt::format("  {} {}", marks(look_).waiting, join(parts, ", "));
    return painted(look_, Colour::Faint, cut(text));
  }

  [[nodiscard]] std::string bar() const {
    const auto total = operations_.size();
    // In a narrow window the figures are worth more than the bar.
    const auto width = width_ < 3 * kBarWidth - 1 ? 0 : kBarWidth;
    const auto full = width * counts_.ended / total;
    std::string done;
    std::string rest;
    for (std::size_t i = 0; i < width; ++i) {
      (i < full ? done : rest) += i < full ? marks(look_).full : marks(look_).empty;
    }
    auto text = fmt::format("  {}/{}", counts_.ended, total);
    if (counts_.failed > 0) text += fmt::format(", {} failed", counts_.failed);
    if (counts_.skipped > 0) text += fmt::format(", {} skipped", counts_.skipped);
    if (const auto since = so_far(change_); !since.empty()) text += "  " + since;
    if (const auto left = known(member(change_, "progress"), "left_ms")) {
      text += fmt::format(", about {} left", rough_duration(*left));
    }
    if (width == 0) return cut(text);
    return "  " + painted(look_, counts_.failed > 0 ? Colour::Bad : Colour::Good, done) +
           painted(look_, Colour::Faint, rest) + one_line(text, width_ - width - 2);
  }

  const Json& change_;
  const Look& look_;
  std::size_t width_;
  std::vector<WatchedOperation> operations_;
  Counts counts_;
};

}  // namespace

std::string rough_duration(milliseconds duration) {
  const auto seconds = std::max<std::int64_t>(1, (duration.count() + 500) / 1000);
  return seconds < 60 ? fmt::format("{}s", seconds) : short_duration(std::chrono::seconds(seconds));
}

std::vector<WatchedOperation> operations_of(const Json& change) {
  std::vector<WatchedOperation> operations;
  const auto& progress = member(change, "progress");
  const auto now = time_of(progress, "at").value_or(WallTime());
  const auto& list =
      member(progress.is_object() ? progress : member(change, "outcome"), "operations");
  for (const auto& item : list) {
    auto operation = progress.is_object() ? from_progress(item, now) : from_outcome(item);
    operation.address = local(string_member(item, "address"));
    operation.type = string_member(item, "type");
    operation.action = string_member(item, "action");
    operation.error = member(item, "error");
    operations.push_back(std::move(operation));
  }
  return operations;
}

std::vector<std::string> frames_of(const Json& error) {
  auto frames = strings_member(error, "frames");
  frames.erase(std::unique(frames.begin(), frames.end()), frames.end());
  return frames;
}

std::string short_duration(milliseconds duration) {
  const auto tenths = (duration.count() + 50) / 100;
  if (tenths < 100) return fmt::format("{}.{}s", tenths / 10, tenths % 10);
  const auto seconds = (duration.count() + 500) / 1000;
  if (seconds < 60) return fmt::format("{}s", seconds);
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{:02}m", seconds / 3600, seconds % 3600 / 60);
}

std::vector<std::string> render_progress(const std::vector<Json>& changes, const Look& look) {
  const auto rows = std::min(kMostRows, look.rows > 1 ? look.rows - 1 : 1);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto left = rows - out.size();
    const auto after = changes.size() - i - 1;
    if (left <= 1 && after > 0) {
      out.push_back(one_line(fmt::format("and {} changes more", after + 1), width_of(look)));
      break;
    }
    // Each that comes after keeps a share.
    const auto share = std::max<std::size_t>(1, left / (after + 1));
    for (auto& line : Frame(changes[i], look).lines(share)) out.push_back(std::move(line));
  }
  return out;
}

std::vector<std::string> render_ended(const std::string& environment,
                                      const WatchedOperation& operation, const Look& look) {
  constexpr std::size_t kMarkWidth = 3;
  const auto width = std::max(kMarkWidth, width_of(look)) - kMarkWidth;
  const auto name = fmt::format("{} {}/{}", operation.action, environment, operation.address);
  if (operation.state == "done") {
    return {painted(look, Colour::Good, marks(look).done) + " " +
            one_line(fmt::format("{}  {}", name, short_duration(operation.ran)), width)};
  }
  std::vector<std::string> out{painted(
      look, Colour::Bad,
      fmt::format("{} {}", marks(look).failed,
                  one_line(fmt::format("{}  failed after {}", name, short_duration(operation.ran)),
                           width)))};
  for (const auto& line : split(string_member(operation.error, "message"), '\n')) {
    out.push_back("    " + printable(line));
  }
  for (const auto& frame : frames_of(operation.error)) {
    out.push_back("    while " + printable(frame));
  }
  return out;
}

}  // namespace bailey
