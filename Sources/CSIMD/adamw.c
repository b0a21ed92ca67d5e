// AdamW (Loshchilov and Hutter 2019) over a run of parameters, and the norm that clipping needs.

#include "include/training.h"
#include "targets.h"

#include <math.h>

CLONED double csimd_squared_sum(int64_t count, const float *x) {
  LANES
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += (double)x[i] * (double)x[i];
  return sum;
}

CLONED void csimd_adamw(
  int64_t count, const csimd_adamw_step *step, float decay, const float *restrict gradient,
  float *restrict parameter, float *restrict mean, float *restrict square) {
  const float beta1 = step->beta1, beta2 = step->beta2, scale = step->gradient_scale;
  const float correction1 = step->correction1, correction2 = step->correction2;
  const float rate = step->rate, epsilon = step->epsilon;
  const float kept = 1.0f - rate * decay;
  for (int64_t i = 0; i < count; i++) {
    const float g = gradient[i] * scale;
    mean[i] = beta1 * mean[i] + (1.0f - beta1) * g;
    square[i] = beta2 * square[i] + (1.0f - beta2) * g * g;
    const float root = sqrtf(square[i] * correction2) + epsilon;
    parameter[i] = kept * parameter[i] - rate * (mean[i] * correction1) / root;
  }
}
