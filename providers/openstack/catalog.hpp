#pragma once

#include "orchestrator/base/error.hpp"
#include "providers/openstack/service.hpp"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <string>
#include <string_view>

namespace bailey::openstack {

/// Which of a catalogue's endpoints are meant.
struct CatalogChoice {
  std::string interface;
  std::string region;  ///< Empty: the one that there is.
};

struct Catalog {
  std::map<Service, std::string> endpoints;  ///< With the version, without a slash at the end.
  std::string region;
};

/// The endpoints of the services that we know, under the types of the OpenStack service types
/// authority and their aliases; one of another major version is passed over. InvalidArgument, with
/// what there is to choose from, when the choice fits nothing in the catalogue or more than one
/// region: whoever went on with what is listed first, or with nothing, would take another cloud for
/// an empty one. A catalogue that knows none of our services is empty.
[[nodiscard]] Result<Catalog> read_catalog(const nlohmann::json& catalog,
                                           const CatalogChoice& choice);

/// `url` without slashes at the end, with `version` (`/v3`) where it names none.
[[nodiscard]] std::string with_version(std::string_view url, std::string_view version);
/// `http://host/compute/` of `http://host/compute/v2.1/0a1b2c`: where a service tells its versions.
[[nodiscard]] std::string service_root(std::string_view url);

}  // namespace bailey::openstack
