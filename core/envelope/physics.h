// SPDX-License-Identifier: MIT
// Constants of the step model that no device and no framework owns. They were fitted together with
// those of accelerators.json and stacks.json (tests/fit); each has a meaning of its own.
#pragma once

namespace envelope {

struct Physics {
  // Work on one device.
  double bandwidth = 0.773;  ///< Share of the memory's peak that streaming kernels reach.
  double depth = 273;        ///< Product over K values: so many more pass in prologue and epilogue.
  double outputs = 1700000;  ///< Outputs of a product that one wave of tiles could hold, half full.
  double ramp = 0.00000663;  ///< Seconds in which a kernel starts and drains.
  double quantize = 3.16;    ///< Bytes moved for each value that is cast to 8 or 4 bits.
  double dequantize = 15.1;  ///< Bytes moved for each 4-bit weight that is unpacked.
  double backward = 0.835;   ///< Speed of attention backward over forward.
  double softmax = 23.1;     ///< Multiply-adds of a head that one exponential is worth.
  double fused = 0.936, compiled = 0.835, eager = 1.33;  ///< Element-wise traffic over the least.

  // Network.
  double link = 0.734;         ///< Share of the scale-up link's peak that collectives reach.
  double nic = 0.832;          ///< The same of the network between nodes.
  double latency = 0.0000337;  ///< Seconds in which the ranks of a collective find each other.
  double link_hop = 1e-6, nic_hop = 0.00000501;  ///< Seconds from one rank to the next.
  double pcie = 25e9;    ///< Bytes/s of one direction, to the host or between GPUs of one box.
  double node = 8;       ///< GPUs in one box, where the scale-up domain is smaller.
  double host = 2.5e10;  ///< Bytes/s of host memory for each GPU, where the update runs there.

  double critical = 0.787;  ///< Of the overlap, what communication between dependent work can use.
  double handover = 0.418;  ///< Share of a message between stages that the receiver waits for.
  double imbalance = 1.05;  ///< Tokens of the busiest expert rank over the mean.
};
inline constexpr Physics kPhysics;

}  // namespace envelope
