// SPDX-License-Identifier: MIT
// Fits the constants of the step model on a table of measured training speeds:
//   envelope_fit THROUGHPUT.csv [--constants OUT.json] [--rows OUT.csv] [--worst N] [--source ID]
// Every constant has a prior: that of its class, whose prior is that of all devices or all
// software. Few rows leave it there, many move it, and what no row speaks of keeps the value of its
// class. Least squares on the logarithm of predicted over measured, robust against rows that are
// wrong; the rows of one source count less the more they are. For the held-out errors the fit
// starts again from the priors without the rows of one source, and predicts them. Over 400 lines:
// tables of priors, the fit, and the report belong together.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "envelope/catalog.h"
#include "envelope/columns.h"
#include "envelope/csv.h"
#include "envelope/patch.h"
#include "envelope/step.h"
#include "envelope/validate.h"

namespace {

using namespace envelope;

// ---------------------------------------------------------------------------- constants and priors

/// What values a constant can take. The fit moves something that has no bounds: the logarithm, the
/// logit of a share, the logarithm of what is above one.
enum class Range { positive, share, above_one };

struct Constant {
  std::string name;
  Range range = Range::positive;
  int parent = -1;      ///< Its prior; else `prior`.
  double prior = 0;     ///< Transformed, as is `value`.
  double spread = 0.1;  ///< Standard deviation of the prior.
  double value = 0;
};

double into(double x, Range range) {
  return std::log(range == Range::share ? x / (1 - x) : range == Range::above_one ? x - 1 : x);
}
double out_of(double u, Range range) {
  return range == Range::share       ? 1 / (1 + std::exp(-u))
         : range == Range::above_one ? 1 + std::exp(u)
                                     : std::exp(u);
}

struct DevicePrior {
  const char *reach16, *reach8, *reach4, *attention, *experts;
};

/// Best rate of a product that anyone measured, over the peak: 16, 8 bits. Source of the figures
/// with a decimal: stas00/ml-engineering, "Maximum Achievable Matmul FLOPS"; the others are assumed
/// by class, cards under a tight power limit lower.
struct Ceiling {
  const char* id;
  double wide, low;
  bool measured;
};
constexpr Ceiling kCeilings[] = {
    {"a100-pcie", .811, .80, true}, {"a100", .869, .80, true},     {"a800", .869, .80, true},
    {"gh200", .838, .776, true},    {"h100", .803, .709, true},    {"h200", .803, .734, true},
    {"h800", .803, .709, true},     {"h20", .93, .90, false},      {"gb200", .729, .723, true},
    {"b200", .776, .763, true},     {"gb300", .729, .723, true},   {"b300", .786, .745, true},
    {"gaudi2", .969, .955, true},   {"gaudi3", .741, .769, true},  {"mi355x", .626, .60, true},
    {"mi325x", .604, .55, true},    {"mi300x", .514, .50, true},   {"mi250x", .70, .70, false},
    {"tpu", .98, .95, false},       {"trainium", .75, .70, false}, {"inferentia", .70, .65, false},
    {"v100", .85, .80, false},      {"p100", .85, .80, false},     {"t4", .50, .50, false},
    {"l4", .55, .55, false},        {"l40", .65, .65, false},      {"a10", .60, .60, false},
    {"a40", .70, .70, false},       {"rtx-a", .75, .75, false},    {"rtx-6000", .75, .70, false},
    {"rtx-pro", .75, .70, false},   {"rtx", .90, .85, false},      {"apple", .80, .80, false},
    {"rx-", .60, .60, false},       {"", .80, .75, false}};

const Ceiling& ceiling_of(std::string_view id) {
  for (const Ceiling& c : kCeilings)
    if (id.starts_with(c.id)) return c;
  return kCeilings[0];
}

/// Accelerators with common constants, and the class that theirs are drawn to.
struct Kin {
  const char *prefix, *group, *parent;
};
constexpr Kin kDevices[] = {
    {"a100", "a100", "nvidia"},    {"a800", "a100", "nvidia"},     {"h100", "hopper", "nvidia"},
    {"h200", "hopper", "nvidia"},  {"h800", "hopper", "nvidia"},   {"h20", "hopper", "nvidia"},
    {"gh200", "hopper", "nvidia"}, {"b200", "b200", "blackwell"},  {"gb200", "b200", "blackwell"},
    {"b300", "b300", "blackwell"}, {"gb300", "b300", "blackwell"}, {"l40s", "l40s", "nvidia"},
    {"l4", "a100", "nvidia"},  // the same kind of tensor cores
    {"a10", "a100", "nvidia"},     {"a40", "a100", "nvidia"},      {"rtx-2", "nvidia", "any"},
    {"rtx", "a100", "nvidia"},     {"tpu-v4", "tpu-v4", "tpu"},    {"tpu-v5e", "tpu-v5e", "tpu"},
    {"tpu-v5p", "tpu-v5p", "tpu"}, {"tpu", "tpu", "any"},          {"trainium", "tpu", "any"},
    {"inferentia", "tpu", "any"},  {"mi", "any", "any"},           {"gaudi", "any", "any"},
    {"apple", "any", "any"},       {"rx", "any", "any"},           {"", "nvidia", "any"}};
constexpr Kin kStacks[] = {{"megatron-2021", "megatron-2021", "megatron"},
                           {"megatron-2022", "megatron-2022", "megatron"},
                           {"megatron-deepspeed-2022", "megatron-2022", "megatron"},
                           {"megatron-core-2025", "megatron-core-2024", "megatron"},
                           {"megatron-rocm-2025", "megatron-core-2024", "megatron"},
                           {"megatron", "", "megatron"},
                           {"nemo", "", "megatron"},
                           {"simumax", "", "megatron"},
                           {"fsdp-2023", "", "fsdp"},
                           {"fsdp", "fsdp", "software"},
                           {"litgpt", "fsdp", "software"},
                           {"pytorch-finetune", "fsdp", "software"},
                           {"hf-trainer-2023", "", "eager"},
                           {"deepspeed-2024", "eager", "software"},
                           {"maxtext-2025", "maxtext-2024", "xla"},
                           {"maxtext-2024", "", "xla"},
                           {"jax-gpu-2024", "", "xla"},
                           {"jax-tpu-2023", "", "xla"},
                           {"neuron", "xla", "software"},
                           {"internevo-2023", "", "software"},
                           {"other", "software", "software"},
                           {"generic", "software", "software"}};

template <class Table>
const Kin& kin_of(const Table& table, std::string_view id) {
  for (const Kin& k : table)
    if (id.starts_with(k.prefix)) return k;
  std::fprintf(stderr, "no class for %s\n", std::string(id).c_str());
  std::exit(1);
}

/// What every device, and every framework, is taken to be before any row is seen.
struct Prior {
  const char* name;
  double value, spread;  ///< Spread of a class around it; of a member around its class, half.
  Range range;
};
constexpr Prior kDevicePriors[] = {
    {"reach16", .90, .60, Range::share},  // of the ceiling
    {"reach8", .85, .70, Range::share},
    {"reach4", .50, .20, Range::positive},
    {"reach_attention", .62, .25, Range::positive},  // of the ceiling in 16 bits
    {"reach_experts", .75, .20, Range::positive}};
constexpr Prior kStackPriors[] = {{"overhead", 1.07, .35, Range::above_one},
                                  {"overlap", .65, .70, Range::share},
                                  {"attention", 1.0, .20, Range::positive},
                                  {"launch", 1e-5, .50, Range::positive}};

struct PhysicsPrior {
  const char* name;
  double Physics::*member;
  double value, spread;
  Range range;
};
constexpr PhysicsPrior kPhysicsPriors[] = {
    {"bandwidth", &Physics::bandwidth, .80, .40, Range::share},
    {"depth", &Physics::depth, 200, .40, Range::positive},
    {"outputs", &Physics::outputs, 2e6, .50, Range::positive},
    {"ramp", &Physics::ramp, 4e-6, .40, Range::positive},
    {"quantize", &Physics::quantize, 4, .40, Range::positive},
    {"dequantize", &Physics::dequantize, 12, .40, Range::positive},
    {"backward", &Physics::backward, .85, .10, Range::positive},
    {"softmax", &Physics::softmax, 64, .50, Range::positive},
    {"fused", &Physics::fused, 1, .15, Range::positive},
    {"compiled", &Physics::compiled, .85, .20, Range::positive},
    {"eager", &Physics::eager, 1.3, .25, Range::positive},
    {"link", &Physics::link, .70, .40, Range::share},
    {"nic", &Physics::nic, .85, .40, Range::share},
    {"latency", &Physics::latency, 2e-5, .40, Range::positive},
    {"nic_hop", &Physics::nic_hop, 5e-6, .40, Range::positive},
    {"critical", &Physics::critical, .50, .70, Range::share},
    {"handover", &Physics::handover, .50, .70, Range::share}};
constexpr int kPhysicsCount = static_cast<int>(std::size(kPhysicsPriors));
constexpr int kUsed = 9 + kPhysicsCount;

// ---------------------------------------------------------------------------------------------
// rows

struct Sample {
  std::string id, source, accelerator, stack, precision;
  bool moe = false;
  Scenario scenario;
  Architecture architecture;
  Activations activations;
  Memory memory;
  double measured = 0;  ///< Seconds of a step.
  double weight = 0;    ///< Rows that it counts for.
  std::array<int, kUsed> constants{};
};

double number(const Record& r, const char* column) {
  return std::strtod(std::string(r.at(column)).c_str(), nullptr);
}

std::vector<Sample> read(const char* path, std::map<std::string, int>& skipped) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  Problems problems;
  Csv csv;
  std::vector<Sample> rows;
  parse_csv(text.str(), csv, problems);
  for (const CsvRow& cells : csv.rows) {
    const Record record(csv, cells);
    if (const auto can = record.at("scorable"); !can.empty() && can != "1") continue;
    const Mapping mapping = map_row(record);
    if (!mapping.skipped.empty()) {
      ++skipped[mapping.skipped];
      continue;
    }
    Problems wrong;
    Sample row;
    row.scenario = scenario_of(mapping.patch, wrong);
    const auto error = std::find_if(wrong.begin(), wrong.end(),
                                    [](const Problem& p) { return p.severity == Severity::error; });
    if (error != wrong.end()) {
      ++skipped[error->message];
      continue;
    }
    const Scenario& s = row.scenario;
    row.id = record.at("id");
    row.source = record.at("source_id");
    row.accelerator = record.at("accelerator_id");
    row.stack = record.at("stack");
    row.precision = record.at("compute_dtype");
    row.moe = s.model.experts > 0;
    const double rate = number(record, "tokens_per_s_per_gpu");
    row.measured = rate > 0 ? s.run.global_batch * s.run.seq / (rate * s.cluster.gpus)
                            : number(record, "step_time_s");
    if (!(row.measured > 0)) {
      ++skipped["no speed"];
      continue;
    }
    row.architecture = architecture(s, {});
    row.activations = activations(s, row.architecture, {});
    row.memory = memory(s, row.architecture, row.activations, {});
    rows.push_back(std::move(row));
  }
  return rows;
}

// ----------------------------------------------------------------------------------------------
// fit

class Fit {
 public:
  explicit Fit(std::vector<Sample>& rows) : rows_(rows) {
    for (Sample& row : rows_) {
      int n = 0;
      for (const Prior& p : kDevicePriors) row.constants[n++] = device(row.accelerator, p);
      for (const Prior& p : kStackPriors) row.constants[n++] = stack(row.stack, p);
      for (const PhysicsPrior& p : kPhysicsPriors)
        row.constants[n++] =
            add("physics." + std::string(p.name), p.range, -1, into(p.value, p.range), p.spread);
    }
    // Those of the catalog that no row speaks of.
    for (const auto& a : catalog().accelerators)
      for (const Prior& p : kDevicePriors) device(a.id, p);
    for (const auto& a : catalog().stacks)
      for (const Prior& p : kStackPriors) stack(a.id, p);
    weigh();
    touched_.resize(constants_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i)
      for (const int c : rows_[i].constants) touched_[c].push_back(static_cast<int>(i));
  }

  const std::vector<Constant>& constants() const { return constants_; }
  double value(int i) const { return out_of(constants_[i].value, constants_[i].range); }
  int find(const std::string& name) const {
    const auto found = index_.find(name);
    return found == index_.end() ? -1 : found->second;
  }
  std::size_t rows_of(int i) const { return touched_[i].size(); }

  /// Fits on all rows but those of a source, from the priors.
  void run(const std::string& without) {
    for (Constant& c : constants_) c.value = c.parent < 0 ? c.prior : constants_[c.parent].value;
    for (std::size_t i = 0; i < rows_.size(); ++i) used_[i] = rows_[i].source != without;
    double damping = 1e-2, best = loss();
    for (int k = 0; k < 60; ++k) {
      const std::vector<double> step = newton(damping);
      for (std::size_t i = 0; i < step.size(); ++i)
        constants_[i].value += std::clamp(step[i], -1.0, 1.0);
      const double now = loss();
      if (now < best) {
        const double gain = best - now;
        best = now;
        damping = std::max(1e-6, damping * 0.3);
        if (gain < 1e-5 * best) break;
      } else {
        for (std::size_t i = 0; i < step.size(); ++i)
          constants_[i].value -= std::clamp(step[i], -1.0, 1.0);
        damping *= 5;
        if (damping > 1e6) break;
      }
    }
    loss_ = best;
  }
  double last_loss() const { return loss_; }

  StepTime predict(std::size_t i) const {
    Sample& row = rows_[i];
    Scenario& s = row.scenario;
    const auto& c = row.constants;
    const Ceiling& most = ceiling_of(row.accelerator);
    s.gpu.reach16 = std::min(1.0, value(c[0])) * most.wide;
    s.gpu.reach8 = std::min(1.0, value(c[1])) * most.low;
    s.gpu.reach4 = value(c[2]);
    s.gpu.reach_attention = value(c[3]) * most.wide;
    s.gpu.reach_experts = value(c[4]);
    s.stack.overhead = value(c[5]);
    s.stack.overlap = value(c[6]);
    s.stack.attention = value(c[7]);
    s.stack.launch = value(c[8]);
    Physics physics;
    for (int k = 0; k < kPhysicsCount; ++k) physics.*kPhysicsPriors[k].member = value(c[9 + k]);
    const Ranks ranks(s, row.architecture, row.memory, row.activations, s.cluster.tp);
    const double dp = std::max(1.0, std::floor(s.cluster.gpus / ranks.replica()));
    return step_time(s, row.architecture, ranks, ranks.ways(dp), physics);
  }
  /// Predicted over measured, less one.
  double error(std::size_t i) const { return predict(i).total / rows_[i].measured - 1; }

 private:
  int add(const std::string& name, Range range, int parent, double prior, double spread) {
    const auto [at, fresh] = index_.try_emplace(name, static_cast<int>(constants_.size()));
    if (fresh) constants_.push_back({name, range, parent, prior, spread, prior});
    return at->second;
  }
  int member(const std::string& name, const std::string& parent, const Prior& p) {
    const std::string tail = "." + std::string(p.name);
    const std::string root = "all" + tail;
    const int top = add(root, p.range, -1, into(p.value, p.range), p.spread);
    if (parent.empty() || parent == "any" || parent == "software")
      return name == "any" || name == "software" || name == parent
                 ? top
                 : add(name + tail, p.range, top, 0, p.spread);
    const int mid = add(parent + tail, p.range, top, 0, p.spread);
    return name == parent ? mid : add(name + tail, p.range, mid, 0, p.spread);
  }
  int device(std::string_view id, const Prior& p) {
    const Kin& k = kin_of(kDevices, id);
    return member(k.group, k.parent, p);
  }
  int stack(std::string_view id, const Prior& p) {
    const Kin& k = kin_of(kStacks, id);
    // Its rows ran a kernel of their own (Triton, with ALiBi), which says nothing of PyTorch's.
    const bool apart = id == "fsdp-2023" && std::string_view(p.name) == "attention";
    return member(k.group[0] ? k.group : std::string(id), apart ? "software" : k.parent, p);
  }

  /// A source with many rows counts for more than one with few, but not in proportion. Rows that
  /// the project is measured by count more.
  void weigh() {
    std::map<std::string, double> n;
    for (const Sample& row : rows_) ++n[row.source];
    for (Sample& row : rows_) {
      row.weight = std::min(1.0, 3 / std::sqrt(n[row.source]));
      if (row.source == "korthikanti-2022") row.weight *= 4;
    }
    used_.assign(rows_.size(), true);
  }

  static constexpr double kSpread = 0.05;  ///< Of a row that is right; beyond, the loss is linear.
  double residual(std::size_t i) const { return std::log(predict(i).total / rows_[i].measured); }
  static double robust(double e) {
    e = std::abs(e) / kSpread;
    return e < 1 ? e * e : 2 * e - 1;
  }
  double prior_of(const Constant& c) const {
    return c.parent < 0 ? c.prior : constants_[c.parent].value;
  }
  double loss() const {
    double sum = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i)
      if (used_[i]) sum += rows_[i].weight * robust(residual(i));
    for (const Constant& c : constants_) {
      const double off = (c.value - prior_of(c)) / c.spread;
      sum += off * off;
    }
    return sum;
  }

  /// One step of Gauss and Newton, damped (Levenberg and Marquardt).
  std::vector<double> newton(double damping) {
    const std::size_t n = constants_.size(), m = rows_.size();
    std::vector<double> e(m), w(m), h(n * n, 0), g(n, 0);
    for (std::size_t i = 0; i < m; ++i) {
      if (!used_[i]) continue;
      e[i] = residual(i);
      const double size = std::max(1.0, std::abs(e[i]) / kSpread);
      w[i] = rows_[i].weight / (kSpread * kSpread * size);
    }
    std::vector<std::vector<std::pair<int, double>>> slopes(m);
    constexpr double kStep = 0.01;
    for (std::size_t c = 0; c < n; ++c) {
      const double old = constants_[c].value;
      constants_[c].value = old + kStep;
      for (const int i : touched_[c])
        if (used_[i]) slopes[i].emplace_back(static_cast<int>(c), (residual(i) - e[i]) / kStep);
      constants_[c].value = old;
    }
    for (std::size_t i = 0; i < m; ++i)
      for (const auto& [a, da] : slopes[i]) {
        g[a] += w[i] * da * e[i];
        for (const auto& [b, db] : slopes[i]) h[a * n + b] += w[i] * da * db;
      }
    for (std::size_t c = 0; c < n; ++c) {
      const Constant& x = constants_[c];
      const double weight = 1 / (x.spread * x.spread), off = x.value - prior_of(x);
      g[c] += weight * off;
      h[c * n + c] += weight;
      if (x.parent < 0) continue;
      g[x.parent] -= weight * off;
      h[x.parent * n + x.parent] += weight;
      h[c * n + x.parent] -= weight;
      h[x.parent * n + c] -= weight;
    }
    for (std::size_t c = 0; c < n; ++c) h[c * n + c] *= 1 + damping;
    return solve(std::move(h), std::move(g));
  }

  /// Cholesky; minus the gradient over the curvature.
  static std::vector<double> solve(std::vector<double> h, std::vector<double> g) {
    const std::size_t n = g.size();
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t k = 0; k < j; ++k) h[j * n + j] -= h[j * n + k] * h[j * n + k];
      h[j * n + j] = std::sqrt(std::max(1e-12, h[j * n + j]));
      for (std::size_t i = j + 1; i < n; ++i) {
        for (std::size_t k = 0; k < j; ++k) h[i * n + j] -= h[i * n + k] * h[j * n + k];
        h[i * n + j] /= h[j * n + j];
      }
    }
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = 0; k < i; ++k) g[i] -= h[i * n + k] * g[k];
      g[i] /= h[i * n + i];
    }
    for (std::size_t i = n; i-- > 0;) {
      for (std::size_t k = i + 1; k < n; ++k) g[i] -= h[k * n + i] * g[k];
      g[i] /= h[i * n + i];
    }
    for (double& x : g) x = -x;
    return g;
  }

  std::vector<Sample>& rows_;
  std::vector<Constant> constants_;
  std::map<std::string, int> index_;
  std::vector<std::vector<int>> touched_;
  std::vector<char> used_;
  double loss_ = 0;
};

// -------------------------------------------------------------------------------------------
// report

struct Summary {
  std::size_t n;
  double median, tail, worst, mean;  ///< Of the absolute errors; the mean with its sign.
};
Summary summary(const std::vector<double>& errors) {
  std::vector<double> sizes;
  double sum = 0, worst = 0;
  for (const double e : errors) {
    sizes.push_back(std::abs(e));
    worst = std::max(worst, std::abs(e));
    sum += e;
  }
  return {errors.size(), percentile(sizes, .5), percentile(sizes, .9), worst,
          sum / static_cast<double>(errors.size())};
}

void table(const char* title, const std::vector<Sample>& rows, const std::vector<double>& fitted,
           const std::vector<double>& held, std::string (*key)(const Sample&)) {
  std::map<std::string, std::array<std::vector<double>, 2>> groups;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    groups[key(rows[i])][0].push_back(fitted[i]);
    if (!held.empty()) groups[key(rows[i])][1].push_back(held[i]);
  }
  std::printf("\n%-46s %4s | %7s %6s %6s %6s | %7s %6s %6s\n", title, "rows", "fitted", "p90",
              "max", "mean", "heldout", "p90", "mean");
  double sums[2] = {};
  for (const auto& [name, both] : groups) {
    const Summary f = summary(both[0]);
    sums[0] += f.median;
    std::printf("%-46s %4zu | %6.1f%% %5.1f%% %5.1f%% %+5.1f%%", name.c_str(), f.n, 100 * f.median,
                100 * f.tail, 100 * f.worst, 100 * f.mean);
    if (!held.empty()) {
      const Summary h = summary(both[1]);
      sums[1] += h.median;
      std::printf(" | %6.1f%% %5.1f%% %+5.1f%%", 100 * h.median, 100 * h.tail, 100 * h.mean);
    }
    std::printf("\n");
  }
  const double n = static_cast<double>(groups.size());
  std::printf("%-46s %4.0f | %6.1f%% %24s %6.1f%%\n", "mean of medians", n, 100 * sums[0] / n, "|",
              100 * sums[1] / n);
}

void overall(const char* what, const std::vector<Sample>& rows, const std::vector<double>& errors,
             bool (*chosen)(const Sample&)) {
  std::vector<double> some;
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (chosen(rows[i])) some.push_back(errors[i]);
  if (some.empty()) return;
  const Summary s = summary(some);
  std::printf("%-24s %4zu rows  median %5.2f%%  p90 %5.2f%%  max %5.1f%%  mean %+5.2f%%\n", what,
              s.n, 100 * s.median, 100 * s.tail, 100 * s.worst, 100 * s.mean);
}

void describe(const Fit& fit, const std::vector<Sample>& rows, std::size_t i) {
  const Sample& r = rows[i];
  const StepTime t = fit.predict(i);
  const auto& c = r.scenario.cluster;
  const auto& m = r.scenario.model;
  std::printf(
      "%s %s %s %s %s%.0fB L%g h%g s%g n%g tp%g pp%g vp%g cp%g ep%g mb%g gb%g z%g sp%d rc%d | "
      "measured %.4g s predicted %.4g %+.1f%% |",
      r.id.c_str(), r.accelerator.c_str(), r.stack.c_str(), r.precision.c_str(),
      r.moe ? " moe " : " ", r.architecture.total / 1e9, m.layers, m.hidden, r.scenario.run.seq,
      c.gpus, c.tp, c.pp, c.virtual_stages, c.cp, c.ep, r.scenario.run.micro_batch,
      r.scenario.run.global_batch, c.zero, c.sp, static_cast<int>(r.scenario.run.recompute),
      r.measured, t.total, 100 * (t.total / r.measured - 1));
  const struct {
    const char* name;
    double seconds;
  } parts[] = {{"mm", t.matmul},     {"ex", t.experts},   {"at", t.attention}, {"el", t.pointwise},
               {"hd", t.head},       {"rc", t.recompute}, {"tp", t.tensor},    {"cp", t.context},
               {"ep", t.expert},     {"pp", t.pipeline},  {"bub", t.bubble},   {"dp", t.data},
               {"opt", t.optimizer}, {"oh", t.overhead}};
  for (const auto& p : parts)
    if (p.seconds > 0.005 * t.total) std::printf(" %s %.0f%%", p.name, 100 * p.seconds / t.total);
  std::printf("\n");
}

// -----------------------------------------------------------------------------------------
// constants

double rounded(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", x);
  return std::strtod(text, nullptr);
}

void write_constants(const Fit& fit, const std::vector<Sample>& rows, const char* path) {
  std::map<std::string, int> devices, stacks;
  std::set<std::string> known;
  for (const Sample& r : rows) {
    known.insert(r.accelerator);
    ++devices[kin_of(kDevices, r.accelerator).group];
    ++stacks[r.stack];
  }
  const auto of = [&](const std::string& name, const std::string& parent, const char* what) {
    for (const std::string& start : {name, parent, std::string("all")})
      if (const int i = fit.find(start + "." + what); i >= 0) return fit.value(i);
    return 0.0;
  };
  std::ofstream out(path);
  out << "{\"accelerators\": {\n";
  bool first = true;
  for (const auto& a : catalog().accelerators) {
    const Kin& k = kin_of(kDevices, a.id);
    const Ceiling& most = ceiling_of(a.id);
    out << (first ? "" : ",\n") << "\"" << a.id << "\": {";
    first = false;
    const double factors[] = {most.wide, most.low, 1, most.wide, 1};
    int n = 0;
    for (const Prior& p : kDevicePriors) {
      double v = of(k.group, k.parent, p.name);
      if (n < 2) v = std::min(1.0, v);
      out << (n ? ", " : "") << "\"gpu." << p.name << "\": " << rounded(v * factors[n]);
      ++n;
    }
    const std::string ceiling = most.measured ? "measured ceiling" : "assumed ceiling";
    const std::string why =
        known.count(a.id) ? "fitted on " + std::to_string(devices[k.group]) + " rows of " + k.group
        : devices[k.group] > 0 ? ceiling + ", shares of it as " + k.group
                               : ceiling + ", shares of it as " +
                                     (k.group == std::string("any") ? "all devices" : k.group);
    out << ", \"fit\": \"" << why << "\"}";
  }
  out << "\n},\n\"stacks\": {\n";
  first = true;
  for (const auto& a : catalog().stacks) {
    const Kin& k = kin_of(kStacks, a.id);
    const std::string group = k.group[0] ? k.group : std::string(a.id);
    out << (first ? "" : ",\n") << "\"" << a.id << "\": {";
    first = false;
    int n = 0;
    for (const Prior& p : kStackPriors)
      out << (n++ ? ", " : "") << "\"stack." << p.name
          << "\": " << rounded(of(group, k.parent, p.name));
    const int seen = stacks[a.id];
    out << ", \"fit\": \""
        << (seen > 0 ? "fitted on " + std::to_string(seen) + " rows" : "inherited from " + group)
        << "\"}";
  }
  out << "\n},\n\"physics\": {";
  int n = 0;
  for (const PhysicsPrior& p : kPhysicsPriors)
    out << (n++ ? ", " : "") << "\"" << p.name
        << "\": " << rounded(fit.value(fit.find("physics." + std::string(p.name))));
  out << "}}\n";
}

void write_rows(const std::vector<Sample>& rows, const std::vector<double>& fitted,
                const std::vector<double>& held, const char* path) {
  std::ofstream out(path);
  out << "id,source_id,accelerator,stack,precision,moe,params,gpus,measured_step_s,fitted_error,"
         "held_out_error\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Sample& r = rows[i];
    char line[400];
    std::snprintf(line, sizeof line, "%s,%s,%s,%s,%s,%d,%.4g,%.0f,%.5g,%.4f,%.4f\n", r.id.c_str(),
                  r.source.c_str(), r.accelerator.c_str(), r.stack.c_str(), r.precision.c_str(),
                  r.moe, r.architecture.total, r.scenario.cluster.gpus, r.measured, fitted[i],
                  held[i]);
    out << line;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char *csv = nullptr, *constants = nullptr, *table_out = nullptr, *source = nullptr;
  int worst = 0;
  bool quick = false;
  for (int i = 1; i < argc; ++i) {
    const std::string arg = argv[i];
    const auto next = [&] { return i + 1 < argc ? argv[++i] : nullptr; };
    if (arg == "--constants")
      constants = next();
    else if (arg == "--rows")
      table_out = next();
    else if (arg == "--source")
      source = next();
    else if (arg == "--worst")
      worst = std::atoi(next());
    else if (arg == "--quick")
      quick = true;  // without the held-out errors
    else
      csv = argv[i];
  }
  if (!csv) {
    std::fprintf(stderr,
                 "usage: envelope_fit THROUGHPUT.csv [--quick] [--constants OUT.json] "
                 "[--rows OUT.csv] [--worst N] [--source ID]\n");
    return 1;
  }
  std::map<std::string, int> skipped;
  std::vector<Sample> rows = read(csv, skipped);
  for (const auto& [why, n] : skipped) std::printf("skipped %d: %s\n", n, why.c_str());

  Fit fit(rows);
  std::vector<double> held, fitted;
  if (!quick) {
    held.resize(rows.size());
    std::set<std::string> sources;
    for (const Sample& r : rows) sources.insert(r.source);
    for (const std::string& s : sources) {
      fit.run(s);
      for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i].source == s) held[i] = fit.error(i);
    }
  }
  fit.run("");
  for (std::size_t i = 0; i < rows.size(); ++i) fitted.push_back(fit.error(i));

  std::printf("loss %.1f\n", fit.last_loss());
  for (std::size_t i = 0; i < fit.constants().size(); ++i) {
    const Constant& c = fit.constants()[i];
    const double prior = c.parent < 0 ? c.prior : fit.constants()[c.parent].value;
    std::printf("%-34s %9.4g  prior %9.4g  %+5.1f  rows %zu\n", c.name.c_str(),
                out_of(c.value, c.range), out_of(prior, c.range), (c.value - prior) / c.spread,
                fit.rows_of(static_cast<int>(i)));
  }
  table("source", rows, fitted, held, [](const Sample& r) { return r.source; });
  table("device and precision", rows, fitted, held,
        [](const Sample& r) { return r.accelerator + " " + r.precision + (r.moe ? " moe" : ""); });
  table("stack", rows, fitted, held, [](const Sample& r) {
    return r.stack + " " + r.precision + (r.moe ? " moe" : "") +
           (r.scenario.run.task == Task::finetune && r.scenario.tune.method != Method::full
                ? " lora"
                : "");
  });
  std::printf("\n");
  overall("all, fitted", rows, fitted, [](const Sample&) { return true; });
  overall("MoE, fitted", rows, fitted, [](const Sample& r) { return r.moe; });
  if (!held.empty()) {
    overall("all, held out", rows, held, [](const Sample&) { return true; });
    overall("MoE, held out", rows, held, [](const Sample& r) { return r.moe; });
  }
  if (source)
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (rows[i].source == source) describe(fit, rows, i);
  if (worst > 0) {
    std::vector<std::size_t> order(rows.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::abs(fitted[a]) > std::abs(fitted[b]);
    });
    for (int i = 0; i < worst && i < static_cast<int>(order.size()); ++i)
      describe(fit, rows, order[static_cast<std::size_t>(i)]);
  }
  if (constants) write_constants(fit, rows, constants);
  if (table_out && !held.empty()) write_rows(rows, fitted, held, table_out);
  return 0;
}
