#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/random.hpp"
#include "providers/devcloud/state_file.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bailey::devcloud {

struct CloudSettings {
  /// A new object is not shown by reads for this long, as in a cloud with replicas (Keystone's
  /// are shown at once).
  std::chrono::milliseconds visibility_delay{0};
  /// From asking for a server to its being ACTIVE.
  std::chrono::milliseconds build_delay{300};
};

/// Everything that the embedded cloud knows: JSON objects by kind (`network.port`) and id. Members
/// that begin with `_` are the cloud's own and are never shown.
///
/// A request runs alone, between begin() and commit() or roll_back(): what it changed is written to
/// the state file in one transaction, or undone as a whole. Pointers stay good until their object
/// is erased. Not thread-safe by itself: the router holds `mutex()` around each request.
class Cloud {
 public:
  /// How a request sees new objects: reads may not be shown them yet.
  enum class Sight : std::uint8_t { Everything, WhatIsVisible };

  Cloud(Clock& clock, Random& random, CloudSettings settings,
        std::unique_ptr<StateFile> file = nullptr);
  ~Cloud();

  /// Reads the state file; to be called once, before anything else.
  [[nodiscard]] Status load();

  /// The object, or null.
  [[nodiscard]] const Json* find(std::string_view kind, std::string_view id) const;
  /// All of a kind, oldest first.
  [[nodiscard]] std::vector<const Json*> all(std::string_view kind) const;
  /// Those whose string member `field` is `value`, oldest first. Indexed on first use, so that it
  /// costs what it finds.
  [[nodiscard]] std::vector<const Json*> where(std::string_view kind, std::string_view field,
                                               std::string_view value) const;
  /// The first of where(), or null.
  [[nodiscard]] const Json* find_by(std::string_view kind, std::string_view field,
                                    std::string_view value) const;

  [[nodiscard]] const Json* oldest(std::string_view kind) const;

  /// Creates or replaces. The returned object stays good until it is erased.
  const Json& put(std::string_view kind, std::string_view id, Json body);
  /// put() under the object's own `id`.
  const Json& put(std::string_view kind, Json body);
  bool erase(std::string_view kind, std::string_view id);
  /// Erases everything that where() finds.
  void erase_where(std::string_view kind, std::string_view field, std::string_view value);

  [[nodiscard]] std::mutex& mutex() noexcept { return mutex_; }
  void begin(Sight sight);
  [[nodiscard]] Status commit();
  void roll_back();
  /// For work on the side of a read that must not mistake "not shown yet" for "not there".
  Sight look(Sight sight) noexcept { return std::exchange(sight_, sight); }

  [[nodiscard]] Clock& clock() const noexcept { return clock_; }
  [[nodiscard]] Random& random() const noexcept { return random_; }
  [[nodiscard]] const CloudSettings& settings() const noexcept { return settings_; }

  /// 32 hex digits, as Keystone's ids.
  [[nodiscard]] std::string new_hex_id();
  /// With dashes, as everybody else's.
  [[nodiscard]] std::string new_uuid();

  /// `http://127.0.0.1:5000`, without a path.
  [[nodiscard]] const std::string& base_url() const noexcept { return base_url_; }
  void set_base_url(std::string url) { base_url_ = std::move(url); }

  /// Encrypts under the key beside the state file, for what must not lie there in plain.
  [[nodiscard]] std::string seal(std::string_view plain);
  [[nodiscard]] std::optional<std::string> unseal(std::string_view sealed) const;

 private:
  struct Record;
  struct Kind;
  struct Undo;

  [[nodiscard]] bool visible(const Record& record) const;
  Kind& kind_of(std::string_view kind);
  void restore(const Undo& undo);

  Clock& clock_;
  Random& random_;
  CloudSettings settings_;
  std::unique_ptr<StateFile> file_;
  std::string key_;
  std::string base_url_ = "http://127.0.0.1:5000";
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Kind>, std::less<>> kinds_;
  std::vector<Undo> undo_;
  std::uint64_t next_sequence_ = 1;
  Sight sight_ = Sight::Everything;
  bool in_request_ = false;
};

/// `2026-11-24T04:32:59.000000Z`, as Keystone writes times.
[[nodiscard]] std::string time_in_microseconds(WallTime time);
/// `2026-11-24T04:32:59Z`, as Neutron, Nova and Glance do.
[[nodiscard]] std::string time_in_seconds(WallTime time);

}  // namespace bailey::devcloud
