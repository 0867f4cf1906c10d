#include "net/client_tracking.h"

#include <algorithm>

#include "engine/exec/call.h"
#include "engine/exec/executor.h"
#include "engine/exec/tracking.h"
#include "net/connection.h"
#include "net/loop.h"

namespace ringwood {
namespace {

bool overlap(Bytes a, Bytes b) { return a.starts_with(b) || b.starts_with(a); }

// Two prefixes of one client must not mean the same key. False when they do, which has been replied.
bool prefixes_apart(Call& c, const TrackingOptions& o) {
  const TrackedClient* now = c.client()->tracking;
  auto refuse = [&](const OwnedBytes& prefix, const char* with, const OwnedBytes& other) {
    c.reply.error("ERR Prefix '" + prefix + "' overlaps with " + with + " prefix '" + other +
                  "'. Prefixes for a single client must not overlap.");
    return false;
  };
  for (size_t i = 0; i < o.prefixes.size(); i++) {
    if (now)
      for (const OwnedBytes& old : now->prefixes)
        if (overlap(old, o.prefixes[i])) return refuse(o.prefixes[i], "an existing", old);
    for (size_t j = i + 1; j < o.prefixes.size(); j++)
      if (overlap(o.prefixes[i], o.prefixes[j])) return refuse(o.prefixes[i], "another provided", o.prefixes[j]);
  }
  return true;
}

// False after an error.
bool read_options(Call& c, TrackingOptions& o) {
  for (size_t i = 3; i < c.argc(); i++) {
    Bytes word = c.arg(i);
    bool more = i + 1 < c.argc();
    if (Call::is_word(word, "redirect") && more) {
      if (o.redirect) return c.reply.error("ERR A client can only redirect to a single other client"), false;
      int64_t id;
      if (!c.to_int(c.arg(++i), id)) return false;
      if (id <= 0) return c.reply.error("ERR The client ID you want redirect to does not exist"), false;
      o.redirect = static_cast<uint64_t>(id);
    } else if (Call::is_word(word, "bcast")) {
      o.broadcast = true;
    } else if (Call::is_word(word, "optin")) {
      o.opt_in = true;
    } else if (Call::is_word(word, "optout")) {
      o.opt_out = true;
    } else if (Call::is_word(word, "noloop")) {
      o.no_loop = true;
    } else if (Call::is_word(word, "prefix") && more) {
      o.prefixes.emplace_back(c.arg(++i));
    } else {
      return c.reply.syntax_error(), false;
    }
  }
  return true;
}

// Whether the options go together, and with those that are in force. False after an error.
bool options_fit(Call& c, const TrackingOptions& o) {
  const TrackedClient* now = c.client()->tracking;
  auto refuse = [&](const char* text) { return c.reply.error(text), false; };
  if (!o.broadcast && !o.prefixes.empty()) return refuse("ERR PREFIX option requires BCAST mode to be enabled");
  if (now && now->options.broadcast != o.broadcast)
    return refuse(
        "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.");
  if (o.broadcast && (o.opt_in || o.opt_out)) return refuse("ERR OPTIN and OPTOUT are not compatible with BCAST");
  if (o.opt_in && o.opt_out) return refuse("ERR You can't specify both OPTIN mode and OPTOUT mode");
  if (now && ((o.opt_in && now->options.opt_out) || (o.opt_out && now->options.opt_in)))
    return refuse(
        "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.");
  return prefixes_apart(c, o);
}

void switch_on(Executor& home, Client& client, TrackingOptions options) {
  home.tracking().know(client);
  home.engine().tracking->enable(home.engine(), client, home.self(), std::move(options));
}

// Looks for the client that is redirected to on all threads, where it is made known, and then switches tracking on (or off) under a lease of all shards.
struct Redirecting final : LeaseJob {
  struct Part : Task {
    Redirecting* whole = nullptr;
    Loop* loop = nullptr;
    bool found = false;
  };
  Client* client;
  OwedReply owed{nullptr, 0};
  TrackingOptions options;
  std::vector<Part> parts;
  size_t outstanding = 0;
  bool on, found = false;

  static bool look(Loop& loop, uint64_t id) {
    for (Connection* c : loop.connections()) {
      if (c->id != id || c->dying) continue;
      loop.executor().tracking().know(*c);
      return true;
    }
    return false;
  }
  void note(int thread, bool there) {
    if (!there) return;
    found = true;
    options.redirect_home = thread;
  }
  void looked_everywhere(Executor& home) {
    if (found) return home.with_all_shards(this);
    home.complete(owed, [](Reply& r) { r.error("ERR The client ID you want redirect to does not exist"); });
    delete this;
  }
  void run(Executor& home) override {
    if (client->closing) return;
    if (on)
      switch_on(home, *client, std::move(options));
    else
      home.engine().tracking->disable(home.engine(), *client);
  }
  void finished(Executor& home) override {
    home.complete(owed, [](Reply& r) { r.ok(); });
    delete this;
  }
};

void redirect(Call& c, bool on, TrackingOptions options) {
  auto* job = new Redirecting;
  job->client = c.client();
  job->on = on;
  job->options = std::move(options);
  job->owed = c.executor().suspend(c);
  const auto& loops = static_cast<Connection*>(c.client())->loop.network().loops;
  int here = c.executor().self();
  bool nobody = !job->options.redirect;  // the word was a prefix
  job->note(here, nobody || Redirecting::look(*loops[static_cast<size_t>(here)], job->options.redirect));
  if (job->found || loops.size() == 1) return job->looked_everywhere(c.executor());
  job->outstanding = loops.size() - 1;
  job->parts.resize(job->outstanding);
  size_t next = 0;
  for (size_t i = 0; i < loops.size(); i++) {
    if (static_cast<int>(i) == here) continue;
    Redirecting::Part& p = job->parts[next++];
    p.whole = job;
    p.loop = loops[i].get();
    p.run = [](Task& t, Executor&) {
      auto& part = static_cast<Redirecting::Part&>(t);
      part.found = Redirecting::look(*part.loop, part.whole->options.redirect);
    };
    p.done = [](Task& t, Executor& home) {
      auto& part = static_cast<Redirecting::Part&>(t);
      Redirecting& whole = *part.whole;
      whole.note(part.loop->executor().self(), part.found);
      if (--whole.outstanding == 0) whole.looked_everywhere(home);
    };
    c.executor().send_task(static_cast<int>(i), &p);
  }
}

}  // namespace

bool tracking_without_redirect(std::span<const Bytes> args) {
  return std::none_of(args.begin(), args.end(), [](Bytes a) { return Call::is_word(a, "redirect"); });
}

void client_tracking(Call& c) {
  TrackingOptions o;
  if (!read_options(c, o)) return;
  bool on = Call::is_word(c.arg(2), "on");
  if (!on && !Call::is_word(c.arg(2), "off")) return c.reply.syntax_error();
  if (on && !options_fit(c, o)) return;
  if (!tracking_without_redirect(c.args())) return redirect(c, on, std::move(o));
  if (on)
    switch_on(c.executor(), *c.client(), std::move(o));
  else
    c.engine().tracking->disable(c.engine(), *c.client());
  c.reply.ok();
}

void client_caching(Call& c) {
  Client& client = *c.client();
  if (!client.tracking)
    return c.reply.error("ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled");
  const TrackingOptions& o = client.tracking->options;
  bool yes = Call::is_word(c.arg(2), "yes");
  if (!yes && !Call::is_word(c.arg(2), "no")) return c.reply.syntax_error();
  if (yes && !o.opt_in) return c.reply.error("ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.");
  if (!yes && !o.opt_out) return c.reply.error("ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.");
  client.set_caching(yes ? Client::Caching::kYes : Client::Caching::kNo);
  c.reply.ok();
}

void client_getredir(Call& c) {
  const TrackedClient* t = c.client()->tracking;
  c.reply.integer(t ? static_cast<int64_t>(t->options.redirect) : -1);
}

void client_trackinginfo(Call& c) {
  const Client& client = *c.client();
  const TrackedClient* t = client.tracking;
  std::vector<Bytes> flags = {t ? "on" : "off"};
  if (t) {
    const TrackingOptions& o = t->options;
    bool given = client.caching != Client::Caching::kNotGiven;
    if (o.broadcast) flags.emplace_back("bcast");
    if (o.opt_in) flags.emplace_back("optin");
    if (o.opt_in && given) flags.emplace_back("caching-yes");
    if (o.opt_out) flags.emplace_back("optout");
    if (o.opt_out && given) flags.emplace_back("caching-no");
    if (o.no_loop) flags.emplace_back("noloop");
    if (client.redirect_broken) flags.emplace_back("broken_redirect");
  }
  c.reply.map(3);
  c.reply.bulk("flags");
  c.reply.set(flags.size());
  for (Bytes f : flags) c.reply.bulk(f);
  c.reply.bulk("redirect");
  c.reply.integer(t ? static_cast<int64_t>(t->options.redirect) : -1);
  c.reply.bulk("prefixes");
  c.reply.array(t ? t->prefixes.size() : 0);
  if (t)
    for (const OwnedBytes& prefix : t->prefixes) c.reply.bulk(prefix);
}

}  // namespace ringwood
