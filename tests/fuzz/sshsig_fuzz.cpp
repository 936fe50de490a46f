#include "orchestrator/promote/evidence/sshsig.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto blob = bailey::unarmor_sshsig(bytes)) (void)bailey::parse_sshsig(*blob);
  if (const auto signature = bailey::parse_sshsig(bytes)) {
    // The signature's own key, so that the code behind the key's check is reached too.
    const auto line = bailey::parse_ssh_key_blob(signature->key.blob);
    if (!line) __builtin_trap();
  }
  (void)bailey::parse_ssh_public_key(bytes);
  return 0;
}
