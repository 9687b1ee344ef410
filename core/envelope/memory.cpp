// SPDX-License-Identifier: MIT
#include "envelope/memory.h"

#include <algorithm>
#include <cmath>

#include "envelope/kv.h"
#include "envelope/weights.h"

namespace envelope {
namespace {

/// Bytes per parameter of the optimizer states, for a matrix and for any other parameter.
struct OptimizerBytes {
  double matrix, other;
};
OptimizerBytes optimizer_bytes(const States& s) {
  const double b = bytes_per_value(s.optimizer_format);
  switch (s.optimizer) {
    case Optimizer::adam:
      return {2 * b, 2 * b};
    // Two states of 8 bit with one fp32 constant for each block of 2048 (Dettmers 2022).
    case Optimizer::adam_8bit:
      return {2 * (1 + 4.0 / 2048), 2 * (1 + 4.0 / 2048)};
    case Optimizer::lion:
    case Optimizer::momentum:
      return {b, b};
    case Optimizer::muon:
      return {b, 2 * b};
    // Adam's two states, and two preconditioners. Matrices are cut into square blocks, so that each
    // preconditioner is as large as the matrix.
    case Optimizer::shampoo:
      return {4 * b, 2 * b};
    case Optimizer::adafactor:
      return {0, b};  // factored: counted by rows and columns
    case Optimizer::sgd:
      break;
  }
  return {0, 0};
}

/// Activations that one micro-batch leaves for the backward pass, and its logits, undivided.
void activations_of(const Scenario& s, const Architecture& a, const Activations& act, Memory& out,
                    const Ledger& note) {
  const Model& m = s.model;
  if (s.states.activations == ActivationRule::none) return;
  if (s.states.activations == ActivationRule::per_parameter) {
    out.activations = note("memory.activations", Bytes{a.trainable * s.states.activation_bytes},
                           "params.trainable*states.activation_bytes");
    return;
  }
  if (!a.known) return;
  const double tokens = note(
      "memory.micro_batch_tokens", s.run.micro_batch * sequence_length(s),
      m.kind == ModelKind::vit ? "run.micro_batch*arch.image_tokens" : "run.micro_batch*run.seq");
  const auto sum = [](const Kept& k) { return k.whole + k.split + k.gathered; };
  const double dense = a.layers - a.moe_layers;
  const bool moe = a.moe_layers > 0, full = s.run.recompute == Recompute::full;
  const Bytes layer = note("memory.activation_per_token",
                           Bytes{(dense * sum(act.dense) + a.moe_layers * sum(act.moe)) / a.layers},
                           moe ? "((model.layers - arch.moe_layers)*(act.whole + act.split) + "
                                 "arch.moe_layers*(act.whole + "
                                 "act.moe_split + act.routed))/model.layers"
                               : "act.whole + act.split");
  const Bytes stored =
      note("memory.stored_per_token",
           Bytes{(dense * sum(act.dense_stored) + a.moe_layers * sum(act.moe_stored)) / a.layers},
           moe ? "((model.layers - arch.moe_layers)*(act.stored_whole + act.stored_split) + "
                 "arch.moe_layers*("
                 "act.stored_whole + act.moe_stored_split + act.moe_stored_routed))/model.layers"
               : "act.stored_whole + act.stored_split");
  const double again = std::floor(a.layers / s.run.recompute_every);  // layers, as compute has it
  if (!full)
    out.activations = note("memory.activations", act.share * tokens * a.layers * stored,
                           "act.share*memory.micro_batch_tokens*model.layers*"
                           "memory.stored_per_token");
  else if (s.run.recompute_every > 1)
    out.activations = note(
        "memory.activations", act.share * tokens * (again * stored + (a.layers - again) * layer),
        "act.share*memory.micro_batch_tokens*(floor(model.layers/run.recompute_every)*"
        "memory.stored_per_token + (model.layers - floor(model.layers/run.recompute_every))*"
        "memory.activation_per_token)");
  else  // and the one layer that is being computed again
    out.activations =
        note("memory.activations", tokens * (act.share * a.layers * stored + layer),
             "memory.micro_batch_tokens*(act.share*model.layers*memory.stored_per_token + "
             "memory.activation_per_token)");
  if (m.kind != ModelKind::vit)
    out.logits = note("memory.logits", Bytes{act.loss_bytes * tokens * m.vocab},
                      "act.loss_bytes*memory.micro_batch_tokens*model.vocab");
}

void training(const Scenario& s, const Architecture& a, const Activations& act, Memory& out,
              const Ledger& note) {
  const States& st = s.states;
  const bool adapters = s.run.task == Task::finetune && s.tune.method != Method::full;
  const double T = a.trainable;
  const double modules = a.trained_embedding + a.trained_head;
  if (modules > 0)
    note("params.modules", modules,
         a.trained_embedding > 0 && a.trained_head > 0 ? "params.embedding + params.head"
         : a.trained_embedding > 0                     ? "params.embedding"
                                                       : "params.head");

  const double bw = bytes_per_value(st.weights);
  if (adapters) {
    const bool quantized = s.tune.method == Method::qlora;
    const Bytes base =
        weights_in(quantized ? s.tune.base : st.weights, s.model, a, "memory.base_weights", note);
    const double ba = out.adapter_bytes = note(
        "bytes.adapter", s.tune.adapter == Format::none ? bw : bytes_per_value(s.tune.adapter));
    // Modules trained in full are copies in 16 bit, beside the frozen ones.
    out.module_weight = modules > 0 ? note("bytes.module", std::max(2.0, std::min(bw, 4.0))) : 0;
    const Bytes adapter = out.adapter_weights =
        note("memory.adapter_weights", Bytes{(T - modules) * ba + modules * out.module_weight},
             modules > 0 ? "(params.trainable - params.modules)*bytes.adapter + "
                           "params.modules*bytes.module"
                         : "params.trainable*bytes.adapter");
    out.weights =
        note("memory.weights", base + adapter, "memory.base_weights + memory.adapter_weights");
    const WeightBytes w = weight_bytes(quantized ? s.tune.base : st.weights, s.model, a);
    const double layers = a.attention + a.mlp + a.shared_experts;
    out.matrix_bytes =
        layers > 0
            ? (a.attention * w.attention + a.mlp * w.mlp + a.shared_experts * w.shared_experts) /
                  layers
            : w.attention;
    out.expert_bytes = w.experts;
    out.other_bytes = a.known ? std::max(w.embedding, w.head) : w.attention;
  } else {
    out.matrix_bytes = out.expert_bytes = out.other_bytes = bw;
    note("bytes.weight", bw);
    out.weights = note("memory.weights", Bytes{a.total * bw}, "params.total*bytes.weight");
  }
  // FP32 adapters have FP32 gradients and need no master copy; the modules beside them are trained
  // in their own format.
  const bool wide = adapters && out.adapter_bytes >= 4, own = wide && modules > 0;
  const double bg = out.gradient_bytes =
      note("bytes.gradient", wide ? 4 : bytes_per_value(st.gradients) + (st.gradient_copy ? 4 : 0));
  out.module_gradient = own ? out.module_weight : bg;
  out.gradients =
      note("memory.gradients", Bytes{(T - modules) * bg + modules * out.module_gradient},
           own ? "(params.trainable - params.modules)*bytes.gradient + "
                 "params.modules*bytes.module"
               : "params.trainable*bytes.gradient");
  const double bm = out.master_bytes = note("bytes.master", wide ? 0 : bytes_per_value(st.master));
  out.master = note("memory.master", Bytes{T * bm}, "params.trainable*bytes.master");

  const OptimizerBytes bo = optimizer_bytes(st);
  note("bytes.optimizer", bo.matrix);
  note("bytes.optimizer_other", bo.other);
  const double state = bytes_per_value(st.optimizer_format);
  out.module_optimizer = own && state > 0 ? bo.matrix / state * out.module_weight : bo.matrix;
  if (own) {
    note("bytes.module_optimizer", out.module_optimizer);
    out.optimizer =
        note("memory.optimizer", Bytes{(T - modules) * bo.matrix + modules * out.module_optimizer},
             "(params.trainable - params.modules)*bytes.optimizer + "
             "params.modules*bytes.module_optimizer");
  } else if (!a.known || adapters || bo.other == bo.matrix) {
    out.optimizer =
        note("memory.optimizer", Bytes{T * bo.matrix}, "params.trainable*bytes.optimizer");
  } else if (st.optimizer == Optimizer::adafactor) {
    // Row and column sums of each matrix; everything else keeps a full second moment.
    const double tables = s.model.kind == ModelKind::vit ? 0 : s.model.tied ? 1 : 2;
    note("memory.embedding_tables", tables);
    out.optimizer =
        note("memory.optimizer",
             Bytes{bo.other * (a.matrix_sides + tables * (s.model.vocab + s.model.hidden) +
                               a.norms + a.biases + a.other)},
             "bytes.optimizer_other*(arch.matrix_sides + memory.embedding_tables*(model.vocab + "
             "model.hidden) + params.norms + params.biases + params.other)");
  } else {
    const double layers = layer_matrices(a, "params.matrices", note);
    out.optimizer = note("memory.optimizer", Bytes{bo.matrix * layers + bo.other * (T - layers)},
                         "bytes.optimizer*params.matrices + "
                         "bytes.optimizer_other*(params.trainable - params.matrices)");
  }
  const double plain = T - modules;
  out.optimizer_bytes =
      plain > 0 ? (out.optimizer.value - modules * out.module_optimizer) / plain : bo.matrix;
  activations_of(s, a, act, out, note);
}

void serving(const Scenario& s, const Architecture& a, Memory& out, const Ledger& note) {
  out.weights = weights_in(s.serve.weights, s.model, a, "memory.weights", note);
  if (!a.known) return;
  note("serving.context", Tokens{s.serve.prompt + s.serve.output}, "serve.prompt + serve.output");
  out.kv_cache = kv_cache(s, a, note);
}

}  // namespace

double state_bytes(const States& s) {
  return bytes_per_value(s.weights) + bytes_per_value(s.gradients) + (s.gradient_copy ? 4 : 0) +
         bytes_per_value(s.master) + optimizer_bytes(s).matrix;
}

Memory memory(const Scenario& s, const Architecture& a, const Activations& act,
              const Ledger& note) {
  Memory out;
  const bool serve = s.run.task == Task::serve;
  serve ? serving(s, a, out, note) : training(s, a, act, out, note);

  if (serve) {
    out.states = note("memory.states", out.weights, "memory.weights");
  } else {
    out.states = note("memory.states", out.weights + out.gradients + out.master + out.optimizer,
                      "memory.weights + memory.gradients + memory.master + memory.optimizer");
    note("memory.bytes_per_param", out.states.value / a.total, "memory.states/params.total");
    const bool frozen = s.run.task == Task::finetune && s.tune.method != Method::full;
    out.checkpoint = note("memory.checkpoint",
                          out.master + out.optimizer + (frozen ? out.adapter_weights : out.weights),
                          frozen ? "memory.adapter_weights + memory.master + memory.optimizer"
                                 : "memory.weights + memory.master + memory.optimizer");
    const bool logits = out.logits.value > 0, stored = out.activations.value > 0;
    note("memory.beyond_weights",
         out.gradients + out.master + out.optimizer + out.activations + out.logits,
         logits   ? "memory.gradients + memory.master + memory.optimizer + memory.activations + "
                    "memory.logits"
         : stored ? "memory.gradients + memory.master + memory.optimizer + memory.activations"
                  : "memory.gradients + memory.master + memory.optimizer");
  }

  // The blog's rules of thumb: 4 bytes per parameter to hold a model, 24 to train it, a third of
  // that with LoRA.
  const Bytes holding = note("memory.blog_inference", Bytes{4 * a.total}, "4*params.total");
  const Bytes full = note("memory.blog_training", Bytes{24 * a.total}, "24*params.total");
  const Bytes lora = note("memory.blog_lora", full / 3, "memory.blog_training/3");
  if (s.states.rule == MemoryRule::blog) {
    out.by_rule = true;
    if (serve)
      out.total = note("memory.total", holding, "memory.blog_inference");
    else if (s.run.task == Task::finetune && s.tune.method != Method::full)
      out.total = note("memory.total", lora, "memory.blog_lora");
    else
      out.total = note("memory.total", full, "memory.blog_training");
    return out;
  }
  const Bytes rest = out.activations + out.logits + out.kv_cache;
  if (out.logits.value > 0)
    out.total = note("memory.total", out.states + rest,
                     "memory.states + memory.activations + memory.logits");
  else if (out.activations.value > 0)
    out.total = note("memory.total", out.states + rest, "memory.states + memory.activations");
  else if (out.kv_cache.value > 0)
    out.total = note("memory.total", out.states + rest, "memory.states + memory.kv_cache");
  else
    out.total = note("memory.total", out.states, "memory.states");
  return out;
}

}  // namespace envelope
