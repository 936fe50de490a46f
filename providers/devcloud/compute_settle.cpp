#include "providers/devcloud/compute_server.hpp"

#include <string>
#include <utility>
#include <vector>

namespace bailey::devcloud {

namespace compute {

namespace {

void finish_build(Cloud& cloud, Json server) {
  const std::int64_t due = server["due"].get<std::int64_t>();
  const std::string doom = string_member(server, "doom");
  if (doom.empty()) {
    server["vm_state"] = "active";
    server["launched"] = due;
    activate_ports(cloud, string_member(server, "id"));
  } else {
    server["vm_state"] = "error";
    server["fault"] = {{"code", 500}, {"created", time_of_ms(due)}, {"message", doom}};
    unplug(cloud, string_member(server, "id"));
  }
  cloud.put(kServer, std::move(server));
}

void finish(Cloud& cloud, Json server) {
  const std::string task = string_member(server, "task");
  if (task == "delete") return erase_server(cloud, server);
  server["task"] = "";
  server["updated"] = server["due"];
  if (task == "build") return finish_build(cloud, std::move(server));
  server["vm_state"] = task == "stop" ? "stopped" : "active";
  cloud.put(kServer, std::move(server));
}

}  // namespace

}  // namespace compute

void settle_servers(Cloud& cloud) {
  using namespace compute;
  const Cloud::Sight sight = cloud.look(Cloud::Sight::Everything);
  const std::int64_t now = now_ms(cloud);
  for (const char* task : {"build", "delete", "stop", "start", "reboot"}) {
    std::vector<Json> ready;
    for (const Json* server : cloud.where(kServer, "task", task)) {
      if (member(*server, "due") <= now) ready.push_back(*server);
    }
    for (Json& server : ready) finish(cloud, std::move(server));
  }
  cloud.look(sight);
}

}  // namespace bailey::devcloud
