#pragma once
// All commands of the server, by name. Filled at start by the families (each has one function that adds its span of CommandSpec), then read-only.
#include <memory>
#include <span>
#include <vector>

#include "engine/exec/command.h"

namespace ringwood {

// A registered command or subcommand: its spec with what is derived from it once.
struct Command {
  const CommandSpec* spec;
  OwnedBytes full_name;  // "get", "config|get"
  OwnedBytes called;     // what clients write; differs from the name after rename-command
  const Command* parent = nullptr;
  std::vector<std::unique_ptr<Command>> subcommands;
  uint16_t id = 0;                 // index into each thread's CommandStats
  int first_key = 0;               // argument index of the first key where that is fixed, else 0
  int last_key = 0, key_step = 0;  // with first_key: the range that COMMAND INFO answers; last_key counts from the end where negative
  bool single_key = false;         // exactly one key, at first_key
  bool opens_value = false;        // of a type whose values stand in blocks of their own: these are worth prefetching
  uint8_t counted_key = 0;  // argument of the first key where keys stand behind their number (EVAL), which is the argument before; else 0
  uint8_t member = 0;       // argument that names a member or field of the first key's value, where options do not shift it; 0: none
  bool is_short = false;    // a call takes no longer than its arguments and its reply make it, but where it says so (Call::takes_long)
  bool stops_pipeline = false;  // with several shards a connection parses nothing behind it until it has answered
  uint32_t flags = 0;           // spec's, with MOVABLEKEYS derived
  uint32_t acl = 0;             // explicit and implied categories
  uint32_t refused_in = 0;      // EngineState bits in which it is refused

  // Whether a lookup that gave this container was for a subcommand that it does not have.
  bool lacks_subcommand(size_t argc) const { return !subcommands.empty() && argc > 1; }

  // (P|S)SUBSCRIBE and (P|S)UNSUBSCRIBE, which answer by pushes.
  bool replies_by_push() const { return (flags & (kPubSub | kNoScript)) == (kPubSub | kNoScript); }
  const Command* find_subcommand(Bytes name) const;  // case-insensitive
};

class CommandTable {
 public:
  CommandTable();
  ~CommandTable();
  CommandTable(const CommandTable&) = delete;

  void add(std::span<const CommandSpec> family);
  // rename-command: `to` empty removes it. False when there is no such command or the new name is taken.
  bool rename(Bytes from, Bytes to);
  // Builds the look-up; call once after the last add and rename.
  void freeze(int shards);

  // By the name as the client wrote it, any case; null when unknown.
  const Command* find(Bytes name) const;
  // The last command that was asked for, for whoever asks for one command many times: find() of the same bytes.
  class Last {
   public:
    const Command* find(const CommandTable& table, std::span<const Bytes> args) {
      const Bytes name = args[0];
      if (__builtin_expect(size_ == name.size() && word_ == first_word(name) && end_ == last_word(name), 1)) return command_;
      return ask(table, args);
    }

   private:
    static constexpr size_t kLongest = 16;
    static uint64_t last_word(Bytes name) { return name.size() > 8 ? load<uint64_t>(name.data() + name.size() - 8) : 0; }
    const Command* ask(const CommandTable& table, std::span<const Bytes> args);
    uint64_t word_ = 0, end_ = 0;
    size_t size_ = SIZE_MAX;  // that: none
    const Command* command_ = nullptr;
  };
  // The first eight bytes of a name. A shorter one has another word than all others of its length.
  static uint64_t first_word(Bytes name) {
    const char* p = name.data();
    const size_t n = name.size();
    if (n >= 8) return load<uint64_t>(p);
    if (n >= 4) return load<uint32_t>(p) | static_cast<uint64_t>(load<uint32_t>(p + n - 4)) << 32;
    if (n == 0) return 0;
    auto byte = [p](size_t i) { return static_cast<uint64_t>(static_cast<unsigned char>(p[i])); };
    return byte(0) | byte(n / 2) << 8 | byte(n - 1) << 16;
  }

  // With the subcommand resolved where the command is a container and `args` names one: the subcommand, or the container itself when it does not exist.
  const Command* find(std::span<const Bytes> args) const;
  const std::vector<std::unique_ptr<Command>>& all() const { return commands_; }
  size_t ids() const { return next_id_; }  // commands and subcommands, all

  // By the original name, "get" or "config|get", whatever rename-command has made of it: ACL rules mean these. Null when there is none.
  const Command* find_original(Bytes full_name) const;
  // f(const Command&) for each command, also for those that rename-command has removed; not for subcommands.
  template <class F>
  void for_each_original(F&& f) const {
    for (const auto& c : commands_) f(*c);
    for (const auto& c : removed_) f(*c);
  }

  // Argument indexes of the keys of a call, in order, into `out`; false when the arguments are not valid for it. Follows the key specs as Redis's
  // getKeysFromCommand.
  static bool keys_of(const Command& c, std::span<const Bytes> args, std::vector<int>& out);
  // Those of one specification, appended; false where the arguments do not fit it.
  static bool keys_of(const KeySpec& spec, std::span<const Bytes> args, std::vector<int>& out);
  // Those that the function says of a command which has one; false as above.
  static bool keys_by_function(const CommandSpec& spec, std::span<const Bytes> args, std::vector<int>& out);

 private:
  struct Place;
  std::unique_ptr<Command> make(const CommandSpec& spec, const Command* parent);
  void put(const Command* c);
  const Command* look_up(Bytes name) const;
  std::vector<std::unique_ptr<Command>> commands_, removed_;
  std::vector<Place> index_;  // open addressing, a power of two, at most a quarter full
  uint64_t index_mask_ = 0;
  uint16_t next_id_ = 0;
};

}  // namespace ringwood
