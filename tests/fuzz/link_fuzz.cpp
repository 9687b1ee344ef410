// SPDX-License-Identifier: MIT
// Any bytes as a link.
#include <cstddef>
#include <cstdint>

#include "laws.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view link(reinterpret_cast<const char*>(data), size);
  fuzz::link_and_patch_agree(fuzz::parsed(envelope::api::open(link)));
  return 0;
}
