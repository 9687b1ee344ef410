// SPDX-License-Identifier: MIT
// Over 400 lines: a third of it is the sentences in which an answer is given.
#include "envelope/solve.h"

#include <algorithm>
#include <cmath>

#include "envelope/math.h"
#include "envelope/rules.h"

namespace envelope {
namespace {

/// What is met but for floating point is met.
constexpr double kRounding = 1e-9;

/// Lengths that people train with are multiples of these.
constexpr double kLengths = 128, kLongLengths = 1024, kLong = 8192;
/// Values looked at over the whole range where nothing meets what is asked, at the most.
constexpr std::size_t kSurvey = 200;
/// A batch this much nearer is worth no larger one.
constexpr double kHardly = 0.01;

bool whole(double parts, double x) { return parts > 0 && std::floor(x / parts) * parts == x; }

/// Rising, up to `most`.
std::vector<double> divisors(double n, double most) {
  std::vector<double> out;
  for (double d = 1; d * d <= n; ++d)
    if (whole(d, n)) {
      out.push_back(d);
      if (d * d != n) out.push_back(n / d);
    }
  std::erase_if(out, [&](double d) { return d > most; });
  std::sort(out.begin(), out.end());
  return out;
}

std::string spoken_whole(double x) {
  const std::string digits = number_text(x);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

/// Three digits, as people say it: 1.23T, 16,384.
std::string spoken(double x) {
  constexpr struct {
    double unit;
    const char* name;
  } kScales[] = {{1e12, "T"}, {1e9, "B"}, {1e6, "M"}};
  for (const auto& [unit, name] : kScales)
    if (std::abs(x) >= unit) {
      double digits = 1;
      while (digits < 100 && x / unit * digits < 100) digits *= 10;
      return number_text(std::round(x / unit * digits) / digits) + name;
    }
  if (x >= 1000) return spoken_whole(std::round(x));
  double digits = 1;
  while (digits < 1000 && x * digits < 100 && std::round(x * digits) / digits != x) digits *= 10;
  return number_text(std::round(x * digits) / digits);
}
std::string spoken_time(double seconds) {
  constexpr struct {
    double unit;
    const char* name;
  } kScales[] = {{86400, " days"}, {3600, " hours"}, {60, " minutes"}};
  for (const auto& [unit, name] : kScales)
    if (seconds >= 2 * unit) return spoken(seconds / unit) + name;
  return spoken(seconds) + " s";
}
std::string spoken_bytes(double bytes) { return spoken(bytes / 1e9) + " GB"; }

const char* path_of(Unknown unknown, bool serve) {
  switch (unknown) {
    case Unknown::tokens:
      return "run.tokens";
    case Unknown::params:
      return "model.params";
    case Unknown::gpus:
      return "cluster.gpus";
    case Unknown::seq:
      return serve ? "serve.prompt" : "run.seq";
    case Unknown::batch:
      return serve ? "serve.batch" : "run.global_batch";
    case Unknown::micro:
      return "run.micro_batch";
    case Unknown::none:
      break;
  }
  return "";
}

std::string value_text(const Scenario& s, Unknown unknown, double value) {
  const bool serve = s.run.task == Task::serve, one = value == 1;
  const std::string n = spoken(value);
  switch (unknown) {
    case Unknown::tokens:
      return n + " tokens";
    case Unknown::params:
      return n + " parameters" +
             (s.model.kind == ModelKind::size_only
                  ? std::string()
                  : " (" + spoken(s.model.layers) + " layers, hidden size " +
                        spoken(s.model.hidden) + ", " + spoken(s.model.heads) + " heads)");
    case Unknown::gpus:
      return n + (one ? " GPU" : " GPUs");
    case Unknown::seq:
      return (serve ? "prompts of " : "sequences of ") + n + (one ? " token" : " tokens");
    case Unknown::batch:
      return serve ? n + (one ? " sequence at a time" : " sequences at a time")
                   : "a global batch of " + n;
    case Unknown::micro:
      return "a micro-batch of " + n;
    case Unknown::none:
      break;
  }
  return n;
}

/// The unknown and what is asked of it, and one look at it.
struct Look {
  double position = kNone;
  Binding worst = Binding::none;  ///< Of what is not met, the farthest off.
  double excess = 0;              ///< By that factor, less one.
  double apart = 1;               ///< The factors of all that is not met, multiplied.
  bool fits = true;
  bool searched = true;  ///< All that the search goes by is met;
  bool met() const { return worst == Binding::none; }
};

double per_million(const Report& r) {
  return r.cost.price * r.layout.used / 3600 / r.serving.tokens_per_s.value * 1e6;
}

class Bisection {
 public:
  Bisection(const Scenario& asked, const Ladder& ladder)
      : ladder_(ladder), unknown_(asked.solve.unknown) {}

  /// All that is asked, at one position.
  Look look(double position) {
    Look out;
    out.position = position;
    const Scenario s = ladder_.at(position);
    const Report r = estimate(s);
    const bool serve = s.run.task == Task::serve;
    // A limit that the other end of the ladder meets is checked once the search is over.
    const bool batch = unknown_ == Unknown::batch;
    const auto ask = [&](Binding which, double value, double limit, bool later) {
      if (!given(limit) || value <= limit * (1 + kRounding)) return;
      const double excess = limit > 0 && given(value) ? value / limit - 1 : INFINITY;
      out.apart *= 1 + excess;
      if (out.met() || excess > out.excess) {
        out.worst = which;
        out.excess = excess;
      }
      out.searched = out.searched && later;
    };
    out.fits = r.layout.fits;
    if (!r.layout.fits)
      ask(Binding::memory, std::max(r.layout.per_gpu.value, r.layout.capacity.value * 1.000001),
          r.layout.capacity.value, ladder_.least() && batch && given(s.cluster.gpus));
    if (serve) {
      if (given(s.solve.per_user))
        ask(Binding::speed, s.solve.per_user / r.serving.per_user.value, 1, false);
      if (given(r.cost.price))
        ask(Binding::cost, per_million(r), s.solve.per_million, batch || unknown_ == Unknown::gpus);
    } else {
      ask(Binding::time, r.time.total.value, s.run.deadline, false);
      if (given(r.cost.price))
        ask(Binding::cost, r.cost.total.value, s.solve.usd, unknown_ == Unknown::gpus);
    }
    if (!given(nearest_.position) || out.excess < nearest_.excess) nearest_ = out;
    if (!given(closest_.position) || closer(out, closest_)) closest_ = out;
    return out;
  }

  /// Neighbours, of which `low` is on the lower side of what is looked for.
  struct Edge {
    Look low, high;
  };
  /// No legal position lies between the two then.
  Edge between(Look low, Look high) {
    const bool rising = ladder_.least();  // the upper side meets
    for (double top = high.position; top - low.position > 1;) {
      const double middle = std::floor((low.position + top) / 2), at = ladder_.next(middle);
      if (!given(at) || at >= top) {
        top = middle;
        continue;
      }
      const Look seen = look(at);
      if (seen.searched == rising) {
        high = seen;
        top = at;
      } else {
        low = seen;
      }
    }
    return {low, high};
  }
  /// The position looked for, and its neighbour that fails; kNone where there is none.
  Edge run() {
    const Look at = look(ladder_.next(ladder_.least() ? 0 : ladder_.start()));
    return ladder_.least() ? climb(at) : descend(at);
  }
  /// From one that meets all, which the search had overlooked, on to the last beside it.
  Edge along(Look at) {
    for (int i = 0; i < 100; ++i) {
      const double position = ladder_.least() ? before(at.position) : ladder_.next(at.position + 1);
      const Look other = given(position) ? look(position) : Look{};
      if (!given(position) || !other.met())
        return ladder_.least() ? Edge{other, at} : Edge{at, other};
      at = other;
    }
    return ladder_.least() ? Edge{{}, at} : Edge{at, {}};
  }
  /// What comes closest to all that is asked, over the whole range; what does not fit comes last.
  /// Of batches the smallest that is hardly farther off: with ever larger ones the time still
  /// shrinks by ever less.
  Look closest(bool& hardly) {
    const double first = ladder_.first(), last = ladder_.last();
    const bool batch = unknown_ == Unknown::batch && ladder_.least();
    if (unknown_ != Unknown::gpus && !batch) return closest_;
    std::vector<Look> seen;
    double grow = 1;
    if (last > first) grow = power(last / first, 1.0 / kSurvey);
    for (double at = first; given(at) && seen.size() <= 2 * kSurvey;
         at = at < last ? ladder_.next(std::min(last, std::max(at + 1, std::floor(at * grow))))
                        : kNone)
      seen.push_back(look(at));
    if (!batch) return closest_;
    for (const Look& x : seen)
      if (x.fits == closest_.fits && x.apart <= closest_.apart * (1 + kHardly)) {
        hardly = x.position < last && x.worst == Binding::time;
        return x;
      }
    return closest_;
  }

 private:
  double before(double position) const {
    double low = ladder_.first(), high = position;
    if (low >= position) return kNone;
    while (high - low > 1) {
      const double middle = std::floor((low + high) / 2), at = ladder_.next(middle);
      if (at < position)
        low = at;
      else
        high = middle;
    }
    return low;
  }
  static bool closer(const Look& a, const Look& b) {
    return a.fits != b.fits ? a.fits : a.apart < b.apart;
  }
  /// The least that meets: doubled until it does.
  Edge climb(Look at) {
    Look below;
    while (!at.searched) {
      below = at;
      const double next = ladder_.next(2 * at.position);
      const double to = given(next) ? next : ladder_.last();
      if (to == at.position) break;
      at = look(to);
    }
    if (!at.searched) {
      at = closer();
      if (!at.searched) return {};
      below = look(ladder_.first());
      if (below.searched) return {{}, below};
    }
    const Edge edge = given(below.position) ? between(below, at) : Edge{{}, at};
    // More GPUs are seldom cheaper, but where the next divide better they may be.
    Look seen = edge.high;
    for (int tries = 0; !seen.met() && tries < 100; ++tries) {
      const double next = ladder_.next(seen.position + 1);
      if (!given(next)) break;
      const Look before = seen;
      seen = look(next);
      if (seen.met()) return {before, seen};
    }
    return edge;
  }
  /// The most that meets: from where it is usual, down until it does, else up; then up.
  Edge descend(Look at) {
    const Look first = at;
    Look above;
    while (!at.searched) {
      above = at;
      const double next = ladder_.next(std::floor(at.position / 2));
      if (next >= at.position) break;  // the first
      at = look(next);
    }
    if (!at.searched) {
      above = {};
      at = first;
      while (!at.searched) {
        const double next = ladder_.next(std::max(1.0, 2 * at.position));
        if (!given(next) || next <= at.position) break;
        at = look(next);
      }
      if (!at.searched) at = closer();
      if (!at.searched) return {};
    }
    while (!given(above.position)) {
      const double next = ladder_.next(std::max(1.0, 2 * at.position));
      const double to = given(next) ? next : ladder_.last();
      if (to == at.position) return {at, {}};
      const Look seen = look(to);
      if (seen.searched)
        at = seen;
      else
        above = seen;
    }
    return between(at, above);
  }
  /// Between the neighbours of the nearest of those looked at, in case that some narrow range
  /// meets: by thirds, on how far off it is.
  Look closer() {
    const Look best = nearest_;
    double low = ladder_.first(), high = ladder_.last();
    if (best.position == low || best.position == high || !(best.excess < 1)) return best;
    low = std::max(low, std::floor(best.position / 2));
    high = std::min(high, 2 * best.position);
    while (high - low > 2) {
      const double third = std::max(1.0, std::floor((high - low) / 3));
      const Look a = look(ladder_.next(low + third)), b = look(ladder_.next(high - third));
      if (a.searched) return a;
      if (b.searched) return b;
      (a.excess > b.excess ? low : high) = a.excess > b.excess ? low + third : high - third;
    }
    return best;
  }

  const Ladder& ladder_;
  Unknown unknown_;
  Look nearest_;  ///< That the search goes on from.
  Look closest_;  ///< For people.
};

/// What a run, a GPU or a user gets, where it is not what was asked: "the run takes 41 days".
std::string beyond(const Scenario& s, Binding binding) {
  const Report r = estimate(s);
  switch (binding) {
    case Binding::time:
      return "the run takes " + spoken_time(r.time.total.value) + ", longer than the " +
             spoken_time(s.run.deadline) + " allowed";
    case Binding::cost:
      return s.run.task == Task::serve
                 ? "a million tokens cost $" + spoken(per_million(r)) + ", more than the $" +
                       spoken(s.solve.per_million) + " allowed"
                 : "the run costs $" + spoken(r.cost.total.value) + ", more than the $" +
                       spoken(s.solve.usd) + " allowed";
    case Binding::memory:
      return "a GPU would need " + spoken_bytes(r.layout.per_gpu.value) + " and has " +
             spoken_bytes(r.layout.capacity.value);
    case Binding::speed:
      return "a user gets " + spoken(r.serving.per_user.value) + " tokens/s, fewer than the " +
             spoken(s.solve.per_user) + " asked for";
    case Binding::work:
    case Binding::none:
      break;
  }
  return {};
}

/// What stops the next value: "would take longer than 30 days".
std::string refused(const Scenario& s, Binding binding) {
  switch (binding) {
    case Binding::time:
      return "would take longer than " + spoken_time(s.run.deadline);
    case Binding::cost:
      return s.run.task == Task::serve
                 ? "would exceed $" + spoken(s.solve.per_million) + " for a million tokens"
                 : "would exceed $" + spoken(s.solve.usd);
    case Binding::memory:
      return "would not fit into memory";
    case Binding::speed:
      return "would give a user less than " + spoken(s.solve.per_user) + " tokens/s";
    case Binding::work:
    case Binding::none:
      break;
  }
  return {};
}

/// The field of the unknown as people call it after "No": "No number of GPUs meets ...".
const char* kind_of(Unknown unknown) {
  switch (unknown) {
    case Unknown::tokens:
      return "number of tokens";
    case Unknown::params:
      return "size of the model";
    case Unknown::gpus:
      return "number of GPUs";
    case Unknown::seq:
      return "length";
    default:
      return "batch";
  }
}

/// Why the question makes no sense here; empty where it does.
std::string refusal(const Scenario& s, const Ladder& ladder) {
  const Unknown u = s.solve.unknown;
  const bool serve = s.run.task == Task::serve;
  if (serve && (u == Unknown::tokens || u == Unknown::micro))
    return "Serving has no training tokens and no micro-batch to solve for: choose the batch, the "
           "context, the GPUs or the parameters.";
  if (u == Unknown::seq && !serve && s.model.kind == ModelKind::vit)
    return "The image and the patch decide the length of a sequence: there is no context to solve "
           "for.";
  if (u == Unknown::params && !ladder.any())
    return "There is no rule by which a model of this kind grows: choose a decoder, or the model "
           "by-size.";
  if (!ladder.any()) return "No legal value is left for the unknown.";
  return {};
}

/// What to know of a length that the model has no positions for.
std::string too_long(const Scenario& s, Unknown unknown) {
  const double length = s.run.task == Task::serve ? s.serve.prompt + s.serve.output : s.run.seq;
  if (unknown != Unknown::seq || s.model.kind == ModelKind::size_only ||
      !(length > s.model.max_seq))
    return {};
  return " That is beyond the " + spoken_whole(s.model.max_seq) + " positions of this model.";
}

Patch change(const Scenario& from, const Scenario& to) {
  Scenario base = from;
  Patch patch;
  const Field& model = *field_by_path("model.id");
  if (!same(model, base, to)) {
    patch.emplace_back(model.path, get(model, to));
    base.model = Model{};
    base.model.id = to.model.id;
  }
  for (const Field& f : fields())
    if (!(f.flags & kSelects) && !same(f, base, to)) patch.emplace_back(f.path, get(f, to));
  return patch;
}

double value_of(const Field& field, const Scenario& s) {
  if (field.path == "model.params") return architecture(s, {}).total;
  return get_number(field, s);
}

}  // namespace

std::string_view binding_id(Binding binding) {
  constexpr std::string_view kIds[] = {"none", "time", "cost", "memory", "speed", "work"};
  return kIds[static_cast<int>(binding)];
}

Ladder::Ladder(const Scenario& asked) : s_(asked), unknown_(asked.solve.unknown), family_(asked) {
  s_.solve.unknown = Unknown::none;
  serve_ = s_.run.task == Task::serve;
  const auto field = [&] { return field_by_path(path_of(unknown_, serve_)); };
  switch (unknown_) {
    case Unknown::tokens:
      unit_ = s_.run.global_batch * sequence_length(s_);
      most_ = std::floor(field()->max / unit_);
      break;
    case Unknown::params:
      least_position_ = 0;
      most_ = family_.members() - 1;
      start_ = family_.nearest();
      break;
    case Unknown::seq:
      if (!serve_) choose_lengths();
      least_position_ = serve_ ? 0 : 1;
      most_ = std::floor(field()->max / unit_);
      start_ = std::clamp(std::floor(2048 / unit_), 1.0, std::max(1.0, most_));
      break;
    case Unknown::batch: {
      if (serve_) {
        most_ = field()->max;
        break;
      }
      // Larger batches only save time, and cost steps that the model learns from.
      least_ = true;
      unit_ = s_.run.micro_batch;
      for (const double dp : data_parallel(s_)) unit_ = std::max(unit_, s_.run.micro_batch * dp);
      const Cluster& c = s_.cluster;
      if (c.pp > 1 && c.schedule == Schedule::one_f_one_b && c.virtual_stages > 1) unit_ *= c.pp;
      most_ = std::floor(field()->max / unit_);
      break;
    }
    case Unknown::micro:
      list_micro_batches();
      break;
    case Unknown::gpus:
      least_ = true;
      most_ = field()->max;
      if (!serve_) {
        list_gpus();
        break;
      }
      unit_ = given(s_.cluster.tp) ? s_.cluster.tp : 1;
      // A sequence on as many GPUs as share its heads is the fastest there is.
      if (s_.model.kind != ModelKind::size_only)
        most_ = std::min(most_, s_.serve.batch * std::max(unit_, s_.model.heads));
      most_ = std::max(1.0, std::floor(most_ / unit_));
      break;
    case Unknown::none:
      break;
  }
  last_ = listed_.empty() ? most_ : listed_.back();
  if (long_step_ > 1) last_ = std::max(1.0, std::floor(most_ / long_step_)) * long_step_;
}

/// Sequence parallelism divides a sequence by TP too; where it is open, by any that may be chosen.
void Ladder::choose_lengths() {
  const Cluster& c = s_.cluster;
  unit_ = sequence_unit(s_);
  if (c.sp && !given(c.tp)) {
    double tp = 1;
    while (2 * tp <= std::min(s_.gpu.domain, 16.0) && splits_heads(s_.model, 2 * tp)) tp *= 2;
    while (!whole(c.cp * tp, unit_)) unit_ *= 2;
  }
  while (!whole(kLengths, step_ * unit_)) ++step_;
  while (!whole(kLongLengths, long_step_ * unit_)) ++long_step_;
}

/// Below the first usual length every one counts.
double Ladder::usual_length(double position) const {
  const auto up = [&](double step) {
    return position < step ? position : std::ceil(position / step) * step;
  };
  const double at = up(step_);
  return at * unit_ > kLong ? up(long_step_) : at;
}

/// Every rank has whole micro-batches.
void Ladder::list_micro_batches() {
  double share = s_.run.global_batch;
  for (const double dp : data_parallel(s_))
    share = std::min(share, std::floor(s_.run.global_batch / dp));
  listed_ = divisors(share, 1e6);
}

/// Whole replicas, among which batch and experts divide, as long as each has a micro-batch: for
/// each TP that may be chosen. Without those that break a rule, if any keeps all.
void Ladder::list_gpus() {
  s_.cluster.gpus = kNone;
  Scenario open = s_;
  open.run.deadline = kNone;
  const Report r = estimate(open);
  const bool chosen = !given(s_.cluster.tp) && r.architecture.known && !r.memory.by_rule;
  const double low = given(s_.cluster.tp) ? s_.cluster.tp : 1,
               high = chosen ? std::min(s_.gpu.domain, 16.0) : low,
               batches = s_.run.global_batch / s_.run.micro_batch;
  const std::vector<double> shares =
      std::floor(batches) == batches ? divisors(batches, batches) : std::vector<double>();
  for (double tp = low; tp <= high; tp *= 2) {
    if (chosen && !splits_heads(s_.model, tp)) continue;
    const Ranks ranks(s_, r.architecture, r.memory, r.activations, tp);
    const auto add = [&](double dp) {
      if (whole(ranks.step(), dp) && dp * ranks.replica() <= most_)
        listed_.push_back(dp * ranks.replica());
    };
    for (const double dp : shares) add(dp);
    // A batch that no number divides: one rank after another, then in growing steps.
    if (shares.empty())
      for (double dp = 1; dp <= std::max(1.0, batches); dp = std::ceil(dp * 1.01)) add(dp);
  }
  std::sort(listed_.begin(), listed_.end());
  listed_.erase(std::unique(listed_.begin(), listed_.end()), listed_.end());
  const Problems before = check(s_);
  std::vector<Breach> tolerated;
  for (const Problem& p : before) tolerated.push_back({p.path, p.code});
  const Program program = program_of(s_);
  std::vector<double> kept;
  for (const double gpus : listed_) {
    open.cluster.gpus = gpus;
    if (first_breach(open, program, {{}, tolerated}).code.empty()) kept.push_back(gpus);
  }
  if (!kept.empty()) listed_ = std::move(kept);
}

double Ladder::next(double position) const {
  if (unknown_ == Unknown::micro || (unknown_ == Unknown::gpus && !serve_)) {
    const auto at = std::lower_bound(listed_.begin(), listed_.end(), position);
    return at == listed_.end() ? kNone : *at;
  }
  const double at = std::max(position, least_position_);
  const double legal = unknown_ == Unknown::seq && !serve_ ? usual_length(at) : at;
  return unknown_ != Unknown::none && legal <= most_ ? legal : kNone;
}

Scenario Ladder::at(double position) const {
  Scenario s = s_;
  const double value = position * unit_;
  switch (unknown_) {
    case Unknown::tokens:
      s.run.tokens = value;
      break;
    case Unknown::params:
      family_.put(s, position);
      break;
    case Unknown::gpus:
      s.cluster.gpus = value;
      break;
    case Unknown::seq:
      (serve_ ? s.serve.prompt : s.run.seq) = value;
      break;
    case Unknown::batch:
      (serve_ ? s.serve.batch : s.run.global_batch) = value;
      break;
    case Unknown::micro:
      s.run.micro_batch = value;
      break;
    case Unknown::none:
      break;
  }
  return s;
}

Solved solve(const Scenario& asked) {
  const Unknown unknown = asked.solve.unknown;
  Solved out;
  out.field = field_by_path(path_of(unknown, asked.run.task == Task::serve));
  out.scenario = asked;
  out.scenario.solve.unknown = Unknown::none;
  const Ladder ladder(asked);
  out.message = refusal(asked, ladder);
  if (!out.message.empty()) {
    out.patch = change(asked, out.scenario);
    return out;
  }
  Bisection search(asked, ladder);
  const bool least = ladder.least();
  bool hardly = false;
  Bisection::Edge edge = search.run();
  if (!(least ? edge.high : edge.low).met() || !given((least ? edge.high : edge.low).position)) {
    const Look closest = search.closest(hardly);
    if (given(closest.position) && closest.met())
      edge = search.along(closest);
    else
      edge = least ? Bisection::Edge{{}, closest} : Bisection::Edge{closest, {}};
  }
  const Look& shown = least ? edge.high : edge.low;
  const Look& fails = least ? edge.low : edge.high;
  out.met = shown.met();
  out.binding = out.met ? fails.worst : shown.worst;
  const bool unlimited =
      out.met && out.binding == Binding::none && !least && unknown != Unknown::micro;
  if (!unlimited) out.scenario = ladder.at(shown.position);
  out.value = value_of(*out.field, out.scenario);
  out.patch = change(asked, out.scenario);

  const Scenario& s = out.scenario;
  const std::string value = value_text(s, unknown, out.value);
  const bool priced = !given(asked.solve.usd) && !given(asked.solve.per_million)
                          ? true
                          : given(estimate(s).cost.price);
  if (unlimited) {
    out.met = false;
    out.message = std::string("Nothing limits the ") + kind_of(unknown) +
                  (s.run.task == Task::serve ? ": give the least tokens/s per user."
                                             : ": give a deadline, or the most dollars.");
  } else if (out.met) {
    out.message = (out.binding == Binding::none ? least ? "Enough: " : "The whole batch at once: "
                   : least                      ? "At least "
                                                : "At most ") +
                  value;
    if (out.binding != Binding::none)
      out.message += std::string(least ? ": fewer " : ": more ") + refused(s, out.binding);
    out.message += "." + too_long(s, unknown);
  } else {
    const bool work = unknown == Unknown::gpus &&
                      (out.binding == Binding::time || out.binding == Binding::speed) &&
                      !given(ladder.next(shown.position + 1));
    const Binding reason = out.binding;
    if (work) out.binding = Binding::work;
    out.message = std::string("No ") + kind_of(unknown) + " meets what is asked. With " + value +
                  (work ? ", as many as the batch has work for, " : ", the nearest, ") +
                  beyond(s, reason) + (hardly ? "; a larger one hardly changes that." : ".") +
                  too_long(s, unknown);
    if (unknown == Unknown::gpus && s.run.task != Task::serve)
      out.message +=
          " That is for the layout as it stands, its parallelism and its batch: plan it, another "
          "may do better.";
  }
  if (!priced) out.message += " No price is known, so the limit in dollars does not count.";
  return out;
}

}  // namespace envelope
