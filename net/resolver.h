#pragma once
// Names of hosts without waiting: the system's resolver may take seconds, so a name that is no address is looked up on a thread of its own, which hands the
// answer to the loop through a pipe that the loop's ring reads.
#include <functional>
#include <string>

#include "engine/base/io.h"

namespace ringwood {

// `done(address, error)` gets a numeric address, or what is wrong and an empty address. On the thread that asked; at once where `host` is an address.
void resolve(const std::string& host, FileIo& io, std::function<void(const std::string& address, const std::string& error)> done);

}  // namespace ringwood
