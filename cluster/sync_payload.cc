#include "cluster/sync_payload.h"

#include "cluster/stream_frame.h"
#include "engine/base/number.h"

namespace ringwood {

void SyncPayload::read_header(Bytes& in) {
  size_t end = in.find('\n');
  line_.append(in.substr(0, end));
  if (end == Bytes::npos) {
    in = {};
    if (line_.size() > kLongestHeader) state_ = State::kFailed, error_ = line_;
    return;
  }
  in.remove_prefix(end + 1);
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  OwnedBytes line;
  line.swap(line_);
  if (line.empty()) return;
  if (line.size() == 5 + kMark && line.compare(0, 5, "$EOF:") == 0) {
    mark_ = line.substr(5);
    state_ = State::kImage;
    return;
  }
  if (line == kFramesPayload) {
    framed_ = true;
    state_ = State::kImage;
    return;
  }
  if (line[0] == '$' && parse_int64(Bytes(line).substr(1), length_) && length_ >= 0) {
    left_ = length_;
    state_ = State::kImage;
    return;
  }
  length_ = -1;
  error_ = line;
  state_ = State::kFailed;
}

}  // namespace ringwood
