#include "orchestrator/model/bundle.hpp"

#include "orchestrator/base/digest.hpp"

namespace bailey {

namespace {

using Json = nlohmann::json;

const Json& null_json() {
  static const Json kNull;
  return kNull;
}

// What an environment says about resources rather than about who decides.
constexpr const char* kProvisionFields[] = {"parameters", "template"};

Json decisive_part(const Json& document) {
  const auto& kind = document.at("kind");
  Json spec = document.at("spec");
  if (kind == "Environment") {
    for (const char* field : kProvisionFields) spec.erase(field);
  } else if (kind == "Template") {
    spec = Json{{"roles", spec.value("roles", Json::object())}};
  }
  return {{"kind", kind}, {"name", document.at("name")}, {"spec", std::move(spec)}};
}

Json program_digests(const Bundle& bundle, const Environment* environment) {
  Json digests = Json::object();
  const auto add = [&](const std::vector<std::string>& command) {
    if (command.empty()) return;
    const auto file = bundle.files.find(command.front());
    if (file != bundle.files.end())
      digests[file->first] = digest_of(std::string_view(file->second));
  };
  const auto add_all = [&](const Environment& each) {
    for (const auto& verification : each.verify) add(verification.command);
    const auto add_checks = [&](const Gate& gate) {
      for (const auto& condition : gate) {
        if (const auto* check = std::get_if<CheckCondition>(&condition)) add(check->command);
      }
    };
    add_checks(each.gate);
    if (each.rollback.gate) add_checks(*each.rollback.gate);
  };
  if (environment != nullptr) {
    add_all(*environment);
  } else {
    for (const auto& [name, each] : bundle.environments) add_all(each);
  }
  return digests;
}

}  // namespace

const Environment* Bundle::environment(const std::string& name) const {
  const auto found = environments.find(name);
  return found == environments.end() ? nullptr : &found->second;
}

const Json& Bundle::document(const std::string& kind, const std::string& name) const {
  for (const auto& document : documents) {
    if (document.at("kind") == kind && document.at("name") == name) return document.at("spec");
  }
  return null_json();
}

Json policy_of(const Bundle& bundle, const Environment& environment) {
  Json documents = Json::array();
  for (const auto& document : bundle.documents) {
    const std::string kind = document.at("kind");
    const std::string name = document.at("name");
    const bool decides = kind == "Directory" || kind == "Organization" || kind == "Duties" ||
                         kind == "Freeze" || (kind == "Environment" && name == environment.name) ||
                         (kind == "Project" && name == environment.project) ||
                         (kind == "Account" && name == environment.account) ||
                         (kind == "Template" && name == environment.template_name);
    if (decides) documents.push_back(decisive_part(document));
  }
  return {{"documents", std::move(documents)}, {"programs", program_digests(bundle, &environment)}};
}

Json deciding_documents(const Bundle& bundle) {
  Json documents = Json::array();
  for (const auto& document : bundle.documents) {
    const auto* environment =
        document.at("kind") == "Environment" ? bundle.environment(document.at("name")) : nullptr;
    const bool sandbox =
        environment != nullptr && environment->environment_class == EnvironmentClass::Sandbox &&
        environment->verify.empty() && environment->gate.empty() && !environment->rollback.gate;
    if (!sandbox) documents.push_back(decisive_part(document));
  }
  return documents;
}

std::string policy_digest_of(const Bundle& bundle) {
  return digest_of(Json{{"documents", deciding_documents(bundle)},
                        {"programs", program_digests(bundle, nullptr)}});
}

std::string template_digest_of(const Bundle& bundle, const std::string& name) {
  Json spec = bundle.document("Template", name);
  if (spec.is_object()) spec.erase("roles");
  return digest_of(Json{{"name", name}, {"spec", std::move(spec)}});
}

}  // namespace bailey
