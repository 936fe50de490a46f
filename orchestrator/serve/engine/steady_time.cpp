#include "orchestrator/serve/engine/steady_time.hpp"

#include "orchestrator/base/file.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/serve/engine/records.hpp"

#include <algorithm>

namespace bailey {

namespace {

constexpr const char* kSetting = "steady-time";
constexpr std::chrono::minutes kWriteEvery{1};

// Monotonic clocks compare only within one boot. Unknown: empty, and nothing compares.
std::string this_boot() {
  auto id = read_file("/proc/sys/kernel/random/boot_id", 256);
  return id ? std::string(trim(*id)) : std::string();
}

std::int64_t milliseconds_of(MonotonicTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

// How long nobody ran, by the monotonic clock; nothing when that began anew since.
std::optional<WallTime::duration> passed_since(const Json& setting, MonotonicTime monotonic) {
  const auto& then = member(setting, "monotonic_ms");
  const auto boot = string_member(setting, "boot");
  if (!then.is_number_integer() || boot.empty() || boot != this_boot()) return std::nullopt;
  const auto passed = milliseconds_of(monotonic) - then.get<std::int64_t>();
  if (passed < 0) return std::nullopt;
  return std::chrono::milliseconds(passed);
}

}  // namespace

Status SteadyTime::begin(WallTime wall, MonotonicTime monotonic) {
  auto setting = in_transaction(store_, Access::Read, [](Transaction& transaction) {
    return find_setting(transaction, kSetting);
  });
  if (!setting) return fail(std::move(setting.error()).in("telling the time"));
  const auto time = parse_time(string_member(*setting, "time"));
  const auto then = parse_time(string_member(*setting, "wall"));
  if (!time || !then) {
    mark_ = Mark{wall, monotonic};
    return {};
  }
  if (const auto& doubts = member(*setting, "doubts"); doubts.is_number_unsigned()) {
    doubts_ = doubts.get<std::uint64_t>();
  }
  const auto passed = passed_since(*setting, monotonic);
  if (!passed && wall < *then) ++doubts_;
  mark_ =
      Mark{*time + std::max(wall - *then, passed.value_or(WallTime::duration::zero())), monotonic};
  return {};
}

Result<WallTime> SteadyTime::now() {
  const std::lock_guard lock(mutex_);
  const auto wall = clock_.wall_now();
  const auto monotonic = clock_.monotonic_now();
  if (!mark_) {
    if (auto begun = begin(wall, monotonic); !begun) return fail(std::move(begun.error()));
  }
  const auto passed = std::chrono::duration_cast<WallTime::duration>(monotonic - mark_->at);
  // The rest below a millisecond counts the next time: many who ask do not slow it down.
  mark_ = Mark{std::max(wall, mark_->time + passed), mark_->at + passed};
  if (written_ && mark_->time - *written_ < kWriteEvery) return mark_->time;
  auto written = in_transaction(store_, Access::Write, [&](Transaction& transaction) {
    return transaction.put(Collection::Setting, kSetting,
                           {{"time", format_time(mark_->time)},
                            {"wall", format_time(wall)},
                            {"monotonic_ms", milliseconds_of(monotonic)},
                            {"boot", this_boot()},
                            {"doubts", doubts_}});
  });
  if (!written) return fail(std::move(written.error()).in("writing down the time"));
  written_ = mark_->time;
  return mark_->time;
}

Result<std::uint64_t> SteadyTime::doubts() {
  auto time = now();
  if (!time) return fail(std::move(time.error()));
  const std::lock_guard lock(mutex_);
  return doubts_;
}

}  // namespace bailey
