// Elementary functions that the compiler can vectorise: no calls, no branches, no tables.
#pragma once

#include "targets.h"

#include <stdint.h>
#include <string.h>

// e^x to about 2 ulp for x <= 88, 0 below -87: 2^n times a polynomial of the rest (Cody-Waite
// reduction, Taylor to the 6th power on [-0.35, 0.35]).
INLINED float exp_lane(float x) {
  x = x < -87.0f ? -87.0f : (x > 88.0f ? 88.0f : x);
  // Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits.
  const float shifted = x * 1.44269504f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  float r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  float p = 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r * r + r + 1.0f;
  const int32_t bits = ((int32_t)n + 127) << 23;
  float scale;
  memcpy(&scale, &bits, sizeof scale);
  return p * scale;
}

// The normal distribution function at x, given e = exp(-x^2 / 2): Abramowitz and Stegun 7.1.26,
// absolute error below 1e-7. The same exponential gives the density, so GELU and its derivative
// together cost one.
INLINED float normal_cdf_lane(float x, float e) {
  const float z = (x < 0 ? -x : x) * 0.70710678118f;
  const float t = 1.0f / (1.0f + 0.3275911f * z);
  float q = 1.061405429f;
  q = q * t - 1.453152027f;
  q = q * t + 1.421413741f;
  q = q * t - 0.284496736f;
  q = q * t + 0.254829592f;
  const float tail = 0.5f * q * t * e;
  return x < 0 ? tail : 1.0f - tail;
}
