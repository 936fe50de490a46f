#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/text.hpp"
#include "providers/devcloud/compute.hpp"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cctype>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bailey::devcloud::compute {

namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(BIGNUM* number) const { BN_free(number); }
};
using Number = std::unique_ptr<BIGNUM, Free>;

OrderedJson create_schema(int version) {
  OrderedJson schema = parse_ordered(R"({
    "type": "object",
    "properties": {"keypair": {
      "type": "object",
      "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 255},
        "public_key": {"type": "string"}
      },
      "required": ["name"],
      "additionalProperties": false
    }},
    "required": ["keypair"],
    "additionalProperties": false
  })");
  OrderedJson& keypair = schema["properties"]["keypair"];
  if (version >= 2) {
    keypair["properties"]["type"] = {{"type", "string"}, {"enum", {"ssh", "x509"}}};
  }
  if (version >= 10) keypair["properties"]["user_id"] = {{"type", "string"}, {"minLength", 1}};
  if (version >= 92) keypair["required"].push_back("public_key");
  return schema;
}

/// MD5 of the key's bytes, in pairs: still what Nova shows.
std::optional<std::string> fingerprint_of(const std::string& public_key) {
  const std::vector<std::string> words = split(trim(public_key), ' ');
  if (words.size() < 2) return std::nullopt;
  const auto bytes = from_base64(words[1]);
  if (!bytes || bytes->size() < 4) return std::nullopt;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_Digest(bytes->data(), bytes->size(), digest, &size, EVP_md5(), nullptr) != 1) {
    return std::nullopt;
  }
  const std::string digits = hex(std::string_view(reinterpret_cast<const char*>(digest), size));
  std::string pairs = digits.substr(0, 2);
  for (std::size_t i = 2; i < digits.size(); i += 2) pairs += ":" + digits.substr(i, 2);
  return pairs;
}

std::string ssh_string(std::string_view bytes) {
  const auto size = static_cast<std::uint32_t>(bytes.size());
  std::string out;
  for (const int shift : {24, 16, 8, 0}) out += static_cast<char>((size >> shift) & 0xFFU);
  return out.append(bytes);
}

/// RFC 4251: an mpint is signed, so that a set top bit needs a zero before it.
std::string ssh_number(const BIGNUM* number) {
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(bytes.data()));
  if (!bytes.empty() && (static_cast<unsigned char>(bytes[0]) & 0x80U) != 0) {
    bytes.insert(bytes.begin(), '\0');
  }
  return ssh_string(bytes);
}

struct NewKey {
  std::string private_key;
  std::string public_key;
};

std::optional<NewKey> generate() {
  const std::unique_ptr<EVP_PKEY, Free> key(EVP_RSA_gen(2048));
  const std::unique_ptr<BIO, Free> text(BIO_new(BIO_s_mem()));
  if (!key || !text) return std::nullopt;
  BIGNUM* n = nullptr;
  BIGNUM* e = nullptr;
  EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_N, &n);
  EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_RSA_E, &e);
  const Number modulus(n);
  const Number exponent(e);
  if (!modulus || !exponent) return std::nullopt;
  if (PEM_write_bio_PrivateKey_traditional(text.get(), key.get(), nullptr, nullptr, 0, nullptr,
                                           nullptr) != 1) {
    return std::nullopt;
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  NewKey made;
  made.private_key.assign(data, static_cast<std::size_t>(size));
  made.public_key =
      "ssh-rsa " +
      base64(ssh_string("ssh-rsa") + ssh_number(exponent.get()) + ssh_number(modulus.get())) +
      " Generated-by-Nova";
  return made;
}

std::string id_of(const std::string& user, const std::string& name) {
  return user + "/" + name;
}

/// Whose keys: one's own, or with 2.10 another user's for an administrator.
Checked<std::string> owner(const Request& request, const std::string& rule) {
  const auto asked = request.call.query("user_id");
  if (!asked || request.version < 10 || *asked == request.who().user_id) {
    return request.who().user_id;
  }
  if (!request.who().is_admin()) {
    return refuse(forbidden_by("os_compute_api:os-keypairs:" + rule));
  }
  return *asked;
}

Checked<const Json*> keypair_of(const Request& request, const std::string& rule) {
  const auto user = owner(request, rule);
  if (!user) return refuse(user.error());
  const Json* keypair = request.cloud().find(kKeypair, id_of(*user, request.part("name")));
  if (keypair == nullptr) {
    return refuse(
        fault_answer(404, "Keypair " + request.part("name") + " not found for user " + *user));
  }
  return keypair;
}

Json shown(const Request& request, const Json& keypair) {
  Json out = {{"name", keypair["name"]},
              {"public_key", keypair["public_key"]},
              {"fingerprint", keypair["fingerprint"]}};
  if (request.version >= 2) out["type"] = keypair["type"];
  return out;
}

bool good_name(const std::string& name) {
  return std::all_of(name.begin(), name.end(), [](unsigned char byte) {
    return byte < 0x80 && (std::isalnum(byte) != 0 || byte == '_' || byte == '-' || byte == ' ');
  });
}

ServerResponse create(Request& request) {
  const auto body = read_body(request, create_schema(request.version));
  if (!body) return body.error();
  const OrderedJson& given = (*body)["keypair"];
  const auto name = given["name"].get<std::string>();
  if (!good_name(name)) {
    return fault_answer(400,
                        "An invalid 'name' value was provided. The name must be: Only expected "
                        "characters: [_- 0123456789abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ]");
  }
  std::string user = request.who().user_id;
  if (given.contains("user_id") && given["user_id"] != user) {
    if (!request.who().is_admin()) return forbidden_by("os_compute_api:os-keypairs:create");
    user = given["user_id"].get<std::string>();
  }
  Cloud& cloud = request.cloud();
  const auto limit = quota_of(cloud, request.who().project_id).at("key_pairs");
  const auto used = cloud.where(kKeypair, "user_id", user).size();
  if (limit >= 0 && used >= static_cast<std::size_t>(limit)) {
    return fault_answer(403, "Quota exceeded, too many key pairs.");
  }
  NewKey key;
  if (given.contains("public_key")) {
    key.public_key = given["public_key"].get<std::string>();
  } else if (auto made = generate()) {
    key = std::move(*made);
  }
  const auto fingerprint = fingerprint_of(key.public_key);
  if (!fingerprint) {
    return fault_answer(400, "Keypair data is invalid: failed to generate fingerprint");
  }
  if (cloud.find(kKeypair, id_of(user, name)) != nullptr) {
    return fault_answer(409, "Key pair '" + name + "' already exists.");
  }
  std::int64_t number = 1;
  for (const Json* other : cloud.all(kKeypair)) {
    number = std::max(number, member(*other, "number").get<std::int64_t>() + 1);
  }
  const Json& keypair =
      cloud.put(kKeypair, id_of(user, name),
                {{"name", name},
                 {"user_id", user},
                 {"type", given.contains("type") ? given["type"].get<std::string>() : "ssh"},
                 {"public_key", key.public_key},
                 {"fingerprint", *fingerprint},
                 {"number", number},
                 {"created_at", long_time_of_ms(now_ms(cloud))}});
  Json out = shown(request, keypair);
  out["user_id"] = user;
  if (!key.private_key.empty()) out["private_key"] = key.private_key;
  return answer(request.version < 2 ? 200 : 201, {{"keypair", out}});
}

ServerResponse list(Request& request) {
  QueryRules rules;
  if (request.version >= 10) rules.known = {"user_id"};
  const auto page = read_query(request, rules);
  if (!page) return page.error();
  const auto user = owner(request, "index");
  if (!user) return user.error();
  std::vector<const Json*> keypairs = request.cloud().where(kKeypair, "user_id", *user);
  std::sort(keypairs.begin(), keypairs.end(), [](const Json* left, const Json* right) {
    return string_member(*left, "name") < string_member(*right, "name");
  });
  std::vector<Json> rows;
  rows.reserve(keypairs.size());
  for (const Json* keypair : keypairs) rows.push_back({{"keypair", shown(request, *keypair)}});
  const auto body = paged(request, "os-keypairs", rows, *page, "name");
  return body ? answer(200, *body) : body.error();
}

ServerResponse show(Request& request) {
  const auto keypair = keypair_of(request, "show");
  if (!keypair) return keypair.error();
  Json out = shown(request, **keypair);
  out["user_id"] = (**keypair)["user_id"];
  out["created_at"] = (**keypair)["created_at"];
  out["deleted"] = false;
  out["deleted_at"] = nullptr;
  out["id"] = (**keypair)["number"];
  out["updated_at"] = nullptr;
  return answer(200, {{"keypair", out}});
}

ServerResponse remove(Request& request) {
  const auto keypair = keypair_of(request, "delete");
  if (!keypair) return keypair.error();
  request.cloud().erase(kKeypair, id_of(string_member(**keypair, "user_id"), request.part("name")));
  return empty(request.version < 2 ? 202 : 204);
}

}  // namespace

void add_keypairs(Router& router) {
  add_route(router, "POST", "/os-keypairs", {}, create);
  add_route(router, "GET", "/os-keypairs", {}, list);
  add_route(router, "GET", "/os-keypairs/{name}", {}, show);
  add_route(router, "DELETE", "/os-keypairs/{name}", {}, remove);
}

}  // namespace bailey::devcloud::compute
