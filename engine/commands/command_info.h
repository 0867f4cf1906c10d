#pragma once
// The replies that COMMAND INFO and COMMAND DOCS give for one command, in Redis's shape, out of its CommandSpec.
#include "engine/exec/command_table.h"
#include "engine/exec/reply.h"

namespace ringwood {

// Ten fields: name, arity, flags, first key, last key, step, ACL categories, tips, key specifications, subcommands.
void reply_command_info(Reply& r, const Command& c);
void reply_command_docs(Reply& r, const Command& c);
// The names of a key specification's flags ("RO", "access", …), as a set.
void reply_key_flags(Reply& r, unsigned flags);

}  // namespace ringwood
