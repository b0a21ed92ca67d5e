// GELU(x) = x Phi(x); its derivative is Phi(x) + x phi(x).

#include "include/training.h"
#include "mathematics.h"

CLONED void csimd_gelu_saving(int64_t count, float *restrict x, float *restrict out) {
#pragma clang fp contract(fast)
  for (int64_t i = 0; i < count; i++) {
    const float value = x[i];
    const float e = exp_lane(-0.5f * value * value);
    const float cdf = normal_cdf_lane(value, e);
    out[i] = value * cdf;
    x[i] = cdf + value * e * 0.39894228040f;
  }
}

CLONED void csimd_multiply(int64_t count, const float *restrict by, float *restrict x) {
  for (int64_t i = 0; i < count; i++) x[i] *= by[i];
}

CLONED void csimd_axpy(int64_t count, float scale, const float *restrict x, float *restrict to) {
#pragma clang fp contract(fast)
  for (int64_t i = 0; i < count; i++) to[i] += scale * x[i];
}
