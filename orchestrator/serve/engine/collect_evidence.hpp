#pragma once

#include "orchestrator/base/clock.hpp"
#include "orchestrator/model/ids.hpp"
#include "orchestrator/promote/artifact/artifact_reference.hpp"
#include "orchestrator/serve/engine/engine.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace bailey {

/// What the registries last answered when they were asked for evidence, by artifact digest; older
/// than a minute is forgotten. Thread-safe.
class EvidenceBoard {
 public:
  void put(const std::string& digest, std::vector<std::string> problems, MonotonicTime now);
  /// What could not be read; nothing when the registry was not asked lately.
  [[nodiscard]] std::optional<std::vector<std::string>> get(const std::string& digest,
                                                            MonotonicTime now) const;

 private:
  struct Answer {
    std::vector<std::string> problems;
    MonotonicTime at;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Answer> answers_;
};

/// Asks the registry of a project's artifact for evidence about it and stores what is new: what is
/// about this digest, is signed by a key that the Directory has today and says what that signer has
/// not said before. Everything else is passed over; what does not count is told by the board. Asks
/// at most once a minute unless `now` is wanted. Never inside a transaction. A registry that does
/// not answer is evidence that is not there, and no failure; a store that does not is one.
Status collect_evidence(Engine& engine, const Bundle& bundle, const std::string& project,
                        const std::string& slot, const std::string& digest, bool now,
                        std::stop_token stop);

/// Fetches an artifact from its project's registry, with the project's account there, and asks for
/// evidence about it. Fails as OciRegistry::fetch() when the artifact is not to be had.
[[nodiscard]] Status look_up_artifact(Engine& engine, const Bundle& bundle,
                                      const std::string& project, const std::string& slot,
                                      const ArtifactReference& reference, bool now,
                                      std::stop_token stop);

/// The same for every artifact of a change, before it is judged.
void collect_evidence_of(Engine& engine, const ChangeId& change, std::stop_token stop);

/// Stores evidence in its normal form about an artifact, with where it came from. False when it was
/// there already.
[[nodiscard]] Result<bool> store_evidence(Transaction& transaction, const std::string& artifact,
                                          const nlohmann::json& evidence, const std::string& from);
/// Where stored evidence came from, for people; empty when nobody wrote it down.
[[nodiscard]] Result<std::string> evidence_origin(Transaction& transaction,
                                                  const std::string& artifact,
                                                  const std::string& evidence_digest);

}  // namespace bailey
