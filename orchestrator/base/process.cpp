#include "orchestrator/base/process.hpp"

#include "orchestrator/base/text.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/process/async_pipe.hpp>
#include <boost/process/child.hpp>
#include <boost/process/error.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/io.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <linux/close_range.h>
#include <optional>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace bailey {

namespace {

namespace asio = boost::asio;
namespace bp = boost::process;
namespace fs = std::filesystem;
using boost::system::error_code;

constexpr const char* kDefaultPath = "/usr/local/bin:/usr/bin:/bin";
constexpr std::chrono::seconds kDrainTime{2};
constexpr unsigned kFirstOther = 3;  // after standard input, output and error

Error process_error(const char* act, const std::string& what, int code) {
  const auto kind = code == ENOENT || code == ENOTDIR ? ErrorKind::NotFound
                    : code == EACCES || code == EPERM ? ErrorKind::PermissionDenied
                    : code == E2BIG                   ? ErrorKind::InvalidArgument
                                                      : ErrorKind::Io;
  return {kind, std::string("cannot ") + act + " \"" + what +
                    "\": " + std::generic_category().message(code)};
}

bool holds_nul(std::string_view text) {
  return text.find('\0') != std::string_view::npos;
}

// Everything that execve wants, made before the fork: after it, memory may not be asked for.
class Launch {
 public:
  static Result<Launch> prepare(const Command& command);
  Launch(Launch&&) = default;
  Launch& operator=(Launch&&) = delete;
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;
  ~Launch() {
    for (auto& line : environment_) explicit_bzero(line.data(), line.size());
  }

  [[nodiscard]] const std::string& program() const noexcept { return program_; }
  [[nodiscard]] const char* directory() const noexcept {
    return directory_.empty() ? nullptr : directory_.c_str();
  }
  [[nodiscard]] char* const* arguments() noexcept { return argument_pointers_.data(); }
  [[nodiscard]] char** environment() noexcept { return environment_pointers_.data(); }

 private:
  Launch() = default;
  static std::vector<char*> pointers_to(std::vector<std::string>& lines) {
    std::vector<char*> pointers;
    for (auto& line : lines) pointers.push_back(line.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  std::string program_;
  std::string directory_;
  std::vector<std::string> arguments_;
  std::vector<std::string> environment_;
  std::vector<char*> argument_pointers_;
  std::vector<char*> environment_pointers_;
};

Status check(const Command& command) {
  if (command.arguments.empty() || command.arguments.front().empty()) {
    return fail(ErrorKind::InvalidArgument, "a command needs a program");
  }
  if (std::any_of(command.arguments.begin(), command.arguments.end(), holds_nul)) {
    return fail(ErrorKind::InvalidArgument, "an argument holds a NUL character");
  }
  for (const auto& [name, value] : command.environment) {
    if (name.empty() || name.find('=') != std::string::npos || holds_nul(name)) {
      return fail(ErrorKind::InvalidArgument, "malformed name of an environment variable");
    }
    if (holds_nul(value.reveal())) {
      return fail(ErrorKind::InvalidArgument, "the variable " + name + " holds a NUL character");
    }
  }
  return {};
}

// 0, or why the file cannot be run.
int refusal_to_run(const fs::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return errno;
  if (!S_ISREG(info.st_mode)) return EACCES;
  return ::access(file.c_str(), X_OK) == 0 ? 0 : errno;
}

std::string search_path(const Command& command) {
  const auto own = command.environment.find("PATH");
  if (own != command.environment.end()) return std::string(own->second.reveal());
  const char* const inherited = ::getenv("PATH");
  return inherited != nullptr ? inherited : kDefaultPath;
}

Result<std::string> find_program(const Command& command) {
  const auto& name = command.arguments.front();
  if (name.find('/') != std::string::npos) {
    std::error_code ec;
    const auto file = fs::absolute(command.working_directory / name, ec);
    const int code = ec ? ec.value() : refusal_to_run(file);
    if (code != 0) return fail(process_error("run", name, code));
    return file.string();
  }
  int refusal = ENOENT;
  for (const auto& folder : split(search_path(command), ':')) {
    // A relative entry would let the folder we happen to stand in decide what is run.
    if (!folder.starts_with('/')) continue;
    const auto file = fs::path(folder) / name;
    const int code = refusal_to_run(file);
    if (code == 0) return file.string();
    if (code == EACCES) refusal = EACCES;
  }
  return fail(process_error("run", name, refusal));
}

Result<Launch> Launch::prepare(const Command& command) {
  if (auto valid = check(command); !valid) return fail(std::move(valid.error()));
  auto program = find_program(command);
  if (!program) return fail(std::move(program.error()));
  Launch launch;
  launch.program_ = std::move(*program);
  launch.directory_ = command.working_directory.string();
  std::error_code ec;
  if (!launch.directory_.empty() && !fs::is_directory(launch.directory_, ec)) {
    return fail(process_error("enter", launch.directory_, ec ? ec.value() : ENOTDIR));
  }
  launch.arguments_ = command.arguments;
  // Never grown again: a vector that moves its strings would leave their bytes behind unwiped.
  std::vector<std::string_view> inherited;
  for (char** line = environ; command.inherit_environment && *line != nullptr; ++line) {
    const std::string_view text(*line);
    const std::string name(text.substr(0, text.find('=')));
    if (!command.environment.contains(name)) inherited.push_back(text);
  }
  launch.environment_.reserve(inherited.size() + command.environment.size());
  for (const auto text : inherited) launch.environment_.emplace_back(text);
  for (const auto& [name, value] : command.environment) {
    auto& line = launch.environment_.emplace_back();
    line.reserve(name.size() + 1 + value.reveal().size());
    line.append(name).append("=").append(value.reveal());
  }
  launch.argument_pointers_ = pointers_to(launch.arguments_);
  launch.environment_pointers_ = pointers_to(launch.environment_);
  return launch;
}

// Writing to a child that no longer reads raises SIGPIPE in the writing thread, and unlike sockets
// pipes have no flag against it.
class SigpipeBlocked {
 public:
  SigpipeBlocked() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~SigpipeBlocked() {
    const timespec now{};
    if (!was_pending_) {
      while (sigtimedwait(&sigpipe_, nullptr, &now) < 0 && errno == EINTR) continue;
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeBlocked(const SigpipeBlocked&) = delete;
  SigpipeBlocked& operator=(const SigpipeBlocked&) = delete;

 private:
  sigset_t sigpipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

// What a child must not take over from a program with many threads. Safe after a fork.
void reset_signals() {
  std::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

void close_others_on_exec() {
  ::close_range(kFirstOther, ~0U, CLOSE_RANGE_CLOEXEC);
}

// The child reports here why it could not become the program; the end is closed when it did.
class ExecReport {
 public:
  ExecReport() { open_ = ::pipe2(ends_.data(), O_CLOEXEC) == 0; }
  ~ExecReport() {
    close(0);
    close(1);
  }
  ExecReport(const ExecReport&) = delete;
  ExecReport& operator=(const ExecReport&) = delete;

  [[nodiscard]] bool open() const noexcept { return open_; }

  [[noreturn]] void give_up(int code) const noexcept {
    if (::write(ends_[1], &code, sizeof code) < 0) ::_exit(126);
    ::_exit(127);
  }

  // 0 when the program runs. Blocks until that is known.
  int wait() {
    close(1);
    int code = 0;
    ssize_t count = 0;
    do {
      count = ::read(ends_[0], &code, sizeof code);
    } while (count < 0 && errno == EINTR);
    return count == sizeof code ? code : 0;
  }

 private:
  void close(std::size_t end) {
    if (ends_[end] >= 0) ::close(std::exchange(ends_[end], -1));
  }
  std::array<int, 2> ends_{-1, -1};
  bool open_ = false;
};

std::optional<int> reap(pid_t pid) {
  int status = 0;
  pid_t done = 0;
  do {
    done = ::waitpid(pid, &status, 0);
  } while (done < 0 && errno == EINTR);
  if (done != pid) return std::nullopt;
  if (WIFSIGNALED(status)) return 128 + WTERMSIG(status);
  return WEXITSTATUS(status);
}

// One child from start to end, on an event loop of its own in the caller's thread.
class Run {
 public:
  Run(const Command& command, Launch launch) : command_(command), launch_(std::move(launch)) {}
  ~Run() {
    if (pid_ > 0 && !exited_) kill_and_reap();
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  Result<ProcessResult> operator()(const std::stop_token& stop) {
    const SigpipeBlocked blocked;
    if (auto started = start(); !started) return fail(std::move(started.error()));
    deadline_.expires_after(command_.timeout);
    deadline_.async_wait([this](error_code ec) {
      if (!ec) end_early(ErrorKind::Timeout);
    });
    exit_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code) { on_exit(); });
    feed();
    collect(output_pipe_, result_.output, output_buffer_);
    collect(error_pipe_, result_.errors, error_buffer_);
    {
      const std::stop_callback on_stop(
          stop, [this] { asio::post(io_, [this] { end_early(ErrorKind::Cancelled); }); });
      io_.run();
    }
    return finish();
  }

 private:
  using Buffer = std::array<char, 16U * 1024>;

  Status start() {
    ExecReport report;
    if (!report.open()) return fail(process_error("start", name(), errno));
    int fork_error = 0;
    // Boost's own report of a failed exec loses the child's id and with it the child (a zombie).
    bp::child child(
        bp::ignore_error, bp::std_in<input_pipe_, bp::std_out> output_pipe_,
        bp::std_err > error_pipe_,
        bp::extend::on_setup =
            [this](auto& exec) {
              exec.exe = launch_.program().c_str();
              exec.cmd_line = launch_.arguments();
              exec.env = launch_.environment();
            },
        bp::extend::on_fork_error = [&](auto&,
                                        const std::error_code& ec) { fork_error = ec.value(); },
        bp::extend::on_exec_setup =
            [&](auto&) {
              ::setpgid(0, 0);
              reset_signals();
              close_others_on_exec();
              const char* const folder = launch_.directory();
              if (folder != nullptr && ::chdir(folder) != 0) report.give_up(errno);
            },
        bp::extend::on_exec_error = [&](auto&,
                                        const std::error_code& ec) { report.give_up(ec.value()); });
    if (fork_error != 0) return fail(process_error("start", name(), fork_error));
    pid_ = child.id();
    child.detach();  // waiting for it and killing it is done here
    if (const int code = report.wait(); code != 0) {
      kill_and_reap();
      return fail(process_error("run", name(), code));
    }
    // glibc 2.36 declares pidfd_open() for C alone.
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (handle < 0) return fail(process_error("watch", name(), errno));
    error_code ec;
    exit_.assign(handle, ec);
    if (!ec) return {};
    ::close(handle);
    return fail(process_error("watch", name(), ec.value()));
  }

  // Not reaped before it is killed: while the child is a zombie nobody else can have its id.
  void kill_and_reap() {
    ::kill(-pid_, SIGKILL);  // whatever it left running too
    code_ = reap(pid_);
    exited_ = true;
  }

  void feed() {
    asio::async_write(input_pipe_, asio::buffer(command_.input),
                      [this](error_code, std::size_t) { close(input_pipe_); });
  }

  void collect(bp::async_pipe& pipe, std::string& text, Buffer& buffer) {
    pipe.async_read_some(asio::buffer(buffer), [&, this](error_code ec, std::size_t bytes) {
      text.append(buffer.data(), std::min(bytes, command_.max_output - text.size()));
      if (ec) return close(pipe);
      collect(pipe, text, buffer);
    });
  }

  void on_exit() {
    kill_and_reap();
    error_code ignored;
    exit_.close(ignored);
    close(input_pipe_);
    if (!output_pipe_.is_open() && !error_pipe_.is_open()) {
      deadline_.cancel();
      return;
    }
    // A descendant in a session of its own may hold the pipes for ever.
    deadline_.expires_after(kDrainTime);
    deadline_.async_wait([this](error_code ec) {
      if (ec) return;
      close(output_pipe_);
      close(error_pipe_);
    });
  }

  void end_early(ErrorKind kind) {
    if (exited_ || ended_by_) return;
    ended_by_ = kind;
    ::kill(-pid_, SIGKILL);
  }

  void close(bp::async_pipe& pipe) {
    error_code ignored;
    pipe.close(ignored);
    if (exited_ && !output_pipe_.is_open() && !error_pipe_.is_open()) deadline_.cancel();
  }

  Result<ProcessResult> finish() {
    if (ended_by_ == ErrorKind::Timeout) {
      return fail(ErrorKind::Timeout, "\"" + name() + "\" did not end in time and was killed");
    }
    if (ended_by_) return fail(*ended_by_, "\"" + name() + "\" was cancelled");
    if (!code_) return fail(ErrorKind::Io, "cannot learn how \"" + name() + "\" ended");
    result_.exit_code = *code_;
    return std::move(result_);
  }

  [[nodiscard]] const std::string& name() const { return command_.arguments.front(); }

  const Command& command_;
  Launch launch_;
  asio::io_context io_{1};
  bp::async_pipe input_pipe_{io_};
  bp::async_pipe output_pipe_{io_};
  bp::async_pipe error_pipe_{io_};
  asio::posix::stream_descriptor exit_{io_};
  asio::steady_timer deadline_{io_};
  Buffer output_buffer_{};
  Buffer error_buffer_{};
  ProcessResult result_;
  pid_t pid_ = -1;
  bool exited_ = false;
  std::optional<int> code_;
  std::optional<ErrorKind> ended_by_;
};

// Leaves the folder again unless the program was replaced.
class Folder {
 public:
  Folder() : before_(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)) {}
  ~Folder() {
    if (before_ < 0) return;
    if (::fchdir(before_) == 0) ::close(before_);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

 private:
  int before_;
};

}  // namespace

Result<ProcessResult> run_process(const Command& command, std::stop_token stop) {
  auto launch = Launch::prepare(command);
  if (!launch) return fail(std::move(launch.error()));
  const auto& name = command.arguments.front();
  if (stop.stop_requested()) return fail(ErrorKind::Cancelled, "\"" + name + "\" was not started");
  try {
    Run run(command, std::move(*launch));
    return run(stop);
  } catch (const std::exception& error) {
    // Asio and Boost.Process throw when descriptors or memory run out.
    return fail(ErrorKind::Io, "cannot run \"" + name + "\": " + error.what());
  }
}

Error exec_process(const Command& command) {
  auto launch = Launch::prepare(command);
  if (!launch) return std::move(launch.error());
  const auto& name = command.arguments.front();
  const Folder folder;
  if (launch->directory() != nullptr && ::chdir(launch->directory()) != 0) {
    return process_error("enter", launch->directory(), errno);
  }
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  auto* const on_sigpipe = std::signal(SIGPIPE, SIG_DFL);
  reset_signals();
  close_others_on_exec();
  ::execve(launch->program().c_str(), launch->arguments(), launch->environment());
  const int code = errno;
  std::signal(SIGPIPE, on_sigpipe);
  pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  return process_error("run", name, code);
}

}  // namespace bailey
