#include "orchestrator/base/clock.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/spec/template_references.hpp"
#include "orchestrator/declare/spec/workspace.hpp"

#include <fmt/format.h>

namespace bailey::spec {

namespace {

/// Checks one environment against what it names; a name that means nothing is somebody else's
/// finding, and what depends on it is left out here.
class EnvironmentCheck {
 public:
  EnvironmentCheck(Workspace& workspace, Document& document, Environment& environment)
      : workspace_(workspace),
        document_(document),
        environment_(environment),
        template_(find(workspace.bundle.templates, environment.template_name)),
        account_(find(workspace.bundle.accounts, environment.account)),
        project_(find(workspace.bundle.projects, environment.project)) {}

  void run() {
    check_account();
    check_boundary();
    if (template_ != nullptr) {
      check_parameters();
      check_roles();
      check_slots();
      if (!document_.is_broken("/parameters")) {
        check_expanded(workspace_, document_, *template_, environment_);
      }
    }
    check_credentials();
    check_sandbox_fields();
  }

 private:
  template <class Map>
  static const typename Map::mapped_type* find(const Map& map, const std::string& name) {
    const auto found = map.find(name);
    return found == map.end() ? nullptr : &found->second;
  }

  void error(const char* code, const char* summary, std::string detail, SourceRange where) {
    workspace_.report.error(code, summary, std::move(detail), std::move(where));
  }

  void check_account() {
    if (account_ == nullptr) return;
    if (template_ != nullptr && workspace_.providers.contains(template_->provider) &&
        workspace_.providers.contains(account_->provider) &&
        template_->provider != account_->provider) {
      error("spec.provider-mismatch", "Provider mismatch",
            fmt::format("The template is for \"{}\" and the account is at \"{}\".",
                        template_->provider, account_->provider),
            document_.at("/account"));
    }
    const auto* account = workspace_.find("Account", environment_.account);
    if (document_.is_broken("/class") || account->is_broken("/classes")) return;
    if (account_->classes.contains(environment_.environment_class)) return;
    error("spec.class-not-allowed", "Class not allowed",
          fmt::format("The account \"{}\" is not for environments of class \"{}\".",
                      environment_.account, to_string(environment_.environment_class)),
          document_.at("/account"));
  }

  void check_boundary() {
    if (document_.node("/boundary") == nullptr) return;
    const auto provider = account_ == nullptr ? workspace_.providers.end()
                                              : workspace_.providers.find(account_->provider);
    if (provider != workspace_.providers.end() &&
        !provider->second.environment_options.contains("/boundary")) {
      error("spec.wrong-provider", "Wrong provider",
            fmt::format("The provider \"{}\" knows nothing of this.", account_->provider),
            document_.key_at("/boundary"));
    }
    if (document_.node("/boundary/adopt") == nullptr) return;
    for (const char* field : {"/boundary/description", "/boundary/tags"}) {
      if (document_.node(field) == nullptr) continue;
      error("spec.adopted-as-it-is", "Adopted as it is",
            "What is adopted keeps its description and its tags.", document_.key_at(field));
    }
  }

  void check_parameters() {
    const auto* declared = workspace_.find("Template", environment_.template_name);
    for (auto& [name, value] : environment_.parameters) {
      const auto here = step("/parameters", name);
      const auto* parameter = find(template_->parameters, name);
      if (parameter == nullptr && declared->broken.contains("/parameters")) continue;
      if (parameter == nullptr) {
        report_unknown(workspace_, "spec.unknown-parameter", "Unknown parameter", "parameter", name,
                       keys_of(template_->parameters), document_.key_at(here));
        continue;
      }
      if (value.is_null() || declared->is_broken(step("/parameters", name))) continue;
      value = read_scalar(document_, *document_.node(here), type_of(*parameter), here,
                          workspace_.report);
      document_.spec["parameters"][name] = value;
      if (const auto fault = parameter_fault(*parameter, value)) {
        error("spec.bad-value", "Bad value",
              fmt::format("The parameter \"{}\" refuses this: {}", name, *fault),
              document_.at(here));
      }
    }
    for (const auto& [name, parameter] : template_->parameters) {
      if (parameter.default_value || environment_.parameters.contains(name)) continue;
      if (declared->is_broken(step("/parameters", name))) continue;
      error("spec.missing-parameter", "Missing parameter",
            fmt::format("The template \"{}\" needs the parameter \"{}\". {}",
                        environment_.template_name, name, parameter.description),
            document_.node("/parameters") != nullptr ? document_.key_at("/parameters")
                                                     : document_.at("/template"));
    }
  }

  static ValueType type_of(const Parameter& parameter) {
    switch (parameter.type) {
      case ParameterType::Integer:
        return ValueType::Integer;
      case ParameterType::Boolean:
        return ValueType::Boolean;
      case ParameterType::String:
        return ValueType::Text;
    }
    return ValueType::Text;
  }

  void check_role(const std::string& role, const SourceRange& where) {
    if (template_->roles.contains(role)) return;
    if (workspace_.find("Template", environment_.template_name)->broken.contains("/roles")) return;
    report_unknown(workspace_, "spec.unknown-role", "Unknown role", "role", role,
                   keys_of(template_->roles), where);
  }

  void check_roles() {
    for (const char* field : {"bindings", "grantable"}) {
      const auto& roles = member(document_.spec, field);
      for (const auto& [role, value] : roles.items()) {
        check_role(role, document_.key_at(step(std::string("/") + field, role)));
      }
    }
    for (const auto& [name, credential] : environment_.credentials) {
      if (credential.role.empty()) continue;
      check_role(credential.role, document_.at(step(step("/credentials", name), "role")));
    }
  }

  // A slot that the project does not fill could never be promoted into.
  void check_slots() {
    const auto* project = workspace_.find("Project", environment_.project);
    if (project_ == nullptr || project->is_broken("/artifacts")) return;
    for (const auto& slot : template_->artifacts) {
      if (project_->repositories.contains(slot)) continue;
      error("spec.unknown-artifact", "Unknown artifact",
            fmt::format("The template has a slot \"{}\", and the project \"{}\" has no artifact of "
                        "this name.",
                        slot, environment_.project),
            document_.at("/template"));
    }
  }

  void check_credentials() {
    for (const auto& [name, credential] : environment_.credentials) {
      if (!credential.rotate || credential.ttl.count() == 0) continue;
      if (*credential.rotate < credential.ttl) continue;
      error("spec.bad-period", "Bad period",
            "A credential is replaced before it ends: \"rotate\" is shorter than \"ttl\".",
            document_.at(step(step("/credentials", name), "rotate")));
    }
  }

  void check_sandbox_fields() {
    if (document_.is_broken("/class") ||
        environment_.environment_class == EnvironmentClass::Sandbox) {
      return;
    }
    for (const char* field : {"/owner", "/ttl"}) {
      if (document_.node(field) == nullptr) continue;
      error("spec.only-sandbox", "Only for a sandbox",
            fmt::format("An environment of class \"{}\" belongs to its project and stays.",
                        to_string(environment_.environment_class)),
            document_.key_at(field));
    }
  }

  Workspace& workspace_;
  Document& document_;
  Environment& environment_;
  const Template* template_;
  const Account* account_;
  const Project* project_;
};

}  // namespace

void check_environments(Workspace& workspace) {
  for (auto* document : workspace.of_kind("Environment")) {
    const auto found = workspace.bundle.environments.find(document->name);
    if (found == workspace.bundle.environments.end()) continue;
    EnvironmentCheck(workspace, *document, found->second).run();
  }
}

}  // namespace bailey::spec
