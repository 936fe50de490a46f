#pragma once

#include "orchestrator/model/account.hpp"
#include "orchestrator/model/directory.hpp"
#include "orchestrator/model/environment.hpp"
#include "orchestrator/model/policy.hpp"
#include "orchestrator/model/project.hpp"
#include "orchestrator/model/template.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <string>

namespace bailey {

/// A folder of specs, read and validated as one. It is a value: what was approved is compared by
/// `digest`, and a later edit of the files changes nothing here.
struct Bundle {
  Directory directory;
  std::optional<Organization> organization;
  std::map<std::string, Account> accounts;
  std::map<std::string, Template> templates;
  std::map<std::string, Project> projects;
  std::map<std::string, Environment> environments;
  Duties duties;
  std::map<std::string, Freeze> freezes;

  /// Every document as typed JSON, `{"kind", "name", "spec"}`, sorted by kind and name. Defaults
  /// are not filled in: the digest covers what was written, not how it was laid out.
  nlohmann::json documents = nlohmann::json::array();
  /// Programs that checks and verifications run: path within the folder to bytes.
  std::map<std::string, std::string> files;
  /// Over `documents` and the digests of `files`.
  std::string digest;

  [[nodiscard]] const Environment* environment(const std::string& name) const;
  /// The spec of one document, or null.
  [[nodiscard]] const nlohmann::json& document(const std::string& kind,
                                               const std::string& name) const;
};

/// What decides about an environment, as one JSON value: its gate, bindings, execution and
/// verification, the roles of its template, duties, freezes, the directory, the organization, the
/// project, the account and the digests of the programs that its checks run.
[[nodiscard]] nlohmann::json policy_of(const Bundle& bundle, const Environment& environment);

/// The deciding part of every document that has one. A sandbox that makes Bailey run no program has
/// none: sandboxes are open and fast, held by their class's floor and their account's limits.
[[nodiscard]] nlohmann::json deciding_documents(const Bundle& bundle);

/// Digest over deciding_documents() and the programs that any check runs.
[[nodiscard]] std::string policy_digest_of(const Bundle& bundle);

/// Digest of a template's resources, parameters and outputs: what `verified` asks for when a change
/// introduces a template. Roles are policy and not part of it.
[[nodiscard]] std::string template_digest_of(const Bundle& bundle, const std::string& name);

}  // namespace bailey
