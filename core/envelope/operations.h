// SPDX-License-Identifier: MIT
// In: architecture, device, software, layout. Out: what one GPU does for one micro-batch, one line
// for each kind of operation in one layer: FLOP, bytes and seconds, forward and backward. Each
// takes the longer of its arithmetic and its memory traffic (roofline). Products lose time where
// they are small: filling the pipeline over K, and the last wave of output tiles. Neglected: which
// tile sizes a library has; cache between kernels; clocks that fall under load.
#pragma once

#include <array>
#include <string_view>

#include "envelope/architecture.h"
#include "envelope/physics.h"
#include "envelope/ranks.h"

namespace envelope {

/// Something of the forward and of the backward pass.
struct Pass {
  double forward = 0, backward = 0;
  Pass& operator+=(Pass o) {
    forward += o.forward;
    backward += o.backward;
    return *this;
  }
  double sum() const { return forward + backward; }
};
inline Pass operator*(double k, Pass p) { return {k * p.forward, k * p.backward}; }
inline Pass operator+(Pass a, Pass b) { return a += b; }

/// The device and its software: rates as reached, FLOP/s and bytes/s.
struct Machine {
  double peak = 0;       ///< Of products in the run's precision.
  double peak16 = 0;     ///< Of those that stay in 16 bits: the head.
  double attention = 0;  ///< Of flash attention forward, heads of 128.
  double experts = 1;    ///< Grouped products over single ones.
  double bandwidth = 0;  ///< Of the memory.
  double pointwise = 0;  ///< Seconds for each byte of element-wise work, as the software does it.
  bool apart = false;    ///< Element-wise work in several kernels each: nothing fuses them.
  double value = 2;      ///< Bytes of a value between operations.
  double operand = 2;    ///< Bytes of a value that enters a product.
  double cast = 0;       ///< Seconds for each value that is cast before a product; 0: none is.
  double unpack = 0;     ///< Seconds for each 4-bit weight that is unpacked before a product.
  Physics physics;
};
Machine machine_of(const Scenario& scenario, const Physics& physics);

/// Which layers have an operation.
enum class Where : unsigned char { layer, attention, linear, dense, moe, embedding, head };
inline constexpr int kWheres = 7;
/// What it counts as.
enum class Category : unsigned char { matmul, experts, attention, pointwise, head };
inline constexpr int kCategories = 5;

struct Operation {
  std::string_view id;
  Where where = Where::layer;
  Category category = Category::matmul;
  double kernels = 0;  ///< Launched forward; backward twice as many.
  Pass flop, bytes, seconds;
  double weight = 0;  ///< Seconds of `backward` that only the gradient of weights takes.
};

/// No allocation: a sweep fills millions of these.
struct Operations {
  std::array<Operation, 24> list{};
  int count = 0;
  const Operation* begin() const { return list.data(); }
  const Operation* end() const { return list.data() + count; }
};

/// Of one micro-batch in one layer of each kind, in the embedding and in the head.
Operations operations(const Scenario& scenario, const Architecture& a, const Ways& ways,
                      const Machine& machine);

/// Matrices of a layer that have an adapter beside them.
double adapted(const Tune& tune, const Model& model);
/// Keys that a query meets in an attention layer, on average, as the kernels compute it.
double keys_of(const Scenario& scenario, const Architecture& a);

/// FLOP/s of the products of so many experts at a time; that of a single one is as any other.
double expert_rate(const Machine& machine, double local);

/// Tokens of the busiest experts over the mean, or the slots that a capacity factor makes.
double busiest(const Scenario& scenario, const Ways& ways, const Physics& physics);

/// Notes the rates of the device, and what each operation takes.
void explain(const Scenario& scenario, const Architecture& a, const Ways& ways,
             const Machine& machine, const Operations& operations, const Ledger& note);

/// How many of a stage's layers are there; of the whole model where the stage is all layers.
double layers_of(Where where, const Stage& stage, const Scenario& scenario);

/// Ways in which TP divides keys and values: beyond their heads, ranks keep copies.
double kv_ways(const Model& model, double tp);

}  // namespace envelope
