// SPDX-License-Identifier: MIT
#include "envelope/network.h"

#include <algorithm>
#include <cmath>

namespace envelope {
namespace {

/// Where a group's ranks are: so many in a domain, so many in a box.
struct Place {
  double near, boxed;
};
Place place(const Network& net, Peers g) {
  const double near = std::clamp(std::floor(net.domain / g.stride), 1.0, g.ranks);
  return {near, std::clamp(std::floor(net.node / g.stride), near, g.ranks)};
}

/// Bytes/s of a rank's links inside the domain. A ring around one dimension of a torus has two of
/// its links; a group that fills more dimensions has theirs as well.
double link_rate(const Network& net, Peers g) {
  if (net.torus <= 1) return net.link;
  const double span = g.ranks * g.stride;
  const double used = g.stride >= net.side || span <= net.side ? 1 : net.torus;
  return net.link * used / net.torus;
}

/// Seconds for each byte that passes every rank of a ring: GPUs of a box bring their NICs together.
double per_byte(const Network& net, Peers g, Place at) {
  double seconds = at.near > 1 || g.ranks == 1 ? 1 / link_rate(net, g) : 0;
  if (at.boxed > at.near) seconds = std::max(seconds, 1 / (net.box * at.near));
  if (g.ranks > at.boxed) seconds = std::max(seconds, 1 / (net.nic * at.boxed));
  return seconds;
}

/// Steps in which a tree over n ranks is climbed, without a logarithm's rounding.
double levels(double n) {
  double k = 0;
  for (double reached = 1; reached < n; reached *= 2) ++k;
  return k;
}

}  // namespace

Network network_of(const Scenario& s, double gpus, const Physics& k) {
  const Gpu& g = s.gpu;
  Network n;
  // A GPU of which no link is known is taken to be in a box with PCIe.
  const bool linked = given(g.link) && g.domain > 1;
  n.domain = std::max(1.0, g.domain);
  n.link = linked ? g.link * k.link : k.pcie;
  n.box = given(g.link) && g.domain <= 1 ? std::min(g.link, 2 * k.pcie) * k.link : k.pcie * k.link;
  n.node = std::max(n.domain, k.node);
  n.nic = (given(g.nic) ? g.nic : k.pcie / 2) * k.nic / std::max(1.0, s.cluster.oversubscription);
  n.latency = k.latency;
  n.link_hop = k.link_hop;
  n.nic_hop = k.nic_hop;
  n.torus = g.torus;
  if (n.torus > 1) {
    n.side = 1;  // no roots: a power of two as in every slice that is sold
    const double slice = std::min(n.domain, gpus);
    while ((n.torus > 2 ? n.side * n.side * n.side : n.side * n.side) < slice) n.side *= 2;
    n.node = n.domain;
  }
  n.in_switch = g.in_switch;
  return n;
}

Route route_of(const Network& net, Peers g) {
  const Place at = place(net, g);
  const double boxes = g.ranks / at.boxed;
  return {at.near, at.boxed, 1 / per_byte(net, g, at),
          net.latency + (at.boxed - 1) * net.link_hop + (boxes > 1 ? boxes * net.nic_hop : 0)};
}

double all_gather(const Network& net, Peers g, double bytes) {
  if (g.ranks <= 1) return 0;
  const Place at = place(net, g);
  const double boxes = g.ranks / at.boxed;
  return bytes * (g.ranks - 1) / g.ranks * per_byte(net, g, at) + net.latency +
         (at.boxed - 1) * net.link_hop + (boxes > 1 ? boxes * net.nic_hop : 0);
}

double all_reduce(const Network& net, Peers g, double bytes) {
  if (g.ranks <= 1) return 0;
  const Place at = place(net, g);
  const double boxes = g.ranks / at.boxed;
  const double ring = 2 * all_gather(net, g, bytes) - net.latency;
  // A tree between boxes has few hops and sends all bytes up and down.
  const double tree = net.latency + 2 * bytes * per_byte(net, g, at) +
                      2 * (at.boxed - 1) * net.link_hop + 2 * levels(boxes) * net.nic_hop;
  double best = std::min(ring, tree);
  if (at.near > 1 && boxes > 1) {
    // Summed inside the domain first; then each rank its part with its peers elsewhere.
    const Peers inner{at.near, g.stride}, outer{g.ranks / at.near, g.stride * at.near};
    const double across = 2 * all_gather(net, outer, bytes / at.near) - net.latency;
    best = std::min(best, 2 * all_gather(net, inner, bytes) - net.latency + across);
  }
  if (net.in_switch && at.near == g.ranks)
    best = std::min(best, net.latency + bytes / net.link + 2 * net.link_hop);
  return best;
}

double all_to_all(const Network& net, Peers g, double bytes) {
  if (g.ranks <= 1) return 0;
  const Place at = place(net, g);
  const double each = bytes / g.ranks;
  double seconds = each * (at.near - 1) / link_rate(net, g);
  // On a torus every byte takes several links: a quarter of each ring on average.
  if (net.torus > 1) seconds *= std::max(1.0, std::min(net.side, g.ranks) / 4);
  seconds = std::max(seconds, each * (at.boxed - at.near) / net.box);
  seconds = std::max(seconds, each * (g.ranks - at.boxed) / net.nic);
  return seconds + net.latency + (g.ranks > at.boxed ? net.nic_hop : net.link_hop);
}

double dispatch(const Network& net, Peers g, double tokens, double bytes, double copies) {
  if (g.ranks <= 1) return 0;
  const double inside = all_to_all(net, g, tokens * bytes * copies);
  const Place at = place(net, g);
  const double domains = g.ranks / at.boxed;
  if (domains <= 1 || net.torus > 1) return inside;
  // A domain misses a token that none of its copies goes to.
  double missed = 1;
  for (double k = 0; k < copies && k < 64; ++k) missed *= 1 - 1 / domains;
  const double across = tokens * bytes * (domains - 1) * (1 - missed) / net.nic;
  const double within = tokens * bytes * copies * (at.near - 1) / at.near / link_rate(net, g);
  return std::max(across, within) + net.latency + net.nic_hop;
}

double send(const Network& net, Peers g, double bytes) {
  if (g.ranks <= 1) return 0;
  const double span = g.ranks * g.stride;
  if (span <= net.domain) return bytes / link_rate(net, g) + net.link_hop;
  return span <= net.node ? bytes / net.box + net.link_hop : bytes / net.nic + net.nic_hop;
}

}  // namespace envelope
