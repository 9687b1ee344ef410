// SPDX-License-Identifier: MIT
#include "envelope/bands.h"

namespace envelope {
namespace {

enum class Device : unsigned char { ampere, hopper, blackwell, tpu, other };

/// Time that comparable runs took over the time predicted: the ends of 80 %, and the rows and
/// sources of exactly this kind. tests/fit/bands.mjs says how others count.
struct Row {
  Device device;
  bool moe, tuned, large;  ///< With experts; fine-tuned; on more than one node.
  double low, high;
  int rows, sources;
  std::string_view among;
};

// Written by tests/fit/bands.mjs.
constexpr Row kRows[] = {
    {Device::ampere, false, false, false, 0.89, 1.79, 113, 3,
     "A100 class, dense models, pretraining, one node"},
    {Device::ampere, false, false, true, 0.89, 1.79, 101, 7,
     "A100 class, dense models, pretraining, several nodes"},
    {Device::ampere, false, true, false, 0.86, 1.79, 81, 1,
     "A100 class, dense models, fine-tuning, one node"},
    {Device::ampere, false, true, true, 0.87, 1.79, 0, 0,
     "A100 class, dense models, fine-tuning, several nodes"},
    {Device::ampere, true, false, false, 0.89, 1.79, 0, 0,
     "A100 class, models with experts, pretraining, one node"},
    {Device::ampere, true, false, true, 0.89, 1.79, 0, 0,
     "A100 class, models with experts, pretraining, several nodes"},
    {Device::ampere, true, true, false, 0.86, 1.79, 0, 0,
     "A100 class, models with experts, fine-tuning, one node"},
    {Device::ampere, true, true, true, 0.87, 1.79, 0, 0,
     "A100 class, models with experts, fine-tuning, several nodes"},
    {Device::hopper, false, false, false, 0.87, 1.37, 53, 5,
     "H100 class, dense models, pretraining, one node"},
    {Device::hopper, false, false, true, 0.86, 1.36, 96, 7,
     "H100 class, dense models, pretraining, several nodes"},
    {Device::hopper, false, true, false, 0.84, 1.42, 22, 4,
     "H100 class, dense models, fine-tuning, one node"},
    {Device::hopper, false, true, true, 0.86, 1.31, 8, 4,
     "H100 class, dense models, fine-tuning, several nodes"},
    {Device::hopper, true, false, false, 0.86, 1.42, 0, 0,
     "H100 class, models with experts, pretraining, one node"},
    {Device::hopper, true, false, true, 0.86, 1.39, 13, 1,
     "H100 class, models with experts, pretraining, several nodes"},
    {Device::hopper, true, true, false, 0.84, 1.42, 0, 0,
     "H100 class, models with experts, fine-tuning, one node"},
    {Device::hopper, true, true, true, 0.86, 1.34, 0, 0,
     "H100 class, models with experts, fine-tuning, several nodes"},
    {Device::blackwell, false, false, false, 0.88, 1.55, 34, 2,
     "B200 class, dense models, pretraining, one node"},
    {Device::blackwell, false, false, true, 0.87, 1.59, 42, 1,
     "B200 class, dense models, pretraining, several nodes"},
    {Device::blackwell, false, true, false, 0.86, 1.55, 4, 1,
     "B200 class, dense models, fine-tuning, one node"},
    {Device::blackwell, false, true, true, 0.86, 1.55, 4, 1,
     "B200 class, dense models, fine-tuning, several nodes"},
    {Device::blackwell, true, false, false, 0.86, 1.57, 19, 1,
     "B200 class, models with experts, pretraining, one node"},
    {Device::blackwell, true, false, true, 0.86, 1.66, 60, 1,
     "B200 class, models with experts, pretraining, several nodes"},
    {Device::blackwell, true, true, false, 0.85, 1.55, 0, 0,
     "B200 class, models with experts, fine-tuning, one node"},
    {Device::blackwell, true, true, true, 0.85, 1.55, 0, 0,
     "B200 class, models with experts, fine-tuning, several nodes"},
    {Device::tpu, false, false, false, 0.86, 1.49, 0, 0,
     "TPUs, dense models, pretraining, one node"},
    {Device::tpu, false, false, true, 0.86, 1.57, 47, 2,
     "TPUs, dense models, pretraining, several nodes"},
    {Device::tpu, false, true, false, 0.85, 1.51, 0, 0,
     "TPUs, dense models, fine-tuning, one node"},
    {Device::tpu, false, true, true, 0.85, 1.44, 0, 0,
     "TPUs, dense models, fine-tuning, several nodes"},
    {Device::tpu, true, false, false, 0.86, 1.49, 0, 0,
     "TPUs, models with experts, pretraining, one node"},
    {Device::tpu, true, false, true, 0.85, 1.57, 0, 0,
     "TPUs, models with experts, pretraining, several nodes"},
    {Device::tpu, true, true, false, 0.85, 1.49, 0, 0,
     "TPUs, models with experts, fine-tuning, one node"},
    {Device::tpu, true, true, true, 0.85, 1.45, 0, 0,
     "TPUs, models with experts, fine-tuning, several nodes"},
    {Device::other, false, false, false, 0.88, 1.55, 0, 0,
     "other devices, dense models, pretraining, one node"},
    {Device::other, false, false, true, 0.87, 1.79, 0, 0,
     "other devices, dense models, pretraining, several nodes"},
    {Device::other, false, true, false, 0.85, 1.57, 0, 0,
     "other devices, dense models, fine-tuning, one node"},
    {Device::other, false, true, true, 0.86, 1.57, 2, 1,
     "other devices, dense models, fine-tuning, several nodes"},
    {Device::other, true, false, false, 0.86, 1.55, 0, 0,
     "other devices, models with experts, pretraining, one node"},
    {Device::other, true, false, true, 0.86, 1.79, 0, 0,
     "other devices, models with experts, pretraining, several nodes"},
    {Device::other, true, true, false, 0.85, 1.55, 0, 0,
     "other devices, models with experts, fine-tuning, one node"},
    {Device::other, true, true, true, 0.85, 1.57, 0, 0,
     "other devices, models with experts, fine-tuning, several nodes"},
};
constexpr int kAllRows = 699, kAllSources = 17;
// End of what is written.

/// Letter by letter: this runs in every estimate, and a few letters decide.
bool begins_with(const Id& id, std::string_view prefix) {
  for (std::size_t i = 0; i < prefix.size(); ++i)
    if (id.text[i] != prefix[i]) return false;
  return true;
}

Device device_of(const Id& id) {
  for (const std::string_view name : {"a100", "a800"})
    if (begins_with(id, name)) return Device::ampere;
  for (const std::string_view name : {"h100", "h200", "h800"})
    if (begins_with(id, name)) return Device::hopper;
  for (const std::string_view name : {"b200", "b300", "gb200", "gb300"})
    if (begins_with(id, name)) return Device::blackwell;
  return begins_with(id, "tpu") ? Device::tpu : Device::other;
}

constexpr double kNode = 8;  ///< GPUs.

}  // namespace

Band band_of(const Scenario& s, const Architecture& a, double gpus) {
  const Device device = device_of(s.gpu.id);
  const bool moe = a.moe_layers > 0, tuned = s.run.task == Task::finetune, large = gpus > kNode;
  const auto place = ((static_cast<std::size_t>(device) * 2 + moe) * 2 + tuned) * 2 + large;
  const Row& row = kRows[place];
  // Where nothing like it was published, all rows stand behind the band.
  if (row.rows == 0)
    return {row.low, row.high, kAllRows, kAllSources, "all published training speeds"};
  return {row.low, row.high, row.rows, row.sources, row.among};
}

}  // namespace envelope
