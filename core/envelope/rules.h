// SPDX-License-Identifier: MIT
// Rules across fields. The estimate still runs; each problem says what does not go together.
#pragma once

#include <array>
#include <span>

#include "envelope/fields.h"
#include "envelope/problem.h"
#include "envelope/scenario.h"

namespace envelope {

Problems check(const Scenario& scenario);

/// The embedding and the head: trainers may count each as a layer where a model is cut into pieces
/// (Megatron's --account-for-embedding-in-pipeline-split and its like; Llama 3, section 3.3.2).
inline constexpr double kEnds = 2;

/// What the rules need from the catalog: the same for all scenarios of one framework and recipe.
struct Program {
  Scenario usual;  ///< As the table, the framework and the recipe have it.
  bool shards_in_pipeline = false;
};
Program program_of(const Scenario& scenario);

/// Rules come in groups, one after another. The first group that reads an input, kRuleGroups for
/// those that no rule reads: turning the input changes nothing in the groups before. A test holds
/// it.
inline constexpr int kRuleGroups = 7;
int first_group(std::string_view path);

/// A rule that is broken; both are empty where none is.
struct Breach {
  std::string_view path, code;
  int group = 0;
};
/// What a search asks of a point.
struct Watched {
  std::span<const Field* const> unused;  ///< Fields that must have an effect: else "not_used".
  std::span<const Breach> tolerated;     ///< Rules that may be broken.
};
/// The first of the problems that check() lists which is a warning and not tolerated, or says that
/// a watched field is not used. Without sentences and allocation. Groups before `from` are taken to
/// be kept.
Breach first_breach(const Scenario& scenario, const Program& program, const Watched& watched,
                    int from = 0);

/// Data-parallel ranks that the GPUs given allow: one number where TP is given, else one for each
/// TP that may be chosen. Empty where they are open.
class DataParallel {
 public:
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  const double* begin() const { return ranks_.data(); }
  const double* end() const { return ranks_.data() + count_; }
  double front() const { return ranks_[0]; }
  double back() const { return ranks_[count_ - 1]; }
  void add(double ranks) { ranks_[count_++] = ranks; }

 private:
  std::array<double, 8> ranks_{};  // TP 1, 2, 4, 8, 16
  std::size_t count_ = 0;
};
DataParallel data_parallel(const Scenario& scenario);

/// A sequence is divided into pieces of one length: their number.
double sequence_unit(const Scenario& scenario);

/// Whether the framework takes ZeRO-2 and 3 together with a pipeline.
bool shards_in_pipeline(const Scenario& scenario);

}  // namespace envelope
