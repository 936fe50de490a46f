#include "providers/devcloud/services.hpp"

namespace bailey::devcloud {

void add_services(Router& router, Cloud& cloud) {
  add_identity(router, cloud);
}

}  // namespace bailey::devcloud
