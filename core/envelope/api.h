// SPDX-License-Identifier: MIT
// The calls a shell may make: text in, text out, JSON. Total on any input; what is wrong with it
// comes back as `problems`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace envelope::api {

/// Both tables, choices, groups, sources, catalog lists, laws, number formats, examples, versions.
std::string schema();

/// {patch, link, compare, problems} of a link, however mangled.
std::string open(std::string_view link);

/// Everything about one scenario, given as a JSON patch or as a link: canonical link and patch, all
/// inputs, summary, verdict, steps with formulas, findings with remedies, quotes, problems.
std::string estimate(std::string_view patch_or_link);

/// {"scenarios": [patch or link, ...]} -> what differs, in inputs and in metrics; and the one link
/// of all of them.
std::string compare(std::string_view request);

/// The documents and each of their calculations beside ours.
std::string replays();

/// What a predicted step is made of: the timeline of its pipeline, and each operation beside what
/// the device could do (roofline). docs: wasm/envelope.d.ts.
std::string step(std::string_view patch_or_link);

/// {"scenario", "quantity": "step_s" | "tokens_per_s_per_gpu" | "mfu", "value"} -> {patch, link,
/// problems}: the software overhead with which the prediction gives the measurement back.
std::string calibrate(std::string_view request);

/// {"scenario", "minimise", "limits": [{"metric", "at_least", "at_most"}], "axes": [{"path",
/// "values"}], "allow": [switch], "keep", "gains", "most": candidates of this slice, "resume": of
/// an earlier answer, "part": [k, n], "merge": [resume of each part]} -> the best layouts, those on
/// the Pareto front, and why the others were rejected. docs: wasm/envelope.d.ts.
std::string plan(std::string_view request);

/// {"scenario", "usd", "flop", "days", "served"} -> the size and the tokens with the least loss for
/// a budget, with a planned layout; and the smaller model that is cheapest to train and serve so
/// many tokens with. docs/solve.md.
std::string best_model(std::string_view request);

/// {"scenario", "launcher"?: id} -> the launchers that can run it, and the files of one of them.
std::string launch(std::string_view request);

/// A Hugging Face config.json -> {name, patch, link, problems}; the patch is empty after an error.
std::string import_config(std::string_view text);

/// {"scenario", "axes": [{"path", "values"} or {"path", "from", "to", "count", "scale"}],
/// "metrics": [...]} -> rows of axis values and metrics; empty when the request is not one.
std::vector<double> sweep(std::string_view request);

/// A scenario, or {"scenario", "metric"} -> what moves that output most: {metric, label, unit,
/// value, rows: [{path, label, unit, now, low, high, at_low, at_high, low_note, high_note, why}],
/// problems}.
std::string sensitivity(std::string_view request);

/// A link with x, y, z, or {"scenario", "chart" or "x", "x_from", "x_to", "y", ..., "metric"} ->
/// the values of one or two inputs and an output at each point, with what cannot run there.
std::string chart(std::string_view request);

}  // namespace envelope::api
