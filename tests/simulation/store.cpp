#include "tests/simulation/store.hpp"

#include "orchestrator/base/json.hpp"
#include "tests/support/forwarding_transaction.hpp"

namespace bailey::test {

namespace {

/// What the dead are told. That the lease is lost ends them soonest.
tl::unexpected<Error> dead() {
  return fail(Error(ErrorKind::Conflict, "the process is gone").with_code("lease.lost"));
}

}  // namespace

class StoreDoor::Doored final : public ForwardingTransaction {
 public:
  Doored(StoreDoor& door, std::unique_ptr<Transaction> inner)
      : ForwardingTransaction(std::move(inner)), door_(door) {}
  ~Doored() override {
    end();
    door_.cloud_.point(door_.server_);
  }
  Doored(const Doored&) = delete;
  Doored& operator=(const Doored&) = delete;

  Result<std::optional<Record>> get(Collection collection, std::string_view key) override {
    auto record = ForwardingTransaction::get(collection, key);
    if (record && *record && claims_lease(collection)) {
      (*record)->body["epoch"] = door_.server_.epoch;
      (*record)->body["holder"] = "whoever asks";
    }
    return record;
  }
  Result<std::uint64_t> put(Collection collection, std::string_view key, const Json& body,
                            std::uint64_t expected) override {
    if (claims_lease(collection)) return 1;
    if (collection == Collection::Intent && door_.cloud_.sabotage == Sabotage::NoIntent) return 1;
    what_ += std::string(" ") + std::string(key);
    return ForwardingTransaction::put(collection, key, body, expected);
  }
  Result<bool> erase(Collection collection, std::string_view key) override {
    what_ += " -" + std::string(key);
    return ForwardingTransaction::erase(collection, key);
  }
  Result<std::uint64_t> append(const AuditEntry& entry) override {
    if (door_.cloud_.sabotage == Sabotage::NoAudit) return 0;
    what_ += " " + entry.action;
    return ForwardingTransaction::append(entry);
  }
  Status commit() override {
    auto& cloud = door_.cloud_;
    const auto& name = door_.server_.process.name;
    cloud.point_within(door_.server_);
    if (door_.server_.process.dead) return dead();
    if (door_.disk_ != Disk::Well) {
      cloud.trace.add(cloud.scheduler.now(), "{} cannot commit{}", name, what_);
      return fail(
          Error(ErrorKind::Io, "no space left on device").with_code(std::string(kStoreFailed)));
    }
    auto committed = ForwardingTransaction::commit();
    cloud.trace.add(cloud.scheduler.now(), "{} commits{}", name, what_);
    // Durable, and nobody there to know.
    cloud.point_within(door_.server_);
    if (door_.server_.process.dead) return dead();
    return committed;
  }

 private:
  [[nodiscard]] bool claims_lease(Collection collection) const {
    return collection == Collection::Setting && door_.server_.epoch != 0 &&
           door_.cloud_.sabotage == Sabotage::NoFence;
  }

  StoreDoor& door_;
  std::string what_;
};

Result<std::unique_ptr<Transaction>> StoreDoor::begin(Access access) {
  cloud_.point(server_);
  cloud_.scheduler.yield();
  if (server_.process.dead) return dead();
  if (disk_ == Disk::Broken) {
    return fail(Error(ErrorKind::Io, "input/output error").with_code(std::string(kStoreFailed)));
  }
  auto inner = store_.begin(access);
  if (!inner) return inner;
  return std::unique_ptr<Transaction>(new Doored(*this, *std::move(inner)));
}

}  // namespace bailey::test
