#pragma once
// What the operating system knows of this process and machine, for INFO and MEMORY.
#include <cstddef>
#include <cstdint>

#include "engine/base/bytes.h"

namespace ringwood::process {

// Resident memory of this process in bytes; 0 where /proc is not mounted. A system call or three: not for a hot path.
size_t resident_bytes();
// Memory of the machine in bytes.
size_t machine_memory();
// "Linux 6.1.0 x86_64"
OwnedBytes system_name();

// CPU time in microseconds.
struct CpuTime {
  int64_t system_us, user_us;
};
CpuTime own_cpu();
CpuTime children_cpu();
// Of the calling thread.
CpuTime thread_cpu();

}  // namespace ringwood::process
