#include "orchestrator/serve/cli/wait.hpp"

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/serve/cli/interruption.hpp"
#include "orchestrator/serve/cli/progress_display.hpp"
#include "orchestrator/serve/cli/views/change_view.hpp"
#include "orchestrator/serve/cli/views/progress_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace bailey {

namespace {

bool waits_for_people(const Json& change) {
  return member(change, "waits_for_people") == true;
}

// A change whose gate is only waiting for time or for its own programs will go in by itself.
bool goes_in_by_itself(const Json& change) {
  const auto& gate = member(change, "gate");
  return std::all_of(gate.begin(), gate.end(), [](const Json& condition) {
    const auto kind = string_member(condition, "condition");
    return member(condition, "met") == true || kind == "check" || kind == "soak" ||
           kind == "window";
  });
}

int code_of(const std::string& state, const Json& change) {
  if (state == "done" || state == "superseded") return kDone;
  if (state == "rejected") return kRefused;
  if (has_ended(change)) return kFailed;
  return waits_for_people(change) ? kWaitsForPeople : kDone;
}

// The worst of several, in the order of what somebody has to do about it.
int worse(int left, int right) {
  const auto rank = [](int code) {
    return code == kFailed ? 3 : code == kRefused ? 2 : code == kWaitsForPeople ? 1 : 0;
  };
  return rank(left) >= rank(right) ? left : right;
}

/// Follows changes until none is open.
class Follower {
 public:
  Follower(const Context& context, ApiClient& client, std::vector<std::string> changes,
           FollowPace pace)
      : context_(context), client_(client), open_(std::move(changes)), pace_(pace) {}

  int run() {
    while (true) {
      const auto changes = look();
      if (interruption_.requested()) return interrupted();
      if (failed_) return given_up();
      if (changes) settle(*changes);
      if (open_.empty()) return code_;
      if (!clock_.sleep_for(pace_.between, interruption_.token())) return interrupted();
    }
  }

 private:
  /// All that are open as they stand; nothing while the server does not answer.
  std::optional<std::vector<Json>> look() {
    std::vector<Json> changes;
    for (const auto& id : open_) {
      auto change = client_.get("/v1/changes/" + id, interruption_.token());
      if (!change) {
        away(change.error());
        return std::nullopt;
      }
      changes.push_back(*std::move(change));
    }
    if (away_since_) display_.say("The server answers again.");
    away_since_.reset();
    return changes;
  }

  void away(const Error& error) {
    if (interruption_.requested()) return;
    const auto now = clock_.monotonic_now();
    if (!error.retryable() || (away_since_ && now - *away_since_ >= pace_.patience)) {
      failed_ = error;
      return;
    }
    if (away_since_) return;
    away_since_ = now;
    display_.say(fmt::format("The server at {} does not answer; asking again for {}.",
                             context_.connection().server, rough_duration(pace_.patience)));
  }

  void settle(const std::vector<Json>& changes) {
    display_.show(changes);
    std::vector<std::string> still_open;
    for (const auto& change : changes) {
      const auto state = string_member(change, "state");
      // A stage may wait for one whose change has failed: it will not go in while we watch.
      const bool in_vain = code_ == kFailed && state == "waiting";
      if (!has_ended(change) && !waits_for_people(change) && !in_vain) {
        still_open.push_back(string_member(change, "id"));
        continue;
      }
      display_.pause();
      tell(change);
    }
    open_ = std::move(still_open);
  }

  void tell(const Json& change) {
    context_.print(render_change_outcome(change));
    if (context_.json()) context_.note(change_line(change));
    code_ = worse(code_, code_of(string_member(change, "state"), change));
  }

  [[nodiscard]] std::string how_to_go_on() const {
    std::string text;
    for (const auto& id : open_) text += "\n    bailey change follow " + id;
    return text;
  }

  int interrupted() {
    display_.pause();
    context_.note(fmt::format(
        "No longer watching. {} on in the server; nothing was stopped. To watch again:{}",
        open_.size() == 1 ? "The change goes" : "The changes go", how_to_go_on()));
    return kInterrupted;
  }

  int given_up() {
    display_.pause();
    const auto hint =
        "What it had begun it goes on with as soon as it runs. To watch again:" + how_to_go_on();
    auto error = *failed_;
    return context_.fail_with(error.retryable() ? std::move(error).with_hint(hint) : error);
  }

  const Context& context_;
  ApiClient& client_;
  std::vector<std::string> open_;
  FollowPace pace_;
  Interruption interruption_;
  SystemClock clock_;
  ProgressDisplay display_;
  std::optional<MonotonicTime> away_since_;
  std::optional<Error> failed_;
  int code_ = kDone;
};

int tell_all(const Context& context, ApiClient& client, const std::vector<std::string>& changes) {
  int code = kDone;
  for (const auto& id : changes) {
    auto change = client.get("/v1/changes/" + id);
    if (!change) return context.fail_with(change.error());
    context.print(render_change_outcome(*change));
    code = worse(code, code_of(string_member(*change, "state"), *change));
  }
  return code;
}

}  // namespace

int follow(const Context& context, ApiClient& client, const std::vector<std::string>& changes,
           bool wait, FollowPace pace) {
  if (!wait) return tell_all(context, client, changes);
  return Follower(context, client, changes, pace).run();
}

int ask_for_entry(const Context& context, ApiClient& client, const std::string& id) {
  auto change = client.get("/v1/changes/" + id);
  if (!change) return context.fail_with(change.error());
  const auto state = string_member(*change, "state");
  context.print_json(*change);
  context.print(render_change_outcome(*change));
  if (has_ended(*change)) return code_of(state, *change);
  if (state != "waiting" || goes_in_by_itself(*change)) return kDone;
  context.note(
      fmt::format("The gate of {} does not let it in now.", string_member(*change, "environment")));
  return kRefused;
}

}  // namespace bailey
