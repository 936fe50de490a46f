#include "orchestrator/provision/apply/lease.hpp"

#include "orchestrator/base/json.hpp"

#include <algorithm>
#include <optional>

namespace bailey {

using std::chrono::milliseconds;

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

WallTime end_after(LeaseBody& body, WallTime now) {
  return body.expires_at = now + std::chrono::seconds(body.ttl_seconds);
}

/// The new end.
Result<WallTime> extend_lease(Transaction& transaction, const Fence& fence, WallTime now) {
  auto body = own_lease(transaction, fence);
  if (!body) return fail(std::move(body.error()));
  const auto end = end_after(*body, now);
  if (auto stored = store_lease(transaction, fence.environment, *body); !stored) {
    return fail(std::move(stored.error()));
  }
  return end;
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
  // Most writes come soon after another one: only what has grown old is worth a write.
  if (body->expires_at - now > std::chrono::seconds(body->ttl_seconds) * 2 / 3) return {};
  end_after(*body, now);
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

Result<std::unique_ptr<Transaction>> FencedStore::begin(Access access) {
  auto transaction = store_.begin(access);
  if (!transaction || access == Access::Read) return transaction;
  if (auto ours = check_fence(**transaction, fence_); !ours) return fail(std::move(ours.error()));
  return transaction;
}

milliseconds LeaseTerm::remaining() const {
  const auto asked = now();
  const std::lock_guard lock(mutex_);
  if (!until_) return milliseconds(0);
  const auto left =
      std::min<milliseconds>(until_->wall - asked.wall,
                             std::chrono::floor<milliseconds>(until_->monotonic - asked.monotonic));
  return std::max(left - kLeaseMargin, milliseconds(0));
}

void LeaseTerm::hold_until(const Moment& asked, WallTime expires_at) {
  const std::lock_guard lock(mutex_);
  until_ = Moment{asked.monotonic + (expires_at - asked.wall), expires_at};
}

void LeaseTerm::end() {
  const std::lock_guard lock(mutex_);
  until_.reset();
}

LeaseKeeper::LeaseKeeper(StateStore& store, Clock& clock, Fence fence, Heartbeat heartbeat)
    : store_(store),
      clock_(clock),
      fence_(std::move(fence)),
      term_(std::make_shared<LeaseTerm>(clock)),
      beat_(heartbeat.threads.wait_point()) {
  look_up();
  if (heartbeat.interval) interval_ = *heartbeat.interval;
  thread_ = heartbeat.threads.start([this] { run(); });
  if (!thread_) give_up();  // Nobody would notice that it ran out.
}

LeaseKeeper::~LeaseKeeper() {
  ended_.request_stop();
  thread_.reset();
  term_->end();
}

void LeaseKeeper::give_up() noexcept {
  term_->end();
  lost_.request_stop();
}

/// What is left of the lease as it was given; without an answer it counts as over until renewed.
void LeaseKeeper::look_up() {
  const auto asked = term_->now();
  const auto body = in_transaction(store_, Access::Read, [&](Transaction& transaction) {
    return own_lease(transaction, fence_);
  });
  if (!body && body.error().kind() == ErrorKind::Conflict) give_up();
  if (!body) return;
  term_->hold_until(asked, body->expires_at);
  const milliseconds ttl = std::chrono::seconds(body->ttl_seconds);
  interval_ = ttl / 3;
  kept_ = asked.monotonic - std::max(ttl - (body->expires_at - asked.wall), milliseconds(0));
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
      return give_up();
    }
    pause = renewed ? interval_ : interval_ / 10;
  }
}

Status LeaseKeeper::renew() {
  const auto asked = term_->now();
  const auto end = in_transaction(store_, Access::Write, [&](Transaction& transaction) {
    return extend_lease(transaction, fence_, asked.wall);
  });
  if (!end) return fail(Error(end.error()));
  term_->hold_until(asked, *end);
  const std::lock_guard lock(mutex_);
  kept_ = std::max(kept_, asked.monotonic);
  return {};
}

milliseconds LeaseKeeper::age() const {
  const std::lock_guard lock(mutex_);
  return std::chrono::duration_cast<milliseconds>(clock_.monotonic_now() - kept_);
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
