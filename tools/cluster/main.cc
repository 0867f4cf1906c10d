// ringwood-cluster: the command line.
#include <CLI/CLI.hpp>
#include <cstdlib>

#include "tools/cluster/actions.h"

namespace {

using namespace ringwood;
using namespace ringwood::cluster_tool;

struct Line {
  Common common;
  std::string node;
  MoveOptions move;
  bool no_progress = false;
};

void add_node_argument(CLI::App& app, Line& line) { app.add_option("node", line.node, "host:port of any node of the cluster")->required(); }

void add_plan_flags(CLI::App& app, Line& line) {
  app.add_flag("--yes,-y", line.common.yes, "Do it without asking");
  app.add_flag("--dry-run", line.common.dry_run, "Show the plan and do nothing");
}

void add_move_options(CLI::App& app, Line& line) {
  app.add_option("--pipeline", line.move.keys_at_once, "Keys in one MIGRATE")->check(CLI::Range(1, 100000))->capture_default_str();
  app.add_option("--migrate-timeout", line.move.migrate_timeout_ms, "Milliseconds without progress after which MIGRATE gives up")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--key-by-key", line.move.key_by_key, "By MIGRATE, also where both nodes can move slots as one");
  app.add_flag("--replace", line.move.replace, "A key that stands at both ends is taken from the source");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Makes, watches and rearranges clusters of Ringwood and Redis nodes.", "ringwood-cluster");
  app.set_version_flag("--version", RINGWOOD_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  Line line;
  if (const char* password = std::getenv("REDISCLI_AUTH")) line.common.who.password = password;
  app.add_option("--user", line.common.who.user, "Log in as this user");
  app.add_option("--pass,-a", line.common.who.password, "Password (or REDISCLI_AUTH in the environment)");
  app.add_option("--timeout", line.common.timeout_ms, "Milliseconds to wait for a node")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_flag("--no-progress", line.no_progress, "No progress bar");

  CreateOptions made;
  CLI::App* create_app = app.add_subcommand("create", "Make a cluster of empty nodes");
  create_app->add_option("nodes", made.nodes, "host:port of each node")->required();
  create_app->add_option("--replicas", made.replicas, "Replicas of each master")->capture_default_str();
  add_plan_flags(*create_app, line);

  CheckOptions checked;
  CLI::App* check_app = app.add_subcommand(
      "check", "Look at every slot, every node's view, half-done migrations and replicas; exit status 1 if anything is wrong");
  add_node_argument(*check_app, line);
  check_app->add_option("--lag", checked.lag, "Bytes that a replica may be behind")->capture_default_str();
  check_app->add_flag("--map", checked.map, "Show the map of slots too");

  CLI::App* map_app = app.add_subcommand("map", "Show who owns which slots");
  add_node_argument(*map_app, line);

  CLI::App* fix_app = app.add_subcommand("fix", "Finish or undo half-done migrations, give slots without an owner to one");
  add_node_argument(*fix_app, line);
  add_plan_flags(*fix_app, line);
  add_move_options(*fix_app, line);

  ReshardOptions resharded;
  CLI::App* reshard_app = app.add_subcommand("reshard", "Move a number of slots to one master");
  add_node_argument(*reshard_app, line);
  reshard_app->add_option("--from", resharded.from, "Masters that give, by id or host:port; 'all' by default")->delimiter(',');
  reshard_app->add_option("--to", resharded.to, "The master that gets them, by id or host:port")->required();
  reshard_app->add_option("--slots", resharded.slots, "How many")->required()->check(CLI::Range(1, 16384));
  add_plan_flags(*reshard_app, line);
  add_move_options(*reshard_app, line);

  RebalanceOptions balanced;
  CLI::App* rebalance_app = app.add_subcommand("rebalance", "Even out the masters' shares");
  add_node_argument(*rebalance_app, line);
  rebalance_app->add_option("--weight", balanced.weights, "NODE=WEIGHT, by id or host:port; 0 empties a master")->delimiter(',');
  rebalance_app->add_option("--by", balanced.by, "What is evened out")
      ->check(CLI::IsMember({"slots", "keys", "bytes"}))
      ->capture_default_str();
  rebalance_app->add_option("--threshold", balanced.threshold, "Per cent of its share that a master may be off")->capture_default_str();
  rebalance_app->add_flag("--use-empty-masters", balanced.empty_masters, "Masters without slots get their share");
  add_plan_flags(*rebalance_app, line);
  add_move_options(*rebalance_app, line);

  AddOptions added;
  CLI::App* add_app = app.add_subcommand("add-node", "Let an empty node join");
  add_app->add_option("new", added.node, "host:port of the new node")->required();
  add_node_argument(*add_app, line);
  add_app->add_flag("--replica", added.replica, "As a replica of the master that has the fewest");
  add_app->add_option("--replica-of", added.master, "As a replica of this master, by id or host:port");
  add_plan_flags(*add_app, line);

  std::string leaving;
  CLI::App* del_app = app.add_subcommand("del-node", "Take a node without slots out of the cluster");
  add_node_argument(*del_app, line);
  del_app->add_option("leaving", leaving, "The node that leaves, by id or host:port")->required();
  add_plan_flags(*del_app, line);

  CallOptions called;
  CLI::App* call_app = app.add_subcommand("call", "Run a command on all masters, or all nodes; those that answer alike stand together");
  add_node_argument(*call_app, line);
  call_app->add_flag("--all", called.all_nodes, "On replicas too");
  call_app->add_option("command", called.words, "The command; behind '--' where a word of it begins with '-'")->required();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) ? 2 : 0;
  }
  line.common.progress = !line.no_progress;
  resharded.move = balanced.move = line.move;
  added.replica |= !added.master.empty();
  Session session(line.common);
  if (*create_app) return create(session, made);
  Endpoint any;
  if (!client::parse_endpoint(line.node, "127.0.0.1", any)) {
    complain(line.node + " is no host:port");
    return 2;
  }
  if (*check_app) return check(session, any, checked);
  if (*map_app) return show_map(session, any);
  if (*fix_app) return fix(session, any, line.move);
  if (*reshard_app) return reshard(session, any, resharded);
  if (*rebalance_app) return rebalance(session, any, balanced);
  if (*add_app) return add_node(session, any, added);
  if (*del_app) return del_node(session, any, leaving);
  return call(session, any, called);
}
