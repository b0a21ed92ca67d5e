/// The vector words that the kernels are written in, for AVX2 with FMA and F16C.
#include <immintrin.h>

#define TARGET "avx2,fma,f16c"
#pragma clang attribute push(__attribute__((target(TARGET))), apply_to = function)
#define INLINE static inline __attribute__((always_inline))

/// 6 x 16: 12 sums, 2 weights and a broadcast fill 15 of 16 registers.
enum { LANES = 8, TILE_ROWS = TILE_LIMIT, TILE_VECTORS = 2 };
typedef __m256 vf;

INLINE __m256i v_mask(long n) {
  return _mm256_cmpgt_epi32(
    _mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
INLINE vf v_set(float x) { return _mm256_set1_ps(x); }
INLINE vf v_load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void v_store(float *p, vf x) { _mm256_storeu_ps(p, x); }
/// The first n of LANES values, 0 < n < LANES; zeros beyond. Nothing beyond is touched.
INLINE vf v_load_part(const float *p, long n) { return _mm256_maskload_ps(p, v_mask(n)); }
INLINE void v_store_part(float *p, vf x, long n) { _mm256_maskstore_ps(p, v_mask(n), x); }
INLINE vf v_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vf v_max(vf a, vf b) { return _mm256_max_ps(a, b); }
INLINE vf v_min(vf a, vf b) { return _mm256_min_ps(a, b); }
INLINE vf v_round(vf x) { return _mm256_round_ps(x, 8); }
/// x 2^n for whole n, in two steps so that n may leave the exponent's range.
INLINE vf v_scale(vf x, vf n) {
  __m256i whole = _mm256_cvtps_epi32(n);
  __m256i half = _mm256_srai_epi32(whole, 1), rest = _mm256_sub_epi32(whole, half);
  __m256i bias = _mm256_set1_epi32(127);
  vf a = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, bias), 23));
  vf b = _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, bias), 23));
  return x * a * b;
}
INLINE float v_sum(vf x) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
INLINE float v_largest(vf x) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
INLINE vf v_from_half(const uint16_t *p) {
  return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)p));
}
INLINE vf v_from_int8(const int8_t *p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}
