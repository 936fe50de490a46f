#include "orchestrator/base/json.hpp"
#include "orchestrator/declare/spec/workspace.hpp"

#include <fmt/format.h>

namespace bailey::spec {

namespace {

bool is_loopback(std::string_view endpoint) {
  const auto rest = endpoint.substr(endpoint.find("://") + 3);
  auto host = rest.substr(0, rest.find_first_of("/?#"));
  if (host.starts_with('[')) return host.starts_with("[::1]");
  host = host.substr(0, host.find(':'));
  return host == "localhost" || host.starts_with("127.");
}

void check_account(Workspace& workspace, const Document& document, const Account& account) {
  if (account.endpoint.starts_with("http://") && !is_loopback(account.endpoint)) {
    workspace.report.warning("spec.plain-http", "Not encrypted",
                             "Credentials would cross the network in the clear; use \"https://\".",
                             document.at("/endpoint"));
  }
  const bool production = account.classes.contains(EnvironmentClass::Production);
  if (production && account.classes.size() > 1) {
    workspace.report.error("spec.floor.production-account", "Below the floor of production",
                           "An account of production is used by production alone.",
                           document.at("/classes"));
  }
  const auto provider = workspace.providers.find(account.provider);
  const bool cloud = provider != workspace.providers.end() && provider->second.cloud;
  if (!cloud || !account.classes.contains(EnvironmentClass::Sandbox)) return;
  if (document.is_broken("/limits")) return;
  for (const auto& [name, given] :
       {std::pair{"sandboxesPerOwner", account.limits.sandboxes_per_owner.has_value()},
        std::pair{"maximumTtl", account.limits.maximum_ttl.has_value()}}) {
    if (given) continue;
    workspace.report.error("spec.floor.sandbox-limits", "Below the floor of sandbox",
                           fmt::format("An account for sandboxes says \"limits.{}\".", name),
                           document.key_at("/limits"));
  }
}

void check_holding(Workspace& workspace, const Document& document, const std::string& text,
                   const std::string& pointer) {
  const auto at = text.find('@');
  if (at == std::string::npos) return;
  const auto what = text.substr(0, at);
  const auto where = text.substr(at + 1);
  const auto place = document.within(pointer, at + 1, where.size());
  if (what == "author") {
    if (workspace.find("Project", where) != nullptr) return;
    report_unknown(workspace, "spec.unknown-project", "Unknown project", "project", where,
                   workspace.names_of("Project"), place);
    return;
  }
  if (!parse_power(what)) return;  // check_format() has said so.
  if (parse_environment_class(where) || workspace.find("Environment", where) != nullptr) return;
  auto candidates = workspace.names_of("Environment");
  for (const auto each : all_environment_classes()) candidates.emplace_back(to_string(each));
  report_unknown(workspace, "spec.unknown-environment", "Unknown environment",
                 "class or environment", where, candidates, place);
}

void check_flows(Workspace& workspace, const Document& document) {
  const auto& flows = member(document.spec, "flows");
  for (std::size_t i = 0; i < flows.size(); ++i) {
    const auto* from = workspace.bundle.environment(string_member(flows[i], "from"));
    const auto* to = workspace.bundle.environment(string_member(flows[i], "to"));
    if (from == nullptr || to == nullptr) continue;
    const bool sandbox = from->environment_class == EnvironmentClass::Sandbox;
    if (!sandbox || to->environment_class == EnvironmentClass::Sandbox) continue;
    workspace.report.error("spec.floor.sandbox-flow", "Below the floor of sandbox",
                           "Nothing flows from a sandbox into another class.",
                           document.at(step(step("/flows", i), "from")));
  }
}

void check_exclusive(Workspace& workspace, const Document& document, std::set<std::string>& names) {
  const auto& exclusive = member(document.spec, "exclusive");
  for (std::size_t i = 0; i < exclusive.size(); ++i) {
    const auto here = step("/exclusive", i);
    const auto name = string_member(exclusive[i], "name");
    if (!name.empty() && !names.insert(name).second) {
      workspace.report.error("spec.duplicate-name", "Duplicate name",
                             fmt::format("There is a duty \"{}\" already.", name),
                             document.at(step(here, "name")));
    }
    const auto& holds = member(exclusive[i], "holds");
    for (std::size_t k = 0; k < holds.size(); ++k) {
      if (!holds[k].is_string()) continue;
      check_holding(workspace, document, holds[k].get<std::string>(), step(step(here, "holds"), k));
    }
  }
}

}  // namespace

void check_accounts(Workspace& workspace) {
  for (const auto* document : workspace.of_kind("Account")) {
    const auto account = workspace.bundle.accounts.find(document->name);
    if (account != workspace.bundle.accounts.end()) {
      check_account(workspace, *document, account->second);
    }
  }
}

void check_freezes(Workspace& workspace) {
  for (const auto* document : workspace.of_kind("Freeze")) {
    const auto found = workspace.bundle.freezes.find(document->name);
    if (found == workspace.bundle.freezes.end()) continue;
    const auto& freeze = found->second;
    const bool times = !document->is_broken("/from") && !document->is_broken("/to");
    if (times && freeze.from >= freeze.to) {
      workspace.report.error("spec.bad-period", "Bad period", "The end is not after the begin.",
                             document->at("/to"));
    }
    const bool said =
        document->node("/classes") != nullptr || document->node("/environments") != nullptr;
    if (!said && document->broken.empty()) {
      workspace.report.error("spec.missing-field", "Missing field",
                             "A freeze says \"classes\" or \"environments\".", document->at(""));
    }
  }
}

void check_duties(Workspace& workspace) {
  std::set<std::string> names;
  for (const auto* document : workspace.of_kind("Duties")) {
    check_exclusive(workspace, *document, names);
    check_flows(workspace, *document);
  }
}

}  // namespace bailey::spec
