#pragma once
// The replies of several nodes to one command as one reply, by its response policy.
#include <vector>

#include "net/client/command_book.h"

namespace ringwood::client {

// `replies` is not empty. kSpecial and kDefault make one list: of kDefault the nodes' lists behind one another.
Value merge(ResponsePolicy policy, std::vector<Value> replies);

}  // namespace ringwood::client
