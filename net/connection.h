#pragma once
// A client's socket: what has come and is not parsed yet, what waits to be sent, and how the connection ends. Belongs to one loop, which drives it.
#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <string>

#include "cluster/replica_peer.h"
#include "engine/base/bytes.h"
#include "engine/base/options.h"
#include "engine/exec/client.h"
#include "net/resp_parser.h"

namespace ringwood {

class Loop;
class OutputSource;
class StreamOwner;

// Bytes that could not be parsed where they were received: the tail of a request, or requests behind one that waits.
class QueryBuffer {
 public:
  QueryBuffer() = default;
  ~QueryBuffer() { memory::release(data_); }
  QueryBuffer(const QueryBuffer&) = delete;
  QueryBuffer& operator=(const QueryBuffer&) = delete;

  Bytes view() const { return {data_ + begin_, end_ - begin_}; }
  size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  size_t capacity() const { return capacity_; }
  void consume(size_t n) { begin_ += n; }
  // Of what has been consumed since nothing has moved: from `at` on.
  void take_back(const char* at) { begin_ = static_cast<size_t>(at - data_); }
  // Whether n more bytes can be appended without moving what is there.
  bool fits(size_t n) const { return end_ + n <= capacity_; }
  // Makes room for `n` more bytes; moves what is there.
  void reserve(size_t n);
  void append(Bytes b) {
    if (b.empty()) return;  // its data may be null, which memcpy must not see
    if (!fits(b.size())) reserve(b.size() > size() / 2 ? b.size() : size() / 2);
    std::memcpy(data_ + end_, b.data(), b.size());
    end_ += b.size();
  }
  // Room behind the last byte, for receiving in place.
  char* room() { return data_ + end_; }
  size_t room_size() const { return capacity_ - end_; }
  void commit(size_t n) { end_ += n; }
  // Nothing points into it any more: gives memory back, or moves the rest to the front.
  void tidy();

 private:
  char* data_ = nullptr;
  size_t begin_ = 0, end_ = 0, capacity_ = 0;
};

constexpr size_t kIdleOutput = 16384;  // bytes of output buffer that a connection keeps when all has been sent

class Connection final : public Client {
 public:
  Connection(Loop& home, int socket, bool over_unix_socket) : loop(home), fd(socket), unix_socket(over_unix_socket) {}

  Loop& loop;
  int fd;  // -1 as long as the name of the other side is being looked up
  const bool unix_socket;
  size_t place = 0;  // in Loop::connections()

  // --- input
  QueryBuffer query;
  RequestParser parser;
  uint64_t pinned_in_round =
      0;                 // the round of execution whose arguments point into `query`; no other number than the loop's current one counts
  bool stopped = false;  // parses nothing until the executor resumes it
  bool waits_to_parse = false;  // stands in the loop's list of those to be parsed when the shard is back or a pause is over
  bool held_by_pause = false;   // its next request is one that a pause holds back
  bool untidy = false;          // stands in the loop's list of those whose `query` is to be tidied
  enum class Receiving : uint8_t {
    kNot,
    kPool,      // into pool buffers
    kStopping,  // the same, but its end has been asked for
    kDirect,    // into `query`
  } receiving = Receiving::kNot;

  // --- output: `out` gathers while `in_flight` is being sent
  OutBuffer in_flight;
  size_t sent = 0;  // bytes of in_flight
  bool sending = false;
  bool at_once = false;                  // by Ring::send_at_once, which may tell nothing of it
  size_t reply_room = kIdleOutput;       // the largest buffer so far, since it was last given back
  int64_t over_soft_limit_since_ms = 0;  // 0: it is below

  // --- a stream of its own
  StreamOwner* owner = nullptr;           // has the bytes that come; null: they are requests
  OutputSource* source = nullptr;         // has more to send when `out` is empty
  std::unique_ptr<ReplicaTraits> traits;  // what REPLCONF has told; null: nothing
  std::shared_ptr<void> import_hold;      // REPLCONF ringwood-import 1: keeps the server from expiring keys as long as it lives
  bool moved = false;                     // its socket is another connection's now
  bool connecting = false;
  bool held = false;           // nothing is received or parsed until Loop::release()
  sockaddr_storage dialled{};  // read by the kernel while connecting

  // What ClientMemory has counted of this connection, and as what.
  enum class Counted : uint8_t { kNot, kClient, kReplica, kGoing };
  Counted counted_as = Counted::kNot;
  int8_t counted_class = -1;  // of those that may be closed for their size; -1: it may not
  size_t counted_memory = 0;
  size_t unparsed = 0;  // bytes that have come with this turn, while another thread asks what the connection takes

  // --- the end
  bool ended = false;  // the peer sends no more; stands in the loop's list of those
  bool dying = false;  // stands in the loop's list of those that close as soon as nothing is in flight
  bool shut = false;   // shutdown(2) has been called, so that whatever is in flight ends

  uint64_t bytes_in = 0, bytes_out = 0;

  ClientClass output_class() const {
    return role == Role::kReplica ? ClientClass::kReplica : subscriptions ? ClientClass::kPubsub : ClientClass::kNormal;
  }
  size_t output_bytes() const { return out.size() + in_flight.size() - sent; }
  // "127.0.0.1:1234", "[::1]:1234" or "/path:0", as CLIENT LIST shows them; asked from the kernel at first use.
  const std::string& peer_address();
  OwnedBytes address() override { return peer_address(); }
  const std::string& local_address();

 private:
  std::string peer_, local_;
};

}  // namespace ringwood
