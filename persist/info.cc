#include "persist/info.h"

#include "engine/exec/engine.h"
#include "engine/exec/executor.h"
#include "persist/append_only.h"
#include "persist/data_load.h"
#include "persist/persistence.h"

namespace ringwood {
namespace {

void loading_fields(InfoText& out, const InfoContext& context, const DataLoad::Figures& f) {
  int64_t total = f.total, loaded = f.loaded, start = f.start_s;
  int64_t elapsed = context.here.now_ms() / 1000 - start;
  double percent = total ? 100.0 * static_cast<double>(loaded) / static_cast<double>(total) : 0;
  out.field("loading_start_time", start);
  out.field("loading_total_bytes", total);
  out.field("loading_rdb_used_mem", int64_t{0});
  out.field("loading_loaded_bytes", loaded);
  out.field("loading_loaded_perc", percent, 2);
  out.field("loading_eta_seconds", loaded ? elapsed * (total - loaded) / loaded : int64_t{1});
}

void write(InfoText& out, const InfoContext& context, void* self) {
  const auto& what = *static_cast<PersistenceInfo*>(self);
  const Persistence& p = *what.persistence;
  bool loading = context.engine.state.load(std::memory_order_relaxed) & kStateLoading;
  int64_t now_s = context.here.now_ms() / 1000;
  out.field("loading", loading ? 1 : 0);
  bool serving = context.engine.state.load(std::memory_order_relaxed) & kStateAsyncLoading;
  out.field("async_loading", serving ? 1 : 0);
  const Snapshots& snapshots = p.snapshots();
  int64_t done = snapshots.keys_done(), all = snapshots.keys_in_all();
  int64_t copied = snapshots.busy() ? snapshots.pre_image_bytes() : 0;
  out.field("current_cow_peak", copied);
  out.field("current_cow_size", copied);
  out.field("current_cow_size_age", 0);
  out.field("current_fork_perc", all ? 100.0 * static_cast<double>(done) / static_cast<double>(all) : 0.0, 2);
  out.field("current_save_keys_processed", done);
  out.field("current_save_keys_total", all);
  out.field("rdb_changes_since_last_save", p.changes_since_save());
  out.field("rdb_bgsave_in_progress", p.saving_in_background() || snapshots.for_replicas.load(std::memory_order_relaxed) ? 1 : 0);
  out.field("rdb_last_save_time", p.last_save_s());
  out.field("rdb_last_bgsave_status", p.last_ok() ? "ok" : "err");
  out.field("rdb_last_bgsave_time_sec", p.last_seconds());
  out.field("rdb_current_bgsave_time_sec", p.saving_in_background() ? now_s - p.started_s() : int64_t{-1});
  out.field("rdb_saves", p.saves());
  out.field("rdb_last_cow_size", p.last_pre_image_bytes());
  out.field("rdb_last_load_keys_expired", what.load->figures().last_expired.load());
  out.field("rdb_last_load_keys_loaded", what.load->figures().last_keys.load());
  if (const AppendOnly* a = context.engine.append_only) a->write_info(out, now_s);
  out.field("module_fork_in_progress", 0);
  out.field("module_fork_last_cow_size", 0);
  const AppendOnly* aof = context.engine.append_only;
  if (loading || serving) loading_fields(out, context, aof && aof->loading() ? aof->figures() : what.load->figures());
}

void reset(const InfoContext& context, void*) {
  if (context.engine.append_only) context.engine.append_only->reset_info();
}

}  // namespace

void add_persistence_info(InfoRegistry& registry, PersistenceInfo& what) {
  registry.add({.section = "persistence", .write = write, .reset = reset, .self = &what});
}

}  // namespace ringwood
