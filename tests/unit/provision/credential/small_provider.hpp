#pragma once

#include "orchestrator/provision/provider/provider.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bailey::test {

/// A provider that knows identities and credentials alone. `before` and `after` may fail a call:
/// before it did anything, or when all is done and only the answer is lost.
class SmallProvider final : public Provider {
 public:
  struct User {
    std::string name;
    std::string secret;
    std::vector<std::string> grants;
    std::map<std::string, std::string> credentials;  ///< Name to id.
  };
  using Fault = std::function<std::optional<Error>(const std::string& call)>;

  std::map<std::string, User> users;  ///< By id.
  std::vector<std::string> calls;
  std::function<void(const std::string& call)> seen = [](const std::string&) {};
  Fault before = [](const std::string&) { return std::nullopt; };
  Fault after = [](const std::string&) { return std::nullopt; };

  [[nodiscard]] std::size_t credential_count() const {
    std::size_t count = 0;
    for (const auto& [id, user] : users) count += user.credentials.size();
    return count;
  }

  Result<Identity> ensure_identity(const IdentityRequest& request,
                                   const std::optional<Identity>& known, std::stop_token) override {
    return call<Identity>("ensure_identity", [&]() -> Result<Identity> {
      const auto name = request.environment_uid.str() + "/" + request.role;
      auto id = known ? known->id : std::string();
      for (const auto& [have, user] : users) {
        if (user.name == name) id = have;
      }
      if (!users.contains(id)) id = "user-" + std::to_string(++made_);
      auto& user = users[id];
      const bool same = known && known->secret.reveal() == user.secret;
      if (!same) user.secret = "identity-secret-" + std::to_string(++made_);
      user.name = name;
      user.grants = request.grants;
      return Identity{id, Secret(user.secret)};
    });
  }
  Status remove_identity(const std::string& identity, std::stop_token) override {
    return call<void>("remove_identity", [&]() -> Status {
      users.erase(identity);
      return {};
    });
  }
  Result<IssuedCredential> issue(const Identity& identity, const IssueRequest& request,
                                 std::stop_token) override {
    return call<IssuedCredential>("issue", [&]() -> Result<IssuedCredential> {
      const auto user = users.find(identity.id);
      if (user == users.end() || user->second.secret != identity.secret.reveal()) {
        return fail(ErrorKind::Unauthenticated, "who are you");
      }
      const auto id = "issued-" + std::to_string(++made_);
      user->second.credentials[request.name] = id;
      last_expiry = request.expires_at;
      return IssuedCredential{id, Secret("material-of-" + id)};
    });
  }
  Status revoke(const Identity& identity, const std::string& provider_id,
                std::stop_token) override {
    return call<void>("revoke", [&]() -> Status {
      const auto user = users.find(identity.id);
      if (user == users.end()) return {};
      std::erase_if(user->second.credentials,
                    [&](const auto& one) { return one.second == provider_id; });
      return {};
    });
  }

  Result<std::string> ensure_boundary(const BoundaryRequest&, std::stop_token) override {
    return no();
  }
  Result<std::optional<std::string>> find_boundary(const EnvironmentUid&,
                                                   std::stop_token) override {
    return no();
  }
  Result<std::vector<FoundBoundary>> list_boundaries(std::stop_token) override { return no(); }
  Status remove_boundary(const std::string&, std::stop_token) override { return no(); }
  Result<Observed> create(const ResourceRequest&, std::stop_token) override { return no(); }
  Result<std::optional<Observed>> read(const std::string&, const std::string&, const std::string&,
                                       std::stop_token) override {
    return no();
  }
  Result<Observed> update(const ResourceRequest&, const std::string&, const nlohmann::json&,
                          std::stop_token) override {
    return no();
  }
  Status remove(const std::string&, const std::string&, const std::string&,
                std::stop_token) override {
    return no();
  }
  Result<std::vector<Observed>> list(const std::string&, const std::string&,
                                     std::stop_token) override {
    return no();
  }
  Result<std::vector<Observed>> find(const std::string&, const std::string&, const Marker&,
                                     std::stop_token) override {
    return no();
  }
  [[nodiscard]] Result<std::map<std::string, Secret>> tool_environment(
      const Secret&) const override {
    return no();
  }
  Result<std::vector<ProbeAttempt>> probe(const Secret&, const ProbeTarget&,
                                          std::stop_token) override {
    return no();
  }

  WallTime last_expiry;

 private:
  static tl::unexpected<Error> no() { return fail(ErrorKind::Unsupported, "not here"); }

  template <class T, class Act>
  Result<T> call(const std::string& name, Act&& act) {
    calls.push_back(name);
    seen(name);
    if (auto error = before(name)) return fail(*std::move(error));
    Result<T> result = act();
    if (auto error = after(name)) return fail(*std::move(error));
    return result;
  }

  int made_ = 0;
};

}  // namespace bailey::test
