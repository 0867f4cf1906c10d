#include "engine/commands/script/scripting.h"

#include <algorithm>

#include "engine/base/sha1.h"
#include "engine/commands/script/flags.h"
#include "engine/exec/executor.h"
#include "engine/exec/gates.h"

namespace ringwood {

Scripting::Scripting(Engine& engine, int threads, uint64_t random_seed) : engine_(engine), libraries_(std::make_shared<LibrarySet>()) {
  Random random(random_seed);
  for (int i = 0; i < threads; i++) threads_.push_back(std::make_unique<ScriptThread>(random.next()));
  engine.scripting = this;
}

Scripting::~Scripting() = default;

// --- scripts

std::shared_ptr<const Script> Scripting::find(Bytes sha) const {
  std::lock_guard lock(scripts_mutex_);
  auto it = scripts_.find(OwnedBytes(sha));
  return it == scripts_.end() ? nullptr : it->second;
}

std::shared_ptr<const Script> Scripting::add(std::shared_ptr<Script> script) {
  std::lock_guard lock(scripts_mutex_);
  auto [it, added] = scripts_.try_emplace(script->sha, script);
  if (added) script_bytes_ += sizeof(Script) + script->body.capacity() + 2 * script->sha.capacity();
  return it->second;
}

void Scripting::drop_scripts() {
  for (auto& t : threads_) t->drop_scripts();
  std::lock_guard lock(scripts_mutex_);
  scripts_.clear();
  script_bytes_ = 0;
}

// --- libraries

std::shared_ptr<const LibrarySet> Scripting::libraries() const {
  std::lock_guard lock(libraries_mutex_);
  return libraries_;
}

void Scripting::publish(std::shared_ptr<const LibrarySet> set) {
  {
    std::lock_guard lock(libraries_mutex_);
    libraries_ = std::move(set);
    version_.fetch_add(1, std::memory_order_release);
  }
  if (engine_.reload) engine_.reload->functions_changed(library_sources());
}

std::vector<OwnedBytes> Scripting::library_sources() const {
  std::vector<OwnedBytes> sources;
  for (const auto& l : libraries()->libraries) sources.push_back(l->source);
  return sources;
}

OwnedBytes Scripting::load_library(Executor& here, Bytes source, bool replace) {
  auto set = std::make_shared<LibrarySet>(*libraries());
  OwnedBytes wrong = add_library(here, *set, source, replace, false, nullptr);
  if (wrong.empty()) publish(std::move(set));
  return wrong;
}

uint32_t Scripting::flags_of(const Command& command, std::span<const Bytes> args) const {
  uint32_t flags = kScriptPlain;
  if (command.full_name.starts_with("fcall")) {
    std::shared_ptr<const LibrarySet> set = libraries();
    if (const LibrarySet::Place* place = set->find(args[1])) flags = place->library->functions[place->function].flags;
  } else if (command.full_name.starts_with("evalsha")) {
    OwnedBytes sha(args[1]);
    for (char& c : sha)
      if (c >= 'A' && c <= 'F') c = static_cast<char>(c | 0x20);
    if (std::shared_ptr<const Script> script = find(sha)) flags = script->flags;
  } else {
    size_t code_at;
    if (!read_shebang(args[1], flags, code_at).empty()) flags = kScriptPlain;
  }
  return flags;
}

ScriptingControl::Writes Scripting::declared_writes(const Command& command, std::span<const Bytes> args) {
  const uint32_t flags = flags_of(command, args);
  return flags & kScriptPlain ? Writes::kUnsaid : flags & kScriptNoWrites ? Writes::kNo : Writes::kYes;
}

uint32_t Scripting::refused_in(const Command& command, std::span<const Bytes> args) {
  const uint32_t flags = flags_of(command, args);
  return flags & kScriptPlain ? 0 : states_refused(flags);
}

void Scripting::drop_libraries() {
  publish(std::make_shared<LibrarySet>());
  for (auto& t : threads_) t->drop_libraries();
}

OwnedBytes Scripting::add_library(Executor& here, LibrarySet& set, Bytes source, bool replace, bool limited, OwnedBytes* name) {
  LibraryHeader header;
  if (OwnedBytes wrong = read_library_header(source, header); !wrong.empty()) return wrong;
  if (!is_library_name(header.name)) return kBadLibraryName;
  if (!Call::is_word(header.engine, "lua")) return "Engine '" + header.engine + "' not found";
  std::shared_ptr<const Library> old = set.library(header.name);
  if (old && !replace) return "Library '" + header.name + "' already exists";
  OwnedBytes error;
  std::shared_ptr<Library> fresh = thread(here).load(here, source, limited, error);
  if (!fresh) return error;
  if (fresh->functions.empty()) return "No functions registered";
  if (old) set.remove(header.name);
  if (const Function* f = set.clash(*fresh)) {
    OwnedBytes text = "Function " + f->name + " already exists";
    if (old) set.add(old);
    return text;
  }
  if (name) *name = header.name;
  set.add(std::move(fresh));
  return {};
}

ScriptingControl::Figures Scripting::figures() const {
  Figures f;
  for (const auto& t : threads_) f.eval_memory += t->eval_memory(), f.function_memory += t->function_memory();
  {
    std::lock_guard lock(scripts_mutex_);
    f.scripts = scripts_.size();
    f.script_memory = script_bytes_ + scripts_.size() * (sizeof(std::shared_ptr<Script>) + sizeof(OwnedBytes) + 2 * sizeof(void*));
  }
  std::shared_ptr<const LibrarySet> set = libraries();
  f.libraries = set->libraries.size();
  f.functions = set->functions.size();
  f.library_memory = set->memory();
  return f;
}

// --- scripts that take long

// The bits of Engine::state, from what the threads' scripts are now.
void Scripting::refresh_state() {
  uint32_t bits = 0;
  for (const auto& t : threads_)
    if (t->running.busy) bits |= t->running.eval ? kStateBusyScript : kStateBusyFunction;
  engine_.state.fetch_and(~(kStateBusy & ~bits), std::memory_order_acq_rel);
  engine_.state.fetch_or(bits, std::memory_order_acq_rel);
}

void Scripting::busy(Call& call, Bytes name, bool eval, int64_t begun_ms) {
  std::lock_guard lock(busy_mutex_);
  RunningScript& r = thread(call.executor()).running;
  r.busy = true;
  r.eval = eval;
  r.name = name;
  r.command.assign(call.args().begin(), call.args().end());
  r.begun_ms = begun_ms;
  refresh_state();
}

void Scripting::no_longer_busy(const Executor& executor) {
  std::lock_guard lock(busy_mutex_);
  thread(executor).running.busy = false;
  refresh_state();
}

void Scripting::kill(Reply& reply, bool eval) {
  std::lock_guard lock(busy_mutex_);
  bool killed = false, written = false, other = false;
  for (auto& t : threads_) {
    RunningScript& r = t->running;
    if (!r.busy) continue;
    int state = r.state.load(std::memory_order_acquire);
    if (state == RunningScript::kDirty) {
      written = true;
    } else if (r.eval != eval) {
      other = true;
    } else {
      int clean = RunningScript::kClean;
      bool now_killed = r.state.compare_exchange_strong(clean, RunningScript::kKilled, std::memory_order_acq_rel);
      now_killed || clean == RunningScript::kKilled ? killed = true : written = true;
    }
  }
  if (killed) return reply.ok();
  if (written)
    return reply.error(
        "UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or "
        "kill the server in a hard way using the SHUTDOWN NOSAVE command.");
  if (other) return void(admit_states(engine_, eval ? kStateBusyFunction : kStateBusyScript, engine_.options->get(), reply));
  reply.error("NOTBUSY No scripts in execution right now.");
}

void Scripting::describe_running(Call& call) {
  std::lock_guard lock(busy_mutex_);
  Reply& reply = call.reply;
  const RunningScript* running = nullptr;
  for (const auto& t : threads_) {
    if (!t->running.busy) continue;
    if (t->running.eval) return void(admit_states(engine_, kStateBusyScript, engine_.options->get(), reply));
    running = &t->running;
  }
  reply.map(2);
  reply.bulk("running_script");
  if (!running) {
    reply.null();
  } else {
    reply.map(3);
    reply.bulk("name");
    reply.bulk(running->name);
    reply.bulk("command");
    reply.array(running->command.size());
    for (const OwnedBytes& word : running->command) reply.bulk(word);
    reply.bulk("duration_ms");
    reply.integer(engine_.clock->monotonic_us() / 1000 - running->begun_ms);
  }
  std::shared_ptr<const LibrarySet> set = libraries();
  reply.bulk("engines");
  reply.map(1);
  reply.bulk("LUA");
  reply.map(2);
  reply.bulk("libraries_count");
  reply.integer(static_cast<int64_t>(set->libraries.size()));
  reply.bulk("functions_count");
  reply.integer(static_cast<int64_t>(set->functions.size()));
}

// --- one thread

Interpreter& ScriptThread::eval(Executor& here) {
  if (!eval_) eval_ = std::make_unique<Interpreter>(here, Interpreter::Kind::kEval, seed_);
  return *eval_;
}

Interpreter& ScriptThread::functions(Executor& here) {
  if (!functions_) functions_ = std::make_unique<Interpreter>(here, Interpreter::Kind::kFunctions, ~seed_);
  return *functions_;
}

void ScriptThread::note_memory() {
  if (eval_) eval_memory_.set(static_cast<int64_t>(eval_->memory()));
  if (functions_) function_memory_.set(static_cast<int64_t>(functions_->memory()));
}

void ScriptThread::drop_scripts() {
  bodies_.clear();
  compiled_.clear();
  eval_.reset();
  eval_memory_.set(0);
}

void ScriptThread::drop_libraries() {
  loaded_.clear();
  set_.reset();
  set_version_ = 0;
  functions_.reset();
  function_memory_.set(0);
}

const ScriptThread::Compiled* ScriptThread::compile(Executor& here, const std::shared_ptr<const Script>& script, OwnedBytes& error) {
  int reference = eval(here).compile(Bytes(script->body).substr(script->code_at), "@user_script", error);
  if (reference == LUA_NOREF) {
    error = "Error compiling script (new function): " + error;
    return nullptr;
  }
  const Compiled& c = compiled_[script->sha] = {script, reference};
  bodies_[hash_bytes(script->body)] = &c;
  return &c;
}

const ScriptThread::Compiled* ScriptThread::by_body(Scripting& scripting, Executor& here, Bytes body, OwnedBytes& error) {
  auto known = bodies_.find(hash_bytes(body));
  if (__builtin_expect(known != bodies_.end() && known->second->script->body == body, 1)) return known->second;
  OwnedBytes sha = sha1_hex(body);
  if (const Compiled* c = by_sha(scripting, here, sha)) return c;
  auto script = std::make_shared<Script>();
  script->sha = sha;
  script->body = body;
  if (error = read_shebang(body, script->flags, script->code_at); !error.empty()) return nullptr;
  const Compiled* c = compile(here, script, error);
  if (c) scripting.add(std::move(script));
  return c;
}

const ScriptThread::Compiled* ScriptThread::by_sha(Scripting& scripting, Executor& here, Bytes sha) {
  auto known = compiled_.find(sha);
  if (__builtin_expect(known != compiled_.end(), 1)) return &known->second;
  std::shared_ptr<const Script> script = scripting.find(sha);
  if (!script) return nullptr;
  OwnedBytes error;
  return compile(here, script, error);  // another thread has compiled it, so there is no error
}

const LibrarySet& ScriptThread::libraries(const Scripting& scripting) {
  if (uint64_t version = scripting.libraries_version(); version != set_version_) {
    set_version_ = version;
    set_ = scripting.libraries();
    std::erase_if(loaded_, [this](auto& l) {
      if (set_->library(l.second.library->name) == l.second.library) return false;
      for (int callback : l.second.callbacks) functions_->forget(callback);
      return true;
    });
  }
  return *set_;
}

bool ScriptThread::run(Executor& here, const Library& library, bool limited, LibraryLoad& load, OwnedBytes& error) {
  Interpreter& interpreter = functions(here);
  load.limited = limited;
  int chunk = interpreter.compile(Bytes(library.source).substr(library.code_at), "@user_function", error);
  if (chunk == LUA_NOREF) {
    error = "Error compiling function: " + error;
    return false;
  }
  bool ran = interpreter.run_library(chunk, load, error);
  interpreter.forget(chunk);
  if (ran) return true;
  error = "Error registering functions: " + error;
  for (const LibraryLoad::Registered& r : load.functions) interpreter.forget(r.callback);
  return false;
}

std::shared_ptr<Library> ScriptThread::load(Executor& here, Bytes source, bool limited, OwnedBytes& error) {
  LibraryHeader header;
  read_library_header(source, header);
  auto library = std::make_shared<Library>();
  library->name = header.name;
  library->source = source;
  library->code_at = header.code_at;
  LibraryLoad load;
  if (!run(here, *library, limited, load, error)) return nullptr;
  Loaded& loaded = loaded_[library.get()];
  loaded.library = library;
  for (LibraryLoad::Registered& r : load.functions) {
    library->functions.push_back(std::move(r.function));
    loaded.callbacks.push_back(r.callback);
  }
  set_version_ = 0;  // the next call looks whether it has become one of the set
  note_memory();
  return library;
}

int ScriptThread::callback(Executor& here, const LibrarySet::Place& place, OwnedBytes& error) {
  auto it = loaded_.find(place.library);
  if (__builtin_expect(it == loaded_.end(), 0)) {
    LibraryLoad load;
    if (!run(here, *place.library, false, load, error)) return LUA_NOREF;
    Loaded loaded{set_->library(place.library->name), std::vector<int>(place.library->functions.size(), LUA_NOREF)};
    // Should the code register others than it did at first (it could ask for the time), the names decide.
    for (const LibraryLoad::Registered& r : load.functions)
      for (size_t i = 0; i < loaded.callbacks.size(); i++)
        if (place.library->functions[i].name == r.function.name) loaded.callbacks[i] = r.callback;
    it = loaded_.emplace(place.library, std::move(loaded)).first;
  }
  int reference = it->second.callbacks[place.function];
  if (reference == LUA_NOREF) error = "Function not found";
  return reference;
}

}  // namespace ringwood
