#pragma once
// The end of the process by its operator's wish: an option says that it is to end rather than to go on with what has just happened
// (propagation-error-behavior, replica-ignore-disk-write-errors). What is a bug ends it elsewhere.
namespace ringwood {

struct Engine;

// Tells the log why, and ends: with status 1 where use-exit-on-panic says so, else by SIGABRT, which leaves a core. Nothing is saved. Any thread.
[[noreturn, gnu::format(printf, 2, 3)]] void panic(const Engine& engine, const char* format, ...);

}  // namespace ringwood
