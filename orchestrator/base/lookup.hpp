#pragma once

namespace bailey {

/// What a map has at `key`; nothing (nullptr) when it has no such key.
template <class Map, class Key>
[[nodiscard]] const typename Map::mapped_type* find_value(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? nullptr : &found->second;
}

}  // namespace bailey
