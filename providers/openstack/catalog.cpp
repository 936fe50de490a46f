#include "providers/openstack/catalog.hpp"

#include "orchestrator/base/json.hpp"
#include "orchestrator/base/text.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

namespace bailey::openstack {

namespace {

/// https://service-types.openstack.org/service-types.json. Each service's own type comes first;
/// `volumev2` is an API that is gone.
struct ServiceFacts {
  Service service;
  std::string_view version;  ///< What an endpoint without a version gets.
  std::array<std::string_view, 4> types;
};

constexpr std::array kServices{
    ServiceFacts{Service::Identity, "/v3", {"identity"}},
    ServiceFacts{Service::Network, "/v2.0", {"network"}},
    ServiceFacts{Service::Compute, "/v2.1", {"compute"}},
    ServiceFacts{Service::Image, "/v2", {"image"}},
    ServiceFacts{Service::KeyManager, "/v1", {"key-manager"}},
    ServiceFacts{Service::Volume, "/v3", {"volumev3", "block-storage", "block-store", "volume"}},
    ServiceFacts{Service::ObjectStore, "/v1", {"object-store"}},
    ServiceFacts{Service::Dns, "/v2", {"dns"}},
};

bool is_version(std::string_view part) {
  return part.size() >= 2 && part[0] == 'v' && part[1] >= '0' && part[1] <= '9' &&
         part.find_first_not_of("0123456789.", 1) == std::string_view::npos;
}

/// The slash before the version in `.../v3`, `.../v2.1/0a1b2c` and `.../v1/AUTH_0a1b2c`.
std::size_t version_at(std::string_view url) {
  auto end = url.size();
  for (int part = 0; part < 2 && end > 0; ++part) {
    const auto slash = url.rfind('/', end - 1);
    if (slash == std::string_view::npos) break;
    if (is_version(url.substr(slash + 1, end - slash - 1))) return slash;
    end = slash;
  }
  return std::string_view::npos;
}

std::string_view trimmed(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  return url;
}

/// True for an endpoint of another major version than ours: `volume` was once the type of v1.
bool is_other_api(std::string_view url, std::string_view ours) {
  const auto at = version_at(trimmed(url));
  if (at == std::string_view::npos) return false;
  const auto major = ours.substr(0, ours.find('.'));
  const auto theirs = trimmed(url).substr(at);
  return !theirs.starts_with(major) || (theirs.size() > major.size() &&
                                        theirs[major.size()] != '.' && theirs[major.size()] != '/');
}

struct Candidate {
  std::string region;
  std::string url;
};

std::string region_of(const Json& endpoint) {
  auto region = string_member(endpoint, "region_id");
  return region.empty() ? string_member(endpoint, "region") : region;
}

/// The endpoints of one service at one interface, those of its own type first.
std::vector<Candidate> candidates(const Json& catalog, const ServiceFacts& facts,
                                  const std::string& interface, bool& known) {
  std::vector<Candidate> found;
  for (const auto type : facts.types) {
    for (const auto& entry : catalog) {
      if (type.empty() || string_member(entry, "type") != type) continue;
      for (const auto& endpoint : member(entry, "endpoints")) {
        auto url = string_member(endpoint, "url");
        if (url.empty() || is_other_api(url, facts.version)) continue;
        known = true;
        if (string_member(endpoint, "interface") != interface) continue;
        found.push_back({region_of(endpoint), std::move(url)});
      }
    }
  }
  return found;
}

Error unfit(const char* code, std::string message) {
  return Error(ErrorKind::InvalidArgument, std::move(message)).with_code(code);
}

Result<std::string> choose_region(const std::set<std::string>& regions,
                                  const CatalogChoice& choice) {
  const auto list = enumerate({regions.begin(), regions.end()});
  if (choice.region.empty()) {
    if (regions.size() == 1) return *regions.begin();
    return fail(unfit("openstack.region",
                      "the cloud has several regions, " + list + ", and the account names none")
                    .with_hint("Say which one is meant with \"region\" in the account."));
  }
  if (regions.contains(choice.region)) return choice.region;
  return fail(unfit("openstack.region", "the cloud has no region \"" + choice.region +
                                            "\" at the interface \"" + choice.interface +
                                            "\"; there is " + list));
}

}  // namespace

std::string_view to_string(Service service) noexcept {
  for (const auto& facts : kServices) {
    if (facts.service == service) return facts.types.front();
  }
  return "unknown";
}

std::string with_version(std::string_view url, std::string_view version) {
  std::string out(trimmed(url));
  return version_at(out) == std::string_view::npos ? out.append(version) : out;
}

std::string service_root(std::string_view url) {
  url = trimmed(url);
  return std::string(url.substr(0, version_at(url))) + "/";
}

Result<Catalog> read_catalog(const Json& catalog, const CatalogChoice& choice) {
  bool known = false;
  std::map<Service, std::vector<Candidate>> all;
  std::set<std::string> regions;
  for (const auto& facts : kServices) {
    // Keystone may stand in a region of its own, and is never looked for in the catalogue.
    if (facts.service == Service::Identity) continue;
    auto found = candidates(catalog, facts, choice.interface, known);
    for (const auto& candidate : found) regions.insert(candidate.region);
    all[facts.service] = std::move(found);
  }
  if (!known) return Catalog();
  if (regions.empty()) {
    return fail(unfit("openstack.interface",
                      "the cloud's catalogue has no endpoint of the "
                      "interface \"" +
                          choice.interface + "\""));
  }
  auto region = choose_region(regions, choice);
  if (!region) return fail(std::move(region.error()));
  Catalog chosen{{}, *region};
  for (const auto& facts : kServices) {
    const auto& found = all[facts.service];
    const auto here = std::find_if(found.begin(), found.end(),
                                   [&](const auto& each) { return each.region == *region; });
    if (here == found.end()) continue;
    chosen.endpoints.emplace(facts.service, with_version(here->url, facts.version));
  }
  return chosen;
}

}  // namespace bailey::openstack
