#include "providers/openstack/microversion.hpp"

#include "orchestrator/base/json.hpp"
#include "providers/openstack/catalog.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace bailey::openstack {

namespace {

/// `needed` is the oldest in which the service does what is asked of it here, `known` the newest
/// whose answers are read here.
struct Spoken {
  Service service;
  std::string_view name;  ///< In the header.
  int major;
  int needed;
  int known;
};

/// Nova: 2.47 shows a server's flavor by name, 2.37 asks for a server's networks. Cinder: 3.59 is
/// what every release since Train speaks.
constexpr std::array kSpoken{Spoken{Service::Compute, "compute", 2, 47, 60},
                             Spoken{Service::Volume, "volume", 3, 0, 59}};

struct Offer {
  int oldest = 0;
  int newest = 0;
};

/// The minor of `2.93`, or nothing when the major is another.
std::optional<int> minor_of(const std::string& text, int major) {
  const auto lead = std::to_string(major) + ".";
  if (!text.starts_with(lead)) return std::nullopt;
  int minor = 0;
  const auto* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + lead.size(), last, minor);
  if (error != std::errc() || end != last || minor < 0) return std::nullopt;
  return minor;
}

std::optional<Offer> offer_in(const Json& entry, int major) {
  auto newest = string_member(entry, "version");
  if (newest.empty()) newest = string_member(entry, "max_version");
  const auto high = minor_of(newest, major);
  const auto low = minor_of(string_member(entry, "min_version"), major);
  if (!high || !low) return std::nullopt;
  return Offer{*low, *high};
}

/// A version document: `{"version": {}}`, `{"versions": []}`, or `{"versions": {"values": []}}`.
/// Services send the list with 300.
std::optional<Offer> read_offer(const HttpResponse& answer, int major) {
  if (answer.status != 200 && answer.status != 300) return std::nullopt;
  const auto body = parse_json(answer.body);
  if (!body) return std::nullopt;
  if (const auto one = offer_in(member(*body, "version"), major)) return one;
  const auto& versions = member(*body, "versions");
  for (const auto& entry : versions.is_object() ? member(versions, "values") : versions) {
    if (const auto one = offer_in(entry, major)) return one;
  }
  return std::nullopt;
}

/// Where all versions are told, nobody asks who wants to know; where a proxy hides that, the
/// version itself tells, to some services only with a token.
Result<std::optional<Offer>> discover(const Spoken& spoken, const std::string& endpoint,
                                      const AskVersion& ask) {
  const auto root = service_root(endpoint);
  const auto tail = endpoint.substr(std::min(root.size(), endpoint.size()));
  const auto version = root + tail.substr(0, tail.find('/')) + "/";
  for (const auto& [url, with_token] : {std::pair{root, false}, std::pair{version, true}}) {
    auto answer = ask(url, with_token);
    if (!answer) return fail(std::move(answer.error()).in("asking for the versions at " + url));
    if (const auto offer = read_offer(*answer, spoken.major)) return std::optional(*offer);
  }
  return std::optional<Offer>();
}

Result<std::string> choose(const Spoken& spoken, const std::optional<Offer>& offer) {
  const auto version = [&](int minor) {
    return std::to_string(spoken.major) + "." + std::to_string(minor);
  };
  const auto name = std::string(spoken.name);
  if (!offer) return name + " " + version(spoken.needed);
  if (offer->newest < spoken.needed || offer->oldest > spoken.known) {
    return fail(Error(ErrorKind::Unsupported, "the " + name + " service speaks the microversions " +
                                                  version(offer->oldest) + " to " +
                                                  version(offer->newest) + ", and one of " +
                                                  version(spoken.needed) + " to " +
                                                  version(spoken.known) + " is needed")
                    .with_code("openstack.microversion"));
  }
  return name + " " + version(std::min(offer->newest, spoken.known));
}

}  // namespace

Result<std::string> Microversions::header(Service service, const std::string& endpoint,
                                          const AskVersion& ask) {
  const auto* spoken = std::find_if(kSpoken.begin(), kSpoken.end(),
                                    [&](const auto& each) { return each.service == service; });
  if (spoken == kSpoken.end()) return std::string();
  const auto key = service_root(endpoint);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = headers_.find(key); found != headers_.end()) return found->second;
  }
  const auto offer = discover(*spoken, endpoint, ask);
  if (!offer) return fail(Error(offer.error()));
  auto chosen = choose(*spoken, *offer);
  if (!chosen) return chosen;
  const std::lock_guard lock(mutex_);
  return headers_.try_emplace(key, std::move(*chosen)).first->second;
}

}  // namespace bailey::openstack
