// SPDX-License-Identifier: MIT
#include "envelope/operations.h"

#include <algorithm>

#include "envelope/compute.h"
#include "envelope/formats.h"

namespace envelope {
namespace {

/// A product of M x K by K x N, `groups` times in one kernel.
struct Product {
  double m, n, k, groups = 1;
};

class Builder {
 public:
  Builder(const Machine& x, bool trained, Operations& out) : x_(x), trained_(trained), out_(out) {}

  Operation& add(std::string_view id, Where where, Category category, double kernels) {
    Operation& op = out_.list[static_cast<std::size_t>(out_.count++)];
    op.id = id;
    op.where = where;
    op.category = category;
    op.kernels = kernels;
    return op;
  }

  /// A linear layer of M tokens, K inputs and N outputs: forward, gradient of the input, and of the
  /// weights where they are trained.
  void linear(Operation& op, Product p, double peak, bool low = true) const {
    const auto [flop, bytes, forward] = product(p, peak);
    if (!(flop > 0)) return;  // a matrix that the model does not have
    const double input = product({p.m, p.k, p.n, p.groups}, peak).seconds,
                 weights = trained_ ? product({p.k, p.n, p.m, p.groups}, peak).seconds : 0;
    const double passes = trained_ ? 2 : 1;
    op.flop += {flop, passes * flop};
    op.bytes += {bytes, passes * bytes};
    op.seconds += {forward, input + weights};
    op.weight += weights;
    if (low && x_.cast > 0) {
      // Activations on the way in, gradients on the way back.
      const Pass values{p.groups * p.m * p.k, p.groups * p.m * p.n};
      op.seconds += x_.cast * values;
      op.bytes += x_.physics.quantize * values;
    }
    if (low && x_.unpack > 0) {
      const double values = p.groups * p.n * p.k;
      op.seconds += x_.unpack * Pass{values, values};
      op.bytes += x_.physics.dequantize * Pass{values, values};
    }
  }
  void linear(std::string_view id, Where where, Product p) {
    linear(add(id, where, Category::matmul, kernels()), p, x_.peak);
  }
  /// Of a product: itself, and what is cast before it.
  double kernels() const { return x_.cast > 0 ? 3 : 1; }

  /// Work that only moves bytes.
  Operation& moves(std::string_view id, Where where, Category category, double kernels,
                   Pass bytes) {
    Operation& op = add(id, where, category, x_.apart ? 3 * kernels : kernels);
    op.bytes = bytes;
    op.seconds = x_.pointwise * bytes + op.kernels * x_.physics.ramp * Pass{1, 1};
    return op;
  }

 private:
  struct Cost {
    double flop = 0, bytes = 0, seconds = 0;
  };
  Cost product(Product p, double peak) const {
    const Physics& c = x_.physics;
    if (!(p.m > 0 && p.n > 0 && p.k > 0 && p.groups > 0)) return {};  // nothing to multiply
    const double flop = 2 * p.m * p.n * p.k * p.groups;
    const double bytes = p.groups * (x_.operand * (p.m * p.k + p.n * p.k) + x_.value * p.m * p.n);
    // Groups fill the last wave together.
    const double wasted = (1 + c.depth / p.k) * (1 + c.outputs / (p.m * p.n * p.groups));
    return {flop, bytes, std::max(flop / peak * wasted, bytes / x_.bandwidth) + c.ramp};
  }

  const Machine& x_;
  bool trained_;
  Operations& out_;
};

/// Bytes that norms, residuals, positions and activation functions move, backward over forward:
/// the gradient comes in beside what was kept.
constexpr double kBack = 1.6;

/// Attention blocks that a token passes: of an encoder-decoder model those of one stack.
double blocks_passed(const Architecture& a) {
  return a.cross_layers > 0 ? (a.attention_layers + a.cross_layers) / 2 : a.attention_layers;
}

}  // namespace

double adapted(const Tune& t, const Model& m) {
  const double mlp = m.gated ? 3 : 2;
  switch (t.targets) {
    case Targets::query_value:
      return 2;
    case Targets::attention:
      return 4;
    case Targets::all_linear:
      return 4 + mlp;
    case Targets::mlp:
      return mlp;
    case Targets::custom:
      return t.q + t.k + t.v + t.o + t.gate + t.up + t.down;
  }
  return 0;
}

double keys_of(const Scenario& s, const Architecture& a) {
  const bool packed = given(s.run.document) && s.model.kind != ModelKind::vit;
  const double span = packed ? std::min(s.run.document, s.run.seq) : sequence_length(s);
  const Attended seen = attended(s, a, span);
  const double tile = 64, blocks = blocks_passed(a), cut = seen.causal + tile * blocks;
  return (s.run.flash ? std::min(seen.full, cut) : seen.full) / blocks;
}

Machine machine_of(const Scenario& s, const Physics& k) {
  const Gpu& g = s.gpu;
  const double sixteen =
      used_peak(g, s.run.precision == Precision::fp16 ? Precision::fp16 : Precision::bf16);
  const double asked = peak_of(g, s.run.precision);
  const bool four = s.run.precision == Precision::fp4,
             eight = s.run.precision == Precision::fp8 || s.run.precision == Precision::int8,
             wide = s.run.precision == Precision::fp32 || s.run.precision == Precision::tf32;
  const bool low = given(asked) && (eight || four);
  Machine m;
  m.physics = k;
  if (g.torus > 0) {
    // A few large systolic arrays (TPU, Trainium) have no waves of tiles, and the whole step is one
    // program: nothing is launched.
    m.physics.outputs = 0;
    m.physics.ramp = 0;
  }
  m.bandwidth = g.bandwidth * k.bandwidth;
  // Single precision goes through the same units, at its own peak.
  m.peak16 = (wide && given(asked) ? asked : sixteen) * g.reach16;
  m.peak = !low ? m.peak16 : asked * (four ? g.reach4 : g.reach8);
  m.attention = (wide && given(asked) ? asked : sixteen) * g.reach_attention * s.stack.attention;
  m.experts = g.reach_experts;
  m.pointwise = (s.stack.kernels == Kernels::fused      ? k.fused
                 : s.stack.kernels == Kernels::compiled ? k.compiled
                                                        : k.eager) /
                m.bandwidth;
  m.apart = s.stack.kernels == Kernels::eager;
  m.value = wide ? 4 : 2;
  m.operand = low ? (four ? 0.5 : 1) : m.value;
  m.cast = low ? k.quantize / m.bandwidth : 0;
  if (s.run.task == Task::finetune && s.tune.method == Method::qlora &&
      bytes_per_value(s.tune.base) < 2)
    m.unpack = k.dequantize / m.bandwidth;
  return m;
}

Operations operations(const Scenario& s, const Architecture& a, const Ways& w, const Machine& x) {
  const Model& m = s.model;
  const double t = w.tp, h = m.hidden, value = x.value;
  const double tokens = s.run.micro_batch * sequence_length(s) / w.cp;
  const double spread = s.cluster.sp ? tokens / t : tokens;  // of what only SP divides
  const bool adapters = s.run.task == Task::finetune && s.tune.method != Method::full;
  Operations out;
  Builder add(x, !adapters, out);

  if (a.attention_layers > 0) {
    if (m.attention == Attention::mla) {
      const double inner = m.heads * (m.nope_dim + m.rope_dim) / t;
      add.linear("down", Where::attention, {spread, m.q_rank + m.kv_rank + m.rope_dim, h});
      add.linear("query", Where::attention, {tokens, inner, m.q_rank > 0 ? m.q_rank : h});
      add.linear("key_value", Where::attention,
                 {tokens, m.heads * (m.nope_dim + m.v_dim) / t, m.kv_rank});
    } else {
      add.linear("qkv", Where::attention,
                 {tokens, a.qk_width / t + (a.k_width + a.v_width) / kv_ways(m, t), h});
    }
    add.linear("output", Where::attention, {tokens, h, a.o_width / t});

    // Scores and their product with the values. Flash attention skips what the mask hides, but for
    // the tiles that it cuts, and computes the scores once more on the way back.
    const double keys = keys_of(s, a);
    const double widths = (a.qk_width + a.o_width) / t, heads = m.heads / t;
    Operation& core = add.add("attention", Where::attention, Category::attention, 1);
    if (s.run.flash) {
      const double flop = 2 * tokens * keys * widths;
      // Exponentials keep their pace whatever the head size; rates are of heads of 128.
      const double extra = 2 * x.physics.softmax * heads, usual = x.physics.softmax / 128;
      const double seconds = 2 * tokens * keys * (widths + extra) / (x.attention * (1 + usual));
      core.flop = {flop, 2.5 * flop};
      core.bytes = (tokens * widths * 2 * value) * Pass{1, 2};
      core.seconds = {seconds + x.physics.ramp,
                      2.5 * seconds / x.physics.backward + 2 * x.physics.ramp};
    } else {
      const double scores = tokens * keys * heads;
      const double flop = 2 * tokens * keys * widths;
      const double products =
          flop / x.peak16 * (1 + x.physics.depth / 2 / m.head_dim) + 2 * x.physics.ramp;
      core.kernels = 5;
      core.flop = {flop, 2 * flop};
      // Written, scaled and masked, put through softmax and dropout, and read: 16 bits each, and a
      // byte of mask.
      core.bytes = scores * Pass{11, 12};
      core.seconds = Pass{products, 2 * products} + 1 / x.bandwidth * core.bytes;
    }
    add.moves("rope", Where::attention, Category::pointwise, 1,
              tokens * (a.qk_width / t + a.k_width / kv_ways(m, t)) * 2 * value * Pass{1, kBack});
  }

  if (a.linear_layers > 0) {
    // Their matrices as one product, their state at the speed of attention.
    add.linear("linear", Where::linear, {tokens, a.linear_layer.matrices / h / t, h});
    Operation& state = add.add("state", Where::linear, Category::attention, 4);
    const double flop = 2 * a.linear_layer.macs * tokens / t;
    state.flop = {flop, 2 * flop};
    state.bytes = 2 * value * tokens * a.linear_layer.inner / t * Pass{2, 4};
    state.seconds = 1 / x.attention * state.flop + 1 / x.bandwidth * state.bytes;
  }

  // Two norms and two residual sums read and write the stream.
  add.moves("norms", Where::layer, Category::pointwise, 6,
            spread * h * 10 * value * Pass{1, kBack});
  if (adapters) {
    // Each adapter reads the input and adds to the output of its matrix; its own products are thin,
    // but for a high rank: forward, and back for the input and the weights.
    const double count = adapted(s.tune, m);
    Operation& thin = add.moves("adapters", Where::layer, Category::pointwise, 3 * count,
                                count * tokens * h / t * 3.5 * value * Pass{1, 1});
    const double flop = 2 * tokens * a.trainable_active / a.layers / t;
    thin.flop = {flop, 2 * flop};
    thin.seconds += 1 / x.peak16 * thin.flop;
  }

  const double matrices = m.gated ? 2 : 1;
  if (a.dense_layers > 0 && m.ffn > 0) {
    add.linear("up", Where::dense, {tokens, matrices * m.ffn / t, h});
    add.linear("down_mlp", Where::dense, {tokens, h, m.ffn / t});
    add.moves("activation", Where::dense, Category::pointwise, 1,
              tokens * (matrices + 1) * m.ffn / t * value * Pass{1, kBack});
  }

  if (a.moe_layers > 0) {
    const double imbalance = busiest(s, w, x.physics);
    const double local = m.experts / w.ep, width = m.moe_ffn / w.etp;
    // Rows of all experts here: a rank has its share of the tokens of all ranks.
    const double rows = tokens * m.top_k / t * w.etp * imbalance;
    // Libraries launch the products of each expert on their own.
    Operation& grouped =
        add.add("experts", Where::moe, Category::experts, 2 * local * add.kernels());
    const double peak = expert_rate(x, local);
    add.linear(grouped, {rows / local, matrices * width, h, local}, peak);
    add.linear(grouped, {rows / local, h, width, local}, peak);
    if (const double shared = m.shared_ffn + m.residual_ffn; shared > 0) {
      add.linear("shared_up", Where::moe, {tokens, matrices * shared / t, h});
      add.linear("shared_down", Where::moe, {tokens, h, shared / t});
    }
    // Router in FP32: scores, top k, and where each token goes.
    Operation& router = add.add("router", Where::moe, Category::pointwise, 20);
    const double flop = 2 * spread * m.experts * h;
    router.flop = {flop, 2 * flop};
    router.bytes = spread * m.experts * 4 * Pass{5, 5};
    router.seconds = 1 / x.peak16 * router.flop + x.pointwise * router.bytes;
    // Tokens are put in the order of the experts and back, and through the activation function.
    add.moves("permute", Where::moe, Category::pointwise, 10,
              rows * h * 4 * value * Pass{1, kBack});
    add.moves("expert_activation", Where::moe, Category::pointwise, 2,
              rows * (matrices + 1) * width * value * Pass{1, kBack});
  }

  if (m.kind != ModelKind::vit)
    add.moves("embedding", Where::embedding, Category::pointwise, 1,
              spread * h * 2 * value * Pass{1, 2});
  const double vocab = m.kind == ModelKind::vit ? m.classes : m.vocab;
  if (vocab > 0) {
    Operation& head = add.add("head", Where::head, Category::head, 4);
    const double rows = vocab / t;
    add.linear(head, {tokens, rows, h}, x.peak16, false);
    if (adapters && s.tune.head) head.seconds.backward += head.seconds.forward;
    // Softmax and loss: the unfused ones keep a copy in 32 bits.
    const double passes = s.stack.loss == Loss::eager ? 12 : 7;
    const Pass bytes = tokens * rows * passes / 2 * value * Pass{0.5, 0.5};
    head.bytes += bytes;
    head.seconds += x.pointwise * bytes;
  }
  return out;
}

double expert_rate(const Machine& x, double local) {
  return local > 1 ? x.peak * x.experts : x.peak;
}

double busiest(const Scenario& s, const Ways& w, const Physics& k) {
  return s.run.capacity > 0 ? s.run.capacity : w.ep > 1 ? k.imbalance : 1;
}

double kv_ways(const Model& m, double tp) {
  return m.attention == Attention::mla ? tp : std::min(tp, m.kv_heads);
}

double layers_of(Where where, const Stage& st, const Scenario& s) {
  const Model& m = s.model;
  // One of the two stacks of an encoder-decoder model sees a token. With DualPipe a rank has a
  // stage of each direction, and half of the micro-batches go each way.
  const bool halves = s.cluster.schedule == Schedule::dualpipe && s.cluster.pp > 1;
  const double way = halves ? 0.5 : 1;
  const double passes = way * (m.kind == ModelKind::encoder_decoder ? 0.5 : 1);
  switch (where) {
    case Where::layer:
      return passes * (st.layers + st.mtp);
    case Where::attention: {
      // A layer of a decoder beside an encoder has two blocks: on itself and on the other's output.
      const double blocks = m.kind == ModelKind::encoder_decoder
                                ? 1 + std::max(0.0, m.layers - m.encoder_layers) / m.layers
                                : 1;
      return passes * (blocks * st.attention_layers + st.mtp);
    }
    case Where::linear:
      return passes * st.linear_layers;
    case Where::dense:
      return passes * (st.dense_layers + (m.experts > 0 ? 0 : st.mtp));
    case Where::moe:
      return passes * (st.moe_layers + (m.experts > 0 ? st.mtp : 0));
    case Where::embedding:
      return st.first ? way : 0;
    case Where::head:
      return way * ((st.last ? 1 : 0) + st.mtp);
  }
  return 0;
}

}  // namespace envelope
