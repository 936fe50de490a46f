#include "orchestrator/model/audit_entry.hpp"

#include "orchestrator/model/json_reader.hpp"

namespace bailey {

std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::Ok:
      return "ok";
    case Outcome::Refused:
      return "refused";
    case Outcome::Failed:
      return "failed";
  }
  return "";
}

nlohmann::json to_json(const AuditEntry& entry) {
  return {
      {"time", entry.time},     {"actor", entry.actor},     {"proof", entry.proof},
      {"action", entry.action}, {"target", entry.target},   {"outcome", to_string(entry.outcome)},
      {"detail", entry.detail}, {"request", entry.request}, {"digests", entry.digests}};
}

Result<AuditEntry> audit_entry_from_json(const nlohmann::json& value) {
  AuditEntry entry;
  JsonReader reader(value, "an audit entry");
  reader.read("time", entry.time);
  reader.read("actor", entry.actor);
  reader.read("proof", entry.proof);
  reader.read("action", entry.action);
  reader.read("target", entry.target);
  reader.read_word("outcome", {Outcome::Ok, Outcome::Refused, Outcome::Failed}, entry.outcome);
  reader.read("detail", entry.detail);
  reader.read("request", entry.request);
  reader.read("digests", entry.digests);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return entry;
}

}  // namespace bailey
