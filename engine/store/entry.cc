#include "engine/store/entry.h"

#include "engine/base/memory.h"
#include "engine/base/number.h"
#include "engine/store/object_free.h"
#include "engine/store/volatile_hash.h"

namespace ringwood {

Entry* Entry::make(Bytes key, Type type, Encoding encoding, unsigned layout, uint32_t value_size) {
  Entry* e = static_cast<Entry*>(memory::allocate(kKeyOffset[layout] + key.size() + value_size));
  e->key_size_ = static_cast<uint32_t>(key.size());
  e->value_size_ = static_cast<uint16_t>(value_size);
  e->epoch_ = 0;
  e->type_ = static_cast<unsigned>(type) & 7u;
  e->encoding_ = static_cast<unsigned>(encoding) & 3u;
  e->layout_ = layout & 3u;
  e->access_ = 0;
  if (layout & kHasNode) *e->node() = ExpiryNode{nullptr, nullptr, 0, 0};
  std::memcpy(const_cast<char*>(e->key_data()), key.data(), key.size());
  return e;
}

Entry* Entry::make_string(Bytes key, Bytes value, Encoding encoding, bool expiry) {
  if (value.size() <= kInlineMax) {
    Entry* e = make_string_space(key, static_cast<uint32_t>(value.size()), encoding, expiry);
    std::memcpy(e->value_data(), value.data(), value.size());
    return e;
  }
  size_t bytes = memory::good_size(sizeof(StringBlock) + value.size());
  auto* block = static_cast<StringBlock*>(memory::allocate(bytes));
  block->size = static_cast<uint32_t>(value.size());
  block->capacity = static_cast<uint32_t>(bytes - sizeof(StringBlock));
  std::memcpy(block->data(), value.data(), value.size());
  return make_object(key, Type::kString, Object(Encoding::kRaw, block), expiry);
}

Entry* Entry::make_string_space(Bytes key, uint32_t size, Encoding encoding, bool expiry) {
  return make(key, Type::kString, encoding, expiry ? kHasNode : 0, size);
}

Entry* Entry::make_int(Bytes key, int64_t value, bool expiry) {
  Entry* e = make(key, Type::kString, Encoding::kInt, expiry ? kHasNode : 0, sizeof value);
  e->set_int(value);
  return e;
}

Entry* Entry::make_object(Bytes key, Type type, Object object, bool expiry) {
  Entry* e = make(key, type, type == Type::kString ? Encoding::kRaw : Encoding::kInt, kHasObject | (expiry ? kHasNode : 0), 0);
  e->object() = object;
  if (type == Type::kHash && volatile_hash::is(object)) volatile_hash::head(object).entry = e;
  return e;
}

Entry* Entry::remake(Entry* e, Bytes key, bool expiry) {
  Entry* fresh = e->is_int()       ? make_int(key, e->int_value(), expiry)
                 : e->has_object() ? make_object(key, e->type(), e->object(), expiry)
                                   : make_string(key, e->string_bytes(), e->encoding(), expiry);
  fresh->set_access(e->access());
  fresh->set_epoch(e->epoch());
  if (expiry && e->has_node()) fresh->node()->when_ms = e->node()->when_ms;
  destroy_shell(e);
  return fresh;
}

Entry* Entry::duplicate(const Entry* e, Bytes key) {
  if (e->is_int()) return make_int(key, e->int_value(), false);
  if (e->type() == Type::kString) return make_string(key, e->string_bytes(), e->encoding(), false);
  return make_object(key, e->type(), duplicate_object(e->type(), e->object()), false);
}

void Entry::destroy(Entry* e) {
  if (e->has_object()) {
    if (e->type() == Type::kString)
      memory::release(e->object().as<StringBlock>());
    else
      free_object(e->type(), e->object());
  }
  destroy_shell(e);
}

void Entry::destroy_shell(Entry* e) { memory::release(e); }

Bytes Entry::string_view(char* scratch) const {
  if (!is_int()) return string_bytes();
  return {scratch, static_cast<size_t>(format_int64(scratch, int_value()) - scratch)};
}

size_t Entry::string_size() const {
  char scratch[24];
  return string_view(scratch).size();
}

size_t Entry::inline_capacity() const { return memory::usable(this) - kKeyOffset[layout_] - key_size_; }

size_t Entry::shell_memory() const { return memory::usable(this); }

}  // namespace ringwood
