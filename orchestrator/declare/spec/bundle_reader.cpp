#include "orchestrator/declare/spec/bundle_reader.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/spec/bind.hpp"
#include "orchestrator/declare/spec/formats.hpp"
#include "orchestrator/declare/spec/workspace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <utility>

namespace bailey {

namespace spec {
namespace {

constexpr const char* kVersion = "bailey/v1";

const std::vector<std::string>& header_fields() {
  static const std::vector<std::string> kFields{"apiVersion", "kind", "metadata", "spec"};
  return kFields;
}

/// Reads what every document has: version, kind and name.
class HeaderReader {
 public:
  HeaderReader(Workspace& workspace, const std::string& file)
      : workspace_(workspace), file_(file) {}

  void read(const YamlNode& root) {
    if (root.kind == YamlKind::Null) return;
    if (root.kind != YamlKind::Map) {
      error("spec.wrong-type", "Wrong type",
            "A document is a map with \"apiVersion\", \"kind\", \"metadata\" and \"spec\".", root);
      return;
    }
    for (const auto& [key, value] : root.entries) {
      const auto& known = header_fields();
      if (std::find(known.begin(), known.end(), key.scalar) != known.end()) continue;
      error("spec.unknown-field", "Unknown field",
            fmt::format("A document has the fields {}.", enumerate(known)), key,
            nearest(key.scalar, known).value_or(""));
    }
    check_version(root);
    const auto* kind = kind_of(root);
    const auto* name = name_of(root);
    if (kind != nullptr) read_spec(root, *kind, name);
  }

 private:
  void error(const char* code, const char* summary, std::string detail, const YamlNode& node,
             std::string suggestion = {}) {
    workspace_.report.error(code, summary, std::move(detail), node.at(file_),
                            std::move(suggestion));
  }

  const YamlNode* required(const YamlNode& root, const char* field) {
    const auto* node = root.find(field);
    if (node == nullptr) {
      error("spec.missing-field", "Missing field",
            fmt::format("Every document has a field \"{}\".", field), root);
    }
    return node;
  }

  void check_version(const YamlNode& root) {
    const auto* version = required(root, "apiVersion");
    if (version == nullptr || version->scalar == kVersion) return;
    error("spec.unknown-version", "Unknown version",
          fmt::format("This version of bailey reads \"apiVersion: {}\".", kVersion), *version,
          kVersion);
  }

  const KindTable* kind_of(const YamlNode& root) {
    const auto* node = required(root, "kind");
    if (node == nullptr) return nullptr;
    const auto* kind = find_kind(node->scalar);
    if (kind == nullptr) {
      std::vector<std::string> known;
      for (const auto& table : kind_tables()) known.push_back(table.kind);
      error("spec.unknown-kind", "Unknown kind",
            fmt::format("\"{}\" is no kind; there are {}.", node->scalar.substr(0, 80),
                        enumerate(known)),
            *node, nearest(node->scalar, known).value_or(""));
    }
    return kind;
  }

  const YamlNode* name_of(const YamlNode& root) {
    const auto* metadata = required(root, "metadata");
    if (metadata == nullptr) return nullptr;
    if (metadata->kind != YamlKind::Map) {
      error("spec.wrong-type", "Wrong type", "This should be a map with a \"name\".", *metadata);
      return nullptr;
    }
    for (const auto& [key, value] : metadata->entries) {
      if (key.scalar == "name") continue;
      error("spec.unknown-field", "Unknown field", "Metadata has the field name.", key,
            nearest(key.scalar, {"name"}).value_or(""));
    }
    const auto* name = metadata->find("name");
    if (name == nullptr) {
      error("spec.missing-field", "Missing field", "Metadata has a field \"name\".", *metadata);
      return nullptr;
    }
    if (name->kind != YamlKind::Scalar) {
      error("spec.wrong-type", "Wrong type", "This should be a text.", *name);
      return nullptr;
    }
    if (const auto fault = check_format(TextFormat::Name, name->scalar)) {
      error(fault->code, fault->summary, fault->detail, *name, fault->suggestion);
    }
    return name;
  }

  void read_spec(const YamlNode& root, const KindTable& kind, const YamlNode* name) {
    auto& document = workspace_.documents.emplace_back();
    document.file = file_;
    document.kind = &kind;
    document.name_node = name;
    if (name != nullptr) document.name = name->scalar;
    for (const auto& [key, value] : root.entries) {
      if (key.scalar == "spec") document.spec_key = &key;
    }
    if (const auto* spec = required(root, "spec")) {
      document.spec = read_shape(document, *spec, kind.spec, "", workspace_.report);
    }
    if (!document.spec.is_object()) document.spec = Json::object();
    if (name != nullptr) take_name(document);
  }

  void take_name(Document& document) {
    auto& names = workspace_.named[document.kind->kind];
    const auto [found, fresh] = names.emplace(document.name, &document);
    if (!fresh) {
      error("spec.duplicate-name", "Duplicate name",
            fmt::format("There is a document of kind {} with this name already, at {}:{}.",
                        document.kind->kind, found->second->file, found->second->at("").line),
            *document.name_node);
    } else if (names.size() > 1 && document.kind->kind == "Organization") {
      error("spec.duplicate-document", "Only one is allowed",
            fmt::format("A bundle has one document of kind {}.", document.kind->kind),
            *document.name_node);
    }
  }

  Workspace& workspace_;
  const std::string& file_;
};

// A document with a syntax error should not make every mention of it a second finding.
void guess_name(Workspace& workspace, const std::string& text) {
  static const std::regex kKind("(^|\\n)kind:[ ]*\"?([A-Za-z]{1,40})");
  static const std::regex kName(
      "(^|\\n)metadata:[ \\n]*\\{?[ ]*name:[ ]*\"?([a-z0-9][a-z0-9-]{0,62})");
  const std::string head = text.substr(0, 4096);
  std::smatch kind;
  std::smatch name;
  const auto* table = std::regex_search(head, kind, kKind) ? find_kind(kind[2].str()) : nullptr;
  if (table == nullptr || !std::regex_search(head, name, kName)) {
    workspace.incomplete = true;
    return;
  }
  auto& document = workspace.unread.emplace_back();
  document.kind = table;
  document.name = name[2].str();
  document.broken.insert("");
  workspace.named[table->kind].emplace(document.name, &document);
}

void read_files(Workspace& workspace) {
  std::set<std::string> paths;
  for (const auto& file : workspace.sources.specs) {
    if (!paths.insert(file.path).second) continue;
    auto content = read_yaml(file.path, file.text, workspace.diagnostics);
    if (!content.readable) workspace.incomplete = true;
    for (const auto& text : content.unread) guess_name(workspace, text);
    for (auto& root : content.documents) {
      workspace.nodes.push_back(std::move(root));
      HeaderReader(workspace, file.path).read(workspace.nodes.back());
    }
  }
}

// A name that is there already is a finding of check_directory().
void add_directory(Directory& all, Directory part) {
  all.people.merge(part.people);
  all.services.merge(part.services);
  all.groups.merge(part.groups);
}

// Templates are bound by read_templates(), once their resources are known.
void bind_documents(Workspace& workspace) {
  auto& bundle = workspace.bundle;
  for (const auto& [kind, names] : workspace.named) {
    for (const auto& [name, document] : names) {
      if (document->broken.contains("")) continue;
      const auto& spec = document->spec;
      if (kind == "Directory") add_directory(bundle.directory, bind_directory(spec));
      if (kind == "Organization") bundle.organization = bind_organization(name, spec);
      if (kind == "Account") bundle.accounts[name] = bind_account(name, spec);
      if (kind == "Project") bundle.projects[name] = bind_project(name, spec);
      if (kind == "Environment") bundle.environments[name] = bind_environment(name, spec);
      if (kind == "Freeze") bundle.freezes[name] = bind_freeze(name, spec);
      if (kind == "Duties") bind_duties(spec, bundle.duties);
    }
  }
}

// However a Directory is divided into documents, it is one: who reads a policy later finds one.
Json whole_directory(const std::map<std::string, Document*>& documents) {
  Json spec = Json::object();
  for (const auto& [name, document] : documents) {
    for (const auto& [part, entries] : document->spec.items()) spec[part].update(entries);
  }
  return {{"kind", "Directory"}, {"name", documents.begin()->first}, {"spec", std::move(spec)}};
}

void seal_bundle(Workspace& workspace) {
  auto& bundle = workspace.bundle;
  for (const auto& [kind, names] : workspace.named) {
    if (kind == "Directory" && !names.empty()) {
      bundle.documents.push_back(whole_directory(names));
      continue;
    }
    for (const auto& [name, document] : names) {
      bundle.documents.push_back({{"kind", kind}, {"name", name}, {"spec", document->spec}});
    }
  }
  Json programs = Json::object();
  for (const auto& [path, bytes] : workspace.sources.programs) {
    programs[path] = digest_of(std::string_view(bytes));
  }
  bundle.files = workspace.sources.programs;
  bundle.digest = digest_of(Json{{"documents", bundle.documents}, {"files", std::move(programs)}});
}

}  // namespace
}  // namespace spec

/// The documents as they were read. Taking the queues over leaves every node where it is.
struct BundlePlaces::Documents {
  std::deque<YamlNode> nodes;
  std::deque<spec::Document> documents;
  std::map<std::string, std::map<std::string, spec::Document*>> named;

  [[nodiscard]] const spec::Document* find(const std::string& kind, const std::string& name) const {
    const auto names = named.find(kind);
    if (names == named.end()) return nullptr;
    const auto found = names->second.find(name);
    return found == names->second.end() ? nullptr : found->second;
  }
  /// A Directory may be several documents: the one that says it.
  [[nodiscard]] const spec::Document* find(const std::string& kind, const std::string& name,
                                           const std::string& pointer) const {
    if (kind != "Directory" || !named.contains(kind)) return find(kind, name);
    const auto& parts = named.at(kind);
    for (const auto& [each, document] : parts) {
      if (document->node(pointer) != nullptr) return document;
    }
    return parts.empty() ? nullptr : parts.begin()->second;
  }
};

std::optional<SourceRange> BundlePlaces::at(const std::string& kind, const std::string& name,
                                            const std::string& pointer) const {
  const auto* document = documents_ ? documents_->find(kind, name, pointer) : nullptr;
  return document == nullptr ? std::nullopt : std::optional(document->at(pointer));
}

std::optional<SourceRange> BundlePlaces::key_at(const std::string& kind, const std::string& name,
                                                const std::string& pointer) const {
  const auto* document = documents_ ? documents_->find(kind, name, pointer) : nullptr;
  return document == nullptr ? std::nullopt : std::optional(document->key_at(pointer));
}

std::optional<Bundle> read_bundle(const BundleSources& sources, const ProviderSchemas& providers,
                                  Diagnostics& diagnostics, BundlePlaces* places) {
  Diagnostics own;
  spec::Workspace workspace(sources, providers, own);
  spec::read_files(workspace);
  spec::bind_documents(workspace);
  spec::check_names(workspace);
  spec::check_directory(workspace);
  spec::check_accounts(workspace);
  spec::check_freezes(workspace);
  spec::check_duties(workspace);
  spec::read_templates(workspace);
  spec::check_projects(workspace);
  spec::check_repositories(workspace);
  spec::check_environments(workspace);
  spec::check_gates(workspace);
  spec::check_access(workspace);
  spec::check_floors(workspace);
  const bool failed = own.has_errors();
  for (auto& finding : own.sorted()) diagnostics.add(std::move(finding));
  if (failed) return std::nullopt;
  spec::seal_bundle(workspace);
  if (places != nullptr) {
    *places = BundlePlaces(std::make_shared<BundlePlaces::Documents>(BundlePlaces::Documents{
        std::move(workspace.nodes), std::move(workspace.documents), std::move(workspace.named)}));
  }
  return std::move(workspace.bundle);
}

}  // namespace bailey
