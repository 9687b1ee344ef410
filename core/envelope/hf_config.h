// SPDX-License-Identifier: MIT
// A Hugging Face config.json as a patch of model.* fields. In: the text of the file. Out: a name,
// the patch, and a problem for whatever could not be understood; after an error the patch is empty,
// because half a model is not a model.
// Neglected: the vision or audio part of a multimodal model, and how weights are quantized.
#pragma once

#include <string>
#include <string_view>

#include "envelope/problem.h"
#include "envelope/value.h"

namespace envelope {

struct HfConfig {
  std::string name;
  Patch patch;
  Problems problems;
};

HfConfig import_hf_config(std::string_view text);

}  // namespace envelope
