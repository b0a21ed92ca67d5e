// Elementary functions that the compiler can vectorise: no calls, no branches, no tables.
#pragma once

#include "polynomials.h"
#include "targets.h"

#include <stdint.h>
#include <string.h>

// e^x to about 1.2 ulp for x <= 88, 0 below -87: 2^n times a polynomial of the rest (Cody-Waite
// reduction).
INLINED float exp_lane(float x) {
  x = x < -87.0f ? -87.0f : (x > 88.0f ? 88.0f : x);
  // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits.
  const float shifted = x * 1.44269504f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  float r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  float p = EXP_OF[3];
  p = p * r + EXP_OF[2];
  p = p * r + EXP_OF[1];
  p = p * r + EXP_OF[0];
  p = p * r + 0.5f;
  p = p * r * r + r + 1.0f;
  const int32_t bits = ((int32_t)n + 127) << 23;
  float scale;
  memcpy(&scale, &bits, sizeof scale);
  return p * scale;
}

// The normal distribution function at x, given e = exp(-x^2 / 2), to a few ulp on either side. The same
// exponential gives the density, so GELU and its derivative together cost one.
INLINED float normal_cdf_lane(float x, float e) {
  const float t = 1.0f / (1.0f + TAIL_SCALE * (x < 0 ? -x : x));
  float q = TAIL_OF[5];
  q = q * t + TAIL_OF[4];
  q = q * t + TAIL_OF[3];
  q = q * t + TAIL_OF[2];
  q = q * t + TAIL_OF[1];
  q = q * t + TAIL_OF[0];
  const float tail = q * t * e;
  return x < 0 ? tail : 1.0f - tail;
}
