/// Products of bytes in AVX-512 VNNI: four products and their sum in each instruction, which does
/// not saturate.
typedef uint8_t belem;
typedef __m512i bsum, bweight;
enum { BYTE_STEP = 4 };

INLINE bsum b_zero(void) { return _mm512_setzero_si512(); }
INLINE bweight b_weight(const int8_t *p) { return _mm512_loadu_si512(p); }
INLINE bweight b_row(const belem *p) {
  int four;
  memcpy(&four, p, sizeof four);
  return _mm512_set1_epi32(four);
}
INLINE bsum b_dot(bsum sum, bweight row, bweight weight) {
  return _mm512_dpbusd_epi32(sum, row, weight);
}
INLINE vf b_float(bsum x) { return _mm512_cvtepi32_ps(x); }
INLINE void b_put(belem *p, vf x) {
  _mm_storeu_si128((__m128i *)p, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
}
