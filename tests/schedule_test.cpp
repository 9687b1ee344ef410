// SPDX-License-Identifier: MIT
// Pipeline schedules: the closed forms against a simulation that places every pass, and the laws
// that the papers state.
#include "envelope/schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "catch.h"
#include "envelope/timeline.h"
#include "random_scenario.h"

namespace {

using namespace envelope;
using enum Schedule;

constexpr std::array kSchedules = {one_f_one_b, gpipe, zb_h1,    zb_2p,     zbv,
                                   v_half,      v_min, dualpipe, dualpipe_v};
constexpr std::array kNames = {"1F1B",   "GPipe", "ZB-H1",    "ZB-2P",     "ZB-V",
                               "V-Half", "V-Min", "DualPipe", "DualPipe-V"};

Pipeline even(Schedule schedule, double p, double m, Passes one, double chunks = 1) {
  Pipeline x;
  x.schedule = schedule;
  x.stages = p;
  x.micro_batches = m;
  x.chunks = chunks;
  x.first = x.middle = x.last = one;
  return x;
}

Passes times(double k, Passes one) { return {k * one.forward, k * one.backward, k * one.weight}; }

double simulated(const Pipeline& x) {
  return timeline(x, static_cast<int>(x.micro_batches)).seconds;
}

double error(const Pipeline& x) {
  const double is = simulated(x);
  return (pipeline_time(x).total - is) / is;
}

std::string text(const Pipeline& x) {
  return std::string(kNames[static_cast<std::size_t>(x.schedule)]) + ", " +
         std::to_string(x.stages) + " ranks of " + std::to_string(x.chunks) + ", " +
         std::to_string(x.micro_batches) + " micro-batches, first " +
         std::to_string(x.first.sum()) + ", passes " + std::to_string(x.middle.forward) + " " +
         std::to_string(x.middle.backward) + " " + std::to_string(x.middle.weight) + ", last " +
         std::to_string(x.last.sum()) + ", send " + std::to_string(x.send);
}

/// Random ranks and passes as transformers have them: the backward of inputs takes as long as the
/// forward or longer (attention, and what is computed again), that of weights as long or shorter.
struct Draw {
  envelope_test::Random random;
  double share() { return static_cast<double>(random.below(1001)) / 1000; }
  double between(double low, double high) { return low + (high - low) * share(); }
  Pipeline pipeline(Schedule schedule) {
    const bool both_ways = schedule == dualpipe || schedule == dualpipe_v;
    double p = static_cast<double>(2 + random.below(15));
    if (schedule == dualpipe) p += std::fmod(p, 2);
    double m = static_cast<double>(1 + random.below(static_cast<std::size_t>(5 * p)));
    if (both_ways) m = 2 * (p + static_cast<double>(random.below(20)));
    const double chunks = schedule == one_f_one_b ? static_cast<double>(1 + random.below(4)) : 1;
    if (chunks > 1) m = p * std::ceil(m / p);
    return even(schedule, p, m, {1, between(1, 2.3), between(0.2, 1)}, chunks);
  }
};

bool cells(Schedule s) { return s == v_half || s == v_min; }

}  // namespace

TEST_CASE("schedule: the bubbles are those that the papers print") {
  // Forward, gradient of inputs and of weights take one second each.
  const Passes one{1, 1, 1};
  for (const double p : {2., 4., 8., 16., 30.}) {
    const double m = 4 * p;
    const auto bubble = [&](Schedule s, double chunks = 1) {
      return pipeline_time(even(s, p, m, one, chunks)).bubble;
    };
    const double plain = 3 * (p - 1);  // (p-1)(tf+tb) of a micro-batch
    CHECK(bubble(one_f_one_b) == Approx(plain));
    CHECK(bubble(gpipe) == Approx(plain));
    CHECK(bubble(one_f_one_b, 2) == Approx(plain / 2));  // Narayanan 2021: 1/v
    CHECK(bubble(one_f_one_b, 4) == Approx(plain / 4));
    CHECK(bubble(zb_h1) == Approx(plain / 3));  // Qi 2023: a third, then none
    CHECK(bubble(zb_2p) == 0);
    CHECK(bubble(zbv) == 0);
    // DeepSeek-V3: (p/2-1)(F&B + B - 3W), with B the whole backward.
    CHECK(bubble(dualpipe) == Approx((p / 2 - 1) * (3 + 2 - 3)));
    // The same with 2p stages on p ranks, each of half the time.
    CHECK(bubble(dualpipe_v) == Approx((p - 1) * (3 + 2 - 3) / 2));
    // Qi 2024: a half and two thirds, but for a constant.
    CHECK(std::fabs(bubble(v_half) - plain / 2) <= 2.5);
    CHECK(std::fabs(bubble(v_min) - plain * 2 / 3) <= 1);
  }
  // Unequal passes: (p-1)(F+B-2W) with B the whole backward, and (p-1)(F+B-3W).
  const Passes unequal{1, 1.4, 0.7};
  CHECK(pipeline_time(even(zb_h1, 8, 32, unequal)).bubble == Approx(7 * (1 + 2.1 - 1.4)));
  CHECK(pipeline_time(even(zb_2p, 8, 32, unequal)).bubble == Approx(7 * (1 + 2.1 - 2.1)));
}

TEST_CASE("schedule: for equal ranks the closed form is the simulated time") {
  Draw draw{envelope_test::Random(7)};
  for (const Schedule schedule : kSchedules) {
    double sum = 0;
    for (int i = 0; i < 300; ++i) {
      Pipeline x = draw.pipeline(schedule);
      if (cells(schedule)) x.stages += 2;
      if (cells(schedule)) x.micro_batches += x.stages;
      const double e = error(x);
      sum += std::fabs(e);
      INFO(text(x));
      // V-Half and V-Min move passes to what cells are free, which no short formula follows.
      CHECK(std::fabs(e) < (cells(schedule) ? 0.12 : 1e-9));
    }
    CHECK(sum / 300 < 0.015);
  }
}

TEST_CASE("schedule: for a longer first or last rank the closed form is near the simulated time") {
  Draw draw{envelope_test::Random(8)};
  for (const Schedule schedule : kSchedules) {
    double sum = 0;
    for (int i = 0; i < 300; ++i) {
      Pipeline x = draw.pipeline(schedule);
      x.stages = std::max(4., x.stages);
      x.micro_batches = x.stages * static_cast<double>(2 + draw.random.below(5));
      // Where the model is folded, embedding and head are both on the first rank.
      const Passes other = times(draw.between(0.8, 1.3), x.middle);
      const bool folds = schedule >= zbv;
      if (folds) x.first = other;
      if (!folds || schedule == dualpipe) x.last = other;
      const double e = error(x);
      sum += std::fabs(e);
      INFO(text(x));
      CHECK(std::fabs(e) < (x.chunks == 1 && schedule <= gpipe ? 1e-9 : 0.11));
    }
    INFO(kNames[static_cast<std::size_t>(schedule)]);
    CHECK(sum / 300 < 0.02);
  }
}

TEST_CASE("schedule: what is sent delays the closed form as it does the simulation") {
  Draw draw{envelope_test::Random(9)};
  for (const Schedule schedule : kSchedules) {
    double sum = 0;
    for (int i = 0; i < 200; ++i) {
      Pipeline x = draw.pipeline(schedule);
      if (cells(schedule)) x.stages += 2;
      if (cells(schedule)) x.micro_batches += x.stages;
      x.send = draw.between(0, 0.05) * x.middle.sum() / x.chunks;
      const double e = error(x);
      sum += std::fabs(e);
      INFO(text(x));
      CHECK(std::fabs(e) < (schedule <= gpipe ? 1e-9 : 0.12));
    }
    INFO(kNames[static_cast<std::size_t>(schedule)]);
    CHECK(sum / 200 < 0.02);
  }
}

TEST_CASE("schedule: the parts sum to the whole, and none is negative") {
  Draw draw{envelope_test::Random(10)};
  for (int i = 0; i < 20000; ++i) {
    Pipeline x = draw.pipeline(kSchedules[draw.random.below(kSchedules.size())]);
    x.first = times(draw.between(0, 3), x.middle);
    x.last = times(draw.between(0, 3), x.middle);
    x.micro_batches = static_cast<double>(1 + draw.random.below(100));
    x.send = draw.between(0, 0.5);
    const PipelineTime t = pipeline_time(x);
    INFO(text(x));
    REQUIRE(t.busy + t.bubble + t.send == Approx(t.total));
    REQUIRE(t.busy >= 0);
    REQUIRE(t.bubble >= -1e-9 * t.total);
    REQUIRE(t.send >= -1e-9 * t.total);
  }
}

TEST_CASE("schedule: the bubble's share falls with micro-batches and grows with ranks") {
  Draw draw{envelope_test::Random(11)};
  const auto share = [](const Pipeline& x) {
    const PipelineTime t = pipeline_time(x);
    return t.bubble / t.total;
  };
  for (int i = 0; i < 5000; ++i) {
    const Pipeline x = draw.pipeline(kSchedules[draw.random.below(kSchedules.size())]);
    INFO(text(x));
    Pipeline more = x;
    more.micro_batches += x.stages * static_cast<double>(1 + draw.random.below(5));
    CHECK(share(more) <= share(x) + 1e-9);
    // The steps of V-Half and V-Min differ for even and odd ranks, and two is few.
    Pipeline longer = x;
    longer.stages += 2;
    longer.micro_batches = x.micro_batches * 2;
    Pipeline same = x;
    same.micro_batches = x.micro_batches * 2;
    if (!cells(x.schedule) || x.stages > 2) CHECK(share(longer) >= share(same) - 1e-9);
    Pipeline alone = x;
    alone.stages = 1;
    CHECK(pipeline_time(alone).bubble == 0);
    CHECK(pipeline_time(alone).total == Approx(x.micro_batches * x.first.sum()));
    CHECK(simulated(alone) == Approx(x.micro_batches * x.first.sum()));
  }
}

TEST_CASE("schedule: interleaving divides the bubble, and delayed weights never add to it") {
  Draw draw{envelope_test::Random(12)};
  for (int i = 0; i < 2000; ++i) {
    Pipeline x = draw.pipeline(one_f_one_b);
    x.chunks = 1;
    x.micro_batches = std::max(x.micro_batches, x.stages);
    const double plain = pipeline_time(x).bubble;
    INFO(text(x));
    for (const double v : {2., 3., 8.}) {
      x.chunks = v;
      CHECK(pipeline_time(x).bubble == Approx(plain / v));
    }
    x.chunks = 1;
    for (const Schedule s : {zb_h1, zb_2p, zbv}) {
      x.schedule = s;
      CHECK(pipeline_time(x).bubble <= plain + 1e-9);
    }
    x.schedule = zb_h1;
    const double h1 = pipeline_time(x).bubble;
    x.schedule = zb_2p;
    CHECK(pipeline_time(x).bubble <= h1 + 1e-9);
  }
}

TEST_CASE("timeline: every pass is there once, in its place, after what it needs") {
  Draw draw{envelope_test::Random(13)};
  for (int i = 0; i < 300; ++i) {
    Pipeline x = draw.pipeline(kSchedules[static_cast<std::size_t>(i) % kSchedules.size()]);
    x.first = times(draw.between(0.5, 2), x.middle);
    x.last = times(draw.between(0.5, 2), x.middle);
    x.send = draw.between(0, 0.3);
    x.stages = 1 + std::fmod(x.stages, 8);
    // Any number of micro-batches, also what the rules warn of.
    x.micro_batches = static_cast<double>(1 + draw.random.below(24));
    const int p = static_cast<int>(x.stages), m = static_cast<int>(x.micro_batches);
    const Timeline t = timeline(x, m);
    INFO(text(x));
    const bool two_ways = x.schedule == dualpipe && p > 1;
    const bool folds = t.chunks == 2 && x.schedule != one_f_one_b;
    const bool splits = p > 1 && x.schedule != one_f_one_b && x.schedule != gpipe;
    const int stages = two_ways ? p : p * t.chunks;
    const auto stage_of = [&](const PlacedPass& s) {
      if (two_ways) return s.chunk == 0 ? s.stage : p - 1 - s.stage;
      return folds && s.chunk == 1 ? 2 * p - 1 - s.stage : s.chunk * p + s.stage;
    };
    // When each pass of each stage of the model is done, and its rank.
    struct Done {
      double end = -1, start = -1;
      int rank = -1;
    };
    std::vector<Done> done[3];
    for (auto& d : done) d.resize(static_cast<std::size_t>(m * stages));
    double longest = 0;
    for (std::size_t k = 0; k < t.slots.size(); ++k) {
      const PlacedPass& s = t.slots[k];
      const Passes& one = s.stage == 0 ? x.first : s.stage == p - 1 ? x.last : x.middle;
      REQUIRE(s.micro_batch < m);
      REQUIRE(s.chunk < t.chunks);
      Done& d = done[static_cast<int>(s.kind)]
                    [static_cast<std::size_t>(s.micro_batch * stages + stage_of(s))];
      REQUIRE(d.rank < 0);  // once
      d = {s.end, s.start, s.stage};
      longest = std::max(longest, s.end - s.start);
      REQUIRE(s.end - s.start <= one.sum() + 1e-9);
      if (k > 0 && t.slots[k - 1].stage == s.stage)
        REQUIRE(s.start >= t.slots[k - 1].end - 1e-9);  // one at a time
    }
    const auto needs = [&](const Done& what, const Done& first) {
      REQUIRE(first.rank >= 0);
      REQUIRE(what.start >= first.end + (what.rank == first.rank ? 0 : x.send) - 1e-9);
    };
    for (int mb = 0; mb < m; ++mb)
      for (int stage = 0; stage < stages; ++stage) {
        const auto at = [&](int kind, int other) -> const Done& {
          return done[kind][static_cast<std::size_t>(mb * stages + other)];
        };
        // DualPipe sends each micro-batch one way; the ranks of that way have all its passes.
        REQUIRE(at(0, stage).rank >= 0);
        REQUIRE(at(1, stage).rank >= 0);
        if (stage > 0) needs(at(0, stage), at(0, stage - 1));
        needs(at(1, stage), at(0, stage));
        if (stage + 1 < stages) needs(at(1, stage), at(1, stage + 1));
        if (at(2, stage).rank >= 0) needs(at(2, stage), at(1, stage));
        if (!splits) REQUIRE(at(2, stage).rank < 0);
      }
    // All work is done: each rank's slots last as long as its passes.
    for (int r = 0; r < p; ++r) {
      const Passes& one = r == 0 ? x.first : r == p - 1 ? x.last : x.middle;
      double busy = 0;
      for (const PlacedPass& s : t.slots) busy += s.stage == r ? s.end - s.start : 0;
      REQUIRE(busy == Approx(m * one.sum()));
    }
  }
}

TEST_CASE("timeline: what is drawn has at most about two thousand passes") {
  for (const Schedule schedule : kSchedules)
    for (const double p : {1., 2., 8., 64., 256.})
      for (const double m : {1., 16., 4096.}) {
        const Pipeline x = even(schedule, p, m, {1, 1, 1}, 2);
        const int shown = shown_micro_batches(x);
        CHECK(shown <= m);
        CHECK(shown >= 1);
        const Timeline t = timeline(x, shown);
        CHECK((t.slots.size() <= 2000 || shown == 1));
        CHECK(t.micro_batches == shown);
        CHECK(t.stages == p);
        // One micro-batch goes down and back alone. (DualPipe would pair its passes with others.)
        if (m == 1 && schedule < dualpipe)
          CHECK(std::fabs(t.seconds - pipeline_time(x).total) <= 0.5);
      }
}
