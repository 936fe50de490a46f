// What a process does to a store while its system calls are made to fail (store_faults.sh).
//
//   store_child write FILE FIRST LAST   a transaction for each number, with a record, a counter and
//   a
//                                       log entry; says "committed N" or "failed N: why" after
//                                       each, and goes on
//   store_child check FILE              opens the store as a new process would; the records, the
//                                       counter and the log must tell the same story; prints the
//                                       numbers of the records, one a line

#include "orchestrator/base/json.hpp"
#include "orchestrator/record/audit/merkle.hpp"
#include "orchestrator/record/store/sqlite_state_store.hpp"

#include <cstdio>
#include <cstring>
#include <set>
#include <string>

namespace bailey {
namespace {

// Larger than a page, so that a commit is several writes.
constexpr std::size_t kPayload = 6000;

std::string key_of(int number) {
  return "item/" + std::to_string(number);
}

Status write_one(StateStore& store, int number) {
  return in_transaction(store, Access::Write, [&](Transaction& transaction) -> Status {
    const auto log_size = transaction.log_size();
    if (!log_size) return fail(Error(log_size.error()));
    auto put = transaction.put(Collection::Setting, key_of(number),
                               {{"number", number}, {"payload", std::string(kPayload, 'x')}});
    if (!put) return fail(std::move(put.error()));
    put = transaction.put(Collection::Setting, "counter", {{"log_size", *log_size + 1}});
    if (!put) return fail(std::move(put.error()));
    AuditEntry entry;
    entry.time = "2026-11-24T10:00:00.000Z";
    entry.actor = "bailey";
    entry.proof = "self";
    entry.action = "test.write";
    entry.target = key_of(number);
    auto index = transaction.append(entry);
    if (!index) return fail(std::move(index.error()));
    return {};
  });
}

int write_all(const char* file, int first, int last) {
  // A lock that cannot be had is waited for: not long, nobody else is here.
  auto store = SqliteStateStore::open(file, OpenMode::ReadWrite,
                                      {.busy_timeout = std::chrono::milliseconds(50)});
  if (!store) {
    std::printf("unopened: %s\n", store.error().render().c_str());
    return 1;
  }
  for (int number = first; number <= last; ++number) {
    const auto written = write_one(**store, number);
    if (written) {
      std::printf("committed %d\n", number);
    } else {
      std::printf("failed %d: %s\n", number, written.error().message().c_str());
    }
    std::fflush(stdout);
  }
  return 0;
}

Result<std::set<std::string>> logged_targets(Transaction& transaction, std::uint64_t size) {
  auto records = transaction.log_records(0, size);
  if (!records) return fail(std::move(records.error()));
  std::set<std::string> targets;
  MerkleTree tree;
  for (const auto& record : *records) {
    tree.append(leaf_hash(record.body));
    auto body = parse_json(record.body);
    if (!body) return fail(std::move(body.error()));
    targets.insert(string_member(*body, "target"));
  }
  auto root = transaction.log_root(size);
  if (!root) return fail(std::move(root.error()));
  const auto recomputed = tree.root();
  if (root->size() != recomputed.size() ||
      std::memcmp(root->data(), recomputed.data(), recomputed.size()) != 0) {
    return fail(ErrorKind::Protocol, "the root of the log is not that of its entries");
  }
  if (targets.size() != size) return fail(ErrorKind::Protocol, "an entry stands twice in the log");
  return targets;
}

Status check(Transaction& transaction) {
  auto size = transaction.log_size();
  if (!size) return fail(std::move(size.error()));
  auto targets = logged_targets(transaction, *size);
  if (!targets) return fail(std::move(targets.error()));
  auto items = transaction.list(Collection::Setting, {.prefix = "item/", .after = {}, .limit = 0});
  if (!items) return fail(std::move(items.error()));
  std::set<std::string> keys;
  for (const auto& item : *items) {
    keys.insert(item.key);
    std::printf("%d\n", item.body.at("number").get<int>());
  }
  if (keys != *targets) return fail(ErrorKind::Protocol, "the records and the log differ");
  auto counter = transaction.get(Collection::Setting, "counter");
  if (!counter) return fail(std::move(counter.error()));
  const auto counted = *counter ? (*counter)->body.at("log_size").get<std::uint64_t>() : 0;
  if (counted != *size) return fail(ErrorKind::Protocol, "the counter and the log differ");
  return {};
}

int check_all(const char* file) {
  auto store = SqliteStateStore::open(file);
  const auto checked =
      store ? in_transaction(**store, Access::Read, check) : Status(fail(Error(store.error())));
  if (checked) return 0;
  std::fprintf(stderr, "%s\n", checked.error().render().c_str());
  return 1;
}

}  // namespace
}  // namespace bailey

int main(int argc, char** argv) {
  const std::string mode = argc > 2 ? argv[1] : "";
  if (mode == "write" && argc == 5) {
    return bailey::write_all(argv[2], std::stoi(argv[3]), std::stoi(argv[4]));
  }
  if (mode == "check" && argc == 3) return bailey::check_all(argv[2]);
  std::fprintf(stderr, "usage: store_child write FILE FIRST LAST | check FILE\n");
  return 64;
}
