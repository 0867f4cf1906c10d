#pragma once
// `FIELDS numfields field...` and `FIELDS numfields (field value)...`, which end the arguments of the commands that know of fields' times.
#include <span>

#include "engine/exec/call.h"

namespace ringwood::hash_fields {

class FieldArgs {
 public:
  struct Form {
    size_t step = 1;  // arguments a field
    const char* count_error = "ERR Number of fields must be a positive integer";
  };
  // At argument `at`; false: the error has been replied.
  bool parse(Call& c, size_t at, const Form& form) {
    if (at + 1 >= c.argc() || !Call::is_word(c.arg(at), "fields"))
      return c.reply.error("ERR Mandatory argument FIELDS is missing or not at the right position"), false;
    int64_t n;
    if (!c.to_int_range(c.arg(at + 1), 1, INT64_MAX, n, form.count_error)) return false;
    args_ = c.args().subspan(at + 2);
    step_ = form.step;
    if (args_.size() % step_ == 0 && static_cast<uint64_t>(n) == args_.size() / step_) return true;
    return c.reply.error("ERR The `numfields` parameter must match the number of arguments"), false;
  }
  size_t count() const { return args_.size() / step_; }
  // With step 1 the fields; with 2 fields and values in turn.
  std::span<const Bytes> fields() const { return args_; }

 private:
  std::span<const Bytes> args_;
  size_t step_ = 1;
};

}  // namespace ringwood::hash_fields
