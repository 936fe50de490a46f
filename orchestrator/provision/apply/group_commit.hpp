#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/base/threads.hpp"
#include "orchestrator/record/store/state_store.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace bailey {

/// Makes what many threads write durable together: whoever finds nobody committing takes all that
/// has queued up into one transaction, and the others wait for it. A sync of the disk costs the
/// same for one entry as for many. Nobody waits unless another thread is committing.
template <class Entry>
class GroupCommit {
 public:
  /// Writes entries of different threads, in the order of their arrival, into one transaction.
  using WriteAll = std::function<Status(Transaction&, const std::vector<const Entry*>&)>;

  /// `most` bounds the entries of a transaction, so that nobody else waits long for the store.
  GroupCommit(StateStore& store, WriteAll write_all, Threads& threads = system_threads(),
              std::size_t most = 64)
      : store_(store),
        write_all_(std::move(write_all)),
        threads_(threads),
        most_(std::max<std::size_t>(most, 1)) {}

  /// Success: durable. A failure for the sake of one entry fails that one alone; Io, Unavailable
  /// and Conflict are about the store or the lease, and fail all that were to be written together.
  /// Nothing of a failed entry is kept. Any thread; `entry` is not used after the return.
  [[nodiscard]] Status commit(const Entry& entry) {
    Waiting own{&entry, {}, false, threads_.wait_point()};
    std::unique_lock lock(mutex_);
    queue_.push_back(&own);
    while (!own.done) {
      if (committing_) {
        own.wake->wait(lock, {});
      } else {
        lead(lock);
      }
    }
    return std::move(own.status);
  }

  /// Threads in the queue of the next transaction.
  [[nodiscard]] std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return queue_.size();
  }

 private:
  struct Waiting {
    const Entry* entry;
    Status status;
    bool done;
    std::unique_ptr<WaitPoint> wake;
  };
  using Batch = std::vector<Waiting*>;

  /// Commits the front of the queue, which need not hold the caller's own entry.
  void lead(std::unique_lock<std::mutex>& lock) {
    committing_ = true;
    const auto size = std::min(queue_.size(), most_);
    const Batch batch(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(size));
    queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(size));
    lock.unlock();
    write(batch);
    lock.lock();
    committing_ = false;
    // Under the lock: whoever is done may return at once, and with it what is woken here.
    for (auto* waiting : batch) {
      waiting->done = true;
      waiting->wake->wake_one();
    }
    if (!queue_.empty()) queue_.front()->wake->wake_one();
  }

  void write(const Batch& batch) {
    auto written = write_together(batch);
    if (!written && batch.size() > 1 && is_about_one(written.error())) {
      for (auto* waiting : batch) waiting->status = write_together({waiting});
      return;
    }
    for (auto* waiting : batch) waiting->status = written;
  }

  Status write_together(const Batch& batch) {
    std::vector<const Entry*> entries;
    entries.reserve(batch.size());
    for (const auto* waiting : batch) entries.push_back(waiting->entry);
    return in_transaction(store_, Access::Write, [&](Transaction& transaction) {
      return write_all_(transaction, entries);
    });
  }

  static bool is_about_one(const Error& error) {
    return error.kind() != ErrorKind::Io && error.kind() != ErrorKind::Unavailable &&
           error.kind() != ErrorKind::Conflict;
  }

  StateStore& store_;
  WriteAll write_all_;
  Threads& threads_;
  std::size_t most_;
  mutable std::mutex mutex_;
  std::deque<Waiting*> queue_;
  bool committing_ = false;
};

}  // namespace bailey
