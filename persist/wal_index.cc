#include "persist/wal_index.h"

#include "engine/store/database.h"

namespace ringwood {

// Where there would be too many, two and two become one, and those that follow are twice as long: the index stays in one block.
SlotBits& WalIndex::add(uint64_t offset, uint64_t position, bool whole) {
  if (parts_.empty() || (whole && offset - parts_.back().offset >= part_bytes_)) {
    if (parts_.size() == kMostParts) {
      for (size_t i = 0; i < kMostParts / 2; i++) {
        parts_[i] = parts_[2 * i];
        parts_[i].slots |= parts_[2 * i + 1].slots;
      }
      parts_.resize(kMostParts / 2);
      part_bytes_ *= 2;
    }
    parts_.push_back({offset, position, {}});
  }
  return parts_.back().slots;
}

void WalIndex::put(OutBuffer& out) const {
  for (const Part& p : parts_) {
    char* at = out.reserve(kPartBytes);
    std::memset(at, 0, kPartBytes);
    store<uint64_t>(at, p.offset);
    store<uint64_t>(at + 8, p.position);
    for (size_t s = p.slots._Find_first(); s < kSlots; s = p.slots._Find_next(s))
      at[16 + s / 8] = static_cast<char>(at[16 + s / 8] | 1 << s % 8);
    out.commit(kPartBytes);
  }
}

bool WalIndex::read(Bytes raw) {
  parts_.clear();
  if (raw.size() % kPartBytes) return false;
  for (; !raw.empty(); raw.remove_prefix(kPartBytes)) {
    Part p{load<uint64_t>(raw.data()), load<uint64_t>(raw.data() + 8), {}};
    for (size_t s = 0; s < kSlots; s++)
      if (raw[16 + s / 8] & 1 << s % 8) p.slots.set(s);
    if (!parts_.empty() && p.offset <= parts_.back().offset) return false;
    parts_.push_back(p);
  }
  return true;
}

void StreamSlots::take(Bytes piece, SlotBits& slots) {
  if (open_.empty()) {
    take_whole(piece, slots);
    open_ = piece;
    return;
  }
  open_.append(piece);
  Bytes rest = open_;
  take_whole(rest, slots);
  open_.erase(0, open_.size() - rest.size());
}

void StreamSlots::take_whole(Bytes& rest, SlotBits& slots) {
  for (;;) {
    switch (parser_.parse(rest)) {
      case AofParser::Status::kCommand: add(slots); break;
      case AofParser::Status::kNote: break;
      case AofParser::Status::kMore: return;
      case AofParser::Status::kBad:
        slots.set();
        rest = {};
        return;
    }
    rest.remove_prefix(parser_.consumed());
  }
}

void StreamSlots::add(SlotBits& slots) {
  std::span<const Bytes> args = parser_.args();
  const Command* c = last_.find(commands_, args);
  if (c && c->single_key && static_cast<size_t>(c->first_key) < args.size()) {
    slots.set(static_cast<size_t>(key_slot(args[static_cast<size_t>(c->first_key)])));
    return;
  }
  if (!c || (c->spec->route == Route::kAll && (c->flags & kWrite))) {
    slots.set();
    return;
  }
  keys_.clear();
  if (!CommandTable::keys_of(*c, args, keys_)) return;
  for (int i : keys_) slots.set(static_cast<size_t>(key_slot(args[static_cast<size_t>(i)])));
}

}  // namespace ringwood
