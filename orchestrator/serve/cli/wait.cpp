#include "orchestrator/serve/cli/wait.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/serve/cli/views/change_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <map>
#include <thread>

namespace bailey {

namespace {

constexpr std::chrono::milliseconds kPoll{300};

bool has_ended(const std::string& state) {
  return state == "done" || state == "failed" || state == "rejected" || state == "expired" ||
         state == "superseded" || state == "cancelled" || state == "rolled-back";
}

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
  if (has_ended(state)) return kFailed;
  return waits_for_people(change) ? kWaitsForPeople : kDone;
}

// The worst of several, in the order of what somebody has to do about it.
int worse(int left, int right) {
  const auto rank = [](int code) {
    return code == kFailed ? 3 : code == kRefused ? 2 : code == kWaitsForPeople ? 1 : 0;
  };
  return rank(left) >= rank(right) ? left : right;
}

class Ticker {
 public:
  explicit Ticker(const Context& context) : context_(context), live_(stderr_is_terminal()) {}

  void show(const std::string& id, const Json& change) {
    auto line = change_line(change);
    if (live_) {
      const auto& progress = member(change, "progress");
      if (progress.is_object()) line += "  " + progress_bar(progress);
      std::fprintf(stderr, "\r\033[K%s", line.c_str());
      open_ = true;
      if (shown_[id] == line) return;
      shown_[id] = line;
      if (!progress.is_object()) finish();
      return;
    }
    if (shown_[id] != line) context_.note(line);
    shown_[id] = line;
  }

  void finish() {
    if (open_) std::fprintf(stderr, "\n");
    open_ = false;
  }

 private:
  const Context& context_;
  bool live_;
  bool open_ = false;
  std::map<std::string, std::string> shown_;
};

}  // namespace

int follow(const Context& context, ApiClient& client, const std::vector<std::string>& changes,
           bool wait) {
  int code = kDone;
  Ticker ticker(context);
  std::vector<std::string> open = changes;
  while (!open.empty()) {
    std::vector<std::string> still_open;
    for (const auto& id : open) {
      auto change = client.get("/v1/changes/" + id);
      if (!change) {
        ticker.finish();
        return context.fail_with(change.error());
      }
      const auto state = string_member(*change, "state");
      // A stage may wait for one whose change has failed: it will not go in while we watch.
      const bool in_vain = code == kFailed && state == "waiting";
      if (wait) ticker.show(id, *change);
      if (wait && !has_ended(state) && !waits_for_people(*change) && !in_vain) {
        still_open.push_back(id);
        continue;
      }
      ticker.finish();
      context.print(render_change_outcome(*change));
      code = worse(code, code_of(state, *change));
    }
    open = std::move(still_open);
    if (!open.empty()) std::this_thread::sleep_for(kPoll);
  }
  return code;
}

int ask_for_entry(const Context& context, ApiClient& client, const std::string& id) {
  auto change = client.get("/v1/changes/" + id);
  if (!change) return context.fail_with(change.error());
  const auto state = string_member(*change, "state");
  context.print_json(*change);
  context.print(render_change_outcome(*change));
  if (has_ended(state)) return code_of(state, *change);
  if (state != "waiting" || goes_in_by_itself(*change)) return kDone;
  context.note(
      fmt::format("The gate of {} does not let it in now.", string_member(*change, "environment")));
  return kRefused;
}

}  // namespace bailey
