#include "orchestrator/base/text.hpp"
#include "orchestrator/declare/spec/workspace.hpp"

#include <fmt/format.h>

namespace bailey::spec {

namespace {

std::vector<std::string> provider_names(const Workspace& workspace) {
  return keys_of(workspace.providers);
}

// Whether names of people may be missing for a reason that was reported already.
bool directory_unread(Workspace& workspace) {
  for (const auto& [name, document] : workspace.named["Directory"]) {
    for (const char* part : {"", "/people", "/services", "/groups"}) {
      if (document->broken.contains(part)) return true;
    }
  }
  return workspace.incomplete;
}

std::vector<std::string> with_prefix(const char* prefix, std::vector<std::string> names) {
  for (auto& name : names) name.insert(0, prefix);
  return names;
}

void check_subject(Workspace& workspace, const Document& document, const NameUse& use) {
  const auto subject = parse_subject(use.text);
  if (!subject || workspace.bundle.directory.has(*subject)) return;
  const auto& directory = workspace.bundle.directory;
  const auto where = document.at(use.pointer);
  if (directory_unread(workspace)) return;
  switch (subject->kind) {
    case SubjectKind::Group:
      report_unknown(workspace, "spec.unknown-group", "Unknown group", "group", use.text,
                     with_prefix("group:", keys_of(directory.groups)), where);
      return;
    case SubjectKind::Service:
      report_unknown(workspace, "spec.unknown-service", "Unknown service", "service", use.text,
                     with_prefix("service:", keys_of(directory.services)), where);
      return;
    case SubjectKind::Person:
      break;
  }
  // A group without its prefix is the usual mistake.
  if (directory.groups.contains(subject->name) || directory.services.contains(subject->name)) {
    const bool group = directory.groups.contains(subject->name);
    workspace.report.error("spec.unknown-person", "Unknown person",
                           fmt::format("There is no person \"{}\", but a {} of this name.",
                                       subject->name, group ? "group" : "service"),
                           where, (group ? "group:" : "service:") + subject->name);
    return;
  }
  report_unknown(workspace, "spec.unknown-person", "Unknown person", "person", subject->name,
                 keys_of(directory.people), where);
}

void check_document_name(Workspace& workspace, Document& document, const NameUse& use,
                         const std::string& kind, const char* code, const char* summary,
                         const char* what) {
  if (workspace.find(kind, use.text) != nullptr) return;
  document.broken.insert(use.pointer);
  report_unknown(workspace, code, summary, what, use.text, workspace.names_of(kind),
                 use.is_key ? document.key_at(use.pointer) : document.at(use.pointer));
}

void check_use(Workspace& workspace, Document& document, const NameUse& use) {
  switch (use.format) {
    case TextFormat::Subject:
      check_subject(workspace, document, use);
      return;
    case TextFormat::Person:
      if (!workspace.bundle.directory.people.contains(use.text) && !directory_unread(workspace)) {
        report_unknown(workspace, "spec.unknown-person", "Unknown person", "person", use.text,
                       keys_of(workspace.bundle.directory.people), document.at(use.pointer));
      }
      return;
    case TextFormat::Provider:
      if (!workspace.providers.contains(use.text)) {
        report_unknown(workspace, "spec.unknown-provider", "Unknown provider", "provider", use.text,
                       provider_names(workspace), document.at(use.pointer));
      }
      return;
    case TextFormat::Account:
      check_document_name(workspace, document, use, "Account", "spec.unknown-account",
                          "Unknown account", "account");
      return;
    case TextFormat::Template:
      check_document_name(workspace, document, use, "Template", "spec.unknown-template",
                          "Unknown template", "template");
      return;
    case TextFormat::Project:
      check_document_name(workspace, document, use, "Project", "spec.unknown-project",
                          "Unknown project", "project");
      return;
    case TextFormat::Environment:
      check_document_name(workspace, document, use, "Environment", "spec.unknown-environment",
                          "Unknown environment", "environment");
      return;
    default:
      return;
  }
}

}  // namespace

void check_names(Workspace& workspace) {
  for (auto& document : workspace.documents) {
    for (const auto& use : document.uses) check_use(workspace, document, use);
  }
}

}  // namespace bailey::spec
