// SPDX-License-Identifier: MIT
#include "envelope/hf_config.h"

#include <algorithm>

#include "envelope/hf_families.h"
#include "envelope/hf_reader.h"
#include "envelope/patch.h"

namespace envelope {
namespace {

/// Files of models with 20,000 classes are about a megabyte; nothing real is larger.
constexpr std::size_t kLongestConfig = 2u << 20;

constexpr std::string_view kTextParts[] = {"text_config", "language_config", "llm_config"};

/// Class of a text_config that does not say its own.
std::string_view text_type(std::string_view model_type) {
  constexpr std::string_view kTypes[][2] = {
      {"gemma3", "gemma3_text"},   {"llama4", "llama4_text"},
      {"llava", "llama"},          {"llava_next", "llama"},
      {"mistral3", "mistral"},     {"pixtral", "mistral"},
      {"qwen2_vl", "qwen2"},       {"qwen2_5_vl", "qwen2"},
      {"qwen3_vl", "qwen3"},       {"qwen3_vl_moe", "qwen3_moe"},
      {"qwen3_5", "qwen3_5_text"}, {"qwen3_5_moe", "qwen3_5_moe_text"}};
  for (const auto& [outer, inner] : kTypes)
    if (outer == model_type) return inner;
  return {};
}

void fail(Problems& to, std::string_view path, std::string_view code, std::string message,
          std::string hint, std::string value = {}) {
  to.push_back({std::string(path), Severity::error, code, std::move(message), std::move(hint),
                std::move(value)});
}

/// What a file is called: where it came from, else what it is.
std::string name_of(const Json& root, std::string_view type) {
  std::string_view path = root.text_at("_name_or_path");
  while (path.ends_with('/')) path.remove_suffix(1);
  path.remove_prefix(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
  if (!path.empty() && path != "." && path != "..") return std::string(path.substr(0, 100));
  const Json* classes = root.find("architectures");
  if (classes && !classes->items.empty() && !classes->items[0].text.empty())
    return classes->items[0].text.substr(0, 100);
  return std::string(type.substr(0, 100));
}

void note_quantization(const Json& object, std::string_view prefix, Problems& to) {
  const Json* q = object.find("quantization_config");
  if (!q || q->kind != Json::Kind::object) return;
  const std::string_view method = q->text_at("quant_method");
  to.push_back(
      {std::string(prefix) + "quantization_config", Severity::note, "quantized",
       "The weights are stored quantized" +
           (method.empty() ? std::string() : " (" + std::string(method.substr(0, 40)) + ")") +
           "; the model is read, its format is not.",
       "Choose the weight format of serving by hand.", std::string(method.substr(0, 80))});
}

/// Every field of the model that is not that of an empty custom model, and the main sizes always.
Patch patch_of_model(const Model& model, Problems& to) {
  Scenario imported, custom;
  Problems none;
  custom = scenario_of({{"model.id", std::string("custom")}}, none);
  imported = custom;
  imported.model = model;
  imported.model.id = custom.model.id;
  const std::string_view main[] = {"model.layers",   "model.hidden",   "model.heads",
                                   "model.kv_heads", "model.head_dim", "model.ffn",
                                   "model.vocab",    "model.max_seq"};
  Patch patch = {{"model.id", std::string("custom")}};
  for (const Field& f : fields()) {
    if (!f.path.starts_with("model.") || f.path == "model.id") continue;
    if (same(f, imported, custom) &&
        std::find(std::begin(main), std::end(main), f.path) == std::end(main))
      continue;
    Value value = get(f, imported);
    Scenario scratch = custom;
    Problems problems = set(f, value, scratch);  // what was computed stays in range, too
    to.insert(to.end(), problems.begin(), problems.end());
    patch.emplace_back(std::string(f.path), std::move(value));
  }
  return patch;
}

}  // namespace

HfConfig import_hf_config(std::string_view text) {
  HfConfig out;
  Json root;
  if (text.size() > kLongestConfig) {
    fail(out.problems, "", "too_long",
         "The file is " + std::to_string(text.size()) + " bytes long; a config.json of " +
             "more than " + std::to_string(kLongestConfig) + " bytes is not read.",
         "Use the config.json of the model, not its weights or tokenizer.");
    return out;
  }
  if (!parse_json(text, root, out.problems, kLongestConfig)) return out;
  if (root.kind != Json::Kind::object) {
    fail(out.problems, "", "wrong_type", "A config.json is an object of keys and values.",
         "Paste the whole file, from { to }.");
    return out;
  }

  std::string_view type = root.text_at("model_type");
  const Json* object = &root;
  std::string prefix;
  for (const std::string_view part : kTextParts) {
    const Json* inner = root.find(part);
    if (object != &root || !inner || inner->kind != Json::Kind::object) continue;
    if (type == "clip" || type == "siglip" || type == "chinese_clip") {
      fail(out.problems, "model_type", "not_supported",
           "This file describes two models, of text and of images.",
           "Paste text_config or vision_config alone, with a model_type such as clip_text_model or "
           "clip_vision_model.",
           std::string(type));
      return out;
    }
    object = inner;
    prefix = std::string(part) + ".";
  }
  const bool nested = object != &root;
  for (const std::string_view part : {"vision_config", "audio_config"})
    if (!nested && root.find(part))
      out.problems.push_back({std::string(part), Severity::note, "text_only",
                              "This is a model of text and something else; its text part is read.",
                              "Add the rest as Other parameters, if it matters.",
                              std::string(type.substr(0, 80))});
  out.name = name_of(root, type);
  if (nested) {
    const std::string_view own = object->text_at("model_type");
    out.problems.push_back({prefix.substr(0, prefix.size() - 1), Severity::note, "text_only",
                            "This is a model of text and something else; its text part is read.",
                            "Add the rest as Other parameters, if it matters.", std::string(type)});
    type = own.empty() ? text_type(type) : own;
  }
  if (type.empty() && !nested && root.find("ssm_cfg")) out.name = type = "mamba_ssm";
  if (type.empty()) {
    fail(out.problems, prefix + "model_type", "missing_key",
         "\"model_type\" is missing, so what the other keys mean is not known.",
         "Use the config.json of a model on Hugging Face, or add its model_type.");
    return out;
  }

  Model model;
  HfReader reader(*object, prefix, nested, out.problems);
  reader.find("model_type tie_word_embeddings");
  if (!read_family(type, reader, model)) {
    fail(out.problems, prefix + "model_type", "unknown_family",
         "Models of the type \"" + std::string(type.substr(0, 40)) + "\" are not known here.",
         "Describe it as a custom model; if it has the shape of a known type, change model_type.",
         std::string(type.substr(0, 80)));
    return out;
  }
  // A multimodal model ties its head where its own file says so.
  if (nested && !object->find("tie_word_embeddings"))
    if (const Json* tied = root.find("tie_word_embeddings"); tied && tied->kind == Json::Kind::flag)
      model.tied = tied->flag;
  if (!reader.defaulted().empty()) {
    std::string keys;
    for (const std::string_view key : reader.defaulted())
      keys.append(keys.empty() ? "" : ", ").append(key);
    out.problems.push_back(
        {prefix.substr(0, prefix.size() - 1), Severity::note, "default_used",
         "Not in the file, so as its class in transformers has it: " + keys + ".",
         "Compare the parameter count with the published one.", ""});
  }
  reader.rest();
  note_quantization(root, "", out.problems);
  if (nested) note_quantization(*object, prefix, out.problems);
  if (!has_error(out.problems)) out.patch = patch_of_model(model, out.problems);
  if (has_error(out.problems)) out.patch.clear();
  return out;
}

}  // namespace envelope
