#include "orchestrator/provision/apply/journal_writer.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"

#include <algorithm>

namespace bailey {

namespace {

constexpr int kRecordAttempts = 3;
constexpr std::size_t kLongestDetail = 400;

Status step_serial(Transaction& transaction, const std::string& environment) {
  auto record = transaction.get(Collection::Environment, environment);
  if (!record) return fail(std::move(record.error()));
  if (!*record || !member((*record)->body, "serial").is_number_unsigned()) {
    return fail(ErrorKind::FailedPrecondition, "the environment " + environment + " has no record");
  }
  auto body = (*record)->body;
  body["serial"] = body["serial"].get<std::uint64_t>() + 1;
  auto put = transaction.put(Collection::Environment, environment, body);
  if (!put) return fail(std::move(put.error()));
  return {};
}

AuditEntry entry_of(const Recording& recording, WallTime now) {
  AuditEntry entry;
  entry.time = format_time(now);
  entry.actor = "bailey";
  entry.proof = "self";
  entry.action = recording.action;
  entry.target = "resource:" + recording.address.str();
  entry.outcome = recording.outcome;
  entry.detail = utf8_substr(recording.detail, 0, kLongestDetail);
  std::replace(entry.detail.begin(), entry.detail.end(), '\n', ' ');
  if (!recording.plan_digest.empty()) entry.digests["plan"] = recording.plan_digest;
  return entry;
}

/// The resource and the intent of one address.
Status write_address(Transaction& transaction, const Recording& recording) {
  const auto key = recording.address.str();
  if (recording.resource) {
    auto put = transaction.put(Collection::Resource, key, to_json(*recording.resource));
    if (!put) return fail(std::move(put.error()));
  } else if (recording.erase_resource) {
    auto erased = transaction.erase(Collection::Resource, key);
    if (!erased) return fail(std::move(erased.error()));
  }
  if (recording.intent) {
    auto put = transaction.put(Collection::Intent, key, to_json(*recording.intent));
    if (!put) return fail(std::move(put.error()));
  } else if (!recording.keep_intent) {
    auto erased = transaction.erase(Collection::Intent, key);
    if (!erased) return fail(std::move(erased.error()));
  }
  return {};
}

}  // namespace

bool is_lease_lost(const Error& error) {
  return error.code() == "lease.lost";
}

Status JournalWriter::announce(Intent& intent) {
  const auto now = context_.clock.wall_now();
  intent.time = format_time(now);
  auto written =
      in_transaction(context_.store, Access::Write, [&](Transaction& transaction) -> Status {
        if (auto renewed = renew_lease(transaction, fence_, now); !renewed) return renewed;
        auto put = transaction.put(Collection::Intent, intent.address.str(), to_json(intent));
        if (!put) return fail(std::move(put.error()));
        return {};
      });
  if (!written) {
    return fail(std::move(written.error()).in("writing down what is about to be done"));
  }
  return {};
}

Status JournalWriter::record(const Recording& recording) {
  auto written = record_once(recording);
  for (int attempt = 1; !written && written.error().code() == kStoreFailed && attempt < kRecordAttempts;
       ++attempt) {
    context_.clock.sleep_for(std::chrono::milliseconds(20 << attempt), {});
    written = record_once(recording);
  }
  if (!written) return fail(std::move(written.error()).in("writing down what was done"));
  return {};
}

Status JournalWriter::record_once(const Recording& recording) {
  const auto entry = entry_of(recording, context_.clock.wall_now());
  return in_transaction(context_.store, Access::Write, [&](Transaction& transaction) -> Status {
    if (auto ours = check_fence(transaction, fence_); !ours) return ours;
    if (auto written = write_address(transaction, recording); !written) return written;
    if (recording.resource || recording.erase_resource) {
      if (auto stepped = step_serial(transaction, fence_.environment); !stepped) return stepped;
    }
    auto appended = transaction.append(entry);
    if (!appended) return fail(std::move(appended.error()));
    return {};
  });
}

}  // namespace bailey
