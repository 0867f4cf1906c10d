#include "engine/commands/script/debug_print.h"

#include <cstdio>
#include <utility>

#include "engine/base/split_args.h"
#include "engine/commands/script/reply_cursor.h"

namespace ringwood {
namespace {

constexpr int kDeepest = LUA_MINSTACK / 2;

// --- values

// Whether the table's keys are 1, 2, 3 … in the order in which Lua gives them.
bool is_list(lua_State* l, int table) {
  bool is = true;
  double expected = 1;
  lua_pushnil(l);
  while (lua_next(l, table)) {
    lua_pop(l, 1);
    is = lua_type(l, -1) == LUA_TNUMBER && lua_tonumber(l, -1) == expected++;
    if (!is) {
      lua_pop(l, 1);
      break;
    }
  }
  return is;
}

void append_value(lua_State* l, int index, int depth, OwnedBytes& out);

void append_table(lua_State* l, int table, int depth, OwnedBytes& out) {
  const bool list = is_list(l, table);
  out += '{';
  bool first = true;
  lua_pushnil(l);
  while (lua_next(l, table)) {
    const int value = lua_gettop(l);
    if (!std::exchange(first, false)) out += "; ";
    if (!list) {
      out += '[';
      append_value(l, value - 1, depth, out);
      out += "]=";
    }
    append_value(l, value, depth, out);
    lua_pop(l, 1);
  }
  out += '}';
}

void append_pointer(lua_State* l, int index, const char* type, OwnedBytes& out) {
  char text[64];
  std::snprintf(text, sizeof text, "\"%s@%p\"", type, lua_topointer(l, index));
  out += text;
}

// `index` counts from the stack's bottom.
void append_value(lua_State* l, int index, int depth, OwnedBytes& out) {
  if (depth == kDeepest || !lua_checkstack(l, 3)) {
    out += "<max recursion level reached! Nested table?>";
    return;
  }
  switch (lua_type(l, index)) {
    case LUA_TSTRING: return append_quoted(out, lua::text(l, index));
    case LUA_TBOOLEAN: out += lua_toboolean(l, index) ? "true" : "false"; return;
    case LUA_TNUMBER: {
      char digits[40];
      std::snprintf(digits, sizeof digits, "%g", lua_tonumber(l, index));
      out += digits;
      return;
    }
    case LUA_TNIL: out += "nil"; return;
    case LUA_TTABLE: return append_table(l, index, depth + 1, out);
    case LUA_TFUNCTION: return append_pointer(l, index, "function", out);
    case LUA_TUSERDATA: return append_pointer(l, index, "userdata", out);
    case LUA_TTHREAD: return append_pointer(l, index, "thread", out);
    case LUA_TLIGHTUSERDATA: return append_pointer(l, index, "light-userdata", out);
    default: out += "\"<unknown-lua-type>\"";
  }
}

// --- replies

class ReplyText : ReplyCursor {
 public:
  ReplyText(Bytes reply, OwnedBytes& out) : ReplyCursor(reply), out_(out) {}

  void append_next() {
    const Bytes whole = line();
    const Bytes head = whole.substr(1);
    switch (whole[0]) {
      case ':': out_.append(head); return;
      case '+':
      case '-': return append_quoted(out_, whole);
      case '$': return append_bulk(integer(head));
      case '*':
      case '>': return append_list(integer(head), "[", "]");
      case '~': return append_list(integer(head), "~(", ")");
      case '%': return append_map(integer(head));
      case '_': out_.append("(null)"); return;
      case '#': out_.append(head == "t" ? "#true" : "#false"); return;
      case ',': out_.append("(double) ").append(head); return;
      case '(': out_.append("(big number) ").append(head); return;
      case '=': return append_bulk(integer(head));
      case '|': return skip_attribute(integer(head));
      default: out_.append("?");
    }
  }

 private:
  void append_bulk(int64_t n) {
    if (n < 0) return void(out_.append("NULL"));
    append_quoted(out_, take(static_cast<size_t>(n)));
  }
  void append_list(int64_t n, Bytes open, Bytes close) {
    if (n < 0) return void(out_.append("NULL"));
    out_.append(open);
    for (int64_t i = 0; i < n; i++) {
      if (i) out_ += ',';
      append_next();
    }
    out_.append(close);
  }
  void append_map(int64_t pairs) {
    out_ += '{';
    for (int64_t i = 0; i < pairs; i++) {
      if (i) out_ += ',';
      append_next();
      out_.append(" => ");
      append_next();
    }
    out_ += '}';
  }
  // What is said about the value that follows is not shown, as it is not shown to the script.
  void skip_attribute(int64_t pairs) {
    const size_t before = out_.size();
    for (int64_t i = 0; i < 2 * pairs; i++) append_next();
    out_.resize(before);
    append_next();
  }

  OwnedBytes& out_;
};

}  // namespace

void append_lua_value(lua_State* l, int index, OwnedBytes& out) { append_value(l, index < 0 ? lua_gettop(l) + index + 1 : index, 0, out); }

void append_reply_text(Bytes reply, OwnedBytes& out) { ReplyText(reply, out).append_next(); }

}  // namespace ringwood
