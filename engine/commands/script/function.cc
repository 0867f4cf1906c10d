// FUNCTION: the libraries.
#include "engine/base/glob.h"
#include "engine/commands/script/flags.h"
#include "engine/commands/script/handlers.h"
#include "engine/commands/script/scripting.h"
#include "engine/exec/call.h"
#include "engine/exec/executor.h"

namespace ringwood {
namespace {

// Every shard is held, so that no other thread runs a function while the set changes.
void publish(Call& c, std::shared_ptr<const LibrarySet> set) {
  Scripting::of(c.engine()).publish(std::move(set));
  c.here().stats.dirty.add(1);
}

bool refuse_more_than(Call& c, size_t words) {
  if (c.argc() <= words) return false;
  c.reply.error("ERR unknown subcommand or wrong number of arguments for '" + OwnedBytes(c.arg(1)) + "'. Try FUNCTION HELP.");
  return true;
}

}  // namespace

void script::function_load(Call& c) {
  bool replace = false;
  for (size_t i = 2; i + 1 < c.argc(); i++) {
    if (!Call::is_word(c.arg(i), "replace")) return c.reply.error("ERR Unknown option given: " + OwnedBytes(c.arg(i)));
    replace = true;
  }
  Scripting& scripting = Scripting::of(c.engine());
  auto set = std::make_shared<LibrarySet>(*scripting.libraries());
  OwnedBytes name;
  OwnedBytes wrong = scripting.add_library(c.executor(), *set, c.arg(c.argc() - 1), replace, true, &name);
  if (!wrong.empty()) return c.reply.error("ERR " + wrong);
  publish(c, std::move(set));
  c.reply.bulk(name);
}

void script::function_delete(Call& c) {
  auto set = std::make_shared<LibrarySet>(*Scripting::of(c.engine()).libraries());
  if (!set->library(c.arg(2))) return c.reply.error("ERR Library not found");
  set->remove(c.arg(2));
  publish(c, std::move(set));
  c.reply.ok();
}

void script::function_list(Call& c) {
  bool with_code = false, with_name = false;
  Bytes pattern;
  for (size_t i = 2; i < c.argc(); i++) {
    if (!with_code && Call::is_word(c.arg(i), "withcode")) {
      with_code = true;
    } else if (!with_name && Call::is_word(c.arg(i), "libraryname")) {
      if (i + 1 == c.argc()) return c.reply.error("ERR library name argument was not given");
      with_name = true;
      pattern = c.arg(++i);
    } else {
      return c.reply.error("ERR Unknown argument " + OwnedBytes(c.arg(i)));
    }
  }
  std::shared_ptr<const LibrarySet> set = Scripting::of(c.engine()).libraries();
  Reply& reply = c.reply;
  size_t mark = reply.begin(), n = 0;
  for (const auto& library : set->libraries) {
    if (with_name && !glob_match(pattern, library->name, true)) continue;
    n++;
    reply.map(with_code ? 4 : 3);
    reply.bulk("library_name");
    reply.bulk(library->name);
    reply.bulk("engine");
    reply.bulk("LUA");
    reply.bulk("functions");
    reply.array(library->functions.size());
    for (const Function& f : library->functions) {
      reply.map(3);
      reply.bulk("name");
      reply.bulk(f.name);
      reply.bulk("description");
      f.described ? reply.bulk(f.description) : reply.null();
      reply.bulk("flags");
      size_t flags_mark = reply.begin(), flags = 0;
      for (const ScriptFlagName& flag : kScriptFlagNames)
        if (f.flags & flag.flag) reply.simple(flag.name), flags++;
      reply.end_set(flags_mark, flags);
    }
    if (!with_code) continue;
    reply.bulk("library_code");
    reply.bulk(library->source);
  }
  reply.end_array(mark, n);
}

void script::function_dump(Call& c) {
  ReloadControl* files = c.engine().reload;
  if (!files) return c.reply.error("ERR nothing here can write RDB");
  OutBuffer payload;
  files->dump_functions(Scripting::of(c.engine()).library_sources(), payload);
  c.reply.bulk(payload.view());
}

void script::function_restore(Call& c) {
  if (refuse_more_than(c, 4)) return;
  bool flush = false, replace = false;
  if (c.argc() == 4) {
    flush = Call::is_word(c.arg(3), "flush");
    replace = Call::is_word(c.arg(3), "replace");
    if (!flush && !replace && !Call::is_word(c.arg(3), "append"))
      return c.reply.error("ERR Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.");
  }
  ReloadControl* files = c.engine().reload;
  if (!files) return c.reply.error("ERR nothing here can read RDB");
  std::vector<OwnedBytes> sources;
  if (OwnedBytes wrong = files->read_functions(c.arg(2), sources); !wrong.empty()) return c.reply.error("ERR " + wrong);

  // First all of them in a set of their own: two of the payload with the same name are an error, and nothing is lost when one is wrong.
  Scripting& scripting = Scripting::of(c.engine());
  auto fresh = std::make_shared<LibrarySet>();
  for (const OwnedBytes& source : sources)
    if (OwnedBytes wrong = scripting.add_library(c.executor(), *fresh, source, false, true, nullptr); !wrong.empty())
      return c.reply.error("ERR " + wrong);
  if (!flush) {
    auto joined = std::make_shared<LibrarySet>(*scripting.libraries());
    for (const auto& library : fresh->libraries) {
      if (!joined->library(library->name)) continue;
      if (!replace) return c.reply.error("ERR Library " + library->name + " already exists");
      joined->remove(library->name);
    }
    for (const auto& library : fresh->libraries)
      if (const Function* f = joined->clash(*library)) return c.reply.error("ERR Function " + f->name + " already exists");
    for (const auto& library : fresh->libraries) joined->add(library);
    fresh = joined;
  }
  publish(c, std::move(fresh));
  c.reply.ok();
}

// With or without ASYNC all is gone at once.
void script::function_flush(Call& c) {
  if (refuse_more_than(c, 3)) return;
  if (c.argc() == 3 && !Call::is_word(c.arg(2), "sync") && !Call::is_word(c.arg(2), "async"))
    return c.reply.error("ERR FUNCTION FLUSH only supports SYNC|ASYNC option");
  Scripting::of(c.engine()).drop_libraries();
  c.here().stats.dirty.add(1);
  c.reply.ok();
}

void script::function_stats(Call& c) { Scripting::of(c.engine()).describe_running(c); }
void script::function_kill(Call& c) { Scripting::of(c.engine()).kill(c.reply, false); }

void script::function_help(Call& c) {
  static constexpr const char* kLines[] = {
      "DELETE <LIBRARY NAME>",
      "    Removes a library.",
      "DUMP",
      "    All libraries in one payload, for FUNCTION RESTORE.",
      "FLUSH [ASYNC|SYNC]",
      "    Removes all libraries.",
      "KILL",
      "    Ends the function that runs, if it has not written.",
      "LIST [LIBRARYNAME PATTERN] [WITHCODE]",
      "    The libraries with their functions, those whose names match PATTERN, and their code.",
      "LOAD [REPLACE] <FUNCTION CODE>",
      "    Makes a library of code whose first line is '#!lua name=<name>'.",
      "RESTORE <PAYLOAD> [FLUSH|APPEND|REPLACE]",
      "    Takes libraries from a payload: instead of all that are here, beside them (the default), or instead of their namesakes.",
      "STATS",
      "    The function that runs, and how many libraries and functions there are.",
  };
  c.reply.help("FUNCTION", kLines);
}

}  // namespace ringwood
