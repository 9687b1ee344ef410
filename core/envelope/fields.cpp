// SPDX-License-Identifier: MIT
// Table 1. One row a field; over 400 lines because it is a table.
#include "envelope/fields.h"

#include <algorithm>
#include <array>
#include <vector>

#include "envelope/packed.h"

namespace envelope {
namespace {

Slot slot(double& x) { return {.number = &x}; }
Slot slot(bool& x) { return {.flag = &x}; }
Slot slot(Id& x) { return {.name = &x}; }
template <class E>
Slot slot(E& x) {
  static_assert(std::is_enum_v<E> && sizeof(E) == 1);
  return {.choice = reinterpret_cast<unsigned char*>(&x)};
}

#define AT(member) [](Scenario& s) { return slot(s.member); }

constexpr Choice kTasks[] = {
    {"pretrain", "Pretrain"}, {"finetune", "Fine-tune"}, {"serve", "Serve"}};
constexpr Choice kKinds[] = {{"decoder", "Decoder"},
                             {"encoder", "Encoder"},
                             {"encoder-decoder", "Encoder-decoder"},
                             {"vit", "Vision transformer"},
                             {"size-only", "Only a parameter count"}};
constexpr Choice kNorms[] = {{"rmsnorm", "RMSNorm"},
                             {"layernorm", "LayerNorm"},
                             {"layernorm-no-bias", "LayerNorm without bias"},
                             {"non-parametric", "Without parameters"}};
constexpr Choice kQkNorms[] = {
    {"none", "None"}, {"per-head", "One vector per head size"}, {"full", "Over all heads"}};
constexpr Choice kAttentions[] = {{"standard", "MHA, GQA or MQA"}, {"mla", "MLA (latent)"}};
constexpr Choice kLinears[] = {{"none", "None"},
                               {"mamba", "Mamba"},
                               {"mamba-2", "Mamba-2"},
                               {"gated-deltanet", "Gated DeltaNet"},
                               {"lightning", "Lightning attention"}};
constexpr Choice kPrecisions[] = {{"fp32", "FP32"}, {"tf32", "TF32"}, {"fp16", "FP16"},
                                  {"bf16", "BF16"}, {"fp8", "FP8"},   {"int8", "INT8"},
                                  {"fp4", "FP4"}};
constexpr Choice kCounts[] = {{"6nd", "6 N D (rule)"},
                              {"causal", "Architecture, causal attention"},
                              {"full", "Architecture, full attention (PaLM)"}};
constexpr Choice kRecomputes[] = {{"none", "None"},
                                  {"selective", "Selective (attention core)"},
                                  {"full", "Full (layer inputs kept)"},
                                  {"pointwise", "Every second matrix product (torchtitan)"}};
constexpr Choice kKernels[] = {{"fused", "Fused (Transformer Engine, Liger)"},
                               {"compiled", "Compiled (torch.compile, XLA)"},
                               {"eager", "Eager PyTorch"}};
constexpr Choice kLosses[] = {{"eager", "Full logits and an FP32 copy"},
                              {"fused", "Fused, no extra copy"},
                              {"chunked", "In chunks"}};
constexpr Choice kScales[] = {{"tensor", "One scale per tensor or row"},
                              {"block", "Blocks of 128"},
                              {"microscaling", "Blocks of 32 or 16"}};
constexpr Choice kSchedules[] = {{"1f1b", "1F1B, interleaved with virtual stages"},
                                 {"gpipe", "GPipe"},
                                 {"zb-h1", "Zero bubble H1"},
                                 {"zb-2p", "Zero bubble 2p"},
                                 {"zbv", "Zero bubble V"},
                                 {"v-half", "V-half"},
                                 {"v-min", "V-min"},
                                 {"dualpipe", "DualPipe"},
                                 {"dualpipe-v", "DualPipeV"}};
constexpr Choice kContextParallels[] = {{"ring", "Ring"}, {"all-to-all", "All-to-all (Ulysses)"}};
constexpr Choice kCaches[] = {{"paged", "Paged"},
                              {"whole", "Whole length in advance"},
                              {"concatenated", "Grown by concatenation"}};
constexpr Choice kActivations[] = {{"estimate", "From the architecture"},
                                   {"per-parameter", "Bytes per parameter (rule)"},
                                   {"none", "Left out"}};
constexpr Choice kOptimizers[] = {{"adam", "Adam, AdamW"},
                                  {"adam-8bit", "Adam, 8-bit states"},
                                  {"adafactor", "Adafactor"},
                                  {"lion", "Lion"},
                                  {"muon", "Muon (Adam elsewhere)"},
                                  {"momentum", "SGD with momentum"},
                                  {"sgd", "SGD"},
                                  {"shampoo", "Shampoo, SOAP (square blocks)"}};
constexpr Choice kMethods[] = {{"full", "All weights"},
                               {"lora", "LoRA"},
                               {"qlora", "QLoRA (quantized base)"},
                               {"adapter", "LLaMA-Adapter"},
                               {"adapter-v2", "LLaMA-Adapter v2"},
                               {"prefix", "Prefix tuning"}};
constexpr Choice kTargets[] = {{"query-value", "Query and value"},
                               {"attention", "All of attention"},
                               {"all-linear", "All linear layers"},
                               {"mlp", "MLP"},
                               {"custom", "As listed"}};
constexpr Choice kRules[] = {{"components", "Component by component"},
                             {"blog", "24 and 4 bytes per parameter (blog rule)"}};
constexpr Choice kTerms[] = {
    {"on-demand", "On demand"},           {"spot", "Spot"},
    {"reserved-1y", "Reserved, 1 year"},  {"reserved-3y", "Reserved, 3 years"},
    {"capacity-block", "Capacity block"}, {"community", "On demand, community hosts"},
    {"shared", "On demand, shared GPU"},  {"marketplace", "Marketplace minimum"}};
constexpr Choice kLaws[] = {{"besiroglu", "Besiroglu 2024 (refit of Chinchilla)"},
                            {"hoffmann-1", "Hoffmann 2022, approach 1"},
                            {"hoffmann-2", "Hoffmann 2022, approach 2"},
                            {"hoffmann-3", "Hoffmann 2022, approach 3"},
                            {"kaplan", "Kaplan 2020"},
                            {"henighan", "Henighan 2020 (language)"},
                            {"hestness", "Hestness 2017 (word LM)"}};
constexpr Choice kUnknowns[] = {
    {"none", "Nothing"},       {"tokens", "Tokens"}, {"params", "Parameters"}, {"gpus", "GPUs"},
    {"seq", "Context length"}, {"batch", "Batch"},   {"micro", "Micro-batch"}};
constexpr Choice kFormats[] = {{"fp32", "FP32"},
                               {"fp16", "FP16"},
                               {"bf16", "BF16"},
                               {"fp8-e4m3", "FP8 E4M3"},
                               {"fp8-e5m2", "FP8 E5M2"},
                               {"int8", "INT8"},
                               {"llm-int8", "LLM.int8 (mixed)"},
                               {"int4", "INT4"},
                               {"int4-g128", "INT4, groups of 128"},
                               {"nf4", "NF4"},
                               {"nf4-dq", "NF4, double quantized"},
                               {"fp4", "FP4 E2M1"},
                               {"mxfp4", "MXFP4"},
                               {"nvfp4", "NVFP4"},
                               {"q4-0", "GGUF Q4_0"},
                               {"q8-0", "GGUF Q8_0"},
                               {"fp8-block", "FP8, blocks of 128 x 128"},
                               {"int8-g128", "INT8, groups of 128"},
                               {"int4-nog", "INT4, one scale per row"},
                               {"int4-g32", "INT4, groups of 32"},
                               {"int4-g32-emb8", "INT4, groups of 32; 8-bit embedding and head"},
                               {"exl2-2-5", "EXL2, 2.5 bits"},
                               {"exl2-3", "EXL2, 3 bits"},
                               {"exl2-4", "EXL2, 4 bits"},
                               {"exl2-5", "EXL2, 5 bits"},
                               {"q2-k", "GGUF Q2_K"},
                               {"q2-k-s", "GGUF Q2_K_S"},
                               {"q3-k-s", "GGUF Q3_K_S"},
                               {"q3-k-m", "GGUF Q3_K_M"},
                               {"q3-k-l", "GGUF Q3_K_L"},
                               {"q4-1", "GGUF Q4_1"},
                               {"q4-k-s", "GGUF Q4_K_S"},
                               {"q4-k-m", "GGUF Q4_K_M"},
                               {"q5-0", "GGUF Q5_0"},
                               {"q5-1", "GGUF Q5_1"},
                               {"q5-k-s", "GGUF Q5_K_S"},
                               {"q5-k-m", "GGUF Q5_K_M"},
                               {"q6-k", "GGUF Q6_K"},
                               {"iq1-s", "GGUF IQ1_S"},
                               {"iq1-m", "GGUF IQ1_M"},
                               {"iq2-xxs", "GGUF IQ2_XXS"},
                               {"iq2-xs", "GGUF IQ2_XS"},
                               {"iq2-s", "GGUF IQ2_S"},
                               {"iq2-m", "GGUF IQ2_M"},
                               {"iq3-xxs", "GGUF IQ3_XXS"},
                               {"iq3-xs", "GGUF IQ3_XS"},
                               {"iq3-s", "GGUF IQ3_S"},
                               {"iq3-m", "GGUF IQ3_M"},
                               {"iq4-xs", "GGUF IQ4_XS"},
                               {"iq4-nl", "GGUF IQ4_NL"},
                               {"none", "None"}};

constexpr Group kGroups[] = {{"task", "Task"},
                             {"model", "Model"},
                             {"architecture", "Architecture"},
                             {"moe", "Mixture of experts"},
                             {"run", "Training"},
                             {"tune", "Fine-tuning"},
                             {"serve", "Serving"},
                             {"hardware", "Hardware"},
                             {"cluster", "Cluster"},
                             {"memory", "Memory and optimizer"},
                             {"stack", "Software"},
                             {"reliability", "Interruptions"},
                             {"price", "Price"},
                             {"scaling", "Scaling law"},
                             {"solve", "Solve for"}};

constexpr Field number(std::string_view path, std::string_view key, std::string_view group,
                       std::string_view unit, double min, double max, unsigned flags,
                       std::string_view label, Prose help, Slot (*at)(Scenario&)) {
  return {path, key, group, Type::number, unit, min, max, flags, {}, label, help, "0.1.0", at};
}
constexpr Field flag(std::string_view path, std::string_view key, std::string_view group,
                     unsigned flags, std::string_view label, Prose help, Slot (*at)(Scenario&)) {
  return {path, key, group, Type::flag, "", 0, 1, flags, {}, label, help, "0.1.0", at};
}
constexpr Field choice(std::string_view path, std::string_view key, std::string_view group,
                       std::span<const Choice> choices, unsigned flags, std::string_view label,
                       Prose help, Slot (*at)(Scenario&)) {
  return {path,  key,     group, Type::choice, "",      0, static_cast<double>(choices.size() - 1),
          flags, choices, label, help,         "0.1.0", at};
}
constexpr Field name(std::string_view path, std::string_view key, std::string_view group,
                     unsigned flags, std::string_view label, Prose help, Slot (*at)(Scenario&)) {
  return {path, key, group, Type::name, "", 0, 0, flags | kSelects, {}, label, help, "0.1.0", at};
}

constexpr Field kRows[] = {
    number("catalog.snapshot", "d", "task", "month", 202611, 999912, kWhole | kAll | kSelects,
           "Facts as of", "Month of the catalog (models, accelerators, prices), YYYY-MM.",
           AT(catalog.snapshot)),
    choice("run.task", "task", "task", kTasks, kAll | kBasic, "Task",
           "What the model is to be put through.", AT(run.task)),

    name("model.id", "model", "model", kAll | kBasic, "Model",
         "A row of the catalog, custom (give the architecture) or by-size (give the size).",
         AT(model.id)),
    choice("model.kind", "kind", "architecture", kKinds, kAll, "Kind",
           "Which layers there are; with only a parameter count, nothing is known of layers.",
           AT(model.kind)),
    number("model.params", "size", "model", "count", 1, 1e16, kOptional | kAll | kBasic,
           "Parameters", "Total parameters, for a model known by its size only.", AT(model.params)),
    number("model.active", "active", "model", "count", 1, 1e16, kOptional | kAll,
           "Active parameters", "Parameters that work on each token; empty means all of them.",
           AT(model.active)),
    number("model.trained_tokens", "trained", "model", "token", 1, 1e18, kOptional | kAll,
           "Published training tokens", "Tokens the published model was trained on.",
           AT(model.trained_tokens)),
    number("model.trained_flops", "trainedflops", "model", "flop", 1, 1e33, kOptional | kAll,
           "Published training FLOPs", "FLOP of the published run, as its paper states them.",
           AT(model.trained_flops)),
    number("model.layers", "layers", "architecture", "count", 1, 1e4, kWhole | kAll, "Layers",
           "Transformer blocks; encoder and decoder together.", AT(model.layers)),
    number("model.encoder_layers", "enclayers", "architecture", "count", 0, 1e4, kWhole | kAll,
           "Encoder layers", "Of the layers, those of the encoder (encoder-decoder models).",
           AT(model.encoder_layers)),
    number("model.hidden", "hidden", "architecture", "count", 1, 1e6, kWhole | kAll, "Hidden size",
           "Width of the residual stream.", AT(model.hidden)),
    number("model.heads", "heads", "architecture", "count", 1, 1e4, kWhole | kAll, "Query heads",
           "Attention heads of the queries.", AT(model.heads)),
    number("model.kv_heads", "kv", "architecture", "count", 1, 1e4, kWhole | kAll, "KV heads",
           "Key and value heads: as many as query heads is MHA, fewer GQA, one MQA.",
           AT(model.kv_heads)),
    number("model.head_dim", "hd", "architecture", "count", 1, 1e4, kWhole | kAll, "Head size",
           "Dimensions of one head; not always hidden size over heads.", AT(model.head_dim)),
    number("model.ffn", "ffn", "architecture", "count", 1, 1e7, kWhole | kAll, "MLP size",
           "Width of the dense feed-forward layer.", AT(model.ffn)),
    flag("model.gated", "gated", "architecture", kAll, "Gated MLP",
         "Three matrices (SwiGLU, GeGLU) and not two.", AT(model.gated)),
    number("model.vocab", "vocab", "architecture", "count", 1, 1e7, kWhole | kAll, "Vocabulary",
           "Rows of the embedding as stored, padding included.", AT(model.vocab)),
    flag("model.tied", "tied", "architecture", kAll, "Tied embeddings",
         "The output head shares the weights of the input embedding.", AT(model.tied)),
    number("model.embed_dim", "emb", "architecture", "count", 1, 1e6, kWhole | kOptional | kAll,
           "Embedding size", "Width of the embedding where it differs from the hidden size.",
           AT(model.embed_dim)),
    number("model.learned_positions", "pos", "architecture", "count", 0, 1e7, kWhole | kAll,
           "Learned positions", "Rows of a learned position table; 0 for RoPE and ALiBi.",
           AT(model.learned_positions)),
    number("model.token_types", "tt", "architecture", "count", 0, 100, kWhole | kAll, "Token types",
           "Rows of the segment embedding (BERT).", AT(model.token_types)),
    number("model.max_seq", "maxseq", "architecture", "token", 1, 1e9, kWhole | kAll,
           "Longest context", "Context length the model was published for.", AT(model.max_seq)),
    number("model.window", "window", "architecture", "token", 0, 1e9, kWhole | kAll,
           "Sliding window", "Tokens a local layer attends to; 0 means no local layers.",
           AT(model.window)),
    number("model.global_every", "globalevery", "architecture", "count", 0, 1e4, kWhole | kAll,
           "Global layer every", "Every n-th layer attends to everything; 0 means none does.",
           AT(model.global_every)),
    choice("model.norm", "norm", "architecture", kNorms, kAll, "Norm", "Normalisation layer.",
           AT(model.norm)),
    number("model.norms_per_layer", "norms", "architecture", "count", 0, 8, kWhole | kAll,
           "Norms per layer", "Normalisation layers in one block.", AT(model.norms_per_layer)),
    flag("model.final_norm", "fnorm", "architecture", kAll, "Final norm",
         "One more norm behind the last layer.", AT(model.final_norm)),
    flag("model.embed_norm", "enorm", "architecture", kAll, "Embedding norm",
         "A norm behind the embedding.", AT(model.embed_norm)),
    choice("model.qk_norm", "qknorm", "architecture", kQkNorms, kAll, "QK norm",
           "Norm weights on queries and keys.", AT(model.qk_norm)),
    flag("model.parallel", "parblock", "architecture", kAll, "Parallel block",
         "Attention and MLP read the same input.", AT(model.parallel)),
    flag("model.qkv_bias", "qkvbias", "architecture", kAll, "QKV bias",
         "Biases on query, key and value projections.", AT(model.qkv_bias)),
    flag("model.out_bias", "obias", "architecture", kAll, "Output bias",
         "Bias on the attention output projection.", AT(model.out_bias)),
    flag("model.mlp_bias", "mlpbias", "architecture", kAll, "MLP bias",
         "Biases in the feed-forward layer.", AT(model.mlp_bias)),
    flag("model.head_bias", "headbias", "architecture", kAll, "Head bias",
         "Bias on the output head.", AT(model.head_bias)),
    flag("model.sinks", "sinks", "architecture", kAll, "Attention sinks",
         "One learned logit per query head.", AT(model.sinks)),
    flag("model.relative_projection", "relproj", "architecture", kAll, "Relative projection",
         "Transformer-XL style projection of relative positions.", AT(model.relative_projection)),
    number("model.relative_buckets", "relbuckets", "architecture", "count", 0, 1e5, kWhole | kAll,
           "Relative buckets", "T5 position bias: buckets per head, once per stack.",
           AT(model.relative_buckets)),
    flag("model.pooler", "pooler", "architecture", kAll, "Pooler",
         "A dense layer on the first token (BERT).", AT(model.pooler)),
    number("model.extra_params", "extra", "architecture", "count", 0, 1e15, kWhole | kAll,
           "Other parameters", "Parameters outside the text model, such as a vision tower.",
           AT(model.extra_params)),
    choice("model.attention", "attn", "architecture", kAttentions, kAll, "Attention",
           "Standard heads, or multi-head latent attention.", AT(model.attention)),
    number("model.q_rank", "qrank", "architecture", "count", 0, 1e6, kWhole | kAll,
           "MLA query rank", "Rank of the query projection; 0 means full.", AT(model.q_rank)),
    number("model.kv_rank", "kvrank", "architecture", "count", 0, 1e6, kWhole | kAll, "MLA KV rank",
           "Latent size of keys and values.", AT(model.kv_rank)),
    number("model.nope_dim", "nope", "architecture", "count", 0, 1e4, kWhole | kAll,
           "MLA content size", "Query and key dimensions without RoPE, per head.",
           AT(model.nope_dim)),
    number("model.rope_dim", "rope", "architecture", "count", 0, 1e4, kWhole | kAll,
           "MLA RoPE size", "Query and key dimensions with RoPE, per head.", AT(model.rope_dim)),
    number("model.v_dim", "vdim", "architecture", "count", 0, 1e4, kWhole | kAll, "MLA value size",
           "Value dimensions per head.", AT(model.v_dim)),
    number("model.experts", "experts", "moe", "count", 0, 1e5, kWhole | kAll, "Routed experts",
           "Experts of one MoE layer; 0 means a dense model.", AT(model.experts)),
    number("model.top_k", "topk", "moe", "count", 0, 1e4, kWhole | kAll, "Experts per token",
           "Routed experts that work on each token.", AT(model.top_k)),
    number("model.moe_ffn", "moeffn", "moe", "count", 0, 1e7, kWhole | kAll, "Expert MLP size",
           "Width of one routed expert.", AT(model.moe_ffn)),
    number("model.shared_ffn", "sharedffn", "moe", "count", 0, 1e7, kWhole | kAll,
           "Shared expert size", "Width of all shared experts together.", AT(model.shared_ffn)),
    number("model.first_dense", "firstdense", "moe", "count", 0, 1e4, kWhole | kAll,
           "First dense layers", "Layers at the start with a dense MLP.", AT(model.first_dense)),
    number("model.moe_every", "moeevery", "moe", "count", 1, 1e4, kWhole | kAll, "MoE layer every",
           "Of the other layers, every n-th is an MoE layer.", AT(model.moe_every)),
    number("model.residual_ffn", "resffn", "moe", "count", 0, 1e7, kWhole | kAll,
           "Dense residual size", "Width of a dense MLP beside the experts (Arctic).",
           AT(model.residual_ffn)),
    number("model.residual_norms", "resnorms", "moe", "count", 0, 8, kWhole | kAll,
           "Dense residual norms", "Norms of the dense MLP beside the experts.",
           AT(model.residual_norms)),
    flag("model.router_bias", "rbias", "moe", kAll, "Router bias", "Bias on the router.",
         AT(model.router_bias)),
    flag("model.expert_bias", "ebias", "moe", kAll, "Expert bias", "Biases in the experts.",
         AT(model.expert_bias)),
    flag("model.score_bias", "scorebias", "moe", kAll, "Score correction",
         "One bias per expert that balances the load (DeepSeek-V3).", AT(model.score_bias)),
    flag("model.shared_gate", "sharedgate", "moe", kAll, "Shared expert gate",
         "A gate vector on the shared expert (Qwen).", AT(model.shared_gate)),
    number("model.patch", "patch", "architecture", "count", 1, 1e4, kWhole | kAll, "Patch size",
           "Pixels along one side of a patch (vision transformers).", AT(model.patch)),
    number("model.image", "image", "architecture", "count", 1, 1e5, kWhole | kAll, "Image size",
           "Pixels along one side of the image (vision transformers).", AT(model.image)),
    number("model.classes", "classes", "architecture", "count", 0, 1e7, kWhole | kAll, "Classes",
           "Outputs of the classification head (vision transformers).", AT(model.classes)),
    number("model.projection", "proj", "architecture", "count", 0, 1e6, kWhole | kAll, "Projection",
           "Width of the projection behind the tower (CLIP).", AT(model.projection)),
    flag("model.patch_bias", "pbias", "architecture", kAll, "Patch bias",
         "Bias on the patch embedding.", AT(model.patch_bias)),
    flag("model.pre_norm", "prenorm", "architecture", kAll, "Norm before the blocks",
         "A norm in front of the first block (CLIP).", AT(model.pre_norm)),
    flag("model.chunked", "chunked", "architecture", kAll, "Chunked attention",
         "Local layers attend within fixed chunks of the window's size (Llama 4).",
         AT(model.chunked)),
    flag("model.attention_gate", "attngate", "architecture", kAll, "Attention gate",
         "A gate as wide as the queries on the attention output (Qwen3-Next).",
         AT(model.attention_gate)),
    number("model.mtp_layers", "mtp", "architecture", "count", 0, 100, kWhole | kAll, "MTP modules",
           "Layers that predict a further token in training (DeepSeek-V3). Counted apart: part of "
           "the total only where they are trained.",
           AT(model.mtp_layers)),
    choice("model.linear", "linear", "architecture", kLinears, kAll, "Linear layers",
           "Layers with a constant state in place of attention; with none, all layers attend.",
           AT(model.linear)),
    number("model.attention_every", "attnevery", "architecture", "count", 0, 1e4, kWhole | kAll,
           "Attention layer every",
           "Beside linear layers, every n-th layer attends; 0 means none does.",
           AT(model.attention_every)),
    number("model.attention_offset", "attnfirst", "architecture", "count", 0, 1e4,
           kWhole | kOptional | kAll, "Before the first attention",
           "Linear layers in front of the first attention layer. Empty: one less than every.",
           AT(model.attention_offset)),
    number("model.linear_heads", "lheads", "architecture", "count", 0, 1e6, kWhole | kAll,
           "Linear heads", "Value heads of a linear layer; for Mamba its channels, of head size 1.",
           AT(model.linear_heads)),
    number("model.linear_head_dim", "lhd", "architecture", "count", 1, 1e4, kWhole | kAll,
           "Linear head size", "Value dimensions of one head of a linear layer.",
           AT(model.linear_head_dim)),
    number("model.linear_groups", "lgroups", "architecture", "count", 1, 1e6, kWhole | kAll,
           "Linear key heads", "Key heads, or groups of Mamba-2, that the value heads share.",
           AT(model.linear_groups)),
    number("model.state_dim", "state", "architecture", "count", 1, 1e5, kWhole | kAll, "State size",
           "State of one channel: key dimensions of one head.", AT(model.state_dim)),
    number("model.conv_kernel", "conv", "architecture", "count", 0, 1e3, kWhole | kAll,
           "Convolution", "Tokens that the short convolution of a linear layer sees; 0 is none.",
           AT(model.conv_kernel)),
    number("model.dt_rank", "dtrank", "architecture", "count", 0, 1e6, kWhole | kAll,
           "Step size rank", "Rank of Mamba's projection of the step size.", AT(model.dt_rank)),
    flag("model.conv_bias", "convbias", "architecture", kAll, "Convolution bias",
         "Bias on the short convolution of a linear layer.", AT(model.conv_bias)),
    flag("model.linear_norm", "lnorm", "architecture", kAll, "Norm in linear layers",
         "On the output of the heads; with Mamba on step size, B and C (Jamba).",
         AT(model.linear_norm)),
    flag("model.attention_mlp", "amlp", "architecture", kAll, "MLP after attention",
         "Attention layers have an MLP. Off where a layer is one mixer (Nemotron-H).",
         AT(model.attention_mlp)),
    flag("model.linear_mlp", "lmlp", "architecture", kAll, "MLP after linear layers",
         "Linear layers have an MLP. Off in a pure Mamba.", AT(model.linear_mlp)),

    number("run.tokens", "tokens", "run", "token", 1, 1e18, kOptional | kTrain | kBasic, "Tokens",
           "Training tokens seen in the run. Empty: from the compute budget, the examples, or as "
           "published for the model; else 20 per parameter.",
           AT(run.tokens)),
    number("run.compute", "compute", "run", "flop", 1, 1e33, kOptional | kTrain, "Compute budget",
           "FLOP to spend: tokens become this over 6 N. Used when tokens are empty.",
           AT(run.compute)),
    number("run.seq", "seq", "run", "token", 1, 1e9, kWhole | kTrain, "Sequence length",
           "Tokens of one training sequence.", AT(run.seq)),
    number("run.global_batch", "gbs", "run", "count", 1, 1e9, kWhole | kTrain, "Global batch",
           "Sequences of one optimizer step, over all GPUs.", AT(run.global_batch)),
    number("run.micro_batch", "mbs", "run", "count", 1, 1e6, kWhole | kTrain, "Micro-batch",
           "Sequences one model replica works on at a time.", AT(run.micro_batch)),
    number(
        "run.document", "document", "run", "token", 1, 1e9, kOptional | kTrain, "Packed documents",
        "Tokens of one document where several share a sequence and do not see each other. Empty: "
        "one document a sequence.",
        AT(run.document)),
    choice("run.precision", "prec", "run", kPrecisions, kAll, "Precision",
           "Type of the matrix multiplications; chooses the peak rate.", AT(run.precision)),
    choice("run.scales", "scales", "run", kScales, kTrain, "Scales of FP8 and FP4",
           "How many values share a scale in 8-bit and 4-bit training.", AT(run.scales)),
    choice("run.count", "count", "run", kCounts, kTrain, "FLOPs counted as",
           "The convention of the FLOP total and of the utilisation (MFU) given.", AT(run.count)),
    number("run.mfu", "mfu", "run", "ratio", 1e-4, 1, kOptional | kTrain | kBasic, "MFU",
           "Assumed share of the dense peak that model FLOPs reach. Empty: predicted "
           "from model, accelerator, network, layout and software.",
           AT(run.mfu)),
    number("run.gpu_time", "gputime", "run", "second", 1, 1e15, kOptional | kTrain,
           "Known GPU time",
           "GPU-seconds a real run took (1022362h will do); then the MFU is "
           "computed and not assumed.",
           AT(run.gpu_time)),
    choice("run.recompute", "rc", "run", kRecomputes, kTrain, "Recomputation",
           "Gradient checkpointing: activations computed again in the backward pass.",
           AT(run.recompute)),
    number("run.recompute_every", "rcevery", "run", "count", 1, 1e4, kWhole | kTrain,
           "Recompute every", "With full recomputation: every n-th layer, 1 for all.",
           AT(run.recompute_every)),
    flag("run.flash", "flash", "run", kTrain, "Flash attention",
         "Fused attention: the scores are never stored.", AT(run.flash)),
    flag("run.dropout", "dropout", "run", kTrain, "Dropout",
         "Dropout behind attention and MLP: a mask of one byte a value is kept.", AT(run.dropout)),
    number("run.capacity", "capacity", "run", "factor", 0, 1e3, kTrain, "Expert capacity",
           "Slots of an expert over its even share; 0 drops no token.", AT(run.capacity)),
    number("run.deadline", "deadline", "run", "second", 1, 1e12, kOptional | kTrain, "Deadline",
           "Longest training time allowed, such as 30d, without interruptions; gives the GPUs it "
           "takes.",
           AT(run.deadline)),

    choice("tune.method", "method", "tune", kMethods, kFinetune | kBasic, "Method",
           "Train all weights, or small adapters on a frozen base.", AT(tune.method)),
    number("tune.rank", "rank", "tune", "count", 1, 1e5, kWhole | kFinetune, "LoRA rank",
           "Rank of each adapter.", AT(tune.rank)),
    choice("tune.targets", "targets", "tune", kTargets, kFinetune, "LoRA targets",
           "Which matrices get an adapter.", AT(tune.targets)),
    flag("tune.q", "tuneq", "tune", kFinetune, "Adapter on query", "With targets as listed.",
         AT(tune.q)),
    flag("tune.k", "tunek", "tune", kFinetune, "Adapter on key", "With targets as listed.",
         AT(tune.k)),
    flag("tune.v", "tunev", "tune", kFinetune, "Adapter on value", "With targets as listed.",
         AT(tune.v)),
    flag("tune.o", "tuneo", "tune", kFinetune, "Adapter on output", "With targets as listed.",
         AT(tune.o)),
    flag("tune.gate", "tunegate", "tune", kFinetune, "Adapter on gate", "With targets as listed.",
         AT(tune.gate)),
    flag("tune.up", "tuneup", "tune", kFinetune, "Adapter on up", "With targets as listed.",
         AT(tune.up)),
    flag("tune.down", "tunedown", "tune", kFinetune, "Adapter on down", "With targets as listed.",
         AT(tune.down)),
    flag("tune.experts", "tuneexperts", "tune", kFinetune, "Adapters on experts",
         "Routed experts get adapters too, where the MLP is a target.", AT(tune.experts)),
    flag("tune.embed", "tuneembed", "tune", kFinetune, "Train the embedding",
         "The whole input embedding is trained beside the adapters.", AT(tune.embed)),
    flag("tune.head", "tunehead", "tune", kFinetune, "Train the head",
         "The whole output head is trained beside the adapters.", AT(tune.head)),
    flag("tune.dropout", "tunedropout", "tune", kFinetune, "Adapter dropout",
         "Dropout on the input of each adapter; its mask is kept.", AT(tune.dropout)),
    choice("tune.adapter", "adt", "tune", kFormats, kFinetune, "Adapter format",
           "Format of the adapter weights; none: as the weights.", AT(tune.adapter)),
    number("tune.prefix", "prefix", "tune", "token", 1, 1e6, kWhole | kFinetune, "Prefix",
           "Learned tokens of LLaMA-Adapter and prefix tuning.", AT(tune.prefix)),
    number("tune.trainable", "trainable", "tune", "count", 1, 1e16, kOptional | kFinetune,
           "Trainable parameters", "Empty: counted from rank and targets.", AT(tune.trainable)),
    choice("tune.base", "base", "tune", kFormats, kFinetune, "Base format",
           "Storage of the frozen base in QLoRA; most formats leave norms, embedding and head in "
           "16 bit.",
           AT(tune.base)),
    number("tune.saving", "saving", "tune", "ratio", 0, 0.99, kOptional | kFinetune,
           "Measured time saving",
           "Share of full fine-tuning's time that LoRA was measured to "
           "save; empty: from the FLOPs.",
           AT(tune.saving)),
    number("tune.examples", "examples", "tune", "count", 1, 1e12, kWhole | kFinetune | kBasic,
           "Examples", "Training examples. Tokens are examples x length x epochs.",
           AT(tune.examples)),
    number("tune.example_tokens", "exlen", "tune", "token", 1, 1e9, kFinetune, "Example length",
           "Tokens of one example.", AT(tune.example_tokens)),
    number("tune.epochs", "epochs", "tune", "count", 0.01, 1e4, kFinetune, "Epochs",
           "Passes over the examples.", AT(tune.epochs)),

    choice("serve.weights", "wfmt", "serve", kFormats, kServe | kBasic, "Weight format",
           "Storage of the weights.", AT(serve.weights)),
    choice("serve.kv", "kvfmt", "serve", kFormats, kServe, "KV cache format",
           "Storage of keys and values.", AT(serve.kv)),
    number("serve.batch", "batch", "serve", "count", 1, 1e7, kWhole | kServe | kBasic,
           "Concurrent sequences", "Requests decoded together.", AT(serve.batch)),
    number("serve.prompt", "prompt", "serve", "token", 0, 1e9, kWhole | kServe | kBasic, "Prompt",
           "Tokens of one prompt.", AT(serve.prompt)),
    number("serve.output", "out", "serve", "token", 1, 1e9, kWhole | kServe, "Output",
           "Tokens generated for one request.", AT(serve.output)),
    number("serve.mfu", "pmfu", "serve", "ratio", 1e-4, 1, kOptional | kServe, "Prefill MFU",
           "Assumed share of the dense peak while prompts are read.", AT(serve.mfu)),
    number("serve.mbu", "mbu", "serve", "ratio", 1e-4, 1, kOptional | kServe,
           "Bandwidth utilisation", "Assumed share of the memory bandwidth while decoding.",
           AT(serve.mbu)),
    flag("serve.kv_cache", "kvcache", "serve", kServe, "KV cache",
         "Keep keys and values; without it each new token reads the whole context again.",
         AT(serve.kv_cache)),
    choice("serve.cache", "cache", "serve", kCaches, kServe, "KV cache kept",
           "In pages, for the longest context from the start, or copied as it grows.",
           AT(serve.cache)),
    number("serve.page", "page", "serve", "token", 1, 1e6, kWhole | kServe, "Page",
           "Tokens of one block of a paged KV cache.", AT(serve.page)),
    number("serve.prefill", "prefill", "serve", "token", 1, 1e9, kWhole | kOptional | kServe,
           "Tokens of one pass",
           "Most prompt tokens in one forward pass. Empty: all prompts, at most 8192 tokens unless "
           "eager.",
           AT(serve.prefill)),
    flag("serve.eager", "eager", "serve", kServe, "Eager attention and logits",
         "Scores and the logits of every prompt token are stored, as in plain PyTorch.",
         AT(serve.eager)),
    flag("serve.merge", "merge", "serve", kServe, "Matrices merged at load",
         "Query, key and value matrices are joined after loading, while the parts are still there, "
         "as AutoAWQ does.",
         AT(serve.merge)),
    number("serve.draft_tokens", "draft", "serve", "count", 0, 64, kWhole | kServe, "Draft tokens",
           "Speculative decoding: tokens guessed ahead; 0 is off.", AT(serve.draft_tokens)),
    number("serve.acceptance", "accept", "serve", "ratio", 0, 0.999, kServe, "Acceptance",
           "Chance that one guessed token is right.", AT(serve.acceptance)),
    number("serve.draft_cost", "draftcost", "serve", "ratio", 0, 1, kServe, "Draft cost",
           "Time of one draft step over one step of the large model.", AT(serve.draft_cost)),

    name("gpu.id", "gpu", "hardware", kAll | kBasic, "Accelerator", "A row of the catalog.",
         AT(gpu.id)),
    number("gpu.memory", "mem", "hardware", "byte", 1e6, 1e15, kAll, "Memory",
           "Memory of one accelerator in bytes (an 80 GB card has 80 GiB).", AT(gpu.memory)),
    number("gpu.bandwidth", "bw", "hardware", "byte/s", 1e6, 1e16, kAll, "Memory bandwidth",
           "Bytes per second between memory and cores.", AT(gpu.bandwidth)),
    number("gpu.fp32", "peakfp32", "hardware", "flop/s", 1e6, 1e19, kOptional | kAll, "Peak FP32",
           "Dense vector peak.", AT(gpu.fp32)),
    number("gpu.tf32", "peaktf32", "hardware", "flop/s", 1e6, 1e19, kOptional | kAll, "Peak TF32",
           "Dense peak, never 2:4-sparse.", AT(gpu.tf32)),
    number("gpu.fp16", "peakfp16", "hardware", "flop/s", 1e6, 1e19, kOptional | kAll, "Peak FP16",
           "Dense peak, never 2:4-sparse.", AT(gpu.fp16)),
    number("gpu.bf16", "peakbf16", "hardware", "flop/s", 1e6, 1e19, kOptional | kAll, "Peak BF16",
           "Dense peak, never 2:4-sparse.", AT(gpu.bf16)),
    number("gpu.fp8", "peakfp8", "hardware", "flop/s", 1e6, 1e19, kOptional | kAll, "Peak FP8",
           "Dense peak, never 2:4-sparse.", AT(gpu.fp8)),
    number("gpu.int8", "peakint8", "hardware", "flop/s", 1e6, 1e19, kOptional | kAll, "Peak INT8",
           "Dense integer operations per second.", AT(gpu.int8)),
    number("gpu.fp4", "peakfp4", "hardware", "flop/s", 1e6, 1e19, kOptional | kAll, "Peak FP4",
           "Dense peak, never 2:4-sparse.", AT(gpu.fp4)),
    number("gpu.tdp", "tdp", "hardware", "watt", 1, 1e5, kOptional | kAll, "Power",
           "Board power as the vendor states it.", AT(gpu.tdp)),
    number("gpu.link", "link", "hardware", "byte/s", 1e6, 1e14, kOptional | kAll, "Scale-up link",
           "One direction, all scale-up links of one accelerator together.", AT(gpu.link)),
    number("gpu.domain", "domain", "hardware", "count", 1, 1e5, kWhole | kAll, "Scale-up domain",
           "Accelerators joined by the scale-up link.", AT(gpu.domain)),
    number("gpu.nic", "nic", "hardware", "byte/s", 1e6, 1e14, kOptional | kAll, "Network",
           "Scale-out bandwidth of one accelerator, one direction.", AT(gpu.nic)),
    number("gpu.purchase", "capex", "hardware", "usd", 1, 1e7, kOptional | kAll, "Purchase price",
           "Dollars for one accelerator; street prices are rough.", AT(gpu.purchase)),
    number("gpu.torus", "torus", "hardware", "count", 0, 6, kWhole | kTrain, "Torus",
           "Dimensions of the torus that the scale-up links form; 0 where a switch joins them.",
           AT(gpu.torus)),
    flag("gpu.in_switch", "nvls", "hardware", kTrain, "Sums in the switch",
         "The scale-up switch adds up what its accelerators send (NVLink SHARP).",
         AT(gpu.in_switch)),
    number("gpu.reach16", "reach16", "hardware", "ratio", 0.01, 1, kTrain, "Reached in 16 bits",
           "Share of the peak that a large matrix product reaches.", AT(gpu.reach16)),
    number("gpu.reach8", "reach8", "hardware", "ratio", 0.01, 1, kTrain, "Reached in 8 bits",
           "Share of the peak that a large matrix product reaches.", AT(gpu.reach8)),
    number("gpu.reach4", "reach4", "hardware", "ratio", 0.01, 1, kTrain, "Reached in 4 bits",
           "Share of the peak that a large matrix product reaches.", AT(gpu.reach4)),
    number("gpu.reach_attention", "reachattn", "hardware", "ratio", 0.01, 1, kTrain,
           "Reached in attention",
           "Share of the 16-bit peak that the usual attention kernels reach, forward.",
           AT(gpu.reach_attention)),
    number("gpu.reach_experts", "reachexp", "hardware", "ratio", 0.01, 1, kTrain,
           "Reached in experts", "Speed of grouped products over that of one large product.",
           AT(gpu.reach_experts)),

    number("cluster.gpus", "n", "cluster", "count", 1, 1e8, kWhole | kOptional | kAll | kBasic,
           "GPUs", "Accelerators in use. Empty: as many as memory and deadline ask for.",
           AT(cluster.gpus)),
    number("cluster.tp", "tp", "cluster", "count", 1, 1e5, kWhole | kOptional | kAll,
           "Tensor parallel",
           "GPUs that share each matrix (TP). Empty: in training the fastest that fits, or "
           "the fewest GPUs where those are open; in serving as many as heads allow.",
           AT(cluster.tp)),
    number("cluster.pp", "pp", "cluster", "count", 1, 1e4, kWhole | kTrain, "Pipeline parallel",
           "Stages that share the layers (PP).", AT(cluster.pp)),
    number("cluster.cp", "cp", "cluster", "count", 1, 1e4, kWhole | kTrain, "Context parallel",
           "GPUs that share the tokens of one sequence (CP).", AT(cluster.cp)),
    number("cluster.ep", "ep", "cluster", "count", 1, 1e5, kWhole | kTrain, "Expert parallel",
           "GPUs that share the experts of one layer (EP); they are data-parallel elsewhere.",
           AT(cluster.ep)),
    number("cluster.etp", "etp", "cluster", "count", 1, 1e4, kWhole | kOptional | kTrain,
           "Expert tensor parallel",
           "GPUs that share each expert. Empty: as TP without expert parallelism, else one.",
           AT(cluster.etp)),
    flag("cluster.tp_across", "tpacross", "cluster", kAll, "Tensor parallel across domains",
         "TP larger than the scale-up domain is meant: the network between nodes carries it.",
         AT(cluster.tp_across)),
    flag("cluster.sp", "seqpar", "cluster", kTrain, "Sequence parallel",
         "With tensor parallelism, norms and residuals are split over the tokens.", AT(cluster.sp)),
    choice("cluster.cp_kind", "cpkind", "cluster", kContextParallels, kTrain, "Context parallel by",
           "Passing keys and values around, or exchanging heads.", AT(cluster.cp_kind)),
    choice("cluster.schedule", "sched", "cluster", kSchedules, kTrain, "Pipeline schedule",
           "Order of forward and backward passes; decides how many micro-batches are in flight.",
           AT(cluster.schedule)),
    number("cluster.virtual_stages", "vp", "cluster", "count", 1, 1e3, kWhole | kTrain,
           "Virtual stages", "Pieces of the model on each pipeline rank (interleaving).",
           AT(cluster.virtual_stages)),
    number("cluster.first_layers", "firstlayers", "cluster", "count", 0, 1e4,
           kWhole | kOptional | kTrain, "Layers of the first stage",
           "Empty: an even share; with the embedding it may take fewer.", AT(cluster.first_layers)),
    number("cluster.last_layers", "lastlayers", "cluster", "count", 0, 1e4,
           kWhole | kOptional | kTrain, "Layers of the last stage",
           "Empty: an even share; with head and loss it may take fewer.", AT(cluster.last_layers)),
    number("cluster.zero", "zero", "cluster", "count", 0, 3, kWhole | kTrain, "ZeRO stage",
           "What data-parallel ranks share: 1 optimizer, 2 and gradients, 3 and weights (FSDP).",
           AT(cluster.zero)),
    number("cluster.shard", "shard", "cluster", "count", 1, 1e8, kWhole | kOptional | kTrain,
           "Sharding group",
           "Ranks that share the states; the groups replicate each other (HSDP). Empty: all.",
           AT(cluster.shard)),
    flag("cluster.reshard", "reshard", "cluster", kTrain, "Reshard after forward",
         "ZeRO-3: gathered weights are dropped after the forward pass and gathered again.",
         AT(cluster.reshard)),
    number("cluster.prefetch", "prefetch", "cluster", "count", 0, 100, kWhole | kTrain,
           "Layers prefetched", "ZeRO-3: layers gathered ahead of the one that works.",
           AT(cluster.prefetch)),
    choice("cluster.reduce", "reduce", "cluster", kFormats, kTrain, "Gradients reduced in",
           "Format in which gradients are summed over data-parallel ranks.", AT(cluster.reduce)),
    number("cluster.oversubscription", "oversub", "cluster", "factor", 1, 100, kTrain,
           "Oversubscription",
           "Bandwidth of all network ports over that of the fabric behind them.",
           AT(cluster.oversubscription)),
    number("cluster.vocab_multiple", "vocabx", "cluster", "count", 1, 1e6, kWhole | kTrain,
           "Vocabulary padded to",
           "Rows are padded to a multiple of this times TP (Megatron: 128).",
           AT(cluster.vocab_multiple)),
    flag("cluster.offload_weights", "offweights", "cluster", kTrain, "Weights on the CPU",
         "Weights wait in host memory and visit layer by layer.", AT(cluster.offload_weights)),
    flag("cluster.offload_gradients", "offgrads", "cluster", kTrain, "Gradients on the CPU",
         "Gradients go to host memory layer by layer.", AT(cluster.offload_gradients)),
    flag("cluster.offload_optimizer", "offopt", "cluster", kTrain, "Optimizer on the CPU",
         "Master weights and optimizer states stay in host memory.", AT(cluster.offload_optimizer)),
    flag("cluster.offload_activations", "offact", "cluster", kTrain, "Activations on the CPU",
         "What the forward pass leaves goes to host memory; two layers stay.",
         AT(cluster.offload_activations)),
    number("cluster.reserve", "reserve", "cluster", "byte", 0, 1e12, kAll, "Reserved memory",
           "Bytes per GPU kept for CUDA context, communication buffers and allocator slack: at "
           "least this much.",
           AT(cluster.reserve)),

    name("states.recipe", "recipe", "memory", kTrain, "Recipe",
         "Named bytes per parameter of weights, gradients, master copy and optimizer.",
         AT(states.recipe)),
    choice("states.rule", "memrule", "memory", kRules, kAll, "Memory method",
           "Count each component, or use the blog's bytes per parameter.", AT(states.rule)),
    choice("states.weights", "wdt", "memory", kFormats, kTrain, "Weights",
           "Format of the weights in training.", AT(states.weights)),
    choice("states.gradients", "gdt", "memory", kFormats, kTrain, "Gradients",
           "Format of the gradients.", AT(states.gradients)),
    flag("states.gradient_copy", "gcopy", "memory", kTrain, "FP32 gradient copy",
         "A second, FP32 copy of the gradients.", AT(states.gradient_copy)),
    flag("states.paged", "paged", "memory", kTrain, "Paged optimizer",
         "Optimizer states may move to host memory; counted as if they had.", AT(states.paged)),
    flag("states.in_backward", "optbwd", "memory", kTrain, "Optimizer in backward",
         "Each layer is updated in the backward pass, so one layer of gradients lives.",
         AT(states.in_backward)),
    choice("states.master", "mdt", "memory", kFormats, kTrain, "Master weights",
           "Format of a separate master copy, or none.", AT(states.master)),
    choice("states.optimizer", "opt", "memory", kOptimizers, kTrain, "Optimizer",
           "Which states are kept per parameter.", AT(states.optimizer)),
    choice("states.optimizer_format", "odt", "memory", kFormats, kTrain, "Optimizer states",
           "Format of each optimizer state.", AT(states.optimizer_format)),
    choice("states.activations", "act", "memory", kActivations, kTrain, "Activations",
           "How activations are estimated.", AT(states.activations)),
    number("states.activation_bytes", "actbytes", "memory", "byte", 0, 1e4, kTrain,
           "Activation bytes", "Bytes per parameter where that rule is chosen.",
           AT(states.activation_bytes)),

    name("stack.id", "stack", "stack", kAll, "Framework",
         "What a training framework of a given year keeps in memory.", AT(stack.id)),
    choice("stack.kernels", "kernels", "stack", kKernels, kTrain, "Kernels",
           "How many intermediate results are kept for the backward pass.", AT(stack.kernels)),
    choice("stack.loss", "loss", "stack", kLosses, kTrain, "Cross-entropy",
           "What the loss keeps of the logits.", AT(stack.loss)),
    number("stack.weight_copies", "wcopies", "stack", "byte", 0, 16, kTrain, "Low-precision copies",
           "Bytes per weight of FP8 copies kept through a step.", AT(stack.weight_copies)),
    flag("stack.keep_gradients", "keepgrads", "stack", kTrain, "Gradient buffers kept",
         "Gradients have their own buffers throughout, not only while they are needed.",
         AT(stack.keep_gradients)),
    number("stack.step_bytes", "stepbytes", "stack", "byte", 0, 64, kTrain,
           "Workspace of the update", "Bytes per parameter at hand while the optimizer steps.",
           AT(stack.step_bytes)),
    number("stack.step_params", "stepparams", "stack", "count", 1, 1e16, kOptional | kTrain,
           "Parameters updated at once", "Empty: all that a rank owns.", AT(stack.step_params)),
    number("stack.context", "context", "stack", "byte", 0, 1e11, kAll, "CUDA context",
           "Bytes per GPU of driver, context and libraries.", AT(stack.context)),
    number("stack.buffers", "buffers", "stack", "byte", 0, 1e11, kAll, "Buffers of a group",
           "Bytes per GPU of the communication library, for each kind of parallelism in use.",
           AT(stack.buffers)),
    number("stack.slack", "slack", "stack", "ratio", 0, 1, kAll, "Allocator slack",
           "Reserved by the caching allocator beyond what is allocated, as a share.",
           AT(stack.slack)),
    number("stack.overhead", "overhead", "stack", "factor", 0.3, 10, kTrain, "Overhead",
           "Time of a step over that of its kernels and their communication.", AT(stack.overhead)),
    number("stack.overlap", "overlap", "stack", "ratio", 0, 1, kTrain, "Overlap",
           "Share of communication that can hide behind computation.", AT(stack.overlap)),
    number("stack.attention", "attnspeed", "stack", "ratio", 0.01, 2, kTrain, "Attention kernels",
           "Speed of its attention kernels over the usual ones of the device.",
           AT(stack.attention)),
    number("stack.launch", "launch", "stack", "second", 0, 0.001, kTrain, "Launch",
           "Seconds from one kernel to the next at least.", AT(stack.launch)),

    number(
        "reliability.mtbf", "mtbf", "reliability", "second", 1, 1e15, kTrain,
        "Time between failures of a GPU",
        "One GPU with its share of host and network. Llama 3: 419 unexpected interruptions in 54 "
        "days on 16,384 GPUs, one in 50,700 GPU-hours.",
        AT(reliability.mtbf)),
    number("reliability.checkpoint_every", "ckptevery", "reliability", "second", 1, 1e12,
           kOptional | kTrain, "Time between checkpoints",
           "Empty: the best by Young and Daly, for the cost of a checkpoint and the failures.",
           AT(reliability.checkpoint_every)),
    number("reliability.checkpoint_time", "ckpttime", "reliability", "second", 0, 1e9,
           kOptional | kTrain, "Time of a checkpoint",
           "For which training stands still. Empty: bytes of the states over the storage's speed.",
           AT(reliability.checkpoint_time)),
    number("reliability.storage", "storage", "reliability", "byte/s", 1e3, 1e15, kTrain,
           "Storage, per GPU",
           "Speed of writing a checkpoint. Llama 3: 2 TB/s sustained for 16,384 GPUs.",
           AT(reliability.storage)),
    number("reliability.restart", "restart", "reliability", "second", 0, 1e9, kTrain,
           "Time of a restart",
           "From a failure to training again, beside the work that is lost. MegaScale: found and "
           "diagnosed within 10 minutes on average.",
           AT(reliability.restart)),
    number("reliability.evaluation", "evalshare", "reliability", "ratio", 0, 0.99, kTrain,
           "Share of evaluation", "Share of the time in which the model is evaluated, not trained.",
           AT(reliability.evaluation)),

    name("price.provider", "provider", "price", kAll, "Provider",
         "A provider of the price list, or median: the median over providers.", AT(price.provider)),
    choice("price.terms", "terms", "price", kTerms, kAll | kSelects, "Terms",
           "How the accelerator is rented.", AT(price.terms)),
    number("price.usd_per_gpu_hour", "price", "price", "usd/hour", 0, 1e5,
           kOptional | kAll | kBasic, "Price per GPU-hour",
           "Dollars for one accelerator and hour, host included.", AT(price.usd_per_gpu_hour)),

    number("price.bill", "bill", "price", "usd", 1, 1e13, kOptional | kAll, "Known bill",
           "Dollars a real run cost; then the price per GPU-hour is computed.", AT(price.bill)),

    choice("scaling.law", "law", "scaling", kLaws, kPretrain, "Scaling law",
           "Published fit used for loss and compute-optimal size.", AT(scaling.law)),
    number("scaling.flop_budget", "budget", "scaling", "flop", 1, 1e33, kOptional | kPretrain,
           "Budget in FLOP", "Compute to split between size and tokens. Empty: that of the run.",
           AT(scaling.flop_budget)),
    number("scaling.budget_usd", "budgetusd", "scaling", "usd", 1, 1e15, kOptional | kPretrain,
           "Budget in dollars", "Money to split; becomes FLOP through price, peak and MFU.",
           AT(scaling.budget_usd)),

    choice("solve.unknown", "solve", "solve", kUnknowns, kAll, "Solve for",
           "The unknown: the most tokens, parameters, context or sequences, or the fewest GPUs, "
           "that fit into memory and keep the deadline and the limits below. What its field says "
           "is not used.",
           AT(solve.unknown)),
    number("solve.usd", "usd", "solve", "usd", 0, 1e15, kOptional | kTrain, "Most dollars",
           "Limit on the cost of the run, without interruptions, as the deadline; when solving.",
           AT(solve.usd)),
    number("solve.per_million", "usdm", "solve", "usd", 0, 1e9, kOptional | kServe,
           "Most dollars per million tokens", "Limit on the cost of tokens; when solving.",
           AT(solve.per_million)),
    number("solve.per_user", "peruser", "solve", "token/s", 0, 1e9, kOptional | kServe,
           "Least tokens/s per user", "Limit on the speed that one user sees; when solving.",
           AT(solve.per_user)),
};
#undef AT

// Guards. Counting the members of an aggregate by trial initialisation: a member of the scenario
// without a row above does not compile.
struct Any {
  template <class T>
  operator T() const;  // NOLINT: never defined, only used in unevaluated operands
};
template <class T, class... A>
constexpr std::size_t members() {
  if constexpr (requires { T{A{}..., Any{}}; })
    return members<T, A..., Any>();
  else
    return sizeof...(A);
}
static_assert(members<Scenario>() == 13, "a new group must be added to the sum below");
static_assert(members<Catalog>() + members<Run>() + members<Model>() + members<Tune>() +
                      members<Serve>() + members<Gpu>() + members<Cluster>() + members<States>() +
                      members<Stack>() + members<Reliability>() + members<Price>() +
                      members<Scaling>() + members<Solve>() ==
                  std::size(kRows),
              "every member of the scenario needs exactly one row");

constexpr bool distinct() {
  for (std::size_t i = 0; i < std::size(kRows); ++i)
    for (std::size_t j = i + 1; j < std::size(kRows); ++j)
      if (kRows[i].path == kRows[j].path || kRows[i].key == kRows[j].key) return false;
  return true;
}
static_assert(distinct(), "no path and no key twice");

// What stays in the program: the rows themselves do not.
constexpr auto kColumns = [](auto use) {
  return use(
      [](auto& f) -> auto& { return f.path; }, [](auto& f) -> auto& { return f.key; },
      [](auto& f) -> auto& { return f.group; }, [](auto& f) -> auto& { return f.unit; },
      [](auto& f) -> auto& { return f.label; }, [](auto& f) -> auto& { return f.help.text; },
      [](auto& f) -> auto& { return f.since; });
};
constexpr std::size_t kSize =
    kColumns([](auto... column) { return packed_size(kRows, column...); });
constexpr auto kTexts = kColumns([](auto... column) { return packed<kSize>(kRows, column...); });

struct Rest {
  double min, max;
  std::span<const Choice> choices;
  Slot (*at)(Scenario&);
  unsigned short flags;
  Type type;
};
constexpr auto kRests = [] {
  std::array<Rest, std::size(kRows)> rests{};
  for (std::size_t i = 0; i < rests.size(); ++i) {
    const Field& f = kRows[i];
    rests[i] = {f.min, f.max, f.choices, f.at, static_cast<unsigned short>(f.flags), f.type};
  }
  return rests;
}();

Slot slot_of(const Field& f, const Scenario& s) {
  return f.at(const_cast<Scenario&>(s));  // NOLINT: the accessor is shared; callers only read
}

}  // namespace

std::span<const Field> fields() {
  static const std::vector<Field> rows = [] {
    std::vector<Field> all(kRests.size());
    kColumns([&](auto... column) { unpack(kTexts.data(), all, column...); });
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Rest& rest = kRests[i];
      all[i].type = rest.type;
      all[i].min = rest.min;
      all[i].max = rest.max;
      all[i].flags = rest.flags;
      all[i].choices = rest.choices;
      all[i].at = rest.at;
    }
    return all;
  }();
  return rows;
}
std::span<const Group> groups() { return kGroups; }

const Field* field_by_path(std::string_view path) {
  // In order once: the rules ask for a field at each value they try.
  static const std::vector<const Field*> ordered = [] {
    std::vector<const Field*> all;
    for (const Field& f : fields()) all.push_back(&f);
    std::sort(all.begin(), all.end(),
              [](const Field* a, const Field* b) { return a->path < b->path; });
    return all;
  }();
  const auto at =
      std::lower_bound(ordered.begin(), ordered.end(), path,
                       [](const Field* f, std::string_view wanted) { return f->path < wanted; });
  return at != ordered.end() && (*at)->path == path ? *at : nullptr;
}

const Field* field_by_key(std::string_view key) {
  for (const Field& f : fields())
    if (f.key == key) return &f;
  return nullptr;
}

std::string month_text(double yyyymm) {
  const std::string digits = std::to_string(static_cast<long>(yyyymm));
  std::string out(digits, 0, 4);
  out += '-';
  out.append(digits, 4);
  return out;
}

Value get(const Field& f, const Scenario& s) {
  const Slot at = slot_of(f, s);
  if (at.number) {
    if (!given(*at.number)) return std::string("auto");
    if (f.unit == "month") return month_text(*at.number);
    return *at.number;
  }
  if (at.flag) return *at.flag;
  if (at.choice) return std::string(f.choices[*at.choice].id);
  return std::string(std::string_view(*at.name));
}

double get_number(const Field& f, const Scenario& s) {
  const Slot at = slot_of(f, s);
  if (at.number) return *at.number;
  if (at.flag) return *at.flag ? 1 : 0;
  if (at.choice) return *at.choice;
  return kNone;
}

bool set_number(const Field& f, Scenario& s, double value) {
  const Slot at = f.at(s);
  if (at.number) return *at.number = value, true;
  if (at.flag) return *at.flag = value != 0, true;
  if (at.choice && value >= 0 && value < static_cast<double>(f.choices.size()))
    return *at.choice = static_cast<unsigned char>(value), true;
  return false;
}

bool put(const Field& f, const Value& value, Scenario& s) {
  const Slot at = f.at(s);
  if (at.number) {
    const double* x = std::get_if<double>(&value);
    return x && (*at.number = *x, true);
  }
  if (at.flag) {
    const bool* b = std::get_if<bool>(&value);
    return b && (*at.flag = *b, true);
  }
  const std::string* text = std::get_if<std::string>(&value);
  if (!text) return false;
  if (at.name) return *at.name = Id(*text), true;
  for (std::size_t i = 0; i < f.choices.size(); ++i)
    if (f.choices[i].id == *text) return *at.choice = static_cast<unsigned char>(i), true;
  return false;
}

bool same(const Field& f, const Scenario& a, const Scenario& b) {
  const Slot x = slot_of(f, a), y = slot_of(f, b);
  if (x.number) return *x.number == *y.number || (!given(*x.number) && !given(*y.number));
  if (x.flag) return *x.flag == *y.flag;
  if (x.choice) return *x.choice == *y.choice;
  return *x.name == *y.name;
}

void copy(const Field& f, const Scenario& from, Scenario& to) {
  const Slot x = slot_of(f, from), y = f.at(to);
  if (x.number) *y.number = *x.number;
  if (x.flag) *y.flag = *x.flag;
  if (x.choice) *y.choice = *x.choice;
  if (x.name) *y.name = *x.name;
}

std::string_view choice_id(const Field& f, const Scenario& s) {
  const Slot at = slot_of(f, s);
  return at.choice ? f.choices[*at.choice].id : std::string_view();
}

}  // namespace envelope
