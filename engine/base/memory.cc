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

void out_of_memory(size_t bytes) {
  std::fprintf(stderr, "Out Of Memory allocating %zu bytes!\n", bytes);
  std::abort();
}

void* allocate_zeroed(size_t bytes) {
#ifdef RINGWOOD_SYSTEM_MALLOC
  void* p = std::calloc(1, bytes);
#else
  void* p = mi_zalloc(bytes);
#endif
  if (!p) out_of_memory(bytes);
  count(static_cast<int64_t>(usable(p)));
  return p;
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
