#include "net/connection.h"

#include "net/socket.h"

namespace ringwood {

void QueryBuffer::reserve(size_t n) {
  size_t live = size();
  if (live + n <= capacity_ && begin_ >= live) {  // room in front, and moving is cheap
    std::memcpy(data_, data_ + begin_, live);
  } else {
    size_t want = memory::good_size(live + n);
    char* bigger = static_cast<char*>(memory::allocate(want));
    if (live) std::memcpy(bigger, data_ + begin_, live);
    memory::release(data_);
    data_ = bigger;
    capacity_ = memory::usable(data_);
  }
  begin_ = 0;
  end_ = live;
}

void QueryBuffer::tidy() {
  constexpr size_t kKeep = 1024;
  if (!empty()) return;
  begin_ = end_ = 0;
  if (capacity_ > kKeep) {
    memory::release(data_);
    data_ = nullptr;
    capacity_ = 0;
  }
}

const std::string& Connection::peer_address() {
  if (peer_.empty()) peer_ = unix_socket ? local_address() : socket_address(fd, SocketEnd::kPeer);
  return peer_;
}

const std::string& Connection::local_address() {
  if (local_.empty()) local_ = socket_address(fd, SocketEnd::kLocal);
  return local_;
}

}  // namespace ringwood
