// SPDX-License-Identifier: MIT
// In: links, network and who takes part. Out: seconds of a collective: latency for each hop, and
// bytes over the slowest link that they cross. Three tiers: scale-up link, PCIe inside a box, and
// the network between boxes, of which each GPU has a share.
// Neglected: collectives that share a link at the same time; routing; lost packets.
#pragma once

#include "envelope/physics.h"
#include "envelope/scenario.h"

namespace envelope {

/// Ranks that communicate. The layout puts TP innermost, then CP, then DP, then PP: neighbours in a
/// group are `stride` GPUs apart, and that decides how many of them share a domain and a box.
struct Peers {
  double ranks = 1, stride = 1;
};

/// Rates are bytes/s of one GPU in one direction, as reached.
struct Network {
  double link = 0, domain = 1;  ///< Scale-up.
  double box = 0, node = 1;     ///< Inside a box: PCIe where the domain is smaller than the box.
  double nic = 0;               ///< Between boxes; the share of one GPU, after oversubscription.
  double latency = 0, link_hop = 0, nic_hop = 0;
  double torus = 0;        ///< Dimensions of the torus that the links form; 0: a switch.
  double side = 0;         ///< GPUs along one of them.
  bool in_switch = false;  ///< Switches add up: an all-reduce sends its bytes once.
};
/// Where a group's ranks are, and what that costs: so many in a domain and in a box; bytes/s that
/// pass every rank of a ring; seconds before and between them.
struct Route {
  double near = 1, boxed = 1, rate = 0, latency = 0;
};
Route route_of(const Network& net, Peers group);

/// So many GPUs are in use: of a torus the slice that they make.
Network network_of(const Scenario& scenario, double gpus, const Physics& physics);

/// Seconds to bring `bytes` to every rank, each of which has an equal part of them. Reduce-scatter
/// is the same way back.
double all_gather(const Network& net, Peers group, double bytes);
inline double reduce_scatter(const Network& net, Peers group, double bytes) {
  return all_gather(net, group, bytes);
}
/// Sums `bytes` that every rank has: the best of ring, tree, hierarchy and sum inside the switch.
double all_reduce(const Network& net, Peers group, double bytes);
/// Every rank has `bytes` and sends an equal part of them to each.
double all_to_all(const Network& net, Peers group, double bytes);
/// Every rank has `tokens` of so many bytes, and each goes to `copies` ranks at random: once to
/// each domain that has one of them, and on from there.
double dispatch(const Network& net, Peers group, double tokens, double bytes, double copies);
/// From one GPU to another `stride` GPUs further on, in a group of so many.
double send(const Network& net, Peers group, double bytes);

}  // namespace envelope
