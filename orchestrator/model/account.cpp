#include "orchestrator/model/account.hpp"

#include "orchestrator/base/text.hpp"

namespace bailey {

bool crosses_in_clear(std::string_view url) {
  constexpr std::string_view kPlain = "http://";
  if (url.starts_with("https://")) return false;
  if (!url.starts_with(kPlain)) return true;
  const auto authority =
      url.substr(kPlain.size(), url.find_first_of("/?#", kPlain.size()) - kPlain.size());
  if (authority.find('@') != std::string_view::npos) return true;
  const auto port = authority.rfind(':');
  const bool has_port = port != std::string_view::npos && !authority.ends_with(']');
  return !is_loopback_host(has_port ? authority.substr(0, port) : authority);
}

}  // namespace bailey
