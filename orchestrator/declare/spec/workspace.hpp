#pragma once

#include "orchestrator/declare/spec/bundle_reader.hpp"
#include "orchestrator/declare/spec/document.hpp"

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace bailey::spec {

/// A bundle while it is being read: the documents with their places, and the model as far as it is
/// known. Checks look at both and report; none of them stops another.
struct Workspace {
  Workspace(const BundleSources& sources_given, const ProviderSchemas& providers_given,
            Diagnostics& diagnostics_given)
      : sources(sources_given),
        providers(providers_given),
        diagnostics(diagnostics_given),
        report(diagnostics_given) {}

  const BundleSources& sources;
  const ProviderSchemas& providers;
  Diagnostics& diagnostics;
  Report report;
  std::deque<YamlNode> nodes;  ///< Kept in place: documents point into them.
  std::deque<Document> documents;
  std::deque<Document> unread;  ///< Documents of which no more than kind and name is known.
  /// True when there may be documents whose names are not known: a missing name proves nothing.
  bool incomplete = false;
  Bundle bundle;
  /// Names by kind, those of documents that could not be read included.
  std::map<std::string, std::map<std::string, Document*>> named;

  [[nodiscard]] Document* find(const std::string& kind, const std::string& name);
  [[nodiscard]] std::vector<Document*> of_kind(const std::string& kind);
  [[nodiscard]] std::vector<std::string> names_of(const std::string& kind) const;
  /// resource_table(), made once for each type. The type belongs to `providers`.
  [[nodiscard]] const ValueTable& table_of(const ResourceTypeSchema& type);

 private:
  std::map<const ResourceTypeSchema*, ValueTable> tables_;
};

/// The keys of a map, as candidates for a suggestion.
template <class Map>
[[nodiscard]] std::vector<std::string> keys_of(const Map& map) {
  std::vector<std::string> keys;
  for (const auto& entry : map) keys.push_back(entry.first);
  return keys;
}

/// "spec.unknown-..." with the nearest of `candidates`.
void report_unknown(Workspace& workspace, const char* code, const char* summary, const char* what,
                    const std::string& name, const std::vector<std::string>& candidates,
                    SourceRange where);

/// Every name that a document uses is the name of something. (check_names.cpp)
void check_names(Workspace& workspace);
/// Groups without cycles, keys and addresses of one owner each. (check_directory.cpp)
void check_directory(Workspace& workspace);
/// Accounts, freezes and duties. (check_accounts.cpp)
void check_accounts(Workspace& workspace);
void check_freezes(Workspace& workspace);
void check_duties(Workspace& workspace);
/// Reads the resources of every template by its provider's schema, and checks parameters, roles,
/// references and cycles. Fills the templates of the model. (check_template.cpp)
void read_templates(Workspace& workspace);
/// What a template moves comes from nowhere else and leads to a resource. (check_moves.cpp)
void check_moves(Workspace& workspace, const Document& document, const Template& of);
/// Stages exist, belong and are ordered. (check_project.cpp)
void check_projects(Workspace& workspace);
/// Repositories are in the registries of their accounts, and a stage's is its own.
/// (check_repositories.cpp)
void check_repositories(Workspace& workspace);
/// What an environment says fits its template, account and project. (check_environment.cpp)
void check_environments(Workspace& workspace);
/// Conditions that can be met, programs that exist. (check_gate.cpp)
void check_gates(Workspace& workspace);
/// Grants that others can agree to, emergencies that others can review. (check_access.cpp)
void check_access(Workspace& workspace);
/// The least that each class asks for. (check_floors.cpp)
void check_floors(Workspace& workspace);

/// The parameters of an environment with the template's defaults filled in.
[[nodiscard]] std::map<std::string, nlohmann::json> parameter_values(
    const Template& of, const Environment& environment);
/// Whether `before` comes before `stage` in the project, and whether directly.
[[nodiscard]] bool is_before(const Project& project, const std::string& before,
                             const std::string& stage);

}  // namespace bailey::spec
