#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/provision/provider/provider.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace bailey::test {

/// `network` (cidr replaces), `security-group` (ingress unordered), `secret` (generate cannot be
/// read back and replaces) and `server` (network and image replace; flavor, securityGroups and
/// metadata can change).
[[nodiscard]] ProviderSchema fake_provider_schema(
    std::chrono::seconds visibility_grace = std::chrono::seconds(5));

inline constexpr std::chrono::seconds kFakeRetryAfter{17};

/// What goes wrong at one call.
enum class FakeFault : std::uint8_t {
  Refuse,       ///< A final no, before anything happened.
  FailBefore,   ///< Unavailable, before anything happened.
  RateLimit,    ///< Asked to come again after kFakeRetryAfter, before anything happened.
  LoseAnswer,   ///< It happened; Timeout.
  NotShown,     ///< It happened, and does not show yet; NotFound.
  HalfMade,     ///< A create makes half a resource; Timeout. Other calls: as LoseAnswer.
  CrashBefore,  ///< We die before it was sent: this call and all later ones are Cancelled.
  CrashAfter,   ///< It happened; we die.
};

/// What must never happen, counted.
struct FakeViolations {
  int created_twice = 0;   ///< A create for a marker that stands, or again without a look-up.
  int removed_in_use = 0;  ///< A removal of what something else refers to (it is refused as well).
  int dangling = 0;        ///< Inputs refer to something that is not there (refused as well).
  int overlapping = 0;     ///< Two mutations of one resource at once.
  [[nodiscard]] int total() const {
    return created_twice + removed_in_use + dangling + overlapping;
  }
};

/// The far side: what stands there. It outlives any provider object, so that a test can let one die
/// and open the next. Thread-safe.
class FakeCloud {
 public:
  struct Resource {
    std::string type;
    std::string id;
    std::string boundary;
    std::optional<Marker> marker;
    nlohmann::json inputs;
    nlohmann::json attributes;
    std::string name;
    bool complete = true;
    WallTime visible_at{};
  };

  /// Puts something there behind our back: unmanaged without a marker.
  std::string plant(const std::string& type, const std::string& boundary,
                    const std::optional<Marker>& marker, nlohmann::json inputs);
  /// Changes one field of what stands, or takes it away: drift.
  void drift(const std::string& id, const std::string& field, nlohmann::json value);
  void vanish(const std::string& id);

  [[nodiscard]] std::vector<Resource> resources() const;
  /// The one with this marker.
  [[nodiscard]] std::optional<Resource> with_marker(const Marker& marker) const;
  [[nodiscard]] std::optional<Resource> with_id(const std::string& id) const;
  /// What stands, by marker, with ids replaced by markers: equal for equal ends of different runs.
  [[nodiscard]] nlohmann::json snapshot() const;
  /// How many resources there are beyond one for each marker.
  [[nodiscard]] int duplicates() const;
  [[nodiscard]] FakeViolations violations() const;
  [[nodiscard]] std::vector<std::string> boundaries() const;
  [[nodiscard]] std::set<std::string> live_credentials() const;

  /// Time that a resource made from now on is hidden from list() and find().
  void set_visibility_delay(std::chrono::milliseconds delay);
  /// From read() as well.
  void set_hides_reads(bool hides);
  /// QuotaExceeded from then on.
  void set_quota(const std::string& type, std::size_t most);

 private:
  friend class FakeProvider;

  mutable std::mutex mutex_;
  std::map<std::string, Resource> resources_;           ///< By id.
  std::map<std::string, std::string> boundary_of_uid_;  ///< Uid to boundary.
  std::map<std::string, std::string> name_of_uid_;      ///< Uid to environment.
  std::map<std::string, std::size_t> quotas_;
  std::map<std::string, int> made_;  ///< Marker to how often; tells ids apart.
  std::set<std::string> unsettled_;  ///< Markers of creates since which nobody looked.
  std::set<std::string> busy_;
  std::set<std::string> credentials_;
  std::set<std::string> identities_;
  std::chrono::milliseconds visibility_delay_{0};
  bool hides_reads_ = false;
  FakeViolations violations_;
  int planted_ = 0;
};

/// A provider in memory. The n-th call can be made to fail; calls are counted over all kinds.
class FakeProvider final : public Provider {
 public:
  FakeProvider(FakeCloud& cloud, Clock& clock) : cloud_(cloud), clock_(clock) {}

  /// The n-th call from now (1 is the next) goes wrong.
  void fail_call(int nth, FakeFault fault);
  /// Every mutation of this type is refused until called again with false.
  void refuse_type(const std::string& type, bool refuse = true);
  /// True once the fault was met.
  [[nodiscard]] bool fired() const;
  [[nodiscard]] int calls() const;
  /// Calls by name: `create`, `read`, `list` and so on.
  [[nodiscard]] std::map<std::string, int> calls_by_name() const;
  [[nodiscard]] int most_in_flight() const;
  /// Each mutation really takes this long, on its own thread.
  void set_latency(std::chrono::microseconds latency);
  /// A create takes this long on the clock, before it acts.
  void set_create_time(std::chrono::milliseconds time);

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
  class Call;
  friend class Call;

  Result<Observed> make(const ResourceRequest& request, bool complete);
  [[nodiscard]] Status check_references(const nlohmann::json& inputs, const std::string& type);
  [[nodiscard]] Observed show(const FakeCloud::Resource& resource) const;
  [[nodiscard]] bool is_hidden(const FakeCloud::Resource& resource) const;

  FakeCloud& cloud_;
  Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, int> by_name_;
  std::set<std::string> refused_types_;
  int calls_ = 0;
  int fault_at_ = 0;
  FakeFault fault_ = FakeFault::Refuse;
  bool fired_ = false;
  bool dead_ = false;
  int in_flight_ = 0;
  int most_in_flight_ = 0;
  std::chrono::microseconds latency_{0};
  std::chrono::milliseconds create_time_{0};
};

}  // namespace bailey::test
