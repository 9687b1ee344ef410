// SPDX-License-Identifier: MIT
// The pipeline: each stage reads only what came before. Total, pure, deterministic.
#pragma once

#include "envelope/architecture.h"
#include "envelope/compute.h"
#include "envelope/cost.h"
#include "envelope/goodput.h"
#include "envelope/layout.h"
#include "envelope/memory.h"
#include "envelope/scaling.h"
#include "envelope/serving.h"
#include "envelope/time.h"

namespace envelope {

struct Report {
  Architecture architecture;
  Compute compute;
  Activations activations;
  Memory memory;
  Pace pace;
  Layout layout;
  Time time;
  Goodput goodput;
  Serving serving;
  Cost cost;
  ScalingResult scaling;
};

/// Any scenario that `apply` let through gives a full report; not fitting is a finding inside it.
Report estimate(const Scenario& scenario, const Ledger& note = {});

}  // namespace envelope
