#pragma once

#include "orchestrator/model/provider_schema.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace bailey {

struct ServeOptions {
  std::filesystem::path data;
  std::string address = "127.0.0.1";
  std::uint16_t port = 7300;
  std::string origin = "bailey";
  std::chrono::seconds drift_every = std::chrono::hours(1);  ///< 0: only when asked.
};

struct DevcloudCommand {
  std::string listen = "127.0.0.1:5000";
  std::filesystem::path state;
  std::filesystem::path openrc;
  std::filesystem::path faults;
  std::uint64_t seed = 1;
};

/// What only the composition root can start.
struct Programs {
  ProviderSchemas schemas;
  std::function<int(const ServeOptions&)> serve;
  std::function<int(const DevcloudCommand&)> devcloud;
};

/// Reads the command line, runs the command and returns its exit code.
[[nodiscard]] int run_command_line(int argc, char** argv, const Programs& programs);

}  // namespace bailey
