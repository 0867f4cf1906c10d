#pragma once
// The users. An AclUser is who somebody is: it keeps its address as long as a client is it, and holds the rules that are in force, an immutable
// value. The table and the rules change only while every shard is leased to the changing thread (Route::kAll), and are read by any thread while it runs
// commands, which is while it holds at least one shard: nothing is locked, and a change holds from the next command on, on every connection.
//
// What each request pays: Client::gate points to the user's word, which is 0 while nothing is refused to the user.
#include <atomic>
#include <map>
#include <memory>

#include "engine/base/options.h"
#include "engine/exec/acl_log.h"
#include "engine/exec/acl_rules.h"

namespace ringwood {

class Client;

class AclUser {
 public:
  // Words for Client::gate: anything but 0 sends a request through gates.cc.
  static constexpr uint32_t kOpen = 0, kRestricted = 1, kClosed = 2;

  AclUser(OwnedBytes the_name, AclRules rules) : name(std::move(the_name)) { set(std::move(rules)); }
  AclUser(const AclUser&) = delete;

  const OwnedBytes name;
  const AclRules& rules() const { return *rules_; }
  // One who has not logged in may act as this user: only ever true of "default". From any thread.
  bool open_to_strangers() const { return stranger_gate.load(std::memory_order_relaxed) != kClosed; }

  std::atomic<uint32_t> gate{kOpen};             // of clients that are this user
  std::atomic<uint32_t> stranger_gate{kClosed};  // of clients that have not logged in

 private:
  friend class Acl;
  void set(AclRules rules);
  void close();  // removed: nothing more is admitted, until its clients are gone
  std::unique_ptr<const AclRules> rules_;
};

using AclUserPtr = std::shared_ptr<AclUser>;

class Acl {
 public:
  using Users = std::map<OwnedBytes, AclUserPtr, std::less<>>;  // in the order of names, as they are listed

  // With the one user "default", who may do everything; a password makes it ask for that.
  Acl(const CommandTable& commands, Bytes requirepass);

  const Users& users() const { return users_; }
  AclUserPtr find(Bytes name) const;
  // Never another object. Safe from any thread.
  const AclUserPtr& default_user() const { return default_; }
  AclLanguage language(const Options& options) const { return {commands_, options.acl_pubsub_default == AclPubsubDefault::kAllchannels}; }
  // The user that the credentials prove; null where they do not.
  AclUserPtr authenticate(Bytes name, Bytes password) const;

  // --- changes
  // Changes the user, or makes it.
  void set(Bytes name, AclRules rules);
  // Null when there is none. Its clients are to be closed.
  AclUserPtr remove(Bytes name);
  // Replaces all; without a "default" among them that one is made anew. Answers the former users whose clients are to be closed: all but "default".
  std::vector<AclUserPtr> replace(std::map<OwnedBytes, AclRules> users, const AclLanguage& language);
  // requirepass; empty: no password is asked for.
  void set_default_password(Bytes password);

  AclLog log;

 private:
  const CommandTable& commands_;
  Users users_;
  AclUserPtr default_;
};

// Reads the "user" lines of a configuration or an ACL file. A name that is given twice is a fault of its own.
struct AclFileUsers {
  std::map<OwnedBytes, AclRules> users;
  OwnedBytes error;  // of all lines together; empty: none
};
AclFileUsers read_acl_file(Bytes text, Bytes file_name, const AclLanguage& language);
// The text of an ACL file that says what is in force.
OwnedBytes write_acl_file(const Acl& acl);
// "user" lines of redis.conf, applied at start. The text of what is wrong, with the line at fault, or empty.
OwnedBytes load_configured_users(Acl& acl, const Options& options, const UserLine*& at_fault);
// What every user would be in a configuration: "<name> <rules>", sorted.
std::vector<OwnedBytes> user_lines(const Acl& acl);

// ACL SETUSER: the rules of an existing user, or of a new one, changed by `args`. The error's text, or empty.
OwnedBytes change_rules(AclRules& rules, std::span<const Bytes> args, const AclLanguage& language);

}  // namespace ringwood
