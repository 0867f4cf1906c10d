#include "engine/commands/script/flags.h"

#include <algorithm>

#include "engine/base/split_args.h"
#include "engine/exec/call.h"

namespace ringwood {

uint32_t script_flag(Bytes name, bool any_case) {
  for (const ScriptFlagName& f : kScriptFlagNames)
    if (any_case ? Call::is_word(name, f.name) : name == f.name) return f.flag;
  return 0;
}

OwnedBytes read_shebang(Bytes body, uint32_t& flags, size_t& code_at) {
  flags = kScriptPlain;
  code_at = 0;
  if (!body.starts_with("#!")) return {};
  size_t end = body.find('\n');
  if (end == Bytes::npos) return "Invalid script shebang";
  auto words = split_args(body.substr(0, end));
  if (!words || words->empty()) return "Invalid engine in script shebang";
  if ((*words)[0] != "#!lua") return "Unexpected engine in script shebang: " + (*words)[0];
  flags = 0;
  code_at = end;
  for (size_t i = 1; i < words->size(); i++) {
    Bytes word = (*words)[i];
    if (!word.starts_with("flags=")) return "Unknown lua shebang option: " + OwnedBytes(word);
    word.remove_prefix(6);
    while (!word.empty()) {
      Bytes name = word.substr(0, word.find(','));
      uint32_t flag = script_flag(name, false);
      if (!flag) return "Unexpected flag in script shebang: " + OwnedBytes(name);
      flags |= flag;
      if (name.size() == word.size()) break;
      word.remove_prefix(name.size() + 1);
      if (word.empty()) return "Unexpected flag in script shebang: ";
    }
  }
  return {};
}

OwnedBytes read_library_header(Bytes source, LibraryHeader& header) {
  if (!source.starts_with("#!")) return "Missing library metadata";
  size_t end = source.find('\n');
  if (end == Bytes::npos) return "Invalid library metadata";
  auto words = split_args(source.substr(0, end));
  if (!words || words->empty()) return "Invalid library metadata";
  header.engine = (*words)[0].substr(2);
  header.code_at = end;
  bool named = false;
  for (size_t i = 1; i < words->size(); i++) {
    const std::string& word = (*words)[i];
    if (!Call::is_word(Bytes(word).substr(0, 5), "name=")) return "Invalid metadata value given: " + word;
    if (named) return "Invalid metadata value, name argument was given multiple times";
    header.name = word.substr(5);
    named = true;
  }
  return named ? OwnedBytes() : "Library name was not given";
}

bool is_library_name(Bytes name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace ringwood
