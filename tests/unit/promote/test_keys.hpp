#pragma once

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/process.hpp"
#include "orchestrator/promote/evidence/dsse.hpp"
#include "orchestrator/promote/evidence/ssh_wire.hpp"
#include "orchestrator/promote/evidence/sshsig.hpp"
#include "orchestrator/promote/evidence/statement.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sodium.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace bailey::test {

/// Runs a program of this machine, as the tester would.
inline ProcessResult run(std::vector<std::string> arguments, std::string input = {}) {
  Command command;
  command.arguments = std::move(arguments);
  command.inherit_environment = true;
  command.input = std::move(input);
  auto done = run_process(command);
  if (!done) return {-1, {}, done.error().render()};
  return *std::move(done);
}

/// An Ed25519 SSH key from a name: the same name, the same key. Signs as ssh-keygen does, without a
/// process, so that tests can sign thousands of times.
class TestKey {
 public:
  explicit TestKey(std::string_view name) : name_(name) {
    EXPECT_GE(sodium_init(), 0);
    const auto seed = sha256(name);
    crypto_sign_seed_keypair(public_, secret_, seed.data());
  }

  [[nodiscard]] std::string blob() const {
    return ssh_string("ssh-ed25519") + ssh_string(bytes_of(public_));
  }
  [[nodiscard]] std::string line() const { return "ssh-ed25519 " + base64(blob()) + " " + name_; }
  [[nodiscard]] std::string print() const { return fingerprint(*parse_ssh_public_key(line())); }

  [[nodiscard]] std::string sign(std::string_view message,
                                 std::string_view name_space = kSignatureNamespace) const {
    const auto data = "SSHSIG" + ssh_string(name_space) + ssh_string("") + ssh_string("sha512") +
                      ssh_string(bytes_of(sha512(message)));
    unsigned char signature[crypto_sign_BYTES];
    crypto_sign_detached(signature, nullptr, reinterpret_cast<const unsigned char*>(data.data()),
                         data.size(), secret_);
    const auto inner = ssh_string("ssh-ed25519") + ssh_string(bytes_of(signature));
    return std::string("SSHSIG") + std::string("\0\0\0\1", 4) + ssh_string(blob()) +
           ssh_string(name_space) + ssh_string("") + ssh_string("sha512") + ssh_string(inner);
  }

  [[nodiscard]] DsseEnvelope envelope(std::string_view payload,
                                      std::string_view type = kInTotoPayload) const {
    return {std::string(type),
            std::string(payload),
            {{print(), sign(pre_authentication_encoding(type, payload))}}};
  }
  [[nodiscard]] nlohmann::json envelope(const Statement& statement) const {
    return to_json(envelope(payload_of(statement)));
  }

 private:
  std::string name_;
  unsigned char public_[crypto_sign_PUBLICKEYBYTES] = {};
  unsigned char secret_[crypto_sign_SECRETKEYBYTES] = {};
};

}  // namespace bailey::test
