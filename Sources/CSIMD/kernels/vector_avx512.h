/// The vector words that the kernels are written in, for AVX-512.
#include <immintrin.h>

#ifndef TARGET
#define TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c"
#endif
#pragma clang attribute push(__attribute__((target(TARGET))), apply_to = function)
#define INLINE static inline __attribute__((always_inline))

/// 14 x 32: 28 sums, 2 weights and a broadcast fill 31 of 32 registers.
enum { LANES = 16, TILE_ROWS = TILE_LIMIT, TILE_VECTORS = 2 };
typedef __m512 vf;
typedef __m512i vi;

INLINE __mmask16 v_mask(long n) { return (__mmask16)((1u << n) - 1); }
INLINE vf v_set(float x) { return _mm512_set1_ps(x); }
INLINE vf v_load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void v_store(float *p, vf x) { _mm512_storeu_ps(p, x); }
/// The first n of LANES values, 0 < n < LANES; zeros beyond. Nothing beyond is touched.
INLINE vf v_load_part(const float *p, long n) { return _mm512_maskz_loadu_ps(v_mask(n), p); }
INLINE void v_store_part(float *p, vf x, long n) { _mm512_mask_storeu_ps(p, v_mask(n), x); }
INLINE vf v_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vf v_max(vf a, vf b) { return _mm512_max_ps(a, b); }
INLINE vf v_min(vf a, vf b) { return _mm512_min_ps(a, b); }
INLINE vf v_round(vf x) { return _mm512_roundscale_ps(x, 8); }
/// x 2^n for whole n.
INLINE vf v_scale(vf x, vf n) { return _mm512_scalef_ps(x, n); }
INLINE float v_sum(vf x) { return _mm512_reduce_add_ps(x); }
INLINE float v_largest(vf x) { return _mm512_reduce_max_ps(x); }
INLINE vf v_from_half(const uint16_t *p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)p));
}
INLINE vf v_from_int8(const int8_t *p) {
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)p)));
}
