// SPDX-License-Identifier: MIT
// Over 400 lines because a third of it is the rules of llama.cpp, format by format.
#include "envelope/weights.h"

#include <algorithm>
#include <cmath>

namespace envelope {
namespace {

enum class Scheme {
  uniform,  ///< Every parameter in the format.
  linear,   ///< The matrices of the layers; embedding, head, norms and router stay in 16 bit.
  experts,  ///< Routed experts alone (gpt-oss checkpoints), where there are any.
  exl2,     ///< As linear, with the head in 6 bits, the converter's default.
  emb8,     ///< As linear, with embedding and head in 8 bits.
  gguf
};

Scheme scheme(Format f) {
  switch (f) {
    case Format::fp32:
    case Format::fp16:
    case Format::bf16:
    // Bare elements, without the constants that a deployed scheme needs.
    case Format::int8:
    case Format::int4:
    case Format::fp4:
    case Format::none:
      return Scheme::uniform;
    case Format::fp8_e4m3:
    case Format::fp8_e5m2:
    case Format::fp8_block:
    case Format::llm_int8:
    case Format::int8_g128:
    case Format::int4_nog:
    case Format::int4_g32:
    case Format::int4_g128:
    case Format::nf4:
    case Format::nf4_dq:
    case Format::nvfp4:
      return Scheme::linear;
    case Format::mxfp4:
      return Scheme::experts;
    case Format::exl2_2_5:
    case Format::exl2_3:
    case Format::exl2_4:
    case Format::exl2_5:
      return Scheme::exl2;
    case Format::int4_g32_emb8:
      return Scheme::emb8;
    default:
      return Scheme::gguf;
  }
}

// llama.cpp names a mixture and the block type of most of its tensors alike. A block type below is
// the format whose table row has its bits: Q4_K is that of Q4_K_M.
constexpr Format kQ2K = Format::q2_k, kQ3K = Format::q3_k_m, kQ4K = Format::q4_k_m,
                 kQ5K = Format::q5_k_m, kQ6K = Format::q6_k, kIq2Xxs = Format::iq2_xxs,
                 kIq2S = Format::iq2_m, kIq3Xxs = Format::iq3_xxs, kIq3S = Format::iq3_s;

/// Rows that blocks of 256 do not divide are stored in a type with blocks of 32, or in 16 bit.
double block_bytes(Format block, double row) {
  const auto divides = [row](double n) { return row > 0 && std::fmod(row, n) == 0; };
  switch (block) {
    case Format::fp16:
      return 2;
    case Format::q4_0:
    case Format::q4_1:
    case Format::q5_0:
    case Format::q5_1:
    case Format::q8_0:
    case Format::iq4_nl:
      return divides(32) ? bytes_per_value(block) : 2;
    default:
      break;
  }
  if (divides(256)) return bytes_per_value(block);
  switch (block) {
    case kQ4K:
    case Format::q4_k_s:
      return block_bytes(Format::q5_0, row);
    case kQ5K:
    case Format::q5_k_s:
      return block_bytes(Format::q5_1, row);
    case kQ6K:
      return block_bytes(Format::q8_0, row);
    default:
      return block_bytes(Format::iq4_nl, row);
  }
}

/// Layers from..to-1 of a stack.
struct Layers {
  double from, to, all;
  double count() const { return std::max(0.0, to - from); }
  /// How many of them lie in begin..end-1.
  double within(double begin, double end) const {
    return std::max(0.0, std::min(to, end) - std::max(from, begin));
  }
};

/// Which layers a rule picks.
enum class Where { everywhere, first_two, first_four, first_sixteenth, first_eighth, middle, more };

double share(Where where, const Layers& l) {
  if (where == Where::everywhere) return 1;
  if (l.count() == 0) return 0;
  const double n = l.all, eighth = std::floor(n / 8), last = std::floor(7 * n / 8);
  double picked = 0;
  switch (where) {
    case Where::first_two:
      picked = l.within(0, 2);
      break;
    case Where::first_four:
      picked = l.within(0, 4);
      break;
    case Where::first_sixteenth:
      picked = l.within(0, std::floor(n / 16));
      break;
    case Where::first_eighth:
      picked = l.within(0, eighth);
      break;
    case Where::middle:
      picked = l.within(eighth, last);
      break;
    default: {
      // The first and the last eighth, and every third layer between, from the third on.
      const double a = std::clamp(l.from, eighth, last) - eighth,
                   b = std::clamp(l.to, eighth, last) - eighth;
      picked = l.within(0, eighth) + l.within(last, n) + std::floor(b / 3) - std::floor(a / 3);
    }
  }
  return picked / l.count();
}

/// The type of one kind of tensor: `better` on the layers of `where`, else `usual`.
struct Tensor {
  Format usual, better;
  Where where = Where::everywhere;
  Tensor(Format f) : usual(f), better(f) {}  // NOLINT: one type for all layers
  Tensor(Format u, Format b, Where w) : usual(u), better(b), where(w) {}
  double bytes(const Layers& l, double row) const {
    const double s = usual == better ? 0 : share(where, l);
    return (1 - s) * block_bytes(usual, row) + s * block_bytes(better, row);
  }
};

struct Mixture {
  Tensor embedding, head, query, key, value, output, gate, down;
  explicit Mixture(Format f)
      : embedding(f), head(f), query(f), key(f), value(f), output(f), gate(f), down(f) {}
};

/// llama_tensor_get_type of llama.cpp, for models with separate query, key and value matrices.
Mixture mixture(Format f, const Model& m) {
  // Eight experts have rules of their own (Mixtral); so have 80 layers with grouped heads (70B).
  const bool eight = m.experts == 8;
  const bool grouped = m.kv_heads > 0 && m.heads / m.kv_heads >= 4;
  const bool seventy = m.layers == 80 && m.heads != m.kv_heads;
  const Format block = f == Format::iq2_s    ? Format::iq2_xs
                       : f == Format::iq3_xs ? kIq3S
                       : f == Format::iq3_m  ? kIq3S
                                             : f;
  Mixture x(block);
  if (f != Format::q8_0) x.head = kQ6K;
  switch (f) {
    case Format::iq1_s:
    case Format::iq1_m:
    case Format::iq2_xxs:
    case Format::iq2_xs:
    case Format::iq2_s:
    case Format::iq2_m: {
      const bool wide = f == Format::iq2_s || f == Format::iq2_m;
      const Format better = wide ? kIq3S : kQ2K;
      x.head = kQ5K;
      x.embedding = better;
      x.value = grouped || m.experts >= 4 ? kQ4K : better;
      x.down = {block, better, Where::first_eighth};
      if (eight) {
        x.key = kQ4K;
        x.output = kQ5K;
      } else if (wide) {
        x.output = kIq3S;
      } else if (f == Format::iq1_s || f == Format::iq1_m) {
        x.output = kIq2Xxs;
      }
      return x;
    }
    case Format::q2_k:
      x.value = grouped ? kQ4K : kQ3K;
      x.down = kQ3K;
      x.output = kQ3K;
      break;
    case Format::q2_k_s:
      if (grouped) x.value = kQ4K;
      x.down = {block, kQ4K, Where::first_eighth};
      break;
    case Format::q3_k_m:
      x.value = {kQ4K, kQ5K, Where::first_two};
      x.down = {kQ4K, kQ5K, Where::first_sixteenth};
      x.output = kQ4K;
      break;
    case Format::q3_k_l:
      x.value = x.down = x.output = kQ5K;
      break;
    case Format::q4_k_s:
      x.value = {block, kQ5K, Where::first_four};
      x.down = {block, kQ5K, Where::first_eighth};
      break;
    case Format::q4_k_m:
    case Format::q5_k_m:
      x.value = x.down = {block, kQ6K, Where::more};
      break;
    case Format::iq3_xxs:
      x.head = kQ5K;
      x.embedding = kIq3S;
      x.query = x.key = kIq2S;
      if (grouped) x.value = kQ4K;
      x.output = kIq3S;
      break;
    case Format::iq3_xs:
      x.query = x.key = kIq3Xxs;
      if (grouped) x.value = kQ4K;
      x.gate = {block, kIq3Xxs, Where::middle};
      break;
    case Format::iq3_s:
      if (grouped) x.value = kQ4K;
      break;
    case Format::iq3_m:
      x.value = kQ4K;
      x.down = {block, kQ4K, eight ? Where::more : Where::first_eighth};
      x.output = kQ4K;
      break;
    case Format::iq4_xs:
    case Format::iq4_nl:
      if (grouped) x.value = kQ5K;
      break;
    default:
      break;
  }
  if (seventy) {
    // Eight query heads share a value head: better values cost little.
    if (x.value.usual == kQ4K || x.value.usual == kQ3K || x.value.usual == Format::q3_k_s ||
        x.value.usual == Format::q4_k_s)
      x.value.usual = kQ5K;
    if (x.value.better == kQ4K || x.value.better == kQ3K || x.value.better == Format::q3_k_s ||
        x.value.better == Format::q4_k_s)
      x.value.better = kQ5K;
  }
  if (eight) {
    x.value = x.key = Format::q8_0;
    switch (f) {
      case Format::q2_k:
      case Format::q3_k_s:
      case Format::q3_k_m:
      case Format::q4_k_s:
      case Format::q4_k_m:
      case Format::iq3_xxs:
      case Format::iq3_xs:
      case Format::iq3_s:
      case Format::iq3_m:
      case Format::iq4_xs:
      case Format::iq4_nl:
        x.output = kQ5K;
        break;
      default:
        x.output = block;
    }
  }
  return x;
}

WeightBytes gguf(Format f, const Model& m, const Architecture& a) {
  const Mixture x = mixture(f, m);
  const double h = m.hidden, e = given(m.embed_dim) ? m.embed_dim : h;
  const Layers all{0, a.layers, a.layers};
  WeightBytes w{};
  // A tied table is both, and takes the type of the head.
  w.head = x.head.bytes(all, e);
  w.embedding = m.tied ? w.head : x.embedding.bytes(all, e);
  if (m.attention == Attention::mla) {
    // The names of MLA's tensors are none that a rule asks for, but the output's.
    const double rest = a.layer.attention - a.o_width * h;
    w.attention =
        (rest * block_bytes(x.query.usual, h) + a.o_width * h * x.output.bytes(all, a.o_width)) /
        std::max(1.0, rest + a.o_width * h);
  } else {
    const double widths = a.qk_width + a.k_width + a.v_width + a.o_width;
    w.attention =
        widths == 0
            ? 2
            : (a.qk_width * x.query.bytes(all, h) + a.k_width * x.key.bytes(all, h) +
               a.v_width * x.value.bytes(all, h) + a.o_width * x.output.bytes(all, a.o_width)) /
                  widths;
  }
  const double up = m.gated ? 2 : 1;  // gate and up follow one rule
  const auto mlp = [&](const Layers& l, double width) {
    return (up * x.gate.bytes(l, h) + x.down.bytes(l, width)) / (up + 1);
  };
  const bool leading = a.moe_layers > 0 && m.moe_every == 1 && m.first_dense > 0;
  const double dense = std::min(m.first_dense, a.layers);
  w.mlp = mlp(leading ? Layers{0, dense, a.layers} : all, m.ffn);
  const Layers routed = leading ? Layers{dense, a.layers, a.layers} : all;
  w.experts = mlp(routed, m.moe_ffn);
  w.shared_experts = mlp(routed, m.shared_ffn);
  w.router = w.norms = 4;  // kept in FP32
  w.other = 2;
  return w;
}

}  // namespace

WeightBytes weight_bytes(Format f, const Model& m, const Architecture& a) {
  const double b = bytes_per_value(f);
  // Decays, convolutions and norms of a linear layer are no matrices.
  const double linear = a.layer.linear + a.layer.linear_other;
  const auto mean = [&](double matrix, double other) {
    return linear > 0 ? (a.layer.linear * matrix + a.layer.linear_other * other) / linear : matrix;
  };
  WeightBytes w{2, b, mean(b, 2), b, b, b, 2, 2, 2, 2};
  switch (scheme(f)) {
    case Scheme::uniform:
      return {b, b, b, b, b, b, b, b, b, b};
    case Scheme::linear:
      break;
    case Scheme::experts:
      if (a.moe_layers > 0) w.attention = w.linear = w.mlp = w.shared_experts = 2;
      break;
    case Scheme::exl2:
      w.head = 6.0 / 8;
      break;
    case Scheme::emb8:
      w.embedding = w.head = 1;
      break;
    case Scheme::gguf:
      w = gguf(f, m, a);
      w.linear = mean(block_bytes(f, m.hidden), 4);
  }
  return w;
}

double layer_matrices(const Architecture& a, Literal id, const Ledger& note) {
  const bool moe = a.moe_layers > 0, linear = a.linear_layers > 0;
  return note(id,
              a.attention + a.linear_layers * a.layer.linear + a.mlp + a.experts + a.shared_experts,
              moe && linear ? "params.attention + arch.linear_layers*arch.linear_matrices + "
                              "params.mlp + params.experts + params.shared_experts"
              : moe    ? "params.attention + params.mlp + params.experts + params.shared_experts"
              : linear ? "params.attention + arch.linear_layers*arch.linear_matrices + params.mlp"
                       : "params.attention + params.mlp");
}

Bytes weights_in(Format f, const Model& m, const Architecture& a, Literal id, const Ledger& note) {
  const double b = note("bytes.weight", bytes_per_value(f));
  const Scheme s = scheme(f);
  if (!a.known) return note(id, Bytes{a.total * b}, "params.total*bytes.weight");
  const bool moe = a.moe_layers > 0;
  const WeightBytes w = weight_bytes(f, m, a);
  note("bytes.attention", w.attention);
  note("bytes.norms", w.norms);
  if (moe) note("bytes.router", w.router);
  if (s == Scheme::uniform) return note(id, Bytes{a.total * b}, "params.total*bytes.weight");
  if (s == Scheme::linear || s == Scheme::experts) {
    double quantized = 0;
    if (s == Scheme::experts && moe)
      quantized = note("params.quantized", a.experts, "params.experts");
    else
      quantized = layer_matrices(a, "params.quantized", note);
    return note(id, Bytes{quantized * b + 2 * (a.total - quantized)},
                "params.quantized*bytes.weight + 2*(params.total - params.quantized)");
  }
  note("bytes.embedding", w.embedding);
  note("bytes.mlp", w.mlp);
  note("bytes.rest", w.other);
  note("bytes.head", w.head);
  const double plain =
      note("memory.plain_weights",
           Bytes{a.embedding * w.embedding + a.attention * w.attention + a.mlp * w.mlp +
                 (a.norms + a.biases) * w.norms + a.other * w.other + a.head * w.head},
           "params.embedding*bytes.embedding + params.attention*bytes.attention + "
           "params.mlp*bytes.mlp + (params.norms + params.biases)*bytes.norms + "
           "params.other*bytes.rest + params.head*bytes.head")
          .value;
  const bool linear = a.linear_layers > 0;
  if (linear) note("bytes.linear", w.linear);
  if (moe) {
    note("bytes.experts", w.experts);
    note("bytes.shared_experts", w.shared_experts);
  }
  return note(id,
              Bytes{plain + a.experts * w.experts + a.shared_experts * w.shared_experts +
                    a.router * w.router + a.linear * w.linear},
              moe && linear ? "memory.plain_weights + params.experts*bytes.experts + "
                              "params.shared_experts*bytes.shared_experts + "
                              "params.router*bytes.router + params.linear*bytes.linear"
              : moe         ? "memory.plain_weights + params.experts*bytes.experts + "
                              "params.shared_experts*bytes.shared_experts + "
                              "params.router*bytes.router"
              : linear      ? "memory.plain_weights + params.linear*bytes.linear"
                            : "memory.plain_weights");
}

bool quantized_on_load(Format f) {
  return f == Format::nf4 || f == Format::nf4_dq || f == Format::llm_int8;
}

bool dequantized_whole(Format f) {
  switch (f) {
    case Format::int8_g128:
    case Format::int4_nog:
    case Format::int4_g32:
    case Format::int4_g128:
    case Format::nf4:
    case Format::nf4_dq:
      return true;
    default:
      return scheme(f) == Scheme::exl2;
  }
}

}  // namespace envelope
