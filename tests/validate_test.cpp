// SPDX-License-Identifier: MIT
// Measurements beside predictions: how rows become scenarios, and how errors are counted.
// Over 400 lines because the vocabularies are written down once more.
#include "envelope/validate.h"

#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

#include "catch.h"
#include "envelope/catalog.h"
#include "envelope/estimate.h"
#include "envelope/json.h"
#include "envelope/link.h"
#include "envelope/patch.h"
#include "random_scenario.h"

namespace {

using namespace envelope;
using Cells = std::map<std::string, std::string>;

std::string table_of(const std::vector<Cells>& rows) {
  std::set<std::string> columns;
  for (const Cells& row : rows)
    for (const auto& [column, cell] : row) columns.insert(column);
  std::string out;
  for (const std::string& column : columns) out += (out.empty() ? "" : ",") + column;
  for (const Cells& row : rows) {
    std::string line;
    for (const std::string& column : columns) {
      const auto at = row.find(column);
      line += (column == *columns.begin() ? "" : ",") +
              csv_cell(at == row.end() ? std::string() : at->second);
    }
    out += "\n" + line;
  }
  return out + "\n";
}

Cells with(Cells base, const Cells& more) {
  for (const auto& [column, cell] : more) base[column] = cell;
  return base;
}

ValidatedRow only_row(const Cells& row) {
  const Validation v = validate(table_of({row}));
  for (const Problem& p : v.problems) FAIL(p.message);
  REQUIRE(v.rows.size() == 1);
  return v.rows[0];
}

/// The scenario that a row is read as.
Scenario scenario_of_row(const Cells& row) {
  Csv csv;
  Problems problems;
  REQUIRE(parse_csv(table_of({row}), csv, problems));
  const Mapping mapping = map_row(Record(csv, csv.rows[0]));
  INFO(mapping.skipped);
  REQUIRE(mapping.skipped.empty());
  const Scenario s = scenario_of(mapping.patch, problems);
  for (const Problem& p : problems) FAIL_CHECK(p.path << ": " << p.message);
  return s;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Llama 2 7B.
const Cells kModelCells = {{"layers", "32"},          {"hidden", "4096"},  {"heads", "32"},
                           {"kv_heads", "32"},        {"head_dim", "128"}, {"ffn_hidden", "11008"},
                           {"gated_mlp", "1"},        {"vocab", "32000"},  {"tied_embeddings", "0"},
                           {"learned_positions", "0"}};
const Cells kTrainRow = with(kModelCells, {{"task", "pretrain"},
                                           {"seq_len", "4096"},
                                           {"batch_per_gpu", "1"},
                                           {"grad_accum", "4"},
                                           {"n_gpus", "16"},
                                           {"tp", "2"},
                                           {"pp", "2"},
                                           {"dp", "4"},
                                           {"cp", "1"},
                                           {"mem_gib", "40"}});
const Cells kLoraRow = with(kModelCells, {{"task", "lora"},
                                          {"adapter", "lora"},
                                          {"seq_len", "1024"},
                                          {"batch_per_gpu", "2"},
                                          {"n_gpus", "1"},
                                          {"lora_rank", "8"},
                                          {"adapter_targets", "q,v"},
                                          {"weight_format", "bf16"},
                                          {"mem_gib", "20"}});
const Cells kServeRow = with(kModelCells, {{"task", "inference"},
                                           {"seq_len", "2048"},
                                           {"batch_per_gpu", "1"},
                                           {"n_gpus", "1"},
                                           {"weight_format", "fp16"},
                                           {"mem_gib", "14"}});

/// The closed vocabularies of the columns, as published with the data. `of` is a row in which the
/// column means something.
struct Words {
  const char* column;
  const Cells* of;
  std::vector<std::string> words;
};
const std::vector<Words>& published_words() {
  static const std::vector<Words> all = {
      {"network",
       &kTrainRow,
       {"none", "infiniband-hdr-8x200g", "infiniband-ndr-8x400g", "infiniband-xdr-8x800g",
        "roce-8x200g", "roce-8x400g", "roce-4x100g", "omnipath-4x100g", "ethernet-efa-4x100g",
        "ethernet-efa-800g-16", "ethernet-tcpx-4x200g", "ici", "ici-dcn", "nvl72", "unknown"}},
      {"stack",
       &kTrainRow,
       {"megatron-2021",
        "megatron-2022",
        "megatron-deepspeed-2022",
        "megatron-core-2023",
        "megatron-core-2024",
        "megatron-core-2025",
        "nemo-2024",
        "nemo-2025",
        "megatron-bridge-2025",
        "megatron-bridge-2026",
        "megatron-rocm-2025",
        "simumax-megatron-2026",
        "fsdp-2023",
        "fsdp-2024",
        "fsdp2-2024",
        "deepspeed-2024",
        "hf-trainer-2023",
        "litgpt-2023",
        "pytorch-finetune-2024",
        "maxtext-2024",
        "maxtext-2025",
        "jax-gpu-2024",
        "jax-tpu-2023",
        "internevo-2023",
        "neuron-2025",
        "other"}},
      {"sharding", &kTrainRow, {"none", "zero1", "zero2", "zero3"}},
      {"offload_to_cpu",
       &kTrainRow,
       {"weights", "gradients", "optimizer", "activations", "weights,optimizer",
        "weights, gradients, optimizer, activations"}},
      {"recompute_mode", &kTrainRow, {"none", "selective", "full", "partial"}},
      {"compute_dtype",
       &kTrainRow,
       {"fp8", "fp8_block", "mxfp8", "nvfp4", "int8", "fp32", "tf32", "fp16", "bf16"}},
      {"weights_dtype", &kTrainRow, {"fp32", "fp16", "bf16", "int8"}},
      {"gradient_dtype", &kTrainRow, {"fp32", "fp16", "bf16", "int8"}},
      {"optimizer_state_dtype", &kTrainRow, {"fp32", "fp16", "bf16", "int8"}},
      {"master_weights", &kTrainRow, {"0", "1"}},
      {"optimizer_kind",
       &kTrainRow,
       {"adamw", "adamw_8bit", "adamw_paged", "adamw_paged_8bit", "adafactor", "lion", "muon",
        "sgd"}},
      {"optimizer_kind", &kServeRow, {"none"}},
      {"optimizer_in_backward", &kTrainRow, {"0", "1"}},
      {"weight_format",
       &kServeRow,
       {"fp32",     "fp16",      "bf16",     "fp8",           "int8",   "nvfp4",  "int4",
        "int4_nog", "int4_g128", "int4_g32", "int4_g32_emb8", "nf4",    "nf4_dq", "exl2_2.5",
        "exl2_3.0", "exl2_4.0",  "exl2_5.0", "q2_k",          "q2_k_s", "q3_k_s", "q3_k_m",
        "q3_k_l",   "q4_0",      "q4_1",     "q4_k_s",        "q4_k_m", "q5_0",   "q5_1",
        "q5_k_s",   "q5_k_m",    "q6_k",     "q8_0",          "iq1_s",  "iq1_m",  "iq2_xxs",
        "iq2_xs",   "iq2_s",     "iq2_m",    "iq3_xxs",       "iq3_xs", "iq3_s",  "iq3_m",
        "iq4_xs",   "iq4_nl"}},
      {"kv_format", &kServeRow, {"fp16", "bf16", "fp8", "int8"}},
      {"activation_format", &kServeRow, {"fp16", "bf16", "fp8", "nvfp4", "int8"}},
      {"cross_entropy", &kTrainRow, {"eager", "fused", "chunked", "unknown"}},
      {"attention_impl", &kTrainRow, {"eager", "flash"}},
      {"compiled", &kTrainRow, {"0", "1"}},
      {"adapter_targets",
       &kLoraRow,
       {"q", "k", "v", "o", "gate", "up", "down", "embed", "head", "all_linear", "q,v",
        "q, k, v, o", "all_linear,embed,head"}},
      {"sequence_parallel", &kTrainRow, {"0", "1"}},
      {"mem_kind", &kTrainRow, {"allocated", "reserved", "device", "activations", "model_states"}},
      {"mem_kind", &kServeRow, {"allocated", "reserved", "device", "weights_file"}},
      {"engine_family",
       &kServeRow,
       {"gpt-fast", "hf-eager", "awq", "lmdeploy", "mlc", "neuronx", "executorch", "litgpt",
        "vendor", "llama.cpp", "tensorrt-llm", "vllm", "exllama", "exllamav2",
        "fastertransformer"}},
      {"phase_kind",
       &kServeRow,
       {"prefill", "decode", "mixed", "serving_offline", "serving_online"}},
      {"run_kind", &kTrainRow, {"continued", "finetune", "lora", "mlperf", "pretrain"}},
      {"scorable", &kTrainRow, {"1"}},
  };
  return all;
}

std::string text_of_file(const char* name) {
  std::ifstream in(std::string(ENVELOPE_SOURCE_DIR) + name);
  REQUIRE(in);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("validate: every word of the closed vocabularies gives a prediction") {
  std::set<std::string> seen;
  for (const Words& list : published_words())
    for (const std::string& word : list.words) {
      INFO(list.column << " = " << word);
      const ValidatedRow row = only_row(with(*list.of, {{list.column, word}}));
      CHECK(row.skipped == "");
      CHECK(row.predicted > 0);
      CHECK(std::isfinite(row.error));
      seen.insert(std::string(list.column) + "=" + word);
    }
  // Words that mean more than their own column, or say that nothing can be predicted.
  const auto also = [&](const Cells& row, const char* column, const char* word) {
    INFO(column << " = " << word);
    seen.insert(std::string(column) + "=" + word);
    return only_row(with(row, {{column, word}}));
  };
  const Cells hsdp = with(kTrainRow, {{"sharding_size", "2"}});
  CHECK(also(hsdp, "sharding", "hsdp").predicted > 0);
  for (const char* task : {"pretrain", "full_finetune", "sft"})
    CHECK(also(kTrainRow, "task", task).predicted > 0);
  for (const char* task : {"lora", "qlora", "adapter", "adapter_v2"}) {
    CHECK(also(with(kLoraRow, {{"adapter", ""}}), "task", task).predicted > 0);
    CHECK(also(with(kLoraRow, {{"task", "sft"}}), "adapter", task).predicted > 0);
  }
  CHECK(also(kTrainRow, "adapter", "none").predicted > 0);
  CHECK(also(kServeRow, "task", "inference").predicted > 0);
  CHECK(also(with(kServeRow, {{"mem_kind", "weights_file"}}), "task", "weights_file").predicted >
        0);
  for (const char* kind : {"context_capacity", "process_rss", "relative"})
    CHECK(contains(also(kServeRow, "mem_kind", kind).skipped, kind));
  CHECK(contains(also(kTrainRow, "scorable", "0").skipped, "scorable: 0"));
  CHECK(also(kTrainRow, "mla", "0").predicted > 0);
  CHECK(also(with(kTrainRow, {{"tp", "1"}, {"dp", "8"}}), "mla", "1").predicted > 0);
  for (const char* column : {"gated_mlp", "tied_embeddings"})
    for (const char* word : {"0", "1"}) CHECK(also(kTrainRow, column, word).predicted > 0);
  for (const char* word : {"0", "1"}) also(kTrainRow, "excluded", word);

  for (const std::string& stack : published_words()[1].words) {
    INFO(stack);
    CHECK(find_row(catalog().stacks, stack));
  }

  // Both ways: what the program knows has been walked through.
  for (const Vocabulary& v : vocabularies())
    for (const std::string_view word : v.words) {
      INFO(v.column << " = " << word);
      CHECK(seen.count(std::string(v.column) + "=" + std::string(word)) == 1);
    }
}

TEST_CASE("validate: a word outside its vocabulary is a reason with column and value, no guess") {
  for (const Vocabulary& v : vocabularies()) {
    const std::string column(v.column);
    INFO(column);
    for (const std::string word : {"xyzzy", "q4_k_xl", "None"}) {
      const ValidatedRow row = only_row(with(kTrainRow, {{column, word}}));
      CHECK(contains(row.skipped, column + ":"));
      CHECK(contains(row.skipped, word));
      CHECK_FALSE(given(row.predicted));
      CHECK_FALSE(given(row.error));
    }
  }
  CHECK(contains(only_row(with(kLoraRow, {{"adapter_targets", "q,w"}})).skipped, "\"w\""));
  CHECK(contains(only_row(with(kTrainRow, {{"accelerator_id", "h900"}})).skipped,
                 "accelerator_id: \"h900\""));
}

TEST_CASE("validate: a pretraining row is read as the layout, states and batch that it states") {
  const Scenario s =
      scenario_of_row(with(kTrainRow, {{"accelerator_id", "a100-sxm-80gb"},
                                       {"network", "infiniband-hdr-8x200g"},
                                       {"cp", "2"},
                                       {"dp", "2"},
                                       {"virtual_stages", "4"},
                                       {"sharding", "hsdp"},
                                       {"sharding_size", "2"},
                                       {"recompute_mode", "full"},
                                       {"compute_dtype", "fp8_block"},
                                       {"weights_dtype", "bf16"},
                                       {"gradient_dtype", "fp32"},
                                       {"optimizer_state_dtype", "bf16"},
                                       {"master_weights", "0"},
                                       {"optimizer_kind", "adamw_paged"},
                                       {"optimizer_in_backward", "1"},
                                       {"cross_entropy", "chunked"},
                                       {"attention_impl", "eager"},
                                       {"compiled", "1"},
                                       {"sequence_parallel", "0"},
                                       {"offload_to_cpu", "optimizer,activations"}}));
  CHECK(s.run.task == Task::pretrain);
  CHECK(s.model.layers == 32);
  CHECK(s.model.hidden == 4096);
  CHECK(s.model.heads == 32);
  CHECK(s.model.kv_heads == 32);
  CHECK(s.model.ffn == 11008);
  CHECK(s.model.vocab == 32000);
  CHECK_FALSE(s.model.tied);
  CHECK(s.run.seq == 4096);
  CHECK(s.run.micro_batch == 1);
  CHECK(s.run.global_batch == 1 * 4 * 2);
  CHECK(s.cluster.gpus == 16);
  CHECK(s.cluster.tp == 2);
  CHECK(s.cluster.pp == 2);
  CHECK(s.cluster.cp == 2);
  CHECK(s.cluster.virtual_stages == 4);
  CHECK(s.cluster.zero == 3);
  CHECK(s.cluster.shard == 2);
  CHECK_FALSE(s.cluster.sp);
  CHECK(s.cluster.offload_optimizer);
  CHECK(s.cluster.offload_activations);
  CHECK_FALSE(s.cluster.offload_weights);
  CHECK_FALSE(s.cluster.offload_gradients);
  CHECK(s.gpu.id == Id("a100-sxm-80gb"));
  CHECK(s.gpu.nic == 25e9);
  CHECK(s.run.precision == Precision::fp8);
  CHECK(s.run.scales == Scales::block);
  CHECK(s.run.recompute == Recompute::full);
  CHECK(s.run.recompute_every == 1);
  CHECK_FALSE(s.run.flash);
  CHECK(s.states.weights == Format::bf16);
  CHECK(s.states.gradients == Format::fp32);
  CHECK(s.states.optimizer_format == Format::bf16);
  CHECK(s.states.master == Format::none);
  CHECK(s.states.optimizer == Optimizer::adam);
  CHECK(s.states.paged);
  CHECK(s.states.in_backward);
  CHECK(s.stack.loss == Loss::chunked);
  CHECK(s.stack.kernels == Kernels::compiled);
}

TEST_CASE("validate: mixtures of experts and latent attention are read") {
  const Scenario s = scenario_of_row(with(kTrainRow, {{"mla", "1"},
                                                      {"tp", "1"},
                                                      {"dp", "8"},
                                                      {"n_experts", "256"},
                                                      {"experts_per_token", "8"},
                                                      {"moe_ffn_hidden", "2048"},
                                                      {"shared_experts", "2"},
                                                      {"dense_layers_first", "3"},
                                                      {"ep", "8"}}));
  CHECK(s.model.experts == 256);
  CHECK(s.model.top_k == 8);
  CHECK(s.model.moe_ffn == 2048);
  CHECK(s.model.shared_ffn == 4096);
  CHECK(s.model.first_dense == 3);
  CHECK(s.model.attention == Attention::mla);
  CHECK(s.model.q_rank == 1536);
  CHECK(s.model.kv_rank == 512);
  CHECK(s.model.nope_dim == 128);
  CHECK(s.model.rope_dim == 64);
  CHECK(s.model.v_dim == 128);
  CHECK(s.cluster.ep == 8);
}

TEST_CASE("validate: adapters keep the format of their base and of what is trained apart") {
  const Scenario lora = scenario_of_row(with(
      kLoraRow, {{"weights_dtype", "fp32"}, {"trainable_params", "4194304"}, {"stack", "other"}}));
  CHECK(lora.run.task == Task::finetune);
  CHECK(lora.tune.method == Method::lora);
  CHECK(lora.tune.rank == 8);
  CHECK(lora.tune.trainable == 4194304);
  CHECK(lora.tune.targets == Targets::custom);
  CHECK(lora.tune.q);
  CHECK_FALSE(lora.tune.k);
  CHECK(lora.tune.v);
  CHECK_FALSE(lora.tune.down);
  CHECK(lora.states.weights == Format::bf16);
  CHECK(lora.tune.adapter == Format::fp32);

  const Scenario qlora = scenario_of_row(with(kLoraRow, {{"task", "qlora"},
                                                         {"adapter", "qlora"},
                                                         {"weight_format", "nf4"},
                                                         {"compute_dtype", "fp16"},
                                                         {"adapter_targets", "all_linear,head"}}));
  CHECK(qlora.tune.method == Method::qlora);
  CHECK(qlora.tune.base == Format::nf4);
  CHECK(qlora.states.weights == Format::fp16);
  CHECK(qlora.tune.targets == Targets::all_linear);
  CHECK(qlora.tune.head);
  CHECK_FALSE(qlora.tune.embed);

  CHECK(contains(only_row(with(kLoraRow, {{"adapter", "qlora"}})).skipped, "contradicts"));
}

TEST_CASE("validate: an inference row is read as weights, cache and both halves of its length") {
  const Scenario s = scenario_of_row(
      with(kServeRow, {{"kv_format", "int8"}, {"batch_per_gpu", "4"}, {"n_gpus", "2"}}));
  CHECK(s.run.task == Task::serve);
  CHECK(s.serve.weights == Format::fp16);
  CHECK(s.serve.kv == Format::int8);
  CHECK(s.serve.batch == 4);
  CHECK(s.serve.prompt + s.serve.output == 2048);
  CHECK(s.cluster.gpus == 2);
  const Scenario plain = scenario_of_row(with(kServeRow, {{"compute_dtype", "fp16"}}));
  CHECK(plain.serve.kv == Format::fp16);
  // Without an engine it is plain PyTorch.
  CHECK(plain.serve.cache == KvCache::concatenated);
  CHECK_FALSE(plain.serve.eager);
  CHECK(scenario_of_row(with(kServeRow, {{"attention_impl", "eager"}})).serve.eager);
  // The programs around 4-bit groups compute attention themselves, unless it is said otherwise.
  const Cells groups = with(kServeRow, {{"weight_format", "int4_g128"}});
  CHECK(scenario_of_row(groups).serve.eager);
  CHECK_FALSE(scenario_of_row(with(groups, {{"attention_impl", "flash"}})).serve.eager);
  const Scenario little =
      scenario_of_row(with(kServeRow, {{"batch_per_gpu", ""}, {"seq_len", ""}}));
  CHECK(little.serve.batch == 1);
  CHECK(little.serve.prompt == 32);
  CHECK(little.serve.output == 32);
}

TEST_CASE("validate: what several GPUs share is taken from the framework where it is not stated") {
  const Cells many = with(kTrainRow, {{"tp", ""}, {"pp", ""}, {"cp", ""}, {"dp", ""}});
  const auto zero = [&](const Cells& more) {
    return scenario_of_row(with(many, more)).cluster.zero;
  };
  CHECK(zero({{"stack", "megatron-core-2024"}}) == 1);
  CHECK(zero({{"stack", "nemo-2025"}}) == 1);
  CHECK(zero({{"stack", "fsdp2-2024"}}) == 3);
  CHECK(zero({{"stack", "maxtext-2025"}}) == 3);
  CHECK(zero({{"stack", "deepspeed-2024"}}) == 3);
  CHECK(zero({{"stack", "hf-trainer-2023"}, {"task", "full_finetune"}}) == 3);
  CHECK(zero({{"stack", "hf-trainer-2023"}, {"task", "lora"}, {"weight_format", "bf16"}}) == 0);
  CHECK(zero({{"stack", "megatron-core-2024"}, {"sharding", "none"}}) == 0);
  CHECK(zero({{"n_gpus", "1"}}) == 0);
  // A group as large as all ranks is no group.
  const auto shard = [&](const char* size) {
    return scenario_of_row(with(many, {{"sharding", "zero1"}, {"sharding_size", size}}))
        .cluster.shard;
  };
  CHECK_FALSE(given(shard("16")));
  CHECK(shard("8") == 8);
  CHECK(contains(only_row(with(kTrainRow, {{"dp", "3"}})).skipped, "12, and n_gpus is 16"));
}

TEST_CASE("validate: recomputation keeps what the words say") {
  const auto read = [&](const Cells& more) { return scenario_of_row(with(kTrainRow, more)).run; };
  CHECK(read({{"recompute_mode", "none"}}).recompute == Recompute::none);
  CHECK(read({{"recompute_mode", "selective"}, {"attention_impl", "eager"}}).recompute ==
        Recompute::selective);
  CHECK(read({{"recompute_mode", "selective"}, {"attention_impl", "flash"}}).recompute ==
        Recompute::pointwise);
  CHECK(read({{"recompute_mode", "selective"}, {"stack", "megatron-2022"}}).recompute ==
        Recompute::selective);
  CHECK(read({{"recompute_mode", "partial"}}).recompute == Recompute::full);
  CHECK(read({{"recompute_mode", "partial"}}).recompute_every == 2);
}

TEST_CASE("validate: the prediction is the estimate of the linked scenario, over all devices") {
  for (const Cells& cells : {kTrainRow, kLoraRow, with(kServeRow, {{"tp", "4"}})}) {
    const ValidatedRow row = only_row(cells), four = only_row(with(cells, {{"mem_devices", "4"}}));
    CHECK(four.predicted == Approx(4 * row.predicted).epsilon(1e-12));
    CHECK(row.error == (row.predicted - row.measured) / row.measured);
    Link link = decode(row.link);
    Problems problems;
    const Scenario s = scenario_of(link.patch, problems);
    CHECK(problems.empty());
    CHECK(encode(s) == row.link);
  }
  const ValidatedRow file =
      only_row(with(kServeRow, {{"task", "weights_file"}, {"mem_kind", "weights_file"}}));
  // 6,738,415,616 weights of Llama 2 7B, two bytes each.
  CHECK(file.predicted == 6738415616.0 * 2 / 1073741824.0);
  CHECK(only_row(with(kServeRow, {{"task", "weights_file"}})).predicted == file.predicted);
}

TEST_CASE("validate: a sum over devices that hold layers each has one copy of the weights") {
  const double one = only_row(kServeRow).predicted;
  const double four = only_row(with(kServeRow, {{"mem_devices", "4"}, {"n_gpus", "4"}})).predicted;
  CHECK(four >= one);
  CHECK(four < 1.5 * one);
  CHECK(only_row(with(kServeRow, {{"mem_devices", "4"}, {"mem_kind", "weights_file"}})).predicted ==
        only_row(with(kServeRow, {{"mem_kind", "weights_file"}})).predicted);
  for (const char* wrong : {"two", "0", "-1"})
    CHECK(contains(only_row(with(kTrainRow, {{"mem_devices", wrong}})).skipped, "mem_devices"));
  // A peak of one of them is a share.
  CHECK(only_row(with(kServeRow, {{"n_gpus", "4"}})).predicted < 0.5 * one);
}

TEST_CASE("validate: kinds of reading grow from states to the whole device") {
  const auto read = [&](const char* kind) {
    return only_row(with(kTrainRow, {{"mem_kind", kind}})).predicted;
  };
  CHECK(read("model_states") <= read("allocated"));
  CHECK(read("allocated") <= read("reserved"));
  CHECK(read("reserved") <= read("device"));
  CHECK(read("activations") <= read("allocated"));
  CHECK(read("") == read("device"));  // in training people look at the driver
}

TEST_CASE("validate: the errors of rows, sources and the whole are what the definitions say") {
  // Rows whose prediction is known, with a measurement that makes the error come out as wanted.
  const double predicted = only_row(kTrainRow).predicted;
  const auto off_by = [&](double error, const char* source) {
    return with(kTrainRow, {{"mem_gib", number_text(predicted / (1 + error))},
                            {"source_id", source},
                            {"id", source + number_text(error)}});
  };
  Validation v =
      validate(table_of({off_by(0.1, "a"), off_by(-0.3, "a"), off_by(0.2, "a"), off_by(0.5, "b"),
                         off_by(0, "a"), with(kTrainRow, {{"scorable", "0"}, {"source_id", "c"}}),
                         with(kTrainRow, {{"mem_gib", ""}, {"source_id", "a"}})}));
  REQUIRE(v.rows.size() == 7);
  CHECK(v.rows[1].error == Approx(-0.3));
  CHECK(v.rows[1].id == "a-0.3");
  CHECK(v.all == 7);
  CHECK(v.skipped == 2);
  CHECK(v.unscorable == 1);
  REQUIRE(v.sources.size() == 2);
  CHECK(v.sources[0].name == "a");
  CHECK(v.sources[0].rows == 4);
  CHECK(v.sources[0].median_abs == Approx(0.15));
  CHECK(v.sources[0].mean_signed == Approx(0).margin(1e-12));
  CHECK(v.sources[1].median_abs == Approx(0.5));
  CHECK(v.median_abs == Approx(0.2));
  CHECK(v.p90_abs == Approx(0.3 + 0.6 * 0.2));
  CHECK(v.mean_of_source_medians == Approx((0.15 + 0.5) / 2));
}

TEST_CASE("validate: percentiles are linear between the two nearest values") {
  CHECK(percentile({3, 1, 2}, 0.5) == 2);
  CHECK(percentile({4, 1, 2, 3}, 0.5) == 2.5);
  CHECK(percentile({0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100}, 0.9) == 90);
  CHECK(percentile({0, 10}, 0.9) == 9);
  CHECK(percentile({7}, 0.9) == 7);
  CHECK_FALSE(given(percentile({}, 0.5)));
}

TEST_CASE("validate: measured what is predicted, the error is zero") {
  envelope_test::Random random(7);
  std::vector<Cells> rows;
  for (int i = 0; i < 400; ++i) {
    const Cells* base[] = {&kTrainRow, &kLoraRow, &kServeRow};
    Cells row = *base[random.below(3)];
    const bool serves = row["task"] == "inference";
    for (const Words& list : published_words())
      if ((list.of == &kServeRow) == serves && random.one_in(3))
        row[list.column] = list.words[random.below(list.words.size())];
    row["id"] = std::to_string(i);
    rows.push_back(row);
  }
  const Validation first = validate(table_of(rows));
  REQUIRE(first.rows.size() == rows.size());
  std::size_t predicted = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    INFO(first.rows[i].skipped);
    if (!first.rows[i].skipped.empty()) continue;
    rows[i]["mem_gib"] = number_text(first.rows[i].predicted);
    ++predicted;
  }
  CHECK(predicted > 300);
  const Validation second = validate(table_of(rows));
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (second.rows[i].skipped.empty()) CHECK(second.rows[i].error == 0);
  CHECK(second.median_abs == 0);
  CHECK(second.p90_abs == 0);
  CHECK(second.mean_of_source_medians == 0);
}

TEST_CASE("validate: a table of one's own needs few columns and may name a model of the catalog") {
  const Validation v = validate(
      "model,task,seq_len,batch_per_gpu,mem_gib\n"
      "llama-3.1-8b,pretrain,4096,1,140\n"
      "llama-3.1-8b,pretrain,,1,140\n"
      "no-such-model,pretrain,4096,1,140\n"
      "llama-3.1-8b,,4096,1,140\n"
      "llama-3.1-8b,pretrain,4096,1,lots\n"
      "llama-3.1-8b,pretrain,4096,1,-3\n"
      "llama-3.1-8b,pretrain,4096,1.5,140\n"
      "llama-3.1-8b,pretrain,many,1,140\n"
      "llama-3.1-8b,pretrain,4096,1\n");
  REQUIRE(v.rows.size() == 9);
  CHECK(v.rows[0].skipped == "");
  CHECK(v.rows[0].id == "line 2");
  CHECK(v.rows[0].source_id == "");
  CHECK(contains(v.rows[0].note, "stack is not stated"));
  CHECK(v.rows[1].skipped == "seq_len is empty");
  CHECK(contains(v.rows[2].skipped, "\"no-such-model\" is not in the catalog"));
  CHECK(v.rows[3].skipped == "task is empty");
  CHECK(v.rows[4].skipped == "mem_gib: \"lots\" is not a positive number");
  CHECK(v.rows[5].skipped == "mem_gib: \"-3\" is not a positive number");
  CHECK(contains(v.rows[6].skipped, "batch_per_gpu"));
  CHECK(v.rows[7].skipped == "seq_len: \"many\" is not a number");
  CHECK(v.rows[8].skipped == "line 10 has 4 cells where the header has 5");
  CHECK(v.sources.size() == 1);
  CHECK(contains(validation_text(v, false), "(no source)"));
}

TEST_CASE("validate: doubtful rows are left out where no column says what can be scored") {
  const Cells doubtful = with(kTrainRow, {{"quality", "doubtful"}});
  CHECK(only_row(doubtful).unscorable);
  CHECK_FALSE(only_row(with(doubtful, {{"scorable", "1"}})).unscorable);
  CHECK_FALSE(only_row(with(kTrainRow, {{"quality", "measured"}})).unscorable);
  CHECK(contains(only_row(with(kTrainRow, {{"mem_gib", ""}, {"oom", "1"}})).skipped, "oom"));
}

TEST_CASE("validate: the kind of a table is told from its columns") {
  const auto kind = [](const char* text) { return validate(text).kind; };
  CHECK(kind("id,mem_gib,tokens_per_s_per_gpu,step_time_s\n1,2,3,4\n") == FileKind::memory);
  CHECK(kind("id,tokens_per_s_per_gpu,micro_batch\na,2,3\n") == FileKind::throughput);
  CHECK(kind("id,step_time_s\na,2\n") == FileKind::throughput);
  CHECK(kind("id,gpu_hours,tokens_per_s_total\na,2,3\n") == FileKind::runs);
  CHECK(kind("id,ttft_ms,tokens_per_s_total\na,2,3\n") == FileKind::inference);
  const Validation none = validate("id,colour\na,blue\n");
  CHECK(none.kind == FileKind::unknown);
  REQUIRE(none.problems.size() == 1);
  CHECK(contains(none.problems[0].hint, "mem_gib"));
}

const Cells kSpeedRow = with(kTrainRow, {{"mem_gib", ""},
                                         {"batch_per_gpu", ""},
                                         {"grad_accum", ""},
                                         {"micro_batch", "1"},
                                         {"global_batch", "16"},
                                         {"accelerator_id", "a100-sxm-80gb"},
                                         {"stack", "megatron-core-2024"}});

TEST_CASE("validate: the quantity of a table is the first that is measured") {
  const auto row = [](const char* text) { return validate(text).rows.at(0); };
  const ValidatedRow speed = row("id,tokens_per_s_per_gpu,step_time_s\na,3000,2\n");
  CHECK(speed.quantity == "tokens_per_s_per_gpu");
  CHECK(speed.measured == 3000);
  CHECK(row("id,tokens_per_s_per_gpu,step_time_s\na,,2\n").quantity == "step_time_s");
  CHECK(row("id,gpu_hours\na,2\n").quantity == "gpu_hours");
  CHECK(row("id,tokens_per_s_total,ttft_ms,tpot_ms\na,2,,\n").quantity == "tokens_per_s");
  CHECK(row("id,tokens_per_s_total,ttft_ms,tpot_ms\na,,2,\n").quantity == "ttft");
  CHECK(row("id,tokens_per_s_total,ttft_ms,tpot_ms\na,,,2\n").quantity == "tpot");
  CHECK(contains(row("id,tpot_ms\na,2\n").skipped, "does not predict tables of inference"));
}

TEST_CASE("validate: a speed and the step time that it means have the same error") {
  Cells cells = with(kSpeedRow, {{"step_time_s", "2"}});
  cells.erase("mem_gib");
  const ValidatedRow step = only_row(cells);
  REQUIRE(step.skipped == "");
  CHECK(step.quantity == "step_time_s");
  // 16 sequences of 4096 tokens in 2 s on 16 GPUs.
  cells["step_time_s"] = "";
  cells["tokens_per_s_per_gpu"] = "2048";
  const ValidatedRow speed = only_row(cells);
  CHECK(speed.quantity == "tokens_per_s_per_gpu");
  CHECK(speed.error == Approx(step.error));
  CHECK(speed.predicted * step.predicted == Approx(4096.0));
  CHECK(step.error == Approx(step.predicted / 2 - 1));
  CHECK(speed.device == "a100-sxm-80gb");
  CHECK(speed.link == step.link);
}

TEST_CASE("validate: half of a measured speed is twice the time") {
  Cells cells = with(kSpeedRow, {{"tokens_per_s_per_gpu", "1000"}});
  cells.erase("mem_gib");
  const double all = only_row(cells).error;
  cells["tokens_per_s_per_gpu"] = "500";
  CHECK((1 + only_row(cells).error) * 2 == Approx(1 + all));
}

TEST_CASE("validate: serving has no training step") {
  Cells cells = with(kServeRow, {{"tokens_per_s_per_gpu", "1000"}});
  cells.erase("mem_gib");
  CHECK(contains(only_row(cells).skipped, "no training step"));
}

TEST_CASE("validate: models with experts are counted apart") {
  Cells dense = with(kSpeedRow, {{"tokens_per_s_per_gpu", "2000"}});
  dense.erase("mem_gib");
  const Cells moe = with(dense, {{"n_experts", "8"},
                                 {"experts_per_token", "2"},
                                 {"moe_ffn_hidden", "4096"},
                                 {"tokens_per_s_per_gpu", "1500"}});
  const Validation v = validate(table_of({dense, moe, moe, with(moe, {{"scorable", "0"}})}));
  CHECK_FALSE(v.rows[0].moe);
  CHECK(v.rows[1].moe);
  CHECK(v.moe.rows == 2);
  CHECK(v.moe.median_abs == Approx(std::fabs(v.rows[1].error)));
  CHECK(contains(validation_text(v, false), "of models with experts (2): "));
  CHECK_FALSE(contains(validation_text(validate(table_of({dense})), false), "experts"));
  Json json;
  Problems problems;
  const std::string text = validation_json("x.csv", v);
  REQUIRE(parse_json(text, json, problems, text.size()));
  CHECK(json.find("moe")->number_at("rows") == 2);
  // 16 sequences of 4096 tokens on 16 GPUs at 2000 tokens/s each.
  CHECK(json.find("rows")->items[0].find("step")->number_at("measured") == Approx(2.048));
  CHECK(json.find("devices")->items.at(0).text_at("device") == "a100-sxm-80gb");
  REQUIRE(v.devices.size() == 1);
  CHECK(v.devices[0].name == "a100-sxm-80gb");
  CHECK(v.devices[0].rows == 3);
}

TEST_CASE("validate: rows of throughput.csv and memory.csv become the same scenario") {
  Cells speed = with(kTrainRow, {{"micro_batch", "1"}, {"global_batch", "16"}});
  speed.erase("batch_per_gpu");
  speed.erase("grad_accum");
  CHECK(diff(scenario_of_row(speed)) == diff(scenario_of_row(kTrainRow)));
  speed["micro_batch"] = "";
  CHECK(scenario_of_row(speed).run.micro_batch == 1);
}

TEST_CASE("validate: JSON has a row for each row, errors by source and a summary") {
  const Validation v = validate(table_of({with(kTrainRow, {{"id", "a"}, {"source_id", "s"}}),
                                          with(kTrainRow, {{"id", "b"}, {"task", "guess"}})}));
  Json json;
  Problems problems;
  const std::string text = validation_json("runs \"mine\".csv", v);
  REQUIRE(parse_json(text, json, problems, text.size()));
  CHECK(json.text_at("file") == "runs \"mine\".csv");
  const Json& rows = *json.find("rows");
  REQUIRE(rows.items.size() == 2);
  CHECK(rows.items[0].text_at("id") == "a");
  CHECK(rows.items[0].text_at("source_id") == "s");
  CHECK(rows.items[0].text_at("quantity") == "mem_gib");
  CHECK(rows.items[0].number_at("measured") == 40);
  CHECK(rows.items[0].number_at("predicted") == v.rows[0].predicted);
  CHECK(rows.items[0].number_at("error") == v.rows[0].error);
  CHECK_FALSE(rows.items[0].find("skipped"));
  CHECK(rows.items[1].text_at("skipped") == "task: the value \"guess\" is not known");
  CHECK(rows.items[1].find("predicted")->kind == Json::Kind::null);
  const Json& source = json.find("sources")->items.at(0);
  CHECK(source.text_at("source_id") == "s");
  CHECK(source.number_at("rows") == 1);
  CHECK(source.number_at("median_abs") == std::fabs(v.rows[0].error));
  CHECK(source.number_at("mean_signed") == v.rows[0].error);
  const Json& summary = *json.find("summary");
  CHECK(summary.number_at("rows") == 2);
  CHECK(summary.number_at("skipped") == 1);
  CHECK(summary.number_at("median_abs") == v.median_abs);
  CHECK(summary.number_at("p90_abs") == v.p90_abs);
  CHECK(summary.number_at("mean_of_source_medians") == v.mean_of_source_medians);

  const std::string bad = validation_json("x.csv", validate("nothing"));
  REQUIRE(parse_json(bad, json, problems, bad.size()));
  CHECK(json.find("rows")->items.empty());
  CHECK(json.find("problems")->items.size() == 1);
}

const Cells kRunRow = {{"model", "Pythia-6.9B (as published)"},
                       {"params_b", "6.86"},
                       {"tokens_b", "300"},
                       {"seq_len", "2048"},
                       {"accelerator_id", "a100-sxm-40gb"},
                       {"n_accelerators", "128"},
                       {"year", "2023"},
                       {"run_kind", "pretrain"},
                       {"gpu_hours", "33500"}};

/// The scenario behind a row's prediction.
Scenario planned(const Cells& row) {
  const ValidatedRow out = only_row(row);
  INFO(out.skipped);
  REQUIRE(out.skipped == "");
  const Link link = decode(out.link);
  Problems problems = link.problems;
  const Scenario s = scenario_of(link.patch, problems);
  CHECK(problems.empty());
  return s;
}

TEST_CASE("plan: GPU-hours are those of the wall-clock time of the linked scenario") {
  const ValidatedRow row = only_row(kRunRow);
  const Scenario s = planned(kRunRow);
  CHECK(row.quantity == "gpu_hours");
  CHECK(row.predicted == Approx(128 * estimate(s).goodput.wall.value / 3600));
  CHECK(s.run.tokens == 300e9);
  CHECK(s.cluster.gpus == 128);
}

TEST_CASE("plan: what a run measured changes nothing in its scenario") {
  const ValidatedRow row = only_row(kRunRow);
  Cells other = with(kRunRow, {{"gpu_hours", "1"}, {"mfu_pct", "90"}, {"notes", "TP8"}});
  CHECK(only_row(other).link == row.link);
  CHECK(only_row(other).predicted == row.predicted);
  other = with(kRunRow, {{"gpu_hours", ""}, {"days", "10.5"}});
  CHECK(only_row(other).measured == Approx(128 * 252.0));
  CHECK(only_row(other).link == row.link);
  other = with(kRunRow, {{"gpu_hours", ""}, {"minutes", "600"}});
  CHECK(only_row(other).measured == Approx(1280.0));
  other = with(kRunRow, {{"gpu_hours", ""}, {"tokens_per_s_total", "300000"}});
  CHECK(only_row(other).measured == Approx(128 * 1e6 / 3600));
}

TEST_CASE("plan: a name of the catalog counts where the size agrees, else the usual shape") {
  CHECK(planned(kRunRow).model.id == Id("pythia-6.9b"));
  const Scenario other = planned(with(kRunRow, {{"params_b", "20"}}));
  CHECK(other.model.id == Id("custom"));
  CHECK(estimate(other).architecture.total == Approx(20e9).epsilon(0.02));
  for (const char* size : {"0.2", "1.1", "7", "13", "34", "65", "180", "540"}) {
    INFO(size);
    const Scenario s = planned(
        with(kRunRow, {{"model", "Nobody's"}, {"params_b", size}, {"n_accelerators", "2048"}}));
    CHECK(estimate(s).architecture.total == Approx(1e9 * std::atof(size)).epsilon(0.03));
  }
}

TEST_CASE("plan: a model with experts has about the parameters stated, in all and at work") {
  const Scenario s = planned(with(kRunRow, {{"model", "Experts"},
                                            {"params_b", "1200"},
                                            {"active_params_b", "96.6"},
                                            {"n_accelerators", "1024"},
                                            {"accelerator_id", "tpu-v4"}}));
  const Architecture a = estimate(s).architecture;
  CHECK(s.model.experts > 2);
  CHECK(s.cluster.ep > 1);
  CHECK(a.total == Approx(1200e9).epsilon(0.15));
  CHECK(a.active == Approx(96.6e9).epsilon(0.15));
}

TEST_CASE("plan: software and precision are those of the year and the kind of run") {
  CHECK(planned(kRunRow).stack.id == Id("other"));
  CHECK(planned(kRunRow).run.precision == Precision::bf16);
  const Cells contest = with(kRunRow, {{"model", "GPT-3 175B (MLPerf)"},
                                       {"params_b", "175"},
                                       {"tokens_b", "1.2"},
                                       {"accelerator_id", "h100-sxm"},
                                       {"n_accelerators", "512"},
                                       {"run_kind", "mlperf"}});
  CHECK(planned(contest).model.id == Id("gpt3-175b"));
  CHECK(planned(contest).stack.id == Id("megatron-core-2023"));
  CHECK(planned(contest).run.precision == Precision::fp8);
  CHECK(planned(contest).reliability.evaluation == 0.09);
  CHECK(planned(contest).stack.overhead < planned(kRunRow).stack.overhead);
  CHECK(planned(with(contest, {{"year", "2024"}})).stack.id == Id("nemo-2024"));
  const Cells tpu = with(contest, {{"accelerator_id", "tpu-v5p"}, {"year", "2024"}});
  CHECK(planned(tpu).stack.id == Id("maxtext-2024"));
  CHECK(planned(tpu).run.precision == Precision::int8);
}

TEST_CASE("plan: the layout fits, on all GPUs") {
  for (const char* gpus : {"8", "64", "128", "1024"}) {
    INFO(gpus);
    const Scenario s = planned(with(kRunRow, {{"n_accelerators", gpus}}));
    const Report r = estimate(s);
    CHECK(r.layout.fits);
    CHECK(r.layout.tp * r.layout.pp * r.layout.cp * r.layout.dp == s.cluster.gpus);
  }
}

TEST_CASE("plan: adapters take few sequences, which GPUs share") {
  const Cells lora = {{"model", "Llama 2 70B LoRA (MLPerf)"},
                      {"task", "lora (time to train)"},
                      {"params_b", "68.98"},
                      {"tokens_b", "0.0252"},
                      {"seq_len", "8192"},
                      {"accelerator_id", "h100-sxm"},
                      {"n_accelerators", "64"},
                      {"year", "2024"},
                      {"run_kind", "mlperf"},
                      {"minutes", "5"}};
  const Scenario s = planned(lora);
  CHECK(s.model.id == Id("llama-2-70b"));
  CHECK(s.run.task == Task::finetune);
  CHECK(s.tune.method == Method::lora);
  CHECK(s.run.global_batch == 8);
  CHECK(s.cluster.tp * s.cluster.cp == 8);
}

TEST_CASE("plan: a row that lacks what a planner knows is skipped with the reason") {
  for (const char* column : {"params_b", "tokens_b", "accelerator_id"}) {
    INFO(column);
    CHECK(only_row(with(kRunRow, {{column, ""}})).skipped == std::string(column) + " is empty");
  }
  CHECK(contains(only_row(with(kRunRow, {{"tokens_b", "-3"}})).skipped, "not a positive number"));
  CHECK(contains(only_row(with(kRunRow, {{"year", "soon"}})).skipped, "not a number"));
  for (const char* count : {"-4", "0", "2.5", "1e300"})
    CHECK(contains(only_row(with(kRunRow, {{"n_accelerators", count}})).skipped, "not a count"));
  CHECK(contains(only_row(with(kRunRow, {{"run_kind", "guess"}})).skipped, "run_kind"));
  CHECK(only_row(with(kRunRow, {{"excluded", "1"}, {"excluded_reason", "distillation"}})).skipped ==
        "excluded: 1 (distillation)");
  CHECK(contains(only_row(with(kRunRow, {{"n_accelerators", ""}})).note, "about a month"));
}

TEST_CASE("validate: the sample of the documentation is predicted in full") {
  const Validation v = validate(text_of_file("/docs/my-runs.csv"));
  CHECK(v.problems.empty());
  CHECK(v.rows.size() >= 4);
  CHECK(v.skipped == 0);
}

TEST_CASE("validate: columns that the documentation names are those that are read") {
  const std::string text = text_of_file("/docs/validate.md");
  for (const Vocabulary& v : vocabularies()) {
    INFO(v.column);
    CHECK(contains(text, "`" + std::string(v.column) + "`"));
    for (const std::string_view word : v.words) {
      INFO(word);
      CHECK(contains(text, word));
    }
  }
}

TEST_CASE("validate: the documentation shows what the command prints") {
  const std::string printed = validation_text(validate(text_of_file("/docs/my-runs.csv")), false);
  INFO(printed);
  CHECK(contains(text_of_file("/docs/validate.md"), printed));
}

TEST_CASE("published: every reading of memory is predicted") {
  const Validation v = validate(text_of_file("/tests/published/memory.csv"));
  CHECK(v.rows.size() == 289);
  CHECK(v.sources.size() == 8);
  for (const ValidatedRow& row : v.rows) {
    INFO(row.id);
    CHECK(row.skipped == "");
  }
}

TEST_CASE("published: every training speed and every whole run is predicted") {
  for (const char* file : {"/tests/published/throughput.csv", "/tests/published/runs.csv"}) {
    const Validation v = validate(text_of_file(file));
    INFO(file);
    CHECK(v.rows.size() > 100);
    for (const ValidatedRow& row : v.rows) {
      INFO(row.id);
      CHECK(row.skipped == "");
      CHECK(row.predicted > 0);
    }
  }
}

TEST_CASE("published: step times are within the limits that we promise") {
  const Validation v = validate(text_of_file("/tests/published/throughput.csv"));
  INFO(validation_text(v, false));
  CHECK(v.mean_of_source_medians <= 0.08);
  CHECK(v.median_abs <= 0.07);
  CHECK(v.p90_abs <= 0.20);
  const auto source = [&](std::string_view name) {
    for (const ValidatedGroup& g : v.sources)
      if (g.name == name) return g;
    return ValidatedGroup{};
  };
  CHECK(source("korthikanti-2022").rows == 8);
  double sum = 0, most = 0;
  for (const ValidatedRow& row : v.rows) {
    if (row.source_id != "korthikanti-2022") continue;
    sum += std::fabs(row.error) / 8;
    most = std::max(most, std::fabs(row.error));
  }
  CHECK(sum <= 0.025);
  CHECK(most <= 0.06);
}

TEST_CASE("published: GPU-hours of whole runs are within the limits that we promise") {
  const Validation v = validate(text_of_file("/tests/published/runs.csv"));
  INFO(validation_text(v, false));
  CHECK(v.rows.size() == 116);
  CHECK(v.median_abs <= 0.20);
}

TEST_CASE("published: memory is within the limits that we promise") {
  const Validation v = validate(text_of_file("/tests/published/memory.csv"));
  INFO(validation_text(v, false));
  CHECK(v.mean_of_source_medians <= 0.06);
  CHECK(v.median_abs <= 0.05);
  CHECK(v.p90_abs <= 0.20);
  CHECK(v.skipped <= 0.05 * v.all);
}
