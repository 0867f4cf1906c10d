#include "engine/base/error_text.h"

#include <cstring>

namespace ringwood {

OwnedBytes error_text(int error) {
  char room[128];
  return strerror_r(error, room, sizeof room);  // the GNU form: answers the text, in `room` or elsewhere
}

}  // namespace ringwood
