#include "orchestrator/base/process.hpp"

#include "orchestrator/base/file.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace bailey {
namespace {

using namespace std::chrono_literals;

Command shell(std::string script) {
  return {.arguments = {"/bin/sh", "-c", std::move(script)}};
}

// No child of ours is left, dead or alive.
bool has_no_child() {
  return ::waitpid(-1, nullptr, WNOHANG) == -1 && errno == ECHILD;
}

// True once no process has the id any more; a killed orphan is reaped by whoever adopts it.
bool is_gone_soon(pid_t pid) {
  for (int i = 0; i < 2000; ++i) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string line;
    if (!std::getline(stat, line)) return true;
    const auto state = line.rfind(')');
    if (state != std::string::npos && line.substr(state + 2, 1) == "Z") return true;
    std::this_thread::sleep_for(5ms);
  }
  return false;
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

TEST(RunProcess, GivesOutputErrorsAndExitCode) {
  const auto result = run_process(shell("echo out; echo err >&2; exit 7"));
  ASSERT_TRUE(result) << result.error().render();
  EXPECT_EQ(result->output, "out\n");
  EXPECT_EQ(result->errors, "err\n");
  EXPECT_EQ(result->exit_code, 7);
  EXPECT_TRUE(has_no_child());
}

TEST(RunProcess, TellsASignalFromAnExitCode) {
  EXPECT_EQ(run_process(shell("exit 9"))->exit_code, 9);
  EXPECT_EQ(run_process(shell("kill -9 $$"))->exit_code, 128 + SIGKILL);
  EXPECT_EQ(run_process(shell("kill -15 $$"))->exit_code, 128 + SIGTERM);
}

TEST(RunProcess, PassesArgumentsAsTheyAre) {
  const auto result =
      run_process({.arguments = {"/usr/bin/printf", "[%s]", "a b", "$HOME", "", "*", "'\"\n"}});
  EXPECT_EQ(result->output, "[a b][$HOME][][*]['\"\n]");
}

TEST(RunProcess, InheritsNoEnvironmentUnlessAsked) {
  ::setenv("BAILEY_TEST_OUTER", "outer", 1);
  ::setenv("BAILEY_TEST_BOTH", "outer", 1);
  Command command{.arguments = {"/usr/bin/env"}};
  command.environment.emplace("BAILEY_TEST_BOTH", Secret("inner"));
  EXPECT_EQ(run_process(command)->output, "BAILEY_TEST_BOTH=inner\n");
  command.inherit_environment = true;
  const auto output = run_process(command)->output;
  EXPECT_NE(output.find("BAILEY_TEST_OUTER=outer\n"), std::string::npos);
  EXPECT_NE(output.find("BAILEY_TEST_BOTH=inner\n"), std::string::npos);
  EXPECT_EQ(output.find("BAILEY_TEST_BOTH=outer"), std::string::npos);
  ::unsetenv("BAILEY_TEST_OUTER");
  ::unsetenv("BAILEY_TEST_BOTH");
}

TEST(RunProcess, InheritsOnlyTheStandardDescriptors) {
  const int leaky_file = ::open("/dev/null", O_RDONLY);
  const int leaky_socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const auto result = run_process(shell("echo /proc/$$/fd/*"));
  ::close(leaky_file);
  ::close(leaky_socket);
  std::istringstream words(result->output);
  std::set<std::string> descriptors;
  for (std::string word; words >> word;) descriptors.insert(word.substr(word.rfind('/') + 1));
  // The shell itself opens one to list the folder.
  descriptors.erase("3");
  EXPECT_EQ(descriptors, (std::set<std::string>{"0", "1", "2"}));
}

TEST(RunProcess, LeavesNoDescriptorBehind) {
  (void)run_process(shell("true"));
  const auto before = open_descriptors();
  for (int i = 0; i < 5; ++i) {
    (void)run_process(shell("echo x"));
    (void)run_process({.arguments = {"/no/such/program"}});
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(RunProcess, CarriesMoreThanAPipeHoldsBothWays) {
  Command command{.arguments = {"cat"}};
  command.max_output = 8U * 1024 * 1024;
  command.input.assign(5U * 1024 * 1024, 'x');
  const auto result = run_process(command);
  ASSERT_TRUE(result) << result.error().render();
  EXPECT_EQ(result->output, command.input);
}

TEST(RunProcess, SurvivesAChildThatDoesNotReadItsInput) {
  Command command = shell("exec <&-; exit 3");
  command.input.assign(5U * 1024 * 1024, 'x');
  const auto result = run_process(command);
  ASSERT_TRUE(result) << result.error().render();
  EXPECT_EQ(result->exit_code, 3);
}

TEST(RunProcess, AnEmptyInputEndsAtOnce) {
  EXPECT_EQ(run_process({.arguments = {"cat"}})->output, "");
}

TEST(RunProcess, DropsOutputOverTheLimitAndLetsTheChildFinish) {
  Command command = shell("head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; exit 4");
  command.max_output = 1000;
  const auto result = run_process(command);
  ASSERT_TRUE(result) << result.error().render();
  EXPECT_EQ(result->output.size(), 1000U);
  EXPECT_EQ(result->errors.size(), 1000U);
  EXPECT_EQ(result->exit_code, 4);
}

TEST(RunProcess, AMissingProgramIsNotFoundAndLeavesNoZombie) {
  for (const auto* name : {"/no/such/program", "no-such-program-anywhere", "./nothing"}) {
    EXPECT_EQ(run_process({.arguments = {name}}).error().kind(), ErrorKind::NotFound) << name;
  }
  EXPECT_EQ(run_process({.arguments = {"true"}, .working_directory = "/no/such"}).error().kind(),
            ErrorKind::NotFound);
  EXPECT_TRUE(has_no_child());
}

TEST(RunProcess, WhatMayNotBeRunIsPermissionDenied) {
  EXPECT_EQ(run_process({.arguments = {"/etc/passwd"}}).error().kind(),
            ErrorKind::PermissionDenied);
  EXPECT_EQ(run_process({.arguments = {"/etc"}}).error().kind(), ErrorKind::PermissionDenied);
}

TEST(RunProcess, AFailedExecLeavesNoZombie) {
  const auto folder = TemporaryFolder::create();
  ASSERT_TRUE(folder);
  const auto orphan = folder->path() / "orphan";
  ASSERT_TRUE(write_file(orphan, "#!/no/such/interpreter\n", 0755));
  const auto garbage = folder->path() / "garbage";
  ASSERT_TRUE(write_file(garbage, "neither script nor program", 0755));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(run_process({.arguments = {orphan}}).error().kind(), ErrorKind::NotFound);
    EXPECT_EQ(run_process({.arguments = {garbage}}).error().kind(), ErrorKind::Io);
  }
  EXPECT_TRUE(has_no_child());
}

TEST(RunProcess, RunsInTheGivenFolderAndFindsRelativeProgramsThere) {
  const auto folder = TemporaryFolder::create();
  ASSERT_TRUE(folder);
  ASSERT_TRUE(write_file(folder->path() / "where", "#!/bin/sh\npwd\n", 0755));
  const auto result = run_process({.arguments = {"./where"}, .working_directory = folder->path()});
  ASSERT_TRUE(result) << result.error().render();
  EXPECT_EQ(result->output, folder->path().string() + "\n");
}

TEST(RunProcess, LooksOnlyInAbsoluteFoldersOfThePath) {
  const auto folder = TemporaryFolder::create();
  ASSERT_TRUE(folder);
  ASSERT_TRUE(write_file(folder->path() / "only-here", "#!/bin/sh\necho found\n", 0755));
  Command command{.arguments = {"only-here"}, .working_directory = folder->path()};
  command.environment.emplace("PATH", Secret(".::" + folder->path().string()));
  EXPECT_EQ(run_process(command)->output, "found\n");
  command.environment["PATH"] = Secret(".:");
  EXPECT_EQ(run_process(command).error().kind(), ErrorKind::NotFound);
}

TEST(RunProcess, ATimeoutKillsTheWholeGroup) {
  const auto folder = TemporaryFolder::create();
  ASSERT_TRUE(folder);
  const auto note = folder->path() / "pid";
  Command command = shell("sh -c 'echo $$ >" + note.string() + "; exec sleep 1000' & wait");
  // A loaded machine may need longer until the grandchild has said who it is.
  for (command.timeout = 250ms; command.timeout < 60s; command.timeout *= 4) {
    EXPECT_EQ(run_process(command).error().kind(), ErrorKind::Timeout);
    EXPECT_TRUE(has_no_child());
    if (const auto text = read_file(note); text && !text->empty()) break;
  }
  const auto grandchild = read_file(note);
  ASSERT_TRUE(grandchild);
  EXPECT_TRUE(is_gone_soon(std::stoi(*grandchild)));
}

TEST(RunProcess, AStopKillsTheWholeGroup) {
  std::stop_source stop;
  const auto folder = TemporaryFolder::create();
  ASSERT_TRUE(folder);
  const auto gate = folder->path() / "gate";
  ASSERT_EQ(::mkfifo(gate.c_str(), 0600), 0);
  std::jthread stopper([&] {
    std::ifstream opened(gate);  // waits until the child writes
    std::string line;
    std::getline(opened, line);
    stop.request_stop();
  });
  const auto result = run_process(
      shell("trap '' TERM INT; echo go >" + gate.string() + "; sleep 1000"), stop.get_token());
  EXPECT_EQ(result.error().kind(), ErrorKind::Cancelled);
  EXPECT_TRUE(has_no_child());
  EXPECT_EQ(run_process(shell("true"), stop.get_token()).error().kind(), ErrorKind::Cancelled);
}

TEST(RunProcess, KillsWhatTheChildLeavesBehind) {
  const auto result = run_process(shell("sleep 1000 & echo $!"));
  ASSERT_TRUE(result) << result.error().render();
  EXPECT_EQ(result->exit_code, 0);
  EXPECT_TRUE(is_gone_soon(std::stoi(result->output)));
}

TEST(RunProcess, MessagesHoldNeitherArgumentsNorEnvironment) {
  Command command = shell("sleep 1000 # argument-hush");
  command.environment.emplace("TOKEN", Secret("hush"));
  command.input = "hush";
  command.timeout = 50ms;
  EXPECT_EQ(run_process(command).error().render().find("hush"), std::string::npos);
  command.arguments = {"/no/such", "hush"};
  EXPECT_EQ(run_process(command).error().render().find("hush"), std::string::npos);
}

TEST(RunProcess, RefusesWhatNoProgramCanBeGiven) {
  using std::string_literals::operator""s;
  EXPECT_EQ(run_process({}).error().kind(), ErrorKind::InvalidArgument);
  EXPECT_EQ(run_process({.arguments = {"true", "a\0b"s}}).error().kind(),
            ErrorKind::InvalidArgument);
  for (const auto& name : {""s, "A=B"s, "A\0B"s}) {
    Command command{.arguments = {"true"}};
    command.environment.emplace(name, Secret("x"));
    EXPECT_EQ(run_process(command).error().kind(), ErrorKind::InvalidArgument);
  }
  Command command{.arguments = {"true"}};
  command.environment.emplace("A", Secret("x\0y"s));
  EXPECT_EQ(run_process(command).error().kind(), ErrorKind::InvalidArgument);
}

TEST(RunProcess, ChildrenStartWithDefaultSignals) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto result =
      run_process({.arguments = {"grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status"}});
  std::signal(SIGPIPE, SIG_DFL);
  std::istringstream lines(result->output);
  std::string name;
  std::string mask;
  while (lines >> name >> mask) {
    const auto bits = std::stoull(mask, nullptr, 16);
    EXPECT_EQ(bits & (1ULL << (SIGPIPE - 1)), 0U) << name;
    if (name == "SigBlk:") {
      EXPECT_EQ(bits, 0U);
    }
  }
}

TEST(RunProcess, ManyAtOnceDoNotDisturbEachOther) {
  std::vector<std::jthread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([i] {
      for (int round = 0; round < 4; ++round) {
        Command command = shell("cat; exit " + std::to_string(i));
        command.input = std::string(200'000, static_cast<char>('a' + i));
        const auto result = run_process(command);
        ASSERT_TRUE(result) << result.error().render();
        EXPECT_EQ(result->exit_code, i);
        EXPECT_EQ(result->output, command.input);
      }
    });
  }
  threads.clear();
  EXPECT_TRUE(has_no_child());
}

// In a child of the test's own, which then is the program.
ProcessResult become(const Command& command) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(ends[1], 1);
    (void)exec_process(command);
    ::_exit(99);
  }
  ::close(ends[1]);
  ProcessResult result;
  char bytes[4096];
  for (ssize_t count = 0; (count = ::read(ends[0], bytes, sizeof bytes)) > 0;) {
    result.output.append(bytes, static_cast<std::size_t>(count));
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return result;
}

TEST(ExecProcess, BecomesTheProgram) {
  const int leaky = ::open("/dev/null", O_RDONLY);
  Command command = shell("echo $TOKEN; pwd; test -e /proc/$$/fd/" + std::to_string(leaky) +
                          " && echo leaked; exit 5");
  command.environment.emplace("TOKEN", Secret("hush"));
  command.working_directory = "/usr";
  const auto result = become(command);
  ::close(leaky);
  EXPECT_EQ(result.output, "hush\n/usr\n");
  EXPECT_EQ(result.exit_code, 5);
}

TEST(ExecProcess, ReturnsOnlyOnFailureAndStaysWhereItWas) {
  const auto folder = TemporaryFolder::create();
  ASSERT_TRUE(folder);
  const auto garbage = folder->path() / "garbage";
  ASSERT_TRUE(write_file(garbage, "neither script nor program", 0755));
  const auto before = std::filesystem::current_path();
  EXPECT_EQ(exec_process({.arguments = {"no-such-program-anywhere"}}).kind(), ErrorKind::NotFound);
  EXPECT_EQ(exec_process({.arguments = {garbage}, .working_directory = "/"}).kind(), ErrorKind::Io);
  EXPECT_EQ(std::filesystem::current_path(), before);
}

}  // namespace
}  // namespace bailey
