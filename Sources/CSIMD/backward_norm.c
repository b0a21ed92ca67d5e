// y = xhat * gamma + beta with xhat = (x - mean) / sqrt(variance + epsilon) (Ba 2016).
//
// With g = dy * gamma: dx = (g - mean(g) - xhat * mean(g * xhat)) / sqrt(variance + epsilon).
// xhat and 1 / sqrt are kept from the forward pass: recomputing xhat from y divides by gamma.

#include "include/training.h"
#include "targets.h"

#include <math.h>
#include <stddef.h>

CLONED void csimd_add_norm_saving(
  int64_t rows, int64_t columns, const float *x, const float *residual, const float *gamma,
  const float *beta, float epsilon, float *out, float *normalised, float *inverse) {
  LANES
  for (int64_t r = 0; r < rows; r++) {
    const float *xr = x + r * columns;
    float *restrict kept = normalised + r * columns;
    float sum = 0;
    if (residual != NULL) {
      const float *other = residual + r * columns;
      for (int64_t c = 0; c < columns; c++) {
        kept[c] = xr[c] + other[c];
        sum += kept[c];
      }
    } else {
      for (int64_t c = 0; c < columns; c++) {
        kept[c] = xr[c];
        sum += kept[c];
      }
    }
    const float mean = sum / (float)columns;
    float squares = 0;
    for (int64_t c = 0; c < columns; c++) {
      kept[c] -= mean;
      squares += kept[c] * kept[c];
    }
    const float scale = 1.0f / sqrtf(squares / (float)columns + epsilon);
    inverse[r] = scale;
    float *restrict to = out + r * columns;
    for (int64_t c = 0; c < columns; c++) {
      kept[c] *= scale;
      to[c] = kept[c] * gamma[c] + beta[c];
    }
  }
}

CLONED void csimd_norm_backward(
  int64_t rows, int64_t columns, float *d, const float *normalised, const float *inverse,
  const float *gamma) {
  LANES
  for (int64_t r = 0; r < rows; r++) {
    float *restrict dr = d + r * columns;
    const float *xhat = normalised + r * columns;
    float sum = 0, product = 0;
    for (int64_t c = 0; c < columns; c++) {
      const float g = dr[c] * gamma[c];
      sum += g;
      product += g * xhat[c];
    }
    const float mean = sum / (float)columns, slope = product / (float)columns;
    const float scale = inverse[r];
    for (int64_t c = 0; c < columns; c++) {
      dr[c] = scale * (dr[c] * gamma[c] - mean - xhat[c] * slope);
    }
  }
}

CLONED void csimd_norm_parameters(
  int64_t rows, int64_t columns, int64_t first, int64_t last, const float *d,
  const float *normalised, float *dgamma, float *dbeta) {
#pragma clang fp contract(fast)
  for (int64_t r = 0; r < rows; r++) {
    const float *dr = d + r * columns, *xhat = normalised + r * columns;
    for (int64_t c = first; c < last; c++) {
      dgamma[c] += dr[c] * xhat[c];
      dbeta[c] += dr[c];
    }
  }
}
