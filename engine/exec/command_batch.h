#pragma once
// The commands of one turn that one thread sends to another, and their replies on the way back. The bytes are copied once, into one buffer, so that the receive
// buffers are free again at the end of the turn; the object itself goes back and forth and is used again.
#include <algorithm>
#include <vector>

#include "engine/exec/client.h"
#include "engine/exec/command_table.h"
#include "engine/exec/mailbox.h"
#include "engine/exec/slow_log.h"
#include "engine/store/database.h"

namespace ringwood {

struct CommandBatch : Message {
  struct Item {
    Client* client;  // of the sending thread; the other one never looks at it
    uint64_t slot;   // where its reply goes
    const Command* command;
    int database;
    int resp;
    uint32_t argc;
    bool hashed;  // slot and hash are those of the first key
    bool no_touch;
    bool tracks;
    bool asking, reads_replica;
    uint16_t key_slot;
    uint64_t key_hash;
    size_t reply_end;  // set by the other thread: end of this item's reply in `replies`
    // Set by the other thread: what the reply may show. SlotEnds::kLater: the batch's.
    uint64_t log_end = ~uint64_t{0};
    Waiter* waiter = nullptr;  // set by the other thread where the command waits: its reply comes later
  };
  // An item that took long; its client's home logs it.
  struct Slow {
    size_t item;
    std::unique_ptr<SlowEntry> entry;
  };
  std::vector<Item> items;
  std::vector<Slow> slow;       // on the way back
  std::vector<uint32_t> sizes;  // of all arguments, in order
  OutBuffer bytes;              // of all arguments, in order
  OutBuffer replies;
  uint64_t map_version = 0;  // of the slot map by which the commands have been admitted
  uint64_t log_end = 0;      // set by the other thread: what the replies may show (Client::log_end)
  int64_t travelling = 0;    // bytes of this batch that Eviction::travel has been told of

  void add(const Item& item, const Bytes* args) {
    items.push_back(item);
    for (uint32_t i = 0; i < item.argc; i++) {
      sizes.push_back(static_cast<uint32_t>(args[i].size()));
      bytes.append(args[i]);
    }
  }
  size_t memory() const {
    return items.capacity() * sizeof(Item) + sizes.capacity() * sizeof(uint32_t) + bytes.capacity() + replies.capacity();
  }
  void clear() {
    const size_t keep = std::min(kKeep, items.size() * kKeepAnItem);
    forget(items);
    forget(sizes);
    slow.clear();
    bytes.clear();
    bytes.shrink(keep);
    replies.clear();
    replies.shrink(keep);
  }

 private:
  template <class T>
  static void forget(std::vector<T>& of) {
    of.clear();
    if (of.capacity() > kItemsKept) std::vector<T>().swap(of);
  }
  // Bytes of buffer that an idle batch may hold: what busy turns need, not what one large value has left.
  static constexpr size_t kKeep = 96 * 1024, kKeepAnItem = 4096, kItemsKept = 256;
};

}  // namespace ringwood
