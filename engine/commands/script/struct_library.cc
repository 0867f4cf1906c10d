// The `struct` library: Lua values to and from C structures, by a format string. "b h i l" are signed integers of 1, 2, 4 and 8 bytes, upper case unsigned
// ones, "in" and "In" those of n bytes, "f d" floats, "s" a string that ends with a zero, "cn" one of n bytes ("c0": all of it when packing, the size read
// last when unpacking), "x" a byte of padding, "T" a size_t; "<" and ">" choose the order of bytes, "!n" an alignment.
#include <cctype>
#include <climits>
#include <cstring>

#include "engine/commands/script/libraries.h"

namespace ringwood {
namespace {

constexpr int kLargestInteger = 32;  // bytes
constexpr int kNaturalAlignment = 8;

// A format as far as it has been read.
struct Format {
  lua_State* l;
  const char* at;
  bool big_endian = false;
  size_t alignment = 1;

  // The digits at `at`, or `otherwise` where there are none.
  int number(int otherwise) {
    if (!std::isdigit(static_cast<unsigned char>(*at))) return otherwise;
    int n = 0;
    while (std::isdigit(static_cast<unsigned char>(*at))) {
      int digit = *at++ - '0';
      if (n > (INT_MAX - digit) / 10) luaL_error(l, "integral size overflow");
      n = n * 10 + digit;
    }
    return n;
  }

  // Bytes that the option takes; 0 for those whose size the data tells, and those that take none.
  size_t size_of(char option) {
    switch (option) {
      case 'b':
      case 'B':
      case 'x': return 1;
      case 'h':
      case 'H': return 2;
      case 'l':
      case 'L':
      case 'T':
      case 'd': return 8;
      case 'f': return 4;
      case 'c': return static_cast<size_t>(number(1));
      case 'i':
      case 'I': {
        int size = number(4);
        if (size > kLargestInteger) luaL_error(l, "integral size %d is larger than limit of %d", size, kLargestInteger);
        return static_cast<size_t>(size);
      }
      default: return 0;
    }
  }

  size_t padding(size_t position, char option, size_t size) const {
    if (size == 0 || option == 'c') return 0;
    size_t unit = size > alignment ? alignment : size;
    return (unit - (position & (unit - 1))) & (unit - 1);
  }

  // An option that is no value.
  void control(char option) {
    switch (option) {
      case ' ': return;
      case '>': big_endian = true; return;
      case '<': big_endian = false; return;
      case '!': {
        int n = number(kNaturalAlignment);
        if (n <= 0 || (n & (n - 1))) luaL_error(l, "alignment %d is not a power of 2", n);
        alignment = static_cast<size_t>(n);
        return;
      }
      default: luaL_argerror(l, 1, lua_pushfstring(l, "invalid format option '%c'", option));
    }
  }

  // The order of bytes in memory is little-endian.
  void arrange(char* bytes, size_t n) const {
    if (!big_endian) return;
    for (size_t i = 0; i < n / 2; i++) {
      char c = bytes[i];
      bytes[i] = bytes[n - 1 - i];
      bytes[n - 1 - i] = c;
    }
  }
};

bool is_integer(char option) { return option && std::strchr("bBhHlLTiI", option); }

uint64_t to_bits(double v) {
  if (v < 0) return v > -0x1p63 ? static_cast<uint64_t>(static_cast<int64_t>(v)) : uint64_t{1} << 63;
  return v < 0x1p64 ? static_cast<uint64_t>(v) : 0;
}

// Bytes beyond the eighth are zero, as in the library's model.
void add_integer(luaL_Buffer& b, const Format& f, double v, size_t size) {
  char bytes[kLargestInteger] = {0};
  store<uint64_t>(bytes, to_bits(v));
  f.arrange(bytes, size);
  luaL_addlstring(&b, bytes, size);
}

double get_integer(const Format& f, const char* from, size_t size, bool is_signed) {
  char bytes[kLargestInteger] = {0};
  std::memcpy(bytes, from, size);
  f.arrange(bytes, size);
  uint64_t v = load<uint64_t>(bytes);
  if (!is_signed) return static_cast<double>(v);
  if (size > 0 && size < 8) {
    unsigned unused = 64 - 8 * static_cast<unsigned>(size);
    return static_cast<double>(static_cast<int64_t>(v << unused) >> unused);
  }
  return static_cast<double>(static_cast<int64_t>(v));
}

template <class T>
void add_float(luaL_Buffer& b, const Format& f, double v) {
  char bytes[sizeof(T)];
  store<T>(bytes, static_cast<T>(v));
  f.arrange(bytes, sizeof(T));
  luaL_addlstring(&b, bytes, sizeof(T));
}

template <class T>
double get_float(const Format& f, const char* from) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, from, sizeof(T));
  f.arrange(bytes, sizeof(T));
  return static_cast<double>(load<T>(bytes));
}

int pack(lua_State* l) {
  Format f{l, luaL_checkstring(l, 1)};
  int argument = 2;
  size_t total = 0;
  lua_pushnil(l);  // between the arguments and the buffer's pieces, so that a missing argument is seen as one
  luaL_Buffer b;
  luaL_buffinit(l, &b);
  while (*f.at) {
    char option = *f.at++;
    size_t size = f.size_of(option);
    size_t pad = f.padding(total, option, size);
    total += pad + size;
    while (pad--) luaL_addchar(&b, '\0');
    if (is_integer(option)) {
      add_integer(b, f, luaL_checknumber(l, argument++), size);
    } else if (option == 'x') {
      luaL_addchar(&b, '\0');
    } else if (option == 'f') {
      add_float<float>(b, f, luaL_checknumber(l, argument++));
    } else if (option == 'd') {
      add_float<double>(b, f, luaL_checknumber(l, argument++));
    } else if (option == 'c' || option == 's') {
      size_t have;
      const char* s = luaL_checklstring(l, argument++, &have);
      if (size == 0) total += size = have;
      luaL_argcheck(l, have >= size, argument, "string too short");
      luaL_addlstring(&b, s, size);
      if (option == 's') {
        luaL_addchar(&b, '\0');
        total++;
      }
    } else {
      f.control(option);
    }
  }
  luaL_pushresult(&b);
  return 1;
}

int unpack(lua_State* l) {
  Format f{l, luaL_checkstring(l, 1)};
  size_t have;
  const char* data = luaL_checklstring(l, 2, &have);
  lua_Integer offset = luaL_optinteger(l, 3, 1);
  luaL_argcheck(l, offset != 0, 3, "offset must be 1 or greater");  // a negative one is far behind the data, as in Redis
  size_t at = static_cast<size_t>(offset) - 1;
  int results = 0;
  auto check = [&](size_t size) { luaL_argcheck(l, size <= have && at <= have - size, 2, "data string too short"); };
  while (*f.at) {
    char option = *f.at++;
    size_t size = f.size_of(option);
    at += f.padding(at, option, size);
    check(size);
    luaL_checkstack(l, 2, "too many results");
    if (is_integer(option)) {
      lua_pushnumber(l, get_integer(f, data + at, size, std::islower(static_cast<unsigned char>(option))));
      results++;
    } else if (option == 'f' || option == 'd') {
      lua_pushnumber(l, option == 'f' ? get_float<float>(f, data + at) : get_float<double>(f, data + at));
      results++;
    } else if (option == 'c') {
      if (size == 0) {
        if (results == 0 || !lua_isnumber(l, -1)) return luaL_error(l, "format 'c0' needs a previous size");
        double wanted = lua_tonumber(l, -1);
        luaL_argcheck(l, wanted >= 0 && wanted <= static_cast<double>(have), 2, "data string too short");
        size = static_cast<size_t>(wanted);
        check(size);
        lua_pop(l, 1);
        results--;
      }
      lua_pushlstring(l, data + at, size);
      results++;
    } else if (option == 's') {
      const void* end = std::memchr(data + at, '\0', have - at);
      if (!end) return luaL_error(l, "unfinished string in data");
      size_t n = static_cast<size_t>(static_cast<const char*>(end) - (data + at));
      lua_pushlstring(l, data + at, n);
      results++;
      size = n + 1;
    } else if (option != 'x') {
      f.control(option);
    }
    at += size;
  }
  lua_pushinteger(l, static_cast<lua_Integer>(at) + 1);
  return results + 1;
}

int size(lua_State* l) {
  Format f{l, luaL_checkstring(l, 1)};
  size_t at = 0;
  while (*f.at) {
    char option = *f.at++;
    size_t n = f.size_of(option);
    at += f.padding(at, option, n);
    if (option == 's') return luaL_argerror(l, 1, "option 's' has no fixed size");
    if (option == 'c' && n == 0) return luaL_argerror(l, 1, "option 'c0' has no fixed size");
    if (!std::isalnum(static_cast<unsigned char>(option))) f.control(option);
    at += n;
  }
  lua_pushinteger(l, static_cast<lua_Integer>(at));
  return 1;
}

}  // namespace

int open_struct(lua_State* l) {
  lua_newtable(l);
  lua::set_function(l, "pack", pack);
  lua::set_function(l, "unpack", unpack);
  lua::set_function(l, "size", size);
  return 1;
}

}  // namespace ringwood
