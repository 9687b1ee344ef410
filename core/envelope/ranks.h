// SPDX-License-Identifier: MIT
// In: architecture, bytes of the states, activations, layout. Out: what a GPU of each pipeline
// stage holds at each moment of a training step, and the peak. All GPUs of a stage are alike.
// Neglected: uneven load of experts; fragmentation, which is one share of what is allocated.
#pragma once

#include <array>
#include <string_view>

#include "envelope/activations.h"
#include "envelope/memory.h"

namespace envelope {

/// Moments of a step at which the live tensors differ.
enum class Moment : unsigned char { start, forward, loss, backward, update };
inline constexpr int kMoments = 5;

/// How the GPUs are arranged. Whole numbers.
struct Ways {
  double tp = 1, pp = 1, cp = 1, ep = 1, etp = 1, dp = 1;
  double shard = 1;         ///< Ranks that share the dense states.
  double expert_shard = 1;  ///< Ranks that share the states of an expert.
  double micro_batches = 1;
  bool gathers = false;  ///< Layers are shared (ZeRO-3), and gathered to work.

  double gpus() const { return tp * pp * cp * dp; }
};

/// What the GPUs of one pipeline rank work on.
struct Stage {
  double index = 0;
  bool first = false, last = false;  ///< It has the embedding; the head.
  double layers = 0, attention_layers = 0, linear_layers = 0, dense_layers = 0,
         moe_layers = 0;                        ///< Whose weights it holds.
  double mtp = 0;                               ///< Multi-token-prediction modules it trains.
  double kept_layers = 0, kept_moe_layers = 0;  ///< Layers times micro-batches in flight.
};

/// Bytes on one GPU, by what they are.
struct Parts {
  double weights = 0, gradients = 0, master = 0, optimizer = 0, activations = 0, working = 0,
         logits = 0, gathered = 0;
  double sum() const {
    return weights + gradients + master + optimizer + activations + working + logits + gathered;
  }
};

struct RankMemory {
  Stage stage;
  Moment moment = Moment::start;  ///< When it holds most.
  Parts parts;                    ///< Then.
  double allocated = 0;           ///< Their sum.
};

/// Inputs that only say who holds the states and who waits elsewhere. The constructor of Ranks, its
/// stages and their tensors, and the work of a step (step.h) do not read them; a test holds it.
inline constexpr std::string_view kSharing[] = {"cluster.zero",
                                                "cluster.shard",
                                                "cluster.reshard",
                                                "cluster.prefetch",
                                                "cluster.reduce",
                                                "cluster.offload_weights",
                                                "cluster.offload_gradients",
                                                "cluster.offload_optimizer",
                                                "cluster.offload_activations"};

/// Parameters and bytes per parameter: what does not depend on the stage, worked out once.
class Ranks {
 public:
  /// A stage's tensors, before it is decided which of them live at the same time.
  struct Held {
    double dense = 0, experts = 0;           ///< Parameters on this GPU.
    double weights = 0, expert_weights = 0;  ///< Bytes, before data-parallel ranks share them.
    double trained = 0, trained_experts = 0;
    double modules = 0;  ///< Embedding and head, trained in full beside adapters.
    double mtp = 0;      ///< Parameters of multi-token-prediction modules, without their experts.
    // Parameters of the largest layer: without routed experts, its experts, what is trained of it.
    double widest_layer = 0, widest_experts = 0, widest_trained = 0;
    double activations = 0, staged = 0, working = 0, sent = 0, logits = 0;
    double root = 0;  ///< Parameters outside the layers.
  };
  /// Stages of which one is the fullest, and their tensors. More than these are counted one by one.
  struct Crowded {
    std::array<Stage, 6> stages;
    std::array<Held, 6> held;
    std::size_t count = 0;  ///< 0: more.
  };

  Ranks(const Scenario& scenario, const Architecture& a, const Memory& m, const Activations& act,
        double tp);

  /// The layout with that many data-parallel ranks.
  Ways ways(double dp) const;
  /// Data-parallel ranks come in such steps, so that experts divide evenly.
  double step() const { return step_; }
  /// GPUs of one replica: TP x PP x CP.
  double replica() const { return tp_ * pp_ * s_.cluster.cp; }

  Stage stage(double index, const Ways& w) const;
  Parts parts(const Stage& stage, const Ways& w, Moment moment) const;
  RankMemory peak(const Stage& stage, const Ways& w) const;
  RankMemory fullest(const Ways& w) const { return fullest(crowded(w), w); }
  RankMemory fullest(const Crowded& crowded, const Ways& w) const;
  /// Depends on no input of kSharing.
  Crowded crowded(const Ways& w) const;

  /// The least number of data-parallel ranks, not below `dp`, among which experts and the batch
  /// divide evenly; kNone when the batch has too few sequences.
  double legal(double dp) const;
  /// Fewest legal data-parallel ranks with which every stage fits into the bytes that one rank
  /// alone has room for, or one of several; kNone if none does.
  double fewest(double room_alone, double room_together) const;

  /// Parameters on one GPU of a stage before data-parallel ranks share them: without routed
  /// experts, and of those.
  double dense_parameters(const Stage& stage) const;
  double expert_parameters(const Stage& stage) const;
  /// Bytes that one micro-batch leaves in a stage's layers for the backward pass.
  double stored(const Stage& stage) const;

  /// Notes the fullest rank: what it holds, and how that comes about.
  void explain(const RankMemory& rank, const Ways& w, const Ledger& note) const;

 private:
  /// Bytes that live on one GPU: between steps, and beside that at the moments of a step.
  struct Live {
    double weights = 0, master = 0, optimizer = 0;
    double gradients = 0, kept = 0, backward = 0;  ///< All; those kept all along; in backward.
    double activations = 0, gathered = 0, reduced = 0, update = 0;
  };
  /// Share of the layers that are computed again: every n-th, the others keep all.
  double recomputed() const;
  double stored(double layers, double moe_layers) const;
  Held held(const Stage& stage, const Ways& w) const;
  RankMemory peak(const Stage& stage, const Held& h, const Ways& w) const;
  double copies() const { return s_.cluster.zero < 3 ? copies_ : 0; }
  double reduced() const;
  Live live(const Held& h, const Ways& w) const;
  double sum(Moment moment, const Live& x, const Held& h) const;
  Parts parts(Moment moment, const Live& x, const Held& h) const;
  void explain_working(const RankMemory& rank, const Held& h, const Ways& w,
                       const Loud& note) const;

  const Scenario& s_;
  const Architecture& a_;
  const Memory& m_;
  const Activations& act_;
  double tp_ = 1, pp_ = 1, etp_ = 1, step_ = 1, tokens_ = 0, whole_ways_ = 1, passed_ = 0;
  // Parameters of one layer on one GPU, and of the rest.
  double layer_ = 0, attention_ = 0, linear_ = 0, dense_mlp_ = 0, moe_mlp_ = 0, expert_layer_ = 0,
         mtp_ = 0, mtp_experts_ = 0, expert_adapter_ = 0;
  double embedding_ = 0, head_ = 0, other_ = 0, vocab_ = 0;
  // Bytes per parameter.
  double matrix_bytes_ = 0, expert_bytes_ = 0, other_bytes_ = 0, gradient_ = 0, gradient_copy_ = 0,
         master_ = 0, optimizer_ = 0, gather_ = 0, gather_experts_ = 0, gather_root_ = 0,
         adapter_bytes_ = 0, copies_ = 0;
  double module_optimizer_ = 0, trained_embedding_ = 0, trained_head_ = 0;
  // Bytes of one layer on one GPU, of one micro-batch.
  double dense_stored_ = 0, moe_stored_ = 0, dense_all_ = 0, moe_all_ = 0, dense_gradient_ = 0,
         moe_gradient_ = 0;
  double adapter_layer_ = 0;  ///< Adapter parameters of one layer on one GPU.
  bool adapters_ = false, transient_ = true, tied_ = false;
};

}  // namespace envelope
