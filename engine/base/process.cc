#include "engine/base/process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>

namespace ringwood::process {
namespace {

CpuTime usage(int who) {
  rusage u{};
  getrusage(who, &u);
  return {u.ru_stime.tv_sec * int64_t{1000000} + u.ru_stime.tv_usec, u.ru_utime.tv_sec * int64_t{1000000} + u.ru_utime.tv_usec};
}

size_t page_bytes() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

}  // namespace

size_t resident_bytes() {
  int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[128];
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  if (n <= 0) return 0;
  text[n] = '\0';
  char* resident = nullptr;  // the second number
  std::strtoul(text, &resident, 10);
  return std::strtoul(resident, nullptr, 10) * page_bytes();
}

size_t machine_memory() {
  long pages = sysconf(_SC_PHYS_PAGES);
  return pages > 0 ? static_cast<size_t>(pages) * page_bytes() : 0;
}

OwnedBytes system_name() {
  utsname u{};
  if (uname(&u) != 0) return "unknown";
  OwnedBytes name = u.sysname;
  return name.append(" ").append(u.release).append(" ").append(u.machine);
}

CpuTime own_cpu() { return usage(RUSAGE_SELF); }
CpuTime children_cpu() { return usage(RUSAGE_CHILDREN); }
CpuTime thread_cpu() { return usage(RUSAGE_THREAD); }

}  // namespace ringwood::process
