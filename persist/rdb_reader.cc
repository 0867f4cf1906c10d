#include "persist/rdb_reader.h"

#include <algorithm>

#include "engine/base/crc.h"
#include "engine/base/number.h"

namespace ringwood::rdb {
namespace {

// A key in a message: the beginning of it, with what is not printable as \xNN.
OwnedBytes quoted(Bytes key) {
  static constexpr char kHex[] = "0123456789abcdef";
  constexpr size_t kShown = 64;
  OwnedBytes out = "\"";
  for (char ch : key.substr(0, kShown)) {
    uint8_t c = static_cast<uint8_t>(ch);
    if (c >= 32 && c < 127 && c != '"' && c != '\\') {
      out += ch;
    } else {
      out += "\\x";
      out += kHex[c >> 4];
      out += kHex[c & 15];
    }
  }
  return out + (key.size() > kShown ? "...\"" : "\"");
}

// A module's 64-bit id names it: nine characters of six bits, then ten bits of encoding version (Redis's module.c documents it).
OwnedBytes module_name(uint64_t id) {
  static constexpr char kChars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  OwnedBytes name(9, ' ');
  id >>= 10;
  for (size_t i = 9; i-- > 0; id >>= 6) name[i] = kChars[id & 63];
  return name;
}

int64_t whole_ms(int64_t seconds) {
  int64_t ms;
  if (__builtin_mul_overflow(seconds, int64_t{1000}, &ms)) return seconds < 0 ? 0 : kMaxExpiryMs;
  return ms;
}

RdbReader::Doing doing_with(uint8_t opcode) {
  using Doing = RdbReader::Doing;
  switch (opcode) {
    case kOpAux: return Doing::kAux;
    case kOpModuleAux: return Doing::kModuleAux;
    case kOpFunction2: return Doing::kFunction;
    case kOpSelectDb:
    case kOpResizeDb:
    case kOpSlotInfo: return Doing::kLength;
    case kOpExpireMs:
    case kOpExpireSeconds: return Doing::kExpiry;
    default: return opcode >= kOpSlotInfo ? Doing::kType : Doing::kKey;
  }
}

}  // namespace

RdbReader::RdbReader(const Limits& limits, Options options, RdbSink& sink) : options_(options), sink_(sink), value_(limits) {}
RdbReader::~RdbReader() = default;

RdbReader::State RdbReader::state() const {
  if (stage_ == Stage::kFailed) return State::kFailed;
  return stage_ == Stage::kEnd ? State::kEnd : State::kMore;
}

RdbReader::State RdbReader::feed(Bytes piece) {
  if (state() == State::kFailed) return state();
  if (pending_.empty()) {
    Input in(piece);
    run(in);
    pending_.append({in.p, in.left()});
  } else {
    pending_.append(piece);
    Input in(pending_.view());
    run(in);
    size_t left = in.left();
    if (in.p != pending_.view().data()) {
      std::memmove(const_cast<char*>(pending_.view().data()), in.p, left);
      pending_.truncate(left);
      pending_.shrink(size_t{1} << 20);
    }
  }
  return state();
}

RdbReader::State RdbReader::end_of_input() {
  if (state() == State::kMore) {
    OwnedBytes why = "the file ends here, before its end mark";
    if (stage_ == Stage::kValue) why += ", in the value of key " + quoted(value_.key());
    fault_ = Fault::kCutShort;
    fail(offset_ + pending_.size(), why);
  }
  return state();
}

// Takes tokens as long as they are complete. Bytes of those taken are counted in offset_ and summed.
void RdbReader::run(Input& in) {
  start_ = summed_ = in.p;
  base_ = offset_;
  while (stage_ != Stage::kEnd && stage_ != Stage::kFailed) {
    Step s = step(in);
    reach(in);
    if (s == Step::kMore) break;
    if (s == Step::kBad) fail(offset_, in.why);
  }
  add_to_checksum(in.p);
}

Step RdbReader::step(Input& in) {
  switch (stage_) {
    case Stage::kHeader: return take_header(in);
    case Stage::kPart: return take_part(in);
    case Stage::kValue: return take_value(in);
    case Stage::kChecksum: return take_checksum(in);
    default: return Step::kMore;
  }
}

void RdbReader::add_to_checksum(const char* upto) {
  if (stage_ != Stage::kEnd && options_.verify_checksum) checksum_ = crc64(checksum_, Bytes(summed_, static_cast<size_t>(upto - summed_)));
  summed_ = upto;
}

Step RdbReader::bad(Input& in, Fault fault, Bytes why) {
  fault_ = fault;
  return in.bad(why);
}

void RdbReader::fail(uint64_t offset, Bytes why) {
  if (fault_ == Fault::kNone) fault_ = Fault::kDamaged;
  offset_of_error_ = offset;
  reason_ = why;
  error_ = "offset ";
  char digits[kMaxIntChars];
  error_.append(digits, static_cast<size_t>(format_uint64(digits, offset) - digits));
  error_ += ": ";
  error_ += why;
  stage_ = Stage::kFailed;
}

Step RdbReader::take_header(Input& in) {
  size_t n = std::min(in.left(), kHeaderBytes);
  Bytes magic = Bytes("REDIS").substr(0, n);
  if (Bytes(in.p, magic.size()) != magic) return bad(in, Fault::kNoImage, "not an RDB file: it does not begin with REDIS");
  if (n < kHeaderBytes) return Step::kMore;
  int version = 0;
  for (const char* p = in.p + 5; p < in.p + kHeaderBytes; p++) {
    if (*p < '0' || *p > '9') return bad(in, Fault::kNoImage, "not an RDB file: no version behind REDIS");
    version = version * 10 + (*p - '0');
  }
  version_ = version;
  if (version < kMinVersion || version > kMaxReadVersion)
    return bad(in, Fault::kVersion,
               "RDB version " + int64_text(version) + " is not known here: 1 to " + int64_text(kMaxReadVersion) + " can be loaded");
  in.p += kHeaderBytes;
  stage_ = Stage::kPart;
  return Step::kDone;
}

// An opcode with its operands, or a type with its key: taken together or not at all.
Step RdbReader::take_part(Input& in) {
  const char* start = in.p;
  uint8_t opcode;
  doing_ = Doing::kType;
  Step s = take_byte(in, opcode);
  if (s != Step::kDone) return s;
  doing_ = doing_with(opcode);
  switch (opcode) {
    case kOpAux:
    case kOpFunction2:
    case kOpResizeDb:
    case kOpSelectDb:
    case kOpSlotInfo: s = take_hints(in, opcode); break;
    case kOpExpireMs:
    case kOpExpireSeconds: s = take_expiry(in, opcode); break;
    case kOpIdle:
    case kOpFreq: s = take_access(in, opcode); break;
    case kOpFunctionPreGa:
      s = in.bad("a function library in the form of a release candidate of Redis 7.0 (FUNCTION_PRE_GA) cannot be loaded");
      break;
    case kOpModuleAux: s = take_module(in); break;
    case kOpEof: stage_ = version_ >= kFirstWithChecksum ? Stage::kChecksum : Stage::kEnd; break;
    default: s = take_key(in, opcode); break;
  }
  if (s != Step::kDone) in.p = start;
  return s;
}

Step RdbReader::take_hints(Input& in, uint8_t opcode) {
  StringDecoder::Text name, value;
  char name_room[kMaxIntChars], value_room[kMaxIntChars];
  uint64_t n[3] = {0, 0, 0};
  Step s = Step::kDone;
  switch (opcode) {
    case kOpAux:
      if (s = first_.take(in, name); s != Step::kDone) return s;
      if (s = second_.take(in, value); s != Step::kDone) return s;
      reach(in);
      sink_.on_aux(name.view(name_room), value.view(value_room));
      return s;
    case kOpFunction2:
      if (s = first_.take(in, value); s != Step::kDone) return s;
      reach(in);
      sink_.on_function(value.view(value_room));
      return s;
    case kOpSelectDb:
      if (s = take_length(in, n[0]); s != Step::kDone) return s;
      if (n[0] >= static_cast<uint64_t>(options_.databases))
        return in.bad("database " + OwnedBytes(value_room, format_uint64(value_room, n[0])) + " is beyond the " +
                      int64_text(options_.databases) + " that are configured (databases)");
      database_ = static_cast<int>(n[0]);
      reach(in);
      sink_.on_select(database_);
      return s;
    default: {
      size_t count = opcode == kOpResizeDb ? 2 : 3;
      for (size_t i = 0; i < count; i++)
        if (s = take_length(in, n[i]); s != Step::kDone) return s;
      reach(in);
      if (opcode == kOpResizeDb) sink_.on_database(database_, n[0], n[1]);
      return s;
    }
  }
}

Step RdbReader::take_expiry(Input& in, uint8_t opcode) {
  if (opcode == kOpExpireMs) return take_fixed(in, expiry_ms_);
  int32_t seconds;
  Step s = take_fixed(in, seconds);
  if (s == Step::kDone) expiry_ms_ = whole_ms(seconds);
  return s;
}

Step RdbReader::take_access(Input& in, uint8_t opcode) {
  if (opcode == kOpFreq) {
    uint8_t counter;
    Step s = take_byte(in, counter);
    if (s == Step::kDone) frequency_ = counter;
    return s;
  }
  uint64_t seconds;
  Step s = take_length(in, seconds);
  if (s == Step::kDone) idle_seconds_ = static_cast<int64_t>(std::min<uint64_t>(seconds, INT64_MAX));
  return s;
}

Step RdbReader::take_module(Input& in) {
  uint64_t id;
  Step s = take_length(in, id);
  if (s == Step::kDone) return in.bad("data of the module \"" + module_name(id) + "\" cannot be loaded: modules are not supported");
  return s;
}

Step RdbReader::take_key(Input& in, uint8_t type) {
  StringDecoder::Text key;
  char room[kMaxIntChars];
  bool too_new = type >= kHashMetadataPreGa && version_ < kFirstWithFieldTimes;
  if (!ValueReader::known(type) || too_new) {
    doing_ = Doing::kType;
    type_ = type;
    return bad(in, Fault::kUnknownType, "unknown opcode or value type " + int64_text(type));
  }
  type_ = type;
  Step s = first_.take(in, key);
  if (s != Step::kDone) return s;
  if (const char* why = ValueReader::refusal(type))
    return in.bad("key " + quoted(key.view(room)) + " holds " + why + " (type " + int64_text(type) + ", " + value_type_name(type) +
                  ", RDB version " + int64_text(version_) + "), which cannot be loaded");
  value_.begin(type, key.view(room), expiry_ms_ != -1);
  stage_ = Stage::kValue;
  return s;
}

Step RdbReader::take_value(Input& in) {
  doing_ = Doing::kValue;
  Step s = value_.step(in);
  if (s == Step::kBad)
    in.why = "key " + quoted(value_.key()) + ", " + value_type_name(value_.type()) + ", integrity check failed: " + in.why;
  if (s != Step::kDone) return s;
  if (Entry* e = value_.take()) {
    if (e->has_node()) e->node()->when_ms = static_cast<uint64_t>(std::clamp<int64_t>(expiry_ms_, 1, kMaxExpiryMs)) & kMaxExpiryMs;
    reach(in);
    sink_.on_key({database_, e, idle_seconds_, frequency_});
  } else {
    sink_.on_empty_key(value_.key(), empty_keys_++);
  }
  expiry_ms_ = idle_seconds_ = frequency_ = -1;
  stage_ = Stage::kPart;
  return s;
}

Step RdbReader::take_checksum(Input& in) {
  add_to_checksum(in.p);
  doing_ = Doing::kChecksum;
  Step s = take_fixed(in, stated_);
  if (s != Step::kDone) return s;
  if (stated_ != 0 && options_.verify_checksum && stated_ != checksum_) {
    in.p -= sizeof stated_;
    return bad(in, Fault::kChecksum, "CRC error, the checksum does not match: the file is damaged");
  }
  stage_ = Stage::kEnd;
  return s;
}

}  // namespace ringwood::rdb
