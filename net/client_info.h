#pragma once
// What CLIENT LIST and INFO tell of a connection, and which connections a filter of LIST or KILL means.
#include <memory>
#include <optional>
#include <vector>

#include "engine/base/bytes.h"
#include "engine/base/options.h"

namespace ringwood {

class AclUser;
class Call;
class Connection;

// One line of CLIENT LIST, without the line break; fields as in Redis 7.2. `asking`: the call of this very connection that asks.
OwnedBytes client_line(Connection& c, int64_t now_ms, const Call* asking);

struct ClientFilter {
  std::vector<uint64_t> ids;          // empty: any
  OwnedBytes address, local_address;  // empty: any
  std::optional<ClientClass> type;    // none: any
  std::shared_ptr<AclUser> user;      // null: any
  bool master = false;                // the connection to our master
  bool none = false;                  // no connection is what is asked for
  uint64_t skip = 0;                  // id of a client that is not meant

  bool matches(Connection& c) const;
};

}  // namespace ringwood
