#include "providers/devcloud/image.hpp"

#include <string>
#include <utility>

namespace bailey::devcloud::image {

namespace {

Json shown_member(const Json& membership) {
  Json shown = without_private(membership);
  shown.erase("id");
  shown["schema"] = "/v2/schemas/member";
  return shown;
}

Checked<const Json*> shared_image(const Call& call) {
  auto image = own_image(call);
  if (image && string_member(**image, "visibility") != "shared") {
    return refuse(error_answer(call, 403, "Only shared images have members."));
  }
  return image;
}

std::string id_of(const Call& call, const std::string& project) {
  return call.part("image") + "/" + project;
}

ServerResponse list(Call& call) {
  const auto image = visible_image(call);
  if (!image) return image.error();
  const bool own = call.who.owns(string_member(**image, "owner"));
  if (own && string_member(**image, "visibility") != "shared") {
    return error_answer(call, 403, "Only shared images have members.");
  }
  Json members = Json::array();
  for (const Json* one : call.cloud.where(kMember, "image_id", call.part("image"))) {
    // A member sees itself alone.
    if (own || string_member(*one, "member_id") == call.who.project_id) {
      members.push_back(shown_member(*one));
    }
  }
  return json_answer(200, {{"members", members}, {"schema", "/v2/schemas/members"}});
}

ServerResponse add(Call& call) {
  const auto image = shared_image(call);
  if (!image) return image.error();
  const std::string project = string_member(call.body, "member");
  if (project.empty()) return error_answer(call, 400, "Member to be added not specified");
  if (call.cloud.find(kMember, id_of(call, project)) != nullptr) {
    return error_answer(call, 409,
                        "Member " + project + " is duplicated for image " + call.part("image"));
  }
  const std::string made = now(call);
  return json_answer(200, shown_member(call.cloud.put(kMember, {{"id", id_of(call, project)},
                                                                {"image_id", call.part("image")},
                                                                {"member_id", project},
                                                                {"status", "pending"},
                                                                {"created_at", made},
                                                                {"updated_at", made}})));
}

Checked<const Json*> member_of(const Call& call) {
  const auto image = visible_image(call);
  if (!image) return refuse(image.error());
  const Json* found = call.cloud.find(kMember, id_of(call, call.part("member")));
  if (found == nullptr) {
    return refuse(error_answer(call, 404,
                               call.part("member") + " not found in the member list of the image " +
                                   call.part("image") + "."));
  }
  return found;
}

ServerResponse show(Call& call) {
  const auto found = member_of(call);
  return found ? json_answer(200, shown_member(**found)) : found.error();
}

ServerResponse set_status(Call& call) {
  const auto found = member_of(call);
  if (!found) return found.error();
  const std::string status = string_member(call.body, "status");
  if (status != "pending" && status != "accepted" && status != "rejected") {
    return error_answer(call, 400,
                        "Invalid status: " + status +
                            ". It must be one of: pending, accepted, "
                            "rejected.");
  }
  // The owner offers; whether to take is for the other project to say.
  if (call.part("member") != call.who.project_id && !call.who.is_admin()) {
    return error_answer(call, 403,
                        "You are not permitted to modify 'status' on this image member.");
  }
  Json changed = **found;
  changed["status"] = status;
  changed["updated_at"] = now(call);
  return json_answer(200, shown_member(call.cloud.put(kMember, std::move(changed))));
}

ServerResponse remove(Call& call) {
  const auto image = shared_image(call);
  if (!image) return image.error();
  const auto found = member_of(call);
  if (!found) return found.error();
  call.cloud.erase(kMember, id_of(call, call.part("member")));
  return empty_answer(204);
}

}  // namespace

void add_image_members(Router& router) {
  const std::string all = "/v2/images/{image}/members";
  router.add("image", "GET", all, Access::signed_in(), list);
  router.add("image", "POST", all, Access::signed_in(), add);
  router.add("image", "GET", all + "/{member}", Access::signed_in(), show);
  router.add("image", "PUT", all + "/{member}", Access::signed_in(), set_status);
  router.add("image", "DELETE", all + "/{member}", Access::signed_in(), remove);
}

}  // namespace bailey::devcloud::image
