#pragma once
// The payload of a full sync as a pure machine: finds where the RDB image begins and ends in what the master sends. Three forms:
//
//   "$<length>\r\n" and that many bytes              (the master had a file)
//   "$EOF:<40 characters>\r\n", bytes, the 40 again  (it does not know the length; nothing follows until the replica has answered)
//   "$FRAMES\r\n", frames                           (cluster/stream_frame.h, which tells where it ends: framed(), and image_ended() says so)
//
// Empty lines before any of them keep the link alive while the master prepares.
#include <algorithm>
#include <cstdint>

#include "engine/base/bytes.h"

namespace ringwood {

class SyncPayload {
 public:
  enum class State : uint8_t { kHeader, kImage, kEnd, kFailed };

  // Takes what it can use of `in` and drops it from there; what belongs to the image is handed to take(Bytes), in pieces. Stops behind the image's end: what
  // is left is the stream.
  template <class F>
  State feed(Bytes& in, F&& take) {
    while (state_ == State::kHeader && !in.empty()) read_header(in);
    if (state_ == State::kImage && left_ >= 0) {
      Bytes image = in.substr(0, static_cast<size_t>(std::min<int64_t>(left_, static_cast<int64_t>(in.size()))));
      if (!image.empty()) take(image);
      in.remove_prefix(image.size());
      left_ -= static_cast<int64_t>(image.size());
      bytes_ += static_cast<int64_t>(image.size());
      if (left_ == 0) state_ = State::kEnd;
    } else if (state_ == State::kImage && !framed_) {
      feed_marked(in, take);
    }
    return state_;
  }
  State state() const { return state_; }
  // The image comes in frames: feed() leaves them where they are, and hears of them by these two.
  bool framed() const { return framed_; }
  void image_came(size_t n) { bytes_ += static_cast<int64_t>(n); }
  void image_ended() { state_ = State::kEnd; }
  // Of the image; -1: the master does not say.
  int64_t length() const { return length_; }
  int64_t bytes() const { return bytes_; }  // handed on
  // The line that was no header, or the master's error.
  const OwnedBytes& error() const { return error_; }

 private:
  static constexpr size_t kMark = 40;
  static constexpr size_t kLongestHeader = 1024;
  void read_header(Bytes& in);

  // The last 40 bytes are held back: they may be the mark.
  template <class F>
  void feed_marked(Bytes& in, F&& take) {
    if (in.size() >= kMark) {
      if (!held_.empty()) give(held_, take);
      give(in.substr(0, in.size() - kMark), take);
      held_ = in.substr(in.size() - kMark);
    } else {
      held_.append(in);
      if (held_.size() > kMark) {
        give(Bytes(held_).substr(0, held_.size() - kMark), take);
        held_.erase(0, held_.size() - kMark);
      }
    }
    in = {};
    if (held_ == mark_) state_ = State::kEnd;
  }
  template <class F>
  void give(Bytes image, F&& take) {
    if (image.empty()) return;
    bytes_ += static_cast<int64_t>(image.size());
    take(image);
  }

  State state_ = State::kHeader;
  bool framed_ = false;
  OwnedBytes line_, mark_, held_, error_;
  int64_t length_ = -1, left_ = -1, bytes_ = 0;
};

}  // namespace ringwood
