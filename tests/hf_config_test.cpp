// SPDX-License-Identifier: MIT
// config.json: every architecture of the catalog that has a config class comes back as it was, from
// a file written here by the names of that class; files as published give the published counts; and
// what cannot be understood is said.
// Over 400 lines because it holds a table of key names and whole files.
#include "envelope/hf_config.h"

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "catch.h"
#include "envelope/api.h"
#include "envelope/catalog.h"
#include "envelope/estimate.h"
#include "envelope/json.h"
#include "envelope/link.h"
#include "envelope/patch.h"

namespace {

using namespace envelope;

// ---- Files written from a model

/// One config.json in the making.
class File {
 public:
  explicit File(std::string_view model_type) { w_.object().member("model_type", model_type); }
  File& number(std::string_view key, double x) { return w_.member(key, x), *this; }
  File& flag(std::string_view key, bool x) { return w_.member(key, x), *this; }
  File& text(std::string_view key, std::string_view x) { return w_.member(key, x), *this; }
  File& null(std::string_view key) { return w_.member(key, kNone), *this; }
  File& open(std::string_view key) { return w_.key(key).object(), *this; }
  File& close() { return w_.end(), *this; }
  File& words(std::string_view key, const std::vector<std::string>& list) {
    w_.key(key).array();
    for (const std::string& word : list) w_.value(word);
    return w_.end(), *this;
  }
  File& numbers(std::string_view key, const std::vector<double>& list) {
    w_.key(key).array();
    for (const double x : list) w_.value(x);
    return w_.end(), *this;
  }
  std::string take() { return w_.end().take(); }

 private:
  JsonWriter w_;
};

/// The keys that Llama made usual.
File& usual(File& f, const Model& m) {
  f.number("vocab_size", m.vocab).number("hidden_size", m.hidden);
  f.number("intermediate_size", m.ffn).number("num_hidden_layers", m.layers);
  f.number("num_attention_heads", m.heads).number("num_key_value_heads", m.kv_heads);
  f.number("max_position_embeddings", m.max_seq).flag("tie_word_embeddings", m.tied);
  // Keys that every file has and that change nothing.
  f.number("rope_theta", 10000).number("rms_norm_eps", 1e-6).flag("use_cache", true);
  f.text("torch_dtype", "bfloat16").text("hidden_act", "silu").number("bos_token_id", 1);
  f.number("initializer_range", 0.02).number("attention_dropout", 0.1);
  return f.words("architectures", {"ForCausalLM"});
}

/// GPT-2's keys.
File& gpt2_keys(File& f, const Model& m) {
  f.number("vocab_size", m.vocab).number("n_embd", m.hidden).number("n_layer", m.layers);
  f.number("n_head", m.heads).number("n_positions", m.max_seq).number("resid_pdrop", 0.1);
  return m.ffn == 4 * m.hidden ? f.null("n_inner") : f.number("n_inner", m.ffn);
}

std::vector<std::string> types(const Model& m, const char* local, const char* global) {
  std::vector<std::string> out;
  for (double i = 0; i < m.layers; ++i) {
    const LayerCount c = layers_between(m, i, i + 1);
    out.emplace_back(c.global > 0 ? global : c.local > 0 ? local : "linear_attention");
  }
  return out;
}

std::string llama(const Model& m) {
  File f("llama");
  usual(f, m).flag("attention_bias", m.qkv_bias).flag("mlp_bias", m.mlp_bias);
  if (m.head_dim * m.heads != m.hidden) f.number("head_dim", m.head_dim);
  return f.take();
}

std::string mistral(const Model& m) {
  File f("mistral");
  usual(f, m).number("head_dim", m.head_dim);
  m.window > 0 ? f.number("sliding_window", m.window) : f.null("sliding_window");
  return f.take();
}

std::string mixtral(const Model& m) {
  File f("mixtral");
  usual(f, m).number("num_local_experts", m.experts).number("num_experts_per_tok", m.top_k);
  return f.null("sliding_window").number("router_aux_loss_coef", 0.02).take();
}

std::string qwen2(const Model& m) {
  File f(m.experts > 0 ? "qwen2_moe" : "qwen2");
  usual(f, m).number("sliding_window", 32768).flag("use_sliding_window", false);
  f.number("max_window_layers", 21);
  if (m.experts > 0) {
    f.number("num_experts", m.experts).number("num_experts_per_tok", m.top_k);
    f.number("moe_intermediate_size", m.moe_ffn).number("decoder_sparse_step", 1);
    f.number("shared_expert_intermediate_size", m.shared_ffn).flag("norm_topk_prob", false);
  }
  return f.take();
}

std::string qwen3(const Model& m) {
  File f(m.linear != Linear::none ? "qwen3_next" : m.experts > 0 ? "qwen3_moe" : "qwen3");
  usual(f, m).number("head_dim", m.head_dim).flag("attention_bias", false);
  if (m.linear == Linear::none) f.null("sliding_window").flag("use_sliding_window", false);
  if (m.experts > 0) {
    f.number("num_experts", m.experts).number("num_experts_per_tok", m.top_k);
    f.number("moe_intermediate_size", m.moe_ffn).number("decoder_sparse_step", 1);
    f.numbers("mlp_only_layers", {}).flag("norm_topk_prob", true);
  }
  if (m.linear != Linear::none) {
    f.number("full_attention_interval", m.attention_every);
    f.number("linear_conv_kernel_dim", m.conv_kernel);
    f.number("linear_num_value_heads", m.linear_heads);
    f.number("linear_value_head_dim", m.linear_head_dim);
    f.number("linear_num_key_heads", m.linear_groups).number("linear_key_head_dim", m.state_dim);
    f.number("shared_expert_intermediate_size", m.shared_ffn);
    f.number("partial_rotary_factor", 0.25);
  }
  return f.take();
}

std::string gemma(const Model& m) {
  File f(m.qk_norm != QkNorm::none ? "gemma3_text" : m.window > 0 ? "gemma2" : "gemma");
  usual(f, m).number("head_dim", m.head_dim).number("query_pre_attn_scalar", 256);
  if (m.window > 0) f.number("sliding_window", m.window);
  if (m.qk_norm != QkNorm::none)
    f.number("sliding_window_pattern", m.global_every);
  else if (m.window > 0)
    f.number("attn_logit_softcapping", 50);
  return f.take();
}

std::string phi(const Model& m) {
  if (m.parallel) {
    File f("phi");
    usual(f, m).flag("qk_layernorm", false).number("partial_rotary_factor", 0.4);
    return f.number("resid_pdrop", 0.1).take();
  }
  File f("phi3");
  usual(f, m).number("original_max_position_embeddings", 4096).flag("lm_head_bias", false);
  m.window > 0 ? f.number("sliding_window", m.window) : f.number("sliding_window", m.max_seq);
  return f.take();
}

std::string falcon(const Model& m) {
  File f("falcon");
  f.number("vocab_size", m.vocab).number("hidden_size", m.hidden);
  f.number("num_hidden_layers", m.layers).number("num_attention_heads", m.heads);
  f.flag("bias", false).flag("alibi", false).flag("parallel_attn", true).flag("multi_query", true);
  f.flag("new_decoder_architecture", m.kv_heads > 1);
  f.number("num_kv_heads", m.kv_heads > 1 ? m.kv_heads : m.heads);
  return f.number("layer_norm_epsilon", 1e-5).take();
}

std::string deepseek(const Model& m) {
  const bool mla = m.attention == Attention::mla;
  File f(!mla ? "deepseek" : m.score_bias ? "deepseek_v3" : "deepseek_v2");
  usual(f, m).flag("attention_bias", false).number("moe_layer_freq", 1);
  f.number("n_routed_experts", m.experts).number("num_experts_per_tok", m.top_k);
  f.number("moe_intermediate_size", m.moe_ffn).number("n_group", 8).number("topk_group", 4);
  f.number("n_shared_experts", m.shared_ffn / m.moe_ffn).text("scoring_func", "sigmoid");
  f.number("first_k_dense_replace", m.first_dense).number("routed_scaling_factor", 2.5);
  if (!mla) return f.take();
  m.q_rank > 0 ? f.number("q_lora_rank", m.q_rank) : f.null("q_lora_rank");
  f.number("kv_lora_rank", m.kv_rank).number("qk_nope_head_dim", m.nope_dim);
  return f.number("qk_rope_head_dim", m.rope_dim).number("v_head_dim", m.v_dim).take();
}

std::string opt(const Model& m) {
  File f("opt");
  f.number("vocab_size", m.vocab).number("hidden_size", m.hidden).number("ffn_dim", m.ffn);
  f.number("num_hidden_layers", m.layers).number("num_attention_heads", m.heads);
  f.number("max_position_embeddings", m.max_seq).flag("do_layer_norm_before", m.final_norm);
  f.number("word_embed_proj_dim", given(m.embed_dim) ? m.embed_dim : m.hidden);
  return f.text("activation_function", "relu").number("layerdrop", 0).text("prefix", "</s>").take();
}

std::string neox(const Model& m) {
  File f("gpt_neox");
  f.number("vocab_size", m.vocab).number("hidden_size", m.hidden);
  f.number("intermediate_size", m.ffn).number("num_hidden_layers", m.layers);
  f.number("num_attention_heads", m.heads).number("max_position_embeddings", m.max_seq);
  return f.flag("tie_word_embeddings", false).number("rotary_pct", 0.25).take();
}

std::string bert(const Model& m) {
  File f(m.token_types == 1 ? "roberta" : "bert");
  f.number("vocab_size", m.vocab).number("hidden_size", m.hidden);
  f.number("intermediate_size", m.ffn).number("num_hidden_layers", m.layers);
  f.number("num_attention_heads", m.heads).number("type_vocab_size", m.token_types);
  f.number("max_position_embeddings", m.learned_positions).text("hidden_act", "gelu");
  return f.text("position_embedding_type", "absolute").take();
}

std::string t5(const Model& m) {
  File f("t5");
  f.number("vocab_size", m.vocab).number("d_model", m.hidden).number("d_ff", m.ffn);
  f.number("num_layers", m.encoder_layers).number("num_heads", m.heads).number("d_kv", m.head_dim);
  f.number("num_decoder_layers", m.layers - m.encoder_layers).number("n_positions", m.max_seq);
  f.number("relative_attention_num_buckets", m.relative_buckets);
  f.text("feed_forward_proj", m.gated ? "gated-gelu" : "relu");
  if (!m.tied) f.flag("tie_word_embeddings", false);
  return f.flag("is_encoder_decoder", true).take();
}

std::string vit(const Model& m) {
  const bool clip = m.pre_norm;
  File f(clip ? "clip_vision_model" : "vit");
  f.number("hidden_size", m.hidden).number("intermediate_size", m.ffn);
  f.number("num_hidden_layers", m.layers).number("num_attention_heads", m.heads);
  f.number("image_size", m.image).number("patch_size", m.patch).number("num_channels", 3);
  if (clip) return f.number("projection_dim", m.projection).take();
  f.words("architectures", {"ViTForImageClassification"}).flag("qkv_bias", true);
  f.open("id2label");
  for (int i = 0; i < static_cast<int>(m.classes); ++i) f.text(std::to_string(i), "a fish");
  return f.close().take();
}

std::string clip_text(const Model& m) {
  File f("clip_text_model");
  f.number("vocab_size", m.vocab).number("hidden_size", m.hidden);
  f.number("intermediate_size", m.ffn).number("num_hidden_layers", m.layers);
  f.number("num_attention_heads", m.heads).number("max_position_embeddings", m.max_seq);
  return f.number("projection_dim", m.extra_params / m.hidden).take();
}

std::string mamba(const Model& m) {
  File f(m.hidden == 4096 ? "falcon_mamba" : "mamba");
  f.number("vocab_size", m.vocab).number("hidden_size", m.hidden);
  f.number("num_hidden_layers", m.layers).number("state_size", m.state_dim).number("expand", 2);
  f.number("intermediate_size", m.linear_heads).number("conv_kernel", m.conv_kernel);
  f.number("time_step_rank", m.dt_rank).flag("use_conv_bias", m.conv_bias).flag("use_bias", false);
  if (!m.tied) f.flag("tie_word_embeddings", false);
  return f.number("time_step_max", 0.1).flag("residual_in_fp32", true).take();
}

std::string jamba(const Model& m) {
  File f("jamba");
  usual(f, m).number("attn_layer_period", m.attention_every);
  f.number("attn_layer_offset", m.attention_offset).number("expert_layer_period", m.moe_every);
  f.number("expert_layer_offset", m.first_dense + m.moe_every - 1);
  f.number("num_experts", m.experts).number("num_experts_per_tok", m.top_k);
  f.number("mamba_d_state", m.state_dim).number("mamba_d_conv", m.conv_kernel);
  f.number("mamba_dt_rank", m.dt_rank).number("mamba_expand", m.linear_heads / m.hidden);
  return f.flag("mamba_conv_bias", true).flag("mamba_proj_bias", false).take();
}

File& mamba_2(File& f, const Model& m) {
  f.number("mamba_n_heads", m.linear_heads).number("mamba_d_head", m.linear_head_dim);
  f.number("mamba_n_groups", m.linear_groups).number("mamba_d_state", m.state_dim);
  f.number("mamba_d_conv", m.conv_kernel).number("mamba_expand", 2).flag("mamba_conv_bias", true);
  return f.number("mamba_chunk_size", 256).flag("mamba_proj_bias", false);
}

std::string bamba(const Model& m) {
  File f("bamba");
  std::vector<double> attention;
  for (double i = 0; i < m.layers; ++i)
    if (layers_between(m, i, i + 1).attention > 0) attention.push_back(i);
  return mamba_2(usual(f, m), m).numbers("attn_layer_indices", attention).take();
}

std::string granite_hybrid(const Model& m) {
  File f("granitemoehybrid");
  std::vector<std::string> kinds;
  for (double i = 0; i < m.layers; ++i)
    kinds.emplace_back(layers_between(m, i, i + 1).attention > 0 ? "attention" : "mamba");
  Model inner = m;
  inner.ffn = m.moe_ffn;
  mamba_2(usual(f, inner), m).words("layer_types", kinds).number("embedding_multiplier", 12);
  f.number("num_local_experts", m.experts).number("num_experts_per_tok", m.top_k);
  return f.number("shared_intermediate_size", m.shared_ffn).take();
}

std::string nemotron_h(const Model& m) {
  File f("nemotron_h");
  std::string pattern;
  for (double i = 0; i < m.layers; ++i)
    pattern += layers_between(m, i, i + 1).attention > 0 ? "*" : "M-";
  usual(f, m).text("hybrid_override_pattern", pattern).number("head_dim", m.head_dim);
  f.number("mamba_num_heads", m.linear_heads).number("mamba_head_dim", m.linear_head_dim);
  f.number("n_groups", m.linear_groups).number("ssm_state_size", m.state_dim);
  f.number("conv_kernel", m.conv_kernel).flag("use_conv_bias", true).number("chunk_size", 128);
  return f.number("expand", 2).text("mlp_hidden_act", "relu2").take();
}

std::string minimax(const Model& m) {
  File f("minimax_text_01");
  usual(f, m).number("head_dim", m.head_dim).number("num_local_experts", m.experts);
  f.number("num_experts_per_tok", m.top_k).number("shared_intermediate_size", 0);
  std::vector<double> list;
  for (double i = 0; i < m.layers; ++i) list.push_back(layers_between(m, i, i + 1).attention);
  return f.numbers("attn_type_list", list).flag("postnorm", true).take();
}

std::string gpt_oss(const Model& m) {
  File f("gpt_oss");
  usual(f, m).number("head_dim", m.head_dim).flag("attention_bias", true);
  f.number("num_local_experts", m.experts).number("num_experts_per_tok", m.top_k);
  f.number("experts_per_token", m.top_k).number("sliding_window", m.window);
  f.words("layer_types", types(m, "sliding_attention", "full_attention"));
  return f.number("swiglu_limit", 7).number("initial_context_length", 4096).take();
}

std::string glm(const Model& m) {
  File f("glm4_moe");
  usual(f, m).number("head_dim", m.head_dim).flag("attention_bias", true);
  f.flag("use_qk_norm", m.qk_norm == QkNorm::per_head).number("n_routed_experts", m.experts);
  f.number("num_experts_per_tok", m.top_k).number("moe_intermediate_size", m.moe_ffn);
  f.number("n_shared_experts", 1).number("first_k_dense_replace", m.first_dense);
  return f.number("num_nextn_predict_layers", 1).number("partial_rotary_factor", 0.5).take();
}

std::string llama4(const Model& m) {
  File f("llama4_text");
  Model inner = m;
  inner.ffn = m.moe_ffn;  // here the key is the expert's
  usual(f, inner).number("head_dim", m.head_dim).number("intermediate_size_mlp", m.ffn);
  f.number("num_local_experts", m.experts).number("num_experts_per_tok", m.top_k);
  f.number("interleave_moe_layer_step", m.moe_every).number("attention_chunk_size", m.window);
  std::vector<double> rope;
  for (double i = 0; i < m.layers; ++i) rope.push_back(layers_between(m, i, i + 1).local);
  return f.numbers("no_rope_layers", rope).flag("use_qk_norm", true).take();
}

std::string dbrx(const Model& m) {
  File f("dbrx");
  f.number("vocab_size", m.vocab).number("d_model", m.hidden).number("n_layers", m.layers);
  f.number("n_heads", m.heads).number("max_seq_len", m.max_seq).flag("tie_word_embeddings", false);
  f.open("attn_config").number("kv_n_heads", m.kv_heads).number("clip_qkv", 8).close();
  f.open("ffn_config").number("ffn_hidden_size", m.moe_ffn).number("moe_num_experts", m.experts);
  return f.number("moe_top_k", m.top_k).number("moe_loss_weight", 0.05).close().take();
}

std::string mpt(const Model& m) {
  File f("mpt");
  f.number("vocab_size", m.vocab).number("d_model", m.hidden).number("n_layers", m.layers);
  f.number("n_heads", m.heads).number("max_seq_len", m.max_seq).number("expansion_ratio", 4);
  f.flag("no_bias", true)
      .flag("learned_pos_emb", true)
      .text("norm_type", "low_precision_layernorm");
  f.open("attn_config").flag("alibi", true).text("attn_type", "multihead_attention");
  return f.number("alibi_bias_max", 8).close().text("init_device", "cpu").take();
}

std::string starcoder(const Model& m) {
  if (m.window > 0) {
    File f("starcoder2");
    return usual(f, m).flag("use_bias", true).number("sliding_window", m.window).take();
  }
  File f("gpt_bigcode");
  return gpt2_keys(f, m).flag("multi_query", true).text("model", "x").take();
}

/// A family of the catalog and how its files are written.
const std::map<std::string, std::function<std::string(const Model&)>, std::less<>>& writers() {
  static const std::map<std::string, std::function<std::string(const Model&)>, std::less<>> table =
      {{"GPT-2",
        [](const Model& m) {
          File f("gpt2");
          return gpt2_keys(f, m).take();
        }},
       {"GPT-J",
        [](const Model& m) {
          File f("gptj");
          return gpt2_keys(f, m).flag("tie_word_embeddings", false).number("rotary_dim", 64).take();
        }},
       {"GPT-NeoX", neox},
       {"Pythia", neox},
       {"OPT", opt},
       {"BLOOM",
        [](const Model& m) {
          File f("bloom");
          f.number("vocab_size", m.vocab).number("n_embed", m.hidden).number("n_layer", m.layers);
          return f.number("num_attention_heads", m.heads).number("seq_length", m.max_seq).take();
        }},
       {"LLaMA", llama},
       {"Llama 2", llama},
       {"Llama 3", llama},
       {"Llama 4", llama4},
       {"Mistral", mistral},
       {"Mixtral", mixtral},
       {"Qwen 1.5", qwen2},
       {"Qwen 2", qwen2},
       {"Qwen 2.5", qwen2},
       {"Qwen 3", qwen3},
       {"Gemma", gemma},
       {"Gemma 2", gemma},
       {"Gemma 3", gemma},
       {"Phi", phi},
       {"Falcon", falcon},
       {"MPT", mpt},
       {"StableLM",
        [](const Model& m) {
          File f("stablelm");
          return usual(f, m).flag("use_qkv_bias", m.qkv_bias).take();
        }},
       {"OLMo",
        [](const Model& m) {
          File f("olmo");
          return usual(f, m).take();
        }},
       {"OLMo 2",
        [](const Model& m) {
          File f("olmo2");
          return usual(f, m).take();
        }},
       {"DeepSeek LLM", [](const Model& m) { return m.experts > 0 ? deepseek(m) : llama(m); }},
       {"DeepSeek V2", deepseek},
       {"DeepSeek V3", deepseek},
       {"Kimi", deepseek},
       {"gpt-oss", gpt_oss},
       {"GLM-4.5", glm},
       {"Nemotron-4",
        [](const Model& m) {
          File f("nemotron");
          return usual(f, m).number("head_dim", m.head_dim).take();
        }},
       {"DBRX", dbrx},
       {"Grok",
        [](const Model& m) {
          File f("grok-1");
          usual(f, m).number("num_experts", m.experts).number("num_experts_per_tok", m.top_k);
          return f.number("max_attn_value", 30).take();
        }},
       {"Arctic",
        [](const Model& m) {
          File f("arctic");
          usual(f, m).number("num_local_experts", m.experts).number("num_experts_per_tok", m.top_k);
          f.number("moe_layer_frequency", 1).flag("parallel_attn_mlp_res", true);
          return f.number("moe_train_capacity_factor", 1).take();
        }},
       {"Command R",
        [](const Model& m) {
          File f("cohere");
          usual(f, m).flag("use_qk_norm", m.qk_norm != QkNorm::none).number("logit_scale", 0.06);
          return f.take();
        }},
       {"SmolLM",
        [](const Model& m) {
          File f(m.hidden == 2048 && m.ffn == 11008 ? "smollm3" : "llama");
          return usual(f, m).take();
        }},
       {"TinyLlama", llama},
       {"StarCoder", starcoder},
       {"BERT", bert},
       {"T5", t5},
       {"ViT", vit},
       {"CLIP", [](const Model& m) { return m.kind == ModelKind::vit ? vit(m) : clip_text(m); }},
       {"Mamba", mamba},
       {"Jamba", jamba},
       {"Bamba", bamba},
       {"Granite 4", granite_hybrid},
       {"Nemotron-H", nemotron_h},
       {"MiniMax", minimax}};
  return table;
}

Scenario scenario(const Patch& patch) {
  Problems problems;
  const Scenario s = scenario_of(patch, problems);
  for (const Problem& p : problems) FAIL_CHECK(p.path << ": " << p.message);
  return s;
}

const Problem* find_problem(const Problems& problems, std::string_view path,
                            std::string_view code) {
  for (const Problem& p : problems)
    if (p.path == path && p.code == code) return &p;
  return nullptr;
}

std::string listed(const Problems& problems) {
  std::string out;
  for (const Problem& p : problems)
    out += std::string(p.path) + " " + std::string(p.code) + ": " + p.message + "\n";
  return out;
}

}  // namespace

TEST_CASE("config.json: each architecture of the catalog comes back from its file as it was") {
  int tried = 0;
  for (const Row& row : catalog().models) {
    const auto writer = writers().find(row.family);
    if (writer == writers().end()) continue;
    const Scenario before = scenario({{"model.id", row.id}});
    const std::string file = writer->second(before.model);
    const HfConfig config = import_hf_config(file);
    INFO(row.id << "\n" << file.substr(0, 1500) << "\n" << listed(config.problems));
    for (const Problem& p : config.problems) CHECK(p.severity == Severity::note);
    REQUIRE(!config.patch.empty());
    const Scenario after = scenario(config.patch);
    const Architecture a = architecture(before, Ledger()), b = architecture(after, Ledger());
    // A vision tower is not in the file of the text model.
    const double tower = row.family == "Llama 4" ? before.model.extra_params : 0;
    CHECK(b.total == a.total - tower);
    CHECK(b.active == a.active - tower);
    CHECK(b.matmul == a.matmul);
    CHECK(b.norms == a.norms);
    CHECK(b.biases == a.biases);
    CHECK(b.attention == a.attention);
    CHECK(b.linear == a.linear);
    CHECK(b.experts == a.experts);
    CHECK(b.router == a.router);
    CHECK(b.state_values == a.state_values);
    CHECK(b.conv_values == a.conv_values);
    const Model &m = before.model, &n = after.model;
    CHECK(n.kind == m.kind);
    CHECK(n.attention == m.attention);
    CHECK(n.linear == m.linear);
    CHECK(n.kv_heads == m.kv_heads);
    CHECK((n.head_dim == m.head_dim || m.attention == Attention::mla));
    CHECK(n.kv_rank == m.kv_rank);
    CHECK(n.rope_dim == m.rope_dim);
    CHECK(n.window == m.window);
    CHECK(n.global_every == m.global_every);
    CHECK(n.chunked == m.chunked);
    CHECK(n.parallel == m.parallel);
    for (double i = 0; i < m.layers; ++i) {
      const LayerCount x = layers_between(m, i, i + 1), y = layers_between(n, i, i + 1);
      CHECK(x.attention == y.attention);
      CHECK(x.global == y.global);
      CHECK(x.moe == y.moe);
      CHECK(x.mlp == y.mlp);
    }
    // What the page gets is the same.
    Json answer;
    Problems problems;
    const std::string text = api::import_config(file);
    REQUIRE(parse_json(text, answer, problems, text.size()));
    const Link link = decode(answer.text_at("link"));
    CHECK(architecture(scenario(link.patch), Ledger()).total == b.total);
    ++tried;
  }
  CHECK(tried == 153);
}

// ---- Files as they are published

namespace {

struct Published {
  const char* repository;  ///< https://huggingface.co/<repository>/blob/main/config.json
  double params;           ///< Of the text model, as the checkpoint has it.
  const char* text;
};

// Facts of the files, without rotary tables and other long lists.
const Published kPublished[] = {
    {"meta-llama/Llama-3.1-8B", 8030261248,
     R"({"architectures":["LlamaForCausalLM"],"attention_bias":false,"attention_dropout":0.0,
"bos_token_id":128000,"eos_token_id":128001,"hidden_act":"silu","hidden_size":4096,
"initializer_range":0.02,"intermediate_size":14336,"max_position_embeddings":131072,"mlp_bias":false,
"model_type":"llama","num_attention_heads":32,"num_hidden_layers":32,"num_key_value_heads":8,
"pretraining_tp":1,"rms_norm_eps":1e-05,"rope_scaling":{"factor":8.0,"low_freq_factor":1.0,
"high_freq_factor":4.0,"original_max_position_embeddings":8192,"rope_type":"llama3"},
"rope_theta":500000.0,"tie_word_embeddings":false,"torch_dtype":"bfloat16",
"transformers_version":"4.43.0.dev0","use_cache":true,"vocab_size":128256})"},
    {"openai-community/gpt2", 124439808,
     R"({"activation_function":"gelu_new","architectures":["GPT2LMHeadModel"],"attn_pdrop":0.1,
"bos_token_id":50256,"embd_pdrop":0.1,"eos_token_id":50256,"initializer_range":0.02,
"layer_norm_epsilon":1e-05,"model_type":"gpt2","n_ctx":1024,"n_embd":768,"n_head":12,"n_layer":12,
"n_positions":1024,"resid_pdrop":0.1,"summary_activation":null,"summary_first_dropout":0.1,
"summary_proj_to_labels":true,"summary_type":"cls_index","summary_use_proj":true,
"task_specific_params":{"text-generation":{"do_sample":true,"max_length":50}},"vocab_size":50257})"},
    {"google-bert/bert-base-uncased", 109482240,
     R"({"architectures":["BertForMaskedLM"],"attention_probs_dropout_prob":0.1,
"gradient_checkpointing":false,"hidden_act":"gelu","hidden_dropout_prob":0.1,"hidden_size":768,
"initializer_range":0.02,"intermediate_size":3072,"layer_norm_eps":1e-12,
"max_position_embeddings":512,"model_type":"bert","num_attention_heads":12,"num_hidden_layers":12,
"pad_token_id":0,"position_embedding_type":"absolute","transformers_version":"4.6.0.dev0",
"type_vocab_size":2,"use_cache":true,"vocab_size":30522})"},
    {"google-t5/t5-small", 60506624,
     R"({"architectures":["T5ForConditionalGeneration"],"d_ff":2048,"d_kv":64,"d_model":512,
"decoder_start_token_id":0,"dropout_rate":0.1,"eos_token_id":1,"initializer_factor":1.0,
"is_encoder_decoder":true,"layer_norm_epsilon":1e-06,"model_type":"t5","n_positions":512,
"num_heads":8,"num_layers":6,"output_past":true,"pad_token_id":0,
"relative_attention_num_buckets":32,"task_specific_params":{"summarization":{"early_stopping":true,
"length_penalty":2.0,"max_length":200,"min_length":30,"no_repeat_ngram_size":3,"num_beams":4}},
"vocab_size":32128})"},
    {"mistralai/Mistral-7B-v0.1", 7241732096,
     R"({"architectures":["MistralForCausalLM"],"bos_token_id":1,"eos_token_id":2,
"hidden_act":"silu","hidden_size":4096,"initializer_range":0.02,"intermediate_size":14336,
"max_position_embeddings":32768,"model_type":"mistral","num_attention_heads":32,
"num_hidden_layers":32,"num_key_value_heads":8,"rms_norm_eps":1e-05,"rope_theta":10000.0,
"sliding_window":4096,"tie_word_embeddings":false,"torch_dtype":"bfloat16",
"transformers_version":"4.34.0.dev0","use_cache":true,"vocab_size":32000})"},
    {"mistralai/Mixtral-8x7B-v0.1", 46702792704,
     R"({"architectures":["MixtralForCausalLM"],"attention_dropout":0.0,"bos_token_id":1,
"eos_token_id":2,"hidden_act":"silu","hidden_size":4096,"initializer_range":0.02,
"intermediate_size":14336,"max_position_embeddings":32768,"model_type":"mixtral",
"num_attention_heads":32,"num_experts_per_tok":2,"num_hidden_layers":32,"num_key_value_heads":8,
"num_local_experts":8,"output_router_logits":false,"rms_norm_eps":1e-05,"rope_theta":1000000.0,
"router_aux_loss_coef":0.02,"sliding_window":null,"tie_word_embeddings":false,
"torch_dtype":"bfloat16","use_cache":true,"vocab_size":32000})"},
    {"Qwen/Qwen3-0.6B", 596049920,
     R"({"architectures":["Qwen3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,
"bos_token_id":151643,"eos_token_id":151645,"head_dim":128,"hidden_act":"silu","hidden_size":1024,
"initializer_range":0.02,"intermediate_size":3072,"max_position_embeddings":40960,
"max_window_layers":28,"model_type":"qwen3","num_attention_heads":16,"num_hidden_layers":28,
"num_key_value_heads":8,"rms_norm_eps":1e-06,"rope_scaling":null,"rope_theta":1000000,
"sliding_window":null,"tie_word_embeddings":true,"torch_dtype":"bfloat16","use_cache":true,
"use_sliding_window":false,"vocab_size":151936})"},
    {"google/gemma-3-27b-it", 27009002240 + 64 * 5376.0,  // 64 more rows than the text model
     R"({"architectures":["Gemma3ForConditionalGeneration"],"boi_token_index":255999,
"eoi_token_index":256000,"eos_token_id":[1,106],"image_token_index":262144,"initializer_range":0.02,
"mm_tokens_per_image":256,"model_type":"gemma3","text_config":{"head_dim":128,"hidden_size":5376,
"intermediate_size":21504,"model_type":"gemma3_text","num_attention_heads":32,
"num_hidden_layers":62,"num_key_value_heads":16,"query_pre_attn_scalar":168,
"rope_scaling":{"factor":8.0,"rope_type":"linear"},"sliding_window":1024},"torch_dtype":"bfloat16",
"vision_config":{"hidden_size":1152,"image_size":896,"intermediate_size":4304,
"model_type":"siglip_vision_model","num_attention_heads":16,"num_hidden_layers":27,"patch_size":14,
"vision_use_head":false}})"},
    {"deepseek-ai/DeepSeek-V3", 671026419200,
     R"({"architectures":["DeepseekV3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,
"auto_map":{"AutoConfig":"configuration_deepseek.DeepseekV3Config"},"bos_token_id":0,
"eos_token_id":1,"ep_size":1,"first_k_dense_replace":3,"hidden_act":"silu","hidden_size":7168,
"initializer_range":0.02,"intermediate_size":18432,"kv_lora_rank":512,
"max_position_embeddings":163840,"model_type":"deepseek_v3","moe_intermediate_size":2048,
"moe_layer_freq":1,"n_group":8,"n_routed_experts":256,"n_shared_experts":1,"norm_topk_prob":true,
"num_attention_heads":128,"num_experts_per_tok":8,"num_hidden_layers":61,"num_key_value_heads":128,
"num_nextn_predict_layers":1,"q_lora_rank":1536,"qk_nope_head_dim":128,"qk_rope_head_dim":64,
"quantization_config":{"activation_scheme":"dynamic","fmt":"e4m3","quant_method":"fp8",
"weight_block_size":[128,128]},"rms_norm_eps":1e-06,"rope_scaling":{"beta_fast":32,"beta_slow":1,
"factor":40,"mscale":1.0,"type":"yarn"},"rope_theta":10000,"routed_scaling_factor":2.5,
"scoring_func":"sigmoid","tie_word_embeddings":false,"topk_group":4,"topk_method":"noaux_tc",
"torch_dtype":"bfloat16","use_cache":true,"v_head_dim":128,"vocab_size":129280})"},
    {"openai/gpt-oss-20b", 20914757184,
     R"({"architectures":["GptOssForCausalLM"],"attention_bias":true,"attention_dropout":0.0,
"eos_token_id":200002,"experts_per_token":4,"head_dim":64,"hidden_act":"silu","hidden_size":2880,
"initial_context_length":4096,"initializer_range":0.02,"intermediate_size":2880,
"layer_types":["sliding_attention","full_attention","sliding_attention","full_attention",
"sliding_attention","full_attention","sliding_attention","full_attention","sliding_attention",
"full_attention","sliding_attention","full_attention","sliding_attention","full_attention",
"sliding_attention","full_attention","sliding_attention","full_attention","sliding_attention",
"full_attention","sliding_attention","full_attention","sliding_attention","full_attention"],
"max_position_embeddings":131072,"model_type":"gpt_oss","num_attention_heads":64,
"num_experts_per_tok":4,"num_hidden_layers":24,"num_key_value_heads":8,"num_local_experts":32,
"output_router_logits":false,"pad_token_id":199999,"quantization_config":{
"modules_to_not_convert":["model.layers.*.self_attn"],"quant_method":"mxfp4"},"rms_norm_eps":1e-05,
"rope_theta":150000,"router_aux_loss_coef":0.9,"sliding_window":128,"swiglu_limit":7.0,
"tie_word_embeddings":false,"use_cache":true,"vocab_size":201088})"},
    {"ai21labs/Jamba-v0.1", 51570323328,
     R"({"architectures":["JambaForCausalLM"],"attention_dropout":0.0,"attn_layer_offset":4,
"attn_layer_period":8,"bos_token_id":1,"eos_token_id":2,"expert_layer_offset":1,
"expert_layer_period":2,"hidden_act":"silu","hidden_size":4096,"initializer_range":0.02,
"intermediate_size":14336,"mamba_conv_bias":true,"mamba_d_conv":4,"mamba_d_state":16,
"mamba_dt_rank":256,"mamba_expand":2,"mamba_proj_bias":false,"max_position_embeddings":262144,
"model_type":"jamba","num_attention_heads":32,"num_experts":16,"num_experts_per_tok":2,
"num_hidden_layers":32,"num_key_value_heads":8,"num_logits_to_keep":1,"output_router_logits":false,
"pad_token_id":0,"rms_norm_eps":1e-06,"router_aux_loss_coef":0.001,"sliding_window":null,
"tie_word_embeddings":false,"use_cache":true,"use_mamba_kernels":true,"vocab_size":65536})"},
    {"Qwen/Qwen3-Coder-Next", 79674391296,
     R"({"architectures":["Qwen3NextForCausalLM"],"attention_bias":false,"attention_dropout":0.0,
"bos_token_id":151643,"decoder_sparse_step":1,"eos_token_id":151645,"full_attention_interval":4,
"head_dim":256,"hidden_act":"silu","hidden_size":2048,"initializer_range":0.02,
"intermediate_size":5120,"linear_conv_kernel_dim":4,"linear_key_head_dim":128,
"linear_num_key_heads":16,"linear_num_value_heads":32,"linear_value_head_dim":128,
"max_position_embeddings":262144,"mlp_only_layers":[],"model_type":"qwen3_next",
"moe_intermediate_size":512,"norm_topk_prob":true,"num_attention_heads":16,"num_experts":512,
"num_experts_per_tok":10,"num_hidden_layers":48,"num_key_value_heads":2,
"output_router_logits":false,"partial_rotary_factor":0.25,"rms_norm_eps":1e-06,"rope_scaling":null,
"rope_theta":5000000,"router_aux_loss_coef":0.001,"shared_expert_intermediate_size":512,
"tie_word_embeddings":false,"torch_dtype":"bfloat16","use_cache":true,"vocab_size":151936})"},
    // The checkpoint without its vision tower (27 layers of 1152) and its MTP module.
    {"Qwen/Qwen3.6-27B", 27781427952.0 - 460730096 - 424699392,
     R"({"architectures":["Qwen3_5ForConditionalGeneration"],"image_token_id":248056,
"model_type":"qwen3_5","text_config":{"attention_bias":false,"attn_output_gate":true,
"full_attention_interval":4,"head_dim":256,"hidden_size":5120,"intermediate_size":17408,
"linear_conv_kernel_dim":4,"linear_key_head_dim":128,"linear_num_key_heads":16,
"linear_num_value_heads":48,"linear_value_head_dim":128,"mamba_ssm_dtype":"float32",
"max_position_embeddings":262144,"model_type":"qwen3_5_text","mtp_num_hidden_layers":1,
"num_attention_heads":24,"num_hidden_layers":64,"num_key_value_heads":4,
"tie_word_embeddings":false,"vocab_size":248320},"vision_config":{"depth":27}})"},
    {"nvidia/Nemotron-H-8B-Base-8K", 8100852736,
     R"({"architectures":["NemotronHForCausalLM"],"attention_bias":false,"attention_dropout":0.0,
"attention_head_dim":128,"bos_token_id":1,"chunk_size":128,"conv_kernel":4,"eos_token_id":2,
"expand":2,"hidden_dropout":0.0,"hidden_size":4096,
"hybrid_override_pattern":"M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M-",
"initializer_range":0.02,"intermediate_size":21504,"layer_norm_epsilon":1e-05,"mamba_head_dim":64,
"mamba_hidden_act":"silu","mamba_num_heads":128,"mamba_proj_bias":false,
"max_position_embeddings":8192,"mlp_bias":false,"mlp_hidden_act":"relu2",
"model_type":"nemotron_h","n_groups":8,"num_attention_heads":32,"num_hidden_layers":52,
"num_key_value_heads":8,"num_logits_to_keep":1,"pad_token_id":0,"rescale_prenorm_residual":true,
"residual_in_fp32":false,"rms_norm_eps":1e-05,"sliding_window":null,"ssm_state_size":128,
"tie_word_embeddings":false,"time_step_floor":0.0001,"time_step_limit":[0.0,1e30],
"time_step_max":0.1,"time_step_min":0.001,"time_step_rank":256,"use_bias":false,"use_cache":true,
"use_conv_bias":true,"use_mamba_kernels":true,"vocab_size":131072})"},
    {"facebook/opt-350m", 331196416,
     R"({"_remove_final_layer_norm":false,"activation_dropout":0.0,"activation_function":"relu",
"architectures":["OPTForCausalLM"],"attention_dropout":0.0,"bos_token_id":2,
"do_layer_norm_before":false,"dropout":0.1,"eos_token_id":2,"ffn_dim":4096,"hidden_size":1024,
"init_std":0.02,"layerdrop":0.0,"max_position_embeddings":2048,"model_type":"opt",
"num_attention_heads":16,"num_hidden_layers":24,"pad_token_id":1,"prefix":"</s>",
"torch_dtype":"float16","use_cache":true,"vocab_size":50272,"word_embed_proj_dim":512})"},
    {"tiiuae/falcon-7b", 6921720704,
     R"({"alibi":false,"apply_residual_connection_post_layernorm":false,
"architectures":["FalconForCausalLM"],"attention_dropout":0.0,"bias":false,"bos_token_id":11,
"eos_token_id":11,"hidden_dropout":0.0,"hidden_size":4544,"initializer_range":0.02,
"layer_norm_epsilon":1e-05,"model_type":"falcon","multi_query":true,
"new_decoder_architecture":false,"num_attention_heads":71,"num_hidden_layers":32,
"parallel_attn":true,"torch_dtype":"bfloat16","use_cache":true,"vocab_size":65024})"},
    {"state-spaces/mamba-2.8b-hf", 2768345600,
     R"({"architectures":["MambaForCausalLM"],"bos_token_id":0,"conv_kernel":4,"d_inner":5120,
"d_model":2560,"eos_token_id":0,"expand":2,"fused_add_norm":true,"hidden_act":"silu",
"hidden_size":2560,"initializer_range":0.1,"intermediate_size":5120,"layer_norm_epsilon":1e-05,
"model_type":"mamba","n_layer":64,"num_hidden_layers":64,"pad_token_id":0,
"pad_vocab_size_multiple":8,"rescale_prenorm_residual":false,"residual_in_fp32":true,
"rms_norm":true,"ssm_cfg":{},"state_size":16,"time_step_floor":0.0001,
"time_step_init_scheme":"random","time_step_max":0.1,"time_step_min":0.001,"time_step_rank":160,
"time_step_scale":1.0,"torch_dtype":"float32","use_bias":false,"use_cache":true,
"use_conv_bias":true,"vocab_size":50280})"},
    {"state-spaces/mamba-2.8b", 2768345600,  // the authors' own file
     R"({"d_model":2560,"n_layer":64,"vocab_size":50277,"ssm_cfg":{},"rms_norm":true,
"residual_in_fp32":true,"fused_add_norm":true,"pad_vocab_size_multiple":8})"},
    {"xlnet/xlnet-base-cased", 116718336,  // without the head's bias
     R"({"architectures":["XLNetLMHeadModel"],"attn_type":"bi","bi_data":false,"bos_token_id":1,
"clamp_len":-1,"d_head":64,"d_inner":3072,"d_model":768,"dropout":0.1,"end_n_top":5,
"eos_token_id":2,"ff_activation":"gelu","initializer_range":0.02,"layer_norm_eps":1e-12,
"mem_len":null,"model_type":"xlnet","n_head":12,"n_layer":12,"pad_token_id":5,"reuse_len":null,
"same_length":false,"start_n_top":5,"summary_activation":"tanh","summary_last_dropout":0.1,
"summary_type":"last","summary_use_proj":true,"untie_r":true,"vocab_size":32000})"},
    {"meta-llama/Llama-4-Scout-17B-16E", 108641793536 - 871932416,  // without the vision tower
     R"({"architectures":["Llama4ForConditionalGeneration"],"boi_token_index":200080,
"eoi_token_index":200081,"image_token_index":200092,"model_type":"llama4","text_config":{
"attention_bias":false,"attention_chunk_size":8192,"attention_dropout":0.0,"bos_token_id":200000,
"eos_token_id":[200001,200007,200008],"for_llm_compressor":false,"head_dim":128,
"hidden_act":"silu","hidden_size":5120,"initializer_range":0.02,"interleave_moe_layer_step":1,
"intermediate_size":8192,"intermediate_size_mlp":16384,"max_position_embeddings":262144,
"model_type":"llama4_text","no_rope_layers":[],"num_attention_heads":40,"num_experts_per_tok":1,
"num_hidden_layers":48,"num_key_value_heads":8,"num_local_experts":16,
"output_router_logits":false,"pad_token_id":200018,"rms_norm_eps":1e-05,"rope_theta":500000.0,
"router_aux_loss_coef":0.001,"router_jitter_noise":0.0,"torch_dtype":"bfloat16","use_cache":true,
"use_qk_norm":true,"vocab_size":202048},"tie_word_embeddings":false,"torch_dtype":"bfloat16",
"vision_config":{"hidden_size":1408,"image_size":336,"model_type":"llama4_vision_model"}})"},
};

/// A whole file, the first of the table.
std::string some_file() { return kPublished[0].text; }

std::string with(std::string text, const std::string& what, const std::string& instead) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return text.replace(at, what.size(), instead);
}

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

TEST_CASE("config.json: published files give the published number of parameters") {
  for (const Published& file : kPublished) {
    const HfConfig config = import_hf_config(file.text);
    INFO(file.repository << "\n" << listed(config.problems));
    for (const Problem& p : config.problems) CHECK(p.severity == Severity::note);
    REQUIRE(!config.patch.empty());
    CHECK(architecture(scenario(config.patch), Ledger()).total == file.params);
    CHECK(!config.name.empty());
  }
}

TEST_CASE("config.json: an MTP module of Qwen3.6 27B has what its checkpoint has beside") {
  for (const Published& file : kPublished) {
    if (std::string_view(file.repository) != "Qwen/Qwen3.6-27B") continue;
    Patch patch = import_hf_config(file.text).patch;
    patch.emplace_back("model.mtp_layers", 1.0);
    const Architecture a = architecture(scenario(patch), Ledger());
    CHECK(a.mtp == 424699392);
    CHECK(a.total == 27781427952.0 - 460730096);
  }
}

TEST_CASE("config.json: of a key given twice the last value counts") {
  const std::string twice = "\"num_hidden_layers\":31,\"num_hidden_layers\":32";
  const HfConfig config = import_hf_config(with(some_file(), "\"num_hidden_layers\":32", twice));
  CHECK(architecture(scenario(config.patch), Ledger()).total == kPublished[0].params);
  Json json;
  Problems problems;
  REQUIRE(parse_json(R"({"a":1,"b":{"x":1,"y":2,"x":3},"a":4,"c":5,"a":[6]})", json, problems));
  REQUIRE(json.keys == std::vector<std::string>{"a", "b", "c"});
  CHECK(json.items[0].items.at(0).number == 6);
  CHECK(json.items[1].keys == std::vector<std::string>{"x", "y"});
  CHECK(json.items[1].items[0].number == 3);
  CHECK(json.items[2].number == 5);
}

TEST_CASE("config.json: what is left out is said") {
  const auto problems = [](const std::string& text) { return import_hf_config(text).problems; };
  // Multi-token prediction and quantization are notes, the vision tower too.
  CHECK(find_problem(problems(kPublished[8].text), "num_nextn_predict_layers", "mtp"));
  CHECK(find_problem(problems(kPublished[8].text), "quantization_config", "quantized"));
  CHECK(find_problem(problems(kPublished[7].text), "text_config", "text_only"));
  CHECK(find_problem(problems(kPublished[7].text), "text_config", "default_used"));
  const std::string flat =
      with(some_file(), "\"use_cache\":true", "\"vision_config\":{\"depth\":9}");
  CHECK(find_problem(problems(flat), "vision_config", "text_only"));
  // A key nobody knows warns where its name says it could matter, and not where it does not.
  const std::string known = some_file();
  const Problems matter = problems(with(known, "\"use_cache\":true", "\"moe_surprise_experts\":4"));
  REQUIRE(find_problem(matter, "moe_surprise_experts", "unknown_key"));
  CHECK(find_problem(matter, "moe_surprise_experts", "unknown_key")->severity == Severity::warning);
  CHECK(problems(with(known, "\"use_cache\":true", "\"favourite_colour\":\"blue\"")).empty());
  CHECK(problems(with(known, "\"use_cache\":true", "\"moe_surprise_experts\":0")).empty());
}

TEST_CASE("config.json: what is missing or wrong is an error at its key, and nothing is imported") {
  struct Row {
    const char *what, *instead, *path, *code;
  };
  const Row rows[] = {
      {"\"num_hidden_layers\":32,", "", "num_hidden_layers", "missing_key"},
      {"\"hidden_size\":4096,", "", "hidden_size", "missing_key"},
      {"\"vocab_size\":128256", "\"vocab\":1", "vocab_size", "missing_key"},
      {"\"intermediate_size\":14336,", "", "intermediate_size", "missing_key"},
      {"\"num_hidden_layers\":32", "\"num_hidden_layers\":\"32\"", "num_hidden_layers",
       "wrong_type"},
      {"\"num_hidden_layers\":32", "\"num_hidden_layers\":32.5", "num_hidden_layers",
       "out_of_range"},
      {"\"num_hidden_layers\":32", "\"num_hidden_layers\":-1", "num_hidden_layers", "out_of_range"},
      {"\"hidden_size\":4096", "\"hidden_size\":1e308", "hidden_size", "out_of_range"},
      {"\"hidden_size\":4096", "\"hidden_size\":NaN", "hidden_size", "wrong_type"},
      {"\"hidden_size\":4096", "\"hidden_size\":[4096]", "hidden_size", "wrong_type"},
      {"\"hidden_size\":4096", "\"hidden_size\":4100", "num_attention_heads", "not_divisible"},
      {"\"tie_word_embeddings\":false", "\"tie_word_embeddings\":\"no\"", "tie_word_embeddings",
       "wrong_type"},
      {"\"model_type\":\"llama\"", "\"model_type\":\"rwkv\"", "model_type", "unknown_family"},
      {"\"model_type\":\"llama\"", "\"kind\":\"llama\"", "model_type", "missing_key"},
      {"\"model_type\":\"llama\"", "\"model_type\":7", "model_type", "missing_key"},
  };
  for (const Row& row : rows) {
    INFO(row.instead);
    const HfConfig config = import_hf_config(with(some_file(), row.what, row.instead));
    INFO(listed(config.problems));
    const Problem* p = find_problem(config.problems, row.path, row.code);
    REQUIRE(p);
    CHECK(p->severity == Severity::error);
    CHECK(p->message.size() > 20);
    CHECK(!p->hint.empty());
    CHECK(config.patch.empty());
  }
  for (const char* text :
       {"", "[]", "7", "\"llama\"", "null", "{}", "{\"model_type\":\"llama\"}"}) {
    INFO(text);
    const HfConfig config = import_hf_config(text);
    CHECK(has_error(config.problems));
    CHECK(config.patch.empty());
  }
  const HfConfig clip = import_hf_config(
      R"({"model_type":"clip","text_config":{"hidden_size":768},"vision_config":{}})");
  CHECK(find_problem(clip.problems, "model_type", "not_supported"));
  CHECK(clip.patch.empty());
}

TEST_CASE("config.json: layers that are not evenly spread are said or refused") {
  // ALBERT shares its layers' weights.
  const HfConfig albert = import_hf_config(
      R"({"model_type":"albert","embedding_size":128,"hidden_size":768,"intermediate_size":3072,
"num_attention_heads":12,"num_hidden_groups":1,"num_hidden_layers":12,"vocab_size":30000,
"max_position_embeddings":512,"inner_group_num":1,"type_vocab_size":2})");
  REQUIRE(find_problem(albert.problems, "num_hidden_groups", "not_supported"));
  CHECK(!albert.patch.empty());
  // As many attention layers, at other places: counted, and said.
  const auto bamba = [](const std::string& indices) {
    return import_hf_config(
        R"({"model_type":"bamba","attn_layer_indices":)" + indices +
        R"(,"hidden_size":4096,"intermediate_size":14336,"mamba_d_conv":4,"mamba_d_head":64,
"mamba_d_state":128,"mamba_expand":2,"mamba_n_groups":1,"mamba_n_heads":128,
"max_position_embeddings":262144,"num_attention_heads":32,"num_hidden_layers":32,
"num_key_value_heads":8,"vocab_size":128256})");
  };
  const HfConfig published = bamba("[9, 18, 27]");
  CHECK(published.problems.empty());
  const HfConfig odd = bamba("[1, 18, 20]");
  CHECK(find_problem(odd.problems, "attn_layer_indices", "uneven_layers"));
  CHECK(architecture(scenario(odd.patch), Ledger()).total ==
        architecture(scenario(published.patch), Ledger()).total);
  CHECK(architecture(scenario(odd.patch), Ledger()).attention_layers == 3);
  // Bamba 9B: 9.78 billion.
  CHECK(architecture(scenario(published.patch), Ledger()).total == Approx(9.78e9).epsilon(0.002));
  // Five global layers among 26 are every fifth; 24 of 26 are not every n-th.
  const auto gemma = [](int global) {
    std::string types;
    for (int i = 0; i < 26; ++i)
      types += std::string(i > 0 ? "," : "") +
               (i >= 26 - global ? "\"full_attention\"" : "\"sliding_attention\"");
    return import_hf_config(
        R"({"model_type":"gemma3_text","layer_types":[)" + types +
        R"(],"hidden_size":1152,"intermediate_size":6912,"num_attention_heads":4,
"num_key_value_heads":1,"head_dim":256,"num_hidden_layers":26,"sliding_window":512,
"vocab_size":262144})");
  };
  CHECK(find_problem(gemma(5).problems, "layer_types", "uneven_layers"));
  CHECK(scenario(gemma(5).patch).model.global_every == 5);
  CHECK(find_problem(gemma(24).problems, "layer_types", "not_supported"));
  CHECK(gemma(24).patch.empty());
  CHECK(scenario(gemma(26).patch).model.window == 0);
}

TEST_CASE("config.json: hostile files give problems, quickly") {
  // Cut off anywhere.
  const std::string whole = some_file();
  for (std::size_t n = 0; n < whole.size(); n += 7) {
    const HfConfig config = import_hf_config(whole.substr(0, n));
    CHECK(has_error(config.problems));
    CHECK(config.patch.empty());
  }
  // Any value of any published file replaced.
  for (const Published& file : kPublished) {
    const std::string text = file.text;
    for (std::size_t at = text.find(':'); at != std::string::npos; at = text.find(':', at + 1)) {
      const std::size_t end = text.find_first_of(",}", at);
      for (const char* value : {"null", "-1", "0", "1e308", "\"x\"", "[]", "{}", "true", "NaN",
                                "1e9", "[[[[1]]]]", "[1e9,-1,\"x\"]"}) {
        const std::string changed = text.substr(0, at + 1) + value + text.substr(end);
        const HfConfig config = import_hf_config(changed);
        if (has_error(config.problems) != config.patch.empty()) FAIL_CHECK(changed);
        if (config.patch.empty()) continue;
        const Architecture a = architecture(scenario(config.patch), Ledger());
        if (!(a.total > 0 && a.total < 1e30)) FAIL_CHECK(changed << ": " << a.total);
      }
    }
  }
  // Nested without end, long without end, and both.
  const std::string large =
      "{\"model_type\":\"llama\",\"x\":\"" + std::string(10 << 20, 'a') + "\"}";
  const std::string deep = "{\"a\":" + std::string(1 << 20, '[');
  std::string keys = "{\"model_type\":\"llama\"";
  for (int i = 0; keys.size() < (2u << 20) - 100; ++i)
    keys += ",\"attn_" + std::to_string(i) + "\":" + std::to_string(i);
  keys += '}';
  HfConfig config;
  CHECK(seconds([&] { config = import_hf_config(large); }) < 0.5);
  CHECK(find_problem(config.problems, "", "too_long"));
  CHECK(seconds([&] { config = import_hf_config(deep); }) < 0.5);
  CHECK(find_problem(config.problems, "", "not_json"));
  CHECK(seconds([&] { config = import_hf_config(keys); }) < 2);
  CHECK(has_error(config.problems));
  CHECK(config.problems.size() <= 60);
}
