#include "providers/devcloud/identity.hpp"

namespace bailey::devcloud::identity {

void add_role_routes(Router& router) {
  static_cast<void>(router);
}

}  // namespace bailey::devcloud::identity
