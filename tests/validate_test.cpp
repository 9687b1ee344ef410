// SPDX-License-Identifier: MIT
#include "envelope/validate.h"

#include "catch.h"

TEST_CASE("validate: percentiles are linear between the two nearest values") {
  using envelope::percentile;
  CHECK(percentile({3, 1, 2}, 0.5) == 2);
  CHECK(percentile({4, 1, 2, 3}, 0.5) == 2.5);
  CHECK(percentile({0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100}, 0.9) == 90);
  CHECK(percentile({0, 10}, 0.9) == 9);
  CHECK(percentile({7}, 0.9) == 7);
}
