// SPDX-License-Identifier: MIT
#include "envelope/timeline.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace envelope {
namespace {

using enum PassKind;

/// A pass before it has a time. `whole`: a backward that does the weights as well.
struct Pass {
  PassKind kind;
  int micro_batch, chunk;
  bool whole = false;
  bool paired = false;  ///< A forward that runs as one with the backward after it.
};
using Order = std::vector<Pass>;  // of one rank

/// All forwards, then the backwards from the last micro-batch to the first (Huang 2019).
Order gpipe(int m) {
  Order out;
  for (int i = 0; i < m; ++i) out.push_back({forward, i, 0});
  for (int i = m; i-- > 0;) out.push_back({backward, i, 0, true});
  return out;
}

/// Micro-batches go through the chunks in groups of one a rank (Narayanan 2021), or a few more
/// where they do not divide evenly; with one chunk this is plain 1F1B.
Order one_f_one_b(int rank, int p, int v, int m) {
  std::vector<Pass> sequence;
  const int groups = std::max(1, m / p), most = (m + groups - 1) / groups;
  for (int from = 0; from < m; from += most)
    for (int chunk = 0; chunk < v; ++chunk)
      for (int i = from; i < std::min(m, from + most); ++i) sequence.push_back({forward, i, chunk});
  const int all = v * m;
  const int warm = std::min(all, v > 1 ? 2 * (p - rank - 1) + (v - 1) * most : p - rank - 1);
  Order out(sequence.begin(), sequence.begin() + warm);
  for (int k = 0; k < all; ++k) {
    if (warm + k < all) out.push_back(sequence[warm + k]);
    out.push_back({backward, sequence[k].micro_batch, v - 1 - sequence[k].chunk, true});
  }
  return out;
}

/// Weight gradients wait so that every rank holds as many micro-batches as the first (Qi 2023).
/// `first`: micro-batches in flight on the first rank: p for ZB-H1, 2p-1 for ZB-H2.
Order zero_bubble(int rank, int p, int m, bool twice) {
  const int warm = twice ? 2 * (p - rank) - 1 : p - rank, late = twice ? 2 * rank : rank;
  Order out;
  for (int i = 0; i < std::min(warm, m); ++i) out.push_back({forward, i, 0});
  for (int i = 0; i < m; ++i) {
    out.push_back({backward, i, 0});
    if (i >= late) out.push_back({weight, i - late, 0});
    if (i + warm < m) out.push_back({forward, i + warm, 0});
  }
  for (int i = std::max(0, m - late); i < m; ++i) out.push_back({weight, i, 0});
  return out;
}

/// ZB-V (Qi 2023, section 6): a warm-up in three parts, then F B W of each chunk in turn.
Order zbv(int rank, int p, int m) {
  const int enough = std::max(m, 2 * p - 1);
  Order out;
  int count[3][2] = {};
  const auto put = [&](PassKind kind, int chunk) {
    const int i = count[static_cast<int>(kind)][chunk]++;
    if (i < m) out.push_back({kind, i, chunk});
  };
  for (int i = 0; i < 2 * (p - rank) - 1; ++i) put(forward, 0);
  for (int i = 0; i < rank; ++i) put(forward, 1), put(forward, 0);
  for (int i = 0; i < p - rank; ++i) put(forward, 1), put(backward, 1), put(weight, 1);
  while (count[0][1] < count[0][0] || count[0][0] < enough) {
    if (count[0][0] < enough) put(forward, 0);
    for (const PassKind kind : {backward, weight}) put(kind, 0);
    for (const PassKind kind : {forward, backward, weight}) put(kind, 1);
  }
  for (int i = 0; i < rank; ++i) put(backward, 0), put(backward, 1);
  for (int i = 0; i < p - rank; ++i) put(backward, 0), put(weight, 0);
  for (const int chunk : {1, 0})
    while (count[2][chunk] < count[1][chunk]) put(weight, chunk);
  return out;
}

/// DualPipe (DeepSeek-V3, section 3.2.1): a rank has a stage of either direction. `half` ranks from
/// the end to the middle, `near` the chunk whose micro-batches enter at this end. DualPipe-V is one
/// half of it, where the other chunk has the same micro-batches.
Order dualpipe(int rank, int half, int m, int near, bool same) {
  const int n = same ? m : (m + 1) / 2;  // each way
  Order out;
  std::vector<Pass> waiting;
  std::size_t done = 0;
  int count[2][2] = {};
  const auto put = [&](PassKind kind, int side, bool later = false) {
    const int chunk = side == 0 ? near : 1 - near;
    const int i = count[kind == forward ? 0 : 1][side]++;
    const int first = same || chunk == 0 ? 0 : n, micro_batch = first + i;
    if (micro_batch >= (same || chunk == 1 ? m : n)) return;
    out.push_back({kind, micro_batch, chunk, kind == backward && !later});
    if (later) waiting.push_back({weight, micro_batch, chunk});
  };
  const auto pair = [&](int side) {
    const std::size_t at = out.size();
    put(forward, side);
    put(backward, 1 - side);
    if (out.size() == at + 2) out[at].paired = true;
  };
  const auto catch_up = [&] {
    if (done < waiting.size()) out.push_back(waiting[done++]);
  };
  const int rest = half - rank - 1;
  for (int i = 0; i < 2 * rest; ++i) put(forward, 0);
  for (int i = 0; i < rank + 1; ++i) put(forward, 0), put(forward, 1);
  for (int i = 0; i < rest; ++i) put(backward, 1, true), catch_up(), put(forward, 1);
  for (int i = 0; i < std::max(n, 2 * half) - 2 * half + rank + 1; ++i) {
    // The rank in the middle starts without waiting for what it could pair.
    if (i == 0 && rest == 0) {
      put(forward, 0);
      put(backward, 1);
    } else {
      pair(0);
    }
    pair(1);
  }
  for (int i = 0; i < rest; ++i) put(backward, 1), pair(1);
  for (int i = 0; i < rank + 1; ++i) {
    const int from = (rank + 1) / 2;
    put(backward, 1, i > from || (i == from && rank % 2 == 1));
    put(backward, 0, i >= from);
  }
  for (int i = 0; i < rest; ++i) catch_up(), put(backward, 0, true);
  while (done < waiting.size()) catch_up();
  return out;
}

/// V-Half and V-Min (Qi 2024): each micro-batch repeats one pattern of cells, six cells after the
/// one before; weight gradients take cells that are free. At both ends of the step, passes then
/// move to earlier free cells as long as their rank never holds more than the pattern does.
class Pattern {
 public:
  Pattern(bool half, int p, int m) : p_(p), m_(m), cells_(p), at_(p) {
    // Cells of the first micro-batch: forward of both chunks, backward of the second and the first.
    const int gap = half ? (p % 2 == 0 ? 3 : 0) : (p % 3 == 0 ? 2 : 0);
    for (int r = 0; r < p; ++r) {
      const int first[4] = {half ? 2 * r : r, half ? 3 * p - r - 2 : 2 * p - r - 1,
                            half ? 3 * p + gap + 2 * r - 1 : 2 * p + gap + r,
                            half ? 6 * p + gap - r - 2 : 4 * p + gap - r - 1};
      cells_[r].assign(static_cast<std::size_t>(6 * (m + p) + 8), -1);
      at_[r].resize(static_cast<std::size_t>(4 * m));
      for (int kind = 0; kind < 4; ++kind)
        for (int i = 0; i < m; ++i) put(r, kind, i, first[kind] + 6 * i);
    }
    most_ = 0;
    for (int r = 0; r < p; ++r) most_ = std::max(most_, held(r));
    move();
  }

  Order order(int r) const {
    Order out;
    std::vector<Pass> waiting;
    std::size_t done = 0;
    for (const int cell : cells_[r]) {
      if (cell >= 0) {
        const int kind = cell / m_, i = cell % m_;
        const int chunk = kind == 0 || kind == 3 ? 0 : 1;
        out.push_back({kind < 2 ? forward : backward, i, chunk});
        if (kind >= 2) waiting.push_back({weight, i, chunk});
      } else if (done < waiting.size()) {
        out.push_back(waiting[done++]);
      }
    }
    while (done < waiting.size()) out.push_back(waiting[done++]);
    return out;
  }

 private:
  void put(int r, int kind, int i, int cell) {
    cells_[r][cell] = kind * m_ + i;
    at_[r][kind * m_ + i] = cell;
  }
  int end_of(int r, int kind, int i) const { return at_[r][kind * m_ + i] + 1; }

  /// Chunks of micro-batches that the rank holds at most.
  int held(int r) const {
    int now = 0, most = 0, waiting = 0;
    for (const int cell : cells_[r]) {
      if (cell >= 0) {
        (cell < 2 * m_ ? now : waiting) += 1;
      } else if (waiting > 0) {
        --waiting;
        --now;
      }
      most = std::max(most, now);
    }
    return most;
  }

  void move() {
    struct Place {
      int cell, rank, pass;
    };
    std::vector<Place> places;
    // Between the first backward through all ranks and the last forward the pattern stays.
    const int steady = at_[0][3 * m_], last = at_[0][m_ - 1];
    for (int r = 0; r < p_; ++r)
      for (int k = 0; k < 4 * m_; ++k) places.push_back({at_[r][k], r, k});
    std::sort(places.begin(), places.end(), [](const Place& a, const Place& b) {
      return a.cell != b.cell ? a.cell < b.cell : a.rank < b.rank;
    });
    for (const auto& [cell, r, pass] : places) {
      const int kind = pass / m_, i = pass % m_;
      if (cell >= steady && cell < last) continue;
      int from = 0;  // the first cell in which what it needs is there
      if (kind % 2 == 0 && r > 0) from = end_of(r - 1, kind, i);
      if (kind % 2 == 1 && r < p_ - 1) from = end_of(r + 1, kind, i);
      if (kind > 0) from = std::max(from, end_of(r, kind - 1, i));
      if (i > 0) from = std::max(from, end_of(r, kind, i - 1));
      for (int to = from; to < cell; ++to) {
        if (cells_[r][to] >= 0) continue;
        cells_[r][cell] = -1;
        put(r, kind, i, to);
        if (held(r) <= most_) break;
        cells_[r][to] = -1;
        put(r, kind, i, cell);
      }
    }
  }

  int p_, m_, most_ = 0;
  std::vector<std::vector<int>> cells_;  // by rank and cell: pass, kind * m + micro-batch, or -1
  std::vector<std::vector<int>> at_;     // by rank and pass: cell
};

std::vector<Order> orders_of(Schedule schedule, int p, int v, int m) {
  std::vector<Order> out;
  if (p > 1 && (schedule == Schedule::v_half || schedule == Schedule::v_min)) {
    const Pattern pattern(schedule == Schedule::v_half, p, m);
    for (int r = 0; r < p; ++r) out.push_back(pattern.order(r));
    return out;
  }
  for (int r = 0; r < p; ++r) {
    if (p == 1) {
      out.push_back(one_f_one_b(r, p, 1, m));
      continue;
    }
    switch (schedule) {
      case Schedule::gpipe:
        out.push_back(gpipe(m));
        break;
      case Schedule::zb_h1:
      case Schedule::zb_2p:
        out.push_back(zero_bubble(r, p, m, schedule == Schedule::zb_2p));
        break;
      case Schedule::zbv:
        out.push_back(zbv(r, p, m));
        break;
      case Schedule::dualpipe:
        // The ranks of the second half mirror those of the first.
        out.push_back(2 * r < p ? dualpipe(r, (p + 1) / 2, m, 0, false)
                                : dualpipe(p - 1 - r, (p + 1) / 2, m, 1, false));
        break;
      case Schedule::dualpipe_v:
        out.push_back(dualpipe(r, p, m, 0, true));
        break;
      default:
        out.push_back(one_f_one_b(r, p, v, m));
    }
  }
  return out;
}

/// The ends of passes, by micro-batch and stage of the model; below 0: not yet.
class Ends {
 public:
  Ends(int m, int stages) : stages_(stages), at_(static_cast<std::size_t>(m * stages), -1) {}
  double& of(int micro_batch, int stage) { return at_[micro_batch * stages_ + stage]; }

 private:
  int stages_;
  std::vector<double> at_;
};

}  // namespace

Timeline timeline(const Pipeline& x, int shown) {
  const int p = static_cast<int>(std::max(1.0, x.stages)), v = chunks_of(x), m = std::max(1, shown);
  const bool both_ways = x.schedule == Schedule::dualpipe && p > 1;
  const bool fold = v == 2 && x.schedule != Schedule::one_f_one_b;  // or mirrored
  const int stages = both_ways ? p : p * v;
  const std::vector<Order> orders = orders_of(x.schedule, p, v, m);
  const auto stage_of = [&](int rank, int chunk) {
    if (both_ways) return chunk == 0 ? rank : p - 1 - rank;
    return fold && chunk == 1 ? 2 * p - 1 - rank : chunk * p + rank;
  };
  // Two stages of the model on one rank need no sending.
  const auto sent = [&](int stage, int other) {
    return p == 1 || (fold && !both_ways && stage + other == 2 * p - 1) ? 0 : x.send;
  };
  Ends ends[2] = {{m + 1, stages}, {m + 1, stages}};
  std::vector<std::size_t> next(static_cast<std::size_t>(p));
  std::vector<double> free(static_cast<std::size_t>(p));
  std::vector<std::vector<PlacedPass>> placed(static_cast<std::size_t>(p));
  for (bool moved = true; moved;) {
    moved = false;
    for (int r = 0; r < p; ++r) {
      const Passes& one = r == 0 ? x.first : r == p - 1 ? x.last : x.middle;
      // A stage of DualPipe is whole; other chunks share the rank's time.
      const double share = both_ways ? 1 : 1.0 / v;
      while (next[r] < orders[r].size()) {
        // One pass, or two that start when both can and are done when both are.
        const Pass* pass = &orders[r][next[r]];
        const int count = pass->paired ? 2 : 1;
        double at = free[r];
        const auto wait = [&](PassKind kind, int micro_batch, int from, int to) {
          const double end = ends[static_cast<int>(kind)].of(micro_batch, from);
          at = end < 0 || at < 0 ? -1 : std::max(at, end + (from != to ? sent(from, to) : 0));
        };
        for (int k = 0; k < count; ++k) {
          const int stage = stage_of(r, pass[k].chunk), i = pass[k].micro_batch;
          if (pass[k].kind == forward && stage > 0) wait(forward, i, stage - 1, stage);
          if (pass[k].kind == backward) wait(forward, i, stage, stage);
          if (pass[k].kind == backward && stage < stages - 1) wait(backward, i, stage + 1, stage);
        }
        if (at < 0) break;
        for (int k = 0; k < count; ++k) {
          const double lasts = share * (pass[k].kind == forward  ? one.forward
                                        : pass[k].kind == weight ? one.weight
                                        : pass[k].whole          ? one.backward + one.weight
                                                                 : one.backward);
          placed[r].push_back(
              {r, pass[k].kind, pass[k].micro_batch, pass[k].chunk, at, at + lasts});
          at += lasts;
        }
        free[r] = at;
        for (int k = 0; k < count; ++k)
          if (pass[k].kind != weight)
            ends[static_cast<int>(pass[k].kind)].of(pass[k].micro_batch,
                                                    stage_of(r, pass[k].chunk)) = at;
        next[r] += static_cast<std::size_t>(count);
        moved = true;
      }
    }
  }
  Timeline out{p, v, m, 0, {}};
  for (const std::vector<PlacedPass>& of : placed) {
    if (of.empty()) continue;
    out.seconds = std::max(out.seconds, of.back().end - of.front().start);
    out.slots.insert(out.slots.end(), of.begin(), of.end());
  }
  return out;
}

int shown_micro_batches(const Pipeline& x, int slots) {
  const bool apart =
      x.stages > 1 && x.schedule != Schedule::one_f_one_b && x.schedule != Schedule::gpipe;
  // DualPipe: a micro-batch passes one chunk of each rank.
  const double chunks = x.schedule == Schedule::dualpipe ? 1 : chunks_of(x);
  const double most = std::floor(slots / (x.stages * chunks * (apart ? 3 : 2)));
  return static_cast<int>(std::max(1.0, std::min(x.micro_batches, most)));
}

}  // namespace envelope
