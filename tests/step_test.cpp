// SPDX-License-Identifier: MIT
// The step model: against measured steps, against itself, and against laws that hold whatever the
// constants are.
#include "envelope/step.h"

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "catch.h"
#include "envelope/catalog.h"
#include "envelope/patch.h"
#include "scenarios.h"

namespace {

using namespace envelope;

Scenario of(const Patch& patch) {
  Problems problems;
  const Scenario s = scenario_of(patch, problems);
  for (const Problem& p : problems)
    if (p.severity == Severity::error) FAIL_CHECK(p.path << ": " << p.message);
  return s;
}

/// With the layout that the scenario asks for; TP 1 where it asks for none.
StepTime step_of(const Scenario& s, const Physics& physics = kPhysics,
                 StepDetail* detail = nullptr) {
  const Architecture a = architecture(s, {});
  const Activations act = activations(s, a, {});
  const Memory m = memory(s, a, act, {});
  const Ranks ranks(s, a, m, act, given(s.cluster.tp) ? s.cluster.tp : 1);
  const double dp = std::max(1.0, std::floor(s.cluster.gpus / ranks.replica()));
  return step_time(s, a, ranks, ranks.ways(dp), physics, detail);
}

double sum(const StepTime& t) {
  return t.matmul + t.experts + t.attention + t.pointwise + t.head + t.recompute + t.tensor +
         t.context + t.expert + t.pipeline + t.bubble + t.data + t.optimizer + t.overhead;
}

/// Scenarios of every model and accelerator, layouts at random.
std::vector<Scenario> some(int count, unsigned seed) {
  std::mt19937 random(seed);
  const auto pick = [&](std::initializer_list<double> from) {
    return from.begin()[random() % from.size()];
  };
  const CatalogData& c = catalog();
  std::vector<Scenario> out;
  while (static_cast<int>(out.size()) < count) {
    Problems problems;
    Scenario s = scenario_of({{"model.id", c.models[random() % c.models.size()].id},
                              {"gpu.id", c.accelerators[random() % c.accelerators.size()].id},
                              {"stack.id", c.stacks[random() % c.stacks.size()].id}},
                             problems);
    if (s.model.kind == ModelKind::size_only) continue;
    s.cluster.tp = pick({1, 2, 4, 8});
    s.cluster.pp = std::min(pick({1, 1, 2, 4, 8}), s.model.layers);
    s.cluster.cp = pick({1, 1, 2, 4});
    s.cluster.gpus = s.cluster.tp * s.cluster.pp * s.cluster.cp * pick({1, 2, 8, 64});
    s.cluster.zero = pick({0, 1, 3});
    if (s.model.experts > 0) s.cluster.ep = std::min(pick({1, 2, 8}), s.model.experts);
    s.run.micro_batch = pick({1, 2, 4});
    s.run.global_batch = s.cluster.gpus * pick({1, 4, 16});
    s.run.seq = pick({512, 4096, 32768});
    s.run.recompute = static_cast<Recompute>(random() % 4);
    s.run.flash = random() % 4 > 0;
    s.cluster.cp_kind = static_cast<ContextParallel>(random() % 2);
    s.cluster.sp = random() % 3 > 0;
    const double tasks = pick({0, 0, 1, 2});
    if (tasks > 0) {
      s.run.task = Task::finetune;
      s.tune.method = tasks > 1 ? Method::qlora : Method::lora;
    }
    out.push_back(s);
  }
  return out;
}

}  // namespace

// Korthikanti et al. 2022, "Reducing Activation Recomputation in Large Transformer Models", Table
// 5: seconds of an iteration on A100s, with full recomputation and without sequence parallelism,
// and with selective recomputation and sequence parallelism.
TEST_CASE("step: the eight iteration times of Korthikanti et al. 2022, Table 5") {
  const struct {
    double layers, hidden, heads, gpus, pp, vp, micro, batch, full, selective;
  } rows[] = {{48, 6144, 64, 8, 1, 1, 4, 4, 1.42, 1.10},
              {96, 12288, 96, 64, 8, 3, 1, 64, 18.13, 13.75},
              {105, 20480, 128, 280, 35, 3, 1, 280, 49.05, 37.83},
              {128, 25600, 160, 512, 64, 1, 1, 512, 94.42, 71.49}};
  double sizes = 0;
  for (const auto& r : rows) {
    for (const bool full : {true, false}) {
      const Scenario s = of({{"model.id", std::string("custom")},
                             {"model.layers", r.layers},
                             {"model.hidden", r.hidden},
                             {"model.heads", r.heads},
                             {"model.kv_heads", r.heads},
                             {"model.head_dim", r.hidden / r.heads},
                             {"model.ffn", 4 * r.hidden},
                             {"model.gated", false},
                             {"model.norm", std::string("layernorm")},
                             {"model.tied", true},
                             {"model.learned_positions", 2048.0},
                             {"model.vocab", 51200.0},
                             {"gpu.id", std::string("a100-sxm-80gb")},
                             {"stack.id", std::string("megatron-2022")},
                             {"run.precision", std::string("fp16")},
                             {"run.seq", 2048.0},
                             {"run.micro_batch", r.micro},
                             {"run.global_batch", r.batch},
                             {"run.flash", false},
                             {"run.recompute", std::string(full ? "full" : "selective")},
                             {"cluster.gpus", r.gpus},
                             {"cluster.tp", 8.0},
                             {"cluster.pp", r.pp},
                             {"cluster.virtual_stages", r.vp},
                             {"cluster.zero", 0.0},
                             {"cluster.sp", !full}});
      const double measured = full ? r.full : r.selective;
      const double error = step_of(s).total / measured - 1;
      INFO(r.hidden << " wide, " << (full ? "full" : "selective") << ": " << error);
      CHECK(std::abs(error) < 0.06);
      sizes += std::abs(error);
    }
  }
  CHECK(sizes / 8 < 0.025);
}

TEST_CASE("step: the parts sum to the step and none is negative, whatever the scenario") {
  for (const Scenario& s : some(400, 1)) {
    const StepTime t = step_of(s);
    INFO(s.model.id.text << " on " << s.gpu.id.text);
    REQUIRE(std::isfinite(t.total));
    CHECK(t.total > 0);
    CHECK(std::abs(sum(t) - t.total) <= 1e-12 * t.total);
    for (const double part :
         {t.matmul, t.experts, t.attention, t.pointwise, t.head, t.recompute, t.tensor, t.context,
          t.expert, t.pipeline, t.bubble, t.data, t.optimizer})
      CHECK(part >= 0);
  }
}

TEST_CASE("step: nothing that gets faster slows a step") {
  const struct {
    const char* what;
    std::function<void(Scenario&)> faster;
  } changes[] = {{"memory", [](Scenario& s) { s.gpu.bandwidth *= 1.5; }},
                 {"peak",
                  [](Scenario& s) {
                    for (double Gpu::*peak : {&Gpu::fp32, &Gpu::tf32, &Gpu::fp16, &Gpu::bf16,
                                              &Gpu::fp8, &Gpu::int8, &Gpu::fp4})
                      s.gpu.*peak *= 1.5;
                  }},
                 {"link", [](Scenario& s) { s.gpu.link *= 1.5; }},
                 {"network", [](Scenario& s) { s.gpu.nic *= 1.5; }},
                 {"fabric", [](Scenario& s) { s.cluster.oversubscription = 1; }},
                 {"attention", [](Scenario& s) { s.gpu.reach_attention *= 1.5; }},
                 {"overlap", [](Scenario& s) { s.stack.overlap = 1; }},
                 {"launch", [](Scenario& s) { s.stack.launch /= 2; }}};
  for (Scenario s : some(300, 2)) {
    s.cluster.oversubscription = 4;
    const double before = step_of(s).total;
    for (const auto& change : changes) {
      Scenario faster = s;
      change.faster(faster);
      INFO(change.what << ", " << s.model.id.text << " on " << s.gpu.id.text);
      CHECK(step_of(faster).total <= before * (1 + 1e-12));
    }
  }
}

TEST_CASE("step: the share of the bubble falls with the number of micro-batches") {
  Scenario s = of({{"model.id", std::string("llama-3.1-70b")},
                   {"cluster.gpus", 64.0},
                   {"cluster.tp", 8.0},
                   {"cluster.pp", 8.0},
                   {"run.micro_batch", 1.0}});
  double last = 1;
  for (double batch = 8; batch <= 512; batch *= 2) {
    s.run.global_batch = batch;
    const StepTime t = step_of(s);
    CHECK(t.bubble / t.total < last);
    last = t.bubble / t.total;
  }
  s.cluster.virtual_stages = 5;
  CHECK(step_of(s).bubble < last * step_of(s).total);
}

TEST_CASE("step: one GPU sends nothing") {
  const StepTime t = step_of(of({{"model.id", std::string("llama-3.2-1b")},
                                 {"cluster.gpus", 1.0},
                                 {"cluster.tp", 1.0},
                                 {"run.global_batch", 8.0}}));
  CHECK(t.tensor + t.context + t.expert + t.pipeline + t.bubble + t.data == 0);
  CHECK(t.optimizer > 0);
}

TEST_CASE("step: recomputing everything costs one more forward pass of the layers") {
  Scenario s = of({{"model.id", std::string("llama-3.1-8b")},
                   {"cluster.gpus", 8.0},
                   {"cluster.tp", 1.0},
                   {"run.seq", 4096.0},
                   {"run.global_batch", 64.0},
                   {"run.recompute", std::string("none")}});
  const StepTime none = step_of(s);
  CHECK(none.recompute == 0);
  s.run.recompute = Recompute::full;
  const StepTime full = step_of(s);
  // A third of forward and backward, a little less for attention, whose way back is longer.
  const double layers = full.matmul + full.attention + full.pointwise;
  CHECK(full.recompute > 0.28 * layers);
  CHECK(full.recompute < 0.36 * layers);
  s.run.recompute_every = 2;
  CHECK(step_of(s).recompute == Approx(full.recompute / 2));
  s.run.recompute = Recompute::pointwise;
  CHECK(step_of(s).recompute < full.recompute);
}

TEST_CASE("step: what no weight is trained for is not computed in the backward pass") {
  Scenario s = of({{"run.task", std::string("finetune")},
                   {"model.id", std::string("llama-3.1-8b")},
                   {"cluster.gpus", 1.0},
                   {"cluster.tp", 1.0},
                   {"run.seq", 4096.0},
                   {"run.micro_batch", 4.0},
                   {"run.global_batch", 4.0}});
  const double full = step_of(s).matmul;
  s.tune.method = Method::lora;
  CHECK(step_of(s).matmul == Approx(full * 2 / 3).epsilon(0.02));
  // Weights in 4 bits are unpacked first.
  const double lora = step_of(s).total;
  s.tune.method = Method::qlora;
  CHECK(step_of(s).total > lora);
}

TEST_CASE("operations: FLOP are those of the architecture, forward and backward") {
  const Scenario s = of({{"model.id", std::string("llama-3.1-8b")},
                         {"cluster.gpus", 8.0},
                         {"cluster.tp", 1.0},
                         {"run.seq", 4096.0},
                         {"run.micro_batch", 2.0},
                         {"run.global_batch", 16.0}});
  const Architecture a = architecture(s, {});
  const Activations act = activations(s, a, {});
  const Memory m = memory(s, a, act, {});
  const Ranks ranks(s, a, m, act, 1);
  const Ways w = ranks.ways(8);
  const Stage stage = ranks.stage(0, w);
  double forward = 0, backward = 0;
  for (const Operation& op : operations(s, a, w, machine_of(s, kPhysics))) {
    if (op.category == Category::attention || op.category == Category::pointwise) continue;
    forward += layers_of(op.where, stage, s) * op.flop.forward;
    backward += layers_of(op.where, stage, s) * op.flop.backward;
  }
  CHECK(forward == Approx(2 * a.matmul * 2 * 4096));
  CHECK(backward == Approx(2 * forward));
}

TEST_CASE("operations: a product never beats the peak reached or the memory") {
  for (const Scenario& s : some(200, 3)) {
    const Architecture a = architecture(s, {});
    const Activations act = activations(s, a, {});
    const Memory m = memory(s, a, act, {});
    const Ranks ranks(s, a, m, act, s.cluster.tp);
    const Machine x = machine_of(s, kPhysics);
    for (const Operation& op : operations(s, a, ranks.ways(1), x)) {
      INFO(op.id << " of " << s.model.id.text << " on " << s.gpu.id.text);
      CHECK(op.seconds.forward > 0);
      if (op.category != Category::matmul) continue;
      CHECK(op.flop.forward / op.seconds.forward <= x.peak * (1 + 1e-12));
      CHECK(op.bytes.forward / op.seconds.forward <= x.bandwidth * (1 + 1e-12));
    }
  }
}

namespace {

/// Two nodes of eight with round figures: what follows can be worked out by hand.
Network plain() {
  Network n;
  n.link = 100e9;
  n.domain = n.node = 8;
  n.box = 20e9;
  n.nic = 10e9;
  return n;
}

}  // namespace

TEST_CASE("network: a group of one is free") {
  const Network n = plain();
  CHECK(all_gather(n, {1, 1}, 1e9) == 0);
  CHECK(all_reduce(n, {1, 1}, 1e9) == 0);
  CHECK(all_to_all(n, {1, 1}, 1e9) == 0);
  CHECK(dispatch(n, {1, 1}, 1000, 1e4, 8) == 0);
  CHECK(send(n, {1, 1}, 1e9) == 0);
}

TEST_CASE("network: a ring inside a domain passes all but its own part over the link") {
  const Network n = plain();
  CHECK(all_gather(n, {8, 1}, 8e9) == Approx(7e9 / 100e9));
  CHECK(reduce_scatter(n, {8, 1}, 8e9) == all_gather(n, {8, 1}, 8e9));
  CHECK(all_reduce(n, {8, 1}, 8e9) == Approx(2 * 7e9 / 100e9));
}

TEST_CASE("network: ranks of one domain bring their NICs together, strided ranks have one each") {
  const Network n = plain();
  // Sixteen neighbours: eight NICs carry the ring between the two domains.
  CHECK(all_gather(n, {16, 1}, 16e9) == Approx(15e9 / 80e9));
  // With TP 8 inside, each data-parallel group has one rank and one NIC in a node.
  CHECK(all_gather(n, {2, 8}, 16e9) == Approx(8e9 / 10e9));
  // With TP 4, two.
  CHECK(all_gather(n, {4, 4}, 16e9) == Approx(12e9 / 20e9));
}

TEST_CASE("network: a summing switch sends the bytes of an all-reduce once") {
  Network n = plain();
  const double ring = all_reduce(n, {8, 1}, 8e9);
  n.in_switch = true;
  CHECK(all_reduce(n, {8, 1}, 8e9) == Approx(8e9 / 100e9));
  CHECK(all_reduce(n, {8, 1}, 8e9) < ring);
  CHECK(all_reduce(n, {16, 1}, 8e9) > 8e9 / 100e9);  // not across nodes
}

TEST_CASE("network: hierarchy beats a flat ring where latency counts") {
  Network n = plain();
  n.nic_hop = 5e-6;
  n.link_hop = 1e-6;
  const double small = all_reduce(n, {512, 1}, 1e6);
  CHECK(small < 2 * all_gather(n, {512, 1}, 1e6));
  CHECK(small >= 2 * 6 * n.nic_hop);  // 64 nodes: six levels up and down
}

TEST_CASE("network: an exchange pays for what leaves the domain") {
  const Network n = plain();
  CHECK(all_to_all(n, {8, 1}, 8e9) == Approx(7e9 / 100e9));
  CHECK(all_to_all(n, {16, 1}, 16e9) == Approx(8e9 / 10e9));
  // Tokens that go to several ranks of another domain cross the network once.
  CHECK(dispatch(n, {16, 1}, 1e5, 1e4, 8) < all_to_all(n, {16, 1}, 8e9));
  CHECK(dispatch(n, {16, 1}, 1e5, 1e4, 1) == Approx(1e9 / 2 / 10e9));
}

TEST_CASE("network: cards of a box without scale-up links meet over PCIe") {
  const Scenario box = of({{"gpu.id", std::string("rtx-4090")}, {"cluster.gpus", 16.0}});
  const Network n = network_of(box, 16, kPhysics);
  CHECK(n.domain == 1);
  CHECK(n.node == 8);
  const double inside = all_gather(n, {8, 1}, 8e9), outside = all_gather(n, {2, 8}, 8e9);
  CHECK(inside > 7e9 / box.gpu.link);
  CHECK(inside < 7e9 / box.gpu.link * 3);
  CHECK(outside > 4e9 / n.nic);
}

TEST_CASE("network: oversubscription divides the fabric and leaves the links") {
  Scenario s = of({{"gpu.id", std::string("h100-sxm")}, {"cluster.gpus", 16.0}});
  const Network whole = network_of(s, 16, kPhysics);
  s.cluster.oversubscription = 3;
  const Network part = network_of(s, 16, kPhysics);
  CHECK(part.nic == Approx(whole.nic / 3));
  CHECK(part.link == whole.link);
}

TEST_CASE("network: a torus gives one dimension its links, and all of them to all") {
  const Scenario s = of({{"gpu.id", std::string("tpu-v5e")}, {"cluster.gpus", 256.0}});
  Network n = network_of(s, 256, kPhysics);
  n.latency = n.link_hop = n.nic_hop = 0;
  CHECK(n.side == 16);
  CHECK(all_gather(n, {16, 1}, 16e9) == Approx(15e9 / (n.link / 2)));
  CHECK(all_gather(n, {256, 1}, 256e9) == Approx(255e9 / n.link));
}

TEST_CASE("network: a ring is no longer than the slice of a torus that is in use") {
  // 512 chips are a cube of 8: sixteen in a group are a plane, and more experts ways never wait
  // longer by an order.
  const Scenario s = of({{"gpu.id", std::string("tpu-v5p")}});
  CHECK(network_of(s, 512, kPhysics).side == 8);
  CHECK(network_of(s, 8960, kPhysics).side == 32);
  const std::string link = "model=deepseek-v3&n=512&gbs=2048&seq=4096&zero=1&tp=1&gpu=tpu-v5p&ep=";
  const auto exchange = [&](const char* ways) {
    return envelope_test::value_of(envelope_test::of(link + ways), "step.expert");
  };
  CHECK(exchange("32") < 1.5 * exchange("16"));
  CHECK(exchange("64") < 1.5 * exchange("32"));
}

TEST_CASE("step: a token of an encoder-decoder model passes one stack, with all its attention") {
  // Attention at its own rate, whatever the model: forward FLOP that are not masked, three times.
  const auto rate = [](const std::string& link) {
    const Scenario s = envelope_test::of(link);
    const auto value = [&](const char* id) { return envelope_test::value_of(s, id); };
    const double tokens = s.run.global_batch * s.run.seq / s.cluster.gpus;
    return 3 * value("compute.attention_causal") * tokens / value("step.attention");
  };
  const std::string rest = "&n=16&gbs=16&seq=32768&rc=none&tp=1&zero=1";
  CHECK(rate("model=t5-11b" + rest) / rate("model=llama-2-7b" + rest) == Approx(1).epsilon(0.15));
  // Encoder blocks attend once, decoder blocks twice: half as much again of projections.
  const Scenario t5 = envelope_test::of("model=t5-v1.1-xxl&n=16&gbs=256&mbs=16&seq=512&rc=none" +
                                        std::string("&tp=1&zero=1"));
  CHECK(envelope_test::value_of(t5, "step.attention_layers") == 24 * 1.5);
}

TEST_CASE("step: adapters take time as their rank grows, and their gradients are summed") {
  const auto with = [](const std::string& more) {
    return envelope_test::of(
        "task=finetune&method=lora&model=llama-3.1-8b&gbs=64&seq=2048&rc=none" + more);
  };
  double last = 0;
  for (const char* rank : {"16", "256", "1024", "4096"}) {
    const Scenario s = with("&n=1&rank=" + std::string(rank));
    CHECK(envelope_test::value_of(s, "time.step") > last);
    CHECK(envelope_test::value_of(s, "time.mfu") < s.gpu.reach16);
    last = envelope_test::value_of(s, "time.step");
  }
  const Scenario slow = with("&n=64&zero=0&rank=256&nic=1e8");
  CHECK(envelope_test::value_of(slow, "step.data") > 1);
  CHECK(envelope_test::value_of(with("&n=64&zero=0&rank=8&nic=1e8"), "step.data") <
        envelope_test::value_of(slow, "step.data") / 10);
}

TEST_CASE("step: experts whose slots are limited compute as many tokens as they have slots") {
  const auto seconds = [](const std::string& capacity) {
    return envelope_test::value_of(
        envelope_test::of("model=mixtral-8x7b&n=64&gbs=512&seq=4096&tp=1&ep=8" + capacity),
        "step.experts");
  };
  CHECK(seconds("&capacity=0.5") == Approx(seconds("&capacity=1") / 2).epsilon(0.05));
  CHECK(seconds("&capacity=1") < seconds(""));
  CHECK(seconds("&capacity=1.25") > seconds(""));
}

TEST_CASE("step: one expert on a GPU is an ordinary product, several are slower") {
  const auto rate = [](const std::string& ep) {
    return envelope_test::value_of(
        envelope_test::of("model=mixtral-8x7b&n=64&gbs=512&tp=1&ep=" + ep), "step.expert_rate");
  };
  const Scenario s = envelope_test::of("model=mixtral-8x7b");
  CHECK(rate("4") == Approx(rate("8") * s.gpu.reach_experts));
}

TEST_CASE("step: fewer GPUs than a replica takes are told as one replica, never as a faster one") {
  const std::string layout = "model=llama-3.1-70b&tp=8&pp=4&zero=1&n=";
  const Scenario few = envelope_test::of(layout + "2"), one = envelope_test::of(layout + "32");
  for (const char* id : {"gpus.used", "time.mfu", "cost.total", "time.total"})
    CHECK(envelope_test::value_of(few, id) == envelope_test::value_of(one, id));
}
