#pragma once
// Sockets before and beside the ring: listening, options, addresses. Nothing here waits.
#include <memory>
#include <string>
#include <vector>

#include "engine/base/log.h"
#include "engine/base/options.h"

namespace ringwood {

class LinkAcceptor;

struct Listener {
  int fd = -1;
  bool unix_socket = false;
  bool bus = false;               // of the cluster bus, for `links`
  LinkAcceptor* links = nullptr;  // set before the ring accepts
  // The first loop's:
  bool armed = false;    // the ring accepts on it
  bool retired = false;  // goes as soon as it is not armed any more
};
using Listeners = std::vector<std::unique_ptr<Listener>>;

enum class SocketEnd { kPeer, kLocal };

// "1.2.3.4:5", "[::1]:5", or "path:0" of a UNIX socket; "?:0" when the kernel does not tell.
std::string socket_address(int fd, SocketEnd end);
// Connected from this machine: a loopback address or a UNIX socket.
bool socket_is_local(int fd);
// TCP_NODELAY, and keep-alive probes after that many seconds of silence (0: none).
void tune_client_socket(int fd, int keepalive_seconds);
// Takes TCP_NODELAY back: fewer and fuller packets, each up to 40 ms later (repl-disable-tcp-nodelay).
void gather_packets(int fd);

// What to do about an address that is in use. The kernel closes the sockets of a process that had a ring some milliseconds after its end: who starts a server
// anew at once after kill -9 may meet them, so that a start tries for a second.
enum class Patience { kNone, kForALeftOver };
// Listens as `port`, `bind` and `tcp-backlog` say; with port 0 there are none. False, after logging why, when one of them fails that must not.
bool listen_tcp(const Options& options, Patience patience, Log& log, Listeners& listeners);
// The cluster bus's port, at the same addresses, when a server starts.
bool listen_bus(const Options& options, int port, Log& log, Listeners& listeners);
// The same for `unixsocket`.
bool listen_unix(const Options& options, Log& log, Listeners& listeners);

}  // namespace ringwood
