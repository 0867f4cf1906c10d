#include "engine/exec/acl_check.h"

#include <algorithm>

#include "engine/base/glob.h"
#include "engine/base/options_text.h"
#include "engine/exec/call.h"
#include "engine/exec/client.h"
#include "engine/exec/command_keys.h"
#include "engine/exec/control.h"

namespace ringwood {
namespace {

using options_text::equal_ignoring_case;

// Where channels stand in the arguments of a command that publishes or subscribes.
struct ChannelArgs {
  const char* command;
  bool all;  // from the first argument to the last; else the first alone
  bool patterns;
};
constexpr ChannelArgs kChannelArgs[] = {
    {"publish", false, false},   {"spublish", false, false}, {"subscribe", true, false},
    {"ssubscribe", true, false}, {"psubscribe", true, true},
};

const ChannelArgs* channels_of(const Command& c) {
  if (!(c.flags & kPubSub)) return nullptr;
  for (const ChannelArgs& a : kChannelArgs)
    if (c.full_name == a.command) return &a;
  return nullptr;
}

uint8_t access_of(unsigned key_flags) {
  uint8_t access = key_flags & kKeyAccess ? kAclReads : 0;
  if (key_flags & (kKeyInsert | kKeyDelete | kKeyUpdate)) access |= kAclWrites;
  return access;
}

bool key_allowed(const AclSelector& s, Bytes key, uint8_t access) {
  for (const AclSelector::KeyPattern& k : s.keys)
    if ((k.access & access) == access && glob_match(k.pattern, key)) return true;
  return false;
}

bool channel_allowed(const AclSelector& s, Bytes channel, bool is_pattern) {
  return std::any_of(s.channels.begin(), s.channels.end(),
                     [&](const OwnedBytes& allowed) { return is_pattern ? allowed == channel : glob_match(allowed, channel); });
}

bool command_allowed(const AclSelector& s, const Command& c, std::span<const Bytes> args) {
  if (s.all_commands || (c.flags & kNoAuth) || s.may_run(c.id)) return true;
  const AclSelector::FirstArgs* first = s.first_args_of(c.id);
  if (!first || args.size() < 2) return false;
  return std::any_of(first->allowed.begin(), first->allowed.end(), [&](const OwnedBytes& a) { return equal_ignoring_case(a, args[1]); });
}

// The keys of a call, worked out when a selector first asks for them.
class KeysOnDemand {
 public:
  KeysOnDemand(const Command& command, std::span<const Bytes> args) : command_(command), args_(args) {}
  const std::vector<KeyUse>& get() {
    thread_local std::vector<KeyUse> keys;  // kept for its memory
    if (!known_) key_uses(command_, args_, keys);
    known_ = true;
    return keys;
  }

 private:
  const Command& command_;
  std::span<const Bytes> args_;
  bool known_ = false;
};

AclDenial check_selector(const AclSelector& s, const Command& c, std::span<const Bytes> args, KeysOnDemand& keys) {
  if (!command_allowed(s, c, args)) return {AclReason::kCommand, 0};
  if (!s.all_keys && has_keys(c))
    for (const KeyUse& k : keys.get())
      if (!key_allowed(s, args[k.index], access_of(k.flags))) return {AclReason::kKey, k.index};
  if (s.all_channels) return {};
  const ChannelArgs* channels = channels_of(c);
  if (!channels) return {};
  for (size_t i = 1; i < (channels->all ? args.size() : 2); i++)
    if (!channel_allowed(s, args[i], channels->patterns)) return {AclReason::kChannel, i};
  return {};
}

bool reads_all_keys(const AclSelector& s) {
  return s.all_keys || std::any_of(s.keys.begin(), s.keys.end(),
                                   [](const AclSelector::KeyPattern& k) { return (k.access & kAclReads) && k.pattern == "*"; });
}

}  // namespace

AclDenial acl_check(const AclUser* user, const Command& command, std::span<const Bytes> args) {
  if (!user || user->gate.load(std::memory_order_relaxed) == AclUser::kOpen) return {};
  // Of several refusals the one is told that came furthest: a key or channel before a command, and the last of them.
  AclDenial worst{AclReason::kCommand, 0};
  KeysOnDemand keys(command, args);
  for (const AclSelector& s : user->rules().selectors) {
    AclDenial d = check_selector(s, command, args, keys);
    if (!d) return d;
    if (d.reason > worst.reason || (d.reason == worst.reason && d.arg > worst.arg)) worst = d;
  }
  return worst;
}

bool acl_allows_at_once(const AclUser& user, const Command& command, std::span<const Bytes> args) {
  const AclSelector& s = user.rules().selectors.front();
  if ((command.flags & kPubSub) || !(s.all_commands || s.may_run(command.id))) return false;
  if (s.all_keys) return true;
  if (!command.single_key) return false;
  const unsigned flags = command.spec->keys[0].flags;
  const uint8_t access = flags & kKeyVariableFlags ? kAclReads | kAclWrites : access_of(flags);
  return key_allowed(s, args[static_cast<size_t>(command.first_key)], access);
}

bool acl_check_all_keys_readable(const AclUser* user, const Command& command, std::span<const Bytes> args) {
  if (!user || user->gate.load(std::memory_order_relaxed) == AclUser::kOpen) return true;
  KeysOnDemand keys(command, args);
  for (const AclSelector& s : user->rules().selectors)
    if (reads_all_keys(s) && !check_selector(s, command, args, keys)) return true;
  return false;
}

bool acl_may_subscribe(const AclRules& rules, Bytes channel, bool is_pattern) {
  return std::any_of(rules.selectors.begin(), rules.selectors.end(),
                     [&](const AclSelector& s) { return s.all_channels || channel_allowed(s, channel, is_pattern); });
}

OwnedBytes denial_text(AclDenial d, const AclUser& user, const Command& command, std::span<const Bytes> args, bool with_names) {
  OwnedBytes who = "User " + user.name + " has no permissions to ";
  if (d.reason == AclReason::kCommand) return who + "run the '" + command.full_name + "' command";
  Bytes what = d.reason == AclReason::kKey ? "key" : "channel";
  if (with_names) return who.append("access the '").append(args[d.arg]).append("' ").append(what);
  return OwnedBytes("No permissions to access a ").append(what);
}

void log_denial(Engine& engine, Client* client, const AclUser& user, AclDenial d, AclContext context, const Command& command,
                std::span<const Bytes> args, int64_t now_ms) {
  AclLogEntry e{.reason = d.reason, .context = context};
  e.object = d.reason == AclReason::kCommand ? Bytes(command.full_name) : args[d.arg];
  e.user = user.name;
  if (client && engine.client_control) e.client = engine.client_control->describe(*client, now_ms);
  e.created_ms = e.updated_ms = now_ms;
  engine.acl->log.add(std::move(e), static_cast<size_t>(std::max<int64_t>(engine.options->get().acllog_max_len, 0)));
}

void log_failed_login(Call& call, Bytes user) {
  Engine& engine = call.engine();
  Client* client = call.client();
  AclLogEntry e{.reason = AclReason::kAuth, .context = client->in_multi ? AclContext::kMulti : AclContext::kToplevel};
  e.object = call.arg(0);
  e.user = user;
  if (engine.client_control) e.client = engine.client_control->describe(*client, call.now_ms());
  e.created_ms = e.updated_ms = call.now_ms();
  engine.acl->log.add(std::move(e), static_cast<size_t>(std::max<int64_t>(engine.options->get().acllog_max_len, 0)));
}

}  // namespace ringwood
