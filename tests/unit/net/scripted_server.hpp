#pragma once

#include <arpa/inet.h>
#include <atomic>
#include <cstdint>
#include <functional>
#include <netinet/in.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace bailey::test {

/// One accepted connection, to answer on as no honest server would.
class Peer {
 public:
  explicit Peer(int fd, const std::atomic<bool>& quit) : fd_(fd), quit_(quit) {}
  ~Peer() { close(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  /// What comes up to and including `mark`; empty when the other side closes first.
  std::string read_until(std::string_view mark) {
    std::size_t end = std::string::npos;
    while ((end = pending_.find(mark)) == std::string::npos) {
      if (!fill()) return {};
    }
    std::string out = pending_.substr(0, end + mark.size());
    pending_.erase(0, out.size());
    return out;
  }
  void read_all() {
    while (fill()) continue;
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty() && !quit_) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return !quit_;
  }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

 private:
  bool fill() {
    while (!quit_) {
      pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, 20) == 0) continue;
      char bytes[4096];
      const auto count = ::recv(fd_, bytes, sizeof bytes, 0);
      if (count <= 0) return false;
      pending_.append(bytes, static_cast<std::size_t>(count));
      return true;
    }
    return false;
  }

  int fd_;
  const std::atomic<bool>& quit_;
  std::string pending_;
};

/// Runs `script` for one connection after the other, on a thread of its own, and closes each when
/// the script returns.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::function<void(Peer&)> script)
      : script_(std::move(script)), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(fd_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(fd_, 64);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~ScriptedServer() {
    quit_ = true;
    thread_.join();
    ::close(fd_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int accepted() const { return accepted_; }

 private:
  void run() {
    while (!quit_) {
      pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++accepted_;
      Peer peer(fd, quit_);
      script_(peer);
    }
  }

  std::function<void(Peer&)> script_;
  int fd_;
  std::uint16_t port_ = 0;
  std::atomic<bool> quit_ = false;
  std::atomic<int> accepted_ = 0;
  std::thread thread_;
};

}  // namespace bailey::test
