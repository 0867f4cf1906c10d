#include "engine/exec/effects.h"

#include <utility>

#include "engine/base/number.h"
#include "engine/base/resp_head.h"

namespace ringwood {
namespace {

constexpr Bytes kMulti = "*1\r\n$5\r\nMULTI\r\n", kExec = "*1\r\n$4\r\nEXEC\r\n";
constexpr size_t kKeep = 256 * 1024;  // bytes of buffer that an idle thread holds

constexpr size_t kHeadRoom = kMaxIntChars + 3;

// "*3\r\n" or "$12\r\n"; answers the place behind it. There is kHeadRoom: one or two digits are written as a word.
inline char* put_head(char* p, char kind, size_t n) {
  constexpr uint64_t kOne = '0' << 8 | '\r' << 16 | uint64_t{'\n'} << 24, kTwo = uint64_t{'\r'} << 24 | uint64_t{'\n'} << 32;
  const auto mark = static_cast<uint64_t>(kind);
  if (n < 10) return store(p, mark | kOne | n << 8), p + 4;
  if (n < 100) return store(p, mark | kTwo | uint64_t{digit_pair(n)} << 8), p + 5;
  *p = kind;
  p = format_uint64(p + 1, n);
  store(p, resp::kLineEnd);
  return p + 2;
}

void put_command(OutBuffer& out, std::span<const Bytes> args) {
  size_t room = kHeadRoom;
  for (Bytes a : args) room += kHeadRoom + a.size() + 2;
  char* const begin = out.reserve(room);
  char* p = put_head(begin, '*', args.size());
  for (Bytes a : args) {
    p = put_head(p, '$', a.size());
    copy_bytes(p, a.data(), a.size());
    p += a.size();
    store(p, resp::kLineEnd);
    p += 2;
  }
  out.commit(static_cast<size_t>(p - begin));
}

size_t size_of(std::span<const Bytes> args) {
  auto digits = [](size_t n) {
    size_t count = 1;
    while (n /= 10) count++;
    return count;
  };
  size_t bytes = 3 + digits(args.size());
  for (Bytes a : args) bytes += 5 + digits(a.size()) + a.size();
  return bytes;
}

}  // namespace

// Goes on in another database. The first effect's SELECT is the log's business, which alone knows what stands before it.
void Effects::select(int database) {
  if (first_database_ < 0) {
    first_database_ = database;
    select_at_ = pending_.size();
  } else {
    char digits[kMaxIntChars];
    Bytes args[] = {"SELECT", {digits, static_cast<size_t>(format_int64(digits, database) - digits)}};
    put_command(pending_, args);
  }
  database_ = database;
}

// The unit has a second effect: what it has until now moves behind a MULTI.
void Effects::open_multi() {
  pending_.insert(unit_at_, kMulti);
  for (size_t i = unit_hidden_at_; i < hidden_.size(); i++) hidden_[i].begin += kMulti.size(), hidden_[i].end += kMulti.size();
  if (unit_at_ == 0) select_at_ = kMulti.size();
}

inline size_t Effects::begin_effect(int database) {
  if (unit_effects_ == 0)
    unit_at_ = pending_.size(), unit_hidden_at_ = hidden_.size(), unit_database_ = database_;
  else if (unit_effects_ == 1 && unit_wraps_)
    open_multi();
  unit_effects_++;
  if (database_ != database) select(database);
  return pending_.size();
}

// Whether anybody is to have what is for `who`, and reads; with what a script has said it may be fewer.
inline bool Effects::has_reader(EffectFor& who) const {
  if (__builtin_expect(narrowed_ != EffectFor::kAll, 0)) {
    if (who != EffectFor::kAll && who != narrowed_) return false;
    who = narrowed_;
  }
  return on_ && (who != EffectFor::kReplicas || for_replicas_) && (who != EffectFor::kFile || for_file_);
}

template <class F>
void Effects::put_effect(int database, EffectFor who, size_t size, F&& write) {
  const size_t from = begin_effect(database);
  const bool wrapped = who == EffectFor::kFile && for_replicas_;
  if (wrapped) {
    pending_.append("*2\r\n$4\r\nPING\r\n");
    char* const at = pending_.reserve(kHeadRoom);
    pending_.commit(static_cast<size_t>(put_head(at, '$', size) - at));
    hidden_.push_back({from, pending_.size()});
  }
  write();
  const size_t end = pending_.size();
  if (wrapped) pending_.append("\r\n");
  if (wrapped || who == EffectFor::kReplicas) hidden_.push_back({wrapped ? end : from, pending_.size()});
}

void Effects::add(int database, std::span<const Bytes> args, EffectFor who) {
  if (!has_reader(who)) return;
  put_effect(database, who, who == EffectFor::kFile ? size_of(args) : 0, [&] { put_command(pending_, args); });
}

void Effects::propagate_deletion(int database, Bytes key, bool lazy) {
  if (!on_) return;
  const EffectFor narrowed = std::exchange(narrowed_, EffectFor::kAll);
  add(database, {lazy ? Bytes("UNLINK") : Bytes("DEL"), key});
  narrowed_ = narrowed;
  if (!frame_) end_unit();
}

void Effects::end(Frame& frame, bool changed, bool own, int database, std::span<const Bytes> args) {
  frame_ = frame.outer;
  if (own && !frame.suppressed && (changed || frame.forced)) {
    EffectFor who = changed ? EffectFor::kAll : frame.forced_for;
    if (frame.replaced) {
      const Bytes text = text_.view().substr(frame.text_at);
      if (has_reader(who)) put_effect(database, who, text.size(), [&] { pending_.append(text); });
    } else {
      add(database, args, who);
    }
  }
  text_.truncate(frame.text_at);
  if (frame_) return;
  text_.shrink(kKeep);
  end_unit();
}

void Effects::replace(std::span<const Bytes> args) {
  text_.truncate(frame_->text_at);
  put_command(text_, args);
  frame_->replaced = true;
}

void Effects::abandon_unit() {
  if (unit_effects_ == 0) return;
  pending_.truncate(unit_at_);
  hidden_.resize(unit_hidden_at_);
  database_ = unit_database_;
  if (unit_at_ == 0) first_database_ = database_ = -1;
  unit_effects_ = 0;
}

void Effects::end_unit() {
  if (unit_effects_ > 1 && unit_wraps_) pending_.append(kExec);
  unit_effects_ = 0;
  unit_wraps_ = true;
}

uint64_t Effects::hand_over(MutationLog& log, int thread) {
  uint64_t end = log.append(thread, {pending_.view(), first_database_, database_, select_at_, hidden_.empty() ? nullptr : &hidden_});
  pending_.clear();
  pending_.shrink(kKeep);
  hidden_.clear();
  first_database_ = database_ = -1;
  select_at_ = 0;
  return end;
}

uint64_t Effects::hand_over_ended(MutationLog& log, int thread) {
  if (unit_effects_ == 0) return hand_over(log, thread);
  std::vector<MutationLog::Range> hidden(hidden_.begin(), hidden_.begin() + static_cast<std::ptrdiff_t>(unit_hidden_at_));
  uint64_t end = log.append(
      thread, {pending_.view().substr(0, unit_at_), first_database_, unit_database_, select_at_, hidden.empty() ? nullptr : &hidden});
  // The unit now stands in front, and its text goes on in the database in which the others have left the reader.
  OwnedBytes unit(pending_.view().substr(unit_at_));
  pending_.clear();
  pending_.append(unit);
  hidden_.erase(hidden_.begin(), hidden_.begin() + static_cast<std::ptrdiff_t>(unit_hidden_at_));
  for (MutationLog::Range& h : hidden_) h.begin -= unit_at_, h.end -= unit_at_;
  first_database_ = unit_database_;
  select_at_ = unit_effects_ > 1 && unit_wraps_ ? kMulti.size() : 0;
  unit_at_ = unit_hidden_at_ = 0;
  return end;
}

}  // namespace ringwood
