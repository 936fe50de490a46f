#include "orchestrator/provision/apply/journal_writer.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"

#include <algorithm>

namespace bailey {

namespace {

constexpr int kRecordAttempts = 3;
constexpr std::size_t kLongestDetail = 400;

Status step_serial(Transaction& transaction, const std::string& environment, std::uint64_t steps) {
  auto record = transaction.get(Collection::Environment, environment);
  if (!record) return fail(std::move(record.error()));
  if (!*record || !member((*record)->body, "serial").is_number_unsigned()) {
    return fail(ErrorKind::FailedPrecondition, "the environment " + environment + " has no record");
  }
  auto body = (*record)->body;
  body["serial"] = body["serial"].get<std::uint64_t>() + steps;
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

Status replace(Transaction& transaction, Collection collection, const std::string& key,
               const std::optional<Json>& body, bool erase) {
  if (body) {
    auto put = transaction.put(collection, key, *body);
    if (!put) return fail(std::move(put.error()));
  } else if (erase) {
    auto erased = transaction.erase(collection, key);
    if (!erased) return fail(std::move(erased.error()));
  }
  return {};
}

}  // namespace

bool is_lease_lost(const Error& error) {
  return error.code() == "lease.lost";
}

JournalWriter::JournalWriter(const ApplyContext& context, Fence fence)
    : context_(context),
      fence_(std::move(fence)),
      group_(
          context.store,
          [this](Transaction& transaction, const auto& entries) {
            return write_all(transaction, entries);
          },
          context.threads) {}

Status JournalWriter::announce(Intent& intent) {
  intent.time = format_time(context_.clock.wall_now());
  Entry entry;
  entry.key = intent.address.str();
  entry.intent = to_json(intent);
  entry.announces = true;
  if (auto written = group_.commit(entry); !written) {
    return fail(std::move(written.error()).in("writing down what is about to be done"));
  }
  return {};
}

Status JournalWriter::withdraw(const ResourceAddress& address,
                               const std::optional<Intent>& before) {
  Entry entry;
  entry.key = address.str();
  if (before) entry.intent = to_json(*before);
  entry.erase_intent = true;
  if (auto written = group_.commit(entry); !written) {
    return fail(std::move(written.error()).in("taking back what was to be done"));
  }
  return {};
}

Status JournalWriter::record(const Recording& recording) {
  Entry entry;
  entry.key = recording.address.str();
  if (recording.resource) entry.resource = to_json(*recording.resource);
  entry.erase_resource = recording.erase_resource;
  if (recording.intent) entry.intent = to_json(*recording.intent);
  entry.erase_intent = !recording.keep_intent;
  entry.audit = entry_of(recording, context_.clock.wall_now());
  auto written = group_.commit(entry);
  for (int attempt = 1;
       !written && written.error().code() == kStoreFailed && attempt < kRecordAttempts; ++attempt) {
    context_.clock.sleep_for(std::chrono::milliseconds(20 << attempt), {});
    written = group_.commit(entry);
  }
  if (!written) return fail(std::move(written.error()).in("writing down what was done"));
  return {};
}

/// The fence is checked and the serial stepped once for all of them.
Status JournalWriter::write_all(Transaction& transaction,
                                const std::vector<const Entry*>& entries) const {
  const bool announces = std::any_of(entries.begin(), entries.end(),
                                     [](const Entry* entry) { return entry->announces; });
  auto ours = announces ? renew_lease(transaction, fence_, context_.clock.wall_now())
                        : check_fence(transaction, fence_);
  if (!ours) return ours;
  std::uint64_t steps = 0;
  for (const auto* entry : entries) {
    if (auto written = write_one(transaction, *entry); !written) return written;
    if (entry->resource || entry->erase_resource) ++steps;
  }
  return steps == 0 ? Status() : step_serial(transaction, fence_.environment, steps);
}

Status JournalWriter::write_one(Transaction& transaction, const Entry& entry) {
  auto resource =
      replace(transaction, Collection::Resource, entry.key, entry.resource, entry.erase_resource);
  if (!resource) return resource;
  auto intent =
      replace(transaction, Collection::Intent, entry.key, entry.intent, entry.erase_intent);
  if (!intent || !entry.audit) return intent;
  auto appended = transaction.append(*entry.audit);
  if (!appended) return fail(std::move(appended.error()));
  return {};
}

}  // namespace bailey
