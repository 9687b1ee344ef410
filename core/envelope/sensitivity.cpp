// SPDX-License-Identifier: MIT
#include "envelope/sensitivity.h"

#include <algorithm>
#include <cmath>

#include "envelope/bands.h"
#include "envelope/calibrate.h"
#include "envelope/catalog.h"
#include "envelope/pace.h"
#include "envelope/trial.h"

namespace envelope {
namespace {

/// How a range is found. scale: factors of the present value. span: values. list: the ids of a
/// choice, or all of them. stacks: over the frameworks of the catalog. The others are looked up.
enum class From : unsigned char { scale, span, list, stacks, prices, band, mfu, serve_mfu, mbu };

struct Range {
  std::string_view path;
  From from;
  double low, high;
  std::string_view ids;  ///< Of a list, separated by spaces; empty: all.
  std::string_view why;
};

constexpr std::string_view kHalf = "Half and twice: a choice, not a measurement.";
constexpr std::string_view kLayout = "Half and twice, or the nearest that the rules allow.";
constexpr std::string_view kFifth = "A fifth less and a fifth more: a choice, not a measurement.";

// Where two rows swing alike, the first stays first.
constexpr Range kRanges[] = {
    {"price.usd_per_gpu_hour", From::prices, .75, 1.25, "", ""},
    {"price.bill", From::scale, .8, 1.2, "", kFifth},
    {"run.mfu", From::mfu, 0, 0, "", ""},
    {"stack.overhead", From::band, 0, 0, "", ""},
    {"run.gpu_time", From::scale, .8, 1.2, "", kFifth},
    {"run.tokens", From::scale, .8, 1.2, "", kFifth},
    {"run.compute", From::scale, .8, 1.2, "", kFifth},
    {"tune.examples", From::scale, .8, 1.2, "", kFifth},
    {"tune.example_tokens", From::scale, .8, 1.2, "", kFifth},
    {"tune.epochs", From::scale, 1, 2, "", "As given, and twice."},
    {"tune.method", From::list, 0, 0, "full lora qlora", "Full fine-tuning, LoRA and QLoRA."},
    {"tune.rank", From::scale, .5, 2, "", kHalf},
    {"model.params", From::scale, .8, 1.2, "", kFifth},
    {"model.active", From::scale, .8, 1.2, "", kFifth},
    {"cluster.gpus", From::scale, .5, 2, "", kLayout},
    {"cluster.tp", From::scale, .5, 2, "", kLayout},
    {"cluster.pp", From::scale, .5, 2, "", kLayout},
    {"cluster.cp", From::scale, .5, 2, "", kLayout},
    {"cluster.ep", From::scale, .5, 2, "", kLayout},
    {"cluster.virtual_stages", From::scale, .5, 2, "", kLayout},
    {"cluster.zero", From::span, 1, 3, "", "From ZeRO-1 to ZeRO-3."},
    {"cluster.schedule", From::list, 0, 0, "1f1b zb-h1 dualpipe-v",
     "Schedules that frameworks offer."},
    {"cluster.offload_optimizer", From::list, 0, 0, "", "Off and on."},
    {"run.global_batch", From::scale, .5, 2, "", kLayout},
    {"run.micro_batch", From::scale, .5, 2, "", kLayout},
    {"run.seq", From::scale, .5, 2, "", kLayout},
    {"run.precision", From::list, 0, 0, "bf16 fp8 fp4",
     "Precisions that models are trained and served in, of those the accelerator has."},
    {"run.recompute", From::list, 0, 0, "none selective full", "The usual three."},
    {"states.optimizer", From::list, 0, 0, "adam adam-8bit muon",
     "Optimizers that large models are trained with."},
    {"stack.overlap", From::stacks, 0, 0, "", ""},
    {"stack.attention", From::stacks, 0, 0, "", ""},
    {"stack.launch", From::stacks, 0, 0, "", ""},
    {"cluster.oversubscription", From::span, 1, 2, "",
     "A fabric of the full bandwidth, and one of half of it."},
    {"reliability.mtbf", From::scale, .5, 2, "", kHalf},
    {"reliability.storage", From::scale, .5, 2, "", kHalf},
    {"reliability.restart", From::scale, .5, 2, "", kHalf},
    {"reliability.evaluation", From::span, 0, .05, "", "None, and a twentieth of the time."},
    {"cluster.reserve", From::scale, .5, 2, "", kHalf},
    {"stack.context", From::stacks, 0, 0, "", ""},
    {"stack.slack", From::stacks, 0, 0, "", ""},
    {"serve.batch", From::scale, .5, 2, "", kHalf},
    {"serve.prompt", From::scale, .5, 2, "", kHalf},
    {"serve.output", From::scale, .5, 2, "", kHalf},
    {"serve.mfu", From::serve_mfu, 0, 0, "", ""},
    {"serve.mbu", From::mbu, 0, 0, "", ""},
    {"serve.weights", From::list, 0, 0, "bf16 fp8-e4m3 int4-g128",
     "Formats that models are served in: 16, 8 and 4 bits."},
    {"serve.kv", From::list, 0, 0, "bf16 fp8-e4m3", "Formats of the KV cache: 16 and 8 bits."},
    {"serve.draft_tokens", From::span, 0, 4, "",
     "Without speculative decoding, and with four tokens guessed ahead."},
    {"serve.acceptance", From::span, .6, .9, "",
     "From a poor draft model to one that is nearly always right."},
    {"scaling.law", From::list, 0, 0, "", "All published fits."},
};

std::string money(double usd) {
  const double cents = std::round(usd * 100);
  std::string text = number_text(std::floor(cents / 100)),
              rest = number_text(std::fmod(cents, 100));
  return "$" + text + "." + (rest.size() < 2 ? "0" : "") + rest;
}

std::string percent(double share) { return number_text(std::round(share * 100)) + " %"; }

class Tornado {
 public:
  Tornado(const Scenario& s, const Metric& metric)
      : s_(s), metric_(metric), report_(estimate(s)), trials_(s, metric) {}

  Sensitivity all() {
    Sensitivity out;
    out.metric = &metric_;
    out.value = value_ = trials_.metric(metric_.id);
    if (!given(value_)) return out;
    fits_ = trials_.run(s_, true).fits;
    const unsigned task = s_.run.task == Task::pretrain   ? kPretrain
                          : s_.run.task == Task::finetune ? kFinetune
                                                          : kServe;
    for (const Range& range : kRanges) {
      const Field& field = *field_by_path(range.path);
      if (!(field.flags & task)) continue;
      SensitivityRow row{.field = &field, .now = {}, .low = {}, .high = {}, .why = {}};
      if (!fill(range, row)) continue;
      const double low = std::min({row.low.value, row.high.value, value_}),
                   high = std::max({row.low.value, row.high.value, value_});
      row.swing = high - low;
      if (row.swing > 1e-9 * std::fabs(value_)) out.rows.push_back(std::move(row));
    }
    std::stable_sort(out.rows.begin(), out.rows.end(),
                     [](const auto& a, const auto& b) { return a.swing > b.swing; });
    return out;
  }

 private:
  /// False where the range does not apply.
  bool fill(const Range& range, SensitivityRow& row) {
    const Field& f = *row.field;
    row.why = range.why;
    if (range.from == From::list) return among(range, row);
    const double now = trials_.present(f);
    if (!given(now)) return false;
    // What is derived from other inputs has no range of its own.
    const bool derived = !given(get_number(f, s_));
    double low = range.low, high = range.high;
    switch (range.from) {
      case From::scale:
        if (now == 0) return false;
        if (derived && f.path == "run.tokens" && s_.run.task != Task::pretrain) return false;
        if (derived && (f.path == "run.compute" || f.group == "model")) return false;
        if (f.path == "run.tokens" && derived && given(s_.run.compute)) return false;
        low *= now;
        high *= now;
        break;
      case From::stacks:
        if (!stacks(f, low, high, row.why)) return false;
        break;
      case From::prices:
        if (given(s_.price.bill) && s_.run.task != Task::serve) return false;
        prices(now, low, high, row.why);
        break;
      case From::band:
        if (!band(low, high, row.why)) return false;
        break;
      case From::mfu:
        if (report_.pace.predicted || given(s_.run.gpu_time)) return false;
        published(report_.compute.per_token / report_.compute.per_token_full, low, high, row.why);
        break;
      case From::serve_mfu:
        published(1, low, high, row.why);
        break;
      case From::mbu:
        if (report_.layout.tp > 1) {
          low = .27;
          high = .53;
          row.why = "Published measurements on several GPUs: 27 to 53 % of the bandwidth.";
        } else {
          low = .8 * now;
          high = std::min(1.0, 1.2 * now);
          row.why = kFifth;
        }
        break;
      default:
        break;
    }
    row.now = now;
    // A range from elsewhere may not hold the present value; it is part of what is possible.
    row.low = end(f, std::min(low, now), now);
    row.high = end(f, std::max(high, now), now);
    return std::isfinite(row.low.value) && std::isfinite(row.high.value);
  }

  SensitivityEnd end(const Field& f, double asked, double now) {
    SensitivityEnd out;
    double x = std::min(std::max(asked, f.min), f.max);
    if (f.flags & kWhole) x = std::round(x);
    if (x != asked && std::round(asked) != x)
      out.note = "No value beyond " + number_text(x) + " is taken.";
    if (x != now && (f.flags & kWhole)) {
      const Setting setting[] = {{&f, x}};
      const std::string broken = trials_.breaks(trials_.with(setting));
      const double legal = broken.empty() ? x : trials_.legal(f, x, now);
      if (!broken.empty()) {
        out.note = number_text(x) + " is not possible: " + broken;
        if (given(legal) && legal != now)
          out.note += " The nearest that is: " + number_text(legal) + ".";
        x = given(legal) ? legal : now;
      }
    }
    out.input = x;
    const Setting setting[] = {{&f, x}};
    add(x == now ? s_ : trials_.with(setting), out);
    return out;
  }

  void add(const Scenario& s, SensitivityEnd& out) {
    const Outcome outcome = trials_.run(s, true);
    out.value = outcome.value;
    const auto say = [&](std::string_view text) {
      if (!out.note.empty()) out.note += ' ';
      out.note += text;
    };
    if (!outcome.legal) say("This cannot run: " + outcome.why);
    if (!outcome.fits && fits_) say("Does not fit in memory.");
  }

  /// Of several choices those with the least and the most.
  bool among(const Range& range, SensitivityRow& row) {
    const Field& f = *row.field;
    row.now = get(f, s_);
    bool found = false;
    const auto meet = [&](double value, bool is_now) {
      const Setting setting[] = {{&f, value}};
      SensitivityEnd here;
      if (f.type == Type::flag)
        here.input = value != 0;
      else
        here.input = std::string(f.choices[static_cast<std::size_t>(value)].id);
      const Scenario s = is_now ? s_ : trials_.with(setting);
      if (!is_now && !trials_.breaks(s).empty()) return;
      add(s, here);
      if (!std::isfinite(here.value)) return;
      if (!found || here.value < row.low.value) row.low = here;
      if (!found || here.value > row.high.value) row.high = here;
      found = true;
    };
    meet(get_number(f, s_), true);  // where several are alike, the present one stands for them
    const std::size_t count = f.type == Type::flag ? 2 : f.choices.size();
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = static_cast<double>(i);
      if (value == get_number(f, s_)) continue;
      if (f.type == Type::choice && !listed(range, f.choices[i].id)) continue;
      if (f.path == "run.precision" && !given(peak_of(s_.gpu, static_cast<Precision>(i)))) continue;
      meet(value, false);
    }
    return found;
  }

  static bool listed(const Range& range, std::string_view id) {
    if (range.ids.empty()) return true;
    std::string_view rest = range.ids;
    while (!rest.empty()) {
      const std::string_view word = rest.substr(0, rest.find(' '));
      if (word == id) return true;
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    }
    return false;
  }

  template <class Use>
  void each_price(Use use) const {
    for (const PriceRow& row : catalog().prices)
      if (row.accelerator == std::string_view(s_.gpu.id) && row.since <= s_.catalog.snapshot)
        use(row);
  }

  void prices(double now, double& low, double& high, std::string& why) const {
    const PriceRow *least = nullptr, *most = nullptr;
    std::size_t rows = 0;
    each_price([&](const PriceRow& row) {
      if (row.terms != s_.price.terms) return;
      ++rows;
      if (!least || row.usd < least->usd) least = &row;
      if (!most || row.usd > most->usd) most = &row;
    });
    if (rows < 2) {
      low *= now;
      high *= now;
      why = "The price list has fewer than two offers to compare: a quarter less and more.";
      return;
    }
    low = least->usd;
    high = most->usd;
    why = "The price list, " + number_text(static_cast<double>(rows)) +
          " offers on these terms: " + money(low) + " (" + least->provider_name + ") to " +
          money(high) + " (" + most->provider_name + ").";
  }

  bool stacks(const Field& f, double& low, double& high, std::string& why) const {
    const Row *least = nullptr, *most = nullptr;
    for (const Row& row : catalog().stacks)
      for (const auto& [path, value] : row.as_of_snapshot(s_.catalog.snapshot)) {
        const double* x = std::get_if<double>(&value);
        if (path != f.path || !x) continue;
        if (!least || *x < low) low = *x, least = &row;
        if (!most || *x > high) high = *x, most = &row;
      }
    if (!least) return false;
    why = "The frameworks of the catalog, from " + least->name + " to " + most->name + ".";
    return true;
  }

  /// The overhead with which the step takes as long as at the ends of the prediction's band.
  bool band(double& low, double& high, std::string& why) {
    if (!report_.pace.predicted) return false;
    const Band b = band_of(s_, report_.architecture, report_.layout.used);
    const auto overhead = [&](double factor) {
      Problems ignored;
      const Patch patch = calibrate(s_, Measured::step, factor * report_.time.step.value, ignored);
      for (const auto& [path, value] : patch)
        if (path == "stack.overhead") return std::get<double>(value);
      const Field& f = *field_by_path("stack.overhead");
      return factor < 1 ? f.min : f.max;
    };
    low = overhead(b.low);
    high = overhead(b.high);
    why = "The error of the prediction: four of five of " + std::string(b.among) + " (" +
          number_text(b.rows) + " measured runs) took " + number_text(b.low) + " to " +
          number_text(b.high) + " times the time predicted; the overhead stands for all of it.";
    return true;
  }

  void published(double ratio, double& low, double& high, std::string& why) const {
    const Utilisation& u = utilisation(s_, report_.architecture);
    low = u.low * ratio;
    high = std::min(1.0, u.high * ratio);
    why = u.rows > 0 ? "Published training runs on comparable hardware, " +
                           number_text(static_cast<double>(u.rows)) +
                           " of them, 10th to 90th "
                           "percentile: " +
                           percent(low) + " to " + percent(high) + "."
                     : "Nothing comparable is published; whole runs anywhere reached " +
                           percent(low) + " to " + percent(high) + ".";
  }

  const Scenario& s_;
  const Metric& metric_;
  const Report report_;
  Trials trials_;
  double value_ = kNone;
  bool fits_ = true;
};

}  // namespace

Sensitivity sensitivity(const Scenario& scenario, const Metric& metric) {
  return Tornado(scenario, metric).all();
}

}  // namespace envelope
