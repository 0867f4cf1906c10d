#pragma once
// The only door to the heap for data. Every byte that this process allocates through it, or through operator new, is counted by
// the allocating thread with the allocator's usable size, so used_memory is exact without an atomic on the hot path: a block
// freed by another thread than its allocator makes one counter too high and the other too low by the same amount, and the sum stays right.
#include <atomic>
#include <cstddef>
#include <cstdint>
#ifdef RINGWOOD_SYSTEM_MALLOC
#include <malloc.h>
#include <cstdlib>
#else
#include <mimalloc.h>
#endif

namespace ringwood::memory {

// One thread's account. Written by its thread alone, read by any (relaxed).
struct alignas(64) Account {
  std::atomic<int64_t> bytes{0};
  std::atomic<bool> taken{false};
};
// The calling thread's account; threads past the table's size share the last entry with atomic adds.
extern thread_local Account* t_account;
Account* attach_thread();

inline void count(int64_t delta) {
  Account* a = t_account;
  if (__builtin_expect(a == nullptr, 0)) a = attach_thread();
  a->bytes.store(a->bytes.load(std::memory_order_relaxed) + delta, std::memory_order_relaxed);
}

// What the calling thread has allocated less what it has freed, in bytes; negative where it frees what others allocated.
inline int64_t own() {
  Account* a = t_account;
  if (__builtin_expect(a == nullptr, 0)) a = attach_thread();
  return a->bytes.load(std::memory_order_relaxed);
}
// Sum over all threads, in bytes. Exact when no other thread is allocating at the moment. Costs a cache line for each thread there ever was at one time.
size_t used();
// Highest value of used() seen at a call of used() or note_peak().
size_t peak();
void note_peak();
void reset_peak();
// --- giving back to the system. The allocator keeps pages that fall empty for a while, and looks at them again only when more is freed near them.

// While there is one, pages that fall empty on any thread go back at once: for whoever frees very much.
class GivesBackAtOnce {
 public:
  GivesBackAtOnce();
  ~GivesBackAtOnce();
  GivesBackAtOnce(const GivesBackAtOnce&) = delete;
};
// Gives back what the calling thread holds and does not use. Looks at every page of the thread: about a millisecond a gigabyte in use.
void give_back();
// Now and then on every thread that holds data: gives back when used() has fallen by much since the last time, or somebody has asked for it.
void look_for_surplus();
void ask_all_to_give_back();

[[noreturn]] void out_of_memory(size_t bytes);

inline size_t usable(const void* p) {
#ifdef RINGWOOD_SYSTEM_MALLOC
  return malloc_usable_size(const_cast<void*>(p));
#else
  return mi_usable_size(p);
#endif
}
// The size that a block of `bytes` really gets: growth up to it costs nothing.
inline size_t good_size(size_t bytes) {
#ifdef RINGWOOD_SYSTEM_MALLOC
  return (bytes + 15) & ~size_t{15};
#else
  return mi_good_size(bytes);
#endif
}

// Never returns null: out of memory ends the process, in one place. Free with release().
inline void* allocate(size_t bytes) {
#ifdef RINGWOOD_SYSTEM_MALLOC
  void* p = std::malloc(bytes);
#else
  void* p = mi_malloc(bytes);
#endif
  if (__builtin_expect(p == nullptr, 0)) out_of_memory(bytes);
  count(static_cast<int64_t>(usable(p)));
  return p;
}
inline void release(void* p) {
  if (!p) return;
  count(-static_cast<int64_t>(usable(p)));
#ifdef RINGWOOD_SYSTEM_MALLOC
  std::free(p);
#else
  mi_free(p);
#endif
}
// Zeroed room of which parts will be used: it is not counted, and the system gives its pages when they are touched. The caller counts what it uses, by
// count(). Free with release_space().
void* allocate_space(size_t bytes);
void release_space(void* p);
// 64-byte aligned and zeroed: for buckets, so that one bucket is one cache line.
void* allocate_lines(size_t bytes);
void* reallocate(void* p, size_t bytes);

}  // namespace ringwood::memory
