#include "orchestrator/net/curl_http_client.hpp"

#include "orchestrator/base/assert.hpp"
#include "orchestrator/net/http_head.hpp"
#include "orchestrator/net/send_window.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace bailey {

namespace {

constexpr int kPollMilliseconds = 10'000;  // transfers and wakeups end a poll earlier
constexpr std::size_t kMaxResponseHeaderBytes = 256U * 1024;

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct ListDeleter {
  // The list holds tokens in the clear.
  void operator()(curl_slist* list) const {
    for (auto* item = list; item != nullptr; item = item->next) {
      explicit_bzero(item->data, std::strlen(item->data));
    }
    curl_slist_free_all(list);
  }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;
using Multi = std::unique_ptr<CURLM, MultiDeleter>;
using List = std::unique_ptr<curl_slist, ListDeleter>;

// One request on its way. Shared by the caller, who may give up, and the loop.
struct Transfer {
  Easy easy{curl_easy_init()};
  List headers;
  std::string body;
  std::array<char, CURL_ERROR_SIZE> detail{};
  std::size_t max_response_bytes = 0;
  std::shared_ptr<const SendWindow> window;  // null: whenever it likes

  // Written by the loop's thread until `done`.
  HttpResponse response;
  std::size_t header_bytes = 0;
  bool head_complete = false;
  bool may_repeat = false;
  int sent = 0;  // how often the request went out
  bool too_large = false;
  bool window_over = false;

  std::mutex mutex;
  std::condition_variable_any wake;
  CURLcode code = CURLE_OK;
  bool done = false;
};

void append(List& list, const std::string& line) {
  auto* const grown = curl_slist_append(list.get(), line.c_str());
  BAILEY_ASSERT(grown != nullptr);
  if (!list) list.reset(grown);
}

// RFC 9110 section 9.2.2.
bool is_idempotent(std::string_view method) {
  constexpr std::array<std::string_view, 6> kMethods{"GET",     "HEAD",  "PUT",
                                                     "OPTIONS", "TRACE", "DELETE"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

// RFC 9110 section 9.2.1.
bool is_safe(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE";
}

bool is_over(const SendWindow& window) {
  return window.remaining() <= std::chrono::milliseconds(0);
}

bool has_header(const HttpRequest& request, std::string_view lower_name) {
  const auto named = [&](const auto& header) { return to_lower_ascii(header.first) == lower_name; };
  return std::any_of(request.headers.begin(), request.headers.end(), named) ||
         std::any_of(request.secret_headers.begin(), request.secret_headers.end(), named);
}

// The URL without what may be secret in it: user information, query and fragment.
std::string shown_url(std::string_view url) {
  std::string out(url.substr(0, url.find_first_of("?#")));
  const auto scheme = out.find("://");
  const auto begin = scheme == std::string::npos ? 0 : scheme + 3;
  const auto end = out.find('/', begin);
  const auto at = out.rfind('@', end);
  if (at != std::string::npos && at >= begin) out.erase(begin, at + 1 - begin);
  return out;
}

std::string described(const HttpRequest& request) {
  return request.method + " " + shown_url(request.url);
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (size > transfer.max_response_bytes - transfer.response.body.size()) {
    transfer.too_large = true;
    return 0;
  }
  transfer.response.body.append(data, size);
  return size;
}

// Called with one line at a time: first those of interim answers, then those of the answer, then
// trailers, which do not belong to the head.
std::size_t on_header(char* data, std::size_t, std::size_t size, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  transfer.header_bytes += size;
  if (transfer.header_bytes > kMaxResponseHeaderBytes) {
    transfer.too_large = true;
    return 0;
  }
  std::string_view line(data, size);
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) {
    long status = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200) transfer.head_complete = true;
    return size;
  }
  if (transfer.head_complete) return size;
  if (line.starts_with("HTTP/")) {
    transfer.response.headers.clear();
    return size;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  auto value = line.substr(colon + 1);
  while (value.starts_with(' ') || value.starts_with('\t')) value.remove_prefix(1);
  while (value.ends_with(' ') || value.ends_with('\t')) value.remove_suffix(1);
  transfer.response.headers.emplace_back(to_lower_ascii(line.substr(0, colon)), value);
  return size;
}

// libcurl sends a request again, whatever its method, when a kept connection ends before the first
// byte of the answer. Whether the first one was acted upon is not known then.
int before_request(void* context, char*, char*, int, int) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (transfer.sent > 0 && !transfer.may_repeat) return CURL_PREREQFUNC_ABORT;
  if (transfer.window && is_over(*transfer.window)) {
    transfer.window_over = true;
    return CURL_PREREQFUNC_ABORT;
  }
  ++transfer.sent;
  transfer.response = {};
  transfer.header_bytes = 0;
  transfer.head_complete = false;
  return CURL_PREREQFUNC_OK;
}

Status check(const HttpRequest& request) {
  const auto sendable = [](std::string_view name, std::string_view value) {
    return is_http_token(name) && is_field_value(value);
  };
  if (!is_http_token(request.method)) {
    return fail(ErrorKind::InvalidArgument, "not an HTTP method");
  }
  for (const auto& [name, value] : request.headers) {
    if (!sendable(name, value)) {
      return fail(ErrorKind::InvalidArgument, described(request) + ": malformed header");
    }
  }
  for (const auto& [name, value] : request.secret_headers) {
    if (!sendable(name, value.reveal())) {
      return fail(ErrorKind::InvalidArgument, described(request) + ": malformed secret header");
    }
  }
  return {};
}

void add_header(List& list, const std::string& name, std::string_view value) {
  // libcurl leaves a header out when nothing follows its colon, and sends it empty after this mark.
  std::string line = value.empty() ? name + ";" : name + ": " + std::string(value);
  append(list, line);
  explicit_bzero(line.data(), line.size());
}

void set_headers(Transfer& transfer, const HttpRequest& request) {
  for (const auto& [name, value] : request.headers) add_header(transfer.headers, name, value);
  for (const auto& [name, value] : request.secret_headers) {
    add_header(transfer.headers, name, value.reveal());
  }
  // What libcurl would add of its own: a wait before large bodies, and the type of HTML forms.
  append(transfer.headers, "Expect:");
  if (!has_header(request, "content-type")) append(transfer.headers, "Content-Type:");
  curl_easy_setopt(transfer.easy.get(), CURLOPT_HTTPHEADER, transfer.headers.get());
}

void set_method(Transfer& transfer, const HttpRequest& request) {
  CURL* const easy = transfer.easy.get();
  const bool takes_body =
      request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (takes_body || !request.body.empty()) {
    transfer.body = request.body;
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(transfer.body.size()));
  }
  if (request.method != "HEAD") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
  transfer.may_repeat = is_idempotent(request.method);
}

// What is under way must have ended when the window has.
std::chrono::milliseconds timeout_of(const Transfer& transfer, const HttpRequest& request) {
  if (!transfer.window) return request.timeout;
  return std::min(request.timeout, transfer.window->remaining());
}

void set_transport(Transfer& transfer, const HttpRequest& request, const CurlOptions& options) {
  CURL* const easy = transfer.easy.get();
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "bailey/" BAILEY_VERSION);
  // HTTP/2 over plain TCP breaks when a connection is used again (libcurl 7.88, curl#10634).
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  // Requests that begin together wait for the first handshake, which tells whether they can share
  // its connection; else each would shake hands for itself.
  if (request.url.starts_with("https://")) curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
  const auto timeout = std::max<long>(1, static_cast<long>(timeout_of(transfer, request).count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, timeout);
  if (request.method != "HEAD") {  // whose length is that of a body which does not come
    curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE,
                     static_cast<curl_off_t>(options.max_response_bytes));
  }
  const auto& ca_file = request.ca_file.empty() ? options.ca_file : request.ca_file;
  if (!ca_file.empty()) {
    curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
  }
}

void set_callbacks(Transfer& transfer) {
  CURL* const easy = transfer.easy.get();
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.detail.data());
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &before_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
}

std::shared_ptr<Transfer> make_transfer(const HttpRequest& request, const CurlOptions& options) {
  auto transfer = std::make_shared<Transfer>();
  BAILEY_ASSERT(transfer->easy != nullptr);
  transfer->max_response_bytes = options.max_response_bytes;
  if (!is_safe(request.method)) transfer->window = SendingWithin::current();
  set_transport(*transfer, request, options);
  set_method(*transfer, request);
  set_headers(*transfer, request);
  set_callbacks(*transfer);
  return transfer;
}

bool is_about_certificates(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
         code == CURLE_SSL_ISSUER_ERROR;
}

// Whether the request can have been acted upon is all that callers decide by.
ErrorKind kind_of(const Transfer& transfer) {
  // Another try would find the same certificate.
  if (transfer.too_large || is_about_certificates(transfer.code)) return ErrorKind::Protocol;
  switch (transfer.code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_LOGIN_DENIED:  // user information in the URL
      return ErrorKind::InvalidArgument;
    case CURLE_UNSUPPORTED_PROTOCOL:
      return transfer.sent == 0 ? ErrorKind::InvalidArgument : ErrorKind::Protocol;
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
      return ErrorKind::Protocol;
    default:
      return transfer.sent == 0 ? ErrorKind::Unavailable : ErrorKind::Timeout;
  }
}

// libcurl's own detail can quote the URL, and with it what must not be shown.
std::string curl_detail(const Transfer& transfer, const HttpRequest& request) {
  const std::string_view detail(transfer.detail.data());
  const auto query = request.url.find_first_of("?#@");
  if (detail.empty() || query != std::string::npos) return curl_easy_strerror(transfer.code);
  return std::string(detail);
}

std::string reason(const Transfer& transfer, const HttpRequest& request) {
  if (transfer.too_large || transfer.code == CURLE_FILESIZE_EXCEEDED) {
    return "the answer is larger than allowed";
  }
  if (transfer.window_over) return "the time in which it may be sent is over";
  if (transfer.code == CURLE_ABORTED_BY_CALLBACK) return "the connection ended before an answer";
  if (transfer.code == CURLE_LOGIN_DENIED) return "the URL holds user information";
  if (is_about_certificates(transfer.code)) {
    return std::string("certificate verification failed: ") + curl_detail(transfer, request);
  }
  return curl_detail(transfer, request);
}

}  // namespace

class CurlHttpClient::Loop {
 public:
  explicit Loop(CurlOptions options) : options_(std::move(options)), multi_(make_multi()) {
    thread_ = std::thread([this] { run(); });
  }

  ~Loop() {
    quit_ = true;
    curl_multi_wakeup(multi_.get());
    thread_.join();
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Result<HttpResponse> send(const HttpRequest& request, std::stop_token stop) {
    const auto transfer = make_transfer(request, options_);
    post({transfer, Act::Start});
    {
      std::unique_lock lock(transfer->mutex);
      if (transfer->wake.wait(lock, stop, [&] { return transfer->done; })) {
        lock.unlock();
        return finish(*transfer, request);
      }
    }
    post({transfer, Act::Drop});  // nobody has to wait for that
    return fail(ErrorKind::Cancelled, described(request) + " was cancelled");
  }

 private:
  enum class Act : std::uint8_t { Start, Drop };
  struct Command {
    std::shared_ptr<Transfer> transfer;
    Act act;
  };

  Multi make_multi() const {
    static std::once_flag once;
    std::call_once(once, [] { BAILEY_ASSERT(curl_global_init(CURL_GLOBAL_ALL) == CURLE_OK); });
    Multi multi(curl_multi_init());
    BAILEY_ASSERT(multi != nullptr);
    curl_multi_setopt(multi.get(), CURLMOPT_MAX_HOST_CONNECTIONS,
                      options_.max_connections_per_host);
    // Without a number of its own the pool shrinks to four times the transfers of the moment.
    curl_multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, options_.max_connections_per_host);
    return multi;
  }

  static Result<HttpResponse> finish(Transfer& transfer, const HttpRequest& request) {
    if (transfer.code != CURLE_OK) {
      Error error(kind_of(transfer), described(request) + ": " + reason(transfer, request));
      if (is_about_certificates(transfer.code)) {
        error = std::move(error).with_code(std::string(kBadCertificate));
      } else if (transfer.window_over && transfer.sent == 0) {
        error = std::move(error).with_code(std::string(kWindowOver));
      }
      return fail(std::move(error));
    }
    long status = 0;
    curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status > 599) {
      return fail(ErrorKind::Protocol, described(request) + ": answered without a final status");
    }
    transfer.response.status = static_cast<int>(status);
    return std::move(transfer.response);
  }

  void post(Command command) {
    {
      const std::lock_guard lock(mutex_);
      commands_.push_back(std::move(command));
    }
    curl_multi_wakeup(multi_.get());
  }

  void run() {
    while (!quit_) {
      take_commands();
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      int left = 0;
      while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        CURL* const easy = message->easy_handle;  // the message goes with its handle
        const CURLcode code = message->data.result;
        curl_multi_remove_handle(multi_.get(), easy);
        complete(easy, code);
      }
      curl_multi_poll(multi_.get(), nullptr, 0, kPollMilliseconds, nullptr);
    }
    for (const auto& [easy, transfer] : active_) curl_multi_remove_handle(multi_.get(), easy);
  }

  void take_commands() {
    std::vector<Command> commands;
    {
      const std::lock_guard lock(mutex_);
      commands.swap(commands_);
    }
    for (auto& [transfer, act] : commands) {
      CURL* const easy = transfer->easy.get();
      if (act == Act::Drop) {
        if (active_.erase(easy) > 0) curl_multi_remove_handle(multi_.get(), easy);
        continue;
      }
      active_.emplace(easy, std::move(transfer));
      if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) complete(easy, CURLE_FAILED_INIT);
    }
  }

  void complete(CURL* easy, CURLcode code) {
    const auto node = active_.extract(easy);
    BAILEY_ASSERT(!node.empty());
    auto& transfer = *node.mapped();
    const std::lock_guard lock(transfer.mutex);
    transfer.code = code;
    transfer.done = true;
    transfer.wake.notify_one();
  }

  CurlOptions options_;
  Multi multi_;
  std::mutex mutex_;
  std::vector<Command> commands_;
  std::unordered_map<CURL*, std::shared_ptr<Transfer>> active_;  // the loop's thread only
  std::atomic<bool> quit_ = false;
  std::thread thread_;
};

CurlHttpClient::CurlHttpClient(CurlOptions options)
    : loop_(std::make_unique<Loop>(std::move(options))) {}

CurlHttpClient::~CurlHttpClient() = default;

Result<HttpResponse> CurlHttpClient::send(const HttpRequest& request, std::stop_token stop) {
  if (auto valid = check(request); !valid) return fail(std::move(valid.error()));
  if (stop.stop_requested()) {
    return fail(ErrorKind::Cancelled, described(request) + " was cancelled");
  }
  return loop_->send(request, stop);
}

}  // namespace bailey
