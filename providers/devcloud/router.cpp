#include "providers/devcloud/router.hpp"

#include "orchestrator/base/assert.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"

#include <algorithm>
#include <exception>
#include <stop_token>
#include <utility>

namespace bailey::devcloud {

namespace {

struct Segment {
  std::string text;
  bool taken = false;  ///< `{name}`: any one segment.
  bool rest = false;   ///< `{name...}`: all that are left, at least one.
};

std::vector<Segment> read_pattern(std::string_view pattern) {
  std::vector<Segment> segments;
  for (const std::string& part : split(pattern.substr(1), '/')) {
    const bool taken = part.size() > 2 && part.front() == '{' && part.back() == '}';
    std::string text = taken ? part.substr(1, part.size() - 2) : part;
    const bool rest = taken && text.size() > 3 && text.compare(text.size() - 3, 3, "...") == 0;
    if (rest) text.resize(text.size() - 3);
    segments.push_back({.text = std::move(text), .taken = taken, .rest = rest});
  }
  return segments;
}

bool has_json(const ServerRequest& request) {
  if (request.body.empty()) return false;
  const auto type = request.header("content-type");
  return !type || type->find("json") != std::string::npos;
}

}  // namespace

struct Router::Route {
  std::string service_type;
  std::string method;
  std::vector<Segment> segments;
  std::size_t literals = 0;
  Access access;
  Handler handler;
};

struct Router::Match {
  const Service* service = nullptr;
  const Route* route = nullptr;
  std::string prefix;
  std::string path;
  std::map<std::string, std::string, std::less<>> parts;
  std::set<std::string> other_methods;  ///< That the path knows, when the method is not one.
};

const std::string& Call::part(std::string_view name) const {
  const auto found = parts.find(name);
  BAILEY_ASSERT(found != parts.end());
  return found->second;
}

std::vector<std::string> Call::queries(std::string_view name) const {
  std::vector<std::string> found;
  for (const auto& [key, value] : http.query) {
    if (key == name) found.push_back(value);
  }
  return found;
}

std::string_view fault_name(int status) noexcept {
  switch (status) {
    case 400:
      return "badRequest";
    case 401:
      return "unauthorized";
    case 403:
      return "forbidden";
    case 404:
      return "itemNotFound";
    case 405:
      return "badMethod";
    case 409:
      return "conflictingRequest";
    case 413:
    case 429:
      return "overLimit";
    case 415:
      return "badMediaType";
    case 501:
      return "notImplemented";
    case 503:
      return "serviceUnavailable";
    default:
      return "computeFault";
  }
}

ServerResponse json_answer(int status, const Json& body) {
  return text_answer(status, "application/json",
                     body.dump(-1, ' ', false, Json::error_handler_t::replace));
}

ServerResponse text_answer(int status, std::string type, std::string body) {
  ServerResponse answer;
  answer.status = status;
  answer.headers.emplace_back("Content-Type", std::move(type));
  answer.body = std::move(body);
  return answer;
}

ServerResponse empty_answer(int status) {
  ServerResponse answer;
  answer.status = status;
  return answer;
}

ServerResponse unauthenticated_answer(const Cloud& cloud) {
  ServerResponse answer =
      json_answer(401, {{"error",
                         {{"code", 401},
                          {"title", "Unauthorized"},
                          {"message", "The request you have made requires authentication."}}}});
  answer.headers.emplace_back("WWW-Authenticate", "Keystone uri=\"" + cloud.base_url() + "/v3\"");
  return answer;
}

ServerResponse no_page_answer(const Call& call) {
  const auto accept = call.http.header("accept");
  if (accept && accept->find("application/json") != std::string::npos) {
    return json_answer(404, {{"message", "The resource could not be found.<br /><br />\n\n\n"},
                             {"code", "404 Not Found"},
                             {"title", "Not Found"}});
  }
  return text_answer(404, "text/html; charset=UTF-8",
                     "<html>\n <head>\n  <title>404 Not Found</title>\n </head>\n <body>\n"
                     "  <h1>404 Not Found</h1>\n  The resource could not be found.<br /><br />"
                     "\n\n\n\n </body>\n</html>");
}

Json without_private(const Json& object) {
  Json shown = Json::object();
  for (const auto& [name, value] : object.items()) {
    if (name.empty() || name.front() != '_') shown[name] = value;
  }
  return shown;
}

Router::Router(Cloud& cloud, Faults& faults, Identify identify)
    : cloud_(cloud), faults_(faults), identify_(std::move(identify)) {}

Router::~Router() = default;

void Router::add_service(Service service) {
  services_.push_back(std::move(service));
}

void Router::add(std::string_view service_type, std::string method, std::string_view pattern,
                 Access access, Handler handler) {
  Route route{.service_type = std::string(service_type),
              .method = std::move(method),
              .segments = read_pattern(pattern),
              .literals = 0,
              .access = std::move(access),
              .handler = std::move(handler)};
  route.literals = static_cast<std::size_t>(
      std::count_if(route.segments.begin(), route.segments.end(),
                    [](const Segment& segment) { return !segment.taken; }));
  routes_.push_back(std::move(route));
}

Router::Match Router::match(const ServerRequest& request) const {
  Match match;
  for (const Service& service : services_) {
    for (const std::string& prefix : service.prefixes) {
      const bool fits =
          request.path.compare(0, prefix.size(), prefix) == 0 &&
          (request.path.size() == prefix.size() || request.path[prefix.size()] == '/');
      if (!fits || (match.service != nullptr && prefix.size() <= match.prefix.size())) continue;
      match.service = &service;
      match.prefix = prefix;
    }
  }
  if (match.service == nullptr) return match;
  match.path = request.path.substr(match.prefix.size());
  if (match.path.empty()) match.path = "/";
  if (match.service->ignores_last_slash && match.path.size() > 1 && match.path.back() == '/') {
    match.path.pop_back();
  }

  std::vector<std::string> given = split(std::string_view(match.path).substr(1), '/');
  for (std::string& segment : given) {
    auto decoded = percent_decode(segment);
    if (!decoded) return match;
    segment = std::move(*decoded);
  }
  for (const Route& route : routes_) {
    const bool rest = !route.segments.empty() && route.segments.back().rest;
    if (route.service_type != match.service->type ||
        (rest ? route.segments.size() > given.size() : route.segments.size() != given.size())) {
      continue;
    }
    const auto same = [](const Segment& segment, const std::string& text) {
      return segment.taken ? !text.empty() : segment.text == text;
    };
    if (!std::equal(route.segments.begin(), route.segments.end(), given.begin(), same)) continue;
    match.other_methods.insert(route.method);
    const bool head = match.service->answers_head && request.method == "HEAD";
    if (route.method != (head ? "GET" : request.method)) continue;
    if (match.route == nullptr || route.literals > match.route->literals) match.route = &route;
  }
  if (match.route != nullptr) {
    const auto& segments = match.route->segments;
    for (std::size_t i = 0; i < segments.size(); ++i) {
      if (segments[i].taken) match.parts[segments[i].text] = given[i];
    }
    for (std::size_t i = segments.size(); i < given.size(); ++i) {
      match.parts[segments.back().text] += "/" + given[i];
    }
  }
  return match;
}

ServerResponse Router::handle(const ServerRequest& request) {
  const Match found = match(request);
  if (found.service == nullptr) return empty_answer(404);
  const Disturbance disturbance = faults_.next(found.service->type, request.method, request.path);
  if (disturbance.delay.count() > 0) cloud_.clock().sleep_for(disturbance.delay, std::stop_token());

  ServerResponse cut;
  cut.cut = true;
  if (disturbance.kind == Disturbance::Kind::CutBefore) return cut;
  const Call call{.http = request,
                  .cloud = cloud_,
                  .prefix = found.prefix,
                  .path = found.path,
                  .parts = {},
                  .body = nullptr,
                  .who = {}};
  std::optional<Refusal> refusal;
  if (disturbance.kind == Disturbance::Kind::TooManyRequests) refusal = Refusal::TooManyRequests;
  if (disturbance.kind == Disturbance::Kind::InternalServerError) {
    refusal = Refusal::InternalServerError;
  }
  if (disturbance.kind == Disturbance::Kind::ServiceUnavailable) {
    refusal = Refusal::ServiceUnavailable;
  }
  ServerResponse answer = refusal ? found.service->refuse(call, *refusal, "")  //
                                  : this->answer(request, found);
  if (disturbance.kind == Disturbance::Kind::CutAfter) return cut;
  if (disturbance.retry_after) {
    answer.headers.emplace_back("Retry-After", std::to_string(*disturbance.retry_after));
  }
  answer.headers.emplace_back("X-Bailey-Devcloud",
                              "an embedded cloud for laptops, demos and tests");
  return answer;
}

ServerResponse Router::answer(const ServerRequest& request, const Match& match) {
  const Service& service = *match.service;
  Call call{.http = request,
            .cloud = cloud_,
            .prefix = match.prefix,
            .path = match.path,
            .parts = match.parts,
            .body = nullptr,
            .who = {}};
  const std::lock_guard lock(cloud_.mutex());
  for (const auto& work : due_) {
    cloud_.begin(Cloud::Sight::Everything);
    work(cloud_);
    // What could not be written is undone, and due again at the next request.
    static_cast<void>(cloud_.commit());
  }
  cloud_.begin(Cloud::Sight::Everything);
  const std::string request_id = "req-" + cloud_.new_uuid();
  ServerResponse answer;
  if (match.route == nullptr) {
    answer =
        match.other_methods.empty()
            ? service.refuse(call, Refusal::UnknownPath, "")
            : service.refuse(call, Refusal::MethodNotAllowed,
                             join({match.other_methods.begin(), match.other_methods.end()}, ", "));
  } else {
    // Handlers do not throw by design; a value of an unforeseen JSON type must still not take the
    // server down.
    try {
      answer = run(*match.route, service, call);
    } catch (const std::exception&) {
      answer = service.refuse(call, Refusal::InternalServerError, "");
    }
  }
  if (answer.status >= 400) {
    cloud_.roll_back();
  } else if (!cloud_.commit()) {
    answer = service.refuse(call, Refusal::InternalServerError, "");
  }
  // What a HEAD answers has no body, whatever the handler made for its GET.
  if (request.method == "HEAD") answer.body.clear();
  answer.headers.emplace_back("X-Openstack-Request-Id", request_id);
  return answer;
}

ServerResponse Router::run(const Route& route, const Service& service, Call& call) {
  if (route.access.needs_token) {
    auto known = identify_(cloud_, call.http.header("x-auth-token").value_or(""));
    if (!known) return service.refuse(call, Refusal::Unauthenticated, known.error());
    call.who = std::move(*known);
    const auto& roles = route.access.roles;
    const bool allowed =
        roles.empty() || std::any_of(roles.begin(), roles.end(),
                                     [&](const std::string& role) { return call.who.has(role); });
    if (!allowed) return service.refuse(call, Refusal::Forbidden, route.access.rule);
  }
  if (service.bodies_are_json && has_json(call.http)) {
    auto body = parse_json(call.http.body);
    if (!body) return service.refuse(call, Refusal::NotJson, "");
    call.body = std::move(*body);
  }
  if (call.http.method == "GET" || call.http.method == "HEAD") {
    cloud_.look(Cloud::Sight::WhatIsVisible);
  }
  return route.handler(call);
}

}  // namespace bailey::devcloud
