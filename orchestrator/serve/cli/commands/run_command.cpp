#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/serve/cli/commands/environment_commands.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace bailey {

namespace {

Result<Json> lease(const Context& context, const RunCommand& command) {
  return context.client().post(
      "/v1/environments/" + percent_encode(command.environment) + "/leases",
      {{"role", command.role}, {"ttl_seconds", command.ttl.count()}});
}

// The provider's tools read all variables of their prefix (`OS_`, `AWS_`): one of another login
// that is left among them would be mixed with ours.
void replace_login(const Json& variables) {
  std::set<std::string> prefixes;
  for (const auto& [name, value] : variables.items()) {
    prefixes.insert(name.substr(0, name.find('_') + 1));
  }
  std::vector<std::string> old;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string variable(*entry);
    const auto name = variable.substr(0, variable.find('='));
    if (prefixes.contains(name.substr(0, name.find('_') + 1))) old.push_back(name);
  }
  for (const auto& name : old) ::unsetenv(name.c_str());
  for (const auto& [name, value] : variables.items()) {
    ::setenv(name.c_str(), value.get_ref<const std::string&>().c_str(), 1);
  }
}

// The command keeps the terminal, so it is forked by hand: in the foreground, with our own streams,
// and signals of the keyboard reaching it directly.
int run_in_foreground(const std::vector<std::string>& words, const Json& variables) {
  const pid_t child = ::fork();
  if (child < 0) return kFailed;
  if (child == 0) {
    replace_login(variables);
    for (const char* ours : {"BAILEY_TOKEN", "BAILEY_TOKEN_FILE"}) ::unsetenv(ours);
    std::vector<char*> arguments;
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execvp(arguments.front(), arguments.data());
    std::fprintf(stderr, "error: cannot run %s: %s\n", words.front().c_str(), std::strerror(errno));
    ::_exit(127);
  }
  // The child decides about the keyboard's interrupt; we stay to revoke the lease.
  std::signal(SIGINT, SIG_IGN);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

int run_with_credential(const Context& context, const RunCommand& command) {
  auto leased = lease(context, command);
  if (!leased) return context.fail_with(leased.error());
  const auto id = string_member(member(*leased, "lease"), "id");
  const int code = run_in_foreground(command.command, member(*leased, "variables"));
  auto revoked = context.client().remove("/v1/environments/" + percent_encode(command.environment) +
                                         "/leases/" + percent_encode(id));
  if (!revoked) {
    context.note(fmt::format("warning: lease {} could not be revoked and ends by itself at {}: {}",
                             id, string_member(member(*leased, "lease"), "expires_at"),
                             revoked.error().message()));
  }
  return code;
}

int lease_credential(const Context& context, const RunCommand& command) {
  auto leased = lease(context, command);
  if (!leased) return context.fail_with(leased.error());
  if (::isatty(STDOUT_FILENO) != 0) {
    context.note(
        "warning: these are secrets; better let them go straight into a program:\n"
        "    bailey run ENVIRONMENT --role ROLE -- COMMAND");
  }
  const auto text = pretty({{"Version", 1},
                            {"Expiration", string_member(member(*leased, "lease"), "expires_at")},
                            {"Lease", string_member(member(*leased, "lease"), "id")},
                            {"Variables", member(*leased, "variables")}});
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kDone;
}

}  // namespace bailey
