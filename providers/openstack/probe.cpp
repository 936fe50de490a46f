#include "providers/openstack/probe.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"

namespace bailey::openstack {

namespace {

/// What is tried for one type: its path, and what a person calls reading it.
struct Door {
  std::string_view type;
  Service service;
  std::string_view collection;
  std::string_view suffix = {};      ///< Where the content of it is.
  std::string_view of_project = {};  ///< What stands between its id and the target's project.
};

constexpr Door kDoors[] = {
    {"network", Service::Network, "/networks/"},
    {"router", Service::Network, "/routers/"},
    {"security-group", Service::Network, "/security-groups/"},
    {"floating-ip", Service::Network, "/floatingips/"},
    {"server", Service::Compute, "/servers/"},
    {"server-group", Service::Compute, "/os-server-groups/"},
    {"keypair", Service::Compute, "/os-keypairs/"},
    // The id of a quota is that of its project.
    {"quota", Service::Compute, "/os-quota-sets/"},
    {"secret", Service::KeyManager, "/secrets/", "/payload"},
    {"volume", Service::Volume, "/volumes/"},
    {"zone", Service::Dns, "/zones/"},
    // The image itself may be shared with many.
    {"shared-image", Service::Image, "/images/", "", "/members/"},
};

class Probe {
 public:
  Probe(const SessionOptions& intruder, const ProbeTarget& target, const Doors& doors,
        std::stop_token stop)
      : options_(intruder),
        target_(target),
        doors_(doors),
        session_(intruder, doors),
        api_(session_, stop),
        stop_(std::move(stop)) {}

  std::vector<ProbeAttempt> run() {
    auto token = session_.token(stop_);
    if (!token) {
      note("log in", ProbeOutcome::Unknown, token.error().message());
      return std::move(attempts_);
    }
    rescope(**token);
    list("list networks", Service::Network,
         "/networks?project_id=" + percent_encode(target_.boundary), "networks", "project_id");
    list("list servers", Service::Compute,
         "/servers/detail?project_id=" + percent_encode(target_.boundary), "servers", "tenant_id");
    list("list servers of all projects", Service::Compute,
         "/servers/detail?all_tenants=1&project_id=" + percent_encode(target_.boundary), "servers",
         "tenant_id");
    list("list volumes of all projects", Service::Volume, "/volumes/detail?all_tenants=1",
         "volumes", "os-vol-tenant-attr:tenant_id");
    create_network();
    for (const auto& thing : target_.things) reach(thing);
    return std::move(attempts_);
  }

 private:
  void note(std::string operation, ProbeOutcome outcome, std::string detail) {
    attempts_.push_back({std::move(operation), outcome, std::move(detail)});
  }

  /// Of a failed call: a refusal by the provider is Refused, everything else says nothing.
  void note_failure(std::string operation, const Error& error) {
    const auto kind = error.kind();
    const bool refused = kind == ErrorKind::NotFound || kind == ErrorKind::PermissionDenied;
    note(std::move(operation), refused ? ProbeOutcome::Refused : ProbeOutcome::Unknown,
         error.message());
  }

  void rescope(const Token& token) {
    HttpRequest request;
    request.method = "POST";
    request.url = token.endpoints.at(Service::Identity) + "/auth/tokens";
    request.ca_file = options_.ca_file;
    request.headers = {{"Content-Type", "application/json"}};
    const Json body{
        {"auth",
         {{"identity", {{"methods", {"token"}}, {"token", {{"id", token.id.reveal()}}}}},
          {"scope", {{"project", {{"id", target_.boundary}}}}}}}};
    request.body = body.dump();
    const auto answer = send_with_retry(doors_, request, Repeat::Safe, RetryPolicy{}, stop_);
    const std::string operation = "rescope token";
    if (!answer) return note(operation, ProbeOutcome::Unknown, answer.error().message());
    if (answer->status == 201 || answer->status == 200) {
      return note(operation, ProbeOutcome::Allowed, "Keystone gave a token for the project");
    }
    const auto error = error_from(*answer, "POST identity /auth/tokens", Quote::No);
    // Of a token that it has just given, Keystone says 401 when there is no role on the project.
    if (error.kind() == ErrorKind::Unauthenticated) {
      return note(operation, ProbeOutcome::Refused, error.message());
    }
    note_failure(operation, error);
  }

  void list(const std::string& operation, Service service, const std::string& path,
            const std::string& collection, const std::string& owner) {
    auto found = api_.list(service, path, collection);
    if (!found && found.error().code() == kNoService) return;
    if (!found) return note_failure(operation, found.error());
    std::size_t theirs = 0;
    for (const auto& thing : *found) {
      if (string_member(thing, owner) == target_.boundary) ++theirs;
    }
    note(operation, theirs == 0 ? ProbeOutcome::Refused : ProbeOutcome::Allowed,
         std::to_string(theirs) + " of the target's were listed");
  }

  void create_network() {
    const std::string operation = "create network";
    const auto name = "bailey-probe-" + hex(doors_.random.bytes(8));
    auto made = api_.post(Service::Network, "/networks",
                          {{"network", {{"name", name}, {"project_id", target_.boundary}}}});
    if (made) {
      const auto& network = member(*made, "network");
      const bool theirs = string_member(network, "project_id") == target_.boundary;
      note(operation, theirs ? ProbeOutcome::Allowed : ProbeOutcome::Refused,
           theirs ? "the network was made in the target's project"
                  : "the network was made in the credential's own project");
      take_back(string_member(network, "id"));
      return;
    }
    // Neutron says 400 to who names a project that is not its own.
    if (made.error().kind() == ErrorKind::InvalidArgument) {
      return note(operation, ProbeOutcome::Refused, made.error().message());
    }
    note_failure(operation, made.error());
    if (made.error().kind() == ErrorKind::Timeout) take_back_by_name(name);
  }

  void take_back(const std::string& id) {
    if (auto gone = api_.remove(Service::Network, "/networks/" + percent_encode(id)); !gone) {
      attempts_.back().detail += "; it could not be removed again: " + gone.error().message();
    }
  }

  void take_back_by_name(const std::string& name) {
    auto found = api_.list(Service::Network, "/networks?name=" + name, "networks");
    if (!found) return;
    for (const auto& network : *found) {
      if (string_member(network, "name") == name) take_back(string_member(network, "id"));
    }
  }

  void reach(const ProbeTarget::Thing& thing) {
    if (thing.type == "container") return reach_container(thing.provider_id);
    for (const auto& door : kDoors) {
      if (door.type != thing.type) continue;
      auto path = std::string(door.collection) + percent_encode(thing.provider_id);
      if (!door.of_project.empty()) {
        path += std::string(door.of_project) + percent_encode(target_.boundary);
      }
      if (read(door, path) == ProbeOutcome::Refused) remove(door, path);
      return;
    }
    note("read " + thing.type, ProbeOutcome::Unknown, "nobody knows how to try that");
  }

  /// A container is found by the account in the address, which is the project's: the intruder says
  /// the target's there.
  void reach_container(const std::string& name) {
    const auto token = session_.token(stop_);
    if (!token) return note("read container", ProbeOutcome::Unknown, token.error().message());
    const auto found = (*token)->endpoints.find(Service::ObjectStore);
    if (found == (*token)->endpoints.end()) {
      return note("read container", ProbeOutcome::Unknown, "the catalogue lists no object store");
    }
    auto address = found->second;
    const auto own = address.rfind((*token)->project_id);
    if (own == std::string::npos) {
      return note("read container", ProbeOutcome::Unknown, "its address names no project");
    }
    address.replace(own, (*token)->project_id.size(), target_.boundary);
    for (const auto& [method, verb] : {std::pair{"GET", "read"}, std::pair{"DELETE", "delete"}}) {
      HttpRequest request;
      request.method = method;
      request.url = address + "/" + percent_encode(name);
      request.ca_file = options_.ca_file;
      request.secret_headers = {{"X-Auth-Token", (*token)->id}};
      note_answer(std::string(verb) + " container", method,
                  send_with_retry(doors_, request, Repeat::Safe, RetryPolicy{}, stop_));
      if (attempts_.back().outcome != ProbeOutcome::Refused) return;
    }
  }

  void note_answer(std::string operation, const std::string& method,
                   const Result<HttpResponse>& answer) {
    if (!answer) return note(std::move(operation), ProbeOutcome::Unknown, answer.error().message());
    if (answer->status >= 200 && answer->status < 300) {
      return note(std::move(operation), ProbeOutcome::Allowed, "the provider answered " + method);
    }
    auto error = error_from(*answer, method + " object-store", Quote::No);
    // "It holds objects": found, and only its use forbids it.
    if (error.kind() == ErrorKind::Conflict) {
      return note(std::move(operation), ProbeOutcome::Allowed, error.message());
    }
    note_failure(std::move(operation), error);
  }

  /// For something with content, both the thing and the content are tried.
  ProbeOutcome read(const Door& door, const std::string& path) {
    const std::string operation = "read " + std::string(door.type);
    auto outcome = look(door.service, path, operation, "application/json");
    if (!door.suffix.empty()) {
      const auto content = look(door.service, path + std::string(door.suffix),
                                operation + std::string(door.suffix), "text/plain");
      if (outcome == ProbeOutcome::Refused) outcome = content;
    }
    return outcome;
  }

  ProbeOutcome look(Service service, const std::string& path, const std::string& operation,
                    const std::string& accept) {
    const auto answer = api_.send({.service = service,
                                   .path = path,
                                   .accept = accept,
                                   .quote = accept == "text/plain" ? Quote::No : Quote::Yes});
    if (answer) {
      note(operation, ProbeOutcome::Allowed, "the provider answered with it");
    } else {
      note_failure(operation, answer.error());
    }
    return attempts_.back().outcome;
  }

  /// A conflict says that the thing was found and only its use forbids it: no refusal.
  void remove(const Door& door, const std::string& path) {
    const std::string operation = "delete " + std::string(door.type);
    const auto answer = api_.send({.service = door.service, .method = "DELETE", .path = path});
    if (answer) return note(operation, ProbeOutcome::Allowed, "the provider deleted it");
    if (answer.error().kind() == ErrorKind::Conflict) {
      return note(operation, ProbeOutcome::Allowed, answer.error().message());
    }
    note_failure(operation, answer.error());
  }

  const SessionOptions& options_;
  const ProbeTarget& target_;
  const Doors doors_;
  Session session_;
  Api api_;
  std::stop_token stop_;
  std::vector<ProbeAttempt> attempts_;
};

}  // namespace

Result<std::vector<ProbeAttempt>> probe(const SessionOptions& intruder, const ProbeTarget& target,
                                        const Doors& doors, std::stop_token stop) {
  if (target.boundary.empty()) {
    return fail(ErrorKind::InvalidArgument, "a probe needs a boundary to try");
  }
  return Probe(intruder, target, doors, std::move(stop)).run();
}

}  // namespace bailey::openstack
