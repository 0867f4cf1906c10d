#include "persist/function_dump.h"

#include <algorithm>

#include "engine/base/number.h"
#include "persist/dump.h"
#include "persist/rdb_decode.h"

namespace ringwood {

void make_function_dump(OutBuffer& out, std::span<const OwnedBytes> sources, const rdb::WriteOptions& wanted) {
  rdb::WriteOptions options = wanted;
  options.version = std::max(options.version, rdb::kFirstWithListpacks);  // the first that knows of functions
  size_t start = out.size();
  for (const OwnedBytes& source : sources) rdb::put_function(out, source, options);
  put_dump_footer(out, start, options.version);
}

OwnedBytes read_function_dump(Bytes payload, std::vector<OwnedBytes>& sources) {
  if (!dump_footer_fits(payload)) return "DUMP payload version or checksum are wrong";
  rdb::Input in(payload.substr(0, payload.size() - rdb::kDumpFooterBytes));
  rdb::StringDecoder decoder;
  while (in.left()) {
    uint8_t opcode;
    rdb::take_byte(in, opcode);
    if (opcode == rdb::kOpFunctionPreGa) return "Pre-GA function format not supported";
    if (opcode != rdb::kOpFunction2) return "given type is not a function";
    rdb::StringDecoder::Text source;
    if (decoder.take(in, source) != rdb::Step::kDone) return "failed loading the given functions payload";
    char room[kMaxIntChars];
    sources.emplace_back(source.view(room));
  }
  return {};
}

}  // namespace ringwood
