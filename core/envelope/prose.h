// SPDX-License-Identifier: MIT
// How much a build says. Words cost bytes on the way to a browser, so what is not shown at first,
// or not at all, stays out of the small modules. Numbers never differ.
#pragma once

#include <string_view>

#ifndef ENVELOPE_SAYS
#define ENVELOPE_SAYS 2
#endif

namespace envelope {

/// results: an embed, with labels alone. work: the calculator, with formulas and remedies. all:
/// help texts, citations and lists too.
enum class Says { results, work, all };
inline constexpr Says kSays = static_cast<Says>(ENVELOPE_SAYS);

/// A text of a table that only a build that says all carries.
struct Prose {
  std::string_view text;
  constexpr Prose(const char* given = "") : text(kSays == Says::all ? given : "") {}
};

}  // namespace envelope
