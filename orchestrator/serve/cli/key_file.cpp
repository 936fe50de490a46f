#include "orchestrator/serve/cli/key_file.hpp"

#include <cstdlib>

namespace bailey {

namespace fs = std::filesystem;

Result<fs::path> find_key(const fs::path& named) {
  std::error_code ignored;
  if (!named.empty()) {
    if (fs::exists(named, ignored)) return named;
    return fail(ErrorKind::NotFound, "there is no key " + named.string());
  }
  if (const char* variable = std::getenv("BAILEY_KEY"); variable != nullptr && *variable != '\0') {
    return find_key(fs::path(variable));
  }
  const char* home = std::getenv("HOME");
  for (const char* name : {"id_ed25519", "id_ed25519_sk", "id_ecdsa", "id_ecdsa_sk", "id_rsa"}) {
    const auto file = fs::path(home == nullptr ? "" : home) / ".ssh" / name;
    if (fs::exists(file, ignored)) return file;
  }
  return fail(Error(ErrorKind::NotFound, "there is no SSH key to sign with")
                  .with_hint("Name one with --key, or make one:\n    ssh-keygen -t ed25519"));
}

}  // namespace bailey
