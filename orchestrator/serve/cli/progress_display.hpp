#pragma once

#include "orchestrator/serve/cli/foot.hpp"
#include "orchestrator/serve/cli/terminal.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bailey {

/// Tells what is new about changes, each thing once, from one look at them to the next. Pure.
class Narrator {
 public:
  /// On a terminal the foot shows what a change is at, and only ends of operations are told.
  /// Elsewhere each stage is a line too, ends say how many there were, and nothing is coloured.
  Narrator(bool live, Look look) : live_(live), look_(look) {}
  void adapt(Look look) { look_ = look; }
  [[nodiscard]] std::vector<std::string> news(const nlohmann::json& change);

 private:
  [[nodiscard]] std::string stage_news(const nlohmann::json& change);

  bool live_;
  Look look_;
  std::map<std::string, std::string> stages_;
  std::map<std::string, std::set<std::string>> told_;  ///< Operations that ended, by change.
};

/// Shows changes while they are followed, on stderr: a live foot on a terminal, lines elsewhere.
class ProgressDisplay {
 public:
  ProgressDisplay();
  /// What is new of each is told; those that are open are drawn.
  void show(const std::vector<nlohmann::json>& changes);
  /// Something that is no part of any change, once.
  void say(const std::string& text);
  /// Takes the foot away, so that others can write.
  void pause() { foot_.clear(); }

 private:
  void draw(const std::vector<std::string>& above, const std::vector<nlohmann::json>& open);

  bool live_;
  Narrator narrator_;
  Foot foot_;
};

/// No longer on its way: done, failed, rejected, expired, superseded, cancelled or rolled back.
[[nodiscard]] bool has_ended(const nlohmann::json& change);

}  // namespace bailey
