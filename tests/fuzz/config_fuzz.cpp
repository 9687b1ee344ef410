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
  if (error) return 0;
  // The patch names the main sizes also where they are the defaults; the link does not.
  const std::string link = answer["link"];
  fuzz::law(fuzz::parsed(envelope::api::estimate(answer["patch"].dump()))["link"] == link,
            "patch and link are one scenario", seen);
  fuzz::link_and_patch_agree(fuzz::parsed(envelope::api::open(link)));
  return 0;
}
