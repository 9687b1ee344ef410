// SPDX-License-Identifier: MIT
// What every writer of launch texts works from, and the writers themselves: each adds files, and a
// sentence for what its launcher has no word for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "envelope/estimate.h"
#include "envelope/launch_text.h"

namespace envelope {

/// A row of core/catalog/launchers.json.
struct Launcher {
  std::string id, name, version, as_of, source;
  std::vector<std::string> covers, vendors, stacks;
};

struct LaunchFile {
  std::string name;
  std::string_view language;  ///< sh, yaml, toml or json
  std::string text;
};

struct Launch {
  const Launcher* launcher = nullptr;  ///< Null where none can run the scenario.
  std::vector<const Launcher*> possible;
  struct Refusal {
    const Launcher* launcher;
    std::string why;
  };
  std::vector<Refusal> impossible;
  std::vector<LaunchFile> files;
  std::vector<std::string> notes;
};

struct Job {
  const Scenario& s;
  const Report& r;
  std::string_view model_name;  ///< As the catalog says it.
  std::string hugging_face;     ///< organisation/name of the weights; empty where not known.
  std::string_view vendor;      ///< Of the accelerator.
  Ways w;
  double used = 1, nodes = 1, per_node = 1, seq = 1, steps = 1;
  double checkpoint_steps = 1;  ///< Training steps between checkpoints.
  Launch& out;

  void note(std::string sentence) const { out.notes.push_back(std::move(sentence)); }
  void file(std::string name, std::string_view language, std::string text) const {
    out.files.push_back({std::move(name), language, std::move(text)});
  }
};

/// The row of a launcher's own names for the model; null where it has none, or where the
/// architecture was changed.
template <class Row, std::size_t N>
const Row* row_of(const Row (&rows)[N], const Job& job) {
  if (job.hugging_face.empty()) return nullptr;
  for (const Row& row : rows)
    if (row.model == std::string_view(job.s.model.id)) return &row;
  return nullptr;
}

/// Why the launcher cannot run the scenario at all; empty where it can.
using Refuse = std::string (*)(const Job&);
using Write = void (*)(const Job&);

std::string refuse_megatron(const Job& job);
void write_megatron(const Job& job);
std::string refuse_bridge(const Job& job);
void write_bridge(const Job& job);
std::string refuse_torchtitan(const Job& job);
void write_torchtitan(const Job& job);
std::string refuse_maxtext(const Job& job);
void write_maxtext(const Job& job);

std::string refuse_deepspeed(const Job& job);
void write_deepspeed(const Job& job);
std::string refuse_accelerate(const Job& job);
void write_accelerate(const Job& job);
std::string refuse_axolotl(const Job& job);
void write_axolotl(const Job& job);
std::string refuse_torchtune(const Job& job);
void write_torchtune(const Job& job);

std::string refuse_serving(const Job& job);
std::string refuse_tensorrt(const Job& job);
void write_vllm(const Job& job);
void write_sglang(const Job& job);
void write_tensorrt(const Job& job);

/// "TP 8, PP 16" of what is above 1; "one GPU" where nothing is.
std::string layout_words(const Job& job);
/// torchrun with the numbers of nodes and processes, before the script.
std::string torchrun(const Job& job);
/// Its variables: this node's rank and the first node's address.
std::vector<Variable> torchrun_variables(const Job& job);
/// Ranks that share the states, in the words of data parallelism: ZeRO-3 over 64 of 128.
double shard_of(const Job& job);
/// The same head for every file.
std::string banner(const Job& job, std::string_view what);

}  // namespace envelope
