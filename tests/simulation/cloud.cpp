#include "tests/simulation/cloud.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/provision/apply/journal.hpp"

#include <algorithm>

namespace bailey::test {

namespace {

const char* const kBoundary = "boundary-env-1";
const char* const kUid = "env-1";
constexpr std::size_t kNoQuota = 1000000;

std::string_view to_string(SimulatedCloud::Fate fate) {
  switch (fate) {
    case SimulatedCloud::Fate::Answered:
      return "answered";
    case SimulatedCloud::Fate::Lost:
      return "lost";
    case SimulatedCloud::Fate::HalfMade:
      return "half made";
    case SimulatedCloud::Fate::Refused:
      return "refused";
    case SimulatedCloud::Fate::Unavailable:
      return "unavailable";
    case SimulatedCloud::Fate::RateLimited:
      return "rate limited";
  }
  return "";
}

/// What the trace says of an answer.
std::string shown(const Result<Observed>& made) {
  return made->provider_id;
}
std::string shown(const Result<std::optional<Observed>>& read) {
  return *read ? "there" : "not there";
}
std::string shown(const Result<std::vector<Observed>>& listed) {
  return std::to_string(listed->size());
}
template <class Other>
std::string shown(const Other&) {
  return "done";
}

bool is_ours(const FakeCloud::Resource& resource) {
  return resource.marker && resource.marker->environment_uid == EnvironmentUid(kUid);
}

}  // namespace

SimulatedCloud::SimulatedCloud(Scheduler& the_scheduler, Dice& the_dice, Trace& the_trace,
                               StateStore& truth, SpecModel& the_spec)
    : scheduler(the_scheduler),
      dice(the_dice),
      trace(the_trace),
      spec(the_spec),
      clock(the_scheduler),
      inner(fake, clock),
      truth_(truth) {}

void SimulatedCloud::point_within(Server& server) {
  if (!server.process.dead && !calm && dice.happens(faults.kill)) scheduler.kill(server.process);
}

void SimulatedCloud::point(Server& server) {
  point_within(server);
  if (server.process.dead || calm) return;
  if (dice.happens(faults.freeze)) {
    scheduler.freeze(server.process, dice.time_between(VirtualTime(1000), faults.longest_freeze));
  }
}

void SimulatedCloud::sent(Server& server, const Call& call) {
  if (!call.mutates) return;
  const auto key = call.verb + " " + call.subject;
  if (const auto told = server.not_before.find(key);
      told != server.not_before.end() && scheduler.now() < told->second) {
    violation(key + " came again before its Retry-After");
  }
  judge_sender(server, call);
  if (in_flight.contains(call.subject)) violation("two at once on " + call.subject);
  judge_subject(call);
}

void SimulatedCloud::judge_sender(const Server& server, const Call& call) {
  const auto current =
      in_transaction(truth_, Access::Read, [](Transaction& transaction) -> Result<Json> {
        auto record = transaction.get(Collection::Setting, "lease/dev");
        if (!record) return fail(std::move(record.error()));
        return *record ? (*record)->body : Json();
      });
  const auto epoch = member(*current, "epoch");
  if (epoch != server.epoch) {
    violation(fmt::format("{} sent {} of {} under epoch {}, and epoch {} has the lease",
                          server.process.name, call.verb, call.subject, server.epoch,
                          epoch.dump()));
  }
}

void SimulatedCloud::judge_subject(const Call& call) {
  if (const auto marker = Marker::parse(call.subject)) {
    return judge_intent(call, marker->address);
  }
  const auto resource = fake.with_id(call.subject);
  if (!resource) return;
  if (!is_ours(*resource)) return violation(call.verb + " of what is not ours: " + call.subject);
  judge_intent(call, resource->marker->address);
  if (call.verb == "remove") judge_removal(*resource);
}

void SimulatedCloud::judge_intent(const Call& call, const ResourceAddress& address) {
  const auto intent =
      in_transaction(truth_, Access::Read, [&](Transaction& transaction) -> Result<Json> {
        auto record = transaction.get(Collection::Intent, address.str());
        if (!record) return fail(std::move(record.error()));
        return *record ? (*record)->body : Json();
      });
  const auto verb = string_member(*intent, "verb");
  const bool fits = call.verb == "remove" ? !verb.empty() : verb == call.verb;
  if (!fits) violation(call.verb + " of " + address.str() + " without a durable intent");
}

/// What is newest and whole goes only when a claimed plan says so.
void SimulatedCloud::judge_removal(const FakeCloud::Resource& resource) {
  if (!resource.complete) return;
  const auto vanished = lost_generations.find(resource.marker->address);
  if (vanished != lost_generations.end() && vanished->second > resource.marker->generation) return;
  const auto all = fake.resources();
  if (std::any_of(all.begin(), all.end(), [&](const FakeCloud::Resource& other) {
        return other.marker && other.id != resource.id &&
               other.marker->address == resource.marker->address &&
               other.marker->generation >= resource.marker->generation;
      })) {
    return;
  }
  const auto plan =
      in_transaction(truth_, Access::Read, [](Transaction& transaction) -> Result<Json> {
        auto record = transaction.get(Collection::Change, "current");
        if (!record) return fail(std::move(record.error()));
        return *record ? (*record)->body : Json();
      });
  for (const auto& operation : member(*plan, "operations")) {
    if (string_member(operation, "address") == resource.marker->address.str() &&
        string_member(operation, "action") == "delete") {
      return;
    }
  }
  violation("nobody asked for the removal of " + resource.marker->str());
}

void SimulatedCloud::acted(const Call& call) {
  const auto now = fake.violations();
  const auto compare = [&](int before, int after, const char* what) {
    if (after > before) violation(fmt::format("{}: {} of {}", what, call.verb, call.subject));
  };
  compare(counted_.created_twice, now.created_twice, "created twice");
  compare(counted_.removed_in_use, now.removed_in_use, "removed while in use");
  compare(counted_.dangling, now.dangling, "refers to what is not there");
  counted_ = now;
  if (call.verb != "create") return;
  if (fake.duplicates() > 0) violation("a duplicate of " + call.subject);
  const auto marker = Marker::parse(call.subject);
  const auto made = fake.with_marker(*marker);
  if (!made || !made->complete) return;
  auto& generations = made_[marker->address];
  generations.insert(marker->generation);
  if (generations.size() > spec.reasons_to_make(marker->address)) {
    violation("nobody asked for another generation of " + marker->str());
  }
}

void SimulatedCloud::put_strangers() {
  fake.plant("network", kBoundary, std::nullopt, {{"cidr", "10.200.0.0/24"}});
  fake.plant("server", kBoundary, std::nullopt, {{"flavor", "large"}});
  fake.plant("secret", kBoundary, Marker{EnvironmentUid("env-2"), {"dev", "r001", std::nullopt}, 1},
             {{"generate", {{"length", 8}}}});
  for (const auto& resource : fake.resources()) strangers_.push_back(resource);
}

bool SimulatedCloud::are_strangers_untouched() const {
  return std::all_of(strangers_.begin(), strangers_.end(), [&](const auto& stranger) {
    const auto now = fake.with_id(stranger.id);
    return now && now->inputs == stranger.inputs && now->marker == stranger.marker;
  });
}

void SimulatedCloud::drift_something() {
  const auto all = fake.resources();
  if (all.empty()) return;
  const auto& chosen = all[dice.below(all.size())];
  if (!is_ours(chosen) || !chosen.complete || in_flight.contains(chosen.id)) return;
  const bool replaces = chosen.type == "server" && dice.happens(0.3);
  const std::map<std::string, std::string> fields{{"network", "description"},
                                                  {"security-group", "description"},
                                                  {"server", replaces ? "image" : "flavor"}};
  const auto field = fields.find(chosen.type);
  if (field == fields.end()) return;
  if (replaces) spec.note_loss(chosen.marker->address);
  trace.add(scheduler.now(), "somebody changes {} of {}", field->second, chosen.id);
  fake.drift(chosen.id, field->second, "drifted");
}

void SimulatedCloud::lose_something() {
  const auto all = fake.resources();
  if (all.empty()) return;
  const auto& chosen = all[dice.below(all.size())];
  if (!is_ours(chosen)) return;
  const bool used = std::any_of(all.begin(), all.end(), [&](const FakeCloud::Resource& other) {
    return other.id != chosen.id && other.inputs.dump().find(chosen.id) != std::string::npos;
  });
  if (used) return;
  trace.add(scheduler.now(), "somebody deletes {}", chosen.id);
  spec.note_loss(chosen.marker->address);
  lost.insert(chosen.id);
  auto& newest = lost_generations[chosen.marker->address];
  newest = std::max(newest, chosen.marker->generation);
  fake.vanish(chosen.id);
}

void SimulatedCloud::limit_something() {
  static const char* const kLimited[] = {"network", "security-group", "secret", "server"};
  const auto* type = kLimited[dice.below(4)];
  const auto most = dice.below(4);
  trace.add(scheduler.now(), "no more than {} of {}", most, type);
  fake.set_quota(type, most);
}

void SimulatedCloud::calm_down() {
  trace.add(scheduler.now(), "faults end");
  calm = true;
  outage = false;
  faults = Faults{};
  for (const auto* type : {"network", "security-group", "secret", "server"}) {
    fake.set_quota(type, kNoQuota);
  }
}

SimulatedCloud::Fate CloudDoor::draw(const SimulatedCloud::Call& call) {
  using Fate = SimulatedCloud::Fate;
  auto& dice = cloud_.dice;
  const auto& faults = cloud_.faults;
  if (cloud_.calm) return Fate::Answered;
  if (cloud_.outage) return Fate::Unavailable;
  if (dice.happens(faults.unavailable)) return Fate::Unavailable;
  if (dice.happens(faults.rate_limited)) return Fate::RateLimited;
  if (call.mutates && dice.happens(faults.refused)) return Fate::Refused;
  if (call.verb == "create" && dice.happens(faults.half_made)) return Fate::HalfMade;
  if (dice.happens(faults.lost_answer)) return Fate::Lost;
  return Fate::Answered;
}

/// Out, act, and back. What was sent acts even if whoever sent it is stopped or gone by then.
template <class T>
Result<T> CloudDoor::call(SimulatedCloud::Call call, std::stop_token stop,
                          std::function<Result<T>(Provider&)> act) {
  using Fate = SimulatedCloud::Fate;
  auto& scheduler = cloud_.scheduler;
  // It can die here. If it were stopped here, no engine could know before it sends.
  cloud_.point_within(server_);
  const auto gone = [&] { return server_.process.dead || stop.stop_requested(); };
  if (gone()) return fail(ErrorKind::Cancelled, "nobody asks any more");
  const auto fate = draw(call);
  cloud_.trace.add(scheduler.now(), "{} {} {}", server_.process.name, call.verb, call.subject);
  cloud_.sent(server_, call);

  const auto longest = cloud_.dice.happens(0.1) ? cloud_.faults.slowest
                                                : std::min(cloud_.faults.slowest, VirtualTime(400));
  const auto acts_at = scheduler.now() + cloud_.dice.time_between(VirtualTime(1), longest);
  const auto answered_at = acts_at + cloud_.dice.time_between(VirtualTime(0), VirtualTime(50));
  const auto answer = std::make_shared<std::optional<Result<T>>>();
  if (call.mutates) cloud_.in_flight.insert(call.subject);
  scheduler.at(acts_at, [&cloud = cloud_, call, fate, answer, act = std::move(act)] {
    if (call.mutates) cloud.in_flight.erase(call.subject);
    if (fate != Fate::Answered && fate != Fate::Lost && fate != Fate::HalfMade) return;
    cloud.fake.set_visibility_delay(
        cloud.dice.time_between(VirtualTime(0), cloud.faults.longest_hidden));
    if (fate == Fate::HalfMade) cloud.inner.fail_call(1, FakeFault::HalfMade);
    answer->emplace(act(cloud.inner));
    cloud.inner.fail_call(0, FakeFault::HalfMade);
    cloud.trace.add(cloud.scheduler.now(), "  {} {}: {}", call.verb, call.subject,
                    (**answer) ? shown(**answer) : (**answer).error().message());
    cloud.acted(call);
  });

  while (scheduler.now() < answered_at && !gone()) scheduler.block(stop, answered_at);
  if (gone()) return fail(ErrorKind::Cancelled, "nobody waits for the answer");
  cloud_.point(server_);
  if (gone()) return fail(ErrorKind::Cancelled, "nobody waits for the answer");
  if (fate != Fate::Answered) {
    cloud_.trace.add(scheduler.now(), "{} {} {}: {}", server_.process.name, call.verb, call.subject,
                     to_string(fate));
  }
  switch (fate) {
    case Fate::Lost:
    case Fate::HalfMade:
      return fail(ErrorKind::Timeout, "no answer");
    case Fate::Refused:
      return fail(ErrorKind::Refused, "no");
    case Fate::Unavailable:
      return fail(ErrorKind::Unavailable, "come back later");
    case Fate::RateLimited: {
      const auto after = cloud_.dice.time_between(VirtualTime(500), VirtualTime(10000));
      server_.not_before[call.verb + " " + call.subject] = scheduler.now() + after;
      return fail(Error(ErrorKind::RateLimited, "too fast").with_retry_after(after));
    }
    case Fate::Answered:
      break;
  }
  return std::move(**answer);
}

/// Somebody else's deed, so that it is not held against the engine.
template <class Inputs>
bool CloudDoor::refers_to_lost(const Inputs& inputs) const {
  const auto text = inputs.dump();
  return std::any_of(cloud_.lost.begin(), cloud_.lost.end(),
                     [&](const std::string& id) { return text.find(id) != std::string::npos; });
}

Result<std::string> CloudDoor::ensure_boundary(const BoundaryRequest& request,
                                               std::stop_token stop) {
  return call<std::string>({"ensure boundary", request.environment}, std::move(stop),
                           [=](Provider& cloud) { return cloud.ensure_boundary(request, {}); });
}

Result<std::optional<std::string>> CloudDoor::find_boundary(const EnvironmentUid& uid,
                                                            std::stop_token stop) {
  return call<std::optional<std::string>>(
      {"find boundary", uid.str()}, std::move(stop),
      [=](Provider& cloud) { return cloud.find_boundary(uid, {}); });
}

Result<std::vector<FoundBoundary>> CloudDoor::list_boundaries(std::stop_token stop) {
  return call<std::vector<FoundBoundary>>(
      {"list boundaries", ""}, std::move(stop),
      [](Provider& cloud) { return cloud.list_boundaries({}); });
}

Status CloudDoor::remove_boundary(const std::string& boundary, std::stop_token stop) {
  return call<void>({"remove boundary", boundary}, std::move(stop),
                    [=](Provider& cloud) { return cloud.remove_boundary(boundary, {}); });
}

Result<Observed> CloudDoor::create(const ResourceRequest& request, std::stop_token stop) {
  return call<Observed>({"create", request.marker.str(), true}, std::move(stop),
                        [this, request](Provider& cloud) -> Result<Observed> {
                          if (refers_to_lost(request.inputs)) {
                            return fail(ErrorKind::InvalidArgument, "it refers to what is gone");
                          }
                          return cloud.create(request, {});
                        });
}

Result<std::optional<Observed>> CloudDoor::read(const std::string& type,
                                                const std::string& boundary,
                                                const std::string& provider_id,
                                                std::stop_token stop) {
  return call<std::optional<Observed>>(
      {"read", provider_id}, std::move(stop),
      [=](Provider& cloud) { return cloud.read(type, boundary, provider_id, {}); });
}

Result<Observed> CloudDoor::update(const ResourceRequest& request, const std::string& provider_id,
                                   const Json& before, std::stop_token stop) {
  return call<Observed>({"update", provider_id, true}, std::move(stop),
                        [this, request, provider_id, before](Provider& cloud) -> Result<Observed> {
                          if (refers_to_lost(request.inputs)) {
                            return fail(ErrorKind::InvalidArgument, "it refers to what is gone");
                          }
                          return cloud.update(request, provider_id, before, {});
                        });
}

Status CloudDoor::remove(const std::string& type, const std::string& boundary,
                         const std::string& provider_id, std::stop_token stop) {
  return call<void>({"remove", provider_id, true}, std::move(stop),
                    [=](Provider& cloud) { return cloud.remove(type, boundary, provider_id, {}); });
}

Result<std::vector<Observed>> CloudDoor::list(const std::string& type, const std::string& boundary,
                                              std::stop_token stop) {
  return call<std::vector<Observed>>({"list", type}, std::move(stop), [=](Provider& cloud) {
    return cloud.list(type, boundary, {});
  });
}

Result<std::vector<Observed>> CloudDoor::find(const std::string& type, const std::string& boundary,
                                              const Marker& marker, std::stop_token stop) {
  if (cloud_.sabotage == Sabotage::NoLookUp) return std::vector<Observed>();
  return call<std::vector<Observed>>({"find", marker.str()}, std::move(stop), [=](Provider& cloud) {
    return cloud.find(type, boundary, marker, {});
  });
}

Result<Identity> CloudDoor::ensure_identity(const IdentityRequest&, const std::optional<Identity>&,
                                            std::stop_token) {
  return fail(ErrorKind::Unsupported, "the simulation is about resources");
}
Status CloudDoor::remove_identity(const std::string&, std::stop_token) {
  return fail(ErrorKind::Unsupported, "the simulation is about resources");
}
Result<IssuedCredential> CloudDoor::issue(const Identity&, const IssueRequest&, std::stop_token) {
  return fail(ErrorKind::Unsupported, "the simulation is about resources");
}
Status CloudDoor::revoke(const Identity&, const std::string&, std::stop_token) {
  return fail(ErrorKind::Unsupported, "the simulation is about resources");
}
Result<std::map<std::string, Secret>> CloudDoor::tool_environment(const Secret&) const {
  return fail(ErrorKind::Unsupported, "the simulation is about resources");
}
Result<std::vector<ProbeAttempt>> CloudDoor::probe(const Secret&, const ProbeTarget&,
                                                   std::stop_token) {
  return fail(ErrorKind::Unsupported, "the simulation is about resources");
}

}  // namespace bailey::test
