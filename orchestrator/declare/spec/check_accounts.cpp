#include "orchestrator/base/json.hpp"
#include "orchestrator/declare/spec/workspace.hpp"

#include <fmt/format.h>

namespace bailey::spec {

namespace {

void check_endpoint(Workspace& workspace, const Document& document, const Account& account,
                    const ProviderSchema& provider) {
  if (account.endpoint.empty()) {
    if (provider.endpoint_in_credential || document.is_broken("/endpoint")) return;
    workspace.report.error(
        "spec.missing-field", "Missing field",
        fmt::format("An account at \"{}\" needs the field \"endpoint\".", account.provider),
        document.at(""));
  } else if (!document.is_broken("/endpoint") && crosses_in_clear(account.endpoint)) {
    workspace.report.error("spec.plain-http", "Not encrypted",
                           "Credentials would cross the network in the clear; use \"https://\".",
                           document.at("/endpoint"));
  }
}

void check_options(Workspace& workspace, const Document& document, const ProviderSchema& provider) {
  for (const char* option : {"/interface", "/caFile", "/domains", "/credential/cloud"}) {
    if (document.node(option) == nullptr || provider.account_options.contains(option)) continue;
    workspace.report.error("spec.wrong-provider", "Wrong provider",
                           fmt::format("The provider \"{}\" knows nothing of this.", provider.name),
                           document.key_at(option));
  }
}

/// Where some classes have a domain, the others would end up wherever the login happens to be.
void check_domains(Workspace& workspace, const Document& document, const Account& account) {
  if (document.node("/domains") == nullptr) return;
  if (document.is_broken("/domains") || document.is_broken("/classes")) return;
  for (const auto each : account.classes) {
    if (account.domains.contains(each)) continue;
    workspace.report.error(
        "spec.missing-domain", "Missing domain",
        fmt::format("The account is for environments of class \"{}\", and no domain is named for "
                    "them.",
                    to_string(each)),
        document.key_at("/domains"));
  }
  for (const auto& [each, name] : account.domains) {
    if (account.classes.contains(each)) continue;
    workspace.report.error(
        "spec.class-not-allowed", "Class not allowed",
        fmt::format("The account is not for environments of class \"{}\".", to_string(each)),
        document.key_at(step("/domains", to_string(each))));
  }
}

void check_account(Workspace& workspace, const Document& document, const Account& account) {
  const bool production = account.classes.contains(EnvironmentClass::Production);
  if (production && account.classes.size() > 1) {
    workspace.report.error("spec.floor.production-account", "Below the floor of production",
                           "An account of production is used by production alone.",
                           document.at("/classes"));
  }
  check_domains(workspace, document, account);
  const auto provider = workspace.providers.find(account.provider);
  if (provider == workspace.providers.end()) return;
  check_endpoint(workspace, document, account, provider->second);
  check_options(workspace, document, provider->second);
  if (!provider->second.cloud || !account.classes.contains(EnvironmentClass::Sandbox)) return;
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
