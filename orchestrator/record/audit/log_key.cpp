#include "orchestrator/record/audit/log_key.hpp"

#include "orchestrator/base/file.hpp"
#include "orchestrator/base/text.hpp"

namespace bailey {

Result<LogKey> LogKey::generate(std::string origin, Random& random) {
  auto signer = NoteSigner::generate(std::move(origin), random);
  if (!signer) return fail(std::move(signer.error()).in("making the log's key"));
  return LogKey(*std::move(signer));
}

Result<LogKey> LogKey::load(const std::filesystem::path& file) {
  auto text = read_private_file(file);
  if (!text) return fail(std::move(text.error()).in("loading the log's key"));
  auto signer = NoteSigner::parse(Secret(std::string(trim(text->reveal()))));
  if (!signer) return fail(std::move(signer.error()).in("loading the log's key " + file.string()));
  return LogKey(*std::move(signer));
}

Result<LogKey> LogKey::load_or_create(const std::filesystem::path& file, const std::string& origin,
                                      Random& random) {
  auto loaded = load(file);
  if (loaded || loaded.error().kind() != ErrorKind::NotFound) return loaded;
  auto made = generate(origin, random);
  if (!made) return made;
  if (auto saved = made->save(file); !saved) return fail(std::move(saved.error()));
  return made;
}

Status LogKey::save(const std::filesystem::path& file) const {
  const Secret text(std::string(signer_.str().reveal()) + "\n");
  return write_private_file(file, text.reveal());
}

Result<std::string> LogKey::sign(std::uint64_t size, const Sha256& root) const {
  return signer_.sign(to_text({.origin = origin(), .size = size, .root = root, .extensions = {}}));
}

}  // namespace bailey
