#include "net/client_info.h"

#include <algorithm>
#include <cstdio>

#include "engine/base/number.h"
#include "engine/exec/acl.h"
#include "engine/exec/call.h"
#include "engine/exec/command_table.h"
#include "engine/exec/pubsub.h"
#include "engine/exec/tracking.h"
#include "net/client_memory.h"
#include "net/connection.h"

namespace ringwood {
namespace {

OwnedBytes flags_of(const Connection& c) {
  OwnedBytes f;
  if (c.role == Client::Role::kReplica) f += 'S';
  if (c.role == Client::Role::kMaster) f += 'M';
  if (c.monitor) f += 'O';
  if (c.subscriptions) f += 'P';
  if (c.in_multi) f += 'x';
  if (c.waiter || c.held_by_pause) f += 'b';
  if (c.tracking) f += 't';
  if (c.redirect_broken) f += 'R';
  if (c.tracking && c.tracking->options.broadcast) f += 'B';
  if (c.transaction && c.transaction->touched.load(std::memory_order_relaxed)) f += 'd';
  if (c.close_after_reply) f += 'c';
  if (c.dying) f += 'A';
  if (c.unix_socket) f += 'U';
  if (c.reads_replica) f += 'r';
  if (c.no_evict) f += 'e';
  if (c.no_touch) f += 'T';
  return f.empty() ? "N" : f;
}

// Bytes of the request as it came over the wire, and of its arguments alone.
void measure(const Call& call, size_t& wire, size_t& plain) {
  wire = 3 + decimal_digits(call.argc());
  plain = 0;
  for (Bytes a : call.args()) {
    wire += 5 + decimal_digits(a.size()) + a.size();
    plain += a.size();
  }
}

}  // namespace

OwnedBytes client_line(Connection& c, int64_t now_ms, const Call* asking) {
  size_t request = 0, arguments = 0;
  if (asking) measure(*asking, request, arguments);
  size_t memory = connection_memory(c);
  size_t backlog = c.output_bytes();
  char numbers[512];
  OwnedBytes line = "id=" + std::to_string(c.id) + " addr=" + c.peer_address() + " laddr=" + c.local_address() +
                    " fd=" + std::to_string(c.fd) + " name=" + c.name;
  std::snprintf(
      numbers, sizeof numbers,
      " age=%lld idle=%lld flags=%s db=%d sub=%zu psub=%zu ssub=%zu multi=%d qbuf=%zu qbuf-free=%zu argv-mem=%zu multi-mem=%zu rbs=%zu "
      "rbp=%zu obl=0 oll=%d "
      "omem=%zu tot-mem=%zu events=r%s cmd=",
      static_cast<long long>(now_ms / 1000 - c.created_ms / 1000), static_cast<long long>(now_ms / 1000 - c.last_active_ms / 1000),
      flags_of(c).c_str(), c.database, PubSub::count(c, PubSub::Kind::kChannel), PubSub::count(c, PubSub::Kind::kPattern),
      PubSub::count(c, PubSub::Kind::kShardChannel), c.in_multi ? static_cast<int>(c.transaction->queue.size()) : -1,
      c.query.size() - std::min(c.query.size(), c.parser.before_large_argument()) + c.unparsed + request,
      c.query.capacity() - std::min(c.query.capacity(), c.query.size()), arguments, c.in_multi ? c.transaction->bytes : 0, c.out.capacity(),
      c.out.size(), backlog ? 1 : 0, backlog, memory, c.sending ? "w" : "");
  line += numbers;
  line += c.last_command ? Bytes(c.last_command->full_name) : Bytes("NULL");
  line.append(" user=").append(c.user ? Bytes(c.user->name) : Bytes("(superuser)"));
  line += " redir=" + std::to_string(c.tracking ? static_cast<int64_t>(c.tracking->options.redirect) : -1) +
          " resp=" + std::to_string(c.resp) + " lib-name=" + c.library_name + " lib-ver=" + c.library_version;
  return line;
}

bool ClientFilter::matches(Connection& c) const {
  if (none || c.dying || c.id == skip || c.role == Client::Role::kLink) return false;
  if (type && (c.output_class() != *type || c.role == Client::Role::kMaster)) return false;
  if (master && c.role != Client::Role::kMaster) return false;
  if (user && c.user != user) return false;
  if (!ids.empty() && std::find(ids.begin(), ids.end(), c.id) == ids.end()) return false;
  if (!address.empty() && c.peer_address() != address) return false;
  return local_address.empty() || c.local_address() == local_address;
}

}  // namespace ringwood
