// SPDX-License-Identifier: MIT
#include "envelope/budget.h"

#include <algorithm>
#include <cmath>

#include "envelope/family.h"
#include "envelope/math.h"

namespace envelope {
namespace {

constexpr double kMonth = 30 * 86400.0;
/// A first guess of the utilisation, replaced by that of planned layouts.
constexpr double kGuess = 0.4;
/// Steps that a model needs to learn from; batches are smaller where the run is short.
constexpr double kSteps = 1000;
/// Sizes shown around the best, apart by this factor.
constexpr int kSizes = 5;
constexpr double kApart = 1.5;
/// Rounds in which size and utilisation are found, and how near they come.
constexpr int kRounds = 8;
constexpr double kNear = 0.01;
/// GPUs of a replica for which a batch is made too small, at the most.
constexpr double kReplica = 8;
/// Sizes from which layers are a multiple of 8, and of 16, for the longer pipelines.
constexpr double kLarge = 3e10, kHuge = 3e11;
/// Sizes looked at for one with a plan, to each side, and their steps.
constexpr int kNeighbours = 24;
constexpr double kStride = 1.1;

/// What is trained on: the same for every size.
struct Means {
  double gpus = kNone;
  double seconds = kNone;  ///< Of training, at most.
  double flop = kNone;     ///< At most.
};

double optimal_size(const Scenario& s, double flop) {
  return scaling(s, 1e9, Tokens{1e9}, Flops{flop}, {}).optimal_params;
}

/// The layout that the planner thinks best for so many GPUs. False where nothing fits.
bool plan_for(Scenario& s, std::string& layout) {
  PlanWish wish;
  wish.keep = 1;
  PlanSpace p = plan_space(s, wish);
  p.space.front.clear();
  Search search(p.space);
  search.run();
  const std::vector<PlanRow> rows = plans(p, search.found());
  if (rows.empty() || !rows.front().fits) return false;
  s = rows.front().scenario;
  layout = rows.front().label;
  return true;
}

/// A batch that divides whatever the layout: the nearest multiple of the replicas that may be; and
/// small enough for so many tokens to be enough steps, as far as each replica has a sequence.
double batch_for(const Scenario& s, double gpus, double tokens) {
  const double wanted =
      std::clamp(std::floor(tokens / kSteps / sequence_length(s)), 1.0, s.run.global_batch);
  double unit = gpus;
  while (unit > wanted && unit > gpus / kReplica && std::fmod(unit, 2) == 0) unit /= 2;
  if (unit > wanted && unit > gpus / kReplica)
    unit = std::max(1.0, std::floor(unit / s.gpu.domain));
  const double replicas = std::max(1.0, std::round(wanted / unit));
  return replicas * unit;
}

class Finder {
 public:
  Finder(const Scenario& s, const Family& family, const Means& means)
      : s_(s), family_(family), means_(means) {}

  /// The member trained with all that there is, which is about so many FLOP, or with so many
  /// tokens; empty where it does not fit.
  Trained train(double member, double about, double tokens = kNone) const {
    Trained out;
    Scenario t = s_;
    family_.put(t, member);
    t.cluster.gpus = means_.gpus;
    t.cluster.tp = kNone;
    t.run.global_batch =
        batch_for(t, means_.gpus, given(tokens) ? tokens : about / (6 * active(member)));
    t.run.tokens = given(tokens) ? tokens : 1e12;
    if (!plan_for(t, out.layout)) return {};
    const Report plan = estimate(t);
    const double batch = t.run.global_batch * sequence_length(t), step = plan.time.step.value;
    if (!given(tokens)) {
      // Whole steps, as many as time and FLOP allow.
      double steps = INFINITY;
      if (given(means_.seconds)) steps = means_.seconds / step;
      if (given(means_.flop))
        steps = std::min(steps, means_.flop / (6 * plan.architecture.active) / batch);
      if (!(steps >= 1)) return {};
      t.run.tokens = std::floor(steps) * batch;
    }
    const Report r = estimate(t);
    out.params = r.architecture.total;
    out.active = r.architecture.active;
    out.tokens = t.run.tokens;
    out.loss = loss_at(s_.scaling.law, out.active, out.tokens);
    out.gpus = r.layout.used;
    out.mfu = r.time.mfu;
    out.seconds = r.time.total.value;
    if (given(r.cost.price)) out.usd = r.cost.total.value;
    out.train_flop = 6 * out.active * out.tokens;
    out.scenario = t;
    return out;
  }

  double active(double member) const {
    Scenario t = s_;
    family_.put(t, member);
    return architecture(t, {}).active;
  }

  /// The member nearest to so many active parameters, by bisection.
  double member(double params) const {
    double low = 0, high = family_.members() - 1;
    while (high - low > 1) {
      const double middle = std::floor((low + high) / 2);
      (active(middle) <= params ? low : high) = middle;
    }
    return params / active(low) < active(high) / params ? low : high;
  }

 private:
  const Scenario& s_;
  const Family& family_;
  const Means& means_;
};

void refuse(BestModel& out, std::string_view path, std::string_view code, std::string message,
            std::string hint) {
  out.problems.push_back(
      {std::string(path), Severity::error, code, std::move(message), std::move(hint), ""});
}

/// GPUs, and for how long. False where the budget says too little.
bool means_of(const Scenario& s, const Budget& b, double yield, Means& out, BestModel& answer) {
  const double price = s.price.usd_per_gpu_hour / 3600, peak = estimate(s).pace.peak.value;
  if (given(b.usd) && !(price > 0)) {
    refuse(answer, "price.usd_per_gpu_hour", "missing", "Dollars buy nothing without a price.",
           "Give the price per GPU-hour.");
    return false;
  }
  if (!given(b.usd) && !given(b.flop) && !(given(s.cluster.gpus) && given(b.seconds))) {
    refuse(answer, "solve.usd", "missing", "There is no budget.",
           "Give dollars, FLOP, or GPUs and days.");
    return false;
  }
  double seconds = b.seconds;
  out.flop = b.flop;
  out.gpus = s.cluster.gpus;
  if (!given(out.gpus)) {
    if (!given(seconds)) {
      seconds = kMonth;
    }
    double most = INFINITY;
    if (given(b.usd)) most = b.usd / price / seconds;
    if (given(b.flop)) most = std::min(most, b.flop / (yield * peak) / seconds);
    most = std::min(most, 1e8);
    // Up to a number that divides well; then the same money is spent a little sooner.
    double unit = most >= s.gpu.domain ? s.gpu.domain : 1;
    while (most / unit > 32) unit *= 2;
    out.gpus = std::clamp(std::ceil(most / unit) * unit, 1.0, 1e8);
  }
  // Dollars may buy less time than there is.
  const double paid = given(b.usd) ? b.usd / price / out.gpus : INFINITY;
  out.seconds = std::min(given(seconds) && given(s.cluster.gpus) ? seconds : INFINITY, paid);
  if (given(b.seconds)) out.seconds = std::min(out.seconds, b.seconds);
  if (!(out.seconds < INFINITY)) out.seconds = kNone;
  return true;
}

}  // namespace

double tokens_for_loss(Law law, double params, double loss) {
  double low = 1, high = 1e24;
  if (!(loss_at(law, params, high) < loss)) return kNone;
  for (int i = 0; i < 200 && high / low > 1 + 1e-12; ++i) {
    const double middle = std::sqrt(low * high);
    (loss_at(law, params, middle) > loss ? low : high) = middle;
  }
  return high;
}

double size_for_serving(Law law, double optimal_params, double loss, double served) {
  const auto work = [&](double params) {
    const double tokens = tokens_for_loss(law, params, loss);
    return given(tokens) ? 6 * params * tokens + 2 * params * served : INFINITY;
  };
  // Smaller than the optimum, and larger than what reaches the loss with endless tokens. In the
  // logarithm there is one minimum: thirds.
  double low = optimal_params / 1e6, high = optimal_params;
  for (int i = 0; i < 300 && high / low > 1 + 1e-9; ++i) {
    const double third = power(high / low, 1.0 / 3), a = low * third, b = high / third;
    if (work(a) < work(b))
      high = b;
    else
      low = a;
  }
  return std::sqrt(low * high);
}

BestModel best_model(const Scenario& asked, const Budget& budget) {
  BestModel out;
  Scenario s = asked;
  s.run.task = Task::pretrain;
  s.solve = {};
  s.run.deadline = s.run.mfu = s.run.gpu_time = s.run.compute = s.price.bill = kNone;
  s.model.trained_tokens = s.model.trained_flops = kNone;
  const Law law = s.scaling.law;
  if (law == Law::hestness) {
    refuse(out, "scaling.law", "not_supported", "This law does not tell a size.",
           "Choose another, such as besiroglu.");
    return out;
  }
  if (s.model.kind == ModelKind::vit) {
    refuse(out, "model.id", "not_supported",
           "Scaling laws are of language models: they say nothing of a vision transformer.",
           "Choose a language model.");
    return out;
  }
  if (Family(s).members() == 0 || s.model.kind == ModelKind::size_only) {
    s.model = Model{};
    s.model.id = "custom";
    out.notes.emplace_back("The shapes are those of the Llama 3 family.");
  }
  Means means;
  if (!means_of(s, budget, kGuess, means, out)) return out;
  const bool open = !given(s.cluster.gpus);
  const double peak = estimate(s).pace.peak.value;
  const double guess = optimal_size(
      s, given(budget.flop) ? budget.flop : kGuess * peak * means.gpus * means.seconds);
  // Layers that divide over usual pipelines.
  Scenario even = s;
  even.cluster.pp = guess > kHuge ? 16 : guess > kLarge ? 8 : 4;
  even.cluster.virtual_stages = 1;
  even.cluster.first_layers = even.cluster.last_layers = kNone;
  const Family family(even);
  const Finder finder(s, family, means);

  // The size by the law for the FLOP that the GPUs really give, which depend on the size. A single
  // layout may divide well or badly: the median of the size and its neighbours decides.
  const auto bought = [&](double yield) {
    const double flop =
        given(means.seconds) ? yield * peak * means.gpus * means.seconds : means.flop;
    return given(means.flop) ? std::min(flop, means.flop) : flop;
  };
  const auto yield_at = [&](double size, double flop) {
    std::vector<double> yields;
    for (const double share : {1.0, 1 / kApart, kApart}) {
      const Trained t = finder.train(finder.member(share * size), flop);
      if (given(t.params)) yields.push_back(t.train_flop / (peak * t.gpus * t.seconds));
    }
    std::sort(yields.begin(), yields.end());
    return yields.empty() ? kNone : yields[(yields.size() - 1) / 2];
  };
  double yield = kGuess;
  for (int i = 0; i < kRounds; ++i) {
    const double flop = bought(yield), now = yield_at(optimal_size(s, flop), flop);
    if (!given(now)) break;
    const bool settled = std::abs(now / yield - 1) < kNear;
    // Half-way, so that it does not swing between two layouts.
    yield = i == 0 ? now : std::sqrt(yield * now);
    if (open && !given(budget.usd)) {
      if (!means_of(s, budget, yield, means, out)) return out;
    }
    if (settled) break;
  }
  const double flop = bought(yield), size = optimal_size(s, flop);
  for (int i = 0; i <= kNeighbours && !given(out.optimal.params); ++i)
    for (const double share : {power(kStride, -i), power(kStride, i)}) {
      if (given(out.optimal.params)) continue;
      out.optimal = finder.train(finder.member(share * size), flop);
      if (i > 0 && given(out.optimal.params))
        out.notes.emplace_back(
            "No layout fits the size that the law asks for: this is the nearest with one.");
    }
  double last = -1;
  for (int i = 0; i < kSizes && given(out.optimal.params); ++i) {
    const double member = finder.member(size * power(kApart, i - (kSizes - 1) / 2));
    if (member == last) continue;
    last = member;
    Trained one = finder.train(member, flop);
    if (given(one.params)) out.considered.push_back(std::move(one));
  }
  if (given(out.optimal.usd) && out.optimal.usd < 0.9 * budget.usd && !given(budget.flop))
    out.notes.emplace_back("These GPUs cannot spend the budget in that time: part of it is left.");
  if (given(out.optimal.params) && open && !given(budget.seconds))
    out.notes.push_back(
        "Neither GPUs nor days are given: a number of GPUs that divides well and spends it in "
        "about a month, or sooner; here in " +
        number_text(std::round(out.optimal.seconds / 8640) / 10) + " days.");
  if (given(out.optimal.params)) {
    const double batch = out.optimal.scenario.run.global_batch,
                 steps = out.optimal.tokens / batch / sequence_length(s);
    const bool few = steps < 0.9 * kSteps,
               brief = out.optimal.tokens / kSteps / sequence_length(s) < s.run.global_batch;
    if (few || std::abs(batch / s.run.global_batch - 1) > 0.1)
      out.notes.push_back("The batch is " + number_text(batch) + " sequences instead of " +
                          number_text(s.run.global_batch) +
                          (few ? ": the run is so short that these GPUs leave it " +
                                     number_text(std::floor(steps)) + " steps."
                           : brief ? ", so that the run has about 1,000 steps."
                                   : ", so that it divides over the GPUs."));
    if (size < 0.7 * finder.active(0))
      out.notes.emplace_back("The law asks for less than the smallest model of this family.");
  }
  if (!given(out.optimal.params)) {
    refuse(out, "cluster.gpus", "no_plan",
           "On " + number_text(means.gpus) +
               " GPUs the budget trains no model of the size that it is best spent on: it does not "
               "fit, or not a step is paid for.",
           "Give a larger budget, or other GPUs.");
    return out;
  }
  if (!(budget.served > 0)) return out;
  out.optimal.served_flop = 2 * out.optimal.active * budget.served;
  if (!given(out.optimal.loss)) {
    out.notes.emplace_back("This law tells no loss, so there is no other model as good.");
    return out;
  }
  const double small = size_for_serving(law, out.optimal.active, out.optimal.loss, budget.served);
  const double member = finder.member(small);
  const double tokens = tokens_for_loss(law, finder.active(member), out.optimal.loss);
  if (!given(tokens)) return out;
  out.served = finder.train(member, kNone, tokens);
  out.served.served_flop = 2 * out.served.active * budget.served;
  return out;
}

}  // namespace envelope
