#pragma once

#include "orchestrator/base/error.hpp"
#include "orchestrator/base/secret.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace bailey {

struct Command {
  /// argv; the first is looked for in the absolute folders of PATH (the child's if `environment`
  /// has one, else ours) unless it holds a slash; a relative path starts in `working_directory`.
  std::vector<std::string> arguments{};
  std::filesystem::path working_directory{};  ///< Empty: ours.
  /// The whole environment of the child: nothing is inherited unless `inherit_environment`.
  std::map<std::string, Secret> environment{};
  bool inherit_environment = false;
  std::string input{};
  std::chrono::milliseconds timeout{std::chrono::minutes(1)};
  std::size_t max_output = 1024U * 1024;  ///< Per stream; the rest is read and dropped.
};

struct ProcessResult {
  int exit_code = 0;  ///< 128 + signal when a signal ended it.
  std::string output{};
  std::string errors{};
};

/// Runs a child in its own process group and waits. The child inherits only descriptors 0, 1, 2 and
/// no blocked signals. Fails with NotFound when there is no such program or folder,
/// PermissionDenied when it may not be run, Timeout or Cancelled after the whole group was killed;
/// a non-zero exit is a result, not a failure. What the child leaves running in its group is killed
/// when it ends. Messages name the program alone. Thread-safe.
[[nodiscard]] Result<ProcessResult> run_process(const Command& command, std::stop_token stop = {});

/// Replaces this program by the command (execve). Returns only on failure, with folder and signals
/// as they were. Standard streams and terminal go over as they are; other descriptors are closed.
/// `input`, `timeout` and `max_output` play no part.
[[nodiscard]] Error exec_process(const Command& command);

}  // namespace bailey
