// SPDX-License-Identifier: MIT
// Prints one JSON object of speeds. The same source runs natively and in Node;
// tests/bench/report.mjs runs both several times.
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "envelope/api.h"
#include "envelope/catalog.h"
#include "envelope/estimate.h"
#include "envelope/link.h"
#include "envelope/patch.h"
#include "envelope/search.h"
#include "envelope/step.h"
#include "spaces.h"

namespace {

using envelope::Scenario;
using Clock = std::chrono::steady_clock;

constexpr double kSeconds = 0.5;  // of each measurement

/// Every model of the catalog on one of its accelerators, for the three tasks in turn.
std::vector<Scenario> varied_scenarios() {
  const envelope::CatalogData& catalog = envelope::catalog();
  const std::string tasks[] = {"pretrain", "finetune", "serve"};
  std::vector<Scenario> scenarios;
  for (std::size_t i = 0; i < catalog.models.size(); ++i) {
    const std::string& gpu = catalog.accelerators[i % catalog.accelerators.size()].id;
    envelope::Problems problems;
    scenarios.push_back(envelope::scenario_of({{"run.task", tasks[i % 3]},
                                               {"model.id", catalog.models[i].id},
                                               {"gpu.id", gpu},
                                               {"cluster.gpus", static_cast<double>(8 << i % 8)}},
                                              problems));
  }
  return scenarios;
}

/// Calls per second of `call(i)`, which does `batch` things at once.
template <class Call>
double per_second(double batch, Call call) {
  const auto start = Clock::now();
  double done = 0;
  std::size_t i = 0;
  for (;;) {
    // The clock is asked rarely: it costs more than an estimate.
    for (int k = 0; k < 64; ++k) call(i++);
    done += 64 * batch;
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (seconds > kSeconds) return done / seconds;
  }
}

/// Step times per second of one layout: the ranks, their ways and the step, all anew.
double steps_per_second(const envelope::Patch& patch, volatile double& kept) {
  envelope::Problems problems;
  const Scenario s = envelope::scenario_of(patch, problems);
  const envelope::Report report = envelope::estimate(s);
  return per_second(1, [&](std::size_t) {
    const envelope::Ranks ranks(s, report.architecture, report.memory, report.activations,
                                s.cluster.tp);
    const envelope::Ways ways = ranks.ways(report.layout.dp);
    kept = kept + envelope::step_time(s, report.architecture, ranks, ways).total;
  });
}

// ---- the search

struct Searched {
  double seconds, candidates;
  envelope::Found found;
};
/// Candidates are what divides: the points that no rule of whole numbers rejects.
Searched searched(const envelope::Space& space) {
  const auto start = Clock::now();
  envelope::Search search(space);
  search.run();
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  Searched out{seconds, double(search.found().tally.examined), search.found()};
  for (const envelope::Rejection& r : out.found.tally.rejected)
    if (r.path == "cluster.gpus" || r.path == "run.global_batch" || r.path == "cluster.tp" ||
        r.path == "cluster.pp" || r.path == "cluster.virtual_stages" || r.code == "not_used")
      out.candidates -= double(r.count);
  return out;
}

/// What a search took and found, as rows of the report.
void print(const std::string& name, const Searched& s) {
  double rules = 0, memory = 0;
  for (const envelope::Rejection& r : s.found.tally.rejected)
    (r.code == "memory" ? memory : rules) += double(r.count);
  const envelope::Tally& t = s.found.tally;
  const auto row = [&](const char* what, double value) {
    std::printf(", \"%s: %s\": %.6g", name.c_str(), what, value);
  };
  row("milliseconds", 1e3 * s.seconds);
  row("candidates", s.candidates);
  row("candidates per second", s.candidates / s.seconds);
  row("points", double(t.examined));
  row("rejected by rules", rules);
  row("rejected by memory", memory);
  row("skipped", double(t.skipped));
  row("evaluated", double(t.evaluated));
  row("best, days", s.found.kept.empty() ? 0 : s.found.kept[0].value / 86400);
}

}  // namespace

int main() {
  const std::vector<Scenario> scenarios = varied_scenarios();
  std::vector<std::string> links;
  for (const Scenario& scenario : scenarios) links.push_back(envelope::encode(scenario));

  volatile double kept = 0;  // so that no work is optimised away
  const double silent = per_second(1, [&](std::size_t i) {
    const envelope::Report report = envelope::estimate(scenarios[i % scenarios.size()]);
    kept = kept + report.memory.total.value;
  });
  double bytes = 0;
  for (const std::string& link : links) bytes += double(envelope::api::estimate(link).size());
  const double full = per_second(1, [&](std::size_t i) {
    kept = kept + double(envelope::api::estimate(links[i % links.size()]).size());
  });
  const std::string sweep =
      R"({"scenario": "", "axes": [{"path": "cluster.gpus", "from": 8, "to": 65536, "count": 100,)"
      R"( "scale": "log"}], "metrics": ["cost.total"]})";
  const double swept =
      per_second(100, [&](std::size_t) { kept = kept + envelope::api::sweep(sweep)[1]; });

  // DeepSeek-V3 on TP 8, PP 16, EP 64: what a GPU of each of the 16 stages holds, at its peak.
  envelope::Problems problems;
  const Scenario deepseek = envelope::scenario_of({{"model.id", std::string("deepseek-v3")},
                                                   {"cluster.tp", 8.0},
                                                   {"cluster.pp", 16.0},
                                                   {"cluster.ep", 64.0},
                                                   {"cluster.zero", 1.0},
                                                   {"cluster.gpus", 2048.0}},
                                                  problems);
  const envelope::Report report = envelope::estimate(deepseek);
  const double ranked = per_second(1, [&](std::size_t) {
    const envelope::Activations kept_layers =
        envelope::activations(deepseek, report.architecture, {});
    const envelope::Memory states =
        envelope::memory(deepseek, report.architecture, kept_layers, {});
    const envelope::Ranks ranks(deepseek, report.architecture, states, kept_layers, 8);
    const envelope::Ways ways = ranks.ways(report.layout.dp);
    for (double stage = 0; stage < ways.pp; ++stage)
      kept = kept + ranks.peak(ranks.stage(stage, ways), ways).allocated;
  });

  // Llama 3.1 405B as on 16,384 H100; DeepSeek-V3 as on 2,048 H800.
  const double dense = steps_per_second({{"model.id", std::string("llama-3.1-405b")},
                                         {"gpu.id", std::string("h100-sxm")},
                                         {"cluster.gpus", 16384.0},
                                         {"cluster.tp", 8.0},
                                         {"cluster.pp", 16.0},
                                         {"cluster.zero", 1.0}},
                                        kept);
  const double mixture = steps_per_second({{"model.id", std::string("deepseek-v3")},
                                           {"gpu.id", std::string("h800-sxm")},
                                           {"run.precision", std::string("fp8")},
                                           {"run.seq", 4096.0},
                                           {"run.global_batch", 15360.0},
                                           {"cluster.gpus", 2048.0},
                                           {"cluster.tp", 1.0},
                                           {"cluster.pp", 16.0},
                                           {"cluster.ep", 64.0},
                                           {"cluster.zero", 1.0},
                                           {"cluster.schedule", std::string("dualpipe")}},
                                          kept);

  std::printf(
      "{\"microseconds for the memory of 16 pipeline stages\": %.2f, \"estimates without ledger "
      "per second\": %.0f, \"points of a sweep per second\": %.0f, "
      "\"step times per second, dense\": %.0f, \"step times per second, experts\": %.0f, "
      "\"full estimate calls per second\": %.0f, \"bytes of a full estimate\": %.0f",
      1e6 / ranked, silent, swept, dense, mixture, full, bytes / double(links.size()));
  for (auto [name, space] : {std::pair{"530B on 5,128 GPUs", envelope_bench::turing()},
                             {"175B on 1,024 GPUs", envelope_bench::gpt3()}})
    for (const bool exhaustive : {false, true}) {
      space.exhaustive = exhaustive;
      print(std::string(name) + (exhaustive ? ", exhaustive" : ", with bounds"), searched(space));
    }
  std::printf("}\n");
}
