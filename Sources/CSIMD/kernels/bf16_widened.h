/// Products of bfloat16 pairs where no instruction has them: weights are widened as they are read,
/// which halves their way from memory; rows are rounded, but kept in fp32 to be broadcast from there.
typedef float helem;
typedef uint32_t hbits __attribute__((vector_size(LANES * 4)));
typedef struct {
  vf first, second;
} hweight;

INLINE hweight h_weight(const uint16_t *p) {
  hbits pairs;
  memcpy(&pairs, p, sizeof pairs);
  return (hweight){(vf)(pairs << 16), (vf)(pairs & 0xffff0000u)};
}
INLINE vf h_dot(vf sum, const helem *row, hweight weight) {
  // In the order of the instruction that this stands for.
  sum = v_fma(v_set(row[1]), weight.second, sum);
  return v_fma(v_set(row[0]), weight.first, sum);
}
/// To nearest, ties to even; what is not a number stays none.
INLINE void h_put(helem *p, vf x) {
  const hbits bits = (hbits)x;
  const hbits rounded = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
  const hbits number = (hbits)(x == x);
  const hbits kept = (rounded & number) | ((bits | 0x400000) & 0xffff0000u & ~number);
  memcpy(p, &kept, sizeof kept);
}
