// SPDX-License-Identifier: MIT
// What must hold whatever the input. A broken law stops the fuzzer at once.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "envelope/api.h"

namespace fuzz {

using Json = nlohmann::json;

inline void law(bool holds, const char* what, std::string_view seen) {
  if (holds) return;
  std::fprintf(stderr, "broken law: %s\n%.*s\n", what, static_cast<int>(seen.size()), seen.data());
  std::abort();
}

inline Json parsed(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  law(!json.is_discarded(), "the answer is JSON", text);
  return json;
}

/// The laws of an answer that holds a canonical `link` and `patch`: both name the same scenario,
/// and neither changes when it is read again.
inline void link_and_patch_agree(const Json& answer) {
  const std::string text = answer.dump();
  law(answer.is_object() && answer.contains("link") && answer.contains("patch") &&
          answer.contains("problems"),
      "the answer has a link, a patch and problems", text);
  const auto link = answer["link"].get<std::string>();
  const Json again = parsed(envelope::api::open(link));
  law(again["link"] == link, "a canonical link is a fixed point", link + '\n' + again.dump());
  law(again["patch"] == answer["patch"], "the link holds the patch", text + '\n' + again.dump());
  const Json report = parsed(envelope::api::estimate(answer["patch"].dump()));
  law(report["link"] == link, "the estimate of a patch has the patch's link",
      text + '\n' + report["link"].dump());
}

}  // namespace fuzz
