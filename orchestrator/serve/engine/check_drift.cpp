#include "orchestrator/serve/engine/check_drift.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/provision/plan/drift.hpp"
#include "orchestrator/provision/plan/refresh.hpp"
#include "orchestrator/serve/engine/records.hpp"
#include "orchestrator/serve/identity/powers.hpp"

#include <algorithm>
#include <utility>

namespace bailey {

namespace {

struct Before {
  EnvironmentState state;
  std::vector<ResourceState> resources;
};

tl::unexpected<Error> busy(const std::string& environment) {
  return fail(Error(ErrorKind::Conflict, "a change is being executed in " + environment)
                  .with_hint("Look again once it has ended.")
                  .with_code("drift.busy"));
}

Result<Before> read_before(Transaction& transaction, const std::string& environment) {
  auto open = open_changes(transaction, environment);
  if (!open) return fail(std::move(open.error()));
  const bool executing = std::any_of(open->begin(), open->end(), [](const Change& change) {
    return change.state == ChangeState::Executing || change.state == ChangeState::Verifying;
  });
  if (executing) return busy(environment);
  auto state = find_environment_state(transaction, environment);
  if (!state) return fail(std::move(state.error()));
  auto resources = resources_of(transaction, environment);
  if (!resources) return fail(std::move(resources.error()));
  Before before;
  before.state.name = environment;
  if (*state) before.state = **std::move(state);
  before.resources = *std::move(resources);
  return before;
}

Result<std::vector<DriftFinding>> look(Engine& engine, const std::string& environment,
                                       const Before& before, std::stop_token stop) {
  auto bundle = engine.bundle();
  if (!bundle) return fail(std::move(bundle.error()));
  auto found = find_environment(**bundle, environment);
  if (!found) return fail(std::move(found.error()));
  auto provider = engine.provider(**bundle, **found);
  if (!provider) return fail(std::move(provider.error()));
  const auto& schema = engine.schema(**bundle, **found);
  auto refreshed = refresh(
      **provider, {before.state.uid, before.state.boundary, schema, engine.clock().wall_now()},
      before.resources, stop);
  if (!refreshed) return fail(std::move(refreshed.error()));
  return find_drift(*refreshed, before.resources, schema);
}

// A report about an earlier environment of this name says nothing about this one.
Result<DriftReport> report_of(Transaction& transaction, const EnvironmentState& state) {
  auto known = find_drift_report(transaction, state.name);
  if (!known) return fail(std::move(known.error()));
  if (*known && (*known)->environment_uid == state.uid.str()) return **std::move(known);
  DriftReport fresh;
  fresh.environment = state.name;
  fresh.environment_uid = state.uid.str();
  return fresh;
}

const DriftFinding* same_in(const std::vector<DriftFinding>& findings,
                            const DriftFinding& finding) {
  const auto found = std::find_if(findings.begin(), findings.end(),
                                  [&](const auto& other) { return other.id == finding.id; });
  return found == findings.end() ? nullptr : &*found;
}

Status log_finding(Engine& engine, Transaction& transaction, const DriftReport& report,
                   const DriftFinding& finding, const char* action) {
  constexpr std::size_t kMostDetail = 500;
  const auto detail = finding.id + ": " + describe(finding);
  auto index = append(transaction, own_entry(engine, action, "environment:" + report.environment,
                                             utf8_substr(detail, 0, kMostDetail)));
  if (!index) return fail(std::move(index.error()));
  return {};
}

Result<DriftReport> keep(Engine& engine, Transaction& transaction, const Before& before,
                         std::vector<DriftFinding> findings) {
  auto now = read_before(transaction, before.state.name);
  if (!now) return fail(std::move(now.error()));
  if (now->state.serial != before.state.serial || now->state.uid != before.state.uid) {
    return busy(before.state.name);
  }
  auto report = report_of(transaction, before.state);
  if (!report) return report;
  const auto old = std::exchange(report->findings, {});
  report->looked_at = engine.now();
  report->failed_at.clear();
  report->error.clear();
  std::erase_if(report->ignored,
                [&](const DriftDecision& decision) { return decision.until <= report->looked_at; });
  for (auto& finding : findings) {
    const auto* known = same_in(old, finding);
    finding.since = known == nullptr ? report->looked_at : known->since;
    report->findings.push_back(std::move(finding));
    if (known != nullptr) continue;
    auto logged = log_finding(engine, transaction, *report, report->findings.back(), "drift.found");
    if (!logged) return fail(std::move(logged.error()));
  }
  for (const auto& finding : old) {
    if (same_in(report->findings, finding) != nullptr) continue;
    auto logged = log_finding(engine, transaction, *report, finding, "drift.gone");
    if (!logged) return fail(std::move(logged.error()));
  }
  if (auto saved = save(transaction, *report); !saved) return fail(std::move(saved.error()));
  return report;
}

// The failure is seen where the findings are; the log gets it when it is another one than before.
void keep_failure(Engine& engine, const Before& before, const Error& error) {
  [[maybe_unused]] const auto kept =
      in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) -> Status {
        auto report = report_of(transaction, before.state);
        if (!report) return fail(std::move(report.error()));
        const bool known = report->error == error.message();
        report->failed_at = engine.now();
        report->error = error.message();
        if (auto saved = save(transaction, *report); !saved || known) return saved;
        auto entry =
            own_entry(engine, "drift.look", "environment:" + before.state.name, error.message());
        entry.outcome = Outcome::Failed;
        auto index = append(transaction, entry);
        if (!index) return fail(std::move(index.error()));
        return {};
      });
}

}  // namespace

Result<DriftReport> look_for_drift(Engine& engine, const std::string& environment,
                                   std::stop_token stop) {
  const auto frame = "looking for drift in " + environment;
  auto before = in_transaction(engine.store(), Access::Read, [&](Transaction& transaction) {
    return read_before(transaction, environment);
  });
  if (!before) return fail(std::move(before.error()).in(frame));
  auto findings = look(engine, environment, *before, stop);
  if (!findings) {
    if (!stop.stop_requested()) keep_failure(engine, *before, findings.error());
    return fail(std::move(findings.error()).in(frame));
  }
  auto report = in_transaction(engine.store(), Access::Write, [&](Transaction& transaction) {
    return keep(engine, transaction, *before, *std::move(findings));
  });
  if (!report) return fail(std::move(report.error()).in(frame));
  return report;
}

Result<Json> check_drift(Engine& engine, const Request& request, const std::string& environment,
                         std::stop_token stop) {
  const auto target = "environment:" + environment;
  return audited_read(engine, request, "drift.look", target, [&]() -> Result<Json> {
    auto bundle = engine.bundle();
    if (!bundle) return fail(std::move(bundle.error()));
    auto found = find_environment(**bundle, environment);
    if (!found) return fail(std::move(found.error()));
    auto may = require(**bundle, **found, request.caller, Power::Read);
    if (!may) return fail(std::move(may.error()));
    auto report = look_for_drift(engine, environment, stop);
    if (!report) return fail(std::move(report.error()));
    return drift_json(*report, engine.now());
  });
}

Json drift_json(const DriftReport& report, const std::string& now) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  Json findings = Json::array();
  for (const auto& finding : report.findings) {
    auto item = to_json(finding);
    item["text"] = describe(finding);
    const auto* decision = report.ignores(finding, now);
    item["ignored"] = decision == nullptr
                          ? Json()
                          : Json{{"reason", decision->reason}, {"until", decision->until}};
    findings.push_back(std::move(item));
  }
  return {{"environment", report.environment},
          {"looked_at", or_null(report.looked_at)},
          {"failed_at", or_null(report.failed_at)},
          {"error", or_null(report.error)},
          {"open", report.open(now)},
          {"findings", std::move(findings)}};
}

}  // namespace bailey
