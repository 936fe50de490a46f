#include "providers/openstack/api.hpp"

#include "orchestrator/base/json.hpp"

#include <set>

namespace bailey::openstack {

namespace {

/// The query of the page after this one, or empty. Services say where they think that they are;
/// only the query is taken from that, so that a token never goes anywhere else.
std::string next_query(const Json& page, const std::string& collection) {
  std::string next;
  for (const auto& link : member(page, collection + "_links")) {
    if (string_member(link, "rel") == "next") next = string_member(link, "href");
  }
  if (next.empty()) next = string_member(page, "next");
  if (next.empty()) next = string_member(member(page, "links"), "next");
  const auto mark = next.find('?');
  return mark == std::string::npos ? std::string() : next.substr(mark);
}

}  // namespace

Result<Json> Api::ask(const Call& call) const {
  auto answer = send(call);
  if (!answer) return fail(std::move(answer.error()));
  if (answer->body.empty()) return Json::object();
  auto body = parse_json(answer->body);
  if (!body) {
    return fail(std::move(body.error())
                    .in("reading the answer to " + call.method + " " +
                        std::string(to_string(call.service)) + " " + call.path));
  }
  return std::move(*body);
}

Result<Json> Api::get(Service service, const std::string& path) const {
  return ask({.service = service, .path = path});
}

Result<std::optional<Json>> Api::find(Service service, const std::string& path) const {
  auto found = get(service, path);
  if (found) return std::optional<Json>(std::move(*found));
  if (found.error().kind() == ErrorKind::NotFound) return std::optional<Json>();
  return fail(std::move(found.error()));
}

Result<Json> Api::post(Service service, const std::string& path, const Json& body,
                       Quote quote) const {
  return ask({.service = service,
              .method = "POST",
              .path = path,
              .body = body.dump(),
              .repeat = Repeat::Never,
              .quote = quote});
}

Result<Json> Api::put(Service service, const std::string& path, const Json& body,
                      Repeat repeat) const {
  return ask({.service = service,
              .method = "PUT",
              .path = path,
              .body = body.is_null() ? "" : body.dump(),
              .repeat = repeat});
}

Result<Json> Api::patch(Service service, const std::string& path, const Json& body,
                        Quote quote) const {
  return ask(
      {.service = service, .method = "PATCH", .path = path, .body = body.dump(), .quote = quote});
}

Status Api::remove(Service service, const std::string& path) const {
  auto answer = send({.service = service, .method = "DELETE", .path = path});
  if (answer || answer.error().kind() == ErrorKind::NotFound) return {};
  return fail(std::move(answer.error()));
}

Result<std::vector<Json>> Api::list(Service service, const std::string& path,
                                    const std::string& collection) const {
  const auto root = path.substr(0, path.find('?'));
  std::vector<Json> all;
  std::set<std::string> seen;
  for (auto here = path; seen.insert(here).second;) {
    auto page = get(service, here);
    if (!page) return fail(std::move(page.error()));
    const auto& items = member(*page, collection);
    if (!items.is_array()) {
      return fail(ErrorKind::Protocol, "the " + std::string(to_string(service)) +
                                           " service answered " + root + " without \"" +
                                           collection + "\"");
    }
    all.insert(all.end(), items.begin(), items.end());
    const auto query = next_query(*page, collection);
    if (query.empty() || items.empty()) return all;
    here = root + query;
  }
  return fail(ErrorKind::Protocol, "the " + std::string(to_string(service)) + " service answered " +
                                       root + " with pages in a circle");
}

}  // namespace bailey::openstack
