#include "tests/simulation/spec_model.hpp"

#include "orchestrator/base/digest.hpp"
#include "orchestrator/base/json.hpp"

#include <algorithm>
#include <array>

namespace bailey::test {

namespace {

const std::array<const char*, 4> kTypes{"network", "security-group", "secret", "server"};

ResourceAddress address_of(const std::string& name) {
  return {"dev", name, std::nullopt};
}

/// What a text can say about a resource of the type.
std::string reference_to(const std::string& name, const std::string& type) {
  if (type == "network") return "${resource." + name + ".cidr}";
  if (type == "secret") return "${resource." + name + ".ref}";
  if (type == "server") return "${resource." + name + ".address}";
  return "${resource." + name + "}";
}

}  // namespace

void SpecModel::declare(int count) {
  for (int i = 0; i < count; ++i) add();
}

void SpecModel::change() {
  const int changes = dice_.between(1, 2 + static_cast<int>(items_.size()) / 4);
  for (int i = 0; i < changes; ++i) {
    const auto which = dice_.below(10);
    if (which < 2) {
      add();
    } else if (which < 4 && items_.size() > 2) {
      remove_one();
    } else {
      change_one();
    }
  }
}

void SpecModel::add() {
  const auto name = fmt::format("r{:03}", ++added_);
  items_[name] = new_item(name);
  allow_another(name);
}

SpecModel::Item SpecModel::new_item(const std::string& name) {
  Item item;
  item.type = kTypes[dice_.below(kTypes.size())];
  const auto networks = earlier_than(name, "network");
  if (item.type == "server" && networks.empty()) item.type = "network";
  if (item.type == "server") item.network = networks[dice_.below(networks.size())];
  if (item.type == "secret") return item;
  const auto others = earlier_than(name, "");
  for (auto uses = dice_.below(4); uses > 0 && !others.empty(); --uses) {
    const auto& other = others[dice_.below(others.size())];
    if (std::find(item.uses.begin(), item.uses.end(), other) == item.uses.end()) {
      item.uses.push_back(other);
    }
  }
  return item;
}

std::vector<std::string> SpecModel::earlier_than(const std::string& name,
                                                 const std::string& type) const {
  std::vector<std::string> names;
  for (const auto& [other, item] : items_) {
    if (other < name && (type.empty() || item.type == type)) names.push_back(other);
  }
  return names;
}

void SpecModel::remove_one() {
  auto doomed = items_.begin();
  std::advance(doomed, static_cast<std::ptrdiff_t>(dice_.below(items_.size())));
  const auto name = doomed->first;
  // A server has no other network to go to: it stays, and so does what it is in.
  for (const auto& [other, item] : items_) {
    if (item.network == name) return;
  }
  items_.erase(doomed);
  for (auto& [other, item] : items_) std::erase(item.uses, name);
}

void SpecModel::change_one() {
  auto chosen = items_.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(dice_.below(items_.size())));
  auto& [name, item] = *chosen;
  if (dice_.happens(0.1) && item.type != "network" && item.type != "server") {
    item.type = item.type == "secret" ? "network" : "secret";
    item.uses.clear();
    allow_another(name);
    return;
  }
  if (item.type != "secret" && dice_.happens(0.5)) {
    ++item.updated;
    return;
  }
  if (item.type != "security-group") {
    ++item.replaced;
    allow_another(name);
    return;
  }
  ++item.updated;
}

void SpecModel::allow_another(const std::string& name) {
  ++reasons_[name];
  for (const auto& [other, item] : items_) {
    if (item.network == name) allow_another(other);
  }
}

void SpecModel::note_loss(const ResourceAddress& address) {
  allow_another(address.resource);
}

std::size_t SpecModel::reasons_to_make(const ResourceAddress& address) const {
  const auto found = reasons_.find(address.resource);
  return found == reasons_.end() ? 0 : found->second;
}

bool SpecModel::declares(const ResourceAddress& address, const std::string& type) const {
  const auto found = items_.find(address.resource);
  return found != items_.end() && found->second.type == type;
}

Json SpecModel::fields_of(const Item& item) const {
  std::string text = "version " + std::to_string(item.updated);
  for (const auto& name : item.uses) text += " " + reference_to(name, items_.at(name).type);
  if (item.type == "network") {
    return {{"cidr", fmt::format("10.{}.0.0/24", item.replaced)}, {"description", text}};
  }
  if (item.type == "security-group") {
    return {{"ingress", {{{"protocol", "tcp"}, {"port", 1000 + item.updated}}}},
            {"description", text}};
  }
  if (item.type == "secret") return {{"generate", {{"length", 16 + item.replaced}}}};
  Json groups = Json::array();
  for (const auto& name : item.uses) {
    if (items_.at(name).type == "security-group") groups.push_back("${resource." + name + "}");
  }
  return {{"flavor", "small"},
          {"image", "image-" + std::to_string(item.replaced)},
          {"network", "${resource." + item.network + "}"},
          {"securityGroups", std::move(groups)},
          {"metadata", {{"text", text}}}};
}

Expansion SpecModel::expansion() const {
  Expansion expansion;
  Json all = Json::array();
  for (const auto& [name, item] : items_) {
    DesiredResource resource;
    resource.address = address_of(name);
    resource.type = item.type;
    resource.fields = fields_of(item);
    for (const auto& reference : resource_references(resource.fields)) {
      resource.depends_on.push_back(address_of(reference.resource));
    }
    std::sort(resource.depends_on.begin(), resource.depends_on.end());
    resource.depends_on.erase(std::unique(resource.depends_on.begin(), resource.depends_on.end()),
                              resource.depends_on.end());
    all.push_back(resource.fields);
    expansion.resources.push_back(std::move(resource));
  }
  expansion.spec_digest = digest_of(all);
  return expansion;
}

}  // namespace bailey::test
