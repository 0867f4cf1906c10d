#include "cluster/bus_message.h"

#include <algorithm>

namespace ringwood::cluster {
namespace {

constexpr uint16_t kVersion = 1;
constexpr size_t kIpBytes = 46;
// Offsets in the header.
constexpr size_t kTotal = 4, kVersionAt = 8, kPort = 10, kType = 12, kCount = 14, kCurrentEpoch = 16, kConfigEpoch = 24, kOffset = 32,
                 kSender = 40, kSlotsAt = 80, kMaster = 2128, kIp = 2168, kExtensions = 2214, kSecondPort = 2246, kClusterPort = 2248,
                 kFlags = 2250, kState = 2252, kMessageFlags = 2253, kHeader = 2256;
constexpr size_t kGossipBytes = NodeId::kSize + 4 + 4 + kIpBytes + 2 * 5;
constexpr size_t kUpdateBytes = 8 + NodeId::kSize + SlotSet::kBytes;
// A message has no bound of its own; the largest that makes sense is a PUBLISH of the largest string.
constexpr size_t kLargest = (size_t{512} << 20) + (size_t{1} << 20);

enum Extension : uint16_t { kHostname = 0, kHumanName = 1, kForgotten = 2, kShard = 3 };
constexpr size_t kExtensionHeader = 8;
constexpr size_t padded(size_t n) { return (n + 7) / 8 * 8; }

template <class T>
T swapped(T v) {
  if constexpr (sizeof(T) == 2)
    return __builtin_bswap16(v);
  else if constexpr (sizeof(T) == 4)
    return __builtin_bswap32(v);
  else
    return __builtin_bswap64(v);
}
template <class T>
T get(Bytes b, size_t at) {
  return swapped(load<T>(b.data() + at));
}
template <class T>
void put(OwnedBytes& b, size_t at, T v) {
  store<T>(b.data() + at, swapped(v));
}
template <class T>
void add(OwnedBytes& b, T v) {
  b.resize(b.size() + sizeof v);
  put(b, b.size() - sizeof v, v);
}
void put_text(OwnedBytes& b, size_t at, Bytes text, size_t room) { std::memcpy(b.data() + at, text.data(), std::min(text.size(), room)); }

NodeId name_at(Bytes b, size_t at) {
  NodeId id;
  std::memcpy(id.text.data(), b.data() + at, NodeId::kSize);
  return id;
}
// Text of a fixed field, up to its NUL; never more than the field less one.
OwnedBytes text_at(Bytes b, size_t at, size_t room) {
  Bytes field = b.substr(at, room - 1);
  return OwnedBytes(field.substr(0, field.find('\0')));
}

// Addresses and names are printed, and written to nodes.conf, which is a text of words: what would break its lines is not let in.
bool is_word(Bytes b) {
  for (char c : b)
    if (c <= ' ' || c >= 127 || c == ',' || c == '=' || c == '"' || c == '\'' || c == '\\') return false;
  return true;
}
bool is_name(const NodeId& id) {
  NodeId parsed;
  return NodeId::parse(id.view(), parsed);
}
bool words_and_names(const BusMessage& m) {
  if (!is_name(m.sender) || !(m.master.empty() || is_name(m.master))) return false;
  if (!is_word(m.ip) || !is_word(m.hostname) || !is_word(m.human_name)) return false;
  for (const Gossip& g : m.gossip)
    if (!is_name(g.id) || !is_word(g.ip)) return false;
  for (const Forgotten& f : m.forgotten)
    if (!is_name(f.id)) return false;
  bool names_one = m.type == BusType::kFail || m.type == BusType::kUpdate;
  return !(m.shard && !is_name(*m.shard)) && !(names_one && !is_name(m.about));
}

void add_extension(OwnedBytes& b, Extension type, Bytes data, size_t room) {
  add<uint32_t>(b, static_cast<uint32_t>(kExtensionHeader + room));
  add<uint16_t>(b, type);
  add<uint16_t>(b, 0);
  b.append(data).append(room - data.size(), '\0');
}

uint16_t add_extensions(OwnedBytes& b, const BusMessage& m) {
  uint16_t n = 0;
  if (!m.hostname.empty()) add_extension(b, kHostname, m.hostname, padded(m.hostname.size() + 1)), n++;
  if (!m.human_name.empty()) add_extension(b, kHumanName, m.human_name, padded(m.human_name.size() + 1)), n++;
  for (const Forgotten& f : m.forgotten) {
    OwnedBytes data(f.id.view());
    add<uint64_t>(data, f.seconds);
    add_extension(b, kForgotten, data, data.size());
    n++;
  }
  if (m.shard) add_extension(b, kShard, m.shard->view(), NodeId::kSize), n++;
  return n;
}

void add_gossip(OwnedBytes& b, const Gossip& g) {
  b.append(g.id.view());
  add(b, g.ping_sent_s);
  add(b, g.pong_received_s);
  size_t at = b.size();
  b.append(kIpBytes, '\0');
  put_text(b, at, g.ip, kIpBytes - 1);
  add(b, g.port);
  add(b, g.cluster_port);
  add(b, g.flags);
  add(b, g.second_port);
  add<uint16_t>(b, 0);
}

void add_body(OwnedBytes& b, const BusMessage& m) {
  switch (m.type) {
    case BusType::kPing:
    case BusType::kPong:
    case BusType::kMeet: {
      for (const Gossip& g : m.gossip) add_gossip(b, g);
      put<uint16_t>(b, kCount, static_cast<uint16_t>(m.gossip.size()));
      uint16_t extensions = add_extensions(b, m);
      put(b, kExtensions, extensions);
      if (extensions) b[kMessageFlags] = static_cast<char>(b[kMessageFlags] | kMessageExtensions);
      return;
    }
    case BusType::kFail: b.append(m.about.view()); return;
    case BusType::kPublish:
    case BusType::kPublishShard:
      add<uint32_t>(b, static_cast<uint32_t>(m.channel.size()));
      add<uint32_t>(b, static_cast<uint32_t>(m.payload.size()));
      b.append(m.channel).append(m.payload);
      return;
    case BusType::kUpdate:
      add(b, m.about_epoch);
      b.append(m.about.view()).append(m.about_slots.bytes());
      return;
    case BusType::kAuthRequest:
    case BusType::kAuthAck:
    case BusType::kMfStart:
    case BusType::kModule: return;
  }
}

BusError decode_gossip(Bytes frame, size_t& at, BusMessage& m) {
  size_t count = get<uint16_t>(frame, kCount);
  if (frame.size() - at < count * kGossipBytes) return BusError::kLength;
  m.gossip.resize(count);
  for (Gossip& g : m.gossip) {
    g.id = name_at(frame, at);
    g.ping_sent_s = get<uint32_t>(frame, at + 40);
    g.pong_received_s = get<uint32_t>(frame, at + 44);
    g.ip = text_at(frame, at + 48, kIpBytes);
    g.port = get<uint16_t>(frame, at + 94);
    g.cluster_port = get<uint16_t>(frame, at + 96);
    g.flags = get<uint16_t>(frame, at + 98);
    g.second_port = get<uint16_t>(frame, at + 100);
    at += kGossipBytes;
  }
  return BusError::kNone;
}

BusError take_extension(uint16_t type, Bytes data, BusMessage& m) {
  switch (type) {
    case kHostname:
    case kHumanName: {
      size_t end = data.find('\0');
      if (end == Bytes::npos) return BusError::kExtension;
      (type == kHostname ? m.hostname : m.human_name) = data.substr(0, end);
      return BusError::kNone;
    }
    case kForgotten:
      if (data.size() != NodeId::kSize + 8) return BusError::kExtension;
      m.forgotten.push_back({name_at(data, 0), get<uint64_t>(data, NodeId::kSize)});
      return BusError::kNone;
    case kShard:
      if (data.size() != NodeId::kSize) return BusError::kExtension;
      m.shard = name_at(data, 0);
      return BusError::kNone;
    default: return BusError::kNone;  // of a later version: passed over
  }
}

BusError decode_extensions(Bytes frame, size_t& at, BusMessage& m) {
  if (!(m.message_flags & kMessageExtensions)) return BusError::kNone;
  for (size_t left = get<uint16_t>(frame, kExtensions); left; left--) {
    if (frame.size() - at < kExtensionHeader) return BusError::kExtension;
    size_t size = get<uint32_t>(frame, at);
    if (size < kExtensionHeader || size % 8 || size > frame.size() - at) return BusError::kExtension;
    BusError e = take_extension(get<uint16_t>(frame, at + 4), frame.substr(at + kExtensionHeader, size - kExtensionHeader), m);
    if (e != BusError::kNone) return e;
    at += size;
  }
  return BusError::kNone;
}

BusError decode_body(Bytes frame, BusMessage& m) {
  size_t at = kHeader, left = frame.size() - kHeader;
  switch (m.type) {
    case BusType::kPing:
    case BusType::kPong:
    case BusType::kMeet:
      if (BusError e = decode_gossip(frame, at, m); e != BusError::kNone) return e;
      if (BusError e = decode_extensions(frame, at, m); e != BusError::kNone) return e;
      return at == frame.size() ? BusError::kNone : BusError::kLength;
    case BusType::kFail:
      if (left != NodeId::kSize) return BusError::kLength;
      m.about = name_at(frame, at);
      return BusError::kNone;
    case BusType::kPublish:
    case BusType::kPublishShard: {
      if (left < 8) return BusError::kLength;
      uint64_t channel = get<uint32_t>(frame, at), payload = get<uint32_t>(frame, at + 4);
      if (channel + payload != left - 8) return BusError::kLength;
      m.channel = frame.substr(at + 8, channel);
      m.payload = frame.substr(at + 8 + channel);
      return BusError::kNone;
    }
    case BusType::kUpdate:
      if (left != kUpdateBytes) return BusError::kLength;
      m.about_epoch = get<uint64_t>(frame, at);
      m.about = name_at(frame, at + 8);
      m.about_slots.assign(frame.data() + at + 8 + NodeId::kSize);
      return BusError::kNone;
    case BusType::kAuthRequest:
    case BusType::kAuthAck:
    case BusType::kMfStart: return left ? BusError::kLength : BusError::kNone;
    case BusType::kModule: return BusError::kNone;  // there are no modules: whatever it says is ignored
  }
  return BusError::kUnknownType;
}

}  // namespace

Bytes bus_type_name(BusType type) {
  static constexpr Bytes kNames[kBusTypes] = {"ping",     "pong",   "meet",    "fail",   "publish",     "auth-req",
                                              "auth-ack", "update", "mfstart", "module", "publishshard"};
  auto i = static_cast<size_t>(type);
  return i < kBusTypes ? kNames[i] : Bytes("unknown");
}

Bytes bus_error_text(BusError error) {
  switch (error) {
    case BusError::kNone: return "well formed";
    case BusError::kTooShort: return "shorter than its header";
    case BusError::kVersion: return "of another version of the bus";
    case BusError::kUnknownType: return "of unknown type";
    case BusError::kLength: return "its length does not fit its content";
    case BusError::kExtension: return "a damaged extension";
    case BusError::kName: return "a name or an address that is none";
  }
  return "";
}

OwnedBytes encode(const BusMessage& m) {
  OwnedBytes b(kHeader, '\0');
  std::memcpy(b.data(), "RCmb", 4);
  put(b, kVersionAt, kVersion);
  put(b, kPort, m.port);
  put(b, kType, static_cast<uint16_t>(m.type));
  put(b, kCurrentEpoch, m.current_epoch);
  put(b, kConfigEpoch, m.config_epoch);
  put(b, kOffset, m.offset);
  put_text(b, kSender, m.sender.view(), NodeId::kSize);
  put_text(b, kSlotsAt, m.slots.bytes(), SlotSet::kBytes);
  put_text(b, kMaster, m.master.view(), NodeId::kSize);
  put_text(b, kIp, m.ip, kIpBytes - 1);
  put(b, kSecondPort, m.second_port);
  put(b, kClusterPort, m.cluster_port);
  put(b, kFlags, m.flags);
  b[kState] = m.cluster_ok ? 0 : 1;
  b[kMessageFlags] = static_cast<char>(m.message_flags & ~kMessageExtensions);
  add_body(b, m);
  put(b, kTotal, static_cast<uint32_t>(b.size()));
  return b;
}

BusError decode(Bytes frame, BusMessage& m) {
  if (frame.size() < kHeader) return BusError::kTooShort;
  if (get<uint16_t>(frame, kVersionAt) != kVersion) return BusError::kVersion;
  uint16_t type = get<uint16_t>(frame, kType);
  if (type >= kBusTypes) return BusError::kUnknownType;
  m = BusMessage();
  m.type = static_cast<BusType>(type);
  m.sender = name_at(frame, kSender);
  m.master = name_at(frame, kMaster);
  m.current_epoch = get<uint64_t>(frame, kCurrentEpoch);
  m.config_epoch = get<uint64_t>(frame, kConfigEpoch);
  m.offset = get<uint64_t>(frame, kOffset);
  m.slots.assign(frame.data() + kSlotsAt);
  m.ip = text_at(frame, kIp, kIpBytes);
  m.port = get<uint16_t>(frame, kPort);
  m.second_port = get<uint16_t>(frame, kSecondPort);
  m.cluster_port = get<uint16_t>(frame, kClusterPort);
  m.flags = get<uint16_t>(frame, kFlags);
  m.cluster_ok = frame[kState] == 0;
  m.message_flags = static_cast<uint8_t>(frame[kMessageFlags]);
  if (BusError e = decode_body(frame, m); e != BusError::kNone) return e;
  if (!words_and_names(m)) return BusError::kName;
  return BusError::kNone;
}

int frame_type(Bytes frame) { return get<uint16_t>(frame, kType); }

int64_t frame_size(Bytes start) {
  if (start.substr(0, 4) != Bytes("RCmb").substr(0, std::min<size_t>(start.size(), 4))) return -1;
  if (start.size() < kTotal + 4) return 0;
  size_t size = get<uint32_t>(start, kTotal);
  return size < kHeader || size > kLargest ? -1 : static_cast<int64_t>(size);
}

}  // namespace ringwood::cluster
