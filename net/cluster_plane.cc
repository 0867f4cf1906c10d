#include "net/cluster_plane.h"

#include <algorithm>
#include <utility>

#include "cluster/nodes_conf.h"
#include "engine/exec/call.h"
#include "net/cluster_map.h"
#include "net/held_work.h"

namespace ringwood {

using cluster::ClusterMachine;
using cluster::LinkId;

namespace {
constexpr int64_t kTickMs = 100;
constexpr int kBusPortAbove = 10000;

int bus_port(const Options& o) { return o.cluster_port ? o.cluster_port : o.port + kBusPortAbove; }
}  // namespace

ClusterPlane::ClusterPlane(Engine& engine, Log& log, Network& network, Replication& replication)
    : engine_(engine),
      log_(log),
      network_(network),
      replication_(replication),
      random_(Random::from_system()),
      file_(log),
      migrations_(engine, network, static_cast<SlotMigrationsOwner&>(*this)),
      sweeper_([this](int slot) { return machine_->view().owner(slot) == &machine_->view().myself(); }) {}
ClusterPlane::~ClusterPlane() = default;

// --- the beginning

cluster::ClusterConfig ClusterPlane::config(const Options& o) const {
  cluster::ClusterConfig c;
  c.node_timeout_ms = o.cluster_node_timeout;
  c.ping_interval_ms = o.cluster_ping_interval;
  c.require_full_coverage = o.cluster_require_full_coverage;
  c.replica_validity_factor = o.cluster_replica_validity_factor;
  c.repl_ping_period_ms = o.repl_ping_replica_period * int64_t{1000};
  c.migration_barrier = static_cast<size_t>(o.cluster_migration_barrier);
  c.allow_replica_migration = o.cluster_allow_replica_migration;
  c.replica_no_failover = o.cluster_replica_no_failover;
  c.announced.ip = o.cluster_announce_ip;
  c.ip_announced = !o.cluster_announce_ip.empty();
  c.announced.port = static_cast<uint16_t>(o.cluster_announce_port ? o.cluster_announce_port : o.port);
  c.announced.second_port = static_cast<uint16_t>(o.cluster_announce_tls_port);
  c.announced.cluster_port = static_cast<uint16_t>(o.cluster_announce_bus_port ? o.cluster_announce_bus_port : bus_port(o));
  c.hostname = o.cluster_announce_hostname;
  c.human_name = o.cluster_announce_human_nodename;
  return c;
}

bool ClusterPlane::load(OptionsHolder& options) {
  const Options& o = options.get();
  if (bus_port(o) > 65535) {
    log_.write(LogLevel::kWarning, "Redis port number too high for cluster mode. Cluster bus port number must be lower than 65536");
    return false;
  }
  std::optional<OwnedBytes> text = file_.open(o.cluster_config_file);
  if (!text) return false;
  cluster::SavedCluster saved;
  if (!text->empty())
    if (OwnedBytes wrong = cluster::read_nodes_conf(*text, saved); !wrong.empty()) {
      log_.write(LogLevel::kWarning, "Unrecoverable error: corrupted cluster config file \"%s\": %s.", o.cluster_config_file.c_str(),
                 wrong.c_str());
      return false;
    }
  cluster::NodeId self = cluster::NodeId::random(random_), shard = cluster::NodeId::random(random_);
  for (const cluster::SavedNode& n : saved.nodes)
    if (n.flags & cluster::kNodeMyself) self = n.id;
  machine_ = std::make_unique<ClusterMachine>(config(o), self, shard, random_, now_ms());
  if (text->empty())
    log_.write(LogLevel::kNotice, "No cluster configuration found, I'm %.40s", self.text.data());
  else
    machine_->restore(saved, now_ms());
  // A replica is one from the first moment on: what has expired meanwhile is its master's to remove.
  const cluster::ClusterNode& me = machine_->view().myself();
  if (me.is_replica() && me.master && me.master->has_address()) {
    Options next = o;
    next.replicaof_host = me.master->address.ip;
    next.replicaof_port = me.master->address.port;
    options.publish(std::move(next));
  }
  maps_ = std::make_unique<SlotMaps>(make_slot_map(*machine_), static_cast<size_t>(engine_.mapping.shards));
  engine_.cluster = this;
  engine_.slot_maps = maps_.get();
  engine_.state.fetch_or(kStateCluster, std::memory_order_relaxed);
  return true;
}

bool ClusterPlane::listen(const Options& options) { return listen_bus(options, bus_port(options), log_, network_.listeners); }

void ClusterPlane::open(Loop& first, int process_id) {
  loop_ = &first;
  bus_ = std::make_unique<ClusterBus>(first, log_, static_cast<ClusterBusOwner&>(*this));
  for (auto& l : network_.listeners)
    if (l->bus) l->links = bus_.get();
  file_.attach(first.ring(), process_id);
  options_ = &first.executor().options();
  migrations_.open(first);
  collect();
}

// --- the turn

cluster::ReplicationState ClusterPlane::replication_state() const {
  cluster::ReplicationState r;
  ReplicationStatus s = replication_.status();
  // None while the data set comes anew: clients are not sent here, and another replica is the better heir.
  r.offset = s.replica && s.syncing ? 0 : static_cast<uint64_t>(s.offset);
  r.following = s.replica;
  r.connected = s.link == ReplicationStatus::Link::kConnected;
  r.last_contact_ms = s.master_io_ms;
  r.down_since_ms = s.down_since_ms;
  return r;
}

void ClusterPlane::turn(int64_t now) {
  if (!published_.empty()) deliver_published();
  migrations_.turn(now);
  if (now >= next_tick_ms_ && !engine_.debug.pause_cron.load(std::memory_order_relaxed)) tick(now);
  if (save_wanted_ && !file_.busy()) write_file();
}

// Messages for subscribers wait for the script's end, and so does what needs shards: a lease.
void ClusterPlane::turn_while_busy() {
  const int64_t now = now_ms();
  if (now >= next_tick_ms_) tick(now);
  if (save_wanted_ && !file_.busy()) write_file();
}

void ClusterPlane::tick(int64_t now) {
  next_tick_ms_ = now + kTickMs;
  take_options();
  machine_->set_replication(replication_state());
  machine_->tick(now);
  bus_->check_limit(options_->cluster_link_sendbuf_limit, now);
  links_.set(static_cast<int64_t>(bus_->count()));
  link_bytes_.set(static_cast<int64_t>(bus_->waiting_bytes()));
  save_wanted_ |= save_error_ && !file_.busy();  // once more
  collect();
}

void ClusterPlane::take_options() {
  const Options& o = engine_.options->get();
  if (&o == options_) return;
  options_ = &o;
  machine_->set_config(config(o), now_ms());
}

// --- what has happened, for the machine

void ClusterPlane::link_accepted(LinkId link, Bytes peer_ip) { machine_->link_accepted(link, peer_ip, now_ms()); }
void ClusterPlane::link_up(LinkId link) {
  machine_->link_up(link, now_ms());
  collect();
}
void ClusterPlane::link_down(LinkId link) {
  machine_->link_down(link, now_ms());
  collect();
}

void ClusterPlane::frame(LinkId link, Bytes bytes, Bytes own_ip, Bytes peer_ip) {
  if (int64_t dropped = dropped_type_.load(std::memory_order_relaxed);
      __builtin_expect(dropped >= 0, 0) && cluster::frame_type(bytes) == dropped)
    return;
  machine_->receive(link, bytes, own_ip, peer_ip, now_ms());
}

// --- what it wants done

void ClusterPlane::line_up(Output&& o) {
  if (o.kind == Output::Kind::kSlotMap)
    map_changed_ = true, migrations_.view_changed();
  else
    steps_.push_back({std::move(o), {}});
}

void ClusterPlane::collect() {
  for (Output& o : machine_->take_outputs()) line_up(std::move(o));
  if (map_changed_) publish_map();
  drain();
}

void ClusterPlane::claim(const cluster::SlotMove& move, uint64_t epoch, std::function<void(Executor&)> take) {
  collect();
  machine_->claim_granted(move.slots, epoch, now_ms());
  claims_.push_back(move);
  for (Output& o : machine_->take_outputs()) {
    const bool persists = o.kind == Output::Kind::kPersist;
    line_up(std::move(o));
    if (!persists) continue;
    steps_.push_back({{}, [this, name = move.name, take] {
                        taking_over_ = true;
                        with_all_shards([this, name, take](Executor& first) {
                          std::erase_if(claims_, [&](const cluster::SlotMove& c) { return c.name == name; });
                          take(first);
                          publish_map();
                          taking_over_ = false;
                          drain();
                        });
                      }});
  }
  drain();
}

void ClusterPlane::publish_map() {
  map_changed_ = false;
  maps_->publish(make_slot_map(*machine_, claims_));
  if (!loop_) return;
  loop_->executor().rouse_others();
  // Who waits for keys of slots that are another's now is sent there.
  for (size_t i = 0; i < engine_.executors.size(); i++) {
    auto* t = new Task;
    t->run = [](Task&, Executor& there) {
      there.redirect_waiters();
      there.look_at_channels();
      there.keep_served_slots();
    };
    t->done = [](Task& task, Executor&) { delete &task; };
    loop_->executor().send_task(static_cast<int>(i), t);
  }
}

void ClusterPlane::drain() {
  if (draining_ || !loop_) return;  // a step may close a link, which the machine is told of at once
  draining_ = true;
  while (!steps_.empty() && !held_back_ && !taking_over_) {
    Step s = std::move(steps_.front());
    steps_.pop_front();
    s.then ? s.then() : carry_out(s.output);
  }
  draining_ = false;
}

void ClusterPlane::carry_out(Output& o) {
  switch (o.kind) {
    case Output::Kind::kPersist:
      save_wanted_ = true;
      sync_wanted_ |= o.sync;
      held_back_ |= o.sync;
      return;
    case Output::Kind::kConnect:
      return bus_->connect(o.link, o.address.ip, o.address.cluster_port, loop_->executor().options().bind_source_addr);
    case Output::Kind::kClose: return bus_->close(o.link);
    case Output::Kind::kSend: return bus_->send(o.link, o.bytes);
    case Output::Kind::kSlotMap: return;
    case Output::Kind::kFollow: return follow(o.address);
    case Output::Kind::kStopFollowing: return stop_following();
    case Output::Kind::kPauseWrites: return pause_writes(o.until_ms);
    case Output::Kind::kResumeWrites: return loop_->end_pause(Network::Pause::kFailover);
    case Output::Kind::kDropSlots: return drop_slots(o.slots);
    case Output::Kind::kDropData: return drop_data();
    case Output::Kind::kPublish: return published_.push_back(std::move(o));
    case Output::Kind::kLog: return log_.write(o.level, "%s", o.text.c_str());
  }
}

// One write for all that has gathered: the file tells what the machine knows by now, so that whatever waits behind it to be written is in it too.
void ClusterPlane::write_file() {
  std::erase_if(steps_, [this](const Step& s) {
    if (s.then || s.output.kind != Output::Kind::kPersist) return false;
    sync_wanted_ |= s.output.sync;
    return true;
  });
  const bool durable = std::exchange(sync_wanted_, false);
  save_wanted_ = false;
  file_.write(machine_->nodes_conf(), durable, now_ms() / 1000, [this, durable](int error) {
    save_error_ = error;
    if (error) sync_wanted_ |= durable;
    if (!error && !save_wanted_) held_back_ = false;
    drain();
  });
}

void ClusterPlane::save() { save_wanted_ = sync_wanted_ = held_back_ = true; }

// --- with every shard held

void ClusterPlane::with_all_shards(std::function<void(Executor&)> work) { with_every_shard(loop_->executor(), std::move(work)); }

void ClusterPlane::follow(const cluster::Address& master) {
  with_all_shards([this, master](Executor& first) { replication_.become_replica(first, master.ip, master.port); });
}

void ClusterPlane::stop_following() {
  with_all_shards([this](Executor& first) { replication_.become_master(first); });
}

void ClusterPlane::drop_slots(const cluster::SlotSet& slots) { sweeper_.add(loop_->executor(), slots); }

void ClusterPlane::drop_data() {
  with_all_shards([](Executor& first) {
    for (Shard* s : first.engine().shards)
      for (int i = 0; i < s->databases(); i++) {
        s->database_emptied(i);
        s->database(i).clear();
      }
  });
}

// The replica is told of the pause when no write is on its way any more, so that it hears the offset that it must reach.
void ClusterPlane::pause_writes(int64_t until_ms) {
  network_.pause(Network::Pause::kFailover, until_ms, false);
  with_all_shards([this](Executor&) {
    machine_->set_replication(replication_state());
    machine_->writes_paused(now_ms());
    collect();
  });
}

size_t ClusterPlane::keys() const {
  size_t n = 0;
  for (const Shard* s : engine_.shards) n += const_cast<Shard*>(s)->database(0).size();
  return n;
}

// --- commands

// What an operator has asked, until it has been answered.
struct ClusterPlane::Question {
  ClusterRequest request;
  OwedReply owed{nullptr, 0};
  int home = 0, resp = 2;
  OutBuffer reply;
  OwnedBytes error;
};

void ClusterPlane::ask(Call& call, ClusterRequest request) {
  struct Errand final : Task {
    ClusterPlane* plane;
    std::shared_ptr<Question> question;
  };
  auto* e = new Errand;
  e->plane = this;
  e->question = std::make_shared<Question>();
  e->question->request = std::move(request);
  e->question->home = call.executor().self();
  e->question->resp = call.reply.resp();
  e->question->owed = call.executor().suspend(call);
  e->any_time = true;
  e->run = [](Task& t, Executor& first) { static_cast<Errand&>(t).plane->answer(static_cast<Errand&>(t).question, first); };
  e->done = [](Task& t, Executor&) { delete static_cast<Errand*>(&t); };
  call.executor().send_task(0, e);
}

void ClusterPlane::answer(const std::shared_ptr<Question>& q, Executor& first) {
  auto run = [this, q](Executor& here) {
    Reply reply(q->reply, q->resp);
    take_options();
    q->request.run(*machine_, here, reply, now_ms());
    if (reply.failed()) q->error = q->reply.view().substr(1, q->reply.size() - 3);
    collect();
  };
  if (!q->request.changes) {
    run(first);
    return send_home(q);
  }
  with_all_shards([this, q, run](Executor& here) {
    run(here);
    // The reply stands behind what the order has brought about, and behind its way to the file; orders that stand behind it in the pipeline need not, so that
    // one write serves many.
    steps_.push_back({{}, [this] { held_back_ |= save_wanted_ || file_.busy(); }});
    steps_.push_back({{}, [this, q] { send_home(q); }});
    drain();
    if (held_back_) send_task_home(q, [](Executor& home, Question& asked) { home.let_go_on(asked.owed); });
  });
}

void ClusterPlane::send_home(const std::shared_ptr<Question>& q) {
  send_task_home(q, [](Executor& home, Question& answered) {
    home.complete(answered.owed, [&](Reply& r) { answered.error.empty() ? r.raw(answered.reply.view()) : r.error(answered.error); });
  });
}

// `run` is called where the question came from.
void ClusterPlane::send_task_home(const std::shared_ptr<Question>& q, void (*run)(Executor& home, Question& question)) {
  struct Homecoming final : Task {
    std::shared_ptr<Question> question;
    void (*then)(Executor&, Question&);
  };
  auto* h = new Homecoming;
  h->question = q;
  h->then = run;
  h->any_time = true;
  h->run = [](Task& t, Executor& home) { static_cast<Homecoming&>(t).then(home, *static_cast<Homecoming&>(t).question); };
  h->done = [](Task& t, Executor&) { delete static_cast<Homecoming*>(&t); };
  loop_->executor().send_task(q->home, h);
}

void ClusterPlane::publish(Executor& here, Bytes channel, Bytes message, bool sharded) {
  struct Announcement final : Task {
    ClusterPlane* plane;
    OwnedBytes channel, message;
    bool sharded;
    int64_t memory;
  };
  auto* a = new Announcement;
  a->plane = this;
  a->channel = channel;
  a->message = message;
  a->sharded = sharded;
  a->any_time = true;
  a->memory = static_cast<int64_t>(channel.size() + message.size()) * (links_.get() / 2);
  announcing_.fetch_add(a->memory, std::memory_order_relaxed);
  a->run = [](Task& t, Executor&) {
    auto& x = static_cast<Announcement&>(t);
    x.plane->announcing_.fetch_sub(x.memory, std::memory_order_relaxed);
    x.plane->machine_->publish(x.channel, x.message, x.sharded, x.plane->now_ms());
    x.plane->collect();
  };
  a->done = [](Task& t, Executor&) { delete static_cast<Announcement*>(&t); };
  here.send_task(0, a);
}

void ClusterPlane::kill_links(Call& call, Bytes node, bool to, bool from) {
  ask(call, {[to, from, text = OwnedBytes(node)](ClusterMachine& m, Executor&, Reply& reply, int64_t now) {
        cluster::NodeId id;
        cluster::ClusterNode* n = cluster::NodeId::parse(text, id) ? m.find(id) : nullptr;
        if (!n) return reply.error("ERR Unknown node " + text);
        m.kill_links(*n, to, from, now);
        reply.ok();
      }});
}

// Who reads the registry of subscribers holds a shard.
void ClusterPlane::deliver_published() {
  if (loop_->executor().leased_out()) return;
  for (const Output& o : published_)
    loop_->executor().pushes().publish(o.sharded ? PubSub::Kind::kShardChannel : PubSub::Kind::kChannel, nullptr, o.text, o.bytes);
  published_.clear();
}

void ClusterPlane::describe_links(Reply& reply) {
  size_t mark = reply.begin(), n = 0;
  auto write = [&](LinkId id, const cluster::ClusterNode& node, const char* direction) {
    const ClusterBus::Link* l = bus_->find(id);
    if (!l) return;
    n++;
    reply.map(6);
    reply.bulk("direction"), reply.bulk(direction);
    reply.bulk("node"), reply.bulk(node.id.view());
    reply.bulk("create-time"), reply.integer(l->created_ms);
    reply.bulk("events"), reply.bulk(l->connection->output_bytes() ? "rw" : "r");
    reply.bulk("send-buffer-allocated"),
        reply.integer(static_cast<int64_t>(l->connection->out.capacity() + l->connection->in_flight.capacity()));
    reply.bulk("send-buffer-used"), reply.integer(static_cast<int64_t>(l->connection->output_bytes()));
  };
  for (const cluster::ClusterNode* node : machine_->view().nodes()) {
    write(node->link, *node, "to");
    write(node->inbound, *node, "from");
  }
  reply.end_array(mark, n);
}

}  // namespace ringwood
