/// Products of bytes in AVX-512 without VNNI: as in AVX2, twice as wide.
typedef int16_t belem;
typedef __m512i bsum, bweight;
enum { BYTE_STEP = 2 };

INLINE bsum b_zero(void) { return _mm512_setzero_si512(); }
INLINE bweight b_weight(const int8_t *p) {
  return _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)p));
}
INLINE bweight b_row(const belem *p) {
  int two;
  memcpy(&two, p, sizeof two);
  return _mm512_set1_epi32(two);
}
INLINE bsum b_dot(bsum sum, bweight row, bweight weight) {
  return _mm512_add_epi32(sum, _mm512_madd_epi16(row, weight));
}
INLINE vf b_float(bsum x) { return _mm512_cvtepi32_ps(x); }
INLINE void b_put(belem *p, vf x) {
  _mm256_storeu_si256((__m256i *)p, _mm512_cvtepi32_epi16(_mm512_cvtps_epi32(x)));
}
