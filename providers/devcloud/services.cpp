#include "providers/devcloud/services.hpp"

namespace bailey::devcloud {

void add_services(Router& router, Cloud& cloud) {
  add_identity(router, cloud);
  add_network(router, cloud);
  add_image(router, cloud);
  add_volume(router, cloud);
  add_compute(router, cloud);
  add_secret(router, cloud);
  add_object(router, cloud);
  add_dns(router, cloud);
}

}  // namespace bailey::devcloud
