#pragma once

#include "orchestrator/declare/spec/expand.hpp"
#include "tests/simulation/scheduler.hpp"

#include <map>
#include <string>
#include <vector>

namespace bailey::test {

/// A declaration that changes at random, of the fake provider's types, and a second opinion on what
/// an engine may do to get there.
class SpecModel {
 public:
  explicit SpecModel(Dice& dice) : dice_(dice) {}

  void declare(int count);
  /// Adds, updates, replaces and takes away a few.
  void change();
  [[nodiscard]] Expansion expansion() const;
  [[nodiscard]] bool declares(const ResourceAddress& address, const std::string& type) const;
  [[nodiscard]] std::size_t size() const { return items_.size(); }

  /// It was lost, or drifted where the API cannot change it back: it has to be made anew.
  void note_loss(const ResourceAddress& address);
  /// How often there was a reason so far to make a resource, or to make it anew.
  [[nodiscard]] std::size_t reasons_to_make(const ResourceAddress& address) const;

 private:
  struct Item {
    std::string type;
    int replaced = 0;
    int updated = 0;
    std::string network;            ///< Of a server.
    std::vector<std::string> uses;  ///< What some text in it refers to.
  };

  void add();
  void remove_one();
  void change_one();
  [[nodiscard]] Item new_item(const std::string& name);
  [[nodiscard]] nlohmann::json fields_of(const Item& item) const;
  [[nodiscard]] std::vector<std::string> earlier_than(const std::string& name,
                                                      const std::string& type) const;
  void allow_another(const std::string& name);

  Dice& dice_;
  std::map<std::string, Item> items_;  ///< In the order of their names each refers to earlier ones.
  std::map<std::string, std::size_t> reasons_;
  int added_ = 0;
};

}  // namespace bailey::test
