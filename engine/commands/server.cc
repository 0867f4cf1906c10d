// Commands about the server as a whole that need no file of their own: TIME, LOLWUT, SHUTDOWN.
#include "engine/commands/families.h"
#include "engine/commands/info_parts.h"
#include "engine/exec/call.h"
#include "engine/exec/control.h"
#include "engine/exec/engine.h"
#include "engine/exec/executor.h"
#include "engine/exec/gates.h"

namespace ringwood {
namespace {

void time(Call& c) {
  // Redis reads the clock anew for this one; so do we: it is asked to compare clocks.
  // In a script time stands still.
  int64_t us = c.executor().in_script() ? c.now_us() : c.engine().clock->unix_us();
  c.reply.array(2);
  c.reply.bulk_int(us / 1000000);
  c.reply.bulk_int(us % 1000000);
}

// Rings of a tree that has grown as many years as the version says, each as wide as chance made it; and the version, which monitoring looks for.
OwnedBytes rings(int64_t years, Random& random) {
  constexpr int kHeight = 15, kWidth = 41;
  int64_t count = years < 1 ? 5 : years > 9 ? 9 : years;
  double edge[10] = {0};
  for (int64_t i = 1; i <= count; i++) edge[i] = edge[i - 1] + 0.6 + random.real() * 0.8;
  OwnedBytes out;
  for (int y = 0; y < kHeight; y++) {
    for (int x = 0; x < kWidth; x++) {
      double dx = (2.0 * x - kWidth + 1) / kWidth, dy = (2.0 * y - kHeight + 1) / kHeight;
      double r2 = (dx * dx + dy * dy) * edge[count] * edge[count];
      int64_t ring = 0;
      while (ring < count && r2 > edge[ring + 1] * edge[ring + 1]) ring++;
      out += r2 > edge[count] * edge[count] ? ' ' : ".:o"[ring % 3];
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    out += '\n';
  }
  return out;
}

void lolwut(Call& c) {
  int64_t version = 7;
  if (c.argc() >= 3 && Call::is_word(c.arg(1), "version") && !c.to_int(c.arg(2), version)) return;
  OwnedBytes text = rings(version, c.random());
  c.reply.verbatim(text.append("\nRedis ver. ").append(kRedisVersion).append(" (Ringwood ").append(kRingwoodVersion).append(")\n"), "txt");
}

// The words of SHUTDOWN; false when they do not go together.
bool shutdown_words(std::span<const Bytes> words, uint32_t& flags, bool& abort) {
  for (Bytes w : words) {
    if (Call::is_word(w, "nosave"))
      flags |= kShutdownNosave;
    else if (Call::is_word(w, "save"))
      flags |= kShutdownSave;
    else if (Call::is_word(w, "now"))
      flags |= kShutdownNow;
    else if (Call::is_word(w, "force"))
      flags |= kShutdownForce;
    else if (Call::is_word(w, "abort"))
      abort = true;
    else
      return false;
  }
  return !(abort && flags) && !((flags & kShutdownSave) && (flags & kShutdownNosave));
}

void shutdown(Call& c) {
  uint32_t flags = 0;
  bool abort = false;
  if (!shutdown_words(c.args().subspan(1), flags, abort)) return c.reply.syntax_error();
  ProcessControl* process = c.engine().process;
  if (abort) {
    if (!process || !process->abort_shutdown(c)) return c.reply.error("ERR No shutdown in progress.");
    return c.reply.ok();
  }
  // While a script runs there is no moment at which the data could be saved.
  uint32_t busy = c.engine().state.load(std::memory_order_relaxed) & kStateBusy;
  if (!(flags & kShutdownNosave) && !admit_states(c.engine(), busy, c.options(), c.reply)) return;
  if (!process) return c.reply.error("ERR Errors trying to SHUTDOWN. Check logs.");
  process->shutdown(c, flags);
}

constexpr const char* kShutdownHistory[] = {"7.0.0|Knows NOW, FORCE and ABORT."};

constexpr CommandSpec kCommands[] = {
    {.name = "lolwut",
     .arity = -1,
     .flags = kReadOnly | kFast,
     .route = Route::kHere,
     .run = lolwut,
     .group = Group::kServer,
     .since = "5.0.0",
     .complexity = "O(1)",
     .summary = "Answers a picture and the version.",
     .syntax = "[VERSION version:integer]"},
    {.name = "shutdown",
     .arity = -1,
     .flags = kAdmin | kNoScript | kLoading | kStale | kNoMulti | kSentinel | kAllowBusy,
     .route = Route::kHere,
     .run = shutdown,
     .may_suspend = true,
     .group = Group::kServer,
     .since = "1.0.0",
     .complexity = "O(N) when saving, where N is the number of all keys, otherwise O(1)",
     .summary = "Saves where it is asked to, and ends the server.",
     .syntax = "[save-selector=NOSAVE|SAVE] [NOW] [FORCE] [ABORT]",
     .history = kShutdownHistory},
    {.name = "time",
     .arity = 1,
     .flags = kLoading | kStale | kFast,
     .route = Route::kHere,
     .run = time,
     .group = Group::kServer,
     .since = "2.6.0",
     .complexity = "O(1)",
     .summary = "Answers the server's time.",
     .tips = "nondeterministic_output"},
};

}  // namespace

std::span<const CommandSpec> server_commands() { return kCommands; }

}  // namespace ringwood
