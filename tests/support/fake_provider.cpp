#include "tests/support/fake_provider.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"

#include <algorithm>
#include <functional>
#include <thread>

namespace bailey::test {

namespace {

FieldSchema field(std::string name, FieldType type) {
  FieldSchema schema;
  schema.name = std::move(name);
  schema.type = type;
  return schema;
}

FieldSchema replacing(FieldSchema schema) {
  schema.replaces = true;
  return schema;
}

FieldSchema required(FieldSchema schema) {
  schema.required = true;
  return schema;
}

FieldSchema referring(FieldSchema schema, std::string type) {
  schema.refers_to = std::move(type);
  return schema;
}

FieldSchema unordered(FieldSchema schema) {
  schema.unordered = true;
  return schema;
}

FieldSchema with_fields(FieldSchema schema, std::vector<FieldSchema> fields) {
  schema.fields = std::move(fields);
  return schema;
}

ResourceTypeSchema type(std::string name, std::vector<FieldSchema> fields,
                        std::map<std::string, std::string> attributes, std::chrono::seconds grace) {
  ResourceTypeSchema schema;
  schema.name = std::move(name);
  schema.fields = std::move(fields);
  schema.attributes = std::move(attributes);
  schema.visibility_grace = grace;
  return schema;
}

void for_each_string(const Json& value, const std::function<void(const std::string&)>& visit) {
  if (value.is_string()) return visit(value.get_ref<const std::string&>());
  if (!value.is_structured()) return;
  for (const auto& inner : value) for_each_string(inner, visit);
}

bool mentions(const Json& value, const std::string& text) {
  bool found = false;
  for_each_string(value, [&](const std::string& each) {
    found = found || each.find(text) != std::string::npos;
  });
  return found;
}

std::string short_hash(const std::string& text) {
  const auto hash = sha256(text);
  return base32_lower(bytes_of(hash)).substr(0, 8);
}

Json attributes_of(const std::string& type, const std::string& id, const Json& inputs) {
  if (type == "network") return {{"cidr", member(inputs, "cidr")}};
  if (type == "secret") return {{"ref", "secret://" + id}};
  if (type == "server") return {{"address", "10.0.0." + short_hash(id)}};
  return Json::object();
}

/// As a real API shows it: nothing of how a secret was generated, rules in an order of its own.
Json shown_inputs(const std::string& type, Json inputs) {
  if (type == "secret") inputs.erase("generate");
  if (type == "security-group" && inputs.contains("ingress")) {
    std::sort(inputs["ingress"].begin(), inputs["ingress"].end());
  }
  return inputs;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

ProviderSchema fake_provider_schema(std::chrono::seconds grace) {
  ProviderSchema schema;
  schema.name = "fake";
  schema.environment_options = {"/boundary"};
  const auto add = [&](ResourceTypeSchema each) {
    const auto name = each.name;
    schema.resource_types[name] = std::move(each);
  };
  add(type("network",
           {required(replacing(field("cidr", FieldType::String))),
            field("description", FieldType::String)},
           {{"cidr", "the range of addresses"}}, grace));
  add(type("security-group",
           {unordered(
                with_fields(field("ingress", FieldType::ObjectList),
                            {field("protocol", FieldType::String),
                             field("port", FieldType::Integer), field("from", FieldType::String)})),
            field("description", FieldType::String)},
           {}, grace));
  add(type("secret",
           {replacing(with_fields(field("generate", FieldType::Object),
                                  {field("length", FieldType::Integer)}))},
           {{"ref", "where the secret can be fetched"}}, grace));
  add(type(
      "server",
      {required(field("flavor", FieldType::String)), replacing(field("image", FieldType::String)),
       replacing(referring(field("network", FieldType::String), "network")),
       unordered(referring(field("securityGroups", FieldType::StringList), "security-group")),
       field("metadata", FieldType::StringMap)},
      {{"address", "its address inside the network"}}, grace));
  return schema;
}

std::string FakeCloud::plant(const std::string& type, const std::string& boundary,
                             const std::optional<Marker>& marker, Json inputs) {
  const std::lock_guard lock(mutex_);
  const auto id = type + "-planted-" + std::to_string(++planted_);
  auto attributes = attributes_of(type, id, inputs);
  resources_[id] = {type,      id,   boundary, marker, std::move(inputs), std::move(attributes),
                    "planted", true, {}};
  return id;
}

void FakeCloud::drift(const std::string& id, const std::string& name, Json value) {
  const std::lock_guard lock(mutex_);
  resources_.at(id).inputs[name] = std::move(value);
}

void FakeCloud::vanish(const std::string& id) {
  const std::lock_guard lock(mutex_);
  resources_.erase(id);
}

std::vector<FakeCloud::Resource> FakeCloud::resources() const {
  const std::lock_guard lock(mutex_);
  std::vector<Resource> all;
  for (const auto& [id, resource] : resources_) all.push_back(resource);
  return all;
}

std::optional<FakeCloud::Resource> FakeCloud::with_marker(const Marker& marker) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, resource] : resources_) {
    if (resource.marker == marker) return resource;
  }
  return std::nullopt;
}

std::optional<FakeCloud::Resource> FakeCloud::with_id(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = resources_.find(id);
  return found == resources_.end() ? std::nullopt : std::optional(found->second);
}

Json FakeCloud::snapshot() const {
  const std::lock_guard lock(mutex_);
  Json list = Json::array();
  for (const auto& [id, resource] : resources_) {
    list.push_back({{"type", resource.type},
                    {"who", resource.marker ? resource.marker->str() : id},
                    {"inputs", resource.inputs},
                    {"attributes", resource.attributes},
                    {"complete", resource.complete}});
  }
  auto text = list.dump();
  for (const auto& [id, resource] : resources_) {
    if (!resource.marker) continue;
    replace_all(text, "10.0.0." + short_hash(id), "<address of " + resource.marker->str() + ">");
    replace_all(text, id, "<" + resource.marker->str() + ">");
  }
  auto normal = Json::parse(text);
  std::sort(normal.begin(), normal.end());
  return normal;
}

int FakeCloud::duplicates() const {
  const std::lock_guard lock(mutex_);
  std::set<Marker> seen;
  int count = 0;
  for (const auto& [id, resource] : resources_) {
    if (resource.marker && !seen.insert(*resource.marker).second) ++count;
  }
  return count;
}

FakeViolations FakeCloud::violations() const {
  const std::lock_guard lock(mutex_);
  return violations_;
}

std::vector<std::string> FakeCloud::boundaries() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [uid, boundary] : boundary_of_uid_) all.push_back(boundary);
  return all;
}

std::set<std::string> FakeCloud::live_credentials() const {
  const std::lock_guard lock(mutex_);
  return credentials_;
}

void FakeCloud::set_visibility_delay(std::chrono::milliseconds delay) {
  const std::lock_guard lock(mutex_);
  visibility_delay_ = delay;
}

void FakeCloud::set_hides_reads(bool hides) {
  const std::lock_guard lock(mutex_);
  hides_reads_ = hides;
}

void FakeCloud::set_quota(const std::string& type, std::size_t most) {
  const std::lock_guard lock(mutex_);
  quotas_[type] = most;
}

/// One call from its count to its answer: it decides what goes wrong, and notices two mutations of
/// one resource at once.
class FakeProvider::Call {
 public:
  Call(FakeProvider& provider, const std::string& name, std::string subject = {},
       std::string type = {})
      : provider_(provider), subject_(std::move(subject)) {
    std::chrono::microseconds latency{0};
    {
      const std::lock_guard lock(provider_.mutex_);
      ++provider_.calls_;
      ++provider_.by_name_[name];
      provider_.most_in_flight_ = std::max(provider_.most_in_flight_, ++provider_.in_flight_);
      if (provider_.calls_ == provider_.fault_at_) {
        provider_.fired_ = true;
        fault_ = provider_.fault_;
      }
      dies_ = fault_ == FakeFault::CrashBefore || fault_ == FakeFault::CrashAfter;
      dead_ = provider_.dead_;
      provider_.dead_ = provider_.dead_ || dies_;
      refused_ = !subject_.empty() && provider_.refused_types_.contains(type);
      if (!subject_.empty()) latency = provider_.latency_;
    }
    if (latency.count() > 0) std::this_thread::sleep_for(latency);
    if (subject_.empty() || dead_) return;
    const std::lock_guard lock(provider_.cloud_.mutex_);
    owns_ = provider_.cloud_.busy_.insert(subject_).second;
    if (!owns_) ++provider_.cloud_.violations_.overlapping;
  }
  ~Call() {
    if (owns_) {
      const std::lock_guard lock(provider_.cloud_.mutex_);
      provider_.cloud_.busy_.erase(subject_);
    }
    const std::lock_guard lock(provider_.mutex_);
    --provider_.in_flight_;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  /// What is answered instead of acting.
  [[nodiscard]] std::optional<Error> before() const {
    if (dead_ || fault_ == FakeFault::CrashBefore) {
      return Error(ErrorKind::Cancelled, "the process is gone");
    }
    if (refused_ || fault_ == FakeFault::Refuse) return Error(ErrorKind::Refused, "no");
    if (fault_ == FakeFault::FailBefore) return Error(ErrorKind::Unavailable, "come back later");
    if (fault_ == FakeFault::RateLimit) {
      return Error(ErrorKind::RateLimited, "too fast").with_retry_after(kFakeRetryAfter);
    }
    return std::nullopt;
  }
  /// What is answered after acting.
  [[nodiscard]] std::optional<Error> after() const {
    if (fault_ == FakeFault::CrashAfter) return Error(ErrorKind::Cancelled, "the process is gone");
    if (fault_ == FakeFault::NotShown) return Error(ErrorKind::NotFound, "it is not there");
    if (fault_ == FakeFault::LoseAnswer || fault_ == FakeFault::HalfMade) {
      return Error(ErrorKind::Timeout, "no answer");
    }
    return std::nullopt;
  }
  [[nodiscard]] bool half() const { return fault_ == FakeFault::HalfMade; }

 private:
  FakeProvider& provider_;
  std::string subject_;
  std::optional<FakeFault> fault_;
  bool dies_ = false;
  bool dead_ = false;
  bool refused_ = false;
  bool owns_ = false;
};

void FakeProvider::fail_call(int nth, FakeFault fault) {
  const std::lock_guard lock(mutex_);
  fault_at_ = calls_ + nth;
  fault_ = fault;
  fired_ = false;
}

void FakeProvider::refuse_type(const std::string& type, bool refuse) {
  const std::lock_guard lock(mutex_);
  if (refuse) {
    refused_types_.insert(type);
  } else {
    refused_types_.erase(type);
  }
}

bool FakeProvider::fired() const {
  const std::lock_guard lock(mutex_);
  return fired_;
}

int FakeProvider::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::map<std::string, int> FakeProvider::calls_by_name() const {
  const std::lock_guard lock(mutex_);
  return by_name_;
}

int FakeProvider::most_in_flight() const {
  const std::lock_guard lock(mutex_);
  return most_in_flight_;
}

void FakeProvider::set_latency(std::chrono::microseconds latency) {
  const std::lock_guard lock(mutex_);
  latency_ = latency;
}

void FakeProvider::set_create_time(std::chrono::milliseconds time) {
  const std::lock_guard lock(mutex_);
  create_time_ = time;
}

Result<std::string> FakeProvider::ensure_boundary(const BoundaryRequest& request, std::stop_token) {
  const Call call(*this, "ensure_boundary");
  if (auto error = call.before()) return fail(*std::move(error));
  std::string boundary;
  {
    const std::lock_guard lock(cloud_.mutex_);
    auto& known = cloud_.boundary_of_uid_[request.environment_uid.str()];
    if (known.empty()) known = "boundary-" + request.environment_uid.str();
    boundary = known;
    cloud_.name_of_uid_[request.environment_uid.str()] = request.environment;
  }
  if (auto error = call.after()) return fail(*std::move(error));
  return boundary;
}

Result<std::optional<std::string>> FakeProvider::find_boundary(const EnvironmentUid& uid,
                                                               std::stop_token) {
  const Call call(*this, "find_boundary");
  if (auto error = call.before()) return fail(*std::move(error));
  if (auto error = call.after()) return fail(*std::move(error));
  const std::lock_guard lock(cloud_.mutex_);
  const auto found = cloud_.boundary_of_uid_.find(uid.str());
  if (found == cloud_.boundary_of_uid_.end()) return std::optional<std::string>();
  return std::optional(found->second);
}

Result<std::vector<FoundBoundary>> FakeProvider::list_boundaries(std::stop_token) {
  const Call call(*this, "list_boundaries");
  if (auto error = call.before()) return fail(*std::move(error));
  if (auto error = call.after()) return fail(*std::move(error));
  const std::lock_guard lock(cloud_.mutex_);
  std::vector<FoundBoundary> all;
  for (const auto& [uid, boundary] : cloud_.boundary_of_uid_) {
    all.push_back({boundary, EnvironmentUid(uid), cloud_.name_of_uid_[uid]});
  }
  return all;
}

Status FakeProvider::remove_boundary(const std::string& boundary, std::stop_token) {
  const Call call(*this, "remove_boundary");
  if (auto error = call.before()) return fail(*std::move(error));
  {
    const std::lock_guard lock(cloud_.mutex_);
    for (const auto& [id, resource] : cloud_.resources_) {
      if (resource.boundary == boundary) {
        return fail(ErrorKind::FailedPrecondition, "the boundary is not empty");
      }
    }
    std::erase_if(cloud_.boundary_of_uid_,
                  [&](const auto& entry) { return entry.second == boundary; });
  }
  if (auto error = call.after()) return fail(*std::move(error));
  return {};
}

/// Under the cloud's lock.
Status FakeProvider::check_references(const Json& inputs, const std::string& type) {
  const auto schema = fake_provider_schema().resource_types.at(type);
  for (const auto& each : schema.fields) {
    if (each.refers_to.empty()) continue;
    std::optional<std::string> missing;
    for_each_string(member(inputs, each.name), [&](const std::string& id) {
      if (!cloud_.resources_.contains(id)) missing = id;
    });
    if (!missing) continue;
    ++cloud_.violations_.dangling;
    return fail(ErrorKind::InvalidArgument, "there is no " + each.refers_to + " " + *missing);
  }
  return {};
}

/// Under the cloud's lock. Finishes what is half made.
Result<Observed> FakeProvider::make(const ResourceRequest& request, bool complete) {
  const auto marker = request.marker.str();
  std::size_t of_type = 0;
  for (auto& [id, resource] : cloud_.resources_) {
    if (resource.type == request.type) ++of_type;
    if (resource.marker != request.marker) continue;
    if (resource.complete || request.earlier == Earlier::None) {
      ++cloud_.violations_.created_twice;
      break;
    }
    resource.complete = complete;
    resource.inputs = request.inputs;
    return show(resource);
  }
  if (!cloud_.unsettled_.insert(marker).second) ++cloud_.violations_.created_twice;
  const auto quota = cloud_.quotas_.find(request.type);
  if (quota != cloud_.quotas_.end() && of_type >= quota->second) {
    cloud_.unsettled_.erase(marker);
    return fail(ErrorKind::QuotaExceeded,
                "no more than " + std::to_string(quota->second) + " of " + request.type);
  }
  const auto id =
      request.type + "-" + short_hash(marker) + "-" + std::to_string(++cloud_.made_[marker]);
  FakeCloud::Resource resource{request.type,
                               id,
                               request.boundary,
                               request.marker,
                               complete ? request.inputs : Json::object(),
                               attributes_of(request.type, id, request.inputs),
                               request.marker.unique_name(),
                               complete,
                               clock_.wall_now() + cloud_.visibility_delay_};
  auto observed = show(resource);
  cloud_.resources_[id] = std::move(resource);
  return observed;
}

Result<Observed> FakeProvider::create(const ResourceRequest& request, std::stop_token) {
  const Call call(*this, "create", request.marker.str(), request.type);
  if (auto error = call.before()) return fail(*std::move(error));
  if (create_time_.count() > 0) clock_.sleep_for(create_time_, {});
  auto made = [&]() -> Result<Observed> {
    const std::lock_guard lock(cloud_.mutex_);
    if (auto known = check_references(request.inputs, request.type); !known) {
      return fail(std::move(known.error()));
    }
    return make(request, !call.half());
  }();
  if (!made) return made;
  if (auto error = call.after()) return fail(*std::move(error));
  return made;
}

Observed FakeProvider::show(const FakeCloud::Resource& resource) const {
  Observed observed;
  observed.type = resource.type;
  observed.provider_id = resource.id;
  observed.inputs = shown_inputs(resource.type, resource.inputs);
  observed.attributes = resource.attributes;
  observed.marker = resource.marker;
  observed.name = resource.name;
  observed.complete = resource.complete;
  return observed;
}

bool FakeProvider::is_hidden(const FakeCloud::Resource& resource) const {
  return clock_.wall_now() < resource.visible_at;
}

Result<std::optional<Observed>> FakeProvider::read(const std::string& type,
                                                   const std::string& boundary,
                                                   const std::string& provider_id,
                                                   std::stop_token) {
  const Call call(*this, "read");
  if (auto error = call.before()) return fail(*std::move(error));
  if (auto error = call.after()) return fail(*std::move(error));
  const std::lock_guard lock(cloud_.mutex_);
  const auto found = cloud_.resources_.find(provider_id);
  if (found == cloud_.resources_.end() || found->second.type != type ||
      found->second.boundary != boundary || (cloud_.hides_reads_ && is_hidden(found->second))) {
    return std::optional<Observed>();
  }
  return std::optional(show(found->second));
}

Result<Observed> FakeProvider::update(const ResourceRequest& request,
                                      const std::string& provider_id, const Json& before,
                                      std::stop_token) {
  const Call call(*this, "update", provider_id, request.type);
  if (auto error = call.before()) return fail(*std::move(error));
  auto updated = [&]() -> Result<Observed> {
    const std::lock_guard lock(cloud_.mutex_);
    const auto found = cloud_.resources_.find(provider_id);
    if (found == cloud_.resources_.end()) return fail(ErrorKind::NotFound, "it is not there");
    if (auto known = check_references(request.inputs, request.type); !known) {
      return fail(std::move(known.error()));
    }
    // Only what differs from `before`, as the contract has it.
    auto& inputs = found->second.inputs;
    for (const auto& [name, value] : request.inputs.items()) {
      if (member(before, name) != value) inputs[name] = value;
    }
    for (const auto& [name, value] : before.items()) {
      if (!request.inputs.contains(name)) inputs.erase(name);
    }
    return show(found->second);
  }();
  if (!updated) return updated;
  if (auto error = call.after()) return fail(*std::move(error));
  return updated;
}

Status FakeProvider::remove(const std::string& type, const std::string&,
                            const std::string& provider_id, std::stop_token) {
  const Call call(*this, "remove", provider_id, type);
  if (auto error = call.before()) return fail(*std::move(error));
  {
    const std::lock_guard lock(cloud_.mutex_);
    for (const auto& [id, resource] : cloud_.resources_) {
      if (id == provider_id || !mentions(resource.inputs, provider_id)) continue;
      ++cloud_.violations_.removed_in_use;
      return fail(ErrorKind::FailedPrecondition, provider_id + " is in use by " + id);
    }
    const auto found = cloud_.resources_.find(provider_id);
    if (found != cloud_.resources_.end()) {
      if (found->second.marker) cloud_.unsettled_.erase(found->second.marker->str());
      cloud_.resources_.erase(found);
    }
  }
  if (auto error = call.after()) return fail(*std::move(error));
  return {};
}

Result<std::vector<Observed>> FakeProvider::list(const std::string& type,
                                                 const std::string& boundary, std::stop_token) {
  const Call call(*this, "list");
  if (auto error = call.before()) return fail(*std::move(error));
  if (auto error = call.after()) return fail(*std::move(error));
  const std::lock_guard lock(cloud_.mutex_);
  std::vector<Observed> found;
  for (const auto& [id, resource] : cloud_.resources_) {
    if (resource.type != type || resource.boundary != boundary || is_hidden(resource)) continue;
    if (resource.marker) cloud_.unsettled_.erase(resource.marker->str());
    found.push_back(show(resource));
  }
  return found;
}

Result<std::vector<Observed>> FakeProvider::find(const std::string& type,
                                                 const std::string& boundary, const Marker& marker,
                                                 std::stop_token) {
  const Call call(*this, "find");
  if (auto error = call.before()) return fail(*std::move(error));
  if (auto error = call.after()) return fail(*std::move(error));
  const std::lock_guard lock(cloud_.mutex_);
  cloud_.unsettled_.erase(marker.str());
  std::vector<Observed> found;
  for (const auto& [id, resource] : cloud_.resources_) {
    if (resource.type == type && resource.boundary == boundary && resource.marker == marker &&
        !is_hidden(resource)) {
      found.push_back(show(resource));
    }
  }
  return found;
}

Result<Identity> FakeProvider::ensure_identity(const IdentityRequest& request,
                                               const std::optional<Identity>& known,
                                               std::stop_token) {
  const Call call(*this, "ensure_identity");
  if (auto error = call.before()) return fail(*std::move(error));
  Identity identity = known.value_or(Identity{});
  {
    const std::lock_guard lock(cloud_.mutex_);
    identity.id = "identity-" + request.environment_uid.str() + "-" + request.role;
    cloud_.identities_.insert(identity.id);
    if (identity.secret.empty()) identity.secret = Secret("secret of " + identity.id);
  }
  if (auto error = call.after()) return fail(*std::move(error));
  return identity;
}

Status FakeProvider::remove_identity(const std::string& identity, std::stop_token) {
  const Call call(*this, "remove_identity");
  if (auto error = call.before()) return fail(*std::move(error));
  {
    const std::lock_guard lock(cloud_.mutex_);
    cloud_.identities_.erase(identity);
    std::erase_if(cloud_.credentials_, [&](const std::string& credential) {
      return credential.substr(0, identity.size() + 1) == identity + "/";
    });
  }
  if (auto error = call.after()) return fail(*std::move(error));
  return {};
}

Result<IssuedCredential> FakeProvider::issue(const Identity& identity, const IssueRequest& request,
                                             std::stop_token) {
  const Call call(*this, "issue");
  if (auto error = call.before()) return fail(*std::move(error));
  const auto id = identity.id + "/" + request.name;
  {
    const std::lock_guard lock(cloud_.mutex_);
    cloud_.credentials_.insert(id);  // One of the same name is replaced, as the contract says.
  }
  if (auto error = call.after()) return fail(*std::move(error));
  IssuedCredential issued;
  issued.provider_id = id;
  issued.material = Secret(Json{{"token", id}, {"boundary", request.boundary}}.dump());
  return issued;
}

Status FakeProvider::revoke(const Identity&, const std::string& provider_id, std::stop_token) {
  const Call call(*this, "revoke");
  if (auto error = call.before()) return fail(*std::move(error));
  {
    const std::lock_guard lock(cloud_.mutex_);
    cloud_.credentials_.erase(provider_id);
  }
  if (auto error = call.after()) return fail(*std::move(error));
  return {};
}

Result<std::map<std::string, Secret>> FakeProvider::tool_environment(const Secret& material) const {
  auto json = parse_json(material.reveal());
  if (!json) return fail(std::move(json.error()));
  return std::map<std::string, Secret>{{"FAKE_TOKEN", Secret(string_member(*json, "token"))},
                                       {"FAKE_BOUNDARY", Secret(string_member(*json, "boundary"))}};
}

Result<std::vector<ProbeAttempt>> FakeProvider::probe(const Secret& material,
                                                      const ProbeTarget& target, std::stop_token) {
  const Call call(*this, "probe");
  if (auto error = call.before()) return fail(*std::move(error));
  if (auto error = call.after()) return fail(*std::move(error));
  auto json = parse_json(material.reveal());
  if (!json) return fail(std::move(json.error()));
  const bool own = string_member(*json, "boundary") == target.boundary;
  std::vector<ProbeAttempt> attempts;
  ProbeAttempt listing;
  listing.operation = "list everything";
  listing.outcome = own ? ProbeOutcome::Allowed : ProbeOutcome::Refused;
  listing.detail = own ? "200" : "403";
  attempts.push_back(listing);
  for (const auto& thing : target.things) {
    auto attempt = listing;
    attempt.operation = "read " + thing.type;
    attempts.push_back(std::move(attempt));
  }
  return attempts;
}

}  // namespace bailey::test
