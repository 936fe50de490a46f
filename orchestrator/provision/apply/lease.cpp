#include "orchestrator/provision/apply/lease.hpp"

#include "orchestrator/base/json.hpp"

#include <algorithm>
#include <optional>

namespace bailey {

namespace {

struct LeaseBody {
  std::string holder;  ///< Empty: released.
  std::uint64_t epoch = 0;
  WallTime expires_at{};
  std::int64_t ttl_seconds = 0;
};

std::string key_of(const std::string& environment) {
  return "lease/" + environment;
}

Json to_json(const LeaseBody& body) {
  return {{"holder", body.holder},
          {"epoch", body.epoch},
          {"expires_at", format_time(body.expires_at)},
          {"ttl_seconds", body.ttl_seconds}};
}

Result<std::optional<LeaseBody>> load_lease(Transaction& transaction,
                                            const std::string& environment) {
  auto record = transaction.get(Collection::Setting, key_of(environment));
  if (!record) return fail(std::move(record.error()).in("reading the lease of " + environment));
  if (!*record) return std::optional<LeaseBody>();
  const auto& json = (*record)->body;
  const auto& epoch = member(json, "epoch");
  const auto& ttl = member(json, "ttl_seconds");
  const auto expires_at = parse_time(string_member(json, "expires_at"));
  if (!epoch.is_number_unsigned() || !ttl.is_number_integer() || !expires_at ||
      !member(json, "holder").is_string()) {
    return fail(ErrorKind::Protocol,
                "the record of the lease of " + environment + " cannot be understood");
  }
  return std::optional(LeaseBody{string_member(json, "holder"), epoch.get<std::uint64_t>(),
                                 *expires_at, ttl.get<std::int64_t>()});
}

Status store_lease(Transaction& transaction, const std::string& environment,
                   const LeaseBody& body) {
  auto put = transaction.put(Collection::Setting, key_of(environment), to_json(body));
  if (!put) return fail(std::move(put.error()).in("writing the lease of " + environment));
  return {};
}

/// The lease as it stands, if `fence` still has it.
Result<LeaseBody> own_lease(Transaction& transaction, const Fence& fence) {
  auto body = load_lease(transaction, fence.environment);
  if (!body) return fail(std::move(body.error()));
  if (!*body || (*body)->epoch != fence.epoch || (*body)->holder.empty()) {
    return fail(
        Error(ErrorKind::Conflict, "the lease of " + fence.environment + " is no longer held here")
            .with_code("lease.lost"));
  }
  return **body;
}

}  // namespace

Result<Fence> acquire_lease(Transaction& transaction, const std::string& environment,
                            const std::string& holder, std::chrono::seconds ttl, WallTime now) {
  if (holder.empty() || ttl <= std::chrono::seconds(0)) {
    return fail(ErrorKind::InvalidArgument, "a lease needs a holder and a time to live");
  }
  auto known = load_lease(transaction, environment);
  if (!known) return fail(std::move(known.error()));
  LeaseBody body;
  if (*known) {
    body = **known;
    if (!body.holder.empty() && now < body.expires_at) {
      return fail(Error(ErrorKind::Conflict, "the environment " + environment +
                                                 " is being worked on until " +
                                                 format_time(body.expires_at))
                      .with_code("lease.held")
                      .with_hint("It is free once that work ends, or its lease runs out."));
    }
  }
  body.holder = holder;
  ++body.epoch;
  body.expires_at = now + ttl;
  body.ttl_seconds = ttl.count();
  if (auto stored = store_lease(transaction, environment, body); !stored) {
    return fail(std::move(stored.error()));
  }
  return Fence{environment, body.epoch};
}

Status renew_lease(Transaction& transaction, const Fence& fence, WallTime now) {
  auto body = own_lease(transaction, fence);
  if (!body) return fail(std::move(body.error()));
  const std::chrono::seconds ttl(body->ttl_seconds);
  // Most writes come soon after another one: only what has grown old is worth a write.
  if (body->expires_at - now > ttl * 2 / 3) return {};
  body->expires_at = now + ttl;
  return store_lease(transaction, fence.environment, *body);
}

Status check_fence(Transaction& transaction, const Fence& fence) {
  auto body = own_lease(transaction, fence);
  if (!body) return fail(std::move(body.error()));
  return {};
}

Status release_lease(Transaction& transaction, const Fence& fence) {
  auto body = load_lease(transaction, fence.environment);
  if (!body) return fail(std::move(body.error()));
  if (!*body || (*body)->epoch != fence.epoch) return {};
  (*body)->holder.clear();
  return store_lease(transaction, fence.environment, **body);
}

LeaseKeeper::LeaseKeeper(StateStore& store, Clock& clock, Fence fence, Heartbeat heartbeat)
    : store_(store),
      clock_(clock),
      fence_(std::move(fence)),
      interval_(heartbeat.interval),
      kept_(clock.monotonic_now()),
      beat_(heartbeat.threads.wait_point()),
      thread_(heartbeat.threads.start([this] { run(); })) {
  if (!thread_) lost_.request_stop();  // Nobody would notice that it ran out.
}

LeaseKeeper::~LeaseKeeper() {
  ended_.request_stop();
}

void LeaseKeeper::run() {
  auto pause = interval_;
  for (;;) {
    {
      // Not on the clock: that of a test, on which a sleep takes no time, would never let it rest.
      std::unique_lock lock(mutex_);
      beat_->wait(lock, ended_.get_token(), pause);
    }
    if (ended_.stop_requested()) return;
    const auto renewed = renew();
    if (!renewed && (renewed.error().kind() == ErrorKind::Conflict || age() >= 2 * interval_)) {
      lost_.request_stop();
      return;
    }
    pause = renewed ? interval_ : interval_ / 10;
  }
}

Status LeaseKeeper::renew() {
  const auto asked = clock_.monotonic_now();
  auto renewed = in_transaction(store_, Access::Write, [&](Transaction& transaction) {
    return renew_lease(transaction, fence_, clock_.wall_now());
  });
  if (!renewed) return renewed;
  const std::lock_guard lock(mutex_);
  kept_ = std::max(kept_, asked);
  return {};
}

std::chrono::milliseconds LeaseKeeper::age() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.monotonic_now() - kept_);
}

Status LeaseKeeper::confirm() {
  // Until it is fresh: the renewal itself may be where the process was stopped.
  while (age() >= interval_) {
    auto renewed = renew();
    if (!renewed) return fail(std::move(renewed.error()).in("making sure of the lease"));
  }
  return {};
}

}  // namespace bailey
