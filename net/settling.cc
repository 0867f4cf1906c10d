#include "net/settling.h"

namespace ringwood {

struct Settling::Visit final : Task {
  Settling* owner;
  uint64_t number;
};

void Settling::begin(Executor& home) {
  number_++;
  rounds_left_ = kRounds;
  visit_all(home);
}

void Settling::visit_all(Executor& home) {
  out_ = home.engine().executors.size();
  for (size_t i = 0; i < home.engine().executors.size(); i++) {
    auto* t = new Visit;
    t->owner = this;
    t->number = number_;
    t->run = [](Task&, Executor&) {};
    t->done = [](Task& task, Executor& here) {
      auto& v = static_cast<Visit&>(task);
      Settling& s = *v.owner;
      bool last = v.number == s.number_ && --s.out_ == 0;
      delete &v;
      if (last && --s.rounds_left_) s.visit_all(here);
    };
    home.send_task(static_cast<int>(i), t);
  }
}

}  // namespace ringwood
