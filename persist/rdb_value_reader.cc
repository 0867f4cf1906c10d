#include "persist/rdb_value_reader.h"

#include <cmath>

#include "engine/base/number.h"
#include "engine/store/intset.h"
#include "engine/store/volatile_hash.h"
#include "engine/store/zset.h"

namespace ringwood::rdb {
namespace {

constexpr size_t kMaxEmbstr = 44;  // what OBJECT ENCODING calls embstr

// A string as Redis keeps it: an integer where it is the canonical text of one.
Entry* string_entry(Bytes key, const StringDecoder::Text& text, bool expiry) {
  int64_t v;
  if (text.is_integer) return Entry::make_int(key, text.integer, expiry);
  if (parse_int64(text.bytes, v)) return Entry::make_int(key, v, expiry);
  return Entry::make_string(key, text.bytes, text.bytes.size() <= kMaxEmbstr ? Encoding::kEmbstr : Encoding::kRaw, expiry);
}

Shape shape_of(uint8_t type) {
  switch (type) {
    case kListZiplist: return Shape::kList;
    case kSetListpack: return Shape::kSet;
    case kZSetZiplist:
    case kZSetListpack: return Shape::kZSet;
    default: return Shape::kHash;
  }
}

Type collection_of(uint8_t type) {
  switch (type) {
    case kSet: return Type::kSet;
    case kHash:
    case kHashMetadataPreGa:
    case kHashMetadata: return Type::kHash;
    case kZSet:
    case kZSet2: return Type::kZSet;
    default: return Type::kList;
  }
}

bool is_stream(uint8_t type) { return type == kStreamListpacks || type == kStreamListpacks2 || type == kStreamListpacks3; }

}  // namespace

ValueReader::~ValueReader() {
  if (entry_) Entry::destroy(entry_);
}

bool ValueReader::known(uint8_t type) { return type <= kHashListpackEx && type != 8; }

const char* ValueReader::refusal(uint8_t type) {
  switch (type) {
    case kModulePreGa:
    case kModule2: return "a value of a module";
    default: return nullptr;
  }
}

void ValueReader::begin(uint8_t type, Bytes key, bool expiry) {
  key_.assign(key);
  if (key_.capacity() > 65536 && key.size() < 4096) key_.shrink_to_fit();
  type_ = type;
  expiry_ = expiry;
  counted_ = false;
  remaining_ = 0;
  if (is_stream(type)) stream_.begin(type);
}

Entry* ValueReader::take() {
  Entry* e = entry_;
  entry_ = nullptr;
  return e;
}

void ValueReader::finish(Type type, Object object) { entry_ = Entry::make_object(key_, type, object, expiry_); }

Step ValueReader::step(Input& in) {
  switch (type_) {
    case kString: return string_value(in);
    case kHashZipmap:
    case kListZiplist:
    case kSetIntset:
    case kZSetZiplist:
    case kHashZiplist:
    case kHashListpack:
    case kZSetListpack:
    case kSetListpack: return blob_value(in);
    case kStreamListpacks:
    case kStreamListpacks2:
    case kStreamListpacks3: return stream_value(in);
    case kHashListpackExPreGa:
    case kHashListpackEx: return timed_blob(in);
    default: return elements(in);
  }
}

Step ValueReader::stream_value(Input& in) {
  Step s = stream_.step(in);
  if (s == Step::kDone) finish(Type::kStream, stream_.take());
  return s;
}

Step ValueReader::string_value(Input& in) {
  StringDecoder::Text text;
  Step s = first_.take(in, text);
  if (s == Step::kDone) entry_ = string_entry(key_, text, expiry_);
  return s;
}

Step ValueReader::blob_value(Input& in) {
  const char* start = in.p;
  StringDecoder::Text text;
  char room[kMaxIntChars];
  Step s = first_.take(in, text);
  if (s != Step::kDone) return s;
  Bytes blob = text.view(room);  // never an integer in a sound file; a short text is no sound blob either
  if (type_ == kSetIntset) {
    s = intset_value(in, blob);
  } else {
    Shape shape = shape_of(type_);
    BlobChecker::Result r;
    if (type_ == kHashZipmap)
      r = blobs_.convert_zipmap(blob);
    else if (type_ == kListZiplist || type_ == kZSetZiplist || type_ == kHashZiplist)
      r = blobs_.convert_ziplist(blob, shape);
    else
      r = blobs_.take_listpack(blob, shape);
    if (!r.lp) {
      s = in.bad(r.why);
    } else {
      size_t n = listpack::length(static_cast<const uint8_t*>(r.lp));
      if (shape == Shape::kSet)
        use_blob(r.lp, Type::kSet, n > limits_.set_max_listpack_entries);
      else if (shape == Shape::kZSet)
        use_blob(r.lp, Type::kZSet, n / 2 > limits_.zset_max_listpack_entries || !r.ordered);
      else if (shape == Shape::kHash)
        use_blob(r.lp, Type::kHash,
                 n / 2 > limits_.hash_max_listpack_entries || (type_ == kHashZipmap && blobs_.longest() > limits_.hash_max_listpack_value));
      else
        use_blob(r.lp, Type::kList, true);
    }
  }
  if (s != Step::kDone) in.p = start;
  return s;
}

// Takes the listpack over: as the value itself, or built anew in the encoding that suits.
void ValueReader::use_blob(uint8_t* lp, Type type, bool rebuild) {
  if (listpack::empty(lp)) {
    listpack::release(lp);
  } else if (!rebuild) {
    finish(type, type == Type::kZSet ? zset::adopt(lp) : Object(Encoding::kListpack, lp));
  } else {
    builder_.begin(type, listpack::length(static_cast<const uint8_t*>(lp)));
    if (type == Type::kList) {
      builder_.push_node(lp);
    } else {
      builder_.add_all(lp);
      listpack::release(lp);
    }
    finish(type, builder_.finish());
  }
}

Step ValueReader::intset_value(Input& in, Bytes blob) {
  if (!intset::validate(blob, true)) return in.bad("the intset is damaged");
  uint8_t* is = intset::adopt_copy(blob);
  size_t n = intset::length(is);
  if (n <= limits_.set_max_intset_entries) {
    finish(Type::kSet, Object(Encoding::kIntset, is));
    return Step::kDone;
  }
  char room[kMaxIntChars];
  builder_.begin(Type::kSet, n);
  for (size_t i = 0; i < n; i++) builder_.add(Bytes(room, static_cast<size_t>(format_int64(room, intset::get(is, i)) - room)));
  intset::release(is);
  finish(Type::kSet, builder_.finish());
  return Step::kDone;
}

// A count, and so many elements, each taken whole.
Step ValueReader::elements(Input& in) {
  if (!counted_) {
    const char* start = in.p;
    Step s = earliest_time(in);
    if (s == Step::kDone) s = take_length(in, remaining_);
    if (s != Step::kDone) {
      in.p = start;
      return s;
    }
    counted_ = true;
    builder_.begin(collection_of(type_), remaining_);
  }
  for (; remaining_; remaining_--) {
    const char* start = in.p;
    Step s = element(in);
    if (s != Step::kDone) {
      in.p = start;
      return s;
    }
  }
  const Type type = collection_of(type_);
  if (type != Type::kList && builder_.size() && !builder_.settle())
    return in.bad(type == Type::kHash ? "a field stands there twice" : "a member stands there twice");
  if (builder_.size())
    finish(type, builder_.finish());
  else
    builder_.drop();
  return Step::kDone;
}

Step ValueReader::element(Input& in) {
  switch (type_) {
    case kHash: return pair(in);
    case kHashMetadataPreGa:
    case kHashMetadata: return timed_pair(in);
    case kZSet:
    case kZSet2: return scored(in);
    case kListQuicklist:
    case kListQuicklist2: return quicklist_node(in);
    default: break;
  }
  StringDecoder::Text text;
  char room[kMaxIntChars];
  Step s = first_.take(in, text);
  if (s != Step::kDone) return s;
  if (type_ == kList)
    builder_.push(text.view(room));
  else if (!builder_.add(text.view(room)))
    return in.bad("a member stands there twice");
  return s;
}

Step ValueReader::pair(Input& in) {
  StringDecoder::Text field, value;
  char field_room[kMaxIntChars], value_room[kMaxIntChars];
  Step s = first_.take(in, field);
  if (s == Step::kDone) s = second_.take(in, value);
  if (s == Step::kDone && !builder_.add(field.view(field_room), value.view(value_room))) return in.bad("a field stands there twice");
  return s;
}

// The earliest time, which stands before hashes whose fields expire, but not in the form of the release candidates.
Step ValueReader::earliest_time(Input& in) {
  earliest_ms_ = 1;  // where times are absolute
  if (type_ != kHashMetadata && type_ != kHashListpackEx) return Step::kDone;
  Step s = take_fixed(in, earliest_ms_);
  // One beyond the last time of 48 bits says that there is none.
  constexpr int64_t kNone = int64_t{1} << 48;
  if (s == Step::kDone && (earliest_ms_ < 0 || earliest_ms_ > kNone)) return in.bad("the earliest time of the fields is none");
  return s;
}

Step ValueReader::timed_pair(Input& in) {
  StringDecoder::Text field, value;
  char field_room[kMaxIntChars], value_room[kMaxIntChars];
  uint64_t time = 0;
  Step s = take_length(in, time);
  if (s == Step::kDone) s = first_.take(in, field);
  if (s == Step::kDone) s = second_.take(in, value);
  if (s != Step::kDone) return s;
  constexpr auto kMost = static_cast<uint64_t>(kMaxFieldTimeMs);
  if (time > kMost || (time && !earliest_ms_)) return in.bad("the time of a field is none");
  if (time) time += static_cast<uint64_t>(earliest_ms_) - 1;
  if (time > kMost) return in.bad("the time of a field is none");
  if (builder_.add(field.view(field_room), value.view(value_room), static_cast<int64_t>(time))) return s;
  return in.bad("a field stands there twice");
}

Step ValueReader::timed_blob(Input& in) {
  const char* start = in.p;
  StringDecoder::Text text;
  char room[kMaxIntChars];
  Step s = earliest_time(in);
  if (s == Step::kDone) s = first_.take(in, text);
  if (s == Step::kDone) {
    BlobChecker::Result r = blobs_.take_listpack(text.view(room), Shape::kTimedHash);
    if (r.lp)
      use_timed_blob(r);
    else
      s = in.bad(r.why);
  }
  if (s != Step::kDone) in.p = start;
  return s;
}

// As it is where it is small, in order, and has times; otherwise built anew, which makes a plain hash of one without times.
void ValueReader::use_timed_blob(const BlobChecker::Result& r) {
  uint8_t* lp = r.lp;
  size_t n = timed_listpack::fields(lp);
  if (n && r.timed && r.ordered && n <= limits_.hash_max_listpack_entries) return finish(Type::kHash, volatile_hash::adopt(lp));
  builder_.begin(Type::kHash, n);
  char room[2][kMaxIntChars];
  for (listpack::Position p = listpack::first(lp); p; p = timed_listpack::next(p))
    builder_.add(listpack::get(p).text(room[0]), listpack::get(timed_listpack::value_of(p)).text(room[1]), timed_listpack::time(p));
  listpack::release(lp);
  if (n)
    finish(Type::kHash, builder_.finish());
  else
    builder_.drop();
}

Step ValueReader::scored(Input& in) {
  StringDecoder::Text member;
  char room[kMaxIntChars];
  double score = 0;
  Step s = first_.take(in, member);
  if (s == Step::kDone) s = type_ == kZSet ? take_text_score(in, score) : take_fixed(in, score);
  if (s != Step::kDone) return s;
  if (std::isnan(score)) return in.bad("a score is not a number");
  return builder_.add(member.view(room), score) ? s : in.bad("a member stands there twice");
}

Step ValueReader::quicklist_node(Input& in) {
  uint64_t container = kContainerPacked;
  StringDecoder::Text node;
  char room[kMaxIntChars];
  Step s = type_ == kListQuicklist2 ? take_length(in, container) : Step::kDone;
  if (s == Step::kDone) s = first_.take(in, node);
  if (s != Step::kDone) return s;
  Bytes blob = node.view(room);
  if (blob.empty()) return in.bad("an empty node of a list");
  if (container == kContainerPlain) {
    builder_.push_plain(blob);
    return s;
  }
  if (container != kContainerPacked) return in.bad("an unknown kind of list node");
  BlobChecker::Result r = type_ == kListQuicklist ? blobs_.convert_ziplist(blob, Shape::kList) : blobs_.take_listpack(blob, Shape::kList);
  if (!r.lp) return in.bad(r.why);
  if (listpack::empty(r.lp))
    listpack::release(r.lp);
  else
    builder_.push_node(r.lp);
  return s;
}

}  // namespace ringwood::rdb
