#include "orchestrator/serve/engine/bundle_record.hpp"

#include "orchestrator/base/encoding.hpp"
#include "orchestrator/base/json.hpp"
#include "orchestrator/declare/spec/bundle_reader.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <set>

namespace bailey {

namespace {

bool stays_inside(const std::filesystem::path& path) {
  if (path.empty() || path.is_absolute()) return false;
  for (const auto& part : path) {
    if (part == ".." || part == "." || part.empty()) return false;
  }
  return true;
}

Result<Json> stored(Transaction& transaction, const std::string& digest) {
  auto record = transaction.get(Collection::Bundle, digest);
  if (!record) return fail(std::move(record.error()).in("reading the bundle " + digest));
  if (!*record) return fail(ErrorKind::NotFound, "there is no bundle " + digest);
  return std::move((*record)->body);
}

}  // namespace

Json to_json(const BundleSources& sources) {
  Json specs = Json::array();
  for (const auto& file : sources.specs) {
    specs.push_back({{"path", file.path}, {"text", file.text}});
  }
  Json programs = Json::object();
  for (const auto& [path, bytes] : sources.programs) programs[path] = base64(bytes);
  return {{"specs", std::move(specs)}, {"programs", std::move(programs)}};
}

Result<BundleSources> bundle_sources_from_json(const Json& value) {
  BundleSources sources;
  const auto& specs = member(value, "specs");
  if (!specs.is_array()) {
    return fail(ErrorKind::InvalidArgument, "the list \"specs\" is missing");
  }
  for (const auto& item : specs) {
    auto path = require_string(item, "path");
    auto text = require_string(item, "text");
    if (!path || !text)
      return fail(ErrorKind::InvalidArgument, "a spec needs \"path\" and \"text\"");
    sources.specs.push_back({*std::move(path), *std::move(text)});
  }
  const auto& programs = member(value, "programs");
  if (!programs.is_object()) return sources;
  for (const auto& [path, encoded] : programs.items()) {
    auto bytes = encoded.is_string() ? from_base64(encoded.get<std::string>()) : std::nullopt;
    if (!stays_inside(path) || !bytes) {
      return fail(ErrorKind::InvalidArgument,
                  fmt::format("the program \"{}\" has a path that leaves its folder, or is not "
                              "base64",
                              path));
    }
    sources.programs[path] = *std::move(bytes);
  }
  return sources;
}

Status store_bundle(Transaction& transaction, const Bundle& bundle, const BundleSources& sources,
                    const BundleOrigin& origin) {
  auto known = transaction.get(Collection::Bundle, bundle.digest);
  if (!known) return fail(std::move(known.error()));
  std::set<std::string> authors(origin.authors.begin(), origin.authors.end());
  Json body{{"sources", Json()}, {"commit", origin.commit}};
  if (*known) {
    body = std::move((*known)->body);
    const auto named = strings_member(body, "authors");
    authors.insert(named.begin(), named.end());
    if (authors.size() == named.size()) return {};
  } else {
    body["sources"] = to_json(sources);
  }
  body["authors"] = authors;
  auto written = transaction.put(Collection::Bundle, bundle.digest, body);
  if (!written) return fail(std::move(written.error()).in("storing the bundle " + bundle.digest));
  return {};
}

Result<Bundle> load_bundle(Transaction& transaction, const std::string& digest,
                           const ProviderSchemas& schemas) {
  auto body = stored(transaction, digest);
  if (!body) return fail(std::move(body.error()));
  auto sources = bundle_sources_from_json(member(*body, "sources"));
  if (!sources) return fail(std::move(sources.error()).in("reading the bundle " + digest));
  Diagnostics diagnostics;
  auto bundle = read_bundle(*sources, schemas, diagnostics);
  if (!bundle || bundle->digest != digest) {
    return fail(ErrorKind::Internal,
                fmt::format("the stored bundle {} no longer reads as itself", digest));
  }
  return *std::move(bundle);
}

Result<BundleOrigin> bundle_origin(Transaction& transaction, const std::string& digest) {
  auto body = stored(transaction, digest);
  if (!body) return fail(std::move(body.error()));
  return BundleOrigin{strings_member(*body, "authors"), string_member(*body, "commit")};
}

}  // namespace bailey
