#include "net/slot_stream.h"

#include "engine/base/resp_command.h"

namespace ringwood {

std::vector<OwnedBytes> establish_words(const cluster::SlotMove& move) {
  std::vector<OwnedBytes> words = {"CLUSTER",
                                   "SYNCSLOTS",
                                   "ESTABLISH",
                                   "WIRE",
                                   OwnedBytes(kSlotWire),
                                   "SOURCE",
                                   OwnedBytes(move.source.view()),
                                   "NAME",
                                   OwnedBytes(move.name.view()),
                                   "SLOTSRANGE"};
  move.slots.for_each_range([&](int first, int last) {
    words.push_back(std::to_string(first));
    words.push_back(std::to_string(last));
  });
  return words;
}

void wrap_piece(OutBuffer& piece, bool more) {
  OwnedBytes head = "*5\r\n";
  put_bulk(head, "CLUSTER");
  put_bulk(head, "SYNCSLOTS");
  put_bulk(head, "SNAPSHOT");
  put_bulk(head, more ? "1" : "0");
  put_bulk_head(head, piece.size());
  piece.insert(0, head);
  piece.append("\r\n");
}

bool SlotWords::line(OwnedBytes& out) {
  const size_t end = bytes_.find("\r\n");
  if (end == OwnedBytes::npos) return false;
  out = bytes_.substr(0, end);
  bytes_.erase(0, end + 2);
  return true;
}

bool SlotWords::command(std::vector<OwnedBytes>& words) {
  ParseTarget to{args_, unquoted_, 1 << 20, true};
  const RequestParser::Status s = parser_.parse(bytes_, to);
  broken_ |= s == RequestParser::Status::kError;
  if (s != RequestParser::Status::kRequest) return false;
  words.assign(parser_.args().begin(), parser_.args().end());
  bytes_.erase(0, parser_.consumed());
  args_.reset();
  unquoted_.clear();
  return true;
}

}  // namespace ringwood
