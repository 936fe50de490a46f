#include "orchestrator/base/clock.hpp"
#include "orchestrator/declare/spec/workspace.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace bailey::spec {

namespace {

constexpr const char* kAuthorship = "urn:bailey:authorship:v1";

class FloorCheck {
 public:
  FloorCheck(Workspace& workspace, const Document& document, const Environment& environment)
      : workspace_(workspace), document_(document), environment_(environment) {}

  void run() {
    switch (environment_.environment_class) {
      case EnvironmentClass::Sandbox:
        sandbox();
        return;
      case EnvironmentClass::Development:
        return;
      case EnvironmentClass::Test:
        verified("spec.floor.test-verified");
        return;
      case EnvironmentClass::Staging:
        verified("spec.floor.staging-verified");
        approvals("spec.floor.staging-approvals", 1);
        rollback();
        return;
      case EnvironmentClass::Production:
        production();
        return;
    }
  }

 private:
  void below(const char* code, std::string detail, SourceRange where) {
    const char* summary = "";
    switch (environment_.environment_class) {
      case EnvironmentClass::Sandbox:
        summary = "Below the floor of sandbox";
        break;
      case EnvironmentClass::Development:
        summary = "Below the floor of development";
        break;
      case EnvironmentClass::Test:
        summary = "Below the floor of test";
        break;
      case EnvironmentClass::Staging:
        summary = "Below the floor of staging";
        break;
      case EnvironmentClass::Production:
        summary = "Below the floor of production";
        break;
    }
    workspace_.report.error(code, summary, std::move(detail), std::move(where));
  }

  // What is missing from a gate is shown at the gate, or at the class that asks for it.
  [[nodiscard]] SourceRange gate() const {
    return document_.node("/gate") != nullptr ? document_.key_at("/gate") : document_.at("/class");
  }

  void sandbox() {
    if (!environment_.owner && !document_.is_broken("/owner")) {
      below("spec.floor.sandbox-owner", "A sandbox belongs to a person: say \"owner\".",
            document_.at("/class"));
    }
    if (document_.node("/boundary/adopt") != nullptr) {
      below("spec.floor.sandbox-adopt",
            "A sandbox ends with everything in it, and its making asks nobody: it takes nothing "
            "over that was there before.",
            document_.key_at("/boundary/adopt"));
    }
    if (document_.is_broken("/ttl")) return;
    if (!environment_.ttl) {
      below("spec.floor.sandbox-ttl", "A sandbox ends: say \"ttl\", such as \"8h\".",
            document_.at("/class"));
      return;
    }
    const auto account = workspace_.bundle.accounts.find(environment_.account);
    if (account == workspace_.bundle.accounts.end()) return;
    const auto& maximum = account->second.limits.maximum_ttl;
    if (!maximum || *environment_.ttl <= *maximum) return;
    below("spec.floor.sandbox-ttl",
          fmt::format("Sandboxes on the account \"{}\" live at most {}.", environment_.account,
                      format_duration(*maximum)),
          document_.at("/ttl"));
  }

  void verified(const char* code) {
    if (document_.is_broken("/gate")) return;
    const auto project = workspace_.bundle.projects.find(environment_.project);
    if (project == workspace_.bundle.projects.end()) return;
    if (workspace_.find("Project", environment_.project)->is_broken("/stages")) return;
    const auto after = project->second.after.find(environment_.name);
    if (after == project->second.after.end()) {
      below(code,
            fmt::format("An environment of class \"{}\" is a stage of its project, so that what "
                        "comes into it was verified before.",
                        to_string(environment_.environment_class)),
            document_.at("/project"));
      return;
    }
    if (after->second.empty()) {
      below(code,
            fmt::format("An environment of class \"{}\" cannot be the first stage: nothing was "
                        "verified before it.",
                        to_string(environment_.environment_class)),
            document_.at("/class"));
      return;
    }
    for (const auto& condition : environment_.gate) {
      const auto* verified = std::get_if<VerifiedCondition>(&condition);
      if (verified == nullptr) continue;
      // An unknown stage is a finding of its own.
      if (workspace_.bundle.environment(verified->in) == nullptr) return;
      const auto& before = after->second;
      if (std::find(before.begin(), before.end(), verified->in) != before.end()) return;
    }
    below(code,
          fmt::format("The gate must ask for \"verified: {{in: {}}}\".", after->second.front()),
          gate());
  }

  void approvals(const char* code, int needed) {
    if (document_.is_broken("/gate")) return;
    for (const auto& condition : environment_.gate) {
      const auto* approvals = std::get_if<ApprovalsCondition>(&condition);
      if (approvals == nullptr) continue;
      int total = 0;
      for (const auto& rule : approvals->rules) total += rule.count;
      if (total >= needed) return;
    }
    below(code,
          needed == 1
              ? std::string("The gate must ask for the approval of at least one person.")
              : fmt::format("The gate must ask, in one \"approvals\", for at least {} different "
                            "people.",
                            needed),
          gate());
  }

  /// What it leads to has passed the whole gate before; that nobody does it alone remains.
  void rollback() {
    const auto& gate = environment_.rollback.gate;
    if (!gate || document_.is_broken("/rollback")) return;
    const bool asks = std::any_of(gate->begin(), gate->end(), [](const Condition& condition) {
      const auto* approvals = std::get_if<ApprovalsCondition>(&condition);
      return approvals != nullptr && !approvals->rules.empty();
    });
    if (asks) return;
    below("spec.floor.rollback-approval",
          "A gate for rollbacks must ask for the approval of at least one person.",
          document_.key_at("/rollback/gate"));
  }

  void authorship() {
    if (document_.is_broken("/gate")) return;
    for (const auto& condition : environment_.gate) {
      const auto* evidence = std::get_if<EvidenceCondition>(&condition);
      if (evidence != nullptr && evidence->predicate_type == kAuthorship) return;
    }
    below(
        "spec.floor.production-authorship",
        fmt::format("The gate must ask for evidence of authorship: \"evidence: {{type: \\\"{}\\\", "
                    "signedBy: [...]}}\".",
                    kAuthorship),
        gate());
  }

  void production() {
    verified("spec.floor.production-verified");
    authorship();
    approvals("spec.floor.production-approvals", 2);
    rollback();
    const auto account = workspace_.bundle.accounts.find(environment_.account);
    if (account != workspace_.bundle.accounts.end() &&
        account->second.classes.contains(EnvironmentClass::Production) &&
        account->second.classes.size() > 1) {
      below(
          "spec.floor.production-account",
          fmt::format("The account \"{}\" is used by other classes as well.", environment_.account),
          document_.at("/account"));
    }
    standing_operators();
  }

  void standing_operators() {
    const auto of = workspace_.bundle.templates.find(environment_.template_name);
    if (of == workspace_.bundle.templates.end()) return;
    for (const auto& [role, subjects] : environment_.bindings) {
      const auto declared = of->second.roles.find(role);
      if (declared == of->second.roles.end()) continue;
      if (!declared->second.powers.contains(Power::Operate)) continue;
      below("spec.floor.production-operate",
            fmt::format("The role \"{}\" has the power \"operate\", which nobody holds standing in "
                        "production. Make it \"grantable\" instead.",
                        role),
            document_.key_at(step("/bindings", role)));
    }
  }

  Workspace& workspace_;
  const Document& document_;
  const Environment& environment_;
};

void check_sandboxes_per_owner(Workspace& workspace) {
  std::map<std::pair<std::string, std::string>, int> counts;
  for (const auto* document : workspace.of_kind("Environment")) {
    const auto* environment = workspace.bundle.environment(document->name);
    if (environment == nullptr || !environment->owner ||
        environment->environment_class != EnvironmentClass::Sandbox) {
      continue;
    }
    const auto account = workspace.bundle.accounts.find(environment->account);
    if (account == workspace.bundle.accounts.end()) continue;
    const auto& limit = account->second.limits.sandboxes_per_owner;
    const int count = ++counts[{environment->account, *environment->owner}];
    if (!limit || count <= *limit) continue;
    workspace.report.error("spec.floor.sandboxes-per-owner", "Below the floor of sandbox",
                           fmt::format("On the account \"{}\" one person has at most {} of them.",
                                       environment->account, *limit),
                           document->at("/owner"));
  }
}

/// One wall around two environments is none. What two accounts call by different names is found by
/// the owner's mark, at the provider.
void check_adoptions(Workspace& workspace) {
  std::map<std::vector<std::string>, std::string> adopters;
  for (const auto* document : workspace.of_kind("Environment")) {
    const auto* environment = workspace.bundle.environment(document->name);
    if (environment == nullptr || environment->boundary.adopt.empty()) continue;
    const auto account = workspace.bundle.accounts.find(environment->account);
    if (account == workspace.bundle.accounts.end()) continue;
    const auto& of = account->second;
    const auto domain = of.domains.find(environment->environment_class);
    const auto [at, first] = adopters.try_emplace(
        {of.provider, of.endpoint, of.endpoint.empty() ? of.name : std::string(),
         domain == of.domains.end() ? std::string() : domain->second, environment->boundary.adopt},
        environment->name);
    if (first) continue;
    workspace.report.error(
        "spec.duplicate-adoption", "Adopted twice",
        fmt::format("The environment \"{}\" adopts this already, and each environment has a "
                    "boundary of its own.",
                    at->second),
        document->at("/boundary/adopt"));
  }
}

}  // namespace

void check_floors(Workspace& workspace) {
  for (const auto* document : workspace.of_kind("Environment")) {
    const auto* environment = workspace.bundle.environment(document->name);
    if (environment == nullptr || document->is_broken("/class")) continue;
    FloorCheck(workspace, *document, *environment).run();
  }
  check_sandboxes_per_owner(workspace);
  check_adoptions(workspace);
}

}  // namespace bailey::spec
