#pragma once

#include "orchestrator/record/store/state_store.hpp"
#include "tests/simulation/faults.hpp"
#include "tests/simulation/scheduler.hpp"
#include "tests/simulation/spec_model.hpp"
#include "tests/support/fake_provider.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace bailey::test {

/// A bailey server, as far as its doors know it.
struct Server {
  Process process;
  std::uint64_t epoch = 0;  ///< Of the lease that it believes to have; 0: none.
  std::stop_source stop;    ///< SIGTERM.
  /// Mutations that were told when to come again, since the lease was taken.
  std::map<std::string, VirtualTime> not_before;
};

/// The far side of a run, and its judge: it looks at every call as it is sent and at every act as
/// it happens.
class SimulatedCloud {
 public:
  SimulatedCloud(Scheduler& scheduler, Dice& dice, Trace& trace, StateStore& truth,
                 SpecModel& spec);

  struct Call {
    std::string verb;
    std::string subject;  ///< Provider id, or the marker where there is none yet.
    bool mutates = false;
  };
  enum class Fate : std::uint8_t { Answered, Lost, HalfMade, Refused, Unavailable, RateLimited };

  /// A place where a process can be stopped or end.
  void point(Server& server);
  /// The same where nobody else can have the turn: within a transaction.
  void point_within(Server& server);
  /// Judges a call that is being sent.
  void sent(Server& server, const Call& call);
  /// Judges what an act has led to.
  void acted(const Call& call);
  void violation(std::string what) { trace.violation(scheduler.now(), std::move(what)); }

  /// Out of band.
  void put_strangers();
  void drift_something();
  void lose_something();
  void limit_something();
  [[nodiscard]] bool are_strangers_untouched() const;
  /// No more faults from here on.
  void calm_down();

  Scheduler& scheduler;
  Dice& dice;
  Trace& trace;
  SpecModel& spec;
  VirtualClock clock;
  FakeCloud fake;
  FakeProvider inner;
  Faults faults;
  Sabotage sabotage = Sabotage::None;
  bool outage = false;
  bool calm = false;
  std::set<std::string> in_flight;                  ///< Subjects of mutations.
  std::set<std::string> lost;                       ///< Ids of what vanished.
  std::map<ResourceAddress, int> lost_generations;  ///< The newest of an address that vanished.

 private:
  void judge_sender(const Server& server, const Call& call);
  void judge_intent(const Call& call, const ResourceAddress& address);
  void judge_subject(const Call& call);
  void judge_removal(const FakeCloud::Resource& resource);

  StateStore& truth_;
  std::vector<FakeCloud::Resource> strangers_;
  std::map<ResourceAddress, std::set<int>> made_;  ///< Generations that were made whole.
  FakeViolations counted_;
};

/// One server's connection to it.
class CloudDoor final : public Provider {
 public:
  CloudDoor(SimulatedCloud& cloud, Server& server) : cloud_(cloud), server_(server) {}

  Result<std::string> ensure_boundary(const BoundaryRequest& request,
                                      std::stop_token stop) override;
  Result<std::optional<std::string>> find_boundary(const EnvironmentUid& uid,
                                                   std::stop_token stop) override;
  Result<std::vector<FoundBoundary>> list_boundaries(std::stop_token stop) override;
  Status remove_boundary(const std::string& boundary, std::stop_token stop) override;
  Result<Observed> create(const ResourceRequest& request, std::stop_token stop) override;
  Result<std::optional<Observed>> read(const std::string& type, const std::string& boundary,
                                       const std::string& provider_id,
                                       std::stop_token stop) override;
  Result<Observed> update(const ResourceRequest& request, const std::string& provider_id,
                          const nlohmann::json& before, std::stop_token stop) override;
  Status remove(const std::string& type, const std::string& boundary,
                const std::string& provider_id, std::stop_token stop) override;
  Result<std::vector<Observed>> list(const std::string& type, const std::string& boundary,
                                     std::stop_token stop) override;
  Result<std::vector<Observed>> find(const std::string& type, const std::string& boundary,
                                     const Marker& marker, std::stop_token stop) override;
  Result<Identity> ensure_identity(const IdentityRequest& request,
                                   const std::optional<Identity>& known,
                                   std::stop_token stop) override;
  Status remove_identity(const std::string& identity, std::stop_token stop) override;
  Result<IssuedCredential> issue(const Identity& identity, const IssueRequest& request,
                                 std::stop_token stop) override;
  Status revoke(const Identity& identity, const std::string& provider_id,
                std::stop_token stop) override;
  [[nodiscard]] Result<std::map<std::string, Secret>> tool_environment(
      const Secret& material) const override;
  Result<std::vector<ProbeAttempt>> probe(const Secret& material, const ProbeTarget& target,
                                          std::stop_token stop) override;

 private:
  template <class T>
  Result<T> call(SimulatedCloud::Call call, std::stop_token stop,
                 std::function<Result<T>(Provider&)> act);
  [[nodiscard]] SimulatedCloud::Fate draw(const SimulatedCloud::Call& call);
  template <class Inputs>
  [[nodiscard]] bool refers_to_lost(const Inputs& inputs) const;

  SimulatedCloud& cloud_;
  Server& server_;
};

}  // namespace bailey::test
