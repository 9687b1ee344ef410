// SPDX-License-Identifier: MIT
// Over 400 lines: which values each axis has, with the reason beside each, is one list.
#include "envelope/planner.h"

#include <algorithm>
#include <cmath>

#include "envelope/catalog.h"
#include "envelope/pace.h"
#include "envelope/rules.h"

namespace envelope {
namespace {

// What a framework offers beside data parallelism, as of its year.
enum : unsigned {
  kTp = 1,
  kPp = 2,
  kVirtual = 4,
  kCp = 8,
  kEp = 16,
  kHybrid = 32,  ///< The ranks that share states may be fewer than all.
  kFp8 = 64,     ///< And MXFP8.
  kFp4 = 128,    ///< NVFP4.
  kZeroBubble = 256,
  kDualPipe = 512,
  kDualPipeV = 1024,
  kOffloadOptimizer = 2048,
  kOffloadActivations = 4096,
  kOffloadWeights = 8192,
  kPartial = 16384,  ///< Full recomputation of some layers only.
  kSizes = 32768,    ///< Hybrid sharding over any number of ranks, not a node alone.
  kWhole = 65536,    ///< A step is one pass: gradients are not summed over several.
  kAll = kTp | kPp | kVirtual | kCp | kEp | kPartial,
};
enum : unsigned { kZero0 = 1, kZero1 = 2, kZero2 = 4, kZero3 = 8 };
enum : unsigned { kNothing = 1, kSelective = 2, kFull = 4, kPointwise = 8 };

struct Ability {
  std::string_view stack;  ///< Beginning of the catalog id; the first that matches.
  unsigned can, zero, recompute;
};

// From the arguments that each framework's programs take in that year: Megatron-LM's
// arguments.py (distributed optimizer since 2023, context parallelism and FP8 since 2023,
// Megatron FSDP and CPU optimizer since 2025), PyTorch's ShardingStrategy and cpu_offload,
// torchtitan's job config (schedules of torch.distributed.pipelining, FSDP2, CP), DeepSpeed's
// zero_optimization, MaxText's base.yml (remat_policy, ici_*_parallelism), InternEvo's parallel
// section, the Neuron Distributed reference.
constexpr Ability kAbilities[] = {
    {"generic",
     kAll | kFp8 | kFp4 | kZeroBubble | kDualPipe | kDualPipeV | kOffloadOptimizer |
         kOffloadActivations | kOffloadWeights,
     kZero0 | kZero1 | kZero2 | kZero3, kNothing | kSelective | kFull},
    {"other", kAll | kHybrid | kSizes | kOffloadOptimizer, kZero0 | kZero1 | kZero2 | kZero3,
     kNothing | kSelective | kFull},
    {"megatron-2021", kTp | kPp | kVirtual | kPartial, kZero0, kNothing | kFull},
    {"megatron-2022", kTp | kPp | kVirtual | kPartial, kZero0, kNothing | kSelective | kFull},
    {"megatron-deepspeed-2022", kTp | kPp | kPartial | kOffloadOptimizer, kZero0 | kZero1,
     kNothing | kFull},
    {"megatron-core-2023", kAll | kFp8, kZero0 | kZero1, kNothing | kSelective | kFull},
    {"megatron-core-2025", kAll | kFp8 | kFp4 | kOffloadOptimizer | kOffloadActivations,
     kZero0 | kZero1 | kZero2 | kZero3, kNothing | kSelective | kFull},
    {"megatron-bridge", kAll | kFp8 | kFp4 | kOffloadOptimizer | kOffloadActivations,
     kZero0 | kZero1 | kZero2 | kZero3, kNothing | kSelective | kFull},
    {"megatron-", kAll | kFp8 | kOffloadActivations, kZero0 | kZero1,
     kNothing | kSelective | kFull},
    {"simumax-megatron", kAll | kFp8, kZero0 | kZero1, kNothing | kSelective | kFull},
    {"nemo-", kAll | kFp8 | kOffloadActivations, kZero0 | kZero1, kNothing | kSelective | kFull},
    {"fsdp2-", kAll | kHybrid | kSizes | kFp8 | kZeroBubble | kDualPipeV | kOffloadOptimizer,
     kZero2 | kZero3, kNothing | kPointwise | kFull},
    {"fsdp-", kHybrid | kSizes | kOffloadOptimizer | kPartial, kZero0 | kZero2 | kZero3,
     kNothing | kFull},
    {"deepspeed-", kOffloadOptimizer | kOffloadWeights, kZero0 | kZero1 | kZero2 | kZero3,
     kNothing | kFull},
    {"hf-trainer-", kOffloadOptimizer, kZero0 | kZero2 | kZero3, kNothing | kFull},
    {"litgpt-", kOffloadOptimizer, kZero0 | kZero2 | kZero3, kNothing | kFull},
    {"pytorch-finetune-", kOffloadOptimizer | kOffloadActivations, kZero0 | kZero3,
     kNothing | kFull},
    // Summed gradients over several passes came to MaxText in late 2024.
    {"maxtext-2024", kTp | kCp | kEp | kHybrid | kSizes | kPartial | kWhole, kZero3,
     kNothing | kPointwise | kFull},
    {"maxtext-",
     kTp | kPp | kVirtual | kCp | kEp | kHybrid | kFp8 | kOffloadOptimizer | kOffloadActivations |
         kPartial,
     kZero3, kNothing | kPointwise | kFull},
    {"jax-", kTp | kCp | kHybrid | kSizes | kPartial | kWhole, kZero3,
     kNothing | kPointwise | kFull},
    {"internevo-", kTp | kPp | kVirtual | kHybrid | kPartial, kZero0 | kZero1, kNothing | kFull},
    {"neuron-", kTp | kPp | kVirtual | kCp, kZero0 | kZero1, kNothing | kSelective | kFull},
};

const Ability& ability_of(const Scenario& s) {
  for (const Ability& a : kAbilities)
    if (std::string_view(s.stack.id).starts_with(a.stack)) return a;
  return kAbilities[0];
}

bool divides(double a, double b) { return a > 0 && std::fmod(b, a) == 0; }
bool power_of_two(double x) {
  while (x > 1 && std::fmod(x, 2) == 0) x /= 2;
  return x == 1;
}

/// Sequences are divided where one rank cannot hold them: a piece has at least so many tokens, or
/// fewer where that is allowed.
constexpr double kTokensOfPiece = 8192, kTokensOfShortPiece = 4096;
/// More tokens at a time make no product faster, and only take memory.
constexpr double kTokensAtOnce = 65536;
constexpr double kMostExpertWays = 64;
constexpr double kMostTp = 16;      ///< As of the layout chosen where none is asked for.
constexpr double kMostAcross = 64;  ///< And where it may leave the domain.
constexpr std::size_t kRungs = 6;
constexpr double kLongestRun = 2 * 365 * 86400.0;  ///< Nobody waits longer.
constexpr double kMostPieces = 24;                 ///< Virtual stages.

bool even(const Scenario& s, double pieces) {
  const double layers = s.model.layers;
  // MaxText scans over layers, and wants them to divide.
  const double missing = std::string_view(s.stack.id).starts_with("maxtext") ? 0 : kEnds;
  return pieces <= 1 || std::ceil(layers / pieces) * pieces - layers <= missing;
}

/// Pieces of all stages.
double pieces_of(const Cluster& c) {
  const bool folded = c.schedule == Schedule::zbv || c.schedule == Schedule::v_half ||
                      c.schedule == Schedule::v_min || c.schedule == Schedule::dualpipe_v;
  return c.pp > 1 ? c.pp * (folded ? 2 : c.virtual_stages) : 1;
}

/// What no rule forbids and nobody would or could launch.
std::string_view unusual(const Scenario& s) {
  const Cluster& c = s.cluster;
  if (c.pp == 1 && (ability_of(s).can & kWhole) &&
      s.run.micro_batch * c.gpus < s.run.global_batch * c.tp * c.cp)
    return "accumulates";
  return {};
}
std::string_view unusual_or_uneven(const Scenario& s) {
  if (!even(s, pieces_of(s.cluster))) return "uneven";
  return unusual(s);
}

class Builder {
 public:
  Builder(const Scenario& s, const PlanWish& wish, PlanSpace& out)
      : s_(s), wish_(wish), out_(out), can_(ability_of(s)) {}

  void build();

 private:
  struct Values {
    std::vector<double> list;
    void add(double x) {
      for (const double y : list)
        if (y == x || (std::isnan(y) && std::isnan(x))) return;
      list.push_back(x);
    }
    void sort() { std::sort(list.begin(), list.end()); }
  };

  bool allowed(std::string_view id) const {
    return std::find(wish_.allow.begin(), wish_.allow.end(), id) != wish_.allow.end();
  }
  /// Lists a switch; true when it is on, by wish or because the scenario uses it already.
  bool lever(std::string_view id, std::string_view label, std::string_view help, bool used) {
    const bool on = used || allowed(id);
    out_.switches.push_back({id, label, help, on});
    return on;
  }
  void axis(std::string_view path, Values values, std::string why, bool dearer = false);
  double& base(double Cluster::*member) { return out_.space.base.cluster.*member; }

  void start();
  void objective();
  void counts();
  bool shares(double gpus, bool plain) const;
  void fewer(double n, Values& v, std::string& why) const;
  void tensor();
  void pipeline();
  void sequence();
  void experts();
  void precision();
  void sharding();
  void batch();
  void recompute();
  void offload(bool outer);
  void headroom();
  void tolerate();
  void serve();

  const Scenario& s_;
  const PlanWish& wish_;
  PlanSpace& out_;
  const Ability& can_;
  Report report_;
  std::vector<double> gpus_, stages_;
  bool offload_ = false, unequal_ = false;
};

void Builder::axis(std::string_view path, Values values, std::string why, bool dearer) {
  const Field& f = *field_by_path(path);
  for (const Axis& own : wish_.axes)
    if (own.field == &f) {
      values.list = own.values;
      why = "As given.";
      dearer = false;
    }
  if (values.list.size() == 1) {  // Not worth an axis, but for those that tell plans apart.
    set_number(f, out_.space.base, values.list[0]);
    if (out_.space.axes.size() >= 5) return;
  }
  out_.space.axes.push_back({{&f, std::move(values.list)}, dearer});
  out_.why.push_back(std::move(why));
}

/// The scenario without its layout.
void Builder::start() {
  Cluster& c = out_.space.base.cluster;
  const Cluster plain;
  c.pp = c.cp = c.ep = 1;
  c.etp = c.shard = c.first_layers = c.last_layers = kNone;
  c.virtual_stages = plain.virtual_stages;
  c.schedule = plain.schedule;
  c.offload_weights = c.offload_gradients = c.offload_optimizer = c.offload_activations = false;
  out_.space.base.run.recompute_every = 1;
}

void Builder::objective() {
  Space& space = out_.space;
  const bool serve = s_.run.task == Task::serve, open = !given(s_.cluster.gpus);
  const bool priced = given(report_.cost.price);
  const char *first = "time.total", *money = priced ? "cost.total" : "time.gpu_time",
             *usual = open ? money : first;
  if (serve) {
    first = "serving.latency";
    money = priced ? "cost.per_million_tokens" : "serving.tokens_per_s";
    usual = money;
  } else if (!report_.pace.predicted) {
    usual = open ? "gpus.used" : "layout.per_gpu";
    out_.problems.push_back(
        {"run.mfu", Severity::note, "not_predicted",
         "The step of this scenario is not predicted, so its layouts differ in memory alone.",
         given(s_.run.mfu)        ? "Leave the MFU empty to have it predicted for each layout."
         : given(s_.run.gpu_time) ? "Leave the GPU time empty to have it predicted."
                                  : "Choose a model whose architecture is known.",
         ""});
  }
  const double sequences = report_.compute.tokens.value / s_.run.seq;
  if (!serve && sequences < s_.run.global_batch)
    out_.problems.push_back(
        {"run.global_batch", Severity::warning, "larger_than_data",
         "All tokens together make " + number_text(std::floor(sequences)) +
             " sequences, fewer than the batch of " + number_text(s_.run.global_batch) +
             ", so the time of the run is that share of a step.",
         "Use a batch of at most " + number_text(std::max(1.0, std::floor(sequences))) + ".", ""});
  space.least = wish_.minimise ? wish_.minimise : find_metric(usual);
  for (const char* id : {first, money, "gpus.used"}) space.front.push_back(find_metric(id));
  space.limits = wish_.limits;
  if (given(s_.run.deadline) && !serve) {
    const Metric* time = find_metric("time.total");
    const auto same = [&](const Limit& l) { return l.metric == time; };
    if (std::none_of(space.limits.begin(), space.limits.end(), same))
      space.limits.push_back({time, -INFINITY, s_.run.deadline});
  }
  space.keep = wish_.keep;
  space.distinct = 5;
}

/// Whether some TP and PP leave ranks among which the batch divides; `plain`: with a whole domain
/// for TP and a power of two for PP.
bool Builder::shares(double gpus, bool plain) const {
  const double most_tp = can_.can & kTp ? std::min(std::max(1.0, s_.gpu.domain), kMostTp) : 1,
               most_pp = can_.can & kPp ? std::min(s_.model.layers / 2, 128.0) : 1;
  for (double tp = plain && gpus >= 8 ? std::min(most_tp, 8.0) : 1; tp <= most_tp; tp *= 2)
    for (double pp = 1; pp <= std::max(1.0, most_pp); ++pp) {
      if (!even(s_, pp) || (plain && !power_of_two(pp))) continue;
      if (!divides(tp * pp, gpus) || (tp > 1 && !splits_heads(s_.model, tp))) continue;
      if (divides(gpus / (tp * pp), s_.run.global_batch)) return true;
    }
  return false;
}

/// Where so many GPUs do not share the batch, the next smaller numbers that do: any, and one that
/// needs no unusual pipeline for it. Whole nodes, where there are two or more.
void Builder::fewer(double n, Values& v, std::string& why) const {
  const double node = std::max(1.0, std::min(s_.gpu.domain, 8.0)), unit = n > 2 * node ? node : 1;
  const bool ragged = std::fmod(n, unit) != 0;
  if (n < 2 || (!ragged && shares(n, false))) return;
  std::string found;
  bool any = false;
  for (double less = std::ceil(n / unit - 1) * unit; less >= std::max(1.0, n / 4); less -= unit) {
    const bool plain = shares(less, true);
    if (!plain && (any || !shares(less, false))) continue;
    any = true;
    v.add(less);
    found.append(found.empty() ? "" : " and ").append(number_text(less));
    if (plain) break;
  }
  if (found.empty()) return;
  why = number_text(n) + " " +
        (ragged ? std::string("are no whole number of nodes")
                : "do not share " + number_text(s_.run.global_batch) + " sequences evenly") +
        "; also the next smaller that do: " + found + ".";
}

void Builder::counts() {
  Values v;
  const double unit = std::max(1.0, std::min(s_.gpu.domain, 8.0));
  if (given(s_.cluster.gpus)) {
    v.add(s_.cluster.gpus);
    std::string why = "As given.";
    if (s_.run.task != Task::serve) fewer(s_.cluster.gpus, v, why);
    gpus_ = v.list;
    return axis("cluster.gpus", std::move(v), std::move(why));
  }
  // From what holds the states alone and could be in time, as long as the batch has work.
  const bool serve = s_.run.task == Task::serve;
  const double states = std::max(1.0, report_.memory.total.value / s_.gpu.memory),
               work = serve ? s_.serve.batch * kMostTp : s_.run.global_batch * 64 * unit;
  double time = kLongestRun;
  bool limited = false;
  for (const Limit& l : out_.space.limits)
    if (l.metric->id == "time.total" && l.at_most > 0 && l.at_most < INFINITY) {
      time = l.at_most;
      limited = true;
    }
  // The fastest of published runs, where the step is yet to be predicted.
  const Pace& pace = report_.pace;
  const double mfu = utilisation(s_, report_.architecture).high,
               ideal = serve            ? 0
                       : pace.predicted ? pace.gpu_time_ideal.value / mfu
                                        : pace.gpu_time.value,
               least = std::max(states, ideal / time);
  if (!serve && !limited)
    out_.space.limits.push_back({find_metric("time.total"), -INFINITY, kLongestRun});
  double n = 1;
  while (n < least && n < 1e6 && 2 * n <= std::max(work, states)) n *= 2;
  // Where latency counts, more of a domain may serve one replica.
  const std::size_t rungs = serve ? kRungs / 2 : kRungs;
  const double whole = serve ? std::min(s_.gpu.domain, kMostTp) : 0;
  for (; v.list.empty() || ((v.list.size() < rungs || n <= whole) && n <= work); n *= 2) v.add(n);
  gpus_ = v.list;
  std::string why = "Left open: from the fewest that could ";
  why += least == states ? "hold the states"
                         : std::string(limited ? "be in time" : "take less than two years") +
                               (pace.predicted ? " at " + number_text(std::round(100 * mfu)) +
                                                     " % MFU, a high one of published runs"
                                               : "");
  why += ", each time twice as many.";
  if (!serve && !limited) why += " No plan takes more than two years.";
  axis("cluster.gpus", std::move(v), std::move(why));
}

void Builder::tensor() {
  Values v;
  v.add(1);
  std::string why = "This framework has no tensor parallelism.";
  if (can_.can & kTp) {
    const bool across =
        s_.gpu.domain < kMostAcross &&
        lever("tp_across", "Tensor parallelism across nodes",
              "By default it stays inside the scale-up domain, whose links carry its activations.",
              s_.cluster.tp_across);
    const double most = across ? kMostAcross : std::min(std::max(1.0, s_.gpu.domain), kMostTp);
    for (double tp = 2; tp <= most; ++tp)
      // A torus is built of blocks of four along each side.
      if ((power_of_two(tp) || (s_.gpu.torus > 0 && divides(4, tp))) && splits_heads(s_.model, tp))
        v.add(tp);
    if (across) out_.space.base.cluster.tp_across = true;
    why = across ? "Also across nodes."
                 : "Inside the scale-up domain of " + number_text(s_.gpu.domain) +
                       " accelerators, where it divides the heads.";
  }
  if (given(s_.cluster.tp)) v.add(s_.cluster.tp);
  v.sort();
  axis("cluster.tp", std::move(v), std::move(why));
}

void Builder::pipeline() {
  Values v;
  v.add(1);
  std::string why = "This framework has no pipelines.";
  if (can_.can & kPp) {
    const bool unequal =
        lever("uneven", "Stages of unequal length",
              "By default stages have equally many layers, the embedding and the head counted as "
              "one each where that helps.",
              !even(s_, pieces_of(s_.cluster)));
    unequal_ = unequal;
    if (!unequal) out_.space.refuse = unusual_or_uneven;
    const double layers = s_.model.layers;
    for (double pp = 2; pp <= std::min(layers / 2, 128.0); ++pp) {
      const bool fits = unequal || even(s_, pp);
      const bool shared = std::any_of(gpus_.begin(), gpus_.end(),
                                      [&](double n) { return divides(pp, n) && n > pp; });
      if (fits && shared) v.add(pp);
    }
    why = "Divisors of the GPUs" +
          std::string(unequal ? "." : " that give each stage equally many layers.");
  }
  v.add(s_.cluster.pp);
  v.sort();
  stages_ = v.list;
  axis("cluster.pp", std::move(v), std::move(why));
}

void Builder::sequence() {
  Values v;
  v.add(1);
  std::string why = "This framework does not divide sequences.";
  if (can_.can & kCp) {
    const bool brief = s_.run.seq >= 2 * kTokensOfShortPiece &&
                       lever("short_pieces", "Short pieces of sequences",
                             "By default context parallelism leaves pieces of at least 8,192 "
                             "tokens.",
                             s_.cluster.cp > 1 && s_.run.seq / s_.cluster.cp < kTokensOfPiece);
    const double least = brief ? kTokensOfShortPiece : kTokensOfPiece;
    for (double cp = 2; cp <= 64 && s_.run.seq / cp >= least; cp *= 2) v.add(cp);
    why = "Pieces of at least " + number_text(least) + " tokens.";
  }
  v.add(s_.cluster.cp);
  v.sort();
  axis("cluster.cp", std::move(v), std::move(why));
}

void Builder::experts() {
  Values v;
  v.add(1);
  const double n = s_.model.kind == ModelKind::size_only ? 0 : s_.model.experts;
  std::string why = n > 0 ? "This framework does not spread experts." : "No experts.";
  if (n > 0 && (can_.can & kEp)) {
    for (double ep = 2; ep <= std::min(n, kMostExpertWays); ++ep)
      if (divides(ep, n) && (power_of_two(ep) || !divides(8, n))) v.add(ep);
    why = "Divisors of the " + number_text(n) + " experts, up to " + number_text(kMostExpertWays) +
          ".";
  }
  if (n > 0) v.add(s_.cluster.ep);
  v.sort();
  axis("cluster.ep", std::move(v), std::move(why));
  if (n == 0 || !(can_.can & kEp)) return;
  if (!lever("etp", "Experts split by tensor parallelism",
             "By default spread experts are whole: their matrices are small.",
             given(s_.cluster.etp)))
    return;
  Values split;
  split.add(kNone);
  for (double etp = 1; etp <= std::min(s_.gpu.domain, 8.0); etp *= 2) split.add(etp);
  if (given(s_.cluster.etp)) split.add(s_.cluster.etp);
  axis("cluster.etp", std::move(split), "Powers of two inside the scale-up domain.");
}

void Builder::precision() {
  Values v;
  v.add(static_cast<double>(s_.run.precision));
  std::string why = "As given.";
  if ((can_.can & kFp8) && given(s_.gpu.fp8) && s_.run.precision != Precision::fp4 &&
      lever("fp8", "FP8", "Products in 8 bits; check that the run still converges.",
            s_.run.precision == Precision::fp8))
    v.add(static_cast<double>(Precision::fp8));
  if ((can_.can & kFp4) && given(s_.gpu.fp4) &&
      lever("fp4", "FP4", "Products in 4 bits; few runs have been trained so.",
            s_.run.precision == Precision::fp4))
    v.add(static_cast<double>(Precision::fp4));
  if (v.list.size() > 1) why = "Lower precision allowed.";
  axis("run.precision", std::move(v), std::move(why));
}

void Builder::sharding() {
  const bool pieces = (can_.can & kVirtual) && stages_.size() > 1;
  Values kinds;
  kinds.add(static_cast<double>(Schedule::one_f_one_b));
  const bool other = s_.cluster.schedule != Schedule::one_f_one_b && s_.cluster.pp > 1;
  if (((can_.can & (kZeroBubble | kDualPipe | kDualPipeV)) || other) && stages_.size() > 1) {
    if (lever("schedules", "Zero-bubble and DualPipe schedules",
              "They fill the bubble, and few trainers run them.", other)) {
      if (can_.can & kZeroBubble)
        for (const Schedule k : {Schedule::zb_h1, Schedule::zbv}) kinds.add(static_cast<double>(k));
      if (can_.can & kDualPipe) kinds.add(static_cast<double>(Schedule::dualpipe));
      if (can_.can & kDualPipeV) kinds.add(static_cast<double>(Schedule::dualpipe_v));
      kinds.add(static_cast<double>(s_.cluster.schedule));
    }
  }
  axis("cluster.schedule", std::move(kinds), "1F1B, and what is allowed beside it.");

  Values v;
  v.add(1);
  if (pieces)
    for (double n = 2; n <= std::min(kMostPieces, s_.model.layers / 2); ++n)
      for (const double pp : stages_)
        if (pp > 1 && (pp > 2 || power_of_two(n)) && pp * n <= s_.model.layers &&
            (even(s_, pp * n) || (unequal_ && power_of_two(n))))
          v.add(n);
  if (stages_.size() > 1) v.add(s_.cluster.virtual_stages);
  v.sort();
  axis("cluster.virtual_stages", std::move(v),
       unequal_ ? "Pieces of a stage with equally many layers, and powers of two."
                : "Pieces of a stage with equally many layers.");

  Values zero;
  // Sharing the optimizer sends as much as not sharing it, and pays unless it is small.
  const bool adapters = s_.run.task == Task::finetune && s_.tune.method != Method::full;
  const bool shares = can_.zero > kZero0 && !adapters && gpus_.back() > 1;
  for (double z = shares ? 1 : 0; z <= 3; ++z)
    if (can_.zero >> static_cast<unsigned>(z) & 1) zero.add(z);
  if (gpus_.back() > 1) zero.add(s_.cluster.zero);
  zero.sort();
  axis("cluster.zero", std::move(zero), "What this framework shares.");

  Values shard;
  shard.add(kNone);
  if (can_.can & kHybrid && gpus_.back() > 8) {
    const double most = gpus_.back() / 2;
    const bool any = (can_.can & kSizes) != 0;
    // A few sizes: a domain, and a half, a quarter ... of all.
    if (s_.gpu.domain > 1 && s_.gpu.domain <= most) shard.add(s_.gpu.domain);
    if (any) {
      for (double n = 8; n <= std::min(most, 512.0); n *= 2) shard.add(n);
      for (const double gpus : gpus_)
        if (given(s_.cluster.gpus) && divides(2, gpus)) shard.add(gpus / 2);
    }
  }
  if (given(s_.cluster.shard)) shard.add(s_.cluster.shard);
  std::sort(shard.list.begin() + 1, shard.list.end());
  axis("cluster.shard", std::move(shard), "All ranks, or a scale-up domain and more.");
}

void Builder::batch() {
  Values v;
  const double most = std::max(1.0, std::floor(kTokensAtOnce / std::max(1.0, s_.run.seq)));
  const bool any =
      lever("any_micro_batch", "Micro-batches of any size",
            "By default powers of two, which kernels are tuned for, and the one that is given.",
            !power_of_two(s_.run.micro_batch));
  for (double mb = 1; mb <= std::min(most, s_.run.global_batch); ++mb)
    if (divides(mb, s_.run.global_batch) && (any || power_of_two(mb))) v.add(mb);
  v.add(s_.run.micro_batch);
  v.sort();
  axis("run.micro_batch", std::move(v),
       std::string(any ? "Divisors" : "Powers of two that divide the batch") +
           (any ? " of the batch, up to " : ", up to ") + number_text(kTokensAtOnce) +
           " tokens at a time.");
}

void Builder::recompute() {
  if ((can_.can & kPartial) &&
      lever("partial", "Recompute some layers only",
            "Full recomputation of every second or fourth layer; the others keep everything.",
            s_.run.recompute == Recompute::full && s_.run.recompute_every > 1)) {
    Values every;
    for (const double n : {1.0, 2.0, 4.0}) every.add(n);
    every.add(s_.run.recompute_every);
    axis("run.recompute_every", std::move(every), "Every layer, every second, every fourth.");
  }
  Values v;
  const struct {
    unsigned bit;
    Recompute kind;
  } kKinds[] = {{kNothing, Recompute::none},
                {kPointwise, Recompute::pointwise},
                {kSelective, Recompute::selective},
                {kFull, Recompute::full}};
  for (const auto& [bit, kind] : kKinds)
    if ((can_.recompute & bit) || s_.run.recompute == kind) v.add(static_cast<double>(kind));
  // Which of the two partial kinds is the dearer depends on the attention.
  const auto has = [&](Recompute kind) {
    return std::count(v.list.begin(), v.list.end(), static_cast<double>(kind)) > 0;
  };
  const bool dearer = !(has(Recompute::pointwise) && has(Recompute::selective));
  axis("run.recompute", std::move(v), "What this framework recomputes.", dearer);
}

/// Weights and gradients that come and go need buffers, so that less is not sure to be held: these
/// axes lie outside of recomputation, and the others, which are dearer in all, inside.
void Builder::offload(bool outer) {
  constexpr unsigned kAny = kOffloadOptimizer | kOffloadActivations | kOffloadWeights;
  if (!(can_.can & kAny)) return;
  const Cluster& c = s_.cluster;
  if (outer)
    offload_ = lever(
        "offload", "Offload to host memory",
        "Optimizer states, activations or weights wait in the host's memory and "
        "travel over PCIe.",
        c.offload_weights || c.offload_gradients || c.offload_optimizer || c.offload_activations);
  if (!offload_) return;
  const struct {
    unsigned bit;
    const char* path;
    bool used, outer;
  } kKinds[] = {{kOffloadWeights, "cluster.offload_weights", c.offload_weights, true},
                {0, "cluster.offload_gradients", c.offload_gradients, true},
                {kOffloadOptimizer, "cluster.offload_optimizer", c.offload_optimizer, false},
                {kOffloadActivations, "cluster.offload_activations", c.offload_activations, false}};
  for (const auto& kind : kKinds) {
    if (kind.outer != outer || (!(can_.can & kind.bit) && !kind.used)) continue;
    Values v;
    v.add(0);
    v.add(1);
    axis(kind.path, std::move(v), "Allowed.", !outer);
  }
}

void Builder::headroom() {
  if (lever("headroom", "No spare memory",
            "By default one part in twenty of the memory stays free, beside the reserve: that is "
            "how far the estimate may be off.",
            false))
    return;
  const Metric* free = find_metric("layout.free");
  for (const Limit& l : out_.space.limits)
    if (l.metric == free) return;
  out_.space.limits.push_back({free, kSpareMemory * s_.gpu.memory, INFINITY});
}

/// Rules that the scenario breaks whatever its layout.
void Builder::tolerate() {
  Scenario plain = out_.space.base;
  plain.cluster.gpus = plain.cluster.tp = 1;
  plain.cluster.pp = plain.cluster.cp = plain.cluster.ep = 1;
  plain.cluster.zero = 0;
  plain.run.global_batch = plain.run.micro_batch = 1;
  for (const Problem& p : check(plain))
    if (const Field* f = field_by_path(p.path); f && p.severity == Severity::warning)
      out_.space.tolerated.push_back({f->path, p.code});
}

void Builder::serve() {
  counts();
  Values tp;
  for (double n = 1; n <= std::min(std::max(1.0, s_.gpu.domain), kMostTp); ++n)
    if (splits_heads(s_.model, n)) tp.add(n);
  const bool across =
      s_.gpu.domain < kMostAcross &&
      lever("tp_across", "Tensor parallelism across nodes",
            "By default it stays inside the scale-up domain, whose links carry its activations.",
            s_.cluster.tp_across);
  if (across) {
    for (double n = 2; n <= kMostAcross; n *= 2)
      if (splits_heads(s_.model, n)) tp.add(n);
    out_.space.base.cluster.tp_across = true;
  }
  if (given(s_.cluster.tp)) tp.add(s_.cluster.tp);
  tp.sort();
  axis("cluster.tp", std::move(tp),
       "Inside the scale-up domain of " + number_text(s_.gpu.domain) +
           " accelerators, where it divides the heads.");
  Values batch;
  batch.add(s_.serve.batch);
  if (lever("batch", "Another batch",
            "Half, twice and up to sixteen times as many sequences at once: cheaper tokens, a "
            "slower answer.",
            false))
    for (const double k : {0.25, 0.5, 2.0, 4.0, 8.0, 16.0})
      if (std::floor(k * s_.serve.batch) == k * s_.serve.batch) batch.add(k * s_.serve.batch);
  batch.sort();
  axis("serve.batch", std::move(batch), "As given, and what is allowed beside it.");
  Values weights, cache;
  weights.add(static_cast<double>(s_.serve.weights));
  if (lever("weights", "Quantized weights", "8 or 4 bits; check the quality of the answers.",
            false))
    for (const Format f : {Format::fp8_e4m3, Format::int4_g128})
      weights.add(static_cast<double>(f));
  axis("serve.weights", std::move(weights), "As given, and what is allowed beside it.");
  cache.add(static_cast<double>(s_.serve.kv));
  if (lever("kv", "KV cache in FP8", "Half the bytes of each token of context.",
            s_.serve.kv == Format::fp8_e4m3))
    cache.add(static_cast<double>(Format::fp8_e4m3));
  axis("serve.kv", std::move(cache), "As given, and what is allowed beside it.");
  out_.space.distinct = std::min<std::size_t>(3, out_.space.axes.size());
}

void Builder::build() {
  out_.scenario = s_;
  out_.wish = wish_;
  out_.space.base = s_;
  if (s_.run.task != Task::serve) out_.space.refuse = unusual;
  report_ = estimate(s_);
  objective();
  if (s_.run.task == Task::serve) {
    serve();
    headroom();
    tolerate();
    return;
  }
  start();
  counts();
  tensor();
  pipeline();
  sequence();
  experts();
  if (report_.pace.predicted) precision();
  sharding();
  batch();
  offload(true);
  recompute();
  offload(false);
  headroom();
  tolerate();
}

/// "TP 8, PP 16, DP 128"
std::string label_of(const Scenario& s, const Report& r) {
  std::string out;
  const auto say = [&](std::string_view name, double ways) {
    if (ways > 1)
      out.append(out.empty() ? "" : ", ").append(name).append(" ").append(number_text(ways));
  };
  const bool serve = s.run.task == Task::serve;
  say("TP", r.layout.tp);
  if (!serve) {
    say("PP", s.cluster.pp);
    say("CP", s.cluster.cp);
    say("EP", s.cluster.ep);
  }
  say(serve ? "replicas" : "DP", r.layout.dp);
  return out.empty() ? "one GPU" : out;
}

std::string lower(std::string_view label) { return lower_case(label); }

std::string detail_of(const Scenario& s, const Scenario& asked) {
  std::string out;
  const auto say = [&](std::string text) { out.append(out.empty() ? "" : ", ").append(text); };
  const auto choice = [](std::string_view path, const Scenario& of) {
    const Field& f = *field_by_path(path);
    return std::string(f.choices[static_cast<std::size_t>(get_number(f, of))].label);
  };
  const Cluster& c = s.cluster;
  if (s.run.task == Task::serve) {
    say(number_text(s.serve.batch) + " sequences");
    say("weights " + choice("serve.weights", s));
    say("KV cache " + choice("serve.kv", s));
    return out;
  }
  if (c.schedule != Schedule::one_f_one_b) say(choice("cluster.schedule", s));
  if (c.virtual_stages > 1) say(number_text(c.virtual_stages) + " virtual stages");
  if (given(c.etp)) say("ETP " + number_text(c.etp));
  if (c.zero > 0) say("ZeRO-" + number_text(c.zero));
  if (given(c.shard)) say("shards over " + number_text(c.shard));
  say("micro-batch " + number_text(s.run.micro_batch));
  say(s.run.recompute == Recompute::none
          ? "no recomputation"
          : lower(choice("run.recompute", s)) + " recomputation" +
                (s.run.recompute_every > 1
                     ? " of every " + number_text(s.run.recompute_every) + "th layer"
                     : ""));
  if (s.run.precision != asked.run.precision) say(choice("run.precision", s));
  if (c.offload_optimizer) say("optimizer offloaded");
  if (c.offload_activations) say("activations offloaded");
  if (c.offload_weights) say("weights offloaded");
  if (c.offload_gradients) say("gradients offloaded");
  return out;
}

int simplicity_of(const Scenario& s, const Scenario& asked, double tp) {
  const Cluster& c = s.cluster;
  int n = tp > 1;
  n += tp > s.gpu.domain && s.gpu.domain >= 1;
  if (s.run.task == Task::serve)
    return n + (s.serve.batch != asked.serve.batch) + (s.serve.weights != asked.serve.weights) +
           (s.serve.kv != asked.serve.kv);
  n += c.pp > 1;
  n += c.pp > 1 && (c.virtual_stages > 1 || c.schedule != Schedule::one_f_one_b);
  n += c.cp > 1;
  n += c.ep > 1;
  n += given(c.etp);
  n += given(c.shard);
  n += s.run.recompute_every > 1;
  n += s.run.precision != asked.run.precision;
  return n + c.offload_optimizer + c.offload_activations + c.offload_weights + c.offload_gradients;
}

constexpr std::string_view kTrained[] = {
    "time.step",   "time.total",     "time.mfu",
    "layout.free", "layout.per_gpu", "cost.total",
    "cost.energy", "gpus.used",      "time.tokens_per_s_per_gpu"};
constexpr std::string_view kServed[] = {
    "serving.tokens_per_s", "serving.tokens_per_s_per_user", "serving.latency", "layout.free",
    "layout.per_gpu",       "cost.per_million_tokens",       "gpus.used"};

PlanRow row_of(const PlanSpace& p, const Scenario& s) {
  PlanRow row;
  row.scenario = s;
  // Leaving the domain is said only where a plan does.
  if (given(s.cluster.tp) && s.cluster.tp <= s.gpu.domain)
    row.scenario.cluster.tp_across = p.scenario.cluster.tp_across;
  for (const Field& f : fields())
    if (!same(f, p.scenario, row.scenario)) row.patch.emplace_back(f.path, get(f, row.scenario));
  std::vector<Step> steps;
  steps.reserve(256);
  const Report r = estimate(row.scenario, Ledger(steps));
  for (const std::string_view id : plan_metrics(s))
    for (const Step& step : steps)
      if (step.id == id) row.metrics.emplace_back(id, step.value);
  for (const Step& step : steps)
    if (step.id == p.space.least->id) row.value = step.value;
  row.label = label_of(row.scenario, r);
  row.detail = detail_of(row.scenario, p.scenario);
  row.simplicity = simplicity_of(row.scenario, p.scenario, r.layout.tp);
  row.fits = r.layout.fits;
  return row;
}

bool more(const PlanSpace& p) {
  const Measure* m = find_measure(p.space.least->id);
  return m && m->more;
}
/// How far `x` is from the best, as a share; 0 is as good.
double behind(bool more, double best, double x) {
  return more ? (best - x) / std::fabs(best) : (x - best) / std::fabs(best);
}

/// A space so small is searched whole once more for each gain.
constexpr std::size_t kSmallSpace = 500000;

/// Plans within this share of one another are as good.
constexpr double kAsGood = 0.01;

double metric_of(const PlanRow& row, std::string_view id) {
  for (const auto& [metric, value] : row.metrics)
    if (metric == id) return value;
  return kNone;
}

/// Within 1 % in what is minimised and in what the front compares.
bool as_good(const PlanSpace& p, const PlanRow& best, const PlanRow& row) {
  if (!(behind(more(p), best.value, row.value) <= kAsGood)) return false;
  return std::none_of(p.space.front.begin(), p.space.front.end(), [&](const Metric* m) {
    return behind(find_measure(m->id)->more, metric_of(best, m->id), metric_of(row, m->id)) >
           kAsGood;
  });
}

/// Best first, but of those that are as good as the best that is left the simplest.
void order(const PlanSpace& p, std::vector<PlanRow>& rows) {
  std::stable_sort(rows.begin(), rows.end(), [&](const PlanRow& a, const PlanRow& b) {
    if (a.value != b.value) return more(p) ? a.value > b.value : a.value < b.value;
    for (const Metric* m : p.space.front) {
      const double x = metric_of(a, m->id), y = metric_of(b, m->id);
      if (x < y || y < x) return find_measure(m->id)->more ? x > y : x < y;
    }
    return false;
  });
  for (std::size_t i = 0; i + 1 < rows.size(); ++i) {
    std::size_t best = i;
    for (std::size_t k = i + 1;
         k < rows.size() && behind(more(p), rows[i].value, rows[k].value) <= kAsGood; ++k)
      if (rows[k].simplicity < rows[best].simplicity && as_good(p, rows[i], rows[k])) best = k;
    std::rotate(rows.begin() + i, rows.begin() + best, rows.begin() + best + 1);
  }
}

/// The point with fewer kinds of things in use, as long as it is legal and within 1 %: each axis
/// that does not tell plans apart goes back to its first value, which is the plainest.
std::size_t simpler(const PlanSpace& p, const Candidate& c) {
  const bool most = more(p);
  std::size_t point = c.point, stride = 1;
  const auto simplicity = [&](std::size_t at) {
    const Scenario s = scenario_at(p.space, at);
    return simplicity_of(s, p.scenario, given(s.cluster.tp) ? s.cluster.tp : 1);
  };
  for (std::size_t a = p.space.axes.size(); a-- > p.space.distinct;) {
    const std::size_t size = p.space.axes[a].axis.values.size(), at = point / stride % size;
    const std::size_t plain = point - at * stride;
    stride *= size;
    if (at == 0 || simplicity(plain) >= simplicity(point)) continue;
    Search one(p.space, plain, plain + 1);
    one.run();
    if (one.found().kept.empty()) continue;
    const Candidate& other = one.found().kept.front();
    bool good = behind(most, c.value, other.value) <= kAsGood;
    for (std::size_t k = 0; k < p.space.front.size(); ++k)
      good = good && !(behind(find_measure(p.space.front[k]->id)->more, c.objectives[k],
                              other.objectives[k]) > kAsGood);
    if (good) point = plain;
  }
  return point;
}

/// Axes cut down to the values that the plans found have, and their neighbours.
void narrow(Space& space, const Space& searched, const Found& found) {
  std::vector<Scenario> plans;
  for (const Candidate& c : found.kept) {
    plans.push_back(scenario_at(searched, c.point));
    if (plans.size() == 4) break;
  }
  for (SearchAxis& a : space.axes) {
    const Field& f = *a.axis.field;
    const SearchAxis* old = nullptr;
    for (const SearchAxis& b : searched.axes)
      if (b.axis.field == &f) old = &b;
    if (!old || plans.empty()) continue;
    const auto has = [](const std::vector<double>& list, double x) {
      for (const double y : list)
        if (y == x || (std::isnan(x) && std::isnan(y))) return true;
      return false;
    };
    std::vector<double> near;
    const std::vector<double>& all = a.axis.values;
    for (std::size_t i = 0; i < all.size(); ++i) {
      bool close = !has(old->axis.values, all[i]);
      for (const Scenario& s : plans)
        for (std::size_t k = i > 0 ? i - 1 : 0; k <= i + 1 && k < all.size(); ++k) {
          const double x = get_number(f, s);
          close = close || all[k] == x || (std::isnan(x) && std::isnan(all[k]));
        }
      if (close) near.push_back(all[i]);
    }
    a.axis.values = std::move(near);
  }
}

}  // namespace

PlanSpace plan_space(const Scenario& s, const PlanWish& wish) {
  PlanSpace out;
  Builder(s, wish, out).build();
  return out;
}

std::span<const std::string_view> plan_metrics(const Scenario& s) {
  return s.run.task == Task::serve ? std::span<const std::string_view>(kServed)
                                   : std::span<const std::string_view>(kTrained);
}

std::vector<PlanRow> plans(const PlanSpace& p, const Found& found) {
  std::vector<PlanRow> best;
  const auto on_front = [&](const Candidate& c) {
    return std::any_of(found.front.begin(), found.front.end(), [&](const Candidate& f) {
      return f.point == c.point || f.objectives == c.objectives;
    });
  };
  const auto kept = [&](const Candidate& c) {
    return std::any_of(found.kept.begin(), found.kept.end(),
                       [&](const Candidate& k) { return k.point == c.point; });
  };
  for (const Candidate& c : found.kept) {
    best.push_back(row_of(p, scenario_at(p.space, simpler(p, c))));
    best.back().front = on_front(c);
  }
  order(p, best);
  // The rest of the front, in its own order.
  std::vector<const Candidate*> rest;
  for (const Candidate& c : found.front)
    if (!kept(c)) rest.push_back(&c);
  if (rest.size() > p.space.keep) rest.resize(p.space.keep);
  for (const Candidate* c : rest) {
    best.push_back(row_of(p, scenario_at(p.space, c->point)));
    best.back().front = true;
  }
  return best;
}

PlanRow present(const PlanSpace& p) {
  PlanRow row = row_of(p, p.scenario);
  return row;
}

std::vector<Gain> gains(const PlanSpace& p, const Found& found, const std::vector<PlanRow>& shown) {
  std::vector<Gain> out;
  const bool most = more(p);
  const double now = shown.empty() ? kNone : shown.front().value;
  const auto look = [&](std::string_view label, std::string_view id, const Scenario& s,
                        const PlanWish& wish, const Patch& patch) {
    PlanSpace wider = plan_space(s, wish);
    wider.space.front.clear();
    const bool whole = found.kept.empty() || points(wider.space) <= kSmallSpace;
    if (!whole) narrow(wider.space, p.space, found);
    Search search(wider.space);
    search.run();
    // As it would be shown: of those within 1 % the simplest.
    const std::vector<PlanRow> rows = plans(wider, search.found());
    if (rows.empty()) return;
    const double then = rows.front().value;
    if (given(now) && behind(most, now, then) > -kAsGood / 2) return;
    out.push_back({std::string(label), id, patch, now, then, whole});
  };
  for (const PlanSwitch& s : p.switches) {
    if (s.on) continue;
    PlanWish wish = p.wish;
    wish.allow.emplace_back(s.id);
    look(s.label, s.id, p.scenario, wish, {});
  }
  if (given(p.scenario.cluster.gpus)) {
    Scenario s = p.scenario;
    s.cluster.gpus *= 2;
    PlanWish wish = p.wish;
    std::erase_if(wish.axes, [](const Axis& a) { return a.field->path == "cluster.gpus"; });
    look(number_text(s.cluster.gpus) + " GPUs", {}, s, wish, {{"cluster.gpus", s.cluster.gpus}});
  }
  std::stable_sort(out.begin(), out.end(), [&](const Gain& a, const Gain& b) {
    return most ? a.then > b.then : a.then < b.then;
  });
  return out;
}

Problem no_plan(const PlanSpace& p, const Found& found) {
  // With bounds a whole branch counts as too large, whatever rules it breaks as well.
  Tally tally = found.tally;
  if (points(p.space) <= kSmallSpace / 4) {
    Space every = p.space;
    every.exhaustive = true;
    Search search(every);
    search.run();
    tally = search.found().tally;
  }
  // The commonest of those that got the furthest: to a limit, to the memory, to a rule. That large
  // layouts need many GPUs is said only where nothing else is wrong, and that a point repeats
  // another is nothing wrong.
  const auto reached = [](const Rejection& r) {
    if (r.code == "limit" || r.code == "unknown") return 3;
    if (r.code == "memory") return 2;
    return r.code == "too_few" ? 0 : 1;
  };
  const Rejection* most = nullptr;
  for (const Rejection& r : tally.rejected)
    if (r.code != "not_used" && (!most || reached(r) > reached(*most) ||
                                 (reached(r) == reached(*most) && r.count > most->count)))
      most = &r;
  if (!most)
    return {"plan",
            Severity::warning,
            "no_plan",
            "There is no layout to be tried.",
            "Change the axes of the request.",
            ""};
  constexpr struct {
    std::string_view path, hint;
  } kHints[] = {
      {"cluster.gpus", "Take a number of GPUs that is a multiple of a node's, or of a power of 2."},
      {"run.global_batch",
       "Take a number of GPUs whose ranks divide the batch, or a batch that is a multiple of "
       "them."},
      {"run.seq", "Take a sequence that is a multiple of a larger power of two."},
      {"cluster.tp", "Leave tensor parallelism open."},
  };
  std::string_view hint = "Allow what is off by default, or change that input.";
  const bool unknown = most->code == "unknown", money = most->path.starts_with("cost.");
  if (most->code == "limit")
    hint = money || most->path == "gpus.used" ? "Loosen the limit."
                                              : "Loosen the limit, or take more GPUs.";
  if (unknown)
    hint = most->path == "cost.energy" ? "Choose an accelerator whose rated power is known."
           : money                     ? "Give the price per GPU-hour."
                                       : "Choose another measure.";
  for (const auto& [path, text] : kHints)
    if (path == most->path) hint = text;
  std::string memory = "Take more GPUs or ones with more memory";
  if (most->code == "memory") {
    for (const PlanSwitch& s : p.switches)
      if (!s.on && (s.id == "offload" || s.id == "weights" || s.id == "kv" || s.id == "batch" ||
                    s.id == "tp_across"))
        memory.append(", or allow ").append(s.id);
    hint = memory.append(".");
  }
  const std::string label = label_of(*most), count = number_text(static_cast<double>(most->count));
  return {unknown && money          ? std::string("price.usd_per_gpu_hour")
          : find_metric(most->path) ? std::string("plan")
                                    : most->path,
          Severity::warning,
          "no_plan",
          "No layout can be proposed. " +
              (reached(*most) > 1 ? "Of those that break no rule, " + count + " fail by this: "
                                  : "The commonest reason, of " + count + " layouts: ") +
              label + ".",
          std::string(hint),
          ""};
}

std::string label_of(const Rejection& r) {
  constexpr struct {
    std::string_view path, code, label;
  } kLabels[] = {
      {"layout.free", "memory", "Not enough memory"},
      {"layout.free", "limit", "Too little memory would stay free"},
      {"", "limit", "Beyond a limit"},
      {"", "unknown", "Not known"},
      {"", "not_used", "Repeats another layout: an input has no effect there"},
      {"plan", "uneven", "Stages of unequal length"},
      {"plan", "accumulates", "This framework does not sum gradients over micro-batches"},
      {"cluster.gpus", "too_few", "A replica takes more GPUs than there are"},
      {"cluster.gpus", "not_divisible", "GPUs are no whole number of replicas"},
      {"run.global_batch", "too_small", "Fewer sequences in the batch than ranks"},
      {"run.global_batch", "not_divisible", "The batch does not divide over the ranks"},
      {"run.global_batch", "not_interleaved",
       "Virtual stages need a multiple of the stages in micro-batches"},
      {"run.global_batch", "too_few_micro_batches", "Too few micro-batches for DualPipe"},
      {"cluster.tp", "not_divisible", "TP does not divide the heads"},
      {"cluster.tp", "kv_heads", "TP does not divide the KV heads"},
      {"cluster.tp", "beyond_domain", "TP leaves the scale-up domain"},
      {"cluster.pp", "too_large", "More stages than layers"},
      {"cluster.pp", "odd", "DualPipe needs an even number of stages"},
      {"cluster.virtual_stages", "too_large", "More pieces of stages than layers"},
      {"cluster.zero", "not_with_pipeline", "ZeRO-2 and 3 do not go with a pipeline"},
      {"cluster.cp", "not_divisible", "CP does not divide the heads"},
      {"run.seq", "not_divisible", "The sequence does not divide over CP and TP"},
      {"cluster.ep", "not_divisible", "EP does not divide the experts"},
      {"cluster.ep", "not_a_share", "EP does not divide the GPUs of a stage"},
      {"cluster.ep", "too_large", "EP is more than the GPUs of a stage"},
      {"cluster.etp", "not_a_share", "ETP does not divide the GPUs of a stage"},
      {"cluster.etp", "too_large", "ETP is more than the GPUs of a stage"},
      {"cluster.etp", "not_divisible", "ETP does not divide an expert"},
      {"cluster.shard", "too_large", "A sharding group larger than the ranks"},
      {"cluster.shard", "not_divisible", "A sharding group does not divide the ranks"},
      {"states.in_backward", "accumulates", "A step in the backward pass cannot accumulate"},
  };
  for (const auto& [path, code, label] : kLabels)
    if (code == r.code && (path.empty() || path == r.path)) {
      std::string out(label);
      if (path.empty())
        if (const Metric* m = find_metric(r.path)) out.append(": ").append(m->label);
      return out;
    }
  const Field* f = field_by_path(r.path);
  return std::string(f ? f->label : r.path) + ": " + r.code;
}

}  // namespace envelope
