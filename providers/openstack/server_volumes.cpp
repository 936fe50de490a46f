#include "providers/openstack/server_volumes.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "providers/openstack/server_facts.hpp"
#include "providers/openstack/volume.hpp"
#include "providers/openstack/waiting.hpp"

namespace bailey::openstack {

namespace {

constexpr std::chrono::minutes kDetachLimit{10};

std::string attachments_of(const std::string& server) {
  return "/servers/" + percent_encode(server) + "/os-volume_attachments";
}

Status attach(const Work& work, const std::string& server, const std::string& volume) {
  auto asked = work.api.post(Service::Compute, attachments_of(server),
                             {{"volumeAttachment", {{"volumeId", volume}}}});
  if (asked) return {};
  auto error = std::move(asked.error());
  // Nova says "not found" of the volume, which would read as if the server were gone.
  if (error.kind() == ErrorKind::NotFound) {
    error = Error(ErrorKind::InvalidArgument, error.message());
  }
  return fail(std::move(error));
}

/// Cinder lets go first and Nova forgets last, so Nova's word ends the wait.
Status await_detached(const Work& work, const std::string& server,
                      const std::set<std::string>& gone) {
  Patience patience(work.doors.clock, work.stop, kDetachLimit);
  for (;;) {
    auto found = find_server(work, server);
    if (!found) return fail(std::move(found.error()));
    if (!*found) return vanished("server", server);
    bool still = false;
    for (const auto& volume : attached_volumes(**found)) still = still || gone.contains(volume);
    if (!still) return {};
    if (auto waited = patience.wait("server " + server + " to let go of its volumes"); !waited) {
      return waited;
    }
  }
}

std::optional<Marker> marker_of(const Json& server) {
  return Marker::parse(string_member(member(server, "metadata"), kMarkerKey));
}

/// A volume is of one server at a time, and what replaces a server is made while that one stands:
/// it takes the volume from an older generation of itself. Anybody else keeps it.
Status take_over(const Work& work, const Json& server, const std::string& volume) {
  const auto own = marker_of(server);
  if (!own || own->generation == 1) return {};
  auto shown = work.api.find(Service::Volume, "/volumes/" + percent_encode(volume));
  if (!shown) return fail(std::move(shown.error()));
  if (!*shown) return {};
  for (const auto& attachment : member(member(**shown, "volume"), "attachments")) {
    const auto id = string_member(attachment, "server_id");
    auto holder = find_server(work, id);
    if (!holder) return fail(std::move(holder.error()));
    const auto old = *holder ? marker_of(**holder) : std::nullopt;
    if (!old || old->environment_uid != own->environment_uid || old->address != own->address ||
        old->generation >= own->generation) {
      continue;
    }
    auto asked =
        work.api.remove(Service::Compute, attachments_of(id) + "/" + percent_encode(volume));
    if (!asked) return asked;
    if (auto left = await_detached(work, id, {volume}); !left) return left;
  }
  return {};
}

}  // namespace

std::set<std::string> attached_volumes(const Json& server) {
  std::set<std::string> ids;
  for (const auto& volume : member(server, "os-extended-volumes:volumes_attached")) {
    ids.insert(string_member(volume, "id"));
  }
  return ids;
}

Status settle_volumes(const Work& work, const Json& server, const std::set<std::string>& wanted) {
  const auto id = string_member(server, "id");
  const auto now = attached_volumes(server);
  std::set<std::string> leaving;
  for (const auto& volume : now) {
    if (wanted.contains(volume)) continue;
    auto asked =
        work.api.remove(Service::Compute, attachments_of(id) + "/" + percent_encode(volume));
    if (!asked) return asked;
    leaving.insert(volume);
  }
  if (!leaving.empty()) {
    if (auto left = await_detached(work, id, leaving); !left) return left;
  }
  for (const auto& volume : wanted) {
    if (now.contains(volume)) continue;
    if (auto freed = take_over(work, server, volume); !freed) return freed;
    if (auto asked = attach(work, id, volume); !asked) return asked;
  }
  for (const auto& volume : wanted) {
    if (now.contains(volume)) continue;
    auto attached = await_volume(work, volume, "volume " + volume + " to be attached");
    if (!attached) return attached;
  }
  return {};
}

}  // namespace bailey::openstack
