#include "orchestrator/net/http_server.hpp"

#include "orchestrator/net/http_date.hpp"
#include "orchestrator/net/http_head.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <array>
#include <mutex>
#include <set>
#include <thread>

namespace bailey {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 4096;
constexpr std::size_t kBodyReadBytes = 64U * 1024;
constexpr std::size_t kMaxChunkExtension = 64;
constexpr std::size_t kMaxDrainedBytes = 8U * 1024 * 1024;
constexpr std::chrono::seconds kDrainTime{2};
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

constexpr int kContentTooLarge = 413;
constexpr int kExpectationFailed = 417;
constexpr int kHeadTooLarge = 431;
constexpr int kInternalError = 500;
constexpr int kBadRequest = 400;

std::string_view text_of(const beast::flat_buffer& buffer) {
  return {static_cast<const char*>(buffer.data().data()), buffer.size()};
}

std::string_view view(beast::string_view text) {
  return {text.data(), text.size()};
}

// Names that the server sets itself; a handler that could set them could break the framing.
bool is_framing_field(std::string_view lower_name) {
  return lower_name == "content-length" || lower_name == "transfer-encoding" ||
         lower_name == "connection";
}

bool is_sendable(const ServerResponse& response) {
  return response.status >= 200 && response.status <= 599 &&
         std::all_of(response.headers.begin(), response.headers.end(), [](const auto& field) {
           return is_http_token(field.first) && is_field_value(field.second);
         });
}

ServerResponse plain_response(int status) {
  const auto reason = http::obsolete_reason(static_cast<http::status>(status));
  return {.status = status,
          .headers = {{"Content-Type", "text/plain; charset=utf-8"}},
          .body = std::string(view(reason)) + "\n"};
}

ServerResponse call(const ServerHandler& handler, const ServerRequest& request) {
  // Nothing of ours throws; this keeps what does (memory, a library) from ending the whole program.
  try {
    return handler(request);
  } catch (...) {
    return plain_response(kInternalError);
  }
}

// A handler's own Content-Length, which only an answer to HEAD may keep.
std::optional<std::uint64_t> declared_length(const ServerResponse& response) {
  for (const auto& [name, value] : response.headers) {
    if (to_lower_ascii(name) != "content-length") continue;
    std::uint64_t length = 0;
    for (const char c : value) {
      if (c < '0' || c > '9' || value.size() > 18) return std::nullopt;
      length = length * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return length;
  }
  return std::nullopt;
}

WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

http::response<http::string_body> make_message(ServerResponse&& response, bool is_head,
                                               unsigned version, bool keep_alive) {
  http::response<http::string_body> message;
  message.version(version);
  message.result(static_cast<unsigned>(response.status));
  message.set(http::field::date, format_http_date(wall_now()));
  for (const auto& [name, value] : response.headers) {
    const auto lower = to_lower_ascii(name);
    if (is_framing_field(lower)) continue;
    if (lower == "date") message.erase(http::field::date);
    message.insert(name, value);
  }
  message.keep_alive(keep_alive);
  const bool bodiless = response.status == 204 || response.status == 304;
  if (bodiless) return message;
  if (is_head) {
    message.content_length(declared_length(response).value_or(response.body.size()));
    return message;
  }
  message.body() = std::move(response.body);
  message.content_length(message.body().size());
  return message;
}

// Refuses chunk extensions beyond any use, and the trailer section is noticed by the session.
struct ChunkCheck {
  void operator()(std::uint64_t, beast::string_view extensions, error_code& ec) const {
    if (extensions.size() > kMaxChunkExtension) ec = http::error::bad_chunk_extension;
  }
};

// What the sessions need to know of their server.
struct Shared {
  ServerOptions options;
  ServerHandler handler;
  std::function<void(class Session*)> on_gone;
  bool stopping = false;  // I/O thread only
};

// One connection. Everything but the handler runs on the I/O thread.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(Tcp::socket socket, std::string peer, Shared& shared, asio::thread_pool& pool)
      : stream_(std::move(socket)),
        buffer_(shared.options.max_header_bytes + kBodyReadBytes),
        peer_(std::move(peer)),
        shared_(shared),
        pool_(pool) {}
  ~Session() { shared_.on_gone(this); }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start() {
    error_code ignored;
    stream_.socket().set_option(Tcp::no_delay(true), ignored);
    stream_.expires_after(shared_.options.header_timeout);
    read_head();
  }

  // The server stops: a request that is with its handler is still answered.
  void on_stop() {
    if (!busy_) stream_.close();
  }

 private:
  void begin_request() {
    parser_.reset();
    scanned_ = 0;
    head_started_ = false;
    stream_.expires_after(shared_.options.idle_timeout);
    read_head();
  }

  void read_head() {
    // RFC 9112 section 2.2: an empty line left over from the request before is skipped.
    if (scanned_ == 0 && text_of(buffer_).starts_with("\r\n")) buffer_.consume(2);
    const auto text = text_of(buffer_);
    if (!text.empty() && !head_started_) {
      head_started_ = true;
      stream_.expires_after(shared_.options.header_timeout);
    }
    const auto end = find_head_end(text, scanned_);
    if (end.value_or(text.size()) > shared_.options.max_header_bytes) return refuse(kHeadTooLarge);
    if (end) return take_head(text.substr(0, *end));
    scanned_ = text.size() < 3 ? 0 : text.size() - 3;  // the end may be split between two reads
    stream_.async_read_some(buffer_.prepare(kReadBytes),
                            [self = shared_from_this()](error_code ec, std::size_t bytes) {
                              if (ec) return self->stream_.close();
                              self->buffer_.commit(bytes);
                              self->read_head();
                            });
  }

  void take_head(std::string_view head) {
    if (const auto status = refuse_head(head)) return refuse(*status);
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(shared_.options.max_header_bytes));
    parser_->body_limit(shared_.options.max_body_bytes);
    parser_->on_chunk_header(chunk_check_);
    error_code ec;
    const auto used = parser_->put(asio::buffer(head), ec);
    if (ec) return refuse(status_of(ec));
    buffer_.consume(used);
    field_count_ = count_fields();
    if (parser_->is_done()) return handle();
    const auto& expect = parser_->get()[http::field::expect];
    if (expect.empty()) return begin_body();
    if (to_lower_ascii(view(expect)) != "100-continue") return refuse(kExpectationFailed);
    stream_.expires_after(shared_.options.body_timeout);
    asio::async_write(stream_, asio::buffer(kContinue),
                      [self = shared_from_this()](error_code failure, std::size_t) {
                        if (failure) return self->stream_.close();
                        self->begin_body();
                      });
  }

  void begin_body() {
    parser_->eager(true);
    raw_bytes_ = 0;
    stream_.expires_after(shared_.options.body_timeout);
    read_body();
  }

  void read_body() {
    http::async_read_some(stream_, buffer_, *parser_,
                          [self = shared_from_this()](error_code ec, std::size_t bytes) {
                            self->took_body(ec, bytes);
                          });
  }

  void took_body(error_code ec, std::size_t bytes) {
    if (ec == http::error::partial_message || ec == http::error::end_of_stream ||
        (ec && ec.category() != http::make_error_code(http::error::bad_chunk).category())) {
      return stream_.close();
    }
    if (ec) return refuse(status_of(ec));
    // Chunks of one byte cost six: the budget is for bytes as they come, not for what is in them.
    raw_bytes_ += bytes;
    if (raw_bytes_ > 2 * shared_.options.max_body_bytes + kBodyReadBytes) {
      return refuse(kContentTooLarge);
    }
    if (!parser_->is_done()) return read_body();
    // The parser adds trailers to the fields, as if they had been there when the head was checked.
    if (count_fields() != field_count_) return refuse(kBadRequest);
    handle();
  }

  std::size_t count_fields() {
    const auto& message = parser_->get();
    return static_cast<std::size_t>(std::distance(message.begin(), message.end()));
  }

  static int status_of(error_code ec) {
    if (ec == http::error::body_limit) return kContentTooLarge;
    if (ec == http::error::header_limit || ec == http::error::buffer_overflow) return kHeadTooLarge;
    return kBadRequest;
  }

  ServerRequest take_request() {
    auto message = parser_->release();
    ServerRequest request;
    request.method = view(message.method_string());
    request.target = view(message.target());
    const auto question = request.target.find('?');
    request.path = request.target.substr(0, question);
    if (question != std::string::npos) {
      // refuse_head() has seen that every escape is whole.
      request.query =
          parse_query(std::string_view(request.target).substr(question + 1)).value_or(Pairs{});
    }
    for (const auto& field : message) {
      request.headers.emplace_back(to_lower_ascii(view(field.name_string())), view(field.value()));
    }
    request.body = std::move(message.body());
    request.peer = peer_;
    return request;
  }

  void handle() {
    busy_ = true;
    stream_.expires_never();
    keep_alive_ = parser_->keep_alive();
    version_ = parser_->get().version();
    is_head_ = parser_->get().method() == http::verb::head;
    // The I/O thread may only end when this answer is out, so the job holds it.
    auto work = asio::make_work_guard(stream_.get_executor());
    asio::post(pool_, [self = shared_from_this(), request = take_request(),
                       work = std::move(work)]() mutable {
      auto response = call(self->shared_.handler, request);
      auto& session = *self;
      asio::post(session.stream_.get_executor(),
                 [self = std::move(self), response = std::move(response)]() mutable {
                   self->answer(std::move(response));
                 });
    });
  }

  void answer(ServerResponse response) {
    if (response.cut) return reset_connection();
    if (!is_sendable(response)) response = plain_response(kInternalError);
    for (const auto& [name, value] : response.headers) {
      if (to_lower_ascii(name) == "connection" && to_lower_ascii(value) == "close") {
        keep_alive_ = false;
      }
    }
    write(std::move(response));
  }

  // After this the connection is of no use: where the next request begins is not known.
  void refuse(int status) {
    keep_alive_ = false;
    is_head_ = false;
    write(plain_response(status));
  }

  void write(ServerResponse response) {
    busy_ = true;
    keep_alive_ = keep_alive_ && !shared_.stopping;
    message_ = make_message(std::move(response), is_head_, version_, keep_alive_);
    stream_.expires_after(shared_.options.body_timeout);
    http::async_write(stream_, message_, [self = shared_from_this()](error_code ec, std::size_t) {
      self->busy_ = false;
      if (ec) return self->stream_.close();
      if (self->keep_alive_ && !self->shared_.stopping) return self->begin_request();
      self->shut_down();
    });
  }

  // Closing with bytes unread makes the system send a reset, and a reset can overtake our answer.
  void shut_down() {
    error_code ec;
    stream_.socket().shutdown(Tcp::socket::shutdown_send, ec);
    if (ec || shared_.stopping) return stream_.close();
    stream_.expires_after(kDrainTime);
    drain();
  }

  void drain() {
    stream_.async_read_some(asio::buffer(drained_),
                            [self = shared_from_this()](error_code ec, std::size_t bytes) {
                              self->drained_bytes_ += bytes;
                              if (ec || self->drained_bytes_ > kMaxDrainedBytes) {
                                return self->stream_.close();
                              }
                              self->drain();
                            });
  }

  void reset_connection() {
    error_code ignored;
    stream_.socket().set_option(Tcp::socket::linger(true, 0), ignored);
    stream_.close();
  }

  using Pairs = std::vector<std::pair<std::string, std::string>>;

  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::string peer_;
  Shared& shared_;
  asio::thread_pool& pool_;
  ChunkCheck chunk_check_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> message_;
  std::size_t scanned_ = 0;
  std::size_t field_count_ = 0;
  std::size_t raw_bytes_ = 0;
  std::size_t drained_bytes_ = 0;
  std::array<char, kReadBytes> drained_{};
  unsigned version_ = 11;
  bool head_started_ = false;
  bool keep_alive_ = false;
  bool is_head_ = false;
  bool busy_ = false;
};

std::optional<std::string> find_first(const std::vector<std::pair<std::string, std::string>>& pairs,
                                      std::string_view name) {
  const auto found = std::find_if(pairs.begin(), pairs.end(),
                                  [&](const auto& pair) { return pair.first == name; });
  if (found == pairs.end()) return std::nullopt;
  return found->second;
}

ErrorKind kind_of(error_code ec) {
  if (ec == asio::error::address_in_use) return ErrorKind::Conflict;
  if (ec == asio::error::access_denied) return ErrorKind::PermissionDenied;
  return ErrorKind::Io;
}

}  // namespace

std::optional<std::string> ServerRequest::header(std::string_view name) const {
  return find_first(headers, name);
}

std::optional<std::string> ServerRequest::parameter(std::string_view name) const {
  return find_first(query, name);
}

class HttpServer::Engine {
 public:
  Engine(const ServerOptions& options, ServerHandler handler)
      : shared_{.options = options,
                .handler = std::move(handler),
                .on_gone = [this](Session* session) { forget(session); }},
        pool_(std::max<std::size_t>(options.threads, 1)),
        acceptor_(io_),
        pause_(io_) {}

  Status open() {
    error_code ec;
    const auto& options = shared_.options;
    const auto where = options.address + ":" + std::to_string(options.port);
    const auto address = asio::ip::make_address(options.address, ec);
    if (ec) return fail(ErrorKind::InvalidArgument, "not an IP address: " + options.address);
    const Tcp::endpoint endpoint(address, options.port);
    acceptor_.open(endpoint.protocol(), ec);
    if (!ec) acceptor_.set_option(Tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor_.bind(endpoint, ec);
    if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    if (ec) return fail(kind_of(ec), "cannot listen on " + where + ": " + ec.message());
    port_ = acceptor_.local_endpoint(ec).port();
    accept();
    thread_ = std::thread([this] { io_.run(); });
    return {};
  }

  void stop() {
    std::call_once(stopped_, [this] {
      if (!thread_.joinable()) return;
      asio::post(io_, [this] { begin_stop(); });
      thread_.join();  // run() returns when the last connection is gone
      pool_.join();
    });
  }

  [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

 private:
  void accept() {
    if (shared_.stopping) return;
    {
      const std::lock_guard lock(mutex_);
      accepting_ = sessions_.size() < shared_.options.max_connections;
      if (!accepting_) return;
    }
    acceptor_.async_accept([this](error_code ec, Tcp::socket socket) {
      if (shared_.stopping) return;
      if (ec) return accept_later();
      begin(std::move(socket));
      accept();
    });
  }

  // Out of descriptors, most often: trying again at once would only burn the processor.
  void accept_later() {
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this](error_code ec) {
      if (!ec) accept();
    });
  }

  void begin(Tcp::socket socket) {
    error_code ec;
    const auto peer = socket.remote_endpoint(ec);
    if (ec) return;
    const auto session =
        std::make_shared<Session>(std::move(socket), peer.address().to_string(), shared_, pool_);
    {
      const std::lock_guard lock(mutex_);
      sessions_.insert(session.get());
    }
    session->start();
  }

  // The last owner of a session may be a handler's thread.
  void forget(Session* session) {
    const std::lock_guard lock(mutex_);
    sessions_.erase(session);
    if (accepting_) return;
    accepting_ = true;
    asio::post(io_, [this] { accept(); });
  }

  void begin_stop() {
    shared_.stopping = true;
    error_code ignored;
    acceptor_.close(ignored);
    pause_.cancel();
    std::vector<std::shared_ptr<Session>> sessions;
    {
      const std::lock_guard lock(mutex_);
      for (auto* session : sessions_) sessions.push_back(session->weak_from_this().lock());
    }
    for (const auto& session : sessions) {
      if (session) session->on_stop();
    }
  }

  Shared shared_;
  std::mutex mutex_;
  std::set<Session*> sessions_;
  bool accepting_ = true;
  asio::io_context io_{1};
  asio::thread_pool pool_;
  Tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::uint16_t port_ = 0;
  std::once_flag stopped_;
  std::thread thread_;
};

Result<std::unique_ptr<HttpServer>> HttpServer::listen(const ServerOptions& options,
                                                       ServerHandler handler) {
  auto engine = std::make_unique<Engine>(options, std::move(handler));
  if (auto opened = engine->open(); !opened) return fail(std::move(opened.error()));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(engine)));
}

HttpServer::HttpServer(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

HttpServer::~HttpServer() {
  stop();
}

std::uint16_t HttpServer::port() const noexcept {
  return engine_->port();
}

void HttpServer::stop() {
  engine_->stop();
}

}  // namespace bailey
