#include "orchestrator/serve/engine/read_audit.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/record/audit/checkpoint.hpp"
#include "orchestrator/record/store/checkpointing.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <algorithm>
#include <cstdlib>

namespace bailey {

namespace {

constexpr std::size_t kMaxEntries = 1000;

}  // namespace

Result<std::string> publish_checkpoint(Engine& engine) {
  return in_transaction(engine.store(), Access::Write,
                        [&](Transaction& transaction) -> Result<std::string> {
                          auto size = transaction.log_size();
                          if (!size) return fail(std::move(size.error()));
                          auto newest = transaction.newest_checkpoint();
                          if (!newest) return fail(std::move(newest.error()));
                          if (*newest) {
                            auto opened = open_checkpoint(**newest, engine.log_key().verifier());
                            if (opened && opened->size == *size) return **std::move(newest);
                          }
                          return sign_checkpoint(transaction, engine.log_key());
                        });
}

Result<ReceiptLog> prove_entry(Transaction& transaction, std::uint64_t index,
                               const std::string& checkpoint) {
  ReceiptLog log;
  log.checkpoint = checkpoint;
  log.index = index;
  // The size is the second line of the note: "origin\nsize\nroot\n".
  const auto first = checkpoint.find('\n');
  const auto size = std::strtoull(checkpoint.c_str() + first + 1, nullptr, 10);
  auto records = transaction.log_records(index, 1);
  if (!records) return fail(std::move(records.error()));
  if (records->empty()) return fail(ErrorKind::NotFound, "the log has no such entry");
  log.entry = std::move(records->front().body);
  auto proof = transaction.inclusion_proof(index, size);
  if (!proof) return fail(std::move(proof.error()));
  log.proof = *std::move(proof);
  return log;
}

Result<Json> read_entries(Engine& engine, const Request& request, std::uint64_t from,
                          std::size_t limit) {
  return audited(engine, request, "audit.read", "log", [&] {
    return in_transaction(
        engine.store(), Access::Read, [&](Transaction& transaction) -> Result<Json> {
          auto bundle = engine.bundle(transaction);
          if (!bundle) return fail(std::move(bundle.error()));
          if (auto may = require_somewhere(**bundle, request.caller, Power::Audit); !may) {
            return fail(std::move(may.error()));
          }
          auto records =
              transaction.log_records(from, std::clamp<std::size_t>(limit, 1, kMaxEntries));
          if (!records) return fail(std::move(records.error()));
          auto size = transaction.log_size();
          if (!size) return fail(std::move(size.error()));
          Json entries = Json::array();
          for (auto& record : *records) {
            entries.push_back({{"index", record.index}, {"body", std::move(record.body)}});
          }
          return Json{{"entries", std::move(entries)}, {"size", *size}};
        });
  });
}

Result<Json> read_checkpoint(Engine& engine, const Request&, std::uint64_t from) {
  auto note = publish_checkpoint(engine);
  if (!note) return fail(std::move(note.error()));
  auto head = open_checkpoint(*note, engine.log_key().verifier());
  if (!head) return fail(std::move(head.error()));
  if (from > head->size) {
    return fail(ErrorKind::InvalidArgument, "the log has never had that many entries");
  }
  Json consistency = Json::array();
  if (from > 0 && from < head->size) {
    auto proof = in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
      return transaction.consistency_proof(from, head->size);
    });
    if (!proof) return fail(std::move(proof.error()));
    for (const auto& hash : *proof) consistency.push_back(base64(hash));
  }
  return Json{{"checkpoint", *std::move(note)},
              {"key", engine.log_key().verifier().str()},
              {"consistency", std::move(consistency)}};
}

Status check_own_checkpoint(Engine& engine, Transaction& transaction, const std::string& note) {
  const auto foreign = [] {
    return fail(Error(ErrorKind::Refused, "the checkpoint is not one that this log has had")
                    .with_hint("Either the server was rolled back or it is another one: tell your "
                               "auditors before you sign anything.")
                    .with_code("approval.foreign-checkpoint"));
  };
  const auto head = open_checkpoint(note, engine.log_key().verifier());
  if (!head) return foreign();
  auto size = transaction.log_size();
  if (!size) return fail(std::move(size.error()));
  if (head->size > *size) return foreign();
  auto root = transaction.log_root(head->size);
  if (!root) return fail(std::move(root.error()));
  if (*root != bytes_of(head->root)) return foreign();
  return {};
}

}  // namespace bailey
