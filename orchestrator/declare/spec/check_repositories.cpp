#include "orchestrator/declare/spec/workspace.hpp"

#include <fmt/format.h>

#include <map>

namespace bailey::spec {

namespace {

// The host of an address, and that of a repository, as they are written.
std::string_view host_of_address(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  return url.substr(0, url.find('/'));
}

std::string_view host_of_repository(std::string_view repository) {
  return repository.substr(0, repository.find('/'));
}

/// A place in a document that names an account for a repository.
struct Use {
  const Document& document;
  std::string pointer;  ///< Of the object with `account` and `repository`.
  const std::string& account;
  const std::string& repository;
};

/// The account, when it is a registry's and the one that this repository is in.
const Account* check_account(Workspace& workspace, const Use& use) {
  const auto account = workspace.bundle.accounts.find(use.account);
  if (account == workspace.bundle.accounts.end()) return nullptr;
  const auto& [name, found] = *account;
  const auto provider = workspace.providers.find(found.provider);
  if (provider == workspace.providers.end()) return nullptr;
  if (provider->second.cloud) {
    workspace.report.error(
        "spec.wrong-provider", "Wrong provider",
        fmt::format("The account \"{}\" is at \"{}\", which is no registry.", name, found.provider),
        use.document.at(step(use.pointer, "account")));
    return nullptr;
  }
  // A credential goes to the registry that the account is of, and nowhere else.
  const auto host = host_of_address(found.endpoint);
  if (!host.empty() && !use.repository.empty() && host_of_repository(use.repository) != host) {
    workspace.report.error("spec.wrong-registry", "Wrong registry",
                           fmt::format("The account \"{}\" is one of the registry {}.", name, host),
                           use.document.at(step(use.pointer, "repository")));
  }
  return &found;
}

/// Whoever may write into one of two that are the same writes into both.
class Owners {
 public:
  explicit Owners(Workspace& workspace) : workspace_(workspace) {}

  void add(const std::string& repository, std::string owner, const SourceRange& where) {
    if (repository.empty()) return;
    const auto [known, fresh] = owners_.emplace(repository, std::move(owner));
    if (fresh) return;
    workspace_.report.error(
        "spec.shared-repository", "Shared repository",
        fmt::format("This is the repository of {} already; a stage has one of its own, into which "
                    "Bailey alone writes.",
                    known->second),
        where);
  }

 private:
  Workspace& workspace_;
  std::map<std::string, std::string> owners_;
};

void check_project(Workspace& workspace, const Document& document, const Project& project) {
  for (const auto& [slot, account] : project.accounts) {
    const auto here = step("/artifacts", slot);
    const auto* found =
        check_account(workspace, {document, here, account, project.repositories.at(slot)});
    if (found == nullptr || !found->classes.contains(EnvironmentClass::Production)) continue;
    workspace.report.error("spec.floor.production-account", "Below the floor of production",
                           "An account of production is used by production alone, and every stage "
                           "reads from here.",
                           document.at(step(here, "account")));
  }
}

void check_environment(Workspace& workspace, const Document& document,
                       const Environment& environment, const Project* project, Owners& owners) {
  for (const auto& [slot, use] : environment.repositories) {
    const auto here = step("/repositories", slot);
    if (project != nullptr && !project->repositories.contains(slot)) {
      report_unknown(workspace, "spec.unknown-artifact", "Unknown artifact", "artifact", slot,
                     keys_of(project->repositories), document.key_at(here));
    }
    owners.add(use.repository, fmt::format("the environment \"{}\"", environment.name),
               document.at(step(here, "repository")));
    const auto* account = check_account(workspace, {document, here, use.account, use.repository});
    const auto* declared = workspace.find("Account", use.account);
    if (account == nullptr || document.is_broken("/class") || declared->is_broken("/classes") ||
        account->classes.contains(environment.environment_class)) {
      continue;
    }
    workspace.report.error(
        "spec.class-not-allowed", "Class not allowed",
        fmt::format("The account \"{}\" is not for environments of class \"{}\".", use.account,
                    to_string(environment.environment_class)),
        document.at(step(here, "account")));
  }
}

}  // namespace

void check_repositories(Workspace& workspace) {
  Owners owners(workspace);
  for (const auto* document : workspace.of_kind("Project")) {
    const auto project = workspace.bundle.projects.find(document->name);
    if (project == workspace.bundle.projects.end()) continue;
    check_project(workspace, *document, project->second);
  }
  // Two projects may build from one repository: only what is a stage's must be nobody else's.
  std::map<std::string, std::string> sources;
  for (const auto& [name, project] : workspace.bundle.projects) {
    for (const auto& [slot, repository] : project.repositories) sources[repository] = name;
  }
  for (const auto& [repository, name] : sources) {
    owners.add(repository, fmt::format("the project \"{}\"", name), {});
  }
  for (const auto* document : workspace.of_kind("Environment")) {
    const auto* environment = workspace.bundle.environment(document->name);
    if (environment == nullptr) continue;
    const auto project = workspace.bundle.projects.find(environment->project);
    check_environment(workspace, *document, *environment,
                      project == workspace.bundle.projects.end() ? nullptr : &project->second,
                      owners);
  }
}

}  // namespace bailey::spec
