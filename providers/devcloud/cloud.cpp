#include "providers/devcloud/cloud.hpp"

#include "orchestrator/base/encoding.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <utility>

namespace bailey::devcloud {

namespace {

constexpr std::size_t kNonceBytes = crypto_secretbox_NONCEBYTES;

const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* raw(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

}  // namespace

struct Cloud::Record {
  std::string id;
  Json body;
  std::uint64_t sequence = 0;
  MonotonicTime visible_from;
};

/// Objects by id, by age, and by the fields that somebody has asked for.
struct Cloud::Kind {
  using ByAge = std::map<std::uint64_t, const Record*>;
  using Index = std::unordered_map<std::string, ByAge>;

  std::map<std::string, Record, std::less<>> records;
  ByAge by_age;
  std::map<std::string, Index, std::less<>> indexes;

  void link(const Record& record) {
    by_age[record.sequence] = &record;
    for (auto& [field, index] : indexes) add_to(index, field, record);
  }
  void unlink(const Record& record) {
    by_age.erase(record.sequence);
    for (auto& [field, index] : indexes) {
      const auto entry = index.find(string_member(record.body, field));
      if (entry == index.end()) continue;
      entry->second.erase(record.sequence);
      if (entry->second.empty()) index.erase(entry);
    }
  }
  const Index& index_by(std::string_view field) {
    const auto known = indexes.find(field);
    if (known != indexes.end()) return known->second;
    Index& index = indexes[std::string(field)];
    for (const auto& [sequence, record] : by_age) add_to(index, field, *record);
    return index;
  }
  static void add_to(Index& index, std::string_view field, const Record& record) {
    const Json& value = member(record.body, field);
    if (value.is_string()) index[value.get<std::string>()][record.sequence] = &record;
  }
};

/// How to take one change back: the record as it was, or nothing where there was none.
struct Cloud::Undo {
  std::string kind;
  std::string id;
  std::optional<Record> before;
};

Cloud::Cloud(Clock& clock, Random& random, CloudSettings settings, std::unique_ptr<StateFile> file)
    : clock_(clock), random_(random), settings_(settings), file_(std::move(file)) {
  key_ = file_ ? file_->key() : random_.bytes(crypto_secretbox_KEYBYTES);
}

Cloud::~Cloud() = default;

Status Cloud::load() {
  if (!file_) return {};
  auto rows = file_->read_all();
  if (!rows) return fail(std::move(rows.error()).in("reading the embedded cloud's state"));
  for (const StoredObject& row : *rows) {
    auto body = parse_json(row.body);
    if (!body) return fail(std::move(body.error()).in("reading " + row.kind + " " + row.id));
    Kind& kind = kind_of(row.kind);
    Record& record = kind.records[row.id];
    record = {.id = row.id, .body = std::move(*body), .sequence = row.sequence, .visible_from = {}};
    kind.link(record);
    next_sequence_ = std::max(next_sequence_, row.sequence + 1);
  }
  return {};
}

Cloud::Kind& Cloud::kind_of(std::string_view kind) {
  const auto known = kinds_.find(kind);
  if (known != kinds_.end()) return *known->second;
  return *kinds_.emplace(std::string(kind), std::make_unique<Kind>()).first->second;
}

bool Cloud::visible(const Record& record) const {
  return sight_ == Sight::Everything || record.visible_from == MonotonicTime{} ||
         record.visible_from <= clock_.monotonic_now();
}

const Json* Cloud::find(std::string_view kind, std::string_view id) const {
  const auto objects = kinds_.find(kind);
  if (objects == kinds_.end()) return nullptr;
  const auto record = objects->second->records.find(id);
  if (record == objects->second->records.end() || !visible(record->second)) return nullptr;
  return &record->second.body;
}

std::vector<const Json*> Cloud::all(std::string_view kind) const {
  std::vector<const Json*> found;
  const auto objects = kinds_.find(kind);
  if (objects == kinds_.end()) return found;
  found.reserve(objects->second->by_age.size());
  for (const auto& [sequence, record] : objects->second->by_age) {
    if (visible(*record)) found.push_back(&record->body);
  }
  return found;
}

std::vector<const Json*> Cloud::where(std::string_view kind, std::string_view field,
                                      std::string_view value) const {
  std::vector<const Json*> found;
  const auto objects = kinds_.find(kind);
  if (objects == kinds_.end()) return found;
  const Kind::Index& index = objects->second->index_by(field);
  const auto entry = index.find(std::string(value));
  if (entry == index.end()) return found;
  for (const auto& [sequence, record] : entry->second) {
    if (visible(*record)) found.push_back(&record->body);
  }
  return found;
}

const Json* Cloud::oldest(std::string_view kind) const {
  const auto objects = kinds_.find(kind);
  if (objects == kinds_.end() || objects->second->by_age.empty()) return nullptr;
  return &objects->second->by_age.begin()->second->body;
}

const Json* Cloud::find_by(std::string_view kind, std::string_view field,
                           std::string_view value) const {
  const auto found = where(kind, field, value);
  return found.empty() ? nullptr : found.front();
}

const Json& Cloud::put(std::string_view kind, std::string_view id, Json body) {
  Kind& objects = kind_of(kind);
  const auto known = objects.records.find(id);
  Undo undo{.kind = std::string(kind), .id = std::string(id), .before = std::nullopt};
  if (known != objects.records.end()) {
    undo.before = known->second;
    objects.unlink(known->second);
    known->second.body = std::move(body);
    objects.link(known->second);
    undo_.push_back(std::move(undo));
    return known->second.body;
  }
  Record& record = objects.records[std::string(id)];
  record.id = std::string(id);
  record.body = std::move(body);
  record.sequence = next_sequence_++;
  // Identity is one database: what it has answered for is there at once, also for the others.
  if (in_request_ && settings_.visibility_delay.count() > 0 && kind.substr(0, 9) != "identity.") {
    record.visible_from = clock_.monotonic_now() + settings_.visibility_delay;
  }
  objects.link(record);
  undo_.push_back(std::move(undo));
  return record.body;
}

const Json& Cloud::put(std::string_view kind, Json body) {
  const std::string id = string_member(body, "id");
  return put(kind, id, std::move(body));
}

bool Cloud::erase(std::string_view kind, std::string_view id) {
  Kind& objects = kind_of(kind);
  const auto record = objects.records.find(id);
  if (record == objects.records.end()) return false;
  objects.unlink(record->second);
  undo_.push_back(
      {.kind = std::string(kind), .id = std::string(id), .before = std::move(record->second)});
  objects.records.erase(record);
  return true;
}

void Cloud::erase_where(std::string_view kind, std::string_view field, std::string_view value) {
  Kind& objects = kind_of(kind);
  std::vector<std::string> ids;
  const Kind::Index& index = objects.index_by(field);
  const auto entry = index.find(std::string(value));
  if (entry == index.end()) return;
  for (const auto& [sequence, record] : entry->second) ids.push_back(record->id);
  for (const std::string& id : ids) erase(kind, id);
}

void Cloud::begin(Sight sight) {
  undo_.clear();
  sight_ = sight;
  in_request_ = true;
}

Status Cloud::commit() {
  in_request_ = false;
  sight_ = Sight::Everything;
  if (!file_ || undo_.empty()) {
    undo_.clear();
    return {};
  }
  std::vector<StoredChange> changes;
  std::map<std::pair<std::string, std::string>, bool> seen;
  for (const Undo& undo : undo_) {
    if (!seen.emplace(std::pair(undo.kind, undo.id), true).second) continue;
    StoredChange change{.kind = undo.kind, .id = undo.id, .object = std::nullopt};
    const Kind& objects = kind_of(undo.kind);
    const auto record = objects.records.find(undo.id);
    if (record != objects.records.end()) {
      change.object = StoredObject{.kind = undo.kind,
                                   .id = undo.id,
                                   .sequence = record->second.sequence,
                                   .body = record->second.body.dump()};
    }
    changes.push_back(std::move(change));
  }
  const Status written = file_->write(changes);
  if (!written) {
    roll_back();
    return written;
  }
  undo_.clear();
  return {};
}

void Cloud::roll_back() {
  in_request_ = false;
  sight_ = Sight::Everything;
  while (!undo_.empty()) {
    restore(undo_.back());
    undo_.pop_back();
  }
}

void Cloud::restore(const Undo& undo) {
  Kind& objects = kind_of(undo.kind);
  const auto present = objects.records.find(undo.id);
  if (present != objects.records.end()) objects.unlink(present->second);
  if (undo.before) {
    Record& record = objects.records[undo.id];
    record = *undo.before;
    objects.link(record);
  } else if (present != objects.records.end()) {
    objects.records.erase(present);
  }
}

std::string Cloud::new_hex_id() {
  return hex(random_.bytes(16));
}

std::string Cloud::new_uuid() {
  return bailey::new_uuid(random_);
}

std::string Cloud::seal(std::string_view plain) {
  std::string nonce = random_.bytes(kNonceBytes);
  std::string box(plain.size() + crypto_secretbox_MACBYTES, '\0');
  crypto_secretbox_easy(raw(box), raw(plain), plain.size(), raw(std::string_view(nonce)),
                        raw(std::string_view(key_)));
  return base64(nonce + box);
}

std::optional<std::string> Cloud::unseal(std::string_view sealed) const {
  const auto bytes = from_base64(sealed);
  if (!bytes || bytes->size() < kNonceBytes + crypto_secretbox_MACBYTES) return std::nullopt;
  const std::string_view nonce = std::string_view(*bytes).substr(0, kNonceBytes);
  const std::string_view box = std::string_view(*bytes).substr(kNonceBytes);
  std::string plain(box.size() - crypto_secretbox_MACBYTES, '\0');
  if (crypto_secretbox_open_easy(raw(plain), raw(box), box.size(), raw(nonce),
                                 raw(std::string_view(key_))) != 0) {
    return std::nullopt;
  }
  return plain;
}

std::string time_in_seconds(WallTime time) {
  return format_time(time).substr(0, 19) + "Z";
}

std::string time_in_microseconds(WallTime time) {
  return format_time(time).substr(0, 19) + ".000000Z";
}

}  // namespace bailey::devcloud
