// SPDX-License-Identifier: MIT
#include "envelope/hf_reader.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "envelope/fields.h"

namespace envelope {
namespace {

constexpr std::size_t kMostProblems = 50, kLongestKey = 80;

const Json& nothing() {
  static const Json json = [] {
    Json empty;
    empty.kind = Json::Kind::object;
    return empty;
  }();
  return json;
}

std::string_view kind_name(const Json& json) {
  switch (json.kind) {
    case Json::Kind::null:
      return "null";
    case Json::Kind::flag:
      return "true or false";
    case Json::Kind::number:
      return "a number";
    case Json::Kind::text:
      return "a text";
    case Json::Kind::array:
      return "a list";
    case Json::Kind::object:
      return "an object";
  }
  return "";
}

std::string_view first_name(std::string_view names) { return names.substr(0, names.find(' ')); }

template <class Visit>
void each_name(std::string_view names, const Visit& visit) {
  while (!names.empty()) {
    const std::size_t space = std::min(names.find(' '), names.size());
    if (space > 0) visit(names.substr(0, space));
    names.remove_prefix(std::min(space + 1, names.size()));
  }
}

std::string shown(const Json& json) {
  if (json.kind == Json::Kind::number) return number_text(json.number);
  if (json.kind == Json::Kind::flag) return json.flag ? "true" : "false";
  if (json.kind == Json::Kind::text) return json.text.substr(0, kLongestKey);
  return std::string(kind_name(json));
}

// Parts of names that change neither a parameter nor a byte of the cache: training and sampling
// settings, rotary embeddings, scales, token ids.
constexpr auto kHarmless = std::to_array<std::string_view>({"dropout",
                                                            "pdrop",
                                                            "_eps",
                                                            "epsilon",
                                                            "token",
                                                            "rope",
                                                            "rotary",
                                                            "initializer",
                                                            "init_",
                                                            "_loss",
                                                            "loss_",
                                                            "scaling",
                                                            "multiplier",
                                                            "softcap",
                                                            "label",
                                                            "act_fn",
                                                            "hidden_act",
                                                            "activation",
                                                            "implementation",
                                                            "dtype",
                                                            "output_",
                                                            "return_",
                                                            "use_cache",
                                                            "fusion",
                                                            "fp32",
                                                            "upcast",
                                                            "temperature",
                                                            "summary_",
                                                            "num_beams",
                                                            "beam",
                                                            "task_specific",
                                                            "pretraining_tp",
                                                            "transformers_version",
                                                            "kernels",
                                                            "jitter",
                                                            "scale_attn",
                                                            "attn_scale",
                                                            "_beta",
                                                            "position_embedding",
                                                            "softmax",
                                                            "time_step",
                                                            "_alpha",
                                                            "norm_topk",
                                                            "topk_group",
                                                            "n_group",
                                                            "scoring",
                                                            "topk_method",
                                                            "router_aux",
                                                            "aux_loss",
                                                            "seq_aux",
                                                            "logits_to_keep",
                                                            "checkpointing",
                                                            "ep_size",
                                                            "num_return",
                                                            "clip_qkv",
                                                            "logit_scale",
                                                            "chunk_size",
                                                            "tokenizer",
                                                            "rescale",
                                                            "residual_in",
                                                            "cache_dtype",
                                                            "ngram",
                                                            "bad_words",
                                                            "tie_encoder",
                                                            "prune",
                                                            "chunk_size_feed",
                                                            "is_encoder",
                                                            "torchscript",
                                                            "diversity",
                                                            "length",
                                                            "penalty",
                                                            "problem_type",
                                                            "finetuning",
                                                            "attn_pdrop",
                                                            "query_pre_attn",
                                                            "floor_scale",
                                                            "verbose",
                                                            "init_device",
                                                            "embedding_fraction",
                                                            "masked",
                                                            "slow_but",
                                                            "skip_bias",
                                                            "auto_map",
                                                            "architectures",
                                                            "_name_or_path",
                                                            "model_type",
                                                            "revision",
                                                            "use_bfloat16",
                                                            "keys_to_ignore",
                                                            "image_",
                                                            "video_",
                                                            "audio_",
                                                            "vision_",
                                                            "spatial_",
                                                            "mm_",
                                                            "projector",
                                                            "partial",
                                                            "mup_",
                                                            "dim_model_base",
                                                            "scale_emb",
                                                            "scale_depth",
                                                            "quant"});

// Parts of names that could change what is counted.
constexpr auto kMatter = std::to_array<std::string_view>(
    {"expert", "moe",    "attn",         "attention", "head",  "layer",     "ssm",    "mamba",
     "conv",   "window", "state",        "rank",      "lora",  "linear",    "block",  "ffn",
     "mlp",    "hidden", "intermediate", "embed",     "vocab", "mtp",       "nextn",  "sparse",
     "gate",   "norm",   "bias",         "kv_",       "_kv",   "num_",      "_dim",   "_size",
     "altup",  "laurel", "latent",       "shared",    "index", "recurrent", "memory", "adapter",
     "hybrid", "expand", "group"});

template <std::size_t N>
bool has_part(std::string_view key, const std::array<std::string_view, N>& parts) {
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) {
    return key.find(part) != std::string_view::npos;
  });
}

/// Turned off: such a key changes nothing.
bool is_off(const Json& json) {
  switch (json.kind) {
    case Json::Kind::null:
      return true;
    case Json::Kind::flag:
      return !json.flag;
    case Json::Kind::number:
      return json.number == 0;
    case Json::Kind::text:
      return json.text.empty();
    case Json::Kind::array:
    case Json::Kind::object:
      return json.items.empty();
  }
  return true;
}

}  // namespace

HfReader::HfReader(const Json& object, std::string prefix, bool nested, Problems& problems)
    : object_(&object),
      prefix_(std::move(prefix)),
      nested_(nested),
      problems_(&problems),
      used_(object.keys.size()) {}

void HfReader::add(Severity severity, std::string_view key, std::string_view code,
                   std::string message, std::string hint) {
  if (problems_->size() >= kMostProblems) return;
  const Json* at = object_->find(key);
  problems_->push_back({path(key.substr(0, kLongestKey)), severity, code, std::move(message),
                        std::move(hint), at ? shown(*at) : std::string()});
}
void HfReader::error(std::string_view key, std::string_view code, std::string message,
                     std::string hint) {
  add(Severity::error, key, code, std::move(message), std::move(hint));
}
void HfReader::warn(std::string_view key, std::string_view code, std::string message,
                    std::string hint) {
  add(Severity::warning, key, code, std::move(message), std::move(hint));
}
void HfReader::note(std::string_view key, std::string_view code, std::string message,
                    std::string hint) {
  add(Severity::note, key, code, std::move(message), std::move(hint));
}

const Json* HfReader::find(Names names) {
  const Json* found = nullptr;
  each_name(names, [&](std::string_view name) {
    for (std::size_t i = 0; i < object_->keys.size(); ++i) {
      if (object_->keys[i] != name) continue;
      used_[i] = true;
      if (!found && object_->items[i].kind != Json::Kind::null) found = &object_->items[i];
      break;
    }
  });
  return found;
}

double HfReader::checked(Names names, const Json& json, double least, double most, bool whole,
                         std::string_view what, double otherwise) {
  std::string_view key = first_name(names);
  each_name(names, [&](std::string_view name) {
    if (object_->find(name) == &json) key = name;
  });
  const double x = json.number;
  if (json.kind != Json::Kind::number) {
    error(key, "wrong_type",
          "\"" + std::string(key) + "\" is " + std::string(kind_name(json)) + ", not a number.",
          "Give a number.");
    return otherwise;
  }
  if (x >= least && x <= most && (!whole || std::floor(x) == x)) return x;
  error(key, "out_of_range",
        "\"" + std::string(key) + "\" is " + number_text(x) + "; " + std::string(what) +
            " can be " + (whole ? "whole numbers from " : "from ") + number_text(least) + " to " +
            number_text(most) + ".",
        "Correct the file.");
  return otherwise;
}

double HfReader::number(Names names, std::string_view field, double otherwise) {
  const Json* json = find(names);
  if (!json) return otherwise;
  const Field& f = *field_by_path(field);
  return checked(names, *json, f.min, f.max, f.flags & kWhole, f.label, otherwise);
}

double HfReader::count(Names names, double otherwise, double least, double most) {
  const Json* json = find(names);
  return json ? checked(names, *json, least, most, true, "it", otherwise) : otherwise;
}

double HfReader::essential(Names names, std::string_view field, double of_class) {
  if (!has(names)) {
    if (nested_ && given(of_class)) {
      defaulted_.push_back(first_name(names));
      return of_class;
    }
    error(first_name(names), "missing_key",
          "\"" + std::string(first_name(names)) +
              "\" is missing, and the model cannot be counted " + "without it.",
          "Use the whole config.json, or add the key.");
    return given(of_class) ? of_class : 1;
  }
  return number(names, field, given(of_class) ? of_class : 1);
}

bool HfReader::flag(Names names, bool otherwise) {
  const Json* json = find(names);
  if (!json) return otherwise;
  if (json->kind == Json::Kind::flag) return json->flag;
  if (json->kind == Json::Kind::number && (json->number == 0 || json->number == 1))
    return json->number == 1;
  error(first_name(names), "wrong_type",
        "\"" + std::string(first_name(names)) + "\" is " + std::string(kind_name(*json)) +
            ", not true or false.",
        "Give true or false.");
  return otherwise;
}

std::string_view HfReader::text(Names names, std::string_view otherwise) {
  const Json* json = find(names);
  return json && json->kind == Json::Kind::text ? std::string_view(json->text) : otherwise;
}

std::vector<std::string_view> HfReader::words(Names names) {
  std::vector<std::string_view> out;
  const Json* json = find(names);
  if (!json) return out;
  for (const Json& item : json->items) {
    if (json->kind != Json::Kind::array || item.kind != Json::Kind::text) {
      out.clear();
      break;
    }
    out.push_back(item.text);
  }
  if (json->kind != Json::Kind::array || out.size() != json->items.size())
    error(first_name(names), "wrong_type",
          "\"" + std::string(first_name(names)) + "\" is not a list of words.",
          "Give one word for each layer.");
  return out;
}

std::vector<double> HfReader::numbers(Names names) {
  std::vector<double> out;
  const Json* json = find(names);
  if (!json) return out;
  for (const Json& item : json->items)
    if (json->kind == Json::Kind::array && item.kind == Json::Kind::number)
      out.push_back(item.number);
  if (json->kind != Json::Kind::array || out.size() != json->items.size()) {
    out.clear();
    error(first_name(names), "wrong_type",
          "\"" + std::string(first_name(names)) + "\" is not a list of numbers.",
          "Give a list of numbers.");
  }
  return out;
}

HfReader HfReader::inner(std::string_view name) {
  const Json* json = find(name);
  if (json && json->kind != Json::Kind::object) {
    error(name, "wrong_type",
          "\"" + std::string(name) + "\" is " + std::string(kind_name(*json)) + ", not an object.",
          "Give an object.");
    json = nullptr;
  }
  return {json ? *json : nothing(), path(name) + ".", nested_, *problems_};
}

void HfReader::rest() {
  for (std::size_t i = 0; i < object_->keys.size(); ++i) {
    const std::string& key = object_->keys[i];
    if (used_[i] || is_off(object_->items[i]) || has_part(key, kHarmless) ||
        !has_part(key, kMatter))
      continue;
    warn(key, "unknown_key",
         "\"" + key.substr(0, kLongestKey) +
             "\" is not understood here and was left out; it may change the model.",
         "Compare the parameter count with the published one.");
  }
}

}  // namespace envelope
