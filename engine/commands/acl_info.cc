#include "engine/commands/acl_info.h"

#include "engine/exec/acl.h"
#include "engine/exec/engine.h"
#include "engine/exec/tracking.h"

namespace ringwood {
namespace {

void write_refusals(InfoText& out, const InfoContext& context, void*) {
  const AclLog& log = context.engine.acl->log;
  out.field("acl_access_denied_auth", log.refused(AclReason::kAuth));
  out.field("acl_access_denied_cmd", log.refused(AclReason::kCommand));
  out.field("acl_access_denied_key", log.refused(AclReason::kKey));
  out.field("acl_access_denied_channel", log.refused(AclReason::kChannel));
}

void write_tracking(InfoText& out, const InfoContext& context, void*) {
  int64_t keys = 0, items = 0;
  for (const Shard* s : context.engine.shards) {
    keys += s->tracked.keys.get();
    items += s->tracked.items.get();
  }
  out.field("tracking_total_keys", keys);
  out.field("tracking_total_items", items);
  out.field("tracking_total_prefixes", static_cast<uint64_t>(context.engine.tracking->prefixes().size()));
}

void reset_refusals(const InfoContext& context, void*) { context.engine.acl->log.reset_counters(); }

}  // namespace

void add_acl_info(InfoRegistry& registry) {
  registry.add({"stats", write_tracking});
  registry.add({"stats", write_refusals, reset_refusals});
}

}  // namespace ringwood
