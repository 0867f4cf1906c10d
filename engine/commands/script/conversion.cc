#include "engine/commands/script/conversion.h"

#include <cstdlib>

#include "engine/base/number.h"
#include "engine/commands/script/debug_session.h"
#include "engine/commands/script/interpreter.h"
#include "engine/commands/script/reply_cursor.h"
#include "engine/commands/script/run.h"

namespace ringwood {

void lua::push_error(lua_State* l, Bytes text) {
  if (const ScriptRun* run = Interpreter::of(l).run(); __builtin_expect(run && run->debug(), 0)) run->debug()->note_error(text);
  // "-CODE words" has its code, if words follow at all; anything else is given one.
  bool coded = !text.empty() && text[0] == '-';
  if (coded) text.remove_prefix(1);
  if (coded && text.find(' ') != Bytes::npos) {
    lua_createtable(l, 0, 4);
    lua::push(l, text);
  } else {
    lua_createtable(l, 0, 4);
    lua_pushliteral(l, "ERR ");
    lua::push(l, text);
    lua_concat(l, 2);
  }
  lua_setfield(l, -2, "err");
}

namespace {

// Errors and names of formats are C strings to Redis, which ends them at their first zero byte.
Bytes up_to_zero(Bytes text) { return text.substr(0, text.find('\0')); }

// --- from a reply

class ReplyWalk : ReplyCursor {
 public:
  ReplyWalk(lua_State* l, Bytes reply) : ReplyCursor(reply), l_(l) {}

  void push_value() {
    luaL_checkstack(l_, 6, "lua stack limit reach when parsing redis.call reply");
    Bytes head = line();
    char kind = head[0];
    head.remove_prefix(1);
    switch (kind) {
      case '+':
        lua_createtable(l_, 0, 1);
        lua::push(l_, head);
        return lua_setfield(l_, -2, "ok");
      case '-': return push_error(head);
      case ':': return lua_pushnumber(l_, static_cast<double>(integer(head)));
      case '$': return push_bulk(integer(head));
      case '*': return push_array(integer(head));
      case '_': return lua_pushnil(l_);
      case '#': return lua_pushboolean(l_, head[0] == 't');
      case ',': return push_double(head);
      case '(':
        lua_createtable(l_, 0, 1);
        lua::push(l_, head);
        return lua_setfield(l_, -2, "big_number");
      case '%': return push_map(integer(head));
      case '~': return push_set(integer(head));
      case '=': return push_verbatim(static_cast<size_t>(integer(head)));
      case '|': return skip_attribute(integer(head));
      default: return push_array(integer(head));  // a push
    }
  }

 private:
  void push_error(Bytes text) {
    bool coded = text.find(' ') != Bytes::npos;
    lua_createtable(l_, 0, 4);
    if (!coded) lua_pushliteral(l_, "ERR ");
    lua::push(l_, text);
    if (!coded) lua_concat(l_, 2);
    lua_setfield(l_, -2, "err");
    lua_pushboolean(l_, 1);
    lua_setfield(l_, -2, "ignore_error_stats_update");
  }
  void push_bulk(int64_t n) {
    if (n < 0) return lua_pushboolean(l_, 0);
    lua::push(l_, take(static_cast<size_t>(n)));
  }
  void push_array(int64_t n) {
    if (n < 0) return lua_pushboolean(l_, 0);
    lua_createtable(l_, static_cast<int>(n), 0);
    for (int i = 1; i <= n; i++) {
      push_value();
      lua_rawseti(l_, -2, i);
    }
  }
  void push_map(int64_t pairs) {
    lua_createtable(l_, 0, 1);
    lua_newtable(l_);  // grows, so that its order is that of Redis
    for (int64_t i = 0; i < pairs; i++) {
      push_value();
      push_value();
      lua_settable(l_, -3);
    }
    lua_setfield(l_, -2, "map");
  }
  void push_set(int64_t n) {
    lua_createtable(l_, 0, 1);
    lua_newtable(l_);
    for (int64_t i = 0; i < n; i++) {
      push_value();
      lua_pushboolean(l_, 1);
      lua_settable(l_, -3);
    }
    lua_setfield(l_, -2, "set");
  }
  void push_double(Bytes text) {
    char digits[kMaxDoubleChars + 1];
    size_t n = text.copy(digits, kMaxDoubleChars);
    digits[n] = 0;
    lua_createtable(l_, 0, 1);
    lua_pushnumber(l_, std::strtod(digits, nullptr));  // also "inf" and "nan"
    lua_setfield(l_, -2, "double");
  }
  void push_verbatim(size_t n) {
    Bytes all = take(n);
    lua_createtable(l_, 0, 1);
    lua_createtable(l_, 0, 2);
    lua::push(l_, all.substr(4));
    lua_setfield(l_, -2, "string");
    lua::push(l_, all.substr(0, 3));
    lua_setfield(l_, -2, "format");
    lua_setfield(l_, -2, "verbatim_string");
  }
  // Scripts are not shown attributes, only what follows them.
  void skip_attribute(int64_t pairs) {
    for (int64_t i = 0; i < 2 * pairs; i++) {
      push_value();
      lua_pop(l_, 1);
    }
    push_value();
  }

  lua_State* l_;
};

// --- to a reply

// Pushes t[name] of the table on top; true when it has that type, else it is popped again.
bool push_field(lua_State* l, const char* name, int type) {
  lua_pushstring(l, name);
  lua_rawget(l, -2);
  if (lua_type(l, -1) == type) return true;
  lua_pop(l, 1);
  return false;
}

// Line breaks end a line of the protocol.
OwnedBytes one_line(Bytes text) {
  OwnedBytes line(text);
  for (char& c : line)
    if (c == '\r' || c == '\n') c = ' ';
  return line;
}

Bytes trimmed(Bytes text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

// What does not fit becomes the smallest number, as the processor's own conversion does it.
int64_t to_integer(double v) { return v >= -0x1p63 && v < 0x1p63 ? static_cast<int64_t>(v) : INT64_MIN; }

bool reply_verbatim(lua_State* l, Reply& reply) {
  if (!push_field(l, "verbatim_string", LUA_TTABLE)) return false;
  bool whole = false;
  if (push_field(l, "format", LUA_TSTRING)) {
    lua_insert(l, -2);
    if (push_field(l, "string", LUA_TSTRING)) {
      reply.verbatim(lua::text(l, -1), up_to_zero(lua::text(l, -3)));
      lua_pop(l, 1);
      whole = true;
    }
    lua_pop(l, 1);
  }
  lua_pop(l, 1);
  return whole;
}

bool reply_map(lua_State* l, Reply& reply, int script_resp) {
  if (!push_field(l, "map", LUA_TTABLE)) return false;
  size_t mark = reply.begin(), pairs = 0;
  lua_pushnil(l);
  for (; lua_next(l, -2); pairs++) {
    lua_pushvalue(l, -2);
    reply_value(l, reply, script_resp);
    reply_value(l, reply, script_resp);
  }
  reply.end_map(mark, pairs);
  lua_pop(l, 1);
  return true;
}

bool reply_set(lua_State* l, Reply& reply, int script_resp) {
  if (!push_field(l, "set", LUA_TTABLE)) return false;
  size_t mark = reply.begin(), n = 0;
  lua_pushnil(l);
  for (; lua_next(l, -2); n++) {
    lua_pop(l, 1);
    lua_pushvalue(l, -1);
    reply_value(l, reply, script_resp);
  }
  reply.end_set(mark, n);
  lua_pop(l, 1);
  return true;
}

void reply_array(lua_State* l, Reply& reply, int script_resp) {
  size_t mark = reply.begin();
  int n = 0;
  for (;; n++) {
    lua_rawgeti(l, -1, n + 1);
    if (lua_isnil(l, -1)) break;
    reply_value(l, reply, script_resp);
  }
  lua_pop(l, 1);
  reply.end_array(mark, static_cast<size_t>(n));
}

// One of the tables that stand for another type than an array; the table stays on the stack.
bool reply_typed(lua_State* l, Reply& reply, int script_resp) {
  if (push_field(l, "err", LUA_TSTRING)) {
    lua_pop(l, 1);
    ScriptError e = error_at(l, -1);
    reply.error(trimmed(e.text));
    if (e.counted) reply.set_counted();
    return true;
  }
  if (push_field(l, "ok", LUA_TSTRING)) {
    reply.simple(one_line(lua_tostring(l, -1)));  // up to a zero byte, as Redis
    lua_pop(l, 1);
    return true;
  }
  if (push_field(l, "double", LUA_TNUMBER)) {
    reply.number(lua_tonumber(l, -1));
    lua_pop(l, 1);
    return true;
  }
  if (push_field(l, "big_number", LUA_TSTRING)) {
    reply.big_number(one_line(lua::text(l, -1)));
    lua_pop(l, 1);
    return true;
  }
  return reply_verbatim(l, reply) || reply_map(l, reply, script_resp) || reply_set(l, reply, script_resp);
}

}  // namespace

bool push_reply(lua_State* l, Bytes reply) {
  ReplyWalk(l, reply).push_value();
  return reply[0] == '-';
}

ScriptError error_at(lua_State* l, int index) {
  ScriptError e;
  if (!lua_istable(l, index)) {
    e.text = up_to_zero(lua::text(l, index));
    return e;
  }
  const int top = lua_gettop(l);
  lua_pushvalue(l, index);
  if (push_field(l, "err", LUA_TSTRING)) e.text = up_to_zero(lua::text(l, -1)), lua_pop(l, 1);  // the table holds the string
  if (push_field(l, "source", LUA_TSTRING)) e.source = lua::text(l, -1), lua_pop(l, 1);
  if (push_field(l, "line", LUA_TNUMBER)) e.line = static_cast<int>(lua_tonumber(l, -1)), lua_pop(l, 1);
  e.counted = push_field(l, "ignore_error_stats_update", LUA_TBOOLEAN) && lua_toboolean(l, -1);
  lua_settop(l, top);
  return e;
}

// No function of Lua's that is called here can raise an error: it runs outside of any lua_pcall.
void reply_value(lua_State* l, Reply& reply, int script_resp) {
  if (!lua_checkstack(l, 5)) {
    reply.error("ERR reached lua stack limit");
    lua_pop(l, 1);
    return;
  }
  switch (lua_type(l, -1)) {
    case LUA_TSTRING: reply.bulk(lua::text(l, -1)); break;
    case LUA_TBOOLEAN:
      if (script_resp >= 3)
        reply.boolean(lua_toboolean(l, -1));
      else if (lua_toboolean(l, -1))
        reply.integer(1);
      else
        reply.null();
      break;
    case LUA_TNUMBER: reply.integer(to_integer(lua_tonumber(l, -1))); break;
    case LUA_TTABLE:
      if (!reply_typed(l, reply, script_resp)) reply_array(l, reply, script_resp);
      break;
    default: reply.null();
  }
  lua_pop(l, 1);
}

}  // namespace ringwood
