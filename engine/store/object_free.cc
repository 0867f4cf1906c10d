#include "engine/store/object_free.h"
#include "engine/base/memory.h"
namespace ringwood {
void free_object(Type, Object o) { memory::release(o.as<void>()); }
}
