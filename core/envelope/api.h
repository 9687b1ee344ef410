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

/// {"scenarios": [patch or link, ...]} -> what differs, in inputs and in metrics.
std::string compare(std::string_view request);

/// The documents and each of their calculations beside ours.
std::string replays();

/// A Hugging Face config.json -> {name, patch, link, problems}; the patch is empty after an error.
std::string import_config(std::string_view text);

/// {"scenario", "axes": [{"path", "values"} or {"path", "from", "to", "count", "scale"}],
/// "metrics": [...]} -> rows of axis values and metrics; empty when the request is not one.
std::vector<double> sweep(std::string_view request);

}  // namespace envelope::api
