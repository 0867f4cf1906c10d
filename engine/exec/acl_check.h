#pragma once
// May this user run this command? Asked before a command runs, again for each command of an EXEC, for those that a script calls, and by ACL DRYRUN.
//
// A user is given as a pointer that may be null: nobody in particular, who may do everything. Rules are read as engine/exec/acl.h says.
#include <span>

#include "engine/exec/acl.h"
#include "engine/exec/command.h"

namespace ringwood {

class Call;
struct Command;
struct Engine;

struct AclDenial {
  AclReason reason = AclReason::kAllowed;
  size_t arg = 0;  // the key or channel that was refused: an index of the arguments
  explicit operator bool() const { return reason != AclReason::kAllowed; }
};

// True for what the user's rules outside of parentheses plainly allow; false: acl_check() tells. Without a part of the costs of that. The number of arguments
// is right.
bool acl_allows_at_once(const AclUser& user, const Command& command, std::span<const Bytes> args);
AclDenial acl_check(const AclUser* user, const Command& command, std::span<const Bytes> args);
// The same, and the user may read every key that there is: what SORT's patterns name.
bool acl_check_all_keys_readable(const AclUser* user, const Command& command, std::span<const Bytes> args);

// A subscriber of these may go on: of channels that its patterns allow, and of patterns that are among them word for word.
bool acl_may_subscribe(const AclRules& rules, Bytes channel, bool is_pattern);

// "No permissions to access a key". With the names of what was refused it says more: that is for ACL DRYRUN and scripts.
OwnedBytes denial_text(AclDenial d, const AclUser& user, const Command& command, std::span<const Bytes> args, bool with_names);

// Counts a refusal and notes it in ACL LOG. `client`: who has asked, null where that is not known.
void log_denial(Engine& engine, Client* client, const AclUser& user, AclDenial d, AclContext context, const Command& command,
                std::span<const Bytes> args, int64_t now_ms);
// A login that failed.
void log_failed_login(Call& call, Bytes user);

}  // namespace ringwood
