#include "orchestrator/serve/engine/steady_time.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/serve/engine/records.hpp"

#include <algorithm>

namespace bailey {

namespace {
constexpr const char* kSetting = "steady-time";
constexpr std::chrono::minutes kWriteEvery{1};
}  // namespace

// What passed while nobody ran is told by the wall clock alone, unless that was set back meanwhile.
Result<WallTime> SteadyTime::last_known(WallTime wall) {
  auto setting = in_transaction(store_, Access::Read, [](Transaction& transaction) {
    return find_setting(transaction, kSetting);
  });
  if (!setting) return fail(std::move(setting.error()));
  const auto time = parse_time(string_member(*setting, "time"));
  const auto then = parse_time(string_member(*setting, "wall"));
  if (!time || !then) return wall;
  return *time + std::max(wall - *then, WallTime::duration::zero());
}

Result<WallTime> SteadyTime::now() {
  const std::lock_guard lock(mutex_);
  const auto wall = clock_.wall_now();
  const auto monotonic = clock_.monotonic_now();
  if (!mark_) {
    auto known = last_known(wall);
    if (!known) return fail(std::move(known.error()).in("telling the time"));
    mark_ = Mark{*known, monotonic};
  }
  const auto passed = std::chrono::duration_cast<WallTime::duration>(monotonic - mark_->at);
  mark_ = Mark{std::max(wall, mark_->time + passed), monotonic};
  if (written_ && mark_->time - *written_ < kWriteEvery) return mark_->time;
  auto written = in_transaction(store_, Access::Write, [&](Transaction& transaction) {
    return transaction.put(Collection::Setting, kSetting,
                           {{"time", format_time(mark_->time)}, {"wall", format_time(wall)}});
  });
  if (!written) return fail(std::move(written.error()).in("writing down the time"));
  written_ = mark_->time;
  return mark_->time;
}

}  // namespace bailey
