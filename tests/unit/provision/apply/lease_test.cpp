#include "orchestrator/provision/apply/lease.hpp"

#include "tests/unit/provision/apply/apply_world.hpp"

namespace bailey {
namespace {

using std::chrono::seconds;

class Lease : public ::testing::Test {
 protected:
  Lease() { store_ = SqliteStateStore::open(folder_.path() / "state.db").value(); }
  Result<Fence> acquire(const std::string& holder) {
    return in_transaction(*store_, Access::Write, [&](Transaction& transaction) {
      return acquire_lease(transaction, "dev", holder, seconds(60), clock_.wall_now());
    });
  }
  Status renew(const Fence& fence) {
    return in_transaction(*store_, Access::Write, [&](Transaction& transaction) {
      return renew_lease(transaction, fence, clock_.wall_now());
    });
  }
  Status check(const Fence& fence) {
    return in_transaction(*store_, Access::Read, [&](Transaction& transaction) {
      return check_fence(transaction, fence);
    });
  }
  Status release(const Fence& fence) {
    return in_transaction(*store_, Access::Write, [&](Transaction& transaction) {
      return release_lease(transaction, fence);
    });
  }

  test::TemporaryFolder folder_;
  test::FakeClock clock_;
  std::unique_ptr<StateStore> store_;
};

TEST_F(Lease, IsHeldByOneAlone) {
  const auto first = acquire("a");
  ASSERT_TRUE(first);
  for (const auto* holder : {"a", "b"}) {
    const auto second = acquire(holder);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code(), "lease.held");
    EXPECT_EQ(second.error().kind(), ErrorKind::Conflict);
  }
  EXPECT_TRUE(check(*first));
}

TEST_F(Lease, ExpiresAndFencesTheOldHolderOff) {
  const auto first = acquire("a");
  clock_.advance(seconds(61));
  const auto second = acquire("b");
  ASSERT_TRUE(second);
  EXPECT_GT(second->epoch, first->epoch);
  EXPECT_EQ(check(*first).error().code(), "lease.lost");
  EXPECT_EQ(renew(*first).error().code(), "lease.lost");
  EXPECT_TRUE(release(*first));
  EXPECT_TRUE(check(*second));
}

TEST_F(Lease, IsKeptByRenewal) {
  const auto fence = acquire("a");
  for (int i = 0; i < 10; ++i) {
    clock_.advance(seconds(40));
    ASSERT_TRUE(renew(*fence));
  }
  EXPECT_FALSE(acquire("b"));
}

TEST_F(Lease, IsStillOursWhenItExpiredAndNobodyTookIt) {
  const auto fence = acquire("a");
  clock_.advance(seconds(100));
  EXPECT_TRUE(renew(*fence));
  EXPECT_FALSE(acquire("b"));
}

TEST_F(Lease, IsFreeOnceReleased) {
  const auto first = acquire("a");
  ASSERT_TRUE(release(*first));
  EXPECT_FALSE(check(*first));
  const auto second = acquire("b");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->epoch, first->epoch + 1);
}

TEST_F(Lease, NeedsAHolderAndATime) {
  EXPECT_FALSE(acquire(""));
  const auto endless = in_transaction(*store_, Access::Write, [&](Transaction& transaction) {
    return acquire_lease(transaction, "dev", "a", seconds(0), clock_.wall_now());
  });
  EXPECT_FALSE(endless);
}

TEST_F(Lease, IsNotTrustedWhenNobodyCanKeepIt) {
  class NoThreads final : public Threads {
   public:
    std::unique_ptr<Thread> start(std::function<void()>) override { return nullptr; }
    std::unique_ptr<WaitPoint> wait_point() override { return system_threads().wait_point(); }
  };
  NoThreads threads;
  const auto fence = acquire("a");
  const LeaseKeeper keeper(*store_, clock_, *fence, {.threads = threads});
  EXPECT_TRUE(keeper.lost().stop_requested());
}

TEST_F(Lease, KeeperTellsWhenItIsLost) {
  const auto first = acquire("a");
  clock_.advance(seconds(61));
  ASSERT_TRUE(acquire("b"));
  LeaseKeeper keeper(*store_, clock_, *first, {.interval = std::chrono::milliseconds(1)});
  std::mutex mutex;
  std::condition_variable_any lost;
  std::unique_lock lock(mutex);
  lost.wait(lock, keeper.lost(), [] { return false; });
  EXPECT_TRUE(keeper.lost().stop_requested());
}

TEST_F(Lease, KeeperOfALostOneSaysSoAtOnce) {
  const auto first = acquire("a");
  clock_.advance(seconds(61));
  ASSERT_TRUE(acquire("b"));
  const LeaseKeeper keeper(*store_, clock_, *first);
  EXPECT_TRUE(keeper.lost().stop_requested());
  EXPECT_EQ(keeper.term()->remaining(), seconds(0));
}

TEST_F(Lease, TermEndsWithTheLeaseWhateverTheKeeperKnows) {
  const auto fence = acquire("a");
  clock_.advance(seconds(10));
  // It never gets to renew: as if the process had been stopped.
  const LeaseKeeper keeper(*store_, clock_, *fence, {.interval = std::chrono::hours(1)});
  EXPECT_EQ(keeper.term()->remaining(), seconds(50) - kLeaseMargin);
  clock_.advance(seconds(47));
  EXPECT_EQ(keeper.term()->remaining(), seconds(1));
  clock_.advance(seconds(1));
  EXPECT_EQ(keeper.term()->remaining(), seconds(0));
  EXPECT_FALSE(keeper.lost().stop_requested());
  clock_.advance(seconds(3600));
  EXPECT_EQ(keeper.term()->remaining(), seconds(0));
}

TEST_F(Lease, TermIsOverOnceTheKeeperIsGone) {
  const auto fence = acquire("a");
  std::shared_ptr<const SendWindow> term;
  {
    const LeaseKeeper keeper(*store_, clock_, *fence);
    term = keeper.term();
    EXPECT_GT(term->remaining(), seconds(0));
  }
  EXPECT_EQ(term->remaining(), seconds(0));
}

/// Its wall clock can be set, as people and NTP do.
class SetClock final : public Clock {
 public:
  WallTime wall = WallTime(std::chrono::hours(1'000));
  MonotonicTime monotonic{};
  [[nodiscard]] WallTime wall_now() const override { return wall; }
  [[nodiscard]] MonotonicTime monotonic_now() const override { return monotonic; }
  bool sleep_for(std::chrono::milliseconds, std::stop_token) override { return true; }
};

TEST(LeaseTerm, EndsByWhicheverClockIsAhead) {
  SetClock clock;
  LeaseTerm term(clock);
  EXPECT_EQ(term.remaining(), seconds(0));
  const auto asked = term.now();
  term.hold_until(asked, clock.wall + seconds(60));
  EXPECT_EQ(term.remaining(), seconds(60) - kLeaseMargin);
  clock.monotonic += seconds(20);
  EXPECT_EQ(term.remaining(), seconds(40) - kLeaseMargin);
  clock.wall += seconds(50);  // The machine had been suspended, say.
  EXPECT_EQ(term.remaining(), seconds(10) - kLeaseMargin);
  clock.wall -= seconds(500);  // Set back: nobody else is given the lease, and yet it gets old.
  EXPECT_EQ(term.remaining(), seconds(40) - kLeaseMargin);
  clock.monotonic += seconds(41);
  EXPECT_EQ(term.remaining(), seconds(0));
}

TEST_F(Lease, FencedStoreWritesForItsHolderAlone) {
  const auto first = acquire("a");
  FencedStore fenced(*store_, *first);
  const auto write = [&] {
    return in_transaction(fenced, Access::Write, [](Transaction& transaction) {
      return transaction.put(Collection::Credential, "dev/one", Json::object());
    });
  };
  EXPECT_TRUE(write());
  clock_.advance(seconds(61));
  EXPECT_TRUE(write());  // Nobody took it.
  ASSERT_TRUE(acquire("b"));
  const auto late = write();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), "lease.lost");
  EXPECT_TRUE(fenced.begin(Access::Read));
}

}  // namespace
}  // namespace bailey
