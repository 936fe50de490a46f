#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/base/random.hpp"
#include "orchestrator/base/secret.hpp"
#include "orchestrator/model/ids.hpp"
#include "orchestrator/model/vocabulary.hpp"

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace bailey {

/// Whose secret it is. It is sealed in with the secret, so that a sealed text that was moved to
/// another row, environment or class does not open there.
struct SealContext {
  std::string id;  ///< The key of the row.
  EnvironmentUid environment_uid;
  EnvironmentClass environment_class = EnvironmentClass::Production;
};

/// The public halves: turns secrets into what only the holder of a class's secret half can read
/// (libsodium's sealed box: X25519, XSalsa20-Poly1305). Thread-safe.
class Sealer {
 public:
  /// Base64. InvalidArgument for a context that is empty or has a newline in it.
  [[nodiscard]] Result<std::string> seal(const Secret& secret, const SealContext& context) const;

 private:
  friend class KeyRing;
  std::map<EnvironmentClass, std::string> public_keys_;
};

/// The secret halves of some classes. A process without it can seal and cannot open. Thread-safe.
class Opener {
 public:
  /// PermissionDenied when this process does not hold the class's key, and when the text was not
  /// sealed for this context by that key's public half: changed, moved, or of another key.
  [[nodiscard]] Result<Secret> open(std::string_view sealed, const SealContext& context) const;
  [[nodiscard]] bool opens(EnvironmentClass environment_class) const;

 private:
  friend class KeyRing;
  std::map<EnvironmentClass, Secret> secret_keys_;
};

/// The key files of a folder: `seal-<class>.key`, mode 0600, and beside it `seal-<class>.pub`.
/// Each names its class inside too, so a renamed file does not load.
class KeyRing {
 public:
  explicit KeyRing(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Makes the pairs that are not there. FailedPrecondition, and nothing made for that class, where
  /// a public half has lost its secret half, or is of another pair: what was sealed would be lost,
  /// or readable by whoever exchanged it.
  [[nodiscard]] Status create_missing(Random& random) const;
  /// Needs no secret half.
  [[nodiscard]] Result<Sealer> sealer() const;
  /// PermissionDenied for a key file that others may read.
  [[nodiscard]] Result<Opener> opener(const std::set<EnvironmentClass>& classes) const;

 private:
  [[nodiscard]] std::filesystem::path file(EnvironmentClass environment_class,
                                           const char* ending) const;
  [[nodiscard]] Result<Secret> secret_key(EnvironmentClass environment_class) const;
  [[nodiscard]] Result<std::string> public_key(EnvironmentClass environment_class) const;
  [[nodiscard]] Status create(EnvironmentClass environment_class, Random& random) const;
  std::filesystem::path folder_;
};

}  // namespace bailey
