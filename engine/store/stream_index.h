#pragma once
// An ordered map from stream IDs to small plain values: the index over a stream's listpacks, and the lists of pending entries. It stands where Redis
// has radix trees.
//
// Items stand in chunks of up to 64, ascending, and the chunks in one array with the lower bound of each: a search is two binary searches. IDs come
// mostly in ascending order and go from the front, so the end fills its chunks completely, and chunks that go from the front leave a gap, which is closed
// only when it is half of the array. A chunk grows by doubling: an index of one item costs 32 bytes and one block.
#include <algorithm>
#include <cassert>
#include <type_traits>
#include <vector>

#include "engine/base/memory.h"
#include "engine/store/stream_id.h"

namespace ringwood {

struct Nothing {};  // the value of a set

template <class V>
class StreamIndex {
 public:
  static constexpr uint32_t kMaxItems = 64;
  struct Item {
    StreamId id;
    [[no_unique_address]] V value;
  };
  static_assert(std::is_trivially_copyable_v<V>);

  // An item's place; void after an insertion or removal.
  class Position {
   public:
    Position() = default;
    bool valid() const { return index_ && chunk_ >= index_->head_ && chunk_ < index_->chunks_.size(); }
    StreamId id() const { return item().id; }
    V& value() const { return item().value; }
    void next() {
      slot_++;
      skip_end();
    }
    void prev() {  // before the first one it is not valid
      if (slot_) {
        slot_--;
      } else {
        chunk_--;  // below zero it wraps around, beyond every chunk
        if (valid()) slot_ = index_->chunks_[chunk_].n - 1;
      }
    }

   private:
    friend class StreamIndex;
    Position(const StreamIndex* index, size_t chunk, uint32_t slot) : index_(index), chunk_(chunk), slot_(slot) {}
    Item& item() const { return index_->chunks_[chunk_].items[slot_]; }
    void skip_end() {
      if (slot_ < index_->chunks_[chunk_].n) return;
      chunk_++;
      slot_ = 0;
    }
    const StreamIndex* index_ = nullptr;
    size_t chunk_ = 0;
    uint32_t slot_ = 0;
  };

  StreamIndex() = default;
  ~StreamIndex() { clear(); }
  StreamIndex(const StreamIndex&) = delete;
  StreamIndex& operator=(const StreamIndex&) = delete;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  Position first() const { return Position(this, head_, 0); }
  Position last() const {
    if (empty()) return Position();
    return Position(this, chunks_.size() - 1, chunks_.back().n - 1);
  }
  // The first item whose ID is not below `id`.
  Position at_least(StreamId id) const {
    if (empty()) return Position();
    size_t c = chunk_of(id);
    Position p(this, c, slot_of(chunks_[c], id));
    p.skip_end();
    return p;
  }
  // The last item whose ID is not above `id`.
  Position at_most(StreamId id) const {
    Position p = at_least(id);
    if (p.valid() && p.id() == id) return p;
    if (!p.valid()) return last();
    p.prev();
    return p;
  }
  V* find(StreamId id) const {
    Position p = at_least(id);
    return p.valid() && p.id() == id ? &p.value() : nullptr;
  }
  bool contains(StreamId id) const { return find(id) != nullptr; }

  // The value that stands under the ID now, and whether it is the new one. The pointer is valid until the next change.
  struct Inserted {
    V* value;
    bool added;
  };
  Inserted insert(StreamId id, const V& value) {
    if (empty()) chunks_.push_back(make_chunk(id, kFirstItems));
    size_t c = chunk_of(id);
    uint32_t s = slot_of(chunks_[c], id);
    if (s < chunks_[c].n && chunks_[c].items[s].id == id) return {&chunks_[c].items[s].value, false};
    if (chunks_[c].n == kMaxItems) make_room(id, c, s);
    Chunk& chunk = chunks_[c];
    if (chunk.n == chunk.room) resize(chunk, chunk.room * 2);
    std::copy_backward(chunk.items + s, chunk.items + chunk.n, chunk.items + chunk.n + 1);
    chunk.items[s] = Item{id, value};
    chunk.n++;
    if (s == 0) chunk.low = id;
    size_++;
    return {&chunk.items[s].value, true};
  }

  // Answers the place of the item that follows.
  Position erase(Position p) {
    Chunk& chunk = chunks_[p.chunk_];
    std::copy(chunk.items + p.slot_ + 1, chunk.items + chunk.n, chunk.items + p.slot_);
    chunk.n--;
    size_--;
    if (chunk.n == 0) {
      p.chunk_ = drop_chunk(p.chunk_);
      p.slot_ = 0;
      return p;
    }
    if (chunk.n <= kMaxItems / 4) merge(p);
    p.skip_end();
    return p;
  }
  bool erase(StreamId id) {
    Position p = at_least(id);
    if (!p.valid() || p.id() != id) return false;
    erase(p);
    return true;
  }

  // Forgets all items; what values point to is the caller's.
  void clear() {
    for (size_t c = head_; c < chunks_.size(); c++) memory::release(chunks_[c].items);
    chunks_ = {};
    head_ = size_ = 0;
  }

  // Forgets items from the end, f(value) for each, until `budget` chunks and values have gone, which is counted down; true when nothing is left.
  template <class F>
  bool drain(size_t& budget, F&& f) {
    for (; size_; chunks_.pop_back()) {
      if (!budget) return false;
      Chunk& chunk = chunks_.back();
      for (uint32_t i = 0; i < chunk.n; i++) f(chunk.items[i].value);
      size_ -= chunk.n;
      const size_t cost = 1 + (std::is_pointer_v<V> ? chunk.n : 0);
      budget -= cost < budget ? cost : budget;
      memory::release(chunk.items);
    }
    clear();
    return true;
  }

  // Bytes behind this object.
  size_t memory() const {
    size_t bytes = chunks_.capacity() * sizeof(Chunk);
    for (size_t c = head_; c < chunks_.size(); c++) bytes += memory::usable(chunks_[c].items);
    return bytes;
  }

  // Asserts all invariants, for tests: order, bounds, fill. Returns the number of items.
  size_t check() const {
    size_t n = 0;
    const StreamId* before = nullptr;
    for (size_t c = head_; c < chunks_.size(); c++) {
      const Chunk& chunk = chunks_[c];
      assert(chunk.n > 0 && chunk.n <= chunk.room && chunk.room <= kMaxItems);
      assert(chunk.low <= chunk.items[0].id && (!before || *before < chunk.low));
      for (uint32_t s = 0; s < chunk.n; s++) {
        assert(!before || *before < chunk.items[s].id);
        before = &chunk.items[s].id;
        n++;
      }
    }
    assert(n == size_ && (n || chunks_.empty()));
    return n;
  }

 private:
  static constexpr uint32_t kFirstItems = 1;
  static constexpr uint32_t kLaterItems = 16;
  struct Chunk {
    StreamId low;  // not above the first item, above all items of the chunk before
    Item* items;
    uint32_t n;
    uint32_t room;
  };

  static Chunk make_chunk(StreamId low, uint32_t room) { return {low, static_cast<Item*>(memory::allocate(room * sizeof(Item))), 0, room}; }
  static void resize(Chunk& chunk, uint32_t room) {
    chunk.room = std::min(room, kMaxItems);
    chunk.items = static_cast<Item*>(memory::reallocate(chunk.items, chunk.room * sizeof(Item)));
  }
  // The last chunk whose bound is not above the ID, or the first one. There is a chunk.
  size_t chunk_of(StreamId id) const {
    auto begin = chunks_.begin() + static_cast<ptrdiff_t>(head_);
    auto it = std::upper_bound(begin, chunks_.end(), id, [](StreamId a, const Chunk& c) { return a < c.low; });
    return static_cast<size_t>((it == begin ? it : it - 1) - chunks_.begin());
  }
  static uint32_t slot_of(const Chunk& chunk, StreamId id) {
    return static_cast<uint32_t>(
        std::lower_bound(chunk.items, chunk.items + chunk.n, id, [](const Item& a, StreamId b) { return a.id < b; }) - chunk.items);
  }
  // Beside a full chunk: a new one behind the last item of all, otherwise half of the chunk's items move into it. The place follows.
  void make_room(StreamId id, size_t& c, uint32_t& s) {
    if (c + 1 == chunks_.size() && s == kMaxItems) {
      chunks_.push_back(make_chunk(id, kLaterItems));
      c++;
      s = 0;
      return;
    }
    constexpr uint32_t kHalf = kMaxItems / 2;
    Chunk upper = make_chunk(chunks_[c].items[kHalf].id, kMaxItems);
    std::copy(chunks_[c].items + kHalf, chunks_[c].items + kMaxItems, upper.items);
    chunks_[c].n = kHalf;
    upper.n = kMaxItems - kHalf;
    chunks_.insert(chunks_.begin() + static_cast<ptrdiff_t>(c) + 1, upper);
    if (s <= kHalf) return;
    c++;
    s -= kHalf;
  }
  // Removes an empty chunk; answers where the one behind it stands.
  size_t drop_chunk(size_t c) {
    memory::release(chunks_[c].items);
    if (size_ == 0) {
      chunks_ = {};
      return head_ = 0;
    }
    if (c != head_) {
      chunks_.erase(chunks_.begin() + static_cast<ptrdiff_t>(c));
      return c;
    }
    head_++;
    if (head_ * 2 < chunks_.size()) return head_;
    chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<ptrdiff_t>(head_));
    return head_ = 0;
  }
  // A nearly empty chunk and a neighbour become one when they fill at most half of it. The place follows.
  void merge(Position& p) {
    size_t c = p.chunk_;
    auto fit = [this](size_t a) { return a >= head_ && a + 1 < chunks_.size() && chunks_[a].n + chunks_[a + 1].n <= kMaxItems / 2; };
    if (fit(c)) return absorb_next(c);
    if (c == head_ || !fit(c - 1)) return;
    p.slot_ += chunks_[c - 1].n;
    p.chunk_--;
    absorb_next(c - 1);
  }
  void absorb_next(size_t c) {
    Chunk &into = chunks_[c], &from = chunks_[c + 1];
    if (into.room < into.n + from.n) resize(into, kMaxItems / 2);
    std::copy(from.items, from.items + from.n, into.items + into.n);
    into.n += from.n;
    drop_chunk(c + 1);
  }

  std::vector<Chunk> chunks_;
  size_t head_ = 0;  // chunks in front of this one are gone
  size_t size_ = 0;
};

}  // namespace ringwood
