// SPDX-License-Identifier: MIT
// Over 400 lines: one list of rules, each of which is a condition and two sentences.
#include "envelope/rules.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "envelope/catalog.h"

namespace envelope {
namespace {

/// Takes what the rules say: with sentences, or only the first that counts.
class Sink {
 public:
  explicit Sink(Problems& all) : all_(&all) {}
  Sink(Breach& first, const Watched& watched) : first_(&first), watched_(&watched) {
    for (const Field* f : watched.unused) lengths_ |= bit(f->path);
  }

  /// Whether nothing more is asked.
  bool done() const { return first_ && !first_->code.empty(); }
  void begin(int group) { group_ = group; }

  /// Sentences are made by callables, for those who read them.
  template <class Message, class Hint>
  void warn(const Scenario& s, std::string_view path, std::string_view code, Message message,
            Hint hint) {
    if (all_)
      add(s, path, code, message(), hint());
    else
      count(path, code);
  }
  /// Nothing is wrong.
  template <class Message, class Hint>
  void remark(std::string_view path, std::string_view code, Message message, Hint hint,
              double value) {
    if (all_)
      all_->push_back(
          {std::string(path), Severity::note, code, message(), hint(), number_text(value)});
  }
  /// Nothing is wrong, and nothing is said of a value that is as the table, the framework or the
  /// recipe has it: `usual`.
  void unused(const Scenario& s, const Scenario& usual, std::string_view path, const char* message,
              const char* hint) {
    if (!all_) return look(s, usual, path);
    const Field& f = *field_by_path(path);
    if (same(f, s, usual)) return;
    all_->push_back(
        {std::string(path), Severity::note, kNotUsed, message, hint, text_of(get(f, s))});
  }

 private:
  static constexpr std::string_view kNotUsed = "not_used";

  /// Few paths have the same length, so that most need no comparison.
  static std::uint64_t bit(std::string_view path) { return std::uint64_t{1} << path.size() % 64; }

  void add(const Scenario& s, std::string_view path, std::string_view code, std::string message,
           std::string hint) {
    const Field* f = field_by_path(path);
    all_->push_back({std::string(path), Severity::warning, code, std::move(message),
                     std::move(hint), f ? text_of(get(*f, s)) : std::string()});
  }
  void count(std::string_view path, std::string_view code) {
    if (done()) return;
    for (const Breach& b : watched_->tolerated)
      if (b.path == path && b.code == code) return;
    *first_ = {path, code, group_};
  }
  void look(const Scenario& s, const Scenario& usual, std::string_view path) {
    if ((lengths_ & bit(path)) == 0 || done()) return;
    for (const Field* f : watched_->unused)
      if (f->path == path && !same(*f, s, usual)) *first_ = {path, kNotUsed, group_};
  }

  Problems* all_ = nullptr;
  Breach* first_ = nullptr;
  const Watched* watched_ = nullptr;
  std::uint64_t lengths_ = 0;
  int group_ = 0;
};

/// Of whole numbers; a remainder by division takes ten times as long.
bool divides(double a, double b) { return a > 0 && std::floor(b / a) * a == b; }

/// The multiples of `unit` on both sides: "16 or 24".
std::string near(double n, double unit) {
  const double below = std::floor(n / unit) * unit, above = std::ceil(n / unit) * unit;
  if (below < unit || below == above) return number_text(std::max(unit, above));
  return number_text(below) + " or " + number_text(above);
}

/// Largest divisor and smallest multiple of both; whole numbers.
double shared(double a, double b) {
  while (b > 0) {
    const double rest = a - std::floor(a / b) * b;
    a = b;
    b = rest;
  }
  return a;
}
double common(double a, double b) { return a / shared(a, b) * b; }

std::string divisors(double n, double most) {
  std::string out;
  for (double d = 1; d <= n && d <= most; ++d)
    if (divides(d, n)) out.append(out.empty() ? "" : ", ").append(number_text(d));
  return out;
}

void model_rules(const Scenario& s, Sink& out) {
  const Model& m = s.model;
  if (m.kind == ModelKind::size_only) {
    if (given(m.active) && m.active > m.params)
      out.warn(
          s, "model.active", "too_large",
          [&] {
            return std::string(number_text(m.active) +
                               " active parameters are more than the model has (" +
                               number_text(m.params) + ").");
          },
          [&] { return std::string("Give at most the total."); });
    return;
  }
  if (given(m.params))
    out.warn(
        s, "model.params", "not_used",
        [&] {
          return std::string(
              "The size is counted from the architecture, so the number given is not used.");
        },
        [&] { return std::string("Choose the model by-size to give only a size."); });
  if (m.attention == Attention::standard && !divides(m.kv_heads, m.heads))
    out.warn(
        s, "model.kv_heads", "not_divisible",
        [&] {
          return std::string(number_text(m.heads) + " query heads cannot share " +
                             number_text(m.kv_heads) + " KV heads evenly.");
        },
        [&] { return std::string("Choose one of " + divisors(m.heads, 64) + "."); });
  if (m.top_k > m.experts)
    out.warn(
        s, "model.top_k", "too_large",
        [&] {
          return std::string(number_text(m.top_k) + " experts per token are more than there are (" +
                             number_text(m.experts) + ").");
        },
        [&] { return std::string("Give at most the number of routed experts."); });
  const bool stacked = m.kind == ModelKind::encoder_decoder || m.kind == ModelKind::vit;
  if (m.linear != Linear::none && stacked)
    out.warn(
        s, "model.linear", "not_used",
        [&] { return std::string("Only decoders and encoders have linear layers."); },
        [&] { return std::string("Choose another kind, or no linear layers."); });
  else if (m.linear != Linear::none && m.linear_heads == 0)
    out.warn(
        s, "model.linear_heads", "missing",
        [&] { return std::string("Linear layers without heads keep no state."); },
        [&] {
          return std::string(
              "Give the heads, or for Mamba the channels (two times the hidden size as a rule).");
        });
  if (m.mtp_layers > 0 && m.kind != ModelKind::decoder)
    out.warn(
        s, "model.mtp_layers", "not_used",
        [&] { return std::string("Only decoders predict further tokens."); },
        [&] { return std::string("Choose the kind decoder, or no MTP modules."); });
  if (m.encoder_layers > m.layers)
    out.warn(
        s, "model.encoder_layers", "too_large",
        [&] { return std::string("The encoder has more layers than the model."); },
        [&] { return std::string("Layers count encoder and decoder together."); });
  if (m.first_dense > m.layers)
    out.warn(
        s, "model.first_dense", "too_large",
        [&] { return std::string("More dense layers than layers."); },
        [&] { return std::string("Give at most the number of layers."); });
}

/// KV heads are divided, or copied evenly.
void kv_rule(const Scenario& s, Sink& out) {
  const double tp = s.cluster.tp, kv = s.model.kv_heads;
  if (divides(tp, kv)) return;
  if (!divides(kv, tp))
    out.warn(
        s, "cluster.tp", "kv_heads",
        [&] {
          return std::string(number_text(tp) +
                             "-way tensor parallelism can neither divide nor copy " +
                             number_text(kv) + " KV heads evenly.");
        },
        [&] { return std::string("Choose one of " + divisors(kv, 64) + "."); });
  else if (s.run.task != Task::serve)
    out.remark(
        "cluster.tp", "kv_heads",
        [&] {
          return number_text(kv) + " KV heads are fewer than " + number_text(tp) +
                 " tensor-parallel ranks: ranks keep copies of them, and some frameworks "
                 "refuse this.";
        },
        [&] { return "Use at most " + number_text(kv) + " to divide them."; }, tp);
}

void cluster_rules(const Scenario& s, Sink& out) {
  const bool serve = s.run.task == Task::serve;
  const double tp = given(s.cluster.tp) ? s.cluster.tp : 1, pp = serve ? 1 : s.cluster.pp,
               cp = serve ? 1 : s.cluster.cp, replica = tp * pp * cp;
  if (given(s.cluster.gpus)) {
    const double n = s.cluster.gpus;
    if (replica > n)
      out.warn(
          s, "cluster.gpus", "too_few",
          [&] {
            return std::string(number_text(n) + " GPUs are fewer than one replica takes: TP " +
                               number_text(tp) + " x PP " + number_text(pp) +
                               (cp > 1 ? " x CP " + number_text(cp) : "") + " = " +
                               number_text(replica) + ". The numbers are those of one replica.");
          },
          [&] {
            return std::string(
                cp > 1 ? "Use more GPUs, or less tensor, pipeline or context parallelism."
                       : "Use more GPUs, or less tensor or pipeline parallelism.");
          });
    else if (!divides(replica, n))
      out.warn(
          s, "cluster.gpus", "not_divisible",
          [&] {
            return std::string(number_text(n) + " GPUs are not a whole number of replicas of " +
                               number_text(replica) + ".");
          },
          [&] { return std::string("Try " + near(n, replica) + "."); });
  }
  if (s.model.kind != ModelKind::size_only) {
    if (given(s.cluster.tp) && !divides(tp, s.model.heads))
      out.warn(
          s, "cluster.tp", "not_divisible",
          [&] {
            return std::string(number_text(tp) + "-way tensor parallelism cannot divide " +
                               number_text(s.model.heads) + " attention heads.");
          },
          [&] { return std::string("Choose one of " + divisors(s.model.heads, 64) + "."); });
    else if (given(s.cluster.tp) && s.model.attention == Attention::standard)
      kv_rule(s, out);
    if (pp > s.model.layers)
      out.warn(
          s, "cluster.pp", "too_large",
          [&] {
            return std::string(number_text(pp) + " pipeline stages are more than the " +
                               number_text(s.model.layers) + " layers.");
          },
          [&] { return std::string("Give at most one stage a layer."); });
  }
  if (s.gpu.domain >= 1 && tp > s.gpu.domain && given(s.cluster.tp) && !s.cluster.tp_across)
    out.warn(
        s, "cluster.tp", "beyond_domain",
        [&] {
          return std::string(number_text(tp) +
                             "-way tensor parallelism leaves the scale-up domain of " +
                             number_text(s.gpu.domain) +
                             " GPUs; the network between nodes would carry activations.");
        },
        [&] {
          return std::string("Use at most " + number_text(s.gpu.domain) +
                             ", or say that tensor parallelism goes across domains.");
        });
}

}  // namespace

DataParallel data_parallel(const Scenario& s) {
  const Cluster& c = s.cluster;
  DataParallel out;
  if (!given(c.gpus)) return out;
  const double each = c.pp * c.cp;
  const double low = given(c.tp) ? c.tp : 1,
               high = given(c.tp) ? c.tp : std::min(s.gpu.domain, 16.0);
  for (double tp = low; tp <= high; tp *= 2)
    if (divides(tp * each, c.gpus)) out.add(c.gpus / (tp * each));
  return out;
}

double sequence_unit(const Scenario& s) {
  const Cluster& c = s.cluster;
  // Ring attention gives each rank a piece from both ends, so that causal work is even.
  const double unit = c.cp > 1 && c.cp_kind == ContextParallel::ring ? 2 * c.cp : c.cp;
  return c.sp ? common(unit, c.cp * (given(c.tp) ? c.tp : 1)) : unit;
}

namespace {

std::string ranks_text(const Scenario& s, double dp) {
  return number_text(dp) + " data-parallel ranks" + (given(s.cluster.tp) ? "" : " or more");
}

void batch_rules(const Scenario& s, Sink& out) {
  const Run& r = s.run;
  const Cluster& c = s.cluster;
  DataParallel dps = data_parallel(s);
  if (dps.empty()) dps.add(1);  // open: what one replica would need
  // Of the numbers that may be chosen, the kindest: what breaks with it breaks with all.
  double dp = dps.back();
  for (const double d : dps)
    if (divides(r.micro_batch * d, r.global_batch)) dp = d;
  const double unit = r.micro_batch * dp, micro = r.global_batch / unit;
  const auto of = [&] {
    return "micro-batch " + number_text(r.micro_batch) +
           (given(c.gpus) ? " x " + ranks_text(s, dp) + " = " + number_text(unit) : std::string());
  };
  if (r.global_batch < unit)
    out.warn(
        s, "run.global_batch", "too_small",
        [&] {
          return std::string("A global batch of " + number_text(r.global_batch) +
                             " leaves ranks without work: " + of() + ".");
        },
        [&] {
          return std::string("Use at least " + number_text(unit) +
                             ", a smaller micro-batch, or fewer GPUs.");
        });
  else if (!divides(unit, r.global_batch))
    out.warn(
        s, "run.global_batch", "not_divisible",
        [&] {
          return std::string("A global batch of " + number_text(r.global_batch) +
                             " is no multiple of " + of() + ".");
        },
        [&] { return std::string("Try " + near(r.global_batch, unit) + "."); });
  if (!given(c.gpus) || dps.size() > 1 || !divides(unit, r.global_batch)) return;
  if (s.states.in_backward && micro > 1)
    out.warn(
        s, "states.in_backward", "accumulates",
        [&] {
          return std::string(
              "The optimizer cannot step in the backward pass and sum gradients over " +
              number_text(micro) + " micro-batches.");
        },
        [&] {
          return std::string("Set the global batch to " + number_text(unit) +
                             ", or step after the backward pass.");
        });
  const bool interleaved = c.schedule == Schedule::one_f_one_b && c.virtual_stages > 1 && c.pp > 1;
  if (interleaved && !divides(c.pp, micro))
    out.warn(
        s, "run.global_batch", "not_interleaved",
        [&] {
          return std::string("Interleaved stages need a multiple of " + number_text(c.pp) +
                             " micro-batches, not " + number_text(micro) + ".");
        },
        [&] { return std::string("Try " + near(r.global_batch, unit * c.pp) + "."); });
  const bool both_ways = c.schedule == Schedule::dualpipe || c.schedule == Schedule::dualpipe_v;
  if (both_ways && c.pp > 1 && micro < 2 * c.pp)
    out.warn(
        s, "run.global_batch", "too_few_micro_batches",
        [&] {
          return std::string(
              number_text(micro) +
              " micro-batches are fewer than the two per stage that DualPipe needs: " +
              number_text(2 * c.pp) + ".");
        },
        [&] {
          return std::string("Use a global batch of at least " + number_text(2 * c.pp * unit) +
                             ".");
        });
}

/// Stages, or their pieces, of the same number of layers, but for a first and last that are given.
void uneven_rule(const Scenario& s, double first, double last, Sink& out) {
  const Cluster& c = s.cluster;
  const double layers = s.model.layers;
  if (s.model.kind == ModelKind::size_only || c.pp > layers || first + last > layers) return;
  const bool interleaved = c.schedule == Schedule::one_f_one_b && c.virtual_stages > 1;
  const bool folded = c.schedule == Schedule::zbv || c.schedule == Schedule::v_half ||
                      c.schedule == Schedule::v_min || c.schedule == Schedule::dualpipe_v;
  const double pieces = interleaved ? c.virtual_stages : folded ? 2 : 1;
  const double stages = c.pp - given(c.first_layers) - given(c.last_layers);
  if (c.pp * pieces > layers) return;
  const double rest = layers - first - last;
  if (stages <= 0 ? rest == 0 : divides(stages * pieces, rest)) return;
  out.remark(
      "cluster.pp", "uneven",
      [&] {
        return number_text(rest) + " layers do not divide over " + number_text(stages) + " stages" +
               (pieces > 1 ? " of " + number_text(pieces) + " pieces" : "") +
               ": some have one more, which Megatron refuses, and the others wait for them.";
      },
      [] {
        return std::string(
            "Choose stages that divide the layers, or give the layers of the first and last "
            "stage.");
      },
      c.pp);
}

void pipeline_rules(const Scenario& s, const Scenario& usual, Sink& out) {
  const Cluster& c = s.cluster;
  const double layers = s.model.layers, v = c.virtual_stages;
  const char* alone = "There is one pipeline stage, so this has no effect.";
  const char* more = "Set pipeline parallel to 2 or more.";
  if (c.pp == 1) {
    for (const char* path : {"cluster.schedule", "cluster.virtual_stages", "cluster.first_layers",
                             "cluster.last_layers"})
      out.unused(s, usual, path, alone, more);
    return;
  }
  if (c.schedule != Schedule::one_f_one_b)
    out.unused(s, usual, "cluster.virtual_stages",
               "Only 1F1B is interleaved, so virtual stages have no effect with this schedule.",
               "Choose the schedule 1f1b, or 1 virtual stage.");
  else if (v > 1 && c.pp * v > layers + kEnds)
    out.warn(
        s, "cluster.virtual_stages", "too_large",
        [&] {
          return std::string(number_text(c.pp) + " stages of " + number_text(v) +
                             " pieces are more than the " + number_text(layers) +
                             " layers, the embedding and the head.");
        },
        [&] {
          return std::string("Use at most " +
                             number_text(std::max(1.0, std::floor((layers + kEnds) / c.pp))) + ".");
        });
  if (c.schedule == Schedule::dualpipe && !divides(2, c.pp))
    out.warn(
        s, "cluster.pp", "odd",
        [&] {
          return std::string("DualPipe pairs stages from both ends, so " + number_text(c.pp) +
                             " stages do not go.");
        },
        [&] {
          return std::string("Use " + number_text(c.pp - 1) + " or " + number_text(c.pp + 1) + ".");
        });
  const double first = given(c.first_layers) ? c.first_layers : 0,
               last = given(c.last_layers) ? c.last_layers : 0;
  if (first + last > layers)
    out.warn(
        s, given(c.first_layers) ? "cluster.first_layers" : "cluster.last_layers", "too_large",
        [&] {
          return std::string("The first and last stage have " + number_text(first + last) + " of " +
                             number_text(layers) + " layers.");
        },
        [&] {
          return std::string("Give both together at most " + number_text(layers) +
                             ", or leave them empty.");
        });
  uneven_rule(s, first, last, out);
}

void sequence_rules(const Scenario& s, const Scenario& usual, Sink& out) {
  const Cluster& c = s.cluster;
  const double tp = given(c.tp) ? c.tp : 1;
  if (c.cp == 1)
    out.unused(s, usual, "cluster.cp_kind", "Sequences are not divided, so this has no effect.",
               "Set context parallel to 2 or more.");
  if (s.model.kind == ModelKind::vit) {
    out.unused(s, usual, "run.seq", "The image and the patch decide the length of a sequence.",
               "Change the image size or the patch instead.");
    return;
  }
  const bool ring = c.cp_kind == ContextParallel::ring;
  const double unit = sequence_unit(s);
  if (!divides(unit, s.run.seq))
    out.warn(
        s, "run.seq", "not_divisible",
        [&] {
          return std::string(
              number_text(s.run.seq) + " tokens cannot be divided evenly over " +
              (c.cp > 1 ? "CP " + number_text(c.cp) : "") +
              (c.cp > 1 && c.sp && tp > 1 ? " and " : "") +
              (c.sp && tp > 1 ? "TP " + number_text(tp) + " (sequence parallel)" : "") + ".");
        },
        [&] { return std::string("Try " + near(s.run.seq, unit) + "."); });
  if (s.model.kind != ModelKind::size_only && c.cp > 1 && !ring && divides(tp, s.model.heads) &&
      !divides(c.cp, s.model.heads / tp))
    out.warn(
        s, "cluster.cp", "not_divisible",
        [&] {
          return std::string("All-to-all exchanges heads: " + number_text(c.cp) +
                             " ranks cannot share " + number_text(s.model.heads / tp) +
                             " of them evenly.");
        },
        [&] {
          return std::string("Choose one of " + divisors(s.model.heads / tp, 64) + ", or ring.");
        });
}

void expert_rules(const Scenario& s, const Scenario& usual, Sink& out) {
  const Cluster& c = s.cluster;
  const Model& m = s.model;
  if (m.experts == 0 || m.kind == ModelKind::size_only) {
    for (const char* path : {"cluster.ep", "cluster.etp"})
      out.unused(s, usual, path, "This model has no experts, so this has no effect.",
                 "Choose a mixture of experts, or leave it at its default.");
    return;
  }
  const double etp = given(c.etp) ? c.etp : c.ep > 1 || !given(c.tp) ? 1 : c.tp;
  if (!divides(c.ep, m.experts))
    out.warn(
        s, "cluster.ep", "not_divisible",
        [&] {
          return std::string(number_text(c.ep) + " GPUs cannot share " + number_text(m.experts) +
                             " experts evenly.");
        },
        [&] { return std::string("Choose one of " + divisors(m.experts, 256) + "."); });
  if (given(c.etp) && !divides(c.etp, m.moe_ffn))
    out.warn(
        s, "cluster.etp", "not_divisible",
        [&] {
          return std::string(number_text(c.etp) + " GPUs cannot share the " +
                             number_text(m.moe_ffn) + " hidden units of an expert evenly.");
        },
        [&] { return std::string("Choose one of " + divisors(m.moe_ffn, 64) + "."); });
  if (given(c.tp) && c.tp > 1 && !c.sp)
    out.warn(
        s, "cluster.sp", "needed",
        [&] {
          return std::string(
              "Experts under tensor parallelism need sequence parallelism: without it each rank "
              "would "
              "route the same tokens.");
        },
        [&] { return std::string("Switch sequence parallel on, or use TP 1."); });
  if (!given(c.gpus) || !divides(c.pp, c.gpus)) return;
  // TP x CP x DP: the GPUs of one pipeline stage.
  const double stage = c.gpus / c.pp;
  if (divides(c.ep * etp, stage)) return;
  const bool by_etp = divides(c.ep, stage);
  const double room = stage / (by_etp ? c.ep : etp);
  out.warn(
      s, by_etp ? "cluster.etp" : "cluster.ep", c.ep * etp > stage ? "too_large" : "not_a_share",
      [&] {
        return std::string("EP " + number_text(c.ep) + " x ETP " + number_text(etp) + " = " +
                           number_text(c.ep * etp) +
                           (c.ep * etp > stage ? " is more than" : " does not divide") + " the " +
                           number_text(stage) + " GPUs of a pipeline stage (TP x CP x DP).");
      },
      [&] {
        return std::string(by_etp || !divides(etp, stage)
                               ? "Use 1, or more GPUs."
                               : "Choose one of " + divisors(shared(room, m.experts), 256) +
                                     ", or more GPUs.");
      });
}

void sharding_rules(const Scenario& s, const Program& program, Sink& out) {
  const Scenario& usual = program.usual;
  const Cluster& c = s.cluster;
  if (c.zero >= 2 && c.pp > 1 && !program.shards_in_pipeline)
    out.warn(
        s, "cluster.zero", "not_with_pipeline",
        [&] {
          return std::string(
              "ZeRO-" + number_text(c.zero) +
              " shares gradients that a pipeline sums over micro-batches; Megatron and DeepSpeed "
              "refuse it.");
        },
        [&] {
          return std::string("Use ZeRO-1 with a pipeline, or choose FSDP as the framework.");
        });
  if (c.zero < 3 && !c.offload_weights) {
    const char* hint = "Use ZeRO-3, or leave it at its default.";
    for (const char* path : {"cluster.prefetch", "cluster.reshard"})
      out.unused(s, usual, path, "Only ZeRO-3 gathers weights, so this has no effect.", hint);
  }
  if (c.zero < 1) {
    out.unused(s, usual, "cluster.shard",
               "Nothing is sharded, so the sharding group has no effect.", "Use ZeRO-1 to 3.");
    return;
  }
  const DataParallel dps = data_parallel(s);
  if (!given(c.shard) || dps.empty()) return;
  for (const double dp : dps)
    if (divides(c.shard, dp * c.cp)) return;
  const double ranks = dps.front() * c.cp;
  out.warn(
      s, "cluster.shard", c.shard > ranks ? "too_large" : "not_divisible",
      [&] {
        return std::string("A sharding group of " + number_text(c.shard) +
                           (c.shard > ranks ? " is larger than the " : " does not divide the ") +
                           number_text(ranks) + " ranks (DP x CP).");
      },
      [&] {
        return std::string("Choose one of " + divisors(ranks, 256) + ", or leave it empty.");
      });
}

void program_rules(const Scenario& s, const Scenario& usual, Sink& out) {
  const Precision p = s.run.precision;
  const bool narrow = p == Precision::fp8 || p == Precision::fp4 || p == Precision::int8;
  if (s.run.recompute != Recompute::full)
    out.unused(s, usual, "run.recompute_every", "Only full recomputation counts layers.",
               "Choose full recomputation, or leave it at 1.");
  if (!narrow)
    out.unused(s, usual, "run.scales", "Values of 16 and more bits have no scales.",
               "Choose an 8-bit or 4-bit precision.");
  if (s.cluster.zero >= 3 || !(p == Precision::fp8 || p == Precision::fp4))
    out.unused(s, usual, "stack.weight_copies",
               s.cluster.zero >= 3 ? "ZeRO-3 keeps such copies only of the layer that works."
                                   : "Only FP8 and FP4 training keeps such copies.",
               "Choose FP8 below ZeRO-3, or 0 bytes.");
  if (s.states.optimizer == Optimizer::adam_8bit)
    out.unused(s, usual, "states.optimizer_format", "8-bit Adam has its own format.",
               "Choose the optimizer adam to choose a format.");
  if (s.run.task == Task::finetune && given(s.tune.trainable))
    for (const char* path : {"tune.rank", "tune.targets"})
      out.unused(s, usual, path,
                 "The number of trainable parameters is given, so this is not counted.",
                 "Leave trainable parameters empty to count them from rank and targets.");
}

/// Weights may have any storage format. What is computed with and updated has a plain one.
void format_rules(const Scenario& s, Sink& out) {
  using enum Format;
  constexpr Format kStates[] = {fp32, fp16, bf16, fp8_e4m3, fp8_e5m2, fp8_block, int8};
  // Those that serving programs offer for keys and values.
  constexpr Format kCaches[] = {fp32,      fp16, bf16,      fp8_e4m3, fp8_e5m2, int8,
                                int8_g128, int4, int4_g128, int4_g32, fp4,      nvfp4,
                                q4_0,      q4_1, q5_0,      q5_1,     q8_0,     iq4_nl};
  const auto limit = [&](const char* path, Format value, std::span<const Format> to,
                         bool none_allowed, const char* why) {
    if (value == none ? none_allowed : to.empty() || std::count(to.begin(), to.end(), value) > 0)
      return;
    out.warn(
        s, path, "not_supported",
        [&] {
          return std::string(choice_id(*field_by_path(path), s)) + " does not go here: " + why;
        },
        [&] {
          if (to.empty()) return std::string("Choose a format, such as bf16 or nf4.");
          std::string list;
          for (const Format x : to)
            list.append(list.empty() ? "" : ", ")
                .append(field_by_path(path)->choices[static_cast<std::size_t>(x)].id);
          return "Choose one of " + list + (none_allowed ? ", none." : ".");
        });
  };
  const char* kStored = "the weights must be stored somehow.";
  if (s.run.task == Task::serve) {
    limit("serve.weights", s.serve.weights, {}, false, kStored);
    limit("serve.kv", s.serve.kv, kCaches, false,
          "keys and values are written token by token, in plain numbers or small blocks.");
    return;
  }
  const bool adapters = s.run.task == Task::finetune && s.tune.method != Method::full;
  const char* kTrained = "training updates these values, so they are plain numbers.";
  // A frozen base is only read.
  limit("states.weights", s.states.weights, adapters ? std::span<const Format>() : kStates, false,
        adapters ? kStored : kTrained);
  limit("states.gradients", s.states.gradients, kStates, false, kTrained);
  limit("states.master", s.states.master, kStates, true, kTrained);
  limit("states.optimizer_format", s.states.optimizer_format, kStates, false, kTrained);
  limit("cluster.reduce", s.cluster.reduce, kStates, false, "ranks add these values up.");
  if (adapters) limit("tune.adapter", s.tune.adapter, kStates, true, kTrained);
  if (adapters && s.tune.method == Method::qlora)
    limit("tune.base", s.tune.base, {}, false, kStored);
}

void hardware_rules(const Scenario& s, Sink& out) {
  const struct {
    Precision precision;
    double peak;
  } kPeaks[] = {{Precision::fp32, s.gpu.fp32}, {Precision::tf32, s.gpu.tf32},
                {Precision::fp16, s.gpu.fp16}, {Precision::bf16, s.gpu.bf16},
                {Precision::fp8, s.gpu.fp8},   {Precision::int8, s.gpu.int8},
                {Precision::fp4, s.gpu.fp4}};
  bool supported = false;
  for (const auto& [precision, peak] : kPeaks)
    supported = supported || (given(peak) && precision == s.run.precision);
  if (!supported)
    out.warn(
        s, "run.precision", "not_supported",
        [&] {
          return "The catalog has no " +
                 std::string(choice_id(*field_by_path("run.precision"), s)) +
                 " peak for this accelerator, so the rate of its 16-bit units is used, or the "
                 "nearest.";
        },
        [&] {
          const auto names = field_by_path("run.precision")->choices;
          std::string has;
          for (const auto& [precision, peak] : kPeaks)
            if (given(peak))
              has.append(has.empty() ? "" : ", ")
                  .append(names[static_cast<std::size_t>(precision)].id);
          return "Choose one of " + has + ", or give the peak.";
        });
  if (s.cluster.reserve >= s.gpu.memory)
    out.warn(
        s, "cluster.reserve", "too_large",
        [&] { return std::string("The reserve is as large as the memory."); },
        [&] { return std::string("Give a smaller reserve."); });
}

}  // namespace

bool shards_in_pipeline(const Scenario& s) {
  // Those of FP32 shards (FSDP, XLA) share the weights of a stage; Megatron and DeepSpeed refuse
  // it.
  const Row* row = find_row(catalog().stacks, s.stack.id);
  const Value* recipe = row ? find(row->set, "states.recipe") : nullptr;
  return recipe && text_of(*recipe) == "fsdp-16";
}

Program program_of(const Scenario& s) {
  Program out;
  out.usual.catalog = s.catalog;
  out.usual.states.recipe = s.states.recipe;
  out.usual.stack.id = s.stack.id;
  fill_recipe(out.usual);
  fill_stack(out.usual);
  out.shards_in_pipeline = shards_in_pipeline(s);
  return out;
}

namespace {

void all_rules(const Scenario& s, const Program& program, Sink& out, int from = 0) {
  const bool trains = s.run.task != Task::serve;
  const Scenario& usual = program.usual;
  for (int group = from; group < kRuleGroups && !out.done(); ++group) {
    out.begin(group);
    if (group == 0) {
      model_rules(s, out);
    } else if (group == 1) {
      cluster_rules(s, out);
    } else if (group == 5) {
      format_rules(s, out);
      hardware_rules(s, out);
    } else if (!trains) {
      continue;
    } else if (group == 2) {
      batch_rules(s, out);
    } else if (group == 3) {
      pipeline_rules(s, usual, out);
    } else if (group == 4) {
      sequence_rules(s, usual, out);
    } else {
      expert_rules(s, usual, out);
      sharding_rules(s, program, out);
      program_rules(s, usual, out);
    }
  }
}

}  // namespace

int first_group(std::string_view path) {
  constexpr struct {
    std::string_view path;
    int group;
  } kFirst[] = {{"run.task", 1},
                {"cluster.gpus", 1},
                {"cluster.tp", 1},
                {"cluster.pp", 1},
                {"cluster.cp", 1},
                {"cluster.tp_across", 1},
                {"gpu.domain", 1},
                {"run.micro_batch", 2},
                {"run.global_batch", 2},
                {"states.in_backward", 2},
                {"cluster.schedule", 2},
                {"cluster.virtual_stages", 2},
                {"cluster.first_layers", 3},
                {"cluster.last_layers", 3},
                {"run.seq", 4},
                {"cluster.sp", 4},
                {"cluster.cp_kind", 4},
                {"states.weights", 5},
                {"states.gradients", 5},
                {"states.master", 5},
                {"states.optimizer_format", 5},
                {"tune.method", 5},
                {"tune.adapter", 5},
                {"tune.base", 5},
                {"serve.weights", 5},
                {"serve.kv", 5},
                {"cluster.reduce", 5},
                {"cluster.reserve", 5},
                {"run.precision", 5},
                {"run.flash", kRuleGroups},
                {"stack.loss", kRuleGroups},
                {"cluster.offload_gradients", kRuleGroups},
                {"cluster.offload_optimizer", kRuleGroups},
                {"cluster.offload_activations", kRuleGroups}};
  for (const auto& f : kFirst)
    if (f.path == path) return f.group;
  return path.starts_with("model.") ? 0 : path.starts_with("gpu.") ? 5 : 6;
}

Problems check(const Scenario& s) {
  Problems out;
  Sink sink(out);
  all_rules(s, s.run.task != Task::serve ? program_of(s) : Program(), sink);
  return out;
}

Breach first_breach(const Scenario& s, const Program& program, const Watched& watched, int from) {
  Breach out;
  Sink sink(out, watched);
  all_rules(s, program, sink, from);
  return out;
}

}  // namespace envelope
