// SPDX-License-Identifier: MIT
// In: a row of runs.csv, of which only what a planner knows beforehand is read: model, tokens,
// device, count, year, kind of run. Out: the scenario that a planner would write down: the
// software, precision and batch that were usual then, and the smallest layout that fits.
// Neglected: everything that a run's owner decided otherwise.
#pragma once

#include "envelope/columns.h"

namespace envelope {

Mapping map_run(const Record& row);

}  // namespace envelope
