#include "orchestrator/serve/cli/interruption.hpp"

#include <atomic>
#include <fcntl.h>
#include <unistd.h>

namespace bailey {

namespace {

constexpr std::array<int, 3> kSignals{SIGINT, SIGTERM, SIGHUP};
std::atomic<int> interruption_pipe{-1};

extern "C" void on_interruption(int) {
  const int descriptor = interruption_pipe.load();
  if (descriptor >= 0) [[maybe_unused]]
    const auto written = ::write(descriptor, "!", 1);
}

}  // namespace

Interruption::Interruption() {
  if (::pipe2(pipe_.data(), O_CLOEXEC) != 0) return;
  interruption_pipe.store(pipe_[1]);
  thread_ = std::thread([this] {
    char byte = 0;
    if (::read(pipe_[0], &byte, 1) == 1 && byte == '!') stop_.request_stop();
  });
  struct sigaction action {};
  action.sa_handler = on_interruption;
  action.sa_flags = SA_RESTART;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], &action, &before_[i]);
    // What was ignored when we were started (nohup, a shell's background) stays ignored.
    if (before_[i].sa_handler == SIG_IGN) ::sigaction(kSignals[i], &before_[i], nullptr);
  }
}

Interruption::~Interruption() {
  if (pipe_[0] < 0) return;
  for (std::size_t i = 0; i < kSignals.size(); ++i) {
    ::sigaction(kSignals[i], &before_[i], nullptr);
  }
  interruption_pipe.store(-1);
  [[maybe_unused]] const auto written = ::write(pipe_[1], ".", 1);
  thread_.join();
  ::close(pipe_[0]);
  ::close(pipe_[1]);
}

}  // namespace bailey
