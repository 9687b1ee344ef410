// SPDX-License-Identifier: MIT
#include "envelope/schedule.h"

#include <algorithm>
#include <cmath>

namespace envelope {
namespace {

/// A rank works at both ends of the model, so each rank has two chunks.
bool folded(Schedule s) {
  return s == Schedule::zbv || s == Schedule::v_half || s == Schedule::v_min ||
         s == Schedule::dualpipe_v;
}

/// The passes of all ranks together.
Passes sum_of(const Pipeline& x) {
  const double n = std::max(0.0, x.stages - 2);
  return {x.first.forward + n * x.middle.forward + x.last.forward,
          x.first.backward + n * x.middle.backward + x.last.backward,
          x.first.weight + n * x.middle.weight + x.last.weight};
}

const Passes& slowest_of(const Pipeline& x) {
  const Passes& ends = x.first.sum() >= x.last.sum() ? x.first : x.last;
  return x.stages > 2 && x.middle.sum() > ends.sum() ? x.middle : ends;
}

/// 1F1B, seconds of a step on the rank `mine`, which has `above` before it and `below` after it: it
/// works, and waits for its first micro-batch to go down and come back, and for its last.
double on_rank(const Passes& mine, double above, double below, double hops, const Pipeline& x) {
  const double back = mine.backward + mine.weight, v = std::max(1.0, x.chunks);
  return above / v + x.micro_batches * mine.sum() +
         (std::max(0.0, below - hops * mine.forward) + std::max(0.0, below - hops * back)) / v;
}

/// Seconds of 1F1B without sending: of the rank that ends last, seen from the first.
double one_f_one_b(const Pipeline& x, double all, double tau) {
  const double p = x.stages, n = p - 1, a = x.first.sum(), c = x.last.sum(), b = x.middle.sum();
  const double v = std::max(1.0, x.chunks);
  // Fewer micro-batches than ranks cannot keep a rank at work from one chunk to the next.
  const double few = std::max(0.0, p - x.micro_batches) * (1 - 1 / v) * tau;
  const double evenly = x.micro_batches * tau + (all - tau) / v + few;
  if (x.micro_batches <= n) return evenly;
  double out = std::max(on_rank(x.first, 0, all - a, n, x), on_rank(x.last, all - c, 0, 0, x));
  if (p > 2) {
    // The middle ranks that lie furthest apart.
    out = std::max(out, on_rank(x.middle, a, all - a - b, n - 1, x));
    out = std::max(out, on_rank(x.middle, all - b - c, c, 1, x));
  }
  return std::min(out, evenly);
}

}  // namespace

PipelineTime pipeline_time(const Pipeline& x) {
  PipelineTime out;
  const double p = x.stages, m = x.micro_batches, n = p - 1;
  if (p <= 1) {
    out.total = out.busy = m * x.first.sum();
    return out;
  }
  // One micro-batch on the slowest rank, and on the way through all others and back.
  const Passes all = sum_of(x), &slow = slowest_of(x);
  const double tau = slow.sum(), f = slow.forward, b = slow.backward, w = slow.weight;
  const double F = all.forward - f, B = all.backward - b;
  const double W = n * w;  // weight gradients that fill the wait
  // How far the micro-batches reach to fill it: the first of each hop, and a second.
  const double once = std::min(1.0, (m - 1) / n), twice = std::clamp((m - 1 - n) / n, 0.0, 1.0);
  const double c = x.send;
  const bool ends = p > 2 && &slow != &x.middle;
  // Where ranks keep a pattern of cells, the longer pass of each counts.
  const auto longer_of = [](const Passes& one) { return std::max(one.forward, one.backward); };
  const double even = (longer_of(x.first) + longer_of(x.last) + (p - 2) * longer_of(x.middle)) / p;
  out.busy = m * tau;
  switch (x.schedule) {
    case Schedule::one_f_one_b: {
      out.bubble = one_f_one_b(x, all.sum(), tau) - out.busy;
      out.send = 2 * (std::max(1.0, x.chunks) * p - 1) * c;
      // Without interleaving the way down and back has no slack but what other ranks leave.
      if (x.chunks <= 1) {
        const double rounds = std::floor((m - 1) / p), rest = m - 1 - p * rounds;
        const double slack = p * tau - all.sum();
        out.send +=
            rounds * std::max(0.0, 2 * n * c - slack) + std::max(0.0, 2 * (rest - 1) * c - slack);
      }
      break;
    }
    case Schedule::gpipe:
      out.bubble = all.sum() - tau;
      out.send = 2 * n * c;
      break;
    case Schedule::zb_h1:
      out.bubble = F + B - once * std::min(F, W);
      out.send = 2 * n * (1 + twice) * c;
      break;
    case Schedule::zb_2p: {
      const double filled = std::min(F, W);
      out.bubble = F + B - once * filled - twice * std::min(filled, F + B - filled);
      out.send = 2 * n * c;
      break;
    }
    case Schedule::zbv: {
      // A first rank with more to do than the others waits less; they then wait for it.
      const double rest = std::max(std::max(0.0, B - W), std::max(F - W, (B - F) / 2));
      const double first = out.busy + F + B - once * F - twice * std::min(B, n * f);
      out.bubble = F + B - once * F - twice * (B - rest);
      if (ends) {
        const double usual = all.sum() / p;
        out.bubble = std::max(first, m * usual + out.bubble) - out.busy;
      }
      out.send = (4 * n + twice * (2 * n - 2)) * c;
      break;
    }
    case Schedule::v_half: {
      // Six cells to a micro-batch; a rank that is late by a pass keeps the pattern waiting.
      const double high = std::max(F, B) / n, low = std::min(F, B) / n, cell = 2 * even;
      const double longer = std::max(0.0, cell + w / 2 - tau),
                   sent = std::max(0.0, cell + w / 2 + 2 * c - tau) - longer;
      const double each = 0.5 * low + 1.5 * high - 0.5 * std::min(w, high) - 0.5 * longer;
      const double less = p == 2                 ? 0.5 * (low + high)
                          : std::fmod(p, 2) == 0 ? low + 1.5 * high + std::min(w, low)
                                                 : low + high;
      out.bubble = m * longer + std::max(0.0, p * each - less);
      out.send = m * sent + 6 * n * c;
      break;
    }
    case Schedule::v_min: {
      const double cell = 3 * even, longer = std::max(0.0, cell - tau),
                   sent = std::max(0.0, cell + 6 * n / p * c - tau) - longer;
      out.bubble = m * longer + std::max(0.0, F + f + B + b - (tau + longer) + w / 2);
      out.send = (m - 1) * sent + 4 * n * c;
      break;
    }
    case Schedule::dualpipe:
    case Schedule::dualpipe_v: {
      // DualPipe-V has chunks of half a rank, and goes from the first rank to the last; DualPipe
      // from both ends to the middle.
      const bool half = x.schedule == Schedule::dualpipe_v;
      const double size = half ? 2 : 1, way = half ? n : p / 2 - 1;
      const double down = F / n / size, up = B / n / size, fill = w / size;
      out.bubble =
          way * std::max(down + 2 * up - fill, down + up) - std::min(way * (up - down), down);
      // A first rank with more to do than the others catches up while it would wait.
      if (ends) out.bubble = std::max(0.0, out.bubble - 1.5 * p * (tau - x.middle.sum()));
      out.send = size * (m * n / p + 2 * (p - 2) + 1) * c;
      break;
    }
  }
  // No step is shorter than the way of one micro-batch.
  out.bubble = std::max(out.bubble, F + f + B + b - out.busy);
  out.total = out.busy + out.bubble + out.send;
  return out;
}

int chunks_of(const Pipeline& x) {
  if (x.stages <= 1) return 1;
  if (x.schedule == Schedule::one_f_one_b) return static_cast<int>(std::max(1.0, x.chunks));
  return folded(x.schedule) || x.schedule == Schedule::dualpipe ? 2 : 1;
}

}  // namespace envelope
