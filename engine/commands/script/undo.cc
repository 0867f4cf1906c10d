#include "engine/commands/script/undo.h"

#include <algorithm>
#include <utility>

#include "engine/base/number.h"
#include "engine/exec/call.h"
#include "engine/exec/command_table.h"
#include "engine/exec/engine.h"

namespace ringwood {
namespace {

constexpr size_t kLargestCopy = 64 * 1024;  // bytes of a string

// The encodings of small values are one block of memory.
bool quick_to_copy(const Entry& e) {
  if (e.type() == Type::kString) return e.string_size() <= kLargestCopy;
  switch (e.encoding()) {
    case Encoding::kListpack:
    case Encoding::kListpackEx:
    case Encoding::kIntset: return true;
    default: return false;
  }
}

// Of COPY and MOVE, where they name one; -1: none.
int other_database(const Call& call) {
  auto number = [](Bytes word) {
    int64_t v;
    return parse_int64(word, v) && v >= 0 && v <= INT32_MAX ? static_cast<int>(v) : -1;
  };
  if (call.command().full_name == "move") return number(call.arg(2));
  if (call.command().full_name != "copy") return -1;
  int database = -1;
  for (size_t i = 3; i + 1 < call.argc(); i++)
    if (Call::is_word(call.arg(i), "db")) database = number(call.arg(i + 1));
  return database;
}

}  // namespace

bool UndoLog::noted(int database, Bytes key) const {
  return std::any_of(images_.begin(), images_.end(), [&](const Image& i) { return i.database == database && i.key == key; });
}

bool UndoLog::note(Call& call) {
  for (Bytes name : {"copy", "move"})  // write to a database that only their arguments name
    if (call.command().full_name == name) return false;
  if (!CommandTable::keys_of(call.command(), call.args(), keys_)) return false;  // add_shards() wants all of them
  for (int i : keys_) {
    KeyRef k(call.arg(static_cast<size_t>(i)));
    const Entry* e = call.db(k).find(k);
    if (e && !noted(call.database(), k.key) && !quick_to_copy(*e)) return false;
  }
  for (int i : keys_) note_key(call, call.database(), call.arg(static_cast<size_t>(i)));
  return true;
}

void UndoLog::note_key(Call& call, int database, Bytes key) {
  if (noted(database, key)) return;
  KeyRef k(key);
  const Entry* e = call.in_database(database).db(k).find(k);
  Image image{database, OwnedBytes(key), nullptr, -1};
  if (e) {
    image.before = Entry::duplicate(e, key);
    image.before->set_access(e->access());
    image.expiry_ms = e->expiry_ms();
  }
  images_.push_back(std::move(image));
}

bool UndoLog::note_all(Call& call) {
  if (!CommandTable::keys_of(call.command(), call.args(), keys_) || keys_.empty()) return false;
  int other = other_database(call);
  if (other < 0 || other >= call.here().databases()) other = call.database();  // the command will say so
  for (int i : keys_) {
    note_key(call, call.database(), call.arg(static_cast<size_t>(i)));
    note_key(call, other, call.arg(static_cast<size_t>(i)));
  }
  return true;
}

// On a replica, and while a data set is loaded, reads remove nothing (Call::live).
void UndoLog::note_expired(Call& call) {
  if (call.engine().state.load(std::memory_order_relaxed) & (kStateReplica | kStateLoading)) return;
  if (!CommandTable::keys_of(call.command(), call.args(), keys_)) return;
  for (int i : keys_) {
    KeyRef k(call.arg(static_cast<size_t>(i)));
    Database& d = call.db(k);
    const Entry* e = d.volatile_keys() ? d.find(k) : nullptr;
    if (!e || !e->expired(call.now_ms()) || noted(call.database(), k.key)) continue;
    images_.push_back({call.database(), OwnedBytes(k.key), Entry::make_int(k.key, 0, false), e->expiry_ms()});
  }
}

void UndoLog::revert(Call& call) {
  for (auto image = images_.rbegin(); image != images_.rend(); ++image) {
    KeyRef k(image->key);
    Database& d = call.in_database(image->database).db(k);
    d.erase(k);
    if (!image->before) continue;
    Entry* e = std::exchange(image->before, nullptr);
    d.adopt(k, e);
    if (image->expiry_ms >= 0) d.set_expiry(k, e, image->expiry_ms);
  }
  forget();
}

void UndoLog::forget() {
  for (Image& i : images_)
    if (i.before) Entry::destroy(i.before);
  images_.clear();
}

}  // namespace ringwood
