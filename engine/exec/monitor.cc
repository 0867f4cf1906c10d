#include "engine/exec/monitor.h"

#include <cstdio>

#include "engine/exec/executor.h"
#include "engine/exec/pubsub.h"
#include "engine/exec/redact.h"

namespace ringwood {
namespace {

void tell_threads(Executor& home) {
  bool any = home.engine().pubsub->monitors().subscribers > 0;
  for (Executor* e : home.engine().executors) e->set_observed(Executor::kMonitored, any);
}

// As a string in C (Redis: sdscatrepr).
void append_quoted(OwnedBytes& out, Bytes arg) {
  constexpr const char* kHex = "0123456789abcdef";
  out += '"';
  for (char ch : arg) {
    auto byte = static_cast<unsigned char>(ch);
    switch (ch) {
      case '\\':
      case '"': out.append("\\") += ch; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      case '\a': out += "\\a"; break;
      case '\b': out += "\\b"; break;
      default:
        if (byte >= 0x20 && byte < 0x7f) {
          out += ch;
        } else {
          out += "\\x";
          out += kHex[byte >> 4];
          out += kHex[byte & 15];
        }
    }
  }
  out += '"';
}

OwnedBytes address_of(Client& client) {
  OwnedBytes address = client.address();
  if (address.starts_with('/')) address = "unix:" + address.substr(0, address.rfind(':'));
  return address;
}

template <class F>
void show(Executor& home, Client& client, std::span<const Bytes> args, int database, bool from_script, F&& secret) {
  if (home.engine().state.load(std::memory_order_relaxed) & kStateLoading) return;
  int64_t us = home.engine().clock->unix_us();
  char head[64];
  int n = std::snprintf(head, sizeof head, "+%lld.%06lld [%d ", static_cast<long long>(us / 1000000), static_cast<long long>(us % 1000000),
                        database);
  OwnedBytes line(head, static_cast<size_t>(n));
  line.append(from_script ? OwnedBytes("lua") : address_of(client)).append("]");
  for (size_t i = 0; i < args.size(); i++) {
    line += ' ';
    append_quoted(line, secret(i) ? kRedacted : args[i]);
  }
  line += "\r\n";
  home.pushes().monitor_line(&client, line);
}

}  // namespace

void start_monitoring(Client& client, Executor& home) {
  home.engine().pubsub->add_monitor(client, home.self());
  tell_threads(home);
}

void stop_monitoring(Client& client, Executor& home) {
  if (!client.monitor) return;
  home.engine().pubsub->remove_monitor(client, home.self());
  tell_threads(home);
}

void show_to_monitors(Executor& home, Client& client, const Command& command, std::span<const Bytes> args, int database, bool from_script) {
  if (!(command.flags & (kSkipMonitor | kAdmin)))
    show(home, client, args, database, from_script, [&](size_t i) { return is_secret(command, args, i); });
}

void show_script_to_monitors(Executor& home, Client& client, std::span<const Bytes> args, int database) {
  show(home, client, args, database, false, [](size_t) { return false; });
}

}  // namespace ringwood
