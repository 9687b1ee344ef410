// SPDX-License-Identifier: MIT
// Scenario = defaults + catalog rows + patch. Presets, links, JSON, form edits, sweep axes and
// remedies are all patches.
#pragma once

#include "envelope/fields.h"
#include "envelope/problem.h"
#include "envelope/value.h"

namespace envelope {

/// Puts the values of `patch` into `scenario`: first the fields that choose catalog rows, then what
/// those rows set, then the rest; the order of keys does not matter. A value that cannot be used
/// gives a problem and leaves its field as it was.
Problems apply(const Patch& patch, Scenario& scenario);

/// The default scenario of today's catalog with `patch` applied.
Scenario scenario_of(const Patch& patch, Problems& problems);

/// The shortest patch that makes `scenario` from the defaults, in table order: the catalog rows it
/// names, then only what differs from those. `apply(diff(s)) == s`.
Patch diff(const Scenario& scenario);

/// Puts one value into one field. Empty when it was used as it stands.
Problems set(const Field& field, const Value& value, Scenario& scenario);

}  // namespace envelope
