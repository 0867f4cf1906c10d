#include "tools/import/file_target.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "engine/base/conf_file.h"
#include "engine/base/crc.h"
#include "engine/base/error_text.h"
#include "tools/files/source.h"

namespace ringwood {
namespace {

constexpr size_t kPiece = 1 << 20;

bool write_all(int fd, Bytes bytes, off_t at) {
  while (!bytes.empty()) {
    ssize_t n = pwrite(fd, bytes.data(), bytes.size(), at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
    at += n;
  }
  return true;
}

}  // namespace

FileTarget::~FileTarget() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(temporary_.c_str());
}

bool FileTarget::fail(const char* what) {
  error_ = OwnedBytes(what) + ": " + error_text(errno);
  return false;
}

bool FileTarget::open(int64_t now_ms) {
  if (access(path_.c_str(), F_OK) == 0) {
    error_ = path_ + " is there already, and is left alone";
    return false;
  }
  fd_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd_ < 0) return fail(temporary_.c_str());
  rdb::put_aux(out_, "redis-ver", Bytes(kCompatibleRedisVersion));
  rdb::put_aux(out_, "redis-bits", 64);
  rdb::put_aux(out_, "ctime", now_ms / 1000);
  return true;
}

// The header's version is known last: it is written at the end, and the checksum put together.
bool FileTarget::flush() {
  sum_ = crc64(sum_, out_.view());
  if (!write_all(fd_, out_.view(), static_cast<off_t>(rdb::kHeaderBytes + behind_header_))) return fail(temporary_.c_str());
  behind_header_ += out_.size();
  out_.clear();
  out_.shrink(4 * kPiece);
  return true;
}

bool FileTarget::key(const rdb::LoadedKey& key) {
  if (key.database != database_) rdb::put_select(out_, database_ = key.database);
  version_ = std::max(version_, rdb::version_needed(*key.entry));
  rdb::WriteOptions options = write_;
  options.version = std::max(options.version, rdb::version_needed(*key.entry));
  rdb::put_key(out_, *key.entry, key.idle_seconds, key.frequency, options);
  return out_.size() < kPiece || flush();
}

bool FileTarget::function(Bytes source) {
  rdb::put_function(out_, source, write_);
  return true;
}

bool FileTarget::command(std::span<const Bytes>, int) {
  error_ = "a command cannot stand in an RDB file";
  return false;
}

bool FileTarget::finish() {
  rdb::put_end(out_);
  if (!flush()) return false;
  OutBuffer header;
  rdb::WriteOptions options = write_;
  options.version = version_;
  rdb::put_header(header, options);
  uint64_t sum = crc64_join(crc64(0, header.view()), sum_, behind_header_);
  Bytes tail(reinterpret_cast<const char*>(&sum), sizeof sum);
  if (!write_all(fd_, header.view(), 0) || !write_all(fd_, tail, static_cast<off_t>(rdb::kHeaderBytes + behind_header_)) || fsync(fd_) != 0)
    return fail(temporary_.c_str());
  if (rename(temporary_.c_str(), path_.c_str()) != 0) return fail(path_.c_str());
  close(fd_);
  fd_ = -1;
  return true;
}

}  // namespace ringwood
