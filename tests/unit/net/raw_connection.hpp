#pragma once

#include <arpa/inet.h>
#include <cstdint>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace bailey::test {

/// A plain socket to a port of this machine, for bytes that no client library would send.
class RawConnection {
 public:
  explicit RawConnection(std::uint16_t port)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    // A test that would hang fails instead.
    const timeval limit{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }
  ~RawConnection() { ::close(fd_); }
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void finish_sending() { ::shutdown(fd_, SHUT_WR); }

  /// What comes up to and including `mark`; all there is when the other side closes first.
  std::string read_until(std::string_view mark) {
    std::size_t end = std::string::npos;
    while ((end = pending_.find(mark)) == std::string::npos) {
      if (!fill()) return std::exchange(pending_, {});
    }
    std::string out = pending_.substr(0, end + mark.size());
    pending_.erase(0, out.size());
    return out;
  }

  std::string read_exactly(std::size_t count) {
    while (pending_.size() < count && fill()) continue;
    std::string out = pending_.substr(0, count);
    pending_.erase(0, out.size());
    return out;
  }

  /// What comes until the other side closes.
  std::string read_all() {
    while (fill()) continue;
    return std::exchange(pending_, {});
  }

  /// True when the connection ended by a reset rather than in order.
  [[nodiscard]] bool was_reset() const { return reset_; }

 private:
  bool fill() {
    char bytes[4096];
    const auto count = ::recv(fd_, bytes, sizeof bytes, 0);
    if (count < 0 && errno == ECONNRESET) reset_ = true;
    if (count <= 0) return false;
    pending_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  int fd_;
  bool connected_ = false;
  bool reset_ = false;
  std::string pending_;
};

/// Status of the first answer in `text`; 0 when there is none.
inline int status_in(std::string_view text) {
  if (!text.starts_with("HTTP/1.") || text.size() < 12) return 0;
  return (text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0');
}

}  // namespace bailey::test
