#pragma once
// Slots that move as one, in whole clusters and virtual time: the production machines of both ends (cluster/slot_export.h, cluster/slot_import.h) beside those
// of the nodes, a stream between them that delays and breaks, and clients that write all the while wherever they are let. What a node has acknowledged is on
// its disk (appendfsync always), as are the keys that it has taken of an import. The part of the carriers (net/slot_exporter.h, net/slot_importer.h) is here.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cluster/slot_export.h"
#include "cluster/slot_import.h"
#include "tests/sim/cluster_sim.h"

namespace ringwood::cluster {

class SlotMoveSim : public ClusterSim {
 public:
  SlotMoveSim(uint64_t seed, int64_t node_timeout_ms) : ClusterSim(seed, node_timeout_ms), timeout_(node_timeout_ms) {}

  // So many masters without replicas, each with `keys` slots that clients write to.
  void start(size_t masters, int keys);
  // Goes on for so long, a millisecond at a time. Ends early with a fault.
  void live(int64_t ms);
  // Some of the slots of `from` shall go to `to`. False when it has none that are free to go.
  bool move(size_t from, size_t to);
  // The last move, as its source knows it; none when the source has died, or there never was one.
  const SlotExport* last_export() const { return moves_.empty() || !moves_.back()->out ? nullptr : &*moves_.back()->out; }
  size_t last_source() const { return moves_.back()->source; }
  size_t last_target() const { return moves_.back()->target; }
  bool cancel_last() { return moves_.back()->out && moves_.back()->out->cancel(clock(moves_.back()->source)); }
  void die(size_t node, bool sent_arrives);
  void come_back(size_t node);
  // The stream of each move that is under way breaks.
  void cut_streams();
  // What is on its way over them takes that much longer, as when a packet is lost and said again.
  void delay_streams(int64_t ms);
  // All moves are over, every node serves what it owns, every slot is served by one, with the last value that was acknowledged. Empty, or what is wrong.
  std::string unrest() const;
  // Writes that were acknowledged by a node which others did not hear, and whose slot was given to another for that: Redis's own bargain.
  uint64_t excused() const { return excused_; }
  uint64_t writes() const { return value_; }
  size_t succeeded() const { return succeeded_; }
  size_t failed() const { return failed_; }
  // Clients ask these nodes alone; all where it is empty.
  std::set<size_t> reachable;

 private:
  struct Word {
    enum class Kind : uint8_t { kEstablish, kPiece, kImageOver, kSign, kGranted, kAnswer, kAck, kGivenUp } kind;
    int slot = 0;
    uint64_t number = 0;  // a value, an epoch, bytes
    OwnedBytes text;
  };
  struct Pipe {
    std::vector<std::pair<int64_t, Word>> words;  // with the time at which each arrives
    int64_t last_ms = 0;
  };
  struct Move {
    SlotMove what;
    size_t source, target;
    std::optional<SlotExport> out;  // dies with the source
    std::optional<SlotImport> in;
    Pipe there, back;
    int64_t dialled_ms = 0;  // when the target picks up
    int64_t broken_ms = 0;   // when the end that does not know learns that the stream is broken
    bool connected = false;
    int64_t settled_ms = 0, check_ms = 0, image_ms = 0;
    bool image_taken = false, image_said = false;
    std::vector<Word> image, tail;
    uint64_t sent = 0, granted = 0;
    bool holds_writes = false;
    std::map<int, uint64_t> hidden;  // at the target
    bool claims = false;             // which has taken the slots, but not yet on its disk
  };
  struct Written {
    uint64_t value = 0;
    size_t node = 0;
    int64_t at = 0;
  };

  void lost_slots(size_t node, const SlotSet& slots) override;
  void step();
  void write();
  bool serves(size_t node, int slot) const;
  void out_orders(Move& m);
  void in_orders(Move& m);
  void hear_at_target(Move& m, const Word& w);
  void hear_at_source(Move& m, const Word& w);
  void say(Move& m, Pipe& pipe, Word w);
  void hang_up(Move& m);
  void pump(Move& m);
  void look_at_view(Move& m);
  bool everything_out(const Move& m) const { return m.image_said && m.tail.empty(); }
  std::string establish(Move& m);
  void settle_claim(Move& m);
  void drop_in(Move& m);
  bool lonely(size_t node) const;

  const int64_t timeout_;
  std::vector<std::map<int, uint64_t>> data_;               // by node: what stands on its disk and is seen
  std::vector<std::vector<std::map<int, uint64_t>>> left_;  // by node: hidden databases of imports that nobody knows any more
  std::vector<std::unique_ptr<Move>> moves_;
  std::vector<int> slots_;  // that clients write to
  std::map<int, Written> acknowledged_;
  std::vector<int64_t> lonely_ms_;  // when the node was last without a majority that it hears and that hears it
  uint64_t value_ = 0, excused_ = 0;
  size_t succeeded_ = 0, failed_ = 0;
};

}  // namespace ringwood::cluster
