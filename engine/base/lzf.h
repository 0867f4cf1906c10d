#pragma once
// LZF, the compression inside RDB files and of inner list nodes. The stream is a row of items, each led by a control byte:
//   000nnnnn                       n + 1 literal bytes follow
//   lllddddd dddddddd              l in 1..6: copy l + 2 bytes from d + 1 bytes back
//   111ddddd llllllll dddddddd     copy l + 9 bytes from d + 1 bytes back
// (public format of LibLZF by Marc Lehmann). Copies may overlap what they write.
#include "engine/base/bytes.h"

namespace ringwood::lzf {

// Both answer the number of bytes written, or 0: the room is too small, the input is empty, or (decompress) is no LZF stream. They never
// touch anything outside of the given ranges. RDB wants at least 4 bytes saved: give `room` as the input's size less 4.
size_t compress(Bytes in, char* out, size_t room);
size_t decompress(Bytes in, char* out, size_t room);

}  // namespace ringwood::lzf
