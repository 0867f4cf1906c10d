#include "engine/store/expiry_index.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace ringwood {
namespace {

constexpr int kLevels = 6;  // 6 * 8 bits: all of when_ms
constexpr int kBits = 8;
constexpr unsigned kLists = 2u << kBits;
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

constexpr int shift(int level) { return level * kBits; }

}  // namespace

// Invariant between two steps: every list in use begins at or after `cursor`, but for the list of `cursor` itself on each level, and lies in its level's
// window; so the list of a granule (when_ms >> shift) is the one with that number modulo kLists, on each level.
struct ExpiryIndex::Wheel {
  struct Level {
    ExpiryNode head[kLists];  // of circular lists
    uint64_t used[kLists / 64];
    int lists = 0;  // in use
  };
  Level level[kLevels];
  int64_t cursor = 0;
  int64_t now = 0;
  int64_t work_at = kNever;  // before this time nothing is due and nothing is to be spread; a lower bound

  Wheel() {
    for (Level& l : level) {
      for (ExpiryNode& h : l.head) h = ExpiryNode{&h, &h, 0, 0};
      std::fill(std::begin(l.used), std::end(l.used), 0);
    }
  }

  bool in_use(int l, int64_t granule) const {
    unsigned i = static_cast<unsigned>(granule) % kLists;
    return level[l].used[i / 64] >> (i % 64) & 1;
  }

  // The first granule in use on a level that is in use.
  int64_t first(int l) const {
    int64_t from = cursor >> shift(l);
    unsigned i = static_cast<unsigned>(from) % kLists;
    unsigned word = i / 64;
    uint64_t bits = level[l].used[word] & (~uint64_t{0} << (i % 64));
    while (!bits) {  // comes round to the first word again at last, for the lists below i in it
      word = (word + 1) % (kLists / 64);
      bits = level[l].used[word];
    }
    unsigned found = word * 64 + static_cast<unsigned>(std::countr_zero(bits));
    return from + (found - i) % kLists;
  }

  void link(ExpiryNode* n) {
    int64_t t = std::max<int64_t>(static_cast<int64_t>(n->when_ms), cursor);
    // The highest byte in which the two times differ tells the level, one lower where the time lies in the next span of that level.
    int l = kLevels - 1;
    while (l > 0 && (t >> shift(l)) - (cursor >> shift(l)) <= 1) l--;
    int64_t granule = t >> shift(l);
    unsigned i = static_cast<unsigned>(granule) % kLists;
    Level& lv = level[l];
    ExpiryNode* head = &lv.head[i];
    if (head->next == head) {
      lv.used[i / 64] |= uint64_t{1} << (i % 64);
      lv.lists++;
    }
    n->prev = head->prev;
    n->next = head;
    head->prev->next = n;
    head->prev = n;
    work_at = std::min(work_at, work_time(l, granule));
  }

  // When a list asks for work: level 0 at its time, the others one list ahead.
  static int64_t work_time(int l, int64_t granule) { return l == 0 ? granule : (granule - 1) << shift(l); }

  void unlink(ExpiryNode* n) {
    ExpiryNode *prev = n->prev, *next = n->next;
    prev->next = next;
    next->prev = prev;
    n->prev = n->next = nullptr;
    if (prev == next) mark_empty(prev);  // two neighbours in one: the head
  }

  void mark_empty(const ExpiryNode* head) {
    for (Level& l : level)
      if (head >= l.head && head < l.head + kLists) {
        auto i = static_cast<unsigned>(head - l.head);
        l.used[i / 64] &= ~(uint64_t{1} << (i % 64));
        l.lists--;
        return;
      }
  }

  ExpiryNode* front(int l, int64_t granule) { return level[l].head[static_cast<unsigned>(granule) % kLists].next; }

  void spread_one(int l, int64_t granule) {
    ExpiryNode* n = front(l, granule);
    __builtin_prefetch(n->next->next);
    unlink(n);
    link(n);
  }

  // The list that comes first; of those that begin together the highest, which may hold what belongs into the others. False when all are empty.
  bool earliest(int& at_level, int64_t& granule) const {
    int64_t best = kNever;
    for (int l = kLevels - 1; l >= 0; l--) {
      if (!level[l].lists) continue;
      int64_t g = first(l);
      if (g << shift(l) >= best) continue;
      best = g << shift(l);
      at_level = l;
      granule = g;
    }
    return best <= now;
  }

  // The lowest level whose next list is in use, or 0.
  int level_to_spread() const {
    for (int l = 1; l < kLevels; l++)
      if (level[l].lists && in_use(l, (cursor >> shift(l)) + 1)) return l;
    return 0;
  }
};

ExpiryIndex::ExpiryIndex() : wheel_(std::make_unique<Wheel>()) {}
ExpiryIndex::~ExpiryIndex() = default;

void ExpiryIndex::add(ExpiryNode* node) {
  wheel_->link(node);
  size_++;
}

void ExpiryIndex::remove(ExpiryNode* node) {
  if (!node->prev) return;
  wheel_->unlink(node);
  size_--;
}

void ExpiryIndex::moved(ExpiryNode* node) {
  if (!node->prev) return;
  node->prev->next = node;
  node->next->prev = node;
}

bool ExpiryIndex::begin(int64_t now_ms) {
  Wheel& w = *wheel_;
  if (now_ms < w.now) return false;
  w.now = now_ms;
  if (now_ms >= w.work_at) return true;
  w.cursor = now_ms;
  return false;
}

ExpiryNode* ExpiryIndex::step(bool& idle) {
  Wheel& w = *wheel_;
  int l = 0;
  int64_t granule = 0;
  if (w.earliest(l, granule)) {
    w.cursor = std::max(w.cursor, granule << shift(l));
    if (l > 0) {
      if (w.front(l, granule) == &walker_) return drop_walker(), nullptr;
      w.spread_one(l, granule);
      return nullptr;
    }
    ExpiryNode* n = w.front(0, granule);
    if (n == &walker_) return drop_walker(), nullptr;
    __builtin_prefetch(n->next);
    w.unlink(n);
    size_--;
    last_lag_ms_ = w.now - static_cast<int64_t>(n->when_ms);
    return n;
  }
  w.cursor = w.now;
  if (int ahead = w.level_to_spread()) {
    int64_t next = (w.cursor >> shift(ahead)) + 1;
    if (w.front(ahead, next) == &walker_) return drop_walker(), nullptr;
    w.spread_one(ahead, next);
    return nullptr;
  }
  idle = true;
  w.work_at = kNever;
  for (int i = 0; i < kLevels; i++)
    if (w.level[i].lists) w.work_at = std::min(w.work_at, Wheel::work_time(i, w.first(i)));
  return nullptr;
}

bool ExpiryIndex::has_work() const {
  int l = 0;
  int64_t granule = 0;
  return wheel_->earliest(l, granule) || wheel_->level_to_spread() != 0;
}

const ExpiryNode* ExpiryIndex::soonest_list() const {
  const Wheel& w = *wheel_;
  int l = 0;
  int64_t granule = 0;
  if (!size_) return nullptr;
  w.earliest(l, granule);
  return &w.level[l].head[static_cast<unsigned>(granule) % kLists];
}

// The walk goes on with the next list that holds something, or with the one where it stopped. False when there is none at all.
bool ExpiryIndex::move_walker() {
  Wheel& w = *wheel_;
  constexpr unsigned kAll = kLevels * kLists;
  for (unsigned tried = 0; tried <= kAll; tried++, walked_ = (walked_ + 1) % kAll) {
    Wheel::Level& l = w.level[walked_ / kLists];
    unsigned i = walked_ % kLists;
    if (!(l.used[i / 64] >> (i % 64) & 1)) continue;
    ExpiryNode* head = &l.head[i];
    walker_.prev = head;
    walker_.next = head->next;
    head->next->prev = &walker_;
    head->next = &walker_;
    return true;
  }
  return false;
}

void ExpiryIndex::drop_walker() {
  if (walker_.prev) wheel_->unlink(&walker_);
}

ExpiryNode* ExpiryIndex::walk() {
  if (!size_) return nullptr;
  for (;;) {
    if (!walker_.prev && !move_walker()) return nullptr;
    ExpiryNode* n = walker_.next;
    if (n->when_ms) {  // heads have no time
      ExpiryNode* before = walker_.prev;
      before->next = n;
      n->prev = before;
      walker_.prev = n;
      walker_.next = n->next;
      n->next->prev = &walker_;
      n->next = &walker_;
      return n;
    }
    drop_walker();
    walked_++;
    walked_ %= kLevels * kLists;
  }
}

int64_t ExpiryIndex::next_ms() const { return size_ == 0 ? -1 : std::max<int64_t>(wheel_->work_at, wheel_->now); }

}  // namespace ringwood
