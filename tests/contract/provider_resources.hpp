#pragma once

#include "tests/contract/provider_cloud.hpp"

#include <algorithm>

/// What the tests of the resource types share: an environment of their own, and the steps through
/// which every type must go.
namespace bailey::contract {

inline constexpr auto kPublicKey =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ a@example";

class ProviderResources : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Ground::instance().open(Ground::instance().cloud().credential);
    ASSERT_TRUE(opened) << opened.error().render();
    provider_ = *opened;
    place_ = std::make_unique<Place>(*provider_);
    ASSERT_FALSE(place_->boundary.empty());
  }
  void TearDown() override { place_.reset(); }

  Place& place() { return *place_; }
  Provider& provider() { return *provider_; }

  /// What the provider shows of the fields that were asked for.
  static void expect_inputs(const Observed& seen, const Json& wanted) {
    for (const auto& [name, value] : wanted.items()) {
      if (!seen.inputs.contains(name)) continue;
      EXPECT_EQ(seen.inputs[name], value) << name;
    }
  }

  Observed read_back(const std::string& type, const std::string& id) {
    auto now = provider().read(type, place().boundary, id, {});
    EXPECT_TRUE(now) << now.error().render();
    EXPECT_TRUE(now && *now) << type << " " << id << " is not there";
    return now && *now ? **now : Observed{};
  }

  /// Create, read, list and find agree.
  Observed born(const std::string& type, const std::string& resource, const Json& inputs) {
    const auto schema = openstack_plugin().schema.resource_types.at(type);
    for (const auto& [name, value] : inputs.items()) {
      EXPECT_TRUE(std::any_of(schema.fields.begin(), schema.fields.end(),
                              [&](const FieldSchema& field) { return field.name == name; }))
          << type << " declares no field " << name;
    }
    auto made = place().make(type, resource, inputs);
    for (const auto& [name, what] : schema.attributes) {
      EXPECT_TRUE(made.attributes.contains(name)) << type << " has no attribute " << name;
    }
    EXPECT_FALSE(made.provider_id.empty());
    EXPECT_EQ(made.marker, place().marker(resource));
    EXPECT_TRUE(made.complete);
    expect_inputs(made, inputs);
    const auto now = read_back(type, made.provider_id);
    EXPECT_EQ(now.inputs, made.inputs);
    EXPECT_EQ(now.attributes, made.attributes);
    EXPECT_EQ(now.marker, made.marker);
    EXPECT_TRUE(now.complete);
    EXPECT_EQ(count(type, made), 1);
    auto found = provider().find(type, place().boundary, place().marker(resource), {});
    EXPECT_TRUE(found) << found.error().render();
    EXPECT_TRUE(found && found->size() == 1);
    auto other = provider().find(type, place().boundary, place().marker(resource, 2), {});
    EXPECT_TRUE(other && other->empty());
    return made;
  }

  long count(const std::string& type, const Observed& thing) {
    auto all = provider().list(type, place().boundary, {});
    EXPECT_TRUE(all) << all.error().render();
    if (!all) return -1;
    return std::count_if(all->begin(), all->end(), [&](const Observed& one) {
      return one.provider_id == thing.provider_id && one.marker == thing.marker &&
             one.inputs == thing.inputs && one.attributes == thing.attributes && one.complete;
    });
  }

  void changes(const std::string& type, const std::string& resource, const Observed& old,
               const Json& before, const Json& after) {
    auto now = provider().update(place().ask(type, resource, after), old.provider_id, before, {});
    ASSERT_TRUE(now) << now.error().render();
    EXPECT_EQ(now->provider_id, old.provider_id);
    expect_inputs(*now, after);
    EXPECT_EQ(now->marker, place().marker(resource));
    EXPECT_TRUE(now->complete);
    const auto again = read_back(type, old.provider_id);
    EXPECT_EQ(again.inputs, now->inputs);
  }

  void dies(const std::string& type, const std::string& resource, const std::string& id) {
    auto gone = provider().remove(type, place().boundary, id, {});
    ASSERT_TRUE(gone) << gone.error().render();
    auto now = provider().read(type, place().boundary, id, {});
    ASSERT_TRUE(now) << now.error().render();
    EXPECT_FALSE(*now);
    auto again = provider().remove(type, place().boundary, id, {});
    EXPECT_TRUE(again) << again.error().render();
    auto found = provider().find(type, place().boundary, place().marker(resource), {});
    EXPECT_TRUE(found && found->empty());
  }

 private:
  std::shared_ptr<Provider> provider_;
  std::unique_ptr<Place> place_;
};

}  // namespace bailey::contract
