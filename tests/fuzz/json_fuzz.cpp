// SPDX-License-Identifier: MIT
// Any bytes as a patch, a comparison and a sweep.
#include <cstddef>
#include <cstdint>

#include "laws.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  fuzz::link_and_patch_agree(fuzz::parsed(envelope::api::estimate(text)));
  fuzz::parsed(envelope::api::compare(text));
  envelope::api::sweep(text);
  return 0;
}
