// SPDX-License-Identifier: MIT
// The only place of the version. CMake and the package read it from here.
#pragma once

#include <string_view>

namespace envelope {

inline constexpr std::string_view kVersion = "0.1.0";

/// Version of the defaults that a link's `v` names. Changing any default adds one.
inline constexpr int kDefaultsVersion = 1;

}  // namespace envelope
