#include "net/direct_load.h"

#include <utility>

#include "engine/exec/control.h"

namespace ringwood {

void DirectLoad::start(Place place, bool in_parts) {
  place_ = place;
  in_parts_ = in_parts;
  whole_ = abandoned_ = over_ = false;
  early_.clear();
  early_bytes_ = 0;
  result_ = DataLoad::Result();
  state_ = State::kAsksToBegin;
  home_.with_all_shards(this);
}

void DirectLoad::append(Bytes image, int part) {
  if (state_ == State::kAsksToBegin) {
    if (early_.empty() || early_.back().first != part) early_.emplace_back(part, OwnedBytes());
    early_.back().second.append(image);
    early_bytes_ += image.size();
  } else if (state_ == State::kLoading && load_.active()) {
    load_.feed(image, part);
  }
}

void DirectLoad::finish() {
  whole_ = true;
  if (state_ == State::kLoading && load_.active()) load_.end_feed();
}

void DirectLoad::abandon() {
  if (whole_) return;  // nothing is missing
  abandoned_ = true;
  if (state_ == State::kLoading) load_.abandon("the master's link was lost");
}

void DirectLoad::run(Executor& home) { state_ == State::kAsksToBegin ? begin(home) : end(home); }

void DirectLoad::begin(Executor& home) {
  if (abandoned_ || load_.active()) {
    result_.error = abandoned_ ? "the master's link was lost" : "another data set is being loaded";
    over_ = true;
    return;
  }
  if (place_ == Place::kInUse) owner_.data_set_ends();
  state_ = State::kLoading;
  load_.start_fed(home, home.options().rdbchecksum, place_, in_parts_, done, this);
  for (const auto& [part, piece] : early_) load_.feed(piece, part);
  early_.clear();
  if (whole_) load_.end_feed();
}

void DirectLoad::done(void* context, const DataLoad::Result& result) {
  auto& self = *static_cast<DirectLoad*>(context);
  self.result_ = result;
  self.state_ = State::kAsksToEnd;
  self.home_.with_all_shards(&self);
}

void DirectLoad::end(Executor& home) {
  over_ = true;
  const bool good = result_.state == Loader::State::kLoaded;
  if (good && place_ != Place::kInUse) return put_into_use(home);
  if (good) return;
  for (Shard* s : home.engine().shards) {
    if (place_ != Place::kInUse) {
      s->drop_incoming();
      continue;
    }
    for (int i = 0; i < s->databases(); i++) s->database(i).clear();
  }
  if (place_ == Place::kInUse && home.engine().scripting) home.engine().scripting->drop_libraries();
}

void DirectLoad::put_into_use(Executor& home) {
  if (OwnedBytes wrong = swap_functions(home); !wrong.empty()) {
    result_.state = Loader::State::kFailed;
    result_.error = "a function library cannot be loaded: " + wrong;
    for (Shard* s : home.engine().shards) s->drop_incoming();
    return;
  }
  owner_.data_set_ends();
  persistence_.cancel_held(home);  // an image of what goes is of no use
  for (Shard* s : home.engine().shards) s->adopt_incoming();
}

// The new libraries for the old ones, or an error with the old ones in their place.
OwnedBytes DirectLoad::swap_functions(Executor& home) {
  ScriptingControl* scripting = home.engine().scripting;
  if (!scripting) return {};
  const std::vector<OwnedBytes> old = persistence_.functions();
  auto load = [&](const std::vector<OwnedBytes>& sources) {
    scripting->drop_libraries();
    OwnedBytes wrong;
    for (const OwnedBytes& source : sources)
      if (wrong.empty()) wrong = scripting->load_library(home, source, false);
    return wrong;
  };
  OwnedBytes wrong = load(result_.functions);
  if (!wrong.empty()) load(old);
  return wrong;
}

void DirectLoad::finished(Executor&) {
  if (!over_) return;
  state_ = State::kIdle;
  DataLoad::Result result = std::move(result_);
  owner_.loaded_directly(result);
}

}  // namespace ringwood
