// SPDX-License-Identifier: MIT
#include "envelope/family.h"

#include <algorithm>
#include <cmath>

#include "envelope/layers.h"

namespace envelope {
namespace {

/// Sizes of a model known by its size have four digits: from 1000, so many to each power of ten.
constexpr double kLeastSize = 1000, kDecade = 9000, kDecades = 13;
constexpr double kMostHeads = 2048, kMostLayers = 2000;
/// Widths are multiples of this, as the units of matrix products like them.
constexpr double kTile = 64, kWidest = 1e6, kWidestMlp = 1e7;

double common(double a, double b) {
  double x = a, y = b;
  while (y > 0) {
    const double rest = std::fmod(x, y);
    x = y;
    y = rest;
  }
  return a / x * b;
}

double size_of(double member) {
  double unit = 1;
  for (double d = std::floor(member / kDecade); d > 0; --d) unit *= 10;
  return (kLeastSize + std::fmod(member, kDecade)) * unit;
}

double member_of(double size) {
  double unit = 1, decade = 0;
  for (; size / unit >= 10 * kLeastSize && decade + 1 < kDecades; unit *= 10) ++decade;
  return decade * kDecade + std::clamp(std::floor(size / unit) - kLeastSize, 0.0, kDecade - 1);
}

double step_of_layers(const Scenario& s) {
  const Cluster& c = s.cluster;
  if (s.run.task == Task::serve || c.pp == 1 || given(c.first_layers) || given(c.last_layers))
    return 1;
  return c.pp * (c.schedule == Schedule::one_f_one_b ? c.virtual_stages : 1);
}

double step_of_heads(const Scenario& s) {
  const Model& m = s.model;
  const double tp = given(s.cluster.tp) ? s.cluster.tp : std::min(s.gpu.domain, 8.0);
  const double kv = m.attention == Attention::mla ? 1 : m.kv_heads;
  // Heads that TP does not divide now need not be divided then.
  const double parts = std::fmod(m.heads, tp) == 0 ? tp : 1;
  return kv == m.heads ? parts : common(kv, parts);
}

}  // namespace

Family::Family(const Scenario& s) : model_(s.model) {
  const Model& m = s.model;
  if (m.kind == ModelKind::size_only) {
    members_ = kDecade * kDecades;
    nearest_ = member_of(m.params);
    return;
  }
  const bool layered = m.kind == ModelKind::decoder || m.kind == ModelKind::encoder;
  if (!layered || hybrid(m) || std::fmod(m.heads, m.kv_heads) != 0) return;
  const double unit = step_of_heads(s), step = step_of_layers(s), aspect = m.layers / m.heads;
  double least = INFINITY;
  // For each width, the depths with which it is the nearest width to a layer for each `aspect`.
  for (double heads = unit; heads <= kMostHeads; heads += unit) {
    const double low = heads - unit / 2, high = heads + unit / 2, area = heads * heads;
    const double from = aspect * low * low * low / area, to = aspect * high * high * high / area;
    for (double layers = std::max(step, std::ceil(from / step) * step);
         layers < to && layers <= kMostLayers; layers += step) {
      const double apart = std::abs(heads / m.heads - 1) + std::abs(layers / m.layers - 1);
      if (apart < least) {
        least = apart;
        nearest_ = static_cast<double>(shapes_.size());
      }
      shapes_.push_back({heads, layers});
    }
  }
  members_ = static_cast<double>(shapes_.size());
}

void Family::put(Scenario& s, double member) const {
  Model& m = s.model;
  m = model_;
  if (m.kind == ModelKind::size_only) {
    const double size = size_of(member);
    if (given(m.active)) m.active = std::min(size, m.active / m.params * size);
    m.params = size;
    return;
  }
  const Shape shape = shapes_[static_cast<std::size_t>(member)];
  m.id = "custom";
  m.trained_flops = kNone;
  const double wider = shape.heads / model_.heads;
  const auto widen = [&](double& x, double most) {
    if (wider != 1 && given(x) && x > 0)
      x = std::clamp(std::round(x * wider / kTile) * kTile, kTile, most);
  };
  for (double* x : {&m.hidden, &m.embed_dim}) widen(*x, kWidest);
  for (double* x : {&m.ffn, &m.moe_ffn, &m.shared_ffn, &m.residual_ffn}) widen(*x, kWidestMlp);
  if (m.kv_heads == model_.heads) m.kv_heads = shape.heads;
  m.heads = shape.heads;
  m.layers = shape.layers;
  m.first_dense = std::min(m.first_dense, m.layers);
}

}  // namespace envelope
