#include "net/client_control.h"

#include "net/client_info.h"
#include "net/loop.h"

namespace ringwood {
namespace {

struct Closing final : Task {
  Loop* loop;
  ClientPredicate which;
};

void close_on(Loop& loop, const Client* except, const ClientPredicate& which) {
  for (Connection* c : loop.connections())
    if (c != except && which(*c)) loop.kill(*c);
}

}  // namespace

OwnedBytes Connections::describe(Client& client, int64_t now_ms) { return client_line(static_cast<Connection&>(client), now_ms, nullptr); }

void Connections::close(Executor& home, const Client& except, ClientPredicate which) {
  for (size_t i = 0; i < network_.loops.size(); i++) {
    Loop& loop = *network_.loops[i];
    if (&loop.executor() == &home) {
      close_on(loop, &except, which);
      continue;
    }
    auto* task = new Closing;
    task->loop = &loop;
    task->which = which;
    task->run = [](Task& t, Executor&) {
      auto& closing = static_cast<Closing&>(t);
      close_on(*closing.loop, nullptr, closing.which);
    };
    task->done = [](Task& t, Executor&) { delete static_cast<Closing*>(&t); };
    home.send_task(static_cast<int>(i), task);
  }
}

}  // namespace ringwood
