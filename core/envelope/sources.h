// SPDX-License-Identifier: MIT
// Every citation once. Tables elsewhere name a source by its key.
#pragma once

#include <string_view>

namespace envelope {

struct Source {
  std::string_view key, author;
  int year;  ///< Of the first public version; 0 for a page that is kept up to date without one.
  std::string_view title, url;  ///< An empty URL: no stable public address is known.
};

inline constexpr Source kSources[] = {
    // Our own work.
    {"envelope", "Envelope", 2026, "Derived in this project from first principles", ""},
    {"envelope-groundtruth", "Envelope", 2026,
     "Published training speeds collected by this project", ""},

    // The documents that the replays recompute.
    {"azad-2024", "Mehdi Azad", 2024,
     "Back-of-the-envelope calculation for GPU requirements of LLMs", ""},
    {"lecture-18", "Lecture slides", 0, "Lecture 18: Scaling", ""},
    {"guimera-2023", "Sergi Guimerà Roig", 2023, "Challenges for scaling DL models with GPUs", ""},
    {"why-so-many-gpus-2024", "Blog post", 2024, "Why so many GPUs", ""},

    // Whole runs: failures and checkpoints.
    {"young-1974", "Young", 1974, "A first order approximation to the optimum checkpoint interval",
     "https://doi.org/10.1145/361147.361115"},
    {"daly-2006", "Daly", 2006,
     "A higher order estimate of the optimum checkpoint interval for restart dumps",
     "https://doi.org/10.1016/j.future.2004.11.016"},
    {"llama-3-2024", "Grattafiori et al.", 2024, "The Llama 3 Herd of Models",
     "https://arxiv.org/abs/2407.21783"},
    {"jiang-2024", "Jiang et al.", 2024,
     "MegaScale: Scaling Large Language Model Training to More Than 10,000 GPUs",
     "https://arxiv.org/abs/2402.15627"},

    // Scaling laws.
    {"hestness-2017", "Hestness et al.", 2017, "Deep Learning Scaling is Predictable, Empirically",
     "https://arxiv.org/abs/1712.00409"},
    {"kaplan-2020", "Kaplan et al.", 2020, "Scaling Laws for Neural Language Models",
     "https://arxiv.org/abs/2001.08361"},
    {"henighan-2020", "Henighan et al.", 2020,
     "Scaling Laws for Autoregressive Generative Modeling", "https://arxiv.org/abs/2010.14701"},
    {"hoffmann-2022", "Hoffmann et al.", 2022, "Training Compute-Optimal Large Language Models",
     "https://arxiv.org/abs/2203.15556"},
    {"besiroglu-2024", "Besiroglu et al.", 2024, "Chinchilla Scaling: A replication attempt",
     "https://arxiv.org/abs/2404.10102"},

    // Architectures.
    {"vaswani-2017", "Vaswani et al.", 2017, "Attention Is All You Need",
     "https://arxiv.org/abs/1706.03762"},
    {"brown-2020", "Brown et al.", 2020, "Language Models are Few-Shot Learners",
     "https://arxiv.org/abs/2005.14165"},
    {"dosovitskiy-2020", "Dosovitskiy et al.", 2020,
     "An Image is Worth 16x16 Words: Transformers for Image Recognition at Scale",
     "https://arxiv.org/abs/2010.11929"},
    {"shazeer-2017", "Shazeer et al.", 2017,
     "Outrageously Large Neural Networks: The Sparsely-Gated Mixture-of-Experts Layer",
     "https://arxiv.org/abs/1701.06538"},
    {"shazeer-2019", "Shazeer", 2019, "Fast Transformer Decoding: One Write-Head is All You Need",
     "https://arxiv.org/abs/1911.02150"},
    {"shazeer-2020", "Shazeer", 2020, "GLU Variants Improve Transformer",
     "https://arxiv.org/abs/2002.05202"},
    {"ainslie-2023", "Ainslie et al.", 2023,
     "GQA: Training Generalized Multi-Query Transformer Models from Multi-Head Checkpoints",
     "https://arxiv.org/abs/2305.13245"},
    {"deepseek-v2-2024", "DeepSeek-AI", 2024,
     "DeepSeek-V2: A Strong, Economical, and Efficient Mixture-of-Experts Language Model",
     "https://arxiv.org/abs/2405.04434"},
    {"deepseek-v3-2024", "DeepSeek-AI", 2024, "DeepSeek-V3 Technical Report",
     "https://arxiv.org/abs/2412.19437"},
    {"lepikhin-2020", "Lepikhin et al.", 2020,
     "GShard: Scaling Giant Models with Conditional Computation and Automatic Sharding",
     "https://arxiv.org/abs/2006.16668"},
    {"gu-2023", "Gu and Dao", 2023,
     "Mamba: Linear-Time Sequence Modeling with Selective State Spaces",
     "https://arxiv.org/abs/2312.00752"},
    {"dao-2024", "Dao and Gu", 2024,
     "Transformers are SSMs: Generalized Models and Efficient Algorithms Through Structured State "
     "Space Duality",
     "https://arxiv.org/abs/2405.21060"},
    {"yang-2024", "Yang et al.", 2024, "Gated Delta Networks: Improving Mamba2 with Delta Rule",
     "https://arxiv.org/abs/2412.06464"},
    {"lieber-2024", "Lieber et al.", 2024, "Jamba: A Hybrid Transformer-Mamba Language Model",
     "https://arxiv.org/abs/2403.19887"},
    {"beltagy-2020", "Beltagy et al.", 2020, "Longformer: The Long-Document Transformer",
     "https://arxiv.org/abs/2004.05150"},
    {"jiang-2023", "Jiang et al.", 2023, "Mistral 7B", "https://arxiv.org/abs/2310.06825"},

    // Training: memory, parallelism, speed.
    {"chen-2016", "Chen et al.", 2016, "Training Deep Nets with Sublinear Memory Cost",
     "https://arxiv.org/abs/1604.06174"},
    {"huang-2019", "Huang et al.", 2018,
     "GPipe: Efficient Training of Giant Neural Networks using Pipeline Parallelism",
     "https://arxiv.org/abs/1811.06965"},
    {"shoeybi-2019", "Shoeybi et al.", 2019,
     "Megatron-LM: Training Multi-Billion Parameter Language Models Using Model Parallelism",
     "https://arxiv.org/abs/1909.08053"},
    {"rajbhandari-2020", "Rajbhandari et al.", 2019,
     "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models",
     "https://arxiv.org/abs/1910.02054"},
    {"narayanan-2021", "Narayanan et al.", 2021,
     "Efficient Large-Scale Language Model Training on GPU Clusters Using Megatron-LM",
     "https://arxiv.org/abs/2104.04473"},
    {"korthikanti-2022", "Korthikanti et al.", 2022,
     "Reducing Activation Recomputation in Large Transformer Models",
     "https://arxiv.org/abs/2205.05198"},
    {"dao-2022", "Dao et al.", 2022,
     "FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness",
     "https://arxiv.org/abs/2205.14135"},
    {"chowdhery-2022", "Chowdhery et al.", 2022, "PaLM: Scaling Language Modeling with Pathways",
     "https://arxiv.org/abs/2204.02311"},
    {"patarasuk-2009", "Patarasuk and Yuan", 2009,
     "Bandwidth optimal all-reduce algorithms for clusters of workstations",
     "https://doi.org/10.1016/j.jpdc.2008.09.002"},
    {"stas-mamf", "Stas Bekman", 2024, "Machine Learning Engineering Open Book",
     "https://github.com/stas00/ml-engineering"},

    // Optimizers.
    {"kingma-2014", "Kingma and Ba", 2014, "Adam: A Method for Stochastic Optimization",
     "https://arxiv.org/abs/1412.6980"},
    {"shazeer-2018", "Shazeer and Stern", 2018,
     "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost",
     "https://arxiv.org/abs/1804.04235"},
    {"dettmers-2022-adam8", "Dettmers et al.", 2021, "8-bit Optimizers via Block-wise Quantization",
     "https://arxiv.org/abs/2110.02861"},
    {"chen-2023-lion", "Chen et al.", 2023, "Symbolic Discovery of Optimization Algorithms",
     "https://arxiv.org/abs/2302.06675"},
    {"jordan-2024", "Jordan et al.", 2024,
     "Muon: An optimizer for hidden layers in neural networks",
     "https://kellerjordan.github.io/posts/muon/"},

    // Fine-tuning.
    {"hu-2021", "Hu et al.", 2021, "LoRA: Low-Rank Adaptation of Large Language Models",
     "https://arxiv.org/abs/2106.09685"},
    {"li-2021", "Li and Liang", 2021, "Prefix-Tuning: Optimizing Continuous Prompts for Generation",
     "https://arxiv.org/abs/2101.00190"},
    {"zhang-2023", "Zhang et al.", 2023,
     "LLaMA-Adapter: Efficient Fine-tuning of Language Models with Zero-init Attention",
     "https://arxiv.org/abs/2303.16199"},
    {"gao-2023", "Gao et al.", 2023,
     "LLaMA-Adapter V2: Parameter-Efficient Visual Instruction Model",
     "https://arxiv.org/abs/2304.15010"},
    {"dettmers-2023", "Dettmers et al.", 2023, "QLoRA: Efficient Finetuning of Quantized LLMs",
     "https://arxiv.org/abs/2305.14314"},

    {"zhao-2023", "Zhao et al.", 2023,
     "PyTorch FSDP: Experiences on Scaling Fully Sharded Data Parallel",
     "https://arxiv.org/abs/2304.11277"},
    {"liu-2023", "Liu et al.", 2023,
     "Ring Attention with Blockwise Transformers for Near-Infinite Context",
     "https://arxiv.org/abs/2310.01889"},
    {"jacobs-2023", "Jacobs et al.", 2023,
     "DeepSpeed Ulysses: System Optimizations for Enabling Training of Extreme Long Sequence "
     "Transformer Models",
     "https://arxiv.org/abs/2309.14509"},
    {"qi-2024", "Qi et al.", 2024, "Zero Bubble Pipeline Parallelism",
     "https://arxiv.org/abs/2401.10241"},

    // Serving.
    {"pope-2022", "Pope et al.", 2022, "Efficiently Scaling Transformer Inference",
     "https://arxiv.org/abs/2211.05102"},
    {"leviathan-2023", "Leviathan et al.", 2022,
     "Fast Inference from Transformers via Speculative Decoding",
     "https://arxiv.org/abs/2211.17192"},

    // Number formats.
    {"ieee-754-2019", "IEEE", 2019, "IEEE 754-2019, Standard for Floating-Point Arithmetic",
     "https://doi.org/10.1109/IEEESTD.2019.8766229"},
    {"micikevicius-2018", "Micikevicius et al.", 2017, "Mixed Precision Training",
     "https://arxiv.org/abs/1710.03740"},
    {"kalamkar-2019", "Kalamkar et al.", 2019, "A Study of BFLOAT16 for Deep Learning Training",
     "https://arxiv.org/abs/1905.12322"},
    {"nvidia-a100-2020", "NVIDIA", 2020, "NVIDIA A100 Tensor Core GPU Architecture",
     "https://images.nvidia.com/aem-dam/en-zz/Solutions/data-center/"
     "nvidia-ampere-architecture-whitepaper.pdf"},
    {"micikevicius-2022", "Micikevicius et al.", 2022, "FP8 Formats for Deep Learning",
     "https://arxiv.org/abs/2209.05433"},
    {"dettmers-2022", "Dettmers et al.", 2022,
     "LLM.int8(): 8-bit Matrix Multiplication for Transformers at Scale",
     "https://arxiv.org/abs/2208.07339"},
    {"frantar-2022", "Frantar et al.", 2022,
     "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained Transformers",
     "https://arxiv.org/abs/2210.17323"},
    {"ocp-mx-2023", "Open Compute Project", 2023,
     "OCP Microscaling Formats (MX) Specification, version 1.0",
     "https://www.opencompute.org/documents/"
     "ocp-microscaling-formats-mx-v1-0-spec-final-pdf"},
    {"rouhani-2023", "Rouhani et al.", 2023, "Microscaling Data Formats for Deep Learning",
     "https://arxiv.org/abs/2310.10537"},
    {"nvidia-nvfp4-2025", "NVIDIA", 2025,
     "Introducing NVFP4 for Efficient and Accurate Low-Precision Inference",
     "https://developer.nvidia.com/blog/"
     "introducing-nvfp4-for-efficient-and-accurate-low-precision-inference/"},
    {"kwon-2023", "Kwon et al.", 2023,
     "Efficient Memory Management for Large Language Model Serving with PagedAttention",
     "https://arxiv.org/abs/2309.06180"},
    {"autoawq", "Casper Hansen", 2023, "AutoAWQ", "https://github.com/casper-hansen/AutoAWQ"},
    {"exllamav2", "turboderp", 2023, "ExLlamaV2: the EXL2 format and its converter",
     "https://github.com/turboderp-org/exllamav2"},
    {"executorch", "PyTorch", 2024, "ExecuTorch: Llama models on devices",
     "https://github.com/pytorch/executorch"},
    {"ggml", "ggml authors", 2023, "llama.cpp: the block formats of ggml",
     "https://github.com/ggml-org/llama.cpp"},
};

constexpr const Source* source(std::string_view key) {
  for (const Source& s : kSources)
    if (s.key == key) return &s;
  return nullptr;
}

}  // namespace envelope
