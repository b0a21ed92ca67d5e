/// The vector words that the kernels are written in, in the compiler's portable vectors: SSE2, NEON
/// or whatever the baseline of the machine is.
#include <math.h>
#include <string.h>

#include "../half.h"

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 4, TILE_ROWS = TILE_LIMIT, TILE_VECTORS = 2 };
typedef float vf __attribute__((vector_size(16)));

INLINE vf v_set(float x) { return (vf){x, x, x, x}; }
INLINE vf v_load(const float *p) {
  vf x;
  memcpy(&x, p, sizeof x);
  return x;
}
INLINE void v_store(float *p, vf x) { memcpy(p, &x, sizeof x); }
/// The first n of LANES values, 0 < n < LANES; zeros beyond. Nothing beyond is touched.
INLINE vf v_load_part(const float *p, long n) {
  vf x = v_set(0);
  for (long i = 0; i < n; i++) x[i] = p[i];
  return x;
}
INLINE void v_store_part(float *p, vf x, long n) {
  for (long i = 0; i < n; i++) p[i] = x[i];
}
INLINE vf v_fma(vf a, vf b, vf c) { return a * b + c; }
INLINE vf v_max(vf a, vf b) { return __builtin_elementwise_max(a, b); }
INLINE vf v_min(vf a, vf b) { return __builtin_elementwise_min(a, b); }
INLINE vf v_round(vf x) {
  // Adding and taking away 1.5 * 2^23 leaves a whole number where |x| < 2^22.
  volatile vf shifted = x + v_set(12582912.0f);
  return shifted - v_set(12582912.0f);
}
/// x 2^n for whole n, in two steps so that n may leave the exponent's range.
INLINE vf v_scale(vf x, vf n) {
  typedef int32_t vi __attribute__((vector_size(16)));
  const vi whole = __builtin_convertvector(n, vi), half = whole >> 1, rest = whole - half;
  const vi first = (half + 127) << 23, second = (rest + 127) << 23;
  return x * (vf)first * (vf)second;
}
INLINE float v_sum(vf x) { return (x[0] + x[2]) + (x[1] + x[3]); }
INLINE float v_largest(vf x) { return fmaxf(fmaxf(x[0], x[2]), fmaxf(x[1], x[3])); }
INLINE vf v_from_half(const uint16_t *p) {
  return (vf){half_to_float(p[0]), half_to_float(p[1]), half_to_float(p[2]), half_to_float(p[3])};
}
INLINE vf v_from_int8(const int8_t *p) { return (vf){p[0], p[1], p[2], p[3]}; }
