#pragma once

#include "orchestrator/declare/spec/field_table.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace bailey::spec {

/// Why a text does not have its format.
struct FormatFault {
  const char* code = "";
  const char* summary = "";
  std::string detail;
  std::string suggestion;
};

/// Nothing when `text` fits `format`; whether the thing that it names exists is not asked here.
[[nodiscard]] std::optional<FormatFault> check_format(TextFormat format, std::string_view text);

/// What is wrong with a line such as `ssh-ed25519 AAAA... comment`, or nothing. The type must be
/// known and be the one inside the blob, the blob complete, and an Ed25519 key no point of low
/// order, with which one signature would fit any text.
[[nodiscard]] std::optional<std::string> ssh_key_fault(std::string_view line);

/// The same for a service, whose keys may also be PEM public keys; these are held to the same.
[[nodiscard]] std::optional<std::string> service_key_fault(std::string_view text);

/// `ssh-ed25519 AAAA...` without the comment, also of a PEM key: what tells two keys apart.
[[nodiscard]] std::string ssh_key_identity(std::string_view line);

/// Minutes since midnight of `HH:MM`, up to 24:00.
[[nodiscard]] std::optional<int> parse_clock_time(std::string_view text);

}  // namespace bailey::spec
