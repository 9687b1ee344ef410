// SPDX-License-Identifier: MIT
// Over 400 lines because it is a table of families, each with what its class does differently.
#include "envelope/hf_families.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace envelope {
namespace {

using Names = HfReader::Names;

std::string_view first_name(Names names) { return names.substr(0, names.find(' ')); }

constexpr Names kLayers = "num_hidden_layers n_layer n_layers num_layers";
constexpr Names kHidden = "hidden_size n_embd d_model n_embed dim";
constexpr Names kHeads = "num_attention_heads n_head n_heads num_heads";
constexpr Names kKvHeads = "num_key_value_heads n_head_kv num_kv_heads";
constexpr Names kHeadDim = "head_dim attention_head_dim kv_channels d_head d_kv";
constexpr Names kFfn = "intermediate_size n_inner ffn_dim d_ff ffn_hidden_size d_inner hidden_dim";
constexpr Names kVocab = "vocab_size padded_vocab_size";
constexpr Names kPositions =
    "max_position_embeddings n_positions max_seq_len seq_length max_sequence_length "
    "model_max_length n_ctx";
constexpr Names kExperts = "num_local_experts n_routed_experts num_experts moe_num_experts";
constexpr Names kTopK = "num_experts_per_tok experts_per_token moe_top_k moe_topk";

/// Sizes that a class has where the file says nothing; NaN where every file says it. In the order
/// of the members below.
struct Sizes {
  double vocab = kNone, hidden = kNone, ffn = kNone, layers = kNone, heads = kNone;
  double kv_heads = kNone;  ///< NaN: as many as heads.
  double head_dim = kNone;  ///< NaN: hidden size over heads.
  double positions = 2048;
  bool tied = false;
};

// ---- Patterns of layers

/// Layers of a kind, every n-th behind an offset. Exact when each stands where that says.
struct Every {
  double every = 0, offset = 0;
  bool exact = true;
};

Every fit(const std::vector<bool>& is) {
  const auto count = static_cast<std::size_t>(std::count(is.begin(), is.end(), true));
  if (count == 0) return {};
  const auto first = static_cast<std::size_t>(std::find(is.begin(), is.end(), true) - is.begin());
  std::size_t step = 1;
  if (count > 1)
    step = static_cast<std::size_t>(
               std::find(is.begin() + static_cast<std::ptrdiff_t>(first) + 1, is.end(), true) -
               is.begin()) -
           first;
  else
    step = is.size();
  bool exact = true;
  for (std::size_t i = 0; i < is.size() && exact; ++i)
    exact = is[i] == (i >= first && (i - first) % step == 0);
  if (exact) return {static_cast<double>(step), static_cast<double>(first), true};
  // As many, evenly spread.
  const std::size_t even = is.size() / count;
  return {static_cast<double>(even), static_cast<double>(is.size() - 1 - (count - 1) * even),
          false};
}

void uneven(HfReader& r, std::string_view key, std::string_view what) {
  r.note(key, "uneven_layers",
         "The " + std::string(what) + " do not stand at even distances; there are as many here, " +
             "evenly spread.",
         "Counts and totals are right; a pipeline stage may have one more or fewer.");
}

/// Which layers attend, of those that attend which to everything.
void set_pattern(HfReader& r, Model& m, std::string_view key, const std::vector<bool>& attends,
                 const std::vector<bool>& global) {
  if (std::find(attends.begin(), attends.end(), false) != attends.end()) {
    const Every e = fit(attends);
    m.attention_every = e.every;
    if (e.every > 0 && e.offset != e.every - 1) m.attention_offset = e.offset;
    if (!e.exact) uneven(r, key, "attention layers");
  }
  const auto count = static_cast<double>(std::count(global.begin(), global.end(), true));
  const auto all = static_cast<double>(global.size());
  if (count == all || m.window == 0) {
    m.window = 0;
    return;
  }
  m.global_every = count == 0 ? 0 : std::floor(all / count);
  if (count == 0) return;
  if (std::floor(all / m.global_every) != count) {
    r.error(key, "not_supported",
            number_text(count) + " global layers among " + number_text(all) +
                " are not every n-th layer, which is all that can be described here.",
            "Choose the fields Sliding window and Global layer every by hand.");
    return;
  }
  bool exact = true;
  for (std::size_t i = 0; i < global.size(); ++i)
    exact = exact && global[i] == ((i + 1) % static_cast<std::size_t>(m.global_every) == 0);
  if (!exact) uneven(r, key, "global layers");
}

void set_moe(HfReader& r, Model& m, std::string_view key, const std::vector<bool>& moe) {
  const auto count = static_cast<double>(std::count(moe.begin(), moe.end(), true));
  const auto all = static_cast<double>(moe.size());
  if (count == 0) {
    m.experts = 0;
    return;
  }
  const Every e = fit(moe);
  m.moe_every = e.every;
  m.first_dense = e.offset - (e.every - 1);
  if (count == 1) m.moe_every = 1, m.first_dense = e.offset;
  const bool fits =
      m.first_dense >= 0 && std::floor((all - m.first_dense) / m.moe_every) == count && e.exact;
  if (fits) return;
  m.moe_every = std::floor(all / count);
  m.first_dense = all - count * m.moe_every;
  uneven(r, key, "MoE layers");
}

/// `layer_types` of newer files: full_attention, sliding_attention, chunked_attention,
/// linear_attention, mamba, attention. False when the file has none.
bool read_layer_types(HfReader& r, Model& m) {
  const std::vector<std::string_view> types = r.words("layer_types layers_block_type");
  if (types.empty()) return false;
  if (static_cast<double>(types.size()) < m.layers) {
    r.error("layer_types", "out_of_range",
            "There are " + std::to_string(types.size()) + " layer types for " +
                number_text(m.layers) + " layers.",
            "Give one type for each layer.");
    return true;
  }
  std::vector<bool> attends, global;
  for (std::size_t i = 0; i < static_cast<std::size_t>(m.layers); ++i) {
    const std::string_view t = types[i];
    const bool full = t == "full_attention" || t == "attention" || t == "global" || t == "full",
               local = t == "sliding_attention" || t == "chunked_attention" || t == "local",
               linear = t == "linear_attention" || t == "mamba";
    if (!full && !local && !linear) {
      r.error("layer_types", "not_supported",
              "Layers of the type \"" + std::string(t.substr(0, 40)) + "\" are not known here.",
              "Known are full_attention, sliding_attention, chunked_attention, linear_attention, "
              "mamba and attention.");
      return true;
    }
    if (linear && m.linear == Linear::none) {
      r.error("layer_types", "not_supported",
              "Linear layers are not known for this model_type, so their sizes are not either.",
              "Choose the linear layers by hand.");
      return true;
    }
    attends.push_back(!linear);
    if (!linear) global.push_back(full);
  }
  set_pattern(r, m, "layer_types", attends, global);
  return true;
}

/// Every n-th layer global, counted from the first.
void window_every(HfReader& r, Model& m, Names names, double otherwise) {
  const double every = r.number(names, "model.global_every", otherwise);
  if (read_layer_types(r, m) || m.window == 0) return;
  m.global_every = every;
  if (m.global_every == 1) m.window = 0, m.global_every = 0;
}

// ---- Parts that families share

/// Sizes of a decoder in the names that most families use.
void sizes(HfReader& r, Model& m, const Sizes& d) {
  m.layers = r.essential(kLayers, "model.layers", d.layers);
  m.hidden = r.essential(kHidden, "model.hidden", d.hidden);
  m.vocab = r.essential(kVocab, "model.vocab", d.vocab);
  m.heads = r.essential(kHeads, "model.heads", d.heads);
  m.kv_heads = r.number(kKvHeads, "model.kv_heads", given(d.kv_heads) ? d.kv_heads : m.heads);
  m.max_seq = r.number(kPositions, "model.max_seq", d.positions);
  m.tied = r.flag("tie_word_embeddings", d.tied);
  const bool own = r.has(kHeadDim);
  m.head_dim = r.number(kHeadDim, "model.head_dim",
                        given(d.head_dim) ? d.head_dim : std::floor(m.hidden / m.heads));
  if (!own && !given(d.head_dim) && given(m.heads) && std::fmod(m.hidden, m.heads) != 0)
    r.error("num_attention_heads", "not_divisible",
            "A hidden size of " + number_text(m.hidden) + " is not divisible by " +
                number_text(m.heads) + " heads, and there is no \"head_dim\".",
            "Correct the file, or add \"head_dim\".");
}

void ffn(HfReader& r, Model& m, const Sizes& d) { m.ffn = r.essential(kFfn, "model.ffn", d.ffn); }

/// MLP of four hidden sizes unless the file says another.
void ffn_by_four(HfReader& r, Model& m) { m.ffn = r.number(kFfn, "model.ffn", 4 * m.hidden); }

/// Biases of attention: `attention_bias` is on all four projections in most classes.
void attention_bias(HfReader& r, Model& m, bool otherwise, bool output) {
  m.qkv_bias = r.flag("attention_bias", otherwise);
  m.out_bias = m.qkv_bias && output;
}

void window(HfReader& r, Model& m, double otherwise) {
  m.window = r.number("sliding_window sliding_window_size", "model.window", otherwise);
}

/// RMSNorm, SwiGLU, RoPE: Llama and what follows it.
void llama(HfReader& r, Model& m, const Sizes& d) {
  sizes(r, m, d);
  ffn(r, m, d);
}

void mtp(HfReader& r, Names names) {
  const double modules = r.number(names, "model.mtp_layers", 0);
  if (modules > 0)
    r.note(first_name(names), "mtp",
           number_text(modules) +
               (modules == 1 ? " multi-token-prediction module is"
                             : " multi-token-prediction modules are") +
               " not part of the model that is published, and left out.",
           "Set the field MTP modules where they are trained.");
}

/// Routed experts as wide as `moe_intermediate_size`, or as the MLP where there is no such key.
void experts(HfReader& r, Model& m, double count, double top_k, double width) {
  m.experts = r.number(kExperts, "model.experts", count);
  m.top_k = r.number(kTopK, "model.top_k", top_k);
  m.moe_ffn = r.number("moe_intermediate_size expert_ffn_hidden_size", "model.moe_ffn", width);
  if (m.experts == 0) m.top_k = m.moe_ffn = 0;
}

void gated_shared_expert(HfReader& r, Model& m, double width) {
  m.shared_ffn = r.number("shared_expert_intermediate_size", "model.shared_ffn", width);
  m.shared_gate = m.shared_ffn > 0;
}

/// Qwen: every n-th layer has experts, except those listed.
void sparse_step(HfReader& r, Model& m) {
  const double step = r.count("decoder_sparse_step", 1, 1);
  const std::vector<double> dense = r.numbers("mlp_only_layers");
  std::vector<bool> moe(static_cast<std::size_t>(m.layers));
  for (std::size_t i = 0; i < moe.size(); ++i)
    moe[i] = (i + 1) % static_cast<std::size_t>(step) == 0 &&
             std::find(dense.begin(), dense.end(), static_cast<double>(i)) == dense.end();
  set_moe(r, m, dense.empty() ? "decoder_sparse_step" : "mlp_only_layers", moe);
}

/// DeepSeek: the first layers dense, shared experts as wide as routed ones.
void deepseek_moe(HfReader& r, Model& m, double dense, double shared) {
  m.first_dense = r.number("first_k_dense_replace", "model.first_dense", dense);
  const double every = r.count("moe_layer_freq", 1, 1);
  m.shared_ffn = r.count("n_shared_experts num_shared_experts", shared) * m.moe_ffn;
  if (m.experts == 0) m.first_dense = 0;
  if (m.experts > 0 && every > 1) {
    std::vector<bool> moe(static_cast<std::size_t>(m.layers));
    for (std::size_t i = 0; i < moe.size(); ++i)
      moe[i] = static_cast<double>(i) >= m.first_dense && i % static_cast<std::size_t>(every) == 0;
    set_moe(r, m, "moe_layer_freq", moe);
  }
}

void mla(HfReader& r, Model& m) {
  m.attention = Attention::mla;
  m.q_rank = r.number("q_lora_rank", "model.q_rank", 0);
  m.kv_rank = r.essential("kv_lora_rank", "model.kv_rank", 512);
  m.nope_dim = r.essential("qk_nope_head_dim", "model.nope_dim", 128);
  m.rope_dim = r.essential("qk_rope_head_dim", "model.rope_dim", 64);
  m.v_dim = r.essential("v_head_dim", "model.v_dim", 128);
  r.find("qk_head_dim");
  m.head_dim = m.nope_dim + m.rope_dim;
}

void unsupported_bias(HfReader& r, Names names) {
  if (r.flag(names, false))
    r.warn(first_name(names), "not_supported",
           "Biases on the projections of linear layers are not counted.",
           "They are a few thousand parameters a layer.");
}

/// LayerNorm, biases everywhere, learned positions, a plain MLP: GPT-2 and what follows it.
void gpt(HfReader& r, Model& m, const Sizes& d) {
  m.norm = Norm::layernorm;
  m.gated = false;
  m.qkv_bias = m.out_bias = m.mlp_bias = true;
  sizes(r, m, d);
}

void mamba_1(HfReader& r, Model& m, double expand, Names state, Names conv, Names rank,
             Names conv_bias) {
  m.linear = Linear::mamba;
  m.linear_heads = expand * m.hidden;
  m.linear_head_dim = m.linear_groups = 1;
  m.state_dim = r.number(state, "model.state_dim", 16);
  m.conv_kernel = r.number(conv, "model.conv_kernel", 4);
  m.conv_bias = r.flag(conv_bias, true);
  // "auto" is one in sixteen.
  m.dt_rank = r.text(rank) == "auto" ? std::ceil(m.hidden / 16)
                                     : r.number(rank, "model.dt_rank", std::ceil(m.hidden / 16));
}

/// A pure state-space model: no attention, and no MLP.
void no_attention(Model& m) {
  m.attention_every = 0;
  m.linear_mlp = false;
}

/// Heads of Mamba-2 with their size, which "auto" derives.
void mamba_2(HfReader& r, Model& m, Names heads, Names head_dim, Names groups, Names state,
             Names conv, Names conv_bias, Names expand) {
  m.linear = Linear::mamba_2;
  const double wide = r.count(expand, 2, 1, 100) * m.hidden;
  const double inner = r.number("mamba_d_ssm", "model.linear_heads", wide);
  m.linear_heads = r.number(heads, "model.linear_heads", 128);
  m.linear_head_dim = r.text(head_dim) == "auto" || !r.has(head_dim)
                          ? std::max(1.0, std::floor(inner / std::max(1.0, m.linear_heads)))
                          : r.number(head_dim, "model.linear_head_dim", 64);
  m.linear_groups = r.number(groups, "model.linear_groups", 1);
  m.state_dim = r.number(state, "model.state_dim", 128);
  m.conv_kernel = r.number(conv, "model.conv_kernel", 4);
  m.conv_bias = r.flag(conv_bias, true);
}

/// Attention layers by period and offset, or by a list of indices.
void set_attention(HfReader& r, Model& m, std::string_view key, const std::vector<bool>& attends) {
  std::vector<bool> global(
      static_cast<std::size_t>(std::count(attends.begin(), attends.end(), true)), true);
  if (std::find(attends.begin(), attends.end(), true) == attends.end()) {
    m.attention_every = 0;
    return;
  }
  set_pattern(r, m, key, attends, global);
}

// ---- Families, in the order of the table below

void read_llama(HfReader& r, Model& m) {
  llama(r, m, {32000, 4096, 11008, 32, 32, kNone, kNone, 2048});
  attention_bias(r, m, false, true);
  m.mlp_bias = r.flag("mlp_bias", false);
}

void read_mistral(HfReader& r, Model& m) {
  llama(r, m, {32000, 4096, 14336, 32, 32, 8, kNone, 131072});
  // To the class an absent key is 4096, and null is none.
  window(r, m, r.mentions("sliding_window") ? 0 : 4096);
  if (m.window > 0) read_layer_types(r, m);
}

void read_mixtral(HfReader& r, Model& m) {
  llama(r, m, {32000, 4096, 14336, 32, 32, 8, kNone, 131072});
  window(r, m, 0);
  experts(r, m, 8, 2, m.ffn);
}

/// Qwen 2: the window counts only where it is switched on, from a layer on.
void qwen_window(HfReader& r, Model& m) {
  const bool on = r.flag("use_sliding_window", false);
  window(r, m, 4096);
  const double full = r.count("max_window_layers", m.layers);
  if (!on) {
    m.window = 0;
    r.find("layer_types");
    return;
  }
  if (read_layer_types(r, m)) return;
  std::vector<bool> global(static_cast<std::size_t>(m.layers));
  for (std::size_t i = 0; i < global.size(); ++i) global[i] = static_cast<double>(i) < full;
  set_pattern(r, m, "max_window_layers", std::vector<bool>(global.size(), true), global);
}

void read_qwen(HfReader& r, Model& m) {
  llama(r, m, {.positions = 8192});
  r.find("use_logn_attn use_dynamic_ntk use_flash_attn");
  m.ffn = std::floor(m.ffn / 2);  // the key counts gate and up together
  m.qkv_bias = true;
  m.out_bias = m.mlp_bias = !r.flag("no_bias", true);
}

void read_qwen2(HfReader& r, Model& m) {
  llama(r, m, {151936, 4096, 22016, 32, 32, 32, kNone, 32768});
  m.qkv_bias = true;
  qwen_window(r, m);
}

void read_qwen2_moe(HfReader& r, Model& m) {
  llama(r, m, {151936, 2048, 5632, 24, 16, 16, kNone, 32768});
  m.qkv_bias = r.flag("qkv_bias", true);
  qwen_window(r, m);
  experts(r, m, 60, 4, 1408);
  gated_shared_expert(r, m, 5632);
  sparse_step(r, m);
}

void read_qwen3(HfReader& r, Model& m) {
  llama(r, m, {151936, 4096, 22016, 32, 32, 32, 128, 32768});
  m.qk_norm = QkNorm::per_head;
  attention_bias(r, m, false, true);
  qwen_window(r, m);
}

void read_qwen3_moe(HfReader& r, Model& m) {
  llama(r, m, {151936, 2048, 6144, 24, 32, 4, kNone, 32768});
  m.qk_norm = QkNorm::per_head;
  attention_bias(r, m, false, true);
  qwen_window(r, m);
  experts(r, m, 128, 8, 768);
  sparse_step(r, m);
}

/// Every n-th layer attends, with a gate; the others are Gated DeltaNet.
void gated_deltanet(HfReader& r, Model& m) {
  m.qk_norm = QkNorm::per_head;
  m.attention_gate = true;
  r.find("attn_output_gate");
  attention_bias(r, m, false, true);
  m.linear = Linear::gated_deltanet;
  m.linear_heads = r.number("linear_num_value_heads", "model.linear_heads", 32);
  m.linear_head_dim = r.number("linear_value_head_dim", "model.linear_head_dim", 128);
  m.linear_groups = r.number("linear_num_key_heads", "model.linear_groups", 16);
  m.state_dim = r.number("linear_key_head_dim", "model.state_dim", 128);
  m.conv_kernel = r.number("linear_conv_kernel_dim", "model.conv_kernel", 4);
  m.conv_bias = false;
  const double every = r.number("full_attention_interval", "model.attention_every", 4);
  if (!read_layer_types(r, m)) m.attention_every = every;
  mtp(r, "mtp_num_hidden_layers");
}

void read_qwen3_next(HfReader& r, Model& m) {
  llama(r, m, {151936, 2048, 5632, 48, 16, 2, 256, 32768});
  gated_deltanet(r, m);
  experts(r, m, 512, 10, 512);
  gated_shared_expert(r, m, 512);
  sparse_step(r, m);
}

void read_qwen3_5(HfReader& r, Model& m) {
  llama(r, m, {248320, 4096, 12288, 32, 16, 4, 256, 32768});
  gated_deltanet(r, m);
}

void read_qwen3_5_moe(HfReader& r, Model& m) {
  sizes(r, m, {248320, 2048, kNone, 40, 16, 2, 256, 32768});
  gated_deltanet(r, m);
  experts(r, m, 256, 8, 512);
  m.ffn = r.number(kFfn, "model.ffn", m.moe_ffn);  // no layer is dense
  gated_shared_expert(r, m, 512);
}

void read_gemma(HfReader& r, Model& m) {
  llama(r, m, {256000, 3072, 24576, 28, 16, 16, 256, 8192, true});
  attention_bias(r, m, false, true);
}

void read_gemma2(HfReader& r, Model& m) {
  llama(r, m, {256000, 2304, 9216, 26, 8, 4, 256, 8192, true});
  attention_bias(r, m, false, true);
  m.norms_per_layer = 4;
  window(r, m, 4096);
  window_every(r, m, "sliding_window_pattern", 2);
}

void read_gemma3(HfReader& r, Model& m) {
  llama(r, m, {262208, 2304, 9216, 26, 8, 4, 256, 131072, true});
  attention_bias(r, m, false, true);
  m.norms_per_layer = 4;
  m.qk_norm = QkNorm::per_head;
  window(r, m, 4096);
  window_every(r, m, "sliding_window_pattern _sliding_window_pattern", 6);
}

void read_phi(HfReader& r, Model& m) {
  gpt(r, m, {.positions = 2048});
  ffn(r, m, {});
  m.norms_per_layer = 1;
  m.parallel = m.head_bias = true;
  if (r.flag("qk_layernorm", false))
    r.warn("qk_layernorm", "not_supported",
           "LayerNorm with biases on queries and keys is not counted.",
           "It is a few hundred parameters a layer.");
}

void read_phi3(HfReader& r, Model& m) {
  llama(r, m, {32064, 3072, 8192, 32, 32, kNone, kNone, 4096});
  attention_bias(r, m, false, true);
  m.head_bias = r.flag("lm_head_bias", false);
  window(r, m, 0);
  if (m.window >= m.max_seq && m.window > 0) m.window = 0;  // Phi-4-mini: wider than the context
  r.find("original_max_position_embeddings full_attn_mod interpolate_factor");
}

void read_gpt2(HfReader& r, Model& m) {
  gpt(r, m, {.positions = 1024, .tied = true});
  ffn_by_four(r, m);
  m.learned_positions = m.max_seq;
  if (r.flag("add_cross_attention", false))
    r.error("add_cross_attention", "not_supported", "Cross-attention is not counted here.",
            "Choose an encoder-decoder model.");
}

void read_gpt_neo(HfReader& r, Model& m) {
  gpt(r, m, {.positions = 2048, .tied = true});
  ffn_by_four(r, m);
  m.qkv_bias = false;
  m.learned_positions = m.max_seq;
  m.window = r.number("window_size", "model.window", 256);
  m.global_every = 2;
  r.find("attention_types");
  std::vector<bool> global;
  for (const std::string_view kind : r.words("attention_layers"))
    global.push_back(kind == "global");
  if (!global.empty())
    set_pattern(r, m, "attention_layers", std::vector<bool>(global.size(), true), global);
}

void read_gpt_neox(HfReader& r, Model& m) {
  gpt(r, m, {.positions = 2048});
  ffn(r, m, {});
  m.qkv_bias = m.out_bias = r.flag("attention_bias", true);
  m.parallel = r.flag("use_parallel_residual", true);
}

void read_gptj(HfReader& r, Model& m) {
  gpt(r, m, {.positions = 2048});
  ffn_by_four(r, m);
  m.qkv_bias = m.out_bias = false;
  m.norms_per_layer = 1;
  m.parallel = m.head_bias = true;
}

void read_gpt_bigcode(HfReader& r, Model& m) {
  gpt(r, m, {.positions = 1024, .tied = true});
  ffn_by_four(r, m);
  m.learned_positions = m.max_seq;
  if (r.flag("multi_query", true)) m.kv_heads = 1;
}

void read_opt(HfReader& r, Model& m) {
  gpt(r, m, {.positions = 2048, .tied = true});
  ffn(r, m, {});
  m.qkv_bias = m.out_bias = m.mlp_bias = r.flag("enable_bias", true);
  if (!r.flag("layer_norm_elementwise_affine", true)) m.norm = Norm::nonparametric;
  m.learned_positions = m.max_seq + 2;  // two rows in front, for padding
  const double width = r.number("word_embed_proj_dim", "model.embed_dim", m.hidden);
  if (width != m.hidden) m.embed_dim = width;
  const bool removed = r.flag("_remove_final_layer_norm", false);
  m.final_norm = r.flag("do_layer_norm_before", true) && !removed;
}

void read_bloom(HfReader& r, Model& m) {
  gpt(r, m, {.positions = 2048, .tied = true});
  ffn_by_four(r, m);
  m.embed_norm = true;
}

void read_falcon(HfReader& r, Model& m) {
  m.norm = Norm::layernorm;
  m.gated = false;
  m.parallel = r.flag("parallel_attn", true);
  sizes(r, m, {.positions = 2048, .tied = true});
  ffn_by_four(r, m);
  m.qkv_bias = m.out_bias = m.mlp_bias = r.flag("bias", false);
  const bool newer = r.flag("new_decoder_architecture", false);
  const bool multi_query = r.flag("multi_query", true);
  // Only the newer architecture reads the number of KV heads.
  if (!newer) m.kv_heads = multi_query ? 1 : m.heads;
  const double parallel_norms = r.count("num_ln_in_parallel_attn", 2, 1, 2);
  m.norms_per_layer = newer ? parallel_norms : m.parallel ? 1 : 2;
  r.find("alibi");
}

void read_mpt(HfReader& r, Model& m) {
  m.gated = false;
  sizes(r, m, {.positions = 2048, .tied = true});
  m.ffn = m.hidden * r.count("expansion_ratio", 4, 1, 100);
  const bool biased = !r.flag("no_bias", true);
  m.norm = biased ? Norm::layernorm : Norm::layernorm_nobias;
  m.qkv_bias = m.out_bias = m.mlp_bias = biased;
  const bool learned = r.flag("learned_pos_emb", true);
  HfReader attention = r.inner("attn_config");
  if (!attention.flag("alibi", true) && learned) m.learned_positions = m.max_seq;
  const std::string_view kind = attention.text("attn_type", "multihead_attention");
  m.kv_heads = kind == "multiquery_attention" ? 1
               : kind == "grouped_query_attention"
                   ? attention.essential("kv_n_heads", "model.kv_heads", m.heads)
                   : m.heads;
  if (attention.flag("qk_ln", false)) m.qk_norm = QkNorm::full;
  r.find("norm_type");
}

void read_stablelm(HfReader& r, Model& m) {
  m.norm = Norm::layernorm;
  llama(r, m, {.positions = 4096});
  m.qkv_bias = r.flag("use_qkv_bias", false);
  if (r.flag("qk_layernorm", false)) m.qk_norm = QkNorm::full;
  m.parallel = r.flag("use_parallel_residual", false);
  if (m.parallel) m.norms_per_layer = 1;
}

void read_starcoder2(HfReader& r, Model& m) {
  gpt(r, m, {.positions = 4096, .tied = true});
  ffn(r, m, {});
  m.qkv_bias = m.out_bias = m.mlp_bias = r.flag("use_bias", true);
  window(r, m, 0);
  r.find("norm_type mlp_type");
}

void read_nemotron(HfReader& r, Model& m) {
  m.norm = Norm::layernorm;
  m.gated = false;
  llama(r, m, {.positions = 4096});
  attention_bias(r, m, false, true);
  m.mlp_bias = r.flag("mlp_bias", false);
}

void read_cohere(HfReader& r, Model& m) {
  m.norm = Norm::layernorm_nobias;
  m.norms_per_layer = 1;
  m.parallel = true;
  llama(r, m, {256000, 8192, 22528, 40, 64, kNone, kNone, 8192, true});
  attention_bias(r, m, false, true);
  if (r.flag("use_qk_norm", false)) m.qk_norm = QkNorm::full;
}

void read_cohere2(HfReader& r, Model& m) {
  read_cohere(r, m);
  window(r, m, 4096);
  window_every(r, m, "sliding_window_pattern _sliding_window_pattern", 4);
  r.find("order_of_interleaved_layers layer_switch");
}

void read_olmo(HfReader& r, Model& m) {
  m.norm = Norm::nonparametric;
  llama(r, m, {});
  attention_bias(r, m, false, true);
}

void read_olmo2(HfReader& r, Model& m) {
  llama(r, m, {});
  attention_bias(r, m, false, true);
  m.qk_norm = QkNorm::full;
}

void read_olmo3(HfReader& r, Model& m) {
  read_olmo2(r, m);
  window(r, m, 4096);
  window_every(r, m, "sliding_window_pattern", 4);
}

void read_olmoe(HfReader& r, Model& m) {
  read_olmo2(r, m);
  experts(r, m, 64, 8, m.ffn);
}

void read_granite_moe(HfReader& r, Model& m) {
  llama(r, m, {});
  attention_bias(r, m, false, true);
  experts(r, m, 8, 2, m.ffn);
  m.shared_ffn = r.number("shared_intermediate_size", "model.shared_ffn", 0);
}

void read_granite_hybrid(HfReader& r, Model& m) {
  sizes(r, m, {});
  const double width = r.number(kFfn, "model.ffn", 11008);
  attention_bias(r, m, false, true);
  m.shared_ffn = r.number("shared_intermediate_size", "model.shared_ffn", 1024);
  experts(r, m, 8, 2, width);
  if (m.experts == 0) {  // the shared expert is then the MLP
    m.ffn = m.shared_ffn;
    m.shared_ffn = m.top_k = m.moe_ffn = 0;
  }
  mamba_2(r, m, "mamba_n_heads", "mamba_d_head", "mamba_n_groups", "mamba_d_state", "mamba_d_conv",
          "mamba_conv_bias", "mamba_expand");
  unsupported_bias(r, "mamba_proj_bias");
  if (!read_layer_types(r, m)) m.attention_every = 0;
}

void read_internlm(HfReader& r, Model& m) {
  llama(r, m, {});
  m.qkv_bias = m.out_bias = r.flag("bias", true);
}

void read_internlm2(HfReader& r, Model& m) {
  llama(r, m, {});
  m.qkv_bias = m.out_bias = r.flag("bias", false);
}

void read_baichuan(HfReader& r, Model& m) { llama(r, m, {.positions = 4096}); }

void read_chatglm(HfReader& r, Model& m) {
  llama(r, m, {.positions = 2048});
  m.qkv_bias = r.flag("add_qkv_bias", false);
  const bool all = r.flag("add_bias_linear", false);
  m.out_bias = m.mlp_bias = all;
  m.qkv_bias = m.qkv_bias || all;
  const double groups = r.number("multi_query_group_num", "model.kv_heads", 1);
  if (r.flag("multi_query_attention", false)) m.kv_heads = groups;
  if (!r.flag("rmsnorm", true)) m.norm = Norm::layernorm;
  m.final_norm = r.flag("post_layer_norm", true);
}

void read_glm(HfReader& r, Model& m) {
  llama(r, m, {.kv_heads = 2, .head_dim = 128, .positions = 131072});
  attention_bias(r, m, true, false);
}

void read_glm4(HfReader& r, Model& m) {
  read_glm(r, m);
  m.norms_per_layer = 4;
}

void read_glm4_moe(HfReader& r, Model& m) {
  llama(r, m, {151552, 4096, 10944, 46, 96, 8, 128, 131072});
  attention_bias(r, m, false, false);
  if (r.flag("use_qk_norm", false)) m.qk_norm = QkNorm::per_head;
  experts(r, m, 128, 8, 1408);
  deepseek_moe(r, m, 1, 1);
  m.score_bias = true;
  mtp(r, "num_nextn_predict_layers");
}

void read_gpt_oss(HfReader& r, Model& m) {
  llama(r, m, {201088, 2880, 2880, 36, 64, 8, 64, 131072});
  attention_bias(r, m, true, true);
  m.sinks = m.router_bias = m.expert_bias = true;
  experts(r, m, 128, 4, m.ffn);
  window(r, m, 128);
  if (!read_layer_types(r, m)) m.global_every = 2;
  r.find("initial_context_length swiglu_limit");
}

void read_deepseek(HfReader& r, Model& m) {
  llama(r, m, {});
  attention_bias(r, m, false, true);
  experts(r, m, 0, 0, 1407);
  deepseek_moe(r, m, 0, 0);
}

void read_deepseek_v2(HfReader& r, Model& m) {
  llama(r, m, {102400, 4096, 11008, 30, 32, kNone, kNone, 2048});
  mla(r, m);
  if (r.flag("attention_bias", false))
    r.warn("attention_bias", "not_supported", "Biases of MLA are not counted.",
           "They are a few thousand parameters a layer.");
  experts(r, m, 0, 0, 1407);
  deepseek_moe(r, m, 0, 0);
}

void read_deepseek_v3(HfReader& r, Model& m) {
  llama(r, m, {129280, 7168, 18432, 61, 128, kNone, kNone, 4096});
  mla(r, m);
  if (r.flag("attention_bias", false))
    r.warn("attention_bias", "not_supported", "Biases of MLA are not counted.",
           "They are a few thousand parameters a layer.");
  experts(r, m, 256, 8, 2048);
  deepseek_moe(r, m, 3, 1);
  m.score_bias = true;
  mtp(r, "num_nextn_predict_layers");
}

void read_grok(HfReader& r, Model& m) {
  llama(r, m, {.tied = true});
  m.norms_per_layer = 4;
  experts(r, m, 8, 2, m.ffn);
  r.find("max_attn_value");
}

void read_dbrx(HfReader& r, Model& m) {
  m.norm = Norm::layernorm_nobias;
  sizes(r, m, {});
  HfReader attention = r.inner("attn_config"), mlp = r.inner("ffn_config");
  m.kv_heads = attention.essential("kv_n_heads", "model.kv_heads", 1);
  m.ffn = m.moe_ffn = mlp.essential("ffn_hidden_size", "model.ffn", 3584);
  m.experts = mlp.essential("moe_num_experts", "model.experts", 4);
  m.top_k = mlp.essential("moe_top_k", "model.top_k", 1);
}

void read_arctic(HfReader& r, Model& m) {
  llama(r, m, {.positions = 4096});
  experts(r, m, 8, 1, m.ffn);
  const double every = r.number("moe_layer_frequency", "model.moe_every", 2);
  m.moe_every = every;
  r.find(
      "use_residual moe_train_capacity_factor moe_eval_capacity_factor moe_min_capacity "
      "moe_token_dropping enable_expert_tensor_parallelism");
  if (r.flag("parallel_attn_mlp_res", false)) {
    m.residual_ffn = m.hidden;
    m.residual_norms = 1;
  }
}

void read_llama4(HfReader& r, Model& m) {
  sizes(r, m, {202048, 5120, kNone, 48, 40, 8, 128, 131072});
  m.moe_ffn = r.essential("intermediate_size", "model.moe_ffn", 8192);
  m.ffn = r.number("intermediate_size_mlp", "model.ffn", 16384);
  attention_bias(r, m, false, true);
  m.experts = r.number(kExperts, "model.experts", 16);
  m.top_k = r.number(kTopK, "model.top_k", 1);
  m.shared_ffn = m.moe_ffn;
  r.find("use_qk_norm");  // without weights
  const double step = r.count("interleave_moe_layer_step", 1, 1);
  const std::vector<double> listed = r.numbers("moe_layers");
  std::vector<bool> moe(static_cast<std::size_t>(m.layers));
  for (std::size_t i = 0; i < moe.size(); ++i)
    moe[i] = listed.empty()
                 ? (i + 1) % static_cast<std::size_t>(step) == 0
                 : std::find(listed.begin(), listed.end(), static_cast<double>(i)) != listed.end();
  if (m.experts > 0)
    set_moe(r, m, listed.empty() ? "interleave_moe_layer_step" : "moe_layers", moe);
  m.window = r.number("attention_chunk_size", "model.window", 8192);
  m.chunked = m.window > 0;
  const double every = r.number("no_rope_layer_interval", "model.global_every", 4);
  const std::vector<double> rope = r.numbers("no_rope_layers");  // 0 marks a global layer
  if (m.window == 0 || read_layer_types(r, m)) return;
  m.global_every = every;
  if (rope.size() != static_cast<std::size_t>(m.layers)) return;
  std::vector<bool> global;
  for (const double x : rope) global.push_back(x == 0);
  set_pattern(r, m, "no_rope_layers", std::vector<bool>(global.size(), true), global);
  m.chunked = m.window > 0;
}

void read_minimax(HfReader& r, Model& m) {
  llama(r, m, {32000, 4096, 14336, 32, 32, 8, kNone, 131072});
  experts(r, m, 8, 2, m.ffn);
  m.linear = Linear::lightning;
  m.linear_heads = m.linear_groups = m.heads;
  m.linear_head_dim = m.state_dim = m.head_dim;
  m.conv_kernel = 0;
  m.conv_bias = false;
  m.shared_ffn = r.number("shared_intermediate_size", "model.shared_ffn", 0);
  r.find("shared_moe_mode postnorm attn_window_size block_size");
  const std::vector<double> types = r.numbers("attn_type_list");
  if (read_layer_types(r, m)) return;
  std::vector<bool> attends(static_cast<std::size_t>(m.layers));
  for (std::size_t i = 0; i < attends.size(); ++i)
    attends[i] = types.size() == attends.size() ? types[i] == 1 : i % 2 == 0;
  set_attention(r, m, "attn_type_list", attends);
}

// ---- State-space models and hybrids

void read_mamba(HfReader& r, Model& m) {
  m.layers = r.essential(kLayers, "model.layers", kNone);
  m.hidden = r.essential(kHidden, "model.hidden", kNone);
  m.vocab = r.essential(kVocab, "model.vocab", kNone);
  m.tied = r.flag("tie_word_embeddings", true);
  m.max_seq = r.number(kPositions, "model.max_seq", 2048);
  mamba_1(r, m, r.count("expand", 2, 1, 100), "state_size", "conv_kernel", "time_step_rank",
          "use_conv_bias");
  m.linear_heads = r.number("intermediate_size d_inner", "model.linear_heads", m.linear_heads);
  m.linear_norm = false;
  r.find("rms_norm fused_add_norm pad_vocab_size_multiple");
  unsupported_bias(r, "use_bias");
  no_attention(m);
}

void read_mamba2(HfReader& r, Model& m) {
  m.layers = r.essential(kLayers, "model.layers", kNone);
  m.hidden = r.essential(kHidden, "model.hidden", kNone);
  m.vocab = r.essential(kVocab, "model.vocab", kNone);
  m.tied = r.flag("tie_word_embeddings", false);
  m.max_seq = r.number(kPositions, "model.max_seq", 2048);
  mamba_2(r, m, "num_heads", "head_dim", "n_groups", "state_size", "conv_kernel", "use_conv_bias",
          "expand");
  r.find("rms_norm norm_before_gate intermediate_size");
  unsupported_bias(r, "use_bias");
  no_attention(m);
}

/// The files of the authors of Mamba, which have no model_type.
void read_mamba_ssm(HfReader& r, Model& m) {
  m.layers = r.essential("n_layer", "model.layers", kNone);
  m.hidden = r.essential("d_model", "model.hidden", kNone);
  const double multiple = r.count("pad_vocab_size_multiple", 8, 1);
  m.vocab = std::ceil(r.essential("vocab_size", "model.vocab", kNone) / multiple) * multiple;
  m.tied = r.flag("tie_embeddings", true);
  m.max_seq = 2048;
  HfReader ssm = r.inner("ssm_cfg");
  r.find("rms_norm fused_add_norm residual_in_fp32");
  const double expand = ssm.count("expand", 2, 1, 100);
  if (ssm.text("layer", "Mamba1") == "Mamba2") {
    m.linear = Linear::mamba_2;
    m.linear_head_dim = ssm.number("headdim", "model.linear_head_dim", 64);
    m.linear_heads = std::floor(expand * m.hidden / m.linear_head_dim);
    m.linear_groups = ssm.number("ngroups", "model.linear_groups", 1);
    m.state_dim = ssm.number("d_state", "model.state_dim", 128);
    m.conv_kernel = ssm.number("d_conv", "model.conv_kernel", 4);
  } else {
    mamba_1(ssm, m, expand, "d_state", "d_conv", "dt_rank", "conv_bias");
    m.linear_norm = false;
  }
  no_attention(m);
  if (!r.numbers("attn_layer_idx").empty() || r.count("d_intermediate", 0) > 0)
    r.error("attn_layer_idx", "not_supported",
            "Attention layers and MLPs of the original Mamba code are not read here.",
            "Use the config.json of a conversion to transformers.");
}

void read_jamba(HfReader& r, Model& m) {
  llama(r, m, {65536, 4096, 14336, 32, 32, 8, kNone, 262144});
  window(r, m, 0);
  experts(r, m, 16, 2, m.ffn);
  mamba_1(r, m, r.count("mamba_expand", 2, 1, 100), "mamba_d_state", "mamba_d_conv",
          "mamba_dt_rank", "mamba_conv_bias");
  unsupported_bias(r, "mamba_proj_bias");
  const auto at = [&](Names period, Names offset, double p, double o) {
    const double n = r.count(period, p, 1), first = r.count(offset, o);
    std::vector<bool> is(static_cast<std::size_t>(m.layers));
    for (std::size_t i = 0; i < is.size(); ++i)
      is[i] = std::fmod(static_cast<double>(i), n) == first;
    return is;
  };
  const std::vector<bool> attends = at("attn_layer_period", "attn_layer_offset", 8, 4);
  const std::vector<bool> moe = at("expert_layer_period", "expert_layer_offset", 2, 1);
  set_attention(r, m, "attn_layer_period", attends);
  if (m.experts > 1)
    set_moe(r, m, "expert_layer_period", moe);
  else
    m.experts = m.top_k = 0;
}

void read_bamba(HfReader& r, Model& m) {
  llama(r, m, {.kv_heads = 8, .positions = 262144});
  attention_bias(r, m, false, true);
  m.mlp_bias = r.flag("mlp_bias", false);
  mamba_2(r, m, "mamba_n_heads", "mamba_d_head", "mamba_n_groups", "mamba_d_state", "mamba_d_conv",
          "mamba_conv_bias", "mamba_expand");
  unsupported_bias(r, "mamba_proj_bias");
  std::vector<bool> attends(static_cast<std::size_t>(m.layers));
  for (const double i : r.numbers("attn_layer_indices"))
    if (i >= 0 && i < m.layers) attends[static_cast<std::size_t>(i)] = true;
  set_attention(r, m, "attn_layer_indices", attends);
}

/// One mixer or one MLP a layer there; here an MLP counts with the mixer in front of it.
void read_nemotron_h(HfReader& r, Model& m) {
  std::string pattern(r.text("hybrid_override_pattern"));
  if (pattern.empty())
    for (const std::string_view t : r.words("layers_block_type layer_types"))
      pattern += t == "mamba" || t == "linear_attention"     ? 'M'
                 : t == "attention" || t == "full_attention" ? '*'
                 : t == "moe"                                ? 'E'
                 : t == "mlp"                                ? '-'
                                                             : '?';
  m.gated = false;
  r.find(kLayers);  // the pattern decides
  m.hidden = r.essential(kHidden, "model.hidden", 4096);
  m.vocab = r.essential(kVocab, "model.vocab", 131072);
  m.heads = r.essential(kHeads, "model.heads", 32);
  m.kv_heads = r.number(kKvHeads, "model.kv_heads", 8);
  m.head_dim = r.number(kHeadDim, "model.head_dim", 128);
  m.max_seq = r.number(kPositions, "model.max_seq", 4096);
  m.tied = r.flag("tie_word_embeddings", false);
  m.ffn = r.number("intermediate_size", "model.ffn", 21504);
  attention_bias(r, m, false, true);
  m.mlp_bias = r.flag("mlp_bias", false);
  window(r, m, 0);
  mamba_2(r, m, "mamba_num_heads", "mamba_head_dim", "n_groups mamba_n_groups", "ssm_state_size",
          "conv_kernel mamba_d_conv", "use_conv_bias mamba_conv_bias", "expand mamba_expand");
  unsupported_bias(r, "mamba_proj_bias");
  unsupported_bias(r, "use_bias");
  std::vector<bool> attends, moe;
  bool known = !pattern.empty();
  for (const char c : pattern) {
    if (c == 'M' || c == '*')
      attends.push_back(c == '*');
    else if (c == '-' || c == 'E')
      moe.push_back(c == 'E');
    else
      known = false;
  }
  if (!known || attends.empty() || attends.size() > 10000) {
    r.error("hybrid_override_pattern", "missing_key",
            "The pattern of layers is missing or has letters other than M, *, - and E.",
            "Use the whole config.json.");
    return;
  }
  m.layers = static_cast<double>(attends.size());
  const auto attention = static_cast<double>(std::count(attends.begin(), attends.end(), true));
  const auto mlps = static_cast<double>(moe.size());
  m.attention_mlp = mlps == m.layers || (mlps == attention && mlps != m.layers - attention);
  m.linear_mlp = mlps == m.layers || mlps == m.layers - attention;
  if (mlps != (m.attention_mlp ? attention : 0) + (m.linear_mlp ? m.layers - attention : 0))
    r.error("hybrid_override_pattern", "not_supported",
            number_text(mlps) + " MLPs are neither one for each Mamba layer nor one for each " +
                "attention layer.",
            "Such a pattern cannot be described here.");
  set_attention(r, m, "hybrid_override_pattern", attends);
  if (std::find(moe.begin(), moe.end(), true) != moe.end()) {
    experts(r, m, 8, 2, 7688);
    const double shared = r.count("n_shared_experts", 1);
    m.shared_ffn = shared * r.number("moe_shared_expert_intermediate_size", "model.moe_ffn", 7688);
    m.score_bias = true;
    set_moe(r, m, "hybrid_override_pattern", moe);
    if (r.count("moe_latent_size", 0) > 0)
      r.error("moe_latent_size", "not_supported", "Experts on a latent are not described here.",
              "Their weights are counted on the hidden size and come out too many.");
  } else {
    for (const Names names : {kExperts, kTopK, Names("moe_intermediate_size"),
                              Names("n_shared_experts moe_shared_expert_intermediate_size")})
      r.find(names);
  }
  mtp(r, "num_nextn_predict_layers");
}

// ---- Encoders, encoder-decoders, vision

void read_bert(HfReader& r, Model& m) {
  m.kind = ModelKind::encoder;
  gpt(r, m, {.positions = 512, .tied = true});
  ffn(r, m, {});
  m.learned_positions = m.max_seq;
  m.token_types = r.number("type_vocab_size", "model.token_types", 2);
  m.embed_norm = m.pooler = true;
  m.final_norm = false;
  r.find(
      "pooler_fc_size pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head "
      "pooler_type");
  const std::string_view positions = r.text("position_embedding_type", "absolute");
  if (positions != "absolute")
    r.warn("position_embedding_type", "not_supported",
           "Relative positions of this kind are not counted.", "They are few parameters.");
  if (r.flag("is_decoder add_cross_attention", false))
    r.warn("is_decoder", "not_supported", "It is read as an encoder.",
           "Choose the kind decoder by hand.");
}

void read_roberta(HfReader& r, Model& m) {
  read_bert(r, m);
  m.max_seq = std::max(1.0, m.max_seq - 2);  // two rows in front, for padding
}

void read_distilbert(HfReader& r, Model& m) {
  m.kind = ModelKind::encoder;
  gpt(r, m, {.positions = 512, .tied = true});
  ffn(r, m, {});
  m.learned_positions = m.max_seq;
  m.embed_norm = true;
  m.final_norm = false;
  r.find("sinusoidal_pos_embds attention_dropout");
}

void read_albert(HfReader& r, Model& m) {
  read_bert(r, m);
  const double width = r.number("embedding_size", "model.embed_dim", 128);
  if (width != m.hidden) m.embed_dim = width;
  const double groups = r.count("num_hidden_groups", 1, 1);
  r.find("inner_group_num net_structure_type gap_size down_scale_factor num_memory_blocks");
  if (groups < m.layers)
    r.warn("num_hidden_groups", "not_supported",
           "The " + number_text(m.layers) + " layers share the weights of " + number_text(groups) +
               "; here each has its own, so FLOPs are right and parameters are too many.",
           "Choose the model by-size to give its number of parameters.");
}

void read_xlnet(HfReader& r, Model& m) {
  m.kind = ModelKind::encoder;
  m.norm = Norm::layernorm;
  m.gated = false;
  m.mlp_bias = true;
  m.relative_projection = true;
  m.final_norm = false;
  sizes(r, m, {.positions = 512, .tied = true});
  ffn(r, m, {});
  // Three biases and two segment vectors of each layer's heads, and the mask vector.
  m.extra_params = m.layers * 5 * m.heads * m.head_dim + m.hidden;
  r.find(
      "attn_type bi_data mem_len reuse_len same_length untie_r clamp_len ff_activation start_n_top "
      "end_n_top use_mems_eval use_mems_train");
}

void read_t5(HfReader& r, Model& m) {
  m.kind = ModelKind::encoder_decoder;
  const double encoder = r.essential("num_layers", "model.layers", 6);
  const double decoder = r.number("num_decoder_layers", "model.layers", encoder);
  m.encoder_layers = encoder;
  m.layers = encoder + decoder;
  m.hidden = r.essential("d_model", "model.hidden", 512);
  m.vocab = r.essential("vocab_size", "model.vocab", 32128);
  m.heads = m.kv_heads = r.essential("num_heads", "model.heads", 8);
  m.head_dim = r.essential("d_kv", "model.head_dim", 64);
  m.ffn = r.essential("d_ff", "model.ffn", 2048);
  m.max_seq = r.number("n_positions", "model.max_seq", 512);
  m.tied = r.flag("tie_word_embeddings", true);
  m.relative_buckets = r.number("relative_attention_num_buckets", "model.relative_buckets", 32);
  r.find("relative_attention_max_distance dense_act_fn");
  m.gated =
      r.text("feed_forward_proj", "relu").starts_with("gated") || r.flag("is_gated_act", false);
}

void read_mt5(HfReader& r, Model& m) {
  read_t5(r, m);
  m.tied = r.flag("tie_word_embeddings", false);
  m.gated = r.text("feed_forward_proj", "gated-gelu").starts_with("gated");
}

void read_umt5(HfReader& r, Model& m) {
  read_mt5(r, m);
  // A position bias in every layer, not once in each stack.
  m.extra_params = m.relative_buckets * m.heads * std::max(0.0, m.layers - 2);
}

void read_vit(HfReader& r, Model& m) {
  m.kind = ModelKind::vit;
  m.norm = Norm::layernorm;
  m.gated = false;
  m.tied = true;
  m.vocab = 1;
  m.layers = r.essential(kLayers, "model.layers", 12);
  m.hidden = r.essential(kHidden, "model.hidden", 768);
  m.heads = m.kv_heads = r.essential(kHeads, "model.heads", 12);
  m.head_dim = std::floor(m.hidden / m.heads);
  m.ffn = r.essential(kFfn, "model.ffn", 3072);
  m.image = r.essential("image_size", "model.image", 224);
  m.patch = r.essential("patch_size", "model.patch", 16);
  m.max_seq = std::floor(m.image / m.patch) * std::floor(m.image / m.patch) + 1;
  m.out_bias = m.mlp_bias = m.patch_bias = true;
  m.qkv_bias = r.flag("qkv_bias", true);
  r.find("encoder_stride pooler_output_size pooler_act");
  if (r.count("num_channels", 3, 1) != 3)
    r.warn("num_channels", "not_supported", "Images of three channels are counted.",
           "The patch embedding differs by that factor.");
  const std::vector<std::string_view> classes = r.words("architectures");
  const Json* labels = r.find("id2label");
  if (!classes.empty() && classes[0].ends_with("ForImageClassification"))
    m.classes = labels ? static_cast<double>(labels->items.size()) : 2;
}

void read_clip_vision(HfReader& r, Model& m) {
  read_vit(r, m);
  m.patch_bias = false;
  m.pre_norm = true;
  m.projection = r.number("projection_dim", "model.projection", 512);
}

void read_clip_text(HfReader& r, Model& m) {
  gpt(r, m, {49408, 512, kNone, 12, 8, kNone, kNone, 77, true});
  ffn(r, m, {.ffn = 2048});
  m.learned_positions = m.max_seq;
  m.extra_params = m.hidden * r.number("projection_dim", "model.projection", 512);
}

// ---- The table

struct Family {
  std::string_view type;
  void (*read)(HfReader&, Model&);
};

constexpr Family kFamilies[] = {{"llama", read_llama},
                                {"Yi", read_llama},
                                {"granite", read_llama},
                                {"smollm3",
                                 [](HfReader& r, Model& m) {
                                   llama(r, m, {.positions = 32768, .tied = true});
                                   attention_bias(r, m, false, true);
                                   m.mlp_bias = r.flag("mlp_bias", false);
                                   qwen_window(r, m);
                                   r.find("no_rope_layers no_rope_layer_interval");
                                 }},
                                {"mistral", read_mistral},
                                {"ministral", read_mistral},
                                {"mixtral", read_mixtral},
                                {"qwen", read_qwen},
                                {"qwen2", read_qwen2},
                                {"qwen2_vl_text", read_qwen2},
                                {"qwen2_5_vl_text", read_qwen2},
                                {"qwen2_vl", read_qwen2},
                                {"qwen2_5_vl", read_qwen2},
                                {"qwen2_moe", read_qwen2_moe},
                                {"qwen3", read_qwen3},
                                {"qwen3_vl_text", read_qwen3},
                                {"qwen3_moe", read_qwen3_moe},
                                {"qwen3_vl_moe_text", read_qwen3_moe},
                                {"qwen3_next", read_qwen3_next},
                                {"qwen3_5_text", read_qwen3_5},
                                {"qwen3_5_moe_text", read_qwen3_5_moe},
                                {"gemma", read_gemma},
                                {"gemma2", read_gemma2},
                                {"gemma3_text", read_gemma3},
                                {"gemma3", read_gemma3},
                                {"phi", read_phi},
                                {"phi3", read_phi3},
                                {"gpt2", read_gpt2},
                                {"gpt_neo", read_gpt_neo},
                                {"gpt_neox", read_gpt_neox},
                                {"gptj", read_gptj},
                                {"codegen", read_gptj},
                                {"gpt_bigcode", read_gpt_bigcode},
                                {"opt", read_opt},
                                {"bloom", read_bloom},
                                {"falcon", read_falcon},
                                {"RefinedWeb", read_falcon},
                                {"RefinedWebModel", read_falcon},
                                {"mpt", read_mpt},
                                {"stablelm", read_stablelm},
                                {"stablelm_epoch", read_stablelm},
                                {"starcoder2", read_starcoder2},
                                {"nemotron", read_nemotron},
                                {"cohere", read_cohere},
                                {"cohere2", read_cohere2},
                                {"olmo", read_olmo},
                                {"olmo2", read_olmo2},
                                {"olmo3", read_olmo3},
                                {"olmoe", read_olmoe},
                                {"granitemoe", read_granite_moe},
                                {"granitemoeshared", read_granite_moe},
                                {"granitemoehybrid", read_granite_hybrid},
                                {"internlm", read_internlm},
                                {"internlm2", read_internlm2},
                                {"baichuan", read_baichuan},
                                {"chatglm", read_chatglm},
                                {"glm", read_glm},
                                {"glm4", read_glm4},
                                {"glm4_moe", read_glm4_moe},
                                {"gpt_oss", read_gpt_oss},
                                {"deepseek", read_deepseek},
                                {"deepseek_v2", read_deepseek_v2},
                                {"deepseek_v3", read_deepseek_v3},
                                {"kimi_k2", read_deepseek_v3},
                                {"grok-1", read_grok},
                                {"dbrx", read_dbrx},
                                {"arctic", read_arctic},
                                {"llama4_text", read_llama4},
                                {"llama4", read_llama4},
                                {"minimax", read_minimax},
                                {"minimax_text_01", read_minimax},
                                {"MiniMaxText01", read_minimax},
                                {"minimax_m1", read_minimax},
                                {"mamba", read_mamba},
                                {"falcon_mamba", read_mamba},
                                {"mamba2", read_mamba2},
                                {"mamba_ssm", read_mamba_ssm},
                                {"jamba", read_jamba},
                                {"bamba", read_bamba},
                                {"nemotron_h", read_nemotron_h},
                                {"bert", read_bert},
                                {"roberta", read_roberta},
                                {"xlm-roberta", read_roberta},
                                {"camembert", read_roberta},
                                {"distilbert", read_distilbert},
                                {"albert", read_albert},
                                {"xlnet", read_xlnet},
                                {"t5", read_t5},
                                {"mt5", read_mt5},
                                {"umt5", read_umt5},
                                {"vit", read_vit},
                                {"clip_vision_model", read_clip_vision},
                                {"clip_text_model", read_clip_text}};

}  // namespace

bool read_family(std::string_view model_type, HfReader& r, Model& m) {
  for (const Family& f : kFamilies)
    if (f.type == model_type) {
      f.read(r, m);
      return true;
    }
  return false;
}

}  // namespace envelope
