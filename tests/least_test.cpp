// SPDX-License-Identifier: MIT
// The fewest GPUs that hold a scenario: the layout named fits, is legal, and no other that was
// tried takes fewer.
#include "envelope/least.h"

#include <algorithm>
#include <string>

#include "catch.h"
#include "envelope/link.h"
#include "envelope/rules.h"
#include "scenarios.h"

namespace {

using namespace envelope;
using envelope_test::of;

bool legal(const Scenario& s) {
  for (const Problem& p : check(s))
    if (p.severity == Severity::warning) return false;
  return true;
}

Scenario with(const Scenario& s, const Patch& patch) {
  Scenario out = s;
  for (const Problem& p : apply(patch, out)) FAIL_CHECK(p.path << ": " << p.message);
  return out;
}

}  // namespace

TEST_CASE("least: the layout fits as named, breaks no rule, and none smaller of a list does both") {
  for (const char* link :
       {"model=llama-3.1-8b", "model=llama-3.1-8b&zero=1", "model=llama-3.1-8b&zero=0&gbs=96",
        "model=llama-2-70b&seq=4096&gpu=a100-sxm-80gb", "model=mixtral-8x7b&seq=4096",
        "model=gpt2&gpu=v100-sxm2-16gb&prec=fp16&seq=1024&gbs=60",
        "model=llama-3.1-8b&cp=2&rc=none", "model=llama-3.1-8b&stack=fsdp2-2024",
        "model=mixtral-8x7b&zero=1&seq=4096&n=8",
        "task=finetune&model=llama-3.1-70b&method=lora&seq=2048&gbs=16"}) {
    INFO(link);
    const Scenario s = of(link);
    const Least least = least_layout(s, estimate(s));
    REQUIRE(given(least.gpus));
    const Scenario named = with(s, least.patch);
    const Report report = estimate(named);
    CHECK(report.layout.fits);
    CHECK(report.layout.used == least.gpus);
    for (const Problem& p : check(named))
      if (p.severity == Severity::warning) FAIL_CHECK(p.path << ": " << p.message);

    std::size_t tried = 0;
    for (double n = 1; n < std::min(least.gpus, 400.0); ++n)
      for (const double tp : {1.0, 2.0, 4.0, 8.0})
        for (const double pp : {1.0, 2.0, 4.0, 8.0, 16.0})
          for (const double ep : {1.0, 2.0, 4.0, 8.0}) {
            if (ep > 1 && s.model.experts == 0) continue;
            Scenario t = s;
            t.cluster.gpus = n;
            t.cluster.tp = tp;
            t.cluster.pp = pp;
            t.cluster.ep = ep;
            if (pp > 1 && !shards_in_pipeline(t)) t.cluster.zero = std::min(t.cluster.zero, 1.0);
            if (!legal(t)) continue;
            ++tried;
            if (estimate(t).layout.fits) FAIL_CHECK("fits: " << encode(t));
          }
    if (least.gpus > 1) CHECK(tried > 0);
  }
}

TEST_CASE("least: pipelines deeper than 16 stages where shorter ones do not hold the model") {
  const Scenario s =
      of("model=llama-3.1-405b&zero=0&gpu=v100-sxm2-32gb&prec=fp16&seq=2048&domain=8");
  const Least least = least_layout(s, estimate(s));
  REQUIRE(given(least.gpus));
  const Scenario named = with(s, least.patch);
  CHECK(named.cluster.pp > 16);
  CHECK(estimate(named).layout.fits);
}

TEST_CASE("least: a pipeline of another depth has no interleaving left over") {
  const Scenario s = of("model=llama-3.1-8b&pp=4&vp=8&zero=1");
  const Scenario named = with(s, least_layout(s, estimate(s)).patch);
  if (named.cluster.pp != 4) CHECK(named.cluster.virtual_stages == 1);
  CHECK(legal(named));
}

TEST_CASE("least: in serving the label names tensor parallelism and replicas as they are") {
  for (const char* link :
       {"task=serve&model=llama-3.1-8b&batch=1", "task=serve&model=llama-3.1-70b",
        "task=serve&model=llama-3.1-405b&batch=1",
        "task=serve&model=gpt2-xl&batch=4000&prompt=1000&out=24"}) {
    INFO(link);
    const Scenario s = of(link);
    const Least least = least_layout(s, estimate(s));
    REQUIRE(given(least.gpus));
    const Layout l = estimate(with(s, least.patch)).layout;
    CHECK(l.fits);
    CHECK(l.tp * l.dp == least.gpus);
    INFO(least.label);
    if (l.tp > 1)
      CHECK(least.label.find("TP " + number_text(l.tp)) == 0);
    else
      CHECK(least.label.find("TP") == std::string::npos);
    CHECK((least.label.find(number_text(l.dp) + " replicas") != std::string::npos) == (l.dp > 1));
  }
}
