// SPDX-License-Identifier: MIT
// Any bytes as a config.json.
#include <cstddef>
#include <cstdint>

#include "laws.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const fuzz::Json answer = fuzz::parsed(envelope::api::import_config(text));
  const std::string seen = answer.dump();
  bool error = false;
  for (const fuzz::Json& problem : answer["problems"]) error |= problem["severity"] == "error";
  fuzz::law(error == answer["patch"].empty(), "nothing is imported after an error", seen);
  if (!error) fuzz::link_and_patch_agree(answer);
  return 0;
}
