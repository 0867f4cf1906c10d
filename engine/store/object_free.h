#pragma once
#include "engine/store/object.h"
namespace ringwood {
void free_object(Type t, Object o);
}
