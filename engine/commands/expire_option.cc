#include "engine/commands/expire_option.h"

#include "engine/exec/command_table.h"

namespace ringwood {

ExpireForm expire_form(Bytes word) {
  if (Call::is_word(word, "ex")) return ExpireForm::kSeconds;
  if (Call::is_word(word, "px")) return ExpireForm::kMilliseconds;
  if (Call::is_word(word, "exat")) return ExpireForm::kUnixSeconds;
  if (Call::is_word(word, "pxat")) return ExpireForm::kUnixMilliseconds;
  return ExpireForm::kNone;
}

bool invalid_expire_time(Call& c) {
  OwnedBytes text = "ERR invalid expire time in '";
  text.append(c.command().full_name).append("' command");
  c.reply.error(text);
  return false;
}

bool unix_ms(int64_t number, ExpireForm form, int64_t now_ms, int64_t& ms) {
  ms = number;
  bool seconds = form == ExpireForm::kSeconds || form == ExpireForm::kUnixSeconds;
  if (seconds && __builtin_mul_overflow(ms, int64_t{1000}, &ms)) return false;
  bool relative = form == ExpireForm::kSeconds || form == ExpireForm::kMilliseconds;
  return !relative || !__builtin_add_overflow(ms, now_ms, &ms);
}

bool to_unix_ms(Call& c, Bytes arg, ExpireForm form, int64_t& ms) {
  int64_t number;
  if (!c.to_int(arg, number)) return false;
  if (number <= 0 || !unix_ms(number, form, c.now_ms(), ms)) return invalid_expire_time(c);
  return true;
}

}  // namespace ringwood
