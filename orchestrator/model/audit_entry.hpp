#pragma once

#include "orchestrator/base/error.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <string>

namespace bailey {

enum class Outcome : std::uint8_t { Ok, Refused, Failed };

/// One act or refusal. Its RFC 8785 form is the leaf of the log: at most 65,535 bytes, no secret,
/// digests instead of large things.
struct AuditEntry {
  std::string time;    ///< RFC 3339.
  std::string actor;   ///< Subject, `anonymous`, or `bailey` for what it does of itself.
  std::string proof;   ///< How the actor was known: `token:<id>`, `none`, `self`.
  std::string action;  ///< Dotted verb: `change.approve`, `credential.lease`, `http.refuse`.
  std::string target;  ///< What it was done to: `environment:payments-dev`, `change:chg-...`.
  Outcome outcome = Outcome::Ok;
  std::string detail;   ///< One line for people.
  std::string request;  ///< Request id; empty for background work.
  std::map<std::string, std::string> digests;
  bool operator==(const AuditEntry&) const = default;
};

[[nodiscard]] std::string_view to_string(Outcome outcome) noexcept;
[[nodiscard]] nlohmann::json to_json(const AuditEntry& entry);
[[nodiscard]] Result<AuditEntry> audit_entry_from_json(const nlohmann::json& value);

}  // namespace bailey
