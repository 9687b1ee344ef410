// SPDX-License-Identifier: MIT
#include "envelope/launch.h"

#include <algorithm>
#include <cmath>

#include "envelope/catalog.h"
#include "envelope/embedded.h"
#include "envelope/json.h"

namespace envelope {
namespace {

const struct {
  std::string_view id;
  Refuse refuse;
  Write write;
} kWriters[] = {
    {"megatron-lm", refuse_megatron, write_megatron},
    {"megatron-bridge", refuse_bridge, write_bridge},
    {"torchtitan", refuse_torchtitan, write_torchtitan},
    {"deepspeed", refuse_deepspeed, write_deepspeed},
    {"accelerate", refuse_accelerate, write_accelerate},
    {"maxtext", refuse_maxtext, write_maxtext},
    {"axolotl", refuse_axolotl, write_axolotl},
    {"torchtune", refuse_torchtune, write_torchtune},
    {"vllm", refuse_serving, write_vllm},
    {"sglang", refuse_serving, write_sglang},
    {"tensorrt-llm", refuse_tensorrt, write_tensorrt},
};

std::vector<std::string> texts(const Json& row, std::string_view key) {
  std::vector<std::string> out;
  if (const Json* list = row.find(key))
    for (const Json& item : list->items) out.push_back(item.text);
  return out;
}

std::vector<Launcher> read_launchers() {
  std::vector<Launcher> rows;
  Json file;
  Problems problems;
  const std::string_view text = embedded::launchers();
  if (!parse_json(text, file, problems, text.size())) return rows;
  if (const Json* list = file.find("rows"))
    for (const Json& in : list->items)
      rows.push_back({std::string(in.text_at("id")), std::string(in.text_at("name")),
                      std::string(in.text_at("version")),
                      std::string(in.text_at("as_of", "2026-11")),
                      std::string(in.text_at("source")), texts(in, "covers"), texts(in, "vendors"),
                      texts(in, "stacks")});
  return rows;
}

bool holds(const std::vector<std::string>& list, std::string_view item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& each : list) out.append(out.empty() ? "" : ", ").append(each);
  return out;
}

std::string label_of(std::string_view path, const Scenario& s) {
  const Field& f = *field_by_path(path);
  return std::string(f.choices[static_cast<std::size_t>(get_number(f, s))].label);
}

constexpr std::string_view kTaskIds[] = {"pretrain", "finetune", "serve"};
constexpr std::string_view kTaskWords[] = {"pretraining", "fine-tuning", "serving"};

/// A row's own architecture, untouched by the person: its published weights then fit.
bool as_published(const Scenario& s) {
  Scenario row;
  row.catalog = s.catalog;
  row.model.id = s.model.id;
  fill_model(row);
  for (const Field& f : fields())
    if (f.path.substr(0, 6) == "model." && !same(f, row, s)) return false;
  return true;
}

std::string hugging_face_id(const Scenario& s) {
  constexpr std::string_view kHub = "https://huggingface.co/";
  const Row* row = find_row(catalog().models, s.model.id);
  if (!row || !as_published(s)) return "";
  for (const std::string& source : {row->published_source, row->source}) {
    if (source.compare(0, kHub.size(), kHub) != 0) continue;
    std::string name = source.substr(kHub.size());
    const bool two = std::count(name.begin(), name.end(), '/') == 1;
    if (two && name.compare(0, 5, "docs/") != 0) return name;
  }
  return "";
}

/// Accelerators of one host. A scale-up domain may span hosts: NVL72 has four GPUs in each.
double host_size(const Scenario& s, std::string_view vendor) {
  if (vendor == "Google") return 4;
  if (s.gpu.domain > 16) return 4;
  return std::max(s.gpu.domain, 8.0);
}

double largest_share(double number, double most) {
  for (double n = most; n > 1; --n)
    if (std::floor(number / n) * n == number) return n;
  return 1;
}

/// Steps between checkpoints, by the interval of the goodput; a round number where none is known.
double checkpoint_steps(const Job& job) {
  constexpr double kOtherwise = 500;
  std::vector<Step> notes;
  goodput(job.s, job.r.memory, job.r.time, job.r.layout.used, Ledger(notes));
  double every = kOtherwise;
  for (const Step& each : notes)
    if (each.id == "goodput.interval") {
      const double n = std::floor(each.value / job.r.time.step.value);
      if (n >= 1 && n < 1e9) every = n;
    }
  return std::clamp(every, 1.0, std::max(1.0, job.steps));
}

std::string refusal(const Launcher& row, Refuse refuse, const Job& job) {
  const std::size_t task = static_cast<std::size_t>(job.s.run.task);
  if (!holds(row.covers, kTaskIds[task]))
    return row.name + " is not for " + std::string(kTaskWords[task]) + ".";
  if (!holds(row.vendors, job.vendor))
    return row.name + " runs on accelerators of " + joined(row.vendors) + ", not of " +
           std::string(job.vendor) + ".";
  if (!job.r.architecture.known)
    return "Only the number of parameters is known: give the architecture, or choose a model.";
  return refuse(job);
}

/// What few launchers have a word for.
void state_notes(const Job& job) {
  const Scenario& s = job.s;
  const std::string &id = job.out.launcher->id, &name = job.out.launcher->name;
  const bool own_script = id == "deepspeed" || id == "accelerate";
  const bool full = s.run.task == Task::pretrain || s.tune.method == Method::full;
  if (s.states.in_backward && id != "torchtitan" && !(id == "torchtune" && full))
    job.note(name + " updates the weights behind the backward pass, not in it.");
  if (given(s.run.document) && id != "megatron-lm" && id != "axolotl" && id != "torchtune")
    job.note("Documents of " + number_text(s.run.document) + " tokens share a sequence here; " +
             (own_script ? "your script" : "the loader of " + name) +
             " must keep them from seeing each other.");
  const Format w = s.states.weights;
  if (full && w != Format::fp32 && w != Format::bf16 && w != Format::fp16)
    job.note("The calculation keeps trained weights in " + label_of("states.weights", s) +
             "; the text has no word for that.");
  const bool eight = s.states.optimizer == Optimizer::adam_8bit;
  const bool written = id == "megatron-lm" && s.cluster.zero >= 1;
  if (!eight && s.states.optimizer_format != Format::fp32 && !written && id != "torchtitan")
    job.note("The calculation keeps optimizer states in " + label_of("states.optimizer_format", s) +
             "; the text has no word for that.");
}

}  // namespace

const std::vector<Launcher>& launchers() {
  static const std::vector<Launcher> rows = read_launchers();
  return rows;
}

std::string layout_words(const Job& job) {
  std::string out;
  const struct {
    const char* name;
    double ways;
  } kinds[] = {{"TP ", job.w.tp},
               {"PP ", job.w.pp},
               {"CP ", job.w.cp},
               {"EP ", job.s.model.experts > 0 ? job.w.ep : 1},
               {"DP ", job.w.dp}};
  for (const auto& [name, ways] : kinds)
    if (ways > 1) out.append(out.empty() ? "" : ", ").append(name).append(number_text(ways));
  return out.empty() ? "one accelerator" : out;
}

std::string banner(const Job& job, std::string_view what) {
  std::string out(what);
  out.append("\n").append(job.model_name).append(", ").append(number_text(job.used));
  out.append(job.used == 1 ? " accelerator: " : " accelerators: ").append(layout_words(job));
  return out + ".\nFlags of " + job.out.launcher->name + ", " + job.out.launcher->version + ".";
}

std::vector<Variable> torchrun_variables(const Job& job) {
  if (job.nodes == 1) return {};
  return {{"MASTER_ADDR", "the address of the first node", ""},
          {"NODE_RANK", "0 on the first node, 1 on the next, and so on", ""}};
}

std::string torchrun(const Job& job) {
  std::string out = "torchrun --nnodes " + plain_number(job.nodes) + " --nproc-per-node " +
                    plain_number(job.per_node);
  if (job.nodes > 1)
    out.append(" \\\n    --node-rank \"$NODE_RANK\" --master-addr \"$MASTER_ADDR\"")
        .append(" --master-port 29500");
  return out;
}

double shard_of(const Job& job) { return std::min(job.w.shard, job.w.dp * job.w.cp); }

Launch launch(const Scenario& s, std::string_view id, Problems& problems) {
  Launch out;
  const Report r = estimate(s);
  const Row* model = find_row(catalog().models, s.model.id);
  const Row* gpu = find_row(catalog().accelerators, s.gpu.id);
  const bool serve = s.run.task == Task::serve;
  Job job{.s = s,
          .r = r,
          .model_name = model ? std::string_view(model->name) : std::string_view(s.model.id),
          .hugging_face = hugging_face_id(s),
          .vendor = gpu ? std::string_view(gpu->family) : std::string_view("NVIDIA"),
          .w = r.layout.ways,
          .out = out};
  if (serve || r.memory.by_rule) {
    job.w = Ways{};
    job.w.tp = r.layout.tp;
    job.w.pp = serve ? 1 : r.layout.pp;
    job.w.dp = r.layout.dp;
    job.w.shard = job.w.dp;
    job.w.micro_batches =
        serve ? 1 : std::max(1.0, std::ceil(s.run.global_batch / (s.run.micro_batch * job.w.dp)));
  }
  job.used = job.w.tp * job.w.pp * job.w.cp * job.w.dp;
  const double host = host_size(s, job.vendor);
  job.per_node = largest_share(job.used, std::min(host, job.used));
  job.nodes = job.used / job.per_node;
  job.seq = sequence_length(s);
  job.steps = given(r.time.steps) && r.time.steps >= 1 ? std::ceil(r.time.steps) : 1;
  if (!serve) job.checkpoint_steps = checkpoint_steps(job);

  const Launcher* wanted = nullptr;
  for (const Launcher& row : launchers()) {
    if (row.id == id) wanted = &row;
    for (const auto& writer : kWriters) {
      if (writer.id != row.id) continue;
      std::string why = refusal(row, writer.refuse, job);
      if (why.empty())
        out.possible.push_back(&row);
      else
        out.impossible.push_back({&row, std::move(why)});
    }
  }
  if (!id.empty() && !wanted) {
    std::string known;
    for (const Launcher& row : launchers()) known.append(known.empty() ? "" : ", ").append(row.id);
    problems.push_back({"launcher", Severity::error, "unknown_choice",
                        quoted(id) + " is no launcher that is known here.",
                        "Give one of " + known + ".", std::string(id)});
  }
  if (wanted && std::find(out.possible.begin(), out.possible.end(), wanted) == out.possible.end()) {
    for (const auto& each : out.impossible)
      if (each.launcher == wanted)
        problems.push_back({"launcher", Severity::error, "not_possible", each.why,
                            "Choose another launcher, or another layout.", std::string(id)});
    wanted = nullptr;
  }
  if (out.possible.empty()) return out;
  if (!wanted) {
    wanted = out.possible.front();
    std::size_t longest = 0;  // the stack that matches best: fsdp2-2024 is torchtitan, not FSDP
    for (const Launcher* row : out.possible)
      for (const std::string& stack : row->stacks)
        if (stack.size() > longest &&
            std::string_view(s.stack.id).compare(0, stack.size(), stack) == 0) {
          longest = stack.size();
          wanted = row;
        }
  }
  out.launcher = wanted;
  if (!serve && given(s.cluster.gpus) && job.used < s.cluster.gpus)
    job.note(number_text(s.cluster.gpus - job.used) + " of the " + number_text(s.cluster.gpus) +
             " accelerators stay idle: they are no whole replica.");
  if (job.nodes > 1 && job.per_node != host)
    job.note(number_text(job.used) + " accelerators are no whole number of hosts with " +
             number_text(host) + ": the text starts " + number_text(job.per_node) + " on each of " +
             number_text(job.nodes) + ".");
  if (!r.layout.fits)
    job.note("By this calculation the layout does not fit into memory: the run may stop there.");
  if (!serve) state_notes(job);
  for (const auto& writer : kWriters)
    if (writer.id == wanted->id) writer.write(job);
  return out;
}

}  // namespace envelope
