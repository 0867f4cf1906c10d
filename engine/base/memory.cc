#include "engine/base/memory.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace ringwood::memory {
namespace {
constexpr int kAccounts = 512;  // threads; the last account is shared when more exist
Account g_accounts[kAccounts];
std::atomic<int> g_attached{0};  // accounts below this one have been in use: the others need not be summed
std::atomic<size_t> g_peak{0};
}  // namespace

thread_local Account* t_account = nullptr;

namespace {
// Gives the account back when its thread ends; the counted bytes stay, they belong to the process.
struct Detach {
  Account* account = nullptr;
  ~Detach() {
    if (!account) return;
    t_account = &g_accounts[kAccounts - 1];
    account->taken.store(false, std::memory_order_release);
  }
};
thread_local Detach t_detach;
}  // namespace

Account* attach_thread() {
  for (int i = 0; i < kAccounts - 1; i++) {
    bool free = false;
    if (g_accounts[i].taken.compare_exchange_strong(free, true, std::memory_order_acquire)) {
      int attached = g_attached.load(std::memory_order_relaxed);
      while (attached <= i && !g_attached.compare_exchange_weak(attached, i + 1, std::memory_order_release)) {
      }
      t_account = &g_accounts[i];
      t_detach.account = t_account;
      return t_account;
    }
  }
  return t_account = &g_accounts[kAccounts - 1];
}

size_t used() {
  int64_t sum = g_accounts[kAccounts - 1].bytes.load(std::memory_order_relaxed);
  for (int i = 0, n = g_attached.load(std::memory_order_acquire); i < n; i++) sum += g_accounts[i].bytes.load(std::memory_order_relaxed);
  size_t now = sum > 0 ? static_cast<size_t>(sum) : 0;
  size_t peak = g_peak.load(std::memory_order_relaxed);
  while (now > peak && !g_peak.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
  return now;
}
size_t peak() { return g_peak.load(std::memory_order_relaxed); }
void note_peak() { used(); }
void reset_peak() {
  g_peak.store(0, std::memory_order_relaxed);
  used();
}

#ifdef RINGWOOD_SYSTEM_MALLOC
GivesBackAtOnce::GivesBackAtOnce() = default;
GivesBackAtOnce::~GivesBackAtOnce() = default;
void give_back() { malloc_trim(0); }
#else
namespace {
// 0 stands for at once. The option is the whole process's: it does no harm where two threads set it at the same time.
long g_usual_delay_ms = mi_option_get(mi_option_decommit_delay);
// While pages of a segment go on falling free, mimalloc puts off giving them back. When the last ones have fallen free nothing asks again, mi_collect()
// included, and half of what a mass deletion had freed stayed. So nothing is put off after the first delay, unless the user's environment says so.
[[maybe_unused]] const bool g_not_put_off = (mi_option_set_default(mi_option_decommit_extend_delay, 0), true);
}  // namespace
GivesBackAtOnce::GivesBackAtOnce() { mi_option_set(mi_option_decommit_delay, 0); }
GivesBackAtOnce::~GivesBackAtOnce() { mi_option_set(mi_option_decommit_delay, g_usual_delay_ms); }
void give_back() {
  GivesBackAtOnce now;
  mi_collect(true);
}
#endif

namespace {
std::atomic<uint32_t> g_asked{0};
thread_local uint32_t t_asked = 0;
thread_local size_t t_high = 0;  // of used() since this thread last gave back
}  // namespace

void ask_all_to_give_back() { g_asked.fetch_add(1, std::memory_order_relaxed); }

void look_for_surplus() {
  constexpr size_t kMuch = size_t{16} << 20;  // and a quarter of all; or what is little to do, and half of all
  constexpr size_t kLittle = size_t{1} << 20;
  const size_t now = used();
  const uint32_t asked = g_asked.load(std::memory_order_relaxed);
  if (now > t_high) t_high = now;
  const size_t fallen = t_high - now;
  const bool enough = (fallen >= kMuch && fallen >= t_high / 4) || (fallen >= kLittle && fallen >= t_high / 2);
  if (asked == t_asked && !enough) return;
  t_asked = asked;
  t_high = now;
  give_back();
}

void out_of_memory(size_t bytes) {
  std::fprintf(stderr, "Out Of Memory allocating %zu bytes!\n", bytes);
  std::abort();
}

void* allocate_space(size_t bytes) {
#ifdef RINGWOOD_SYSTEM_MALLOC
  void* p = std::calloc(1, bytes);
#else
  void* p = mi_zalloc(bytes);
#endif
  if (!p) out_of_memory(bytes);
  return p;
}

void release_space(void* p) {
#ifdef RINGWOOD_SYSTEM_MALLOC
  std::free(p);
#else
  mi_free(p);
#endif
}

void* allocate_lines(size_t bytes) {
#ifdef RINGWOOD_SYSTEM_MALLOC
  void* p = std::aligned_alloc(64, (bytes + 63) & ~size_t{63});
  if (p) std::memset(p, 0, bytes);
#else
  // mimalloc's size classes from 64 up that are multiples of 64 lie on such boundaries by themselves (its pages start on one); asking for the alignment
  // makes it allocate 63 bytes more whenever its free list has to be refilled. So ask without, and look.
  void* p = mi_zalloc((bytes + 63) & ~size_t{63});
  if (__builtin_expect(reinterpret_cast<uintptr_t>(p) & 63, 0)) {
    mi_free(p);
    p = mi_zalloc_aligned(bytes, 64);
  }
#endif
  if (!p) out_of_memory(bytes);
  count(static_cast<int64_t>(usable(p)));
  return p;
}

void* reallocate(void* p, size_t bytes) {
  if (!p) return allocate(bytes);
  int64_t before = static_cast<int64_t>(usable(p));
#ifdef RINGWOOD_SYSTEM_MALLOC
  void* q = std::realloc(p, bytes);
#else
  void* q = mi_realloc(p, bytes);
#endif
  if (!q) out_of_memory(bytes);
  count(static_cast<int64_t>(usable(q)) - before);
  return q;
}

}  // namespace ringwood::memory

#ifndef RINGWOOD_SYSTEM_MALLOC
// All C++ allocations are counted too, so that used_memory misses nothing.
void* operator new(size_t n) { return ringwood::memory::allocate(n); }
void* operator new[](size_t n) { return ringwood::memory::allocate(n); }
void operator delete(void* p) noexcept { ringwood::memory::release(p); }
void operator delete[](void* p) noexcept { ringwood::memory::release(p); }
void operator delete(void* p, size_t) noexcept { ringwood::memory::release(p); }
void operator delete[](void* p, size_t) noexcept { ringwood::memory::release(p); }
void* operator new(size_t n, std::align_val_t a) {
  void* p = mi_malloc_aligned(n, static_cast<size_t>(a));
  if (!p) ringwood::memory::out_of_memory(n);
  ringwood::memory::count(static_cast<int64_t>(mi_usable_size(p)));
  return p;
}
void operator delete(void* p, std::align_val_t) noexcept { ringwood::memory::release(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { ringwood::memory::release(p); }
#endif
