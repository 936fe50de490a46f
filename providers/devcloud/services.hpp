#pragma once

namespace bailey::devcloud {

class Cloud;
class Router;

/// Each makes its service known to the router and puts what a fresh cloud has (roles, the public
/// network, flavors, an image) into an empty one; what is there already stays.
void add_identity(Router& router, Cloud& cloud);
void add_network(Router& router, Cloud& cloud);
void add_image(Router& router, Cloud& cloud);
void add_compute(Router& router, Cloud& cloud);
void add_secret(Router& router, Cloud& cloud);
void add_volume(Router& router, Cloud& cloud);
void add_object(Router& router, Cloud& cloud);
void add_dns(Router& router, Cloud& cloud);

/// All of the above.
void add_services(Router& router, Cloud& cloud);

}  // namespace bailey::devcloud
