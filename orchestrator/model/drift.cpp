#include "orchestrator/model/drift.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/model/json_reader.hpp"

#include <algorithm>

namespace bailey {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kLongestValue = 120;

// Escaped to ASCII: what is read must not be reordered or hidden by what it says.
std::string shown(const Json& value) {
  if (value.is_null()) return "(none)";
  auto text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kLongestValue) text = text.substr(0, kLongestValue) + "...";
  return text;
}

Json content_of(const DriftFinding& finding) {
  return {
      {"kind", to_string(finding.kind)},    {"address", finding.address}, {"type", finding.type},
      {"provider_id", finding.provider_id}, {"name", finding.name},       {"field", finding.field},
      {"before", finding.before},           {"after", finding.after}};
}

}  // namespace

void identify(DriftFinding& finding) {
  constexpr std::size_t kCharacters = 12;
  const auto hash = sha256(content_of(finding).dump(-1, ' ', true));
  finding.id = "drift-" + base32_lower(bytes_of(hash)).substr(0, kCharacters);
}

std::string describe(const DriftFinding& finding) {
  const auto thing = finding.type + " " + finding.provider_id +
                     (finding.name.empty() ? "" : " (" + shown(finding.name) + ")");
  switch (finding.kind) {
    case DriftKind::Changed:
      return finding.address + " " + finding.field + ": " + shown(finding.before) + " -> " +
             shown(finding.after);
    case DriftKind::Gone:
      return finding.address + " is gone (" + thing + ")";
    case DriftKind::Unrecorded:
      return finding.address + " is in no record, or half made (" + thing + ")";
    case DriftKind::Unmanaged:
      return thing + " was not made by bailey";
    case DriftKind::Foreign:
      return thing + " bears the mark of another environment";
  }
  return thing;
}

const DriftDecision* DriftReport::ignores(const DriftFinding& finding, std::string_view now) const {
  const auto found = std::find_if(ignored.begin(), ignored.end(), [&](const auto& decision) {
    return decision.finding.id == finding.id && decision.until > now;
  });
  return found == ignored.end() ? nullptr : &*found;
}

std::size_t DriftReport::open(std::string_view now) const {
  return static_cast<std::size_t>(
      std::count_if(findings.begin(), findings.end(),
                    [&](const auto& finding) { return ignores(finding, now) == nullptr; }));
}

std::string_view to_string(DriftKind kind) noexcept {
  switch (kind) {
    case DriftKind::Changed:
      return "changed";
    case DriftKind::Gone:
      return "gone";
    case DriftKind::Unrecorded:
      return "unrecorded";
    case DriftKind::Unmanaged:
      return "unmanaged";
    case DriftKind::Foreign:
      return "foreign";
  }
  return "";
}

std::string_view to_string(DriftAction action) noexcept {
  switch (action) {
    case DriftAction::Accept:
      return "accept";
    case DriftAction::Restore:
      return "restore";
    case DriftAction::Ignore:
      return "ignore";
  }
  return "";
}

Json to_json(const DriftFinding& finding) {
  Json value = content_of(finding);
  value["id"] = finding.id;
  value["since"] = finding.since;
  return value;
}

Json to_json(const DriftDecision& decision) {
  return {{"action", to_string(decision.action)},
          {"finding", to_json(decision.finding)},
          {"reason", decision.reason},
          {"until", decision.until}};
}

Json to_json(const DriftReport& report) {
  Json findings = Json::array();
  for (const auto& finding : report.findings) findings.push_back(to_json(finding));
  Json ignored = Json::array();
  for (const auto& decision : report.ignored) ignored.push_back(to_json(decision));
  return {{"environment", report.environment},
          {"environment_uid", report.environment_uid},
          {"looked_at", report.looked_at},
          {"failed_at", report.failed_at},
          {"error", report.error},
          {"findings", std::move(findings)},
          {"ignored", std::move(ignored)}};
}

Result<DriftFinding> drift_finding_from_json(const Json& value) {
  DriftFinding finding;
  JsonReader reader(value, "a finding of drift");
  reader.read("id", finding.id);
  reader.read_word("kind",
                   {DriftKind::Changed, DriftKind::Gone, DriftKind::Unrecorded,
                    DriftKind::Unmanaged, DriftKind::Foreign},
                   finding.kind);
  reader.read("address", finding.address);
  reader.read("type", finding.type);
  reader.read("provider_id", finding.provider_id);
  reader.read("name", finding.name);
  reader.read("field", finding.field);
  reader.read("before", finding.before);
  reader.read("after", finding.after);
  reader.read("since", finding.since);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return finding;
}

Result<DriftDecision> drift_decision_from_json(const Json& value) {
  DriftDecision decision;
  JsonReader reader(value, "a decision about drift");
  reader.read_word("action", {DriftAction::Accept, DriftAction::Restore, DriftAction::Ignore},
                   decision.action);
  if (auto finding = drift_finding_from_json(reader.at("finding"))) {
    decision.finding = *std::move(finding);
  } else {
    reader.adopt("finding", std::move(finding.error()));
  }
  reader.read("reason", decision.reason);
  reader.read("until", decision.until);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return decision;
}

Result<DriftReport> drift_report_from_json(const Json& value) {
  DriftReport report;
  JsonReader reader(value, "a report of drift");
  reader.read("environment", report.environment);
  reader.read("environment_uid", report.environment_uid);
  reader.read("looked_at", report.looked_at);
  reader.read("failed_at", report.failed_at);
  reader.read("error", report.error);
  reader.read_list("findings", report.findings, drift_finding_from_json);
  reader.read_list("ignored", report.ignored, drift_decision_from_json);
  if (auto read = reader.finish(); !read) return fail(std::move(read.error()));
  return report;
}

}  // namespace bailey
