#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/model/change.hpp"
#include "orchestrator/model/directory.hpp"
#include "orchestrator/promote/evidence/statement.hpp"

#include <filesystem>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace bailey {

struct AuthoredCommit {
  std::string id;
  std::vector<std::string> authors;  ///< E-mail addresses: the author, then who co-authored.
  std::string committer;
  bool operator==(const AuthoredCommit&) const = default;
};

/// Who wrote an artifact (`urn:bailey:authorship:v1`): the commits that are new in it.
struct Authorship {
  std::string repository;
  std::string from;  ///< Commit id, not included; empty for everything up to `to`.
  std::string to;
  std::vector<AuthoredCommit> commits;
  bool operator==(const Authorship&) const = default;

  /// Every address that wrote or committed something, in lower case.
  [[nodiscard]] std::set<std::string> people() const;
};

[[nodiscard]] Statement to_statement(const Authorship& authorship,
                                     std::vector<StatementSubject> artifacts);
/// Refuses another predicate type and a statement that names no author.
[[nodiscard]] Result<Authorship> authorship_from_statement(const Statement& statement);

/// Reads the commits after `from` (may be empty) up to `to` from a git folder. Both are names that
/// git knows; ids come out. Replaced objects and mail maps are not believed. A clone without its
/// whole history is refused with FailedPrecondition: authors would be missing.
[[nodiscard]] Result<Authorship> collect_authorship(const std::filesystem::path& folder,
                                                    std::string_view from, std::string_view to,
                                                    std::stop_token stop = {});

/// The authors of a change by their addresses: whoever is in the Directory gets a name.
[[nodiscard]] std::vector<Author> authors_of(const std::set<std::string>& addresses,
                                             const Directory& directory);

}  // namespace bailey
