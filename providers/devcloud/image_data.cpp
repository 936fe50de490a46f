#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/encoding.hpp"
#include "providers/devcloud/image.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace bailey::devcloud::image {

namespace {

/// Larger images are kept as their size and digests alone: nobody boots them here.
constexpr std::size_t kMostKept = 1024 * 1024;

std::string md5(const std::string& bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_md5(), nullptr) != 1) return "";
  return hex(std::string_view(reinterpret_cast<const char*>(digest), size));
}

ServerResponse upload(Call& call) {
  const auto type = call.http.header("content-type");
  if (!type || *type != "application/octet-stream") {
    return unsupported_type(call);
  }
  const auto found = own_image(call);
  if (!found) return found.error();
  Json image = **found;
  const std::string status = string_member(image, "status");
  if (status != "queued") {
    return error_answer(call, 409,
                        "Image status transition from " + status + " to saving is not allowed");
  }
  if (image["disk_format"].is_null() || image["container_format"].is_null()) {
    return error_answer(
        call, 400, "Properties disk_format, container_format must be set prior to saving data.");
  }
  store_data(call.cloud, image, call.http.body);
  touch_image(call, std::move(image));
  return done();
}

struct Range {
  std::size_t from = 0;
  std::size_t to = 0;
};

/// `bytes=0-4`, `bytes=5-` or `bytes=-3`; anything else asks for everything.
std::optional<Range> range_of(const Call& call, std::size_t size) {
  const auto header = call.http.header("range");
  if (!header || header->compare(0, 6, "bytes=") != 0) return std::nullopt;
  const std::string text = header->substr(6);
  const std::size_t dash = text.find('-');
  if (dash == std::string::npos || size == 0) return std::nullopt;
  const auto number = [](const std::string& digits) -> std::optional<std::size_t> {
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  };
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(dash + 1));
  if (!first && last) return Range{size > *last ? size - *last : 0, size - 1};
  if (!first || *first >= size) return std::nullopt;
  return Range{*first, last ? std::min(*last, size - 1) : size - 1};
}

ServerResponse download(Call& call) {
  const auto found = visible_image(call);
  if (!found) return found.error();
  const Json& image = **found;
  const std::string status = string_member(image, "status");
  if (status == "deactivated" && !call.who.is_admin()) {
    return error_answer(call, 403,
                        "The requested image has been deactivated. Image data download is "
                        "forbidden.");
  }
  const Json* kept = call.cloud.find(kData, string_member(image, "id"));
  const auto bytes = kept == nullptr ? std::nullopt : from_base64(string_member(*kept, "bytes"));
  if (status == "queued" || !bytes) return empty_answer(204);
  const auto range = range_of(call, bytes->size());
  ServerResponse response =
      text_answer(range ? 206 : 200, "application/octet-stream",
                  range ? bytes->substr(range->from, range->to - range->from + 1) : *bytes);
  response.headers.emplace_back("Content-MD5", string_member(image, "checksum"));
  if (range) {
    response.headers.emplace_back("Content-Range", "bytes " + std::to_string(range->from) + "-" +
                                                       std::to_string(range->to) + "/" +
                                                       std::to_string(bytes->size()));
  }
  return response;
}

}  // namespace

void store_data(Cloud& cloud, Json& image, const std::string& bytes) {
  const auto digest = sha512(bytes);
  const bool raw = image["disk_format"] == "raw" || image["disk_format"] == "iso";
  image["status"] = "active";
  image["size"] = bytes.size();
  image["virtual_size"] = raw ? Json(bytes.size()) : Json(nullptr);
  image["checksum"] = md5(bytes);
  image["os_hash_algo"] = "sha512";
  image["os_hash_value"] = hex(bytes_of(digest));
  image["stores"] = "devcloud";
  if (bytes.size() > kMostKept) return;
  cloud.put(kData, {{"id", image["id"]}, {"bytes", base64(bytes)}});
}

void add_image_data(Router& router) {
  router.add("image", "PUT", "/v2/images/{image}/file", Access::signed_in(), upload);
  router.add("image", "GET", "/v2/images/{image}/file", Access::signed_in(), download);
}

}  // namespace bailey::devcloud::image
