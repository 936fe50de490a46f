#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "providers/devcloud/compute_server.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace bailey::devcloud::compute {

namespace {

constexpr const char* kHost = "devcloud";

bool is_placed(const Json& server) {
  const std::string state = string_member(server, "vm_state");
  return state == "active" || state == "stopped";
}

/// Nova hides the host behind a hash that differs by project.
std::string host_id(const Json& server) {
  if (!is_placed(server)) return "";
  const auto digest = sha256(string_member(server, "project_id") + kHost);
  return hex(bytes_of(digest)).substr(0, 56);
}

Json task_state(const Json& server) {
  const std::string task = string_member(server, "task");
  if (task == "build") return "scheduling";
  if (task == "delete") return "deleting";
  if (task == "stop") return "powering-off";
  if (task == "start") return "powering-on";
  if (task == "reboot") return "reboot_started";
  return nullptr;
}

int power_state(const Json& server) {
  const std::string state = string_member(server, "vm_state");
  if (state == "active") return 1;
  return state == "stopped" ? 4 : 0;
}

Json image_of(const Request& request, const Json& server) {
  const std::string id = string_member(server, "image_id");
  return {{"id", id},
          {"links",
           Json::array({{{"rel", "bookmark"}, {"href", request.call.base() + "/images/" + id}}})}};
}

Json flavor_of(const Request& request, const Json& server) {
  const Json& flavor = server["flavor"];
  if (request.version >= 47) {
    return {{"vcpus", flavor["vcpus"]},
            {"ram", flavor["ram"]},
            {"disk", flavor["disk"]},
            {"ephemeral", flavor["ephemeral"]},
            {"swap", flavor["swap"]},
            {"original_name", flavor["name"]},
            {"extra_specs", flavor["extra_specs"]}};
  }
  const std::string id = string_member(flavor, "id");
  return {{"id", id},
          {"links",
           Json::array({{{"rel", "bookmark"}, {"href", request.call.base() + "/flavors/" + id}}})}};
}

/// What every answer about a server has.
Json basics(const Request& request, const Json& server, Detail detail) {
  const bool settled = string_member(server, "vm_state") != "building";
  Json shown = {
      {"id", server["id"]},
      {"name", server["name"]},
      {"status", status_of(server)},
      {"tenant_id", server["project_id"]},
      {"user_id", server["user_id"]},
      {"metadata", server["metadata"]},
      {"hostId", host_id(server)},
      {"image", image_of(request, server)},
      {"flavor", flavor_of(request, server)},
      {"created", time_of_ms(server["created"].get<std::int64_t>())},
      {"updated", time_of_ms(server["updated"].get<std::int64_t>())},
      {"addresses", settled ? addresses_of(request.cloud(), server, detail) : Json::object()},
      {"accessIPv4", server["access_ipv4"]},
      {"accessIPv6", server["access_ipv6"]},
      {"links", links_of(request, "servers", string_member(server, "id"))},
      {"OS-DCF:diskConfig", "MANUAL"}};
  const std::string status = status_of(server);
  if (status == "ACTIVE" || status == "BUILD" || status == "REBOOT") shown["progress"] = 0;
  if (!member(server, "fault").is_null()) shown["fault"] = server["fault"];
  if (request.version >= 9) shown["locked"] = false;
  if (request.version >= 19) shown["description"] = server["description"];
  if (request.version >= 26) shown["tags"] = server["tags"];
  if (request.version >= 63) shown["trusted_image_certificates"] = nullptr;
  if (request.version >= 71) shown["server_groups"] = server_groups_of(request.cloud(), server);
  if (request.version >= 73) shown["locked_reason"] = nullptr;
  if (request.version >= 90) shown["OS-EXT-SRV-ATTR:hostname"] = server["hostname"];
  return shown;
}

void add_for_admin(const Request& request, const Json& server, Json& shown) {
  const bool placed = is_placed(server);
  const std::string prefix = "OS-EXT-SRV-ATTR:";
  shown[prefix + "host"] = placed ? Json(kHost) : Json(nullptr);
  shown[prefix + "hypervisor_hostname"] = placed ? Json(kHost) : Json(nullptr);
  shown[prefix + "instance_name"] =
      fmt::format("instance-{:08x}", server["number"].get<std::int64_t>());
  if (request.version >= 3) {
    shown[prefix + "reservation_id"] = server["reservation_id"];
    shown[prefix + "launch_index"] = server["launch_index"];
    shown[prefix + "hostname"] = server["hostname"];
    shown[prefix + "kernel_id"] = "";
    shown[prefix + "ramdisk_id"] = "";
    shown[prefix + "root_device_name"] = "/dev/sda";
    const auto user_data = request.cloud().unseal(string_member(server, "user_data"));
    shown[prefix + "user_data"] = user_data ? Json(*user_data) : Json(nullptr);
  }
  if (request.version >= 16) shown["host_status"] = placed ? "UP" : "";
}

}  // namespace

std::string status_of(const Json& server) {
  const std::string state = string_member(server, "vm_state");
  if (state == "building") return "BUILD";
  if (state == "error") return "ERROR";
  if (state == "stopped") return "SHUTOFF";
  return string_member(server, "task") == "reboot" ? "REBOOT" : "ACTIVE";
}

Json shown_server(const Request& request, const Json& server) {
  Json shown = basics(request, server, Detail::Full);
  shown["OS-EXT-AZ:availability_zone"] = is_placed(server) ? "nova" : "";
  shown["config_drive"] = "";
  shown["key_name"] = server["key_name"];
  const Json& launched = server["launched"];
  shown["OS-SRV-USG:launched_at"] =
      launched.is_null() ? Json(nullptr) : Json(long_time_of_ms(launched.get<std::int64_t>()));
  shown["OS-SRV-USG:terminated_at"] = nullptr;
  shown["OS-EXT-STS:task_state"] = task_state(server);
  shown["OS-EXT-STS:vm_state"] = server["vm_state"];
  shown["OS-EXT-STS:power_state"] = power_state(server);
  shown["os-extended-volumes:volumes_attached"] = volumes_attached(request, server);
  const Json groups = group_names_of(request.cloud(), server);
  if (is_placed(server) && !groups.empty()) shown["security_groups"] = groups;
  if (request.who().is_admin()) add_for_admin(request, server, shown);
  return shown;
}

Json shown_after_update(const Request& request, const Json& server) {
  if (request.version >= 75) return shown_server(request, server);
  return basics(request, server, Detail::Brief);
}

}  // namespace bailey::devcloud::compute
