/// Products of bfloat16 pairs in AVX-512 BF16: two products and their sum in each instruction.
typedef uint16_t helem;
typedef __m512bh hweight;

INLINE hweight h_weight(const uint16_t *p) { return (hweight)_mm512_loadu_si512(p); }
INLINE vf h_dot(vf sum, const helem *row, hweight weight) {
  int pair;
  memcpy(&pair, row, sizeof pair);
  return _mm512_dpbf16_ps(sum, (hweight)_mm512_set1_epi32(pair), weight);
}
INLINE void h_put(helem *p, vf x) {
  _mm256_storeu_si256((__m256i *)p, (__m256i)_mm512_cvtneps_pbh(x));
}
