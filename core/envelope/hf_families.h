// SPDX-License-Identifier: MIT
// What the config classes of Hugging Face transformers mean, by model_type: names of keys, defaults
// where a key is absent, biases, norms and patterns of layers.
#pragma once

#include <string_view>

#include "envelope/hf_reader.h"
#include "envelope/scenario.h"

namespace envelope {

/// Fills in `model` from a config of this type. False when the type is not known.
bool read_family(std::string_view model_type, HfReader& reader, Model& model);

}  // namespace envelope
