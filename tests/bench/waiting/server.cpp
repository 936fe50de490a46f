// Trivial loopback REST server: one thread, epoll, each answer delayed by a timer.
// Usage: server DELAY_MS [POLL_DELAY_MS]. Prints its port, ends when stdin closes (at most 60 s),
// then prints how many connections it accepted.
#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <netinet/tcp.h>
#include <string>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

class Server {
 public:
  Server(milliseconds delay, milliseconds poll_delay) : delay_(delay), poll_delay_(poll_delay) {
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, generic, length) != 0 || listen(listener_, 4096) != 0 ||
        getsockname(listener_, generic, &length) != 0) {
      std::perror("listen");
      std::exit(1);
    }
    watch(listener_);
    watch(STDIN_FILENO);
    std::printf("%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
  }

  void run() {
    const auto end = Clock::now() + std::chrono::seconds(60);
    while (Clock::now() < end) {
      epoll_event events[256];
      const int count = epoll_wait(epoll_, events, 256, next_timeout());
      for (int i = 0; i < count; ++i) {
        const int fd = events[i].data.fd;
        if (fd == STDIN_FILENO) return finish();
        fd == listener_ ? accept_all() : read_from(fd);
      }
      send_due();
    }
    finish();
  }

 private:
  struct Connection {
    long serial = 0;
    std::string input;
  };
  struct Reply {
    int fd;
    long serial;
    std::string text;
  };

  void watch(int fd) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }

  int next_timeout() const {
    if (replies_.empty()) return 1000;
    const auto left = std::chrono::ceil<milliseconds>(replies_.begin()->first - Clock::now());
    return static_cast<int>(std::clamp<long>(left.count(), 0, 1000));
  }

  void accept_all() {
    for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      connections_[fd] = {++accepted_, {}};
      watch(fd);
    }
  }

  void read_from(int fd) {
    char buffer[4096];
    const ssize_t size = read(fd, buffer, sizeof(buffer));
    if (size <= 0) {
      connections_.erase(fd);
      close(fd);
      return;
    }
    auto& connection = connections_[fd];
    connection.input.append(buffer, static_cast<size_t>(size));
    const auto head_end = connection.input.find("\r\n\r\n");
    if (head_end == std::string::npos) return;
    const auto length_at = connection.input.find("Content-Length: ");
    const size_t body =
        length_at < head_end ? std::stoul(connection.input.substr(length_at + 16)) : 0;
    if (connection.input.size() < head_end + 4 + body) return;
    answer(fd, connection);
    connection.input.clear();
  }

  // POST /machines, GET /machines/ID/state (twice "building", then "ready"; one machine in 16
  // fails on its second poll), GET /machines/ID, DELETE /machines/ID.
  void answer(int fd, const Connection& connection) {
    const auto& input = connection.input;
    int status = 200;
    std::string body = "10.0.0.1";
    auto delay = delay_;
    if (input.starts_with("POST")) {
      status = 201;
      body = std::to_string(++machines_);
    } else if (input.starts_with("DELETE")) {
      status = 200;
      body = "deleted";
    } else if (const auto state_at = input.find("/state "); state_at < input.find('\r')) {
      const int id = std::atoi(input.c_str() + std::strlen("GET /machines/"));
      const int polls = ++polls_[id];
      body = id % 16 == 7 && polls == 2 ? "failed" : polls < 3 ? "building" : "ready";
      delay = poll_delay_;
    }
    replies_.emplace(Clock::now() + delay,
                     Reply{fd, connection.serial,
                           "HTTP/1.1 " + std::to_string(status) + " OK\r\nContent-Length: " +
                               std::to_string(body.size()) + "\r\n\r\n" + body});
  }

  void send_due() {
    while (!replies_.empty() && replies_.begin()->first <= Clock::now()) {
      const auto& reply = replies_.begin()->second;
      const auto found = connections_.find(reply.fd);
      if (found != connections_.end() && found->second.serial == reply.serial) {
        [[maybe_unused]] const auto sent =
            send(reply.fd, reply.text.data(), reply.text.size(), MSG_NOSIGNAL);
      }
      replies_.erase(replies_.begin());
    }
  }

  void finish() const { std::printf("%ld\n", accepted_); }

  milliseconds delay_;
  milliseconds poll_delay_;
  int epoll_ = -1;
  int listener_ = -1;
  long accepted_ = 0;
  int machines_ = 0;
  std::unordered_map<int, Connection> connections_;
  std::unordered_map<int, int> polls_;
  std::multimap<Clock::time_point, Reply> replies_;
};

int main(int argc, char** argv) {
  const milliseconds delay(argc > 1 ? std::atoi(argv[1]) : 50);
  Server(delay, argc > 2 ? milliseconds(std::atoi(argv[2])) : delay).run();
}
