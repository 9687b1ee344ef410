// SPDX-License-Identifier: MIT
#include "envelope/scaling.h"

#include <array>
#include <cstddef>
#include <iterator>

namespace envelope {
namespace {

/// One petaflop/s-day in FLOP: 1e15 * 86400.
constexpr double kPfDay = 8.64e19;

/// L = E + A/N^alpha + B/D^beta.
struct Parametric {
  double E, A, B, alpha, beta;
};
// Table 1 of the replication: 240 runs read off figure 4 of Hoffmann et al.
constexpr Parametric kBesiroglu{1.8172, 482.01, 2085.43, 0.3478, 0.3658};
// Exponents and E with the digits of the paper's TeX source. The printed two digits (1.69, 0.34,
// 0.28) move the optimal size by 20 to 30 %, far from the paper's own table A3.
constexpr Parametric kHoffmann3{1.6934, 406.4, 410.7, 0.3392, 0.2849};

/// N_opt = k C^a. The paper prints no k: it is the geometric mean of N/C^a over the nine rows of
/// its table of optimal sizes (table 3 and table A3); the test recomputes it from them.
struct Allocation {
  double k, a;
};
constexpr Allocation kHoffmann1{0.08933188679409679, 0.50};
constexpr Allocation kHoffmann2{0.1444122922908668, 0.49};

/// L = ((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D and N_opt = k (C in PF-days)^a.
struct Kaplan {
  double n_c, d_c, alpha_n, alpha_d, k, a;
};
constexpr Kaplan kKaplan{6.4e13, 1.8e13, 0.076, 0.103, 1.3e9, 0.73};

/// L(C) = c (C in PF-days)^-alpha_c on the frontier, L(N) = (N/n_0)^-alpha_n with enough data.
struct Henighan {
  double c, alpha_c, n_0, alpha_n;
};
constexpr Henighan kHenighan{2.57, 0.048, 1.47e14, 0.070};

/// error = (D/reference)^-beta.
struct Hestness {
  double beta, reference;
};
constexpr Hestness kHestness{0.066, 1e9};

constexpr LawConstant kBesirogluConstants[] = {{"scaling.E", kBesiroglu.E},
                                               {"scaling.A", kBesiroglu.A},
                                               {"scaling.B", kBesiroglu.B},
                                               {"scaling.alpha", kBesiroglu.alpha},
                                               {"scaling.beta", kBesiroglu.beta}};
constexpr LawConstant kHoffmann1Constants[] = {{"scaling.k", kHoffmann1.k},
                                               {"scaling.a", kHoffmann1.a}};
constexpr LawConstant kHoffmann2Constants[] = {{"scaling.k", kHoffmann2.k},
                                               {"scaling.a", kHoffmann2.a}};
constexpr LawConstant kHoffmann3Constants[] = {{"scaling.E", kHoffmann3.E},
                                               {"scaling.A", kHoffmann3.A},
                                               {"scaling.B", kHoffmann3.B},
                                               {"scaling.alpha", kHoffmann3.alpha},
                                               {"scaling.beta", kHoffmann3.beta}};
constexpr LawConstant kKaplanConstants[] = {{"scaling.n_c", kKaplan.n_c},
                                            {"scaling.d_c", kKaplan.d_c},
                                            {"scaling.alpha_n", kKaplan.alpha_n},
                                            {"scaling.alpha_d", kKaplan.alpha_d},
                                            {"scaling.k", kKaplan.k},
                                            {"scaling.a", kKaplan.a}};
constexpr LawConstant kHenighanConstants[] = {{"scaling.c", kHenighan.c},
                                              {"scaling.alpha_c", kHenighan.alpha_c},
                                              {"scaling.n_0", kHenighan.n_0},
                                              {"scaling.alpha_n", kHenighan.alpha_n}};
constexpr LawConstant kHestnessConstants[] = {{"scaling.beta", kHestness.beta},
                                              {"scaling.reference_tokens", kHestness.reference}};

constexpr LawInfo kLaws[] = {
    {Law::besiroglu, "besiroglu", "Besiroglu 2024 (refit of Chinchilla)",
     "L = E + A/N^alpha + B/D^beta",
     "70M to 16B parameters and 6e18 to 3e21 FLOP, MassiveText. N counts embeddings. Refit of "
     "approach 3 of Hoffmann et al. on 240 runs read off a figure.",
     70e6, 16e9, 6e18, 3e21, "besiroglu-2024", kBesirogluConstants},
    {Law::hoffmann_1, "hoffmann-1", "Hoffmann 2022, approach 1", "N_opt = k C^0.50",
     "70M to 16B parameters and 6e18 to 3e21 FLOP, MassiveText. Lower envelope of training "
     "curves; gives sizes, no loss. k is the mean over the paper's table 3.",
     70e6, 16e9, 6e18, 3e21, "hoffmann-2022", kHoffmann1Constants},
    {Law::hoffmann_2, "hoffmann-2", "Hoffmann 2022, approach 2", "N_opt = k C^0.49",
     "70M to 16B parameters and 6e18 to 3e21 FLOP, MassiveText. IsoFLOP profiles; gives sizes, no "
     "loss. k is the mean over the paper's table A3.",
     70e6, 16e9, 6e18, 3e21, "hoffmann-2022", kHoffmann2Constants},
    {Law::hoffmann_3, "hoffmann-3", "Hoffmann 2022, approach 3", "L = E + A/N^alpha + B/D^beta",
     "70M to 16B parameters and 6e18 to 3e21 FLOP, MassiveText. Constants with the digits of the "
     "paper's TeX source. Besiroglu et al. show that this fit misses the paper's own runs.",
     70e6, 16e9, 6e18, 3e21, "hoffmann-2022", kHoffmann3Constants},
    {Law::kaplan, "kaplan", "Kaplan 2020",
     "L = ((N_c/N)^(alpha_N/alpha_D) + D_c/D)^alpha_D, N_opt = k C^0.73, C in PF-days",
     "768 to 1.5B parameters without embeddings, WebText2. Superseded: the learning-rate schedule "
     "was not matched to the tokens, so it prefers models that are too large.",
     768, 1.5e9, kNone, kNone, "kaplan-2020", kKaplanConstants},
    {Law::henighan, "henighan", "Henighan 2020 (language)",
     "L(C) = 2.57 C^-0.048, C in PF-days, L(N) = (N/1.47e14)^-0.070",
     "Up to 175B parameters and 3.1e23 FLOP (the GPT-3 models). N leaves out embeddings. The "
     "optimal size is the N whose L(N) equals L(C). Superseded, as Kaplan 2020.",
     kNone, 175e9, kNone, 3.14e23, "henighan-2020", kHenighanConstants},
    {Law::hestness, "hestness", "Hestness 2017 (word LM)", "error ~ D^-0.066",
     "LSTM word models on up to 1 billion words. Power-law region alone: not the small-data "
     "region, not the irreducible error. Gives no size.",
     kNone, kNone, kNone, kNone, "hestness-2017", kHestnessConstants},
};

constexpr bool rows_follow_the_enum() {
  for (std::size_t i = 0; i < std::size(kLaws); ++i)
    if (kLaws[i].law != static_cast<Law>(i)) return false;
  return std::size(kLaws) == static_cast<std::size_t>(Law::hestness) + 1;
}
static_assert(rows_follow_the_enum());

/// Apart from the rows: a module that says nothing of the laws then has none of their texts.
constexpr auto kConstants = [] {
  std::array<std::span<const LawConstant>, std::size(kLaws)> constants;
  for (std::size_t i = 0; i < constants.size(); ++i) constants[i] = kLaws[i].constants;
  return constants;
}();

const Parametric& parametric(Law law) { return law == Law::hoffmann_3 ? kHoffmann3 : kBesiroglu; }

double parametric_loss(const Parametric& p, double params, double tokens) {
  return p.E + p.A / power(params, p.alpha) + p.B / power(tokens, p.beta);
}
/// G of N_opt = G (C/6)^a, the same for every scenario.
double size_coefficient(const Parametric& p) {
  static const auto of = [](const Parametric& q) {
    return power(q.alpha * q.A / (q.beta * q.B), 1 / (q.alpha + q.beta));
  };
  static const double besiroglu = of(kBesiroglu), hoffmann = of(kHoffmann3);
  return &p == &kHoffmann3 ? hoffmann : besiroglu;
}
double kaplan_loss(double params, double tokens) {
  const Kaplan& p = kKaplan;
  return power(power(p.n_c / params, p.alpha_n / p.alpha_d) + p.d_c / tokens, p.alpha_d);
}
double henighan_size_loss(double params) {
  return power(params / kHenighan.n_0, -kHenighan.alpha_n);
}
double henighan_compute_loss(double flops) {
  return kHenighan.c * power(flops / kPfDay, -kHenighan.alpha_c);
}

/// Unlike std::max, not applicable if the first is.
double larger(double a, double b) { return a < b ? b : a; }

/// Notes a value unless it is not applicable.
struct Notes {
  Ledger note;
  double operator()(Literal id, double value, Formula formula = {}) const {
    return given(value) ? note(id, value, formula) : value;
  }
};

constexpr Formula kTokensAtOptimum = "scaling.budget/(6*scaling.optimal_params)";

void by_loss_law(const Parametric& p, double N, double D, Notes note, ScalingResult& r) {
  r.loss = note("scaling.loss", parametric_loss(p, N, D),
                "scaling.E+scaling.A/params.active^scaling.alpha"
                "+scaling.B/compute.tokens^scaling.beta");
  // Least loss on the line 6ND = C, by its derivative.
  const double a =
      note("scaling.a", p.beta / (p.alpha + p.beta), "scaling.beta/(scaling.alpha+scaling.beta)");
  const double G = note("scaling.G", size_coefficient(p),
                        "(scaling.alpha*scaling.A/(scaling.beta*scaling.B))"
                        "^(1/(scaling.alpha+scaling.beta))");
  r.optimal_params = note("scaling.optimal_params", G * power(r.budget / 6, a),
                          "scaling.G*(scaling.budget/6)^scaling.a");
  r.optimal_tokens =
      note("scaling.optimal_tokens", r.budget / (6 * r.optimal_params), kTokensAtOptimum);
  // There the size term and the data term are to each other as beta to alpha.
  r.optimal_loss = note("scaling.optimal_loss",
                        p.E + (1 + p.alpha / p.beta) * p.A / power(r.optimal_params, p.alpha),
                        "scaling.E+(1+scaling.alpha/scaling.beta)*scaling.A"
                        "/scaling.optimal_params^scaling.alpha");
  const double flops = note("scaling.compute_optimal_flops", 6 * power(N / G, 1 / a),
                            "6*(params.active/scaling.G)^(1/scaling.a)");
  r.compute_optimal_tokens = flops / (6 * N);
}

void by_allocation(const Allocation& p, double N, Notes note, ScalingResult& r) {
  r.optimal_params = note("scaling.optimal_params", p.k * power(r.budget, p.a),
                          "scaling.k*scaling.budget^scaling.a");
  r.optimal_tokens =
      note("scaling.optimal_tokens", r.budget / (6 * r.optimal_params), kTokensAtOptimum);
  const double flops = note("scaling.compute_optimal_flops", power(N / p.k, 1 / p.a),
                            "(params.active/scaling.k)^(1/scaling.a)");
  r.compute_optimal_tokens = flops / (6 * N);
}

void by_kaplan(double N, double D, Notes note, ScalingResult& r) {
  const Kaplan& p = kKaplan;
  r.loss = note("scaling.loss", kaplan_loss(N, D),
                "((scaling.n_c/params.active)^(scaling.alpha_n/scaling.alpha_d)"
                "+scaling.d_c/compute.tokens)^scaling.alpha_d");
  const double days = note("scaling.budget_pf_days", r.budget / kPfDay, "scaling.budget/8.64e19");
  r.optimal_params = note("scaling.optimal_params", p.k * power(days, p.a),
                          "scaling.k*scaling.budget_pf_days^scaling.a");
  r.optimal_tokens =
      note("scaling.optimal_tokens", r.budget / (6 * r.optimal_params), kTokensAtOptimum);
  r.optimal_loss = note("scaling.optimal_loss", kaplan_loss(r.optimal_params, r.optimal_tokens),
                        "((scaling.n_c/scaling.optimal_params)^(scaling.alpha_n/scaling.alpha_d)"
                        "+scaling.d_c/scaling.optimal_tokens)^scaling.alpha_d");
  const double flops = note("scaling.compute_optimal_flops", kPfDay * power(N / p.k, 1 / p.a),
                            "8.64e19*(params.active/scaling.k)^(1/scaling.a)");
  r.compute_optimal_tokens = flops / (6 * N);
}

void by_henighan(double N, double D, Notes note, ScalingResult& r) {
  const Henighan& p = kHenighan;
  const double of_size = note("scaling.loss_size", henighan_size_loss(N),
                              "(params.active/scaling.n_0)^(-scaling.alpha_n)");
  const double of_compute =
      note("scaling.loss_compute", henighan_compute_loss(6 * N * D),
           "scaling.c*(6*params.active*compute.tokens/8.64e19)^(-scaling.alpha_c)");
  r.loss = note("scaling.loss", larger(of_compute, of_size),
                "max(scaling.loss_size,scaling.loss_compute)");
  note("scaling.budget_pf_days", r.budget / kPfDay, "scaling.budget/8.64e19");
  r.optimal_loss = note("scaling.optimal_loss", henighan_compute_loss(r.budget),
                        "scaling.c*scaling.budget_pf_days^(-scaling.alpha_c)");
  r.optimal_params = note("scaling.optimal_params", p.n_0 * power(r.optimal_loss, -1 / p.alpha_n),
                          "scaling.n_0*scaling.optimal_loss^(-1/scaling.alpha_n)");
  r.optimal_tokens =
      note("scaling.optimal_tokens", r.budget / (6 * r.optimal_params), kTokensAtOptimum);
  const double flops =
      note("scaling.compute_optimal_flops", kPfDay * power(of_size / p.c, -1 / p.alpha_c),
           "8.64e19*(scaling.loss_size/scaling.c)^(-1/scaling.alpha_c)");
  r.compute_optimal_tokens = flops / (6 * N);
}

}  // namespace

std::span<const LawInfo> laws() { return kLaws; }
const LawInfo& law_info(Law law) { return kLaws[static_cast<std::size_t>(law)]; }

double loss_at(Law law, double params, double tokens) {
  switch (law) {
    case Law::besiroglu:
    case Law::hoffmann_3:
      return parametric_loss(parametric(law), params, tokens);
    case Law::kaplan:
      return kaplan_loss(params, tokens);
    case Law::henighan:
      return larger(henighan_compute_loss(6 * params * tokens), henighan_size_loss(params));
    case Law::hoffmann_1:
    case Law::hoffmann_2:
    case Law::hestness:
      break;
  }
  return kNone;
}

ScalingResult scaling(const Scenario& scenario, double params, Tokens tokens, Flops budget,
                      Ledger ledger, Formula budget_formula) {
  const Notes note{ledger};
  const Law law = scenario.scaling.law;
  const double D = tokens.value;
  ScalingResult r;
  r.tokens_per_param = note("scaling.tokens_per_param", D / params, "compute.tokens/params.active");
  r.tokens_20 = note("scaling.tokens_20", 20 * params, "20*params.active");
  r.budget = note("scaling.budget", budget.value, budget_formula);
  for (const LawConstant& c : kConstants[static_cast<std::size_t>(law)]) note(c.id, c.value);

  switch (law) {
    case Law::besiroglu:
    case Law::hoffmann_3:
      by_loss_law(parametric(law), params, D, note, r);
      break;
    case Law::hoffmann_1:
      by_allocation(kHoffmann1, params, note, r);
      break;
    case Law::hoffmann_2:
      by_allocation(kHoffmann2, params, note, r);
      break;
    case Law::kaplan:
      by_kaplan(params, D, note, r);
      break;
    case Law::henighan:
      by_henighan(params, D, note, r);
      break;
    case Law::hestness:
      r.relative_error =
          note("scaling.relative_error", power(D / kHestness.reference, -kHestness.beta),
               "(compute.tokens/scaling.reference_tokens)^(-scaling.beta)");
      return r;
  }
  note("scaling.compute_optimal_tokens", r.compute_optimal_tokens,
       "scaling.compute_optimal_flops/(6*params.active)");
  r.over_training = note("scaling.over_training", D / r.compute_optimal_tokens,
                         "compute.tokens/scaling.compute_optimal_tokens");
  return r;
}

}  // namespace envelope
