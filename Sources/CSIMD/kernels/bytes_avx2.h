/// Products of bytes in AVX2: both sides widened to 16 bits, since the 8-bit product saturates
/// where two neighbours reach 2 * 255 * 127; two products and one sum in each instruction.
typedef int16_t belem;
typedef __m256i bsum, bweight;
enum { BYTE_STEP = 2 };

INLINE bsum b_zero(void) { return _mm256_setzero_si256(); }
INLINE bweight b_weight(const int8_t *p) {
  return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)p));
}
INLINE bweight b_row(const belem *p) {
  int two;
  memcpy(&two, p, sizeof two);
  return _mm256_set1_epi32(two);
}
INLINE bsum b_dot(bsum sum, bweight row, bweight weight) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(row, weight));
}
INLINE vf b_float(bsum x) { return _mm256_cvtepi32_ps(x); }
INLINE void b_put(belem *p, vf x) {
  const __m256i whole = _mm256_cvtps_epi32(x);
  _mm_storeu_si128(
    (__m128i *)p,
    _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1)));
}
