/// Products of bfloat16 numbers, summed in fp32: two inputs of a column lie side by side, and a step
/// of the depth takes both.
///
/// As in product.h a value of c is one chain of sums over the depth, whatever tile its row falls
/// into, so a row's result does not depend on the rows beside it, to the bit.

INLINE void bf16_tile(
  const struct reduced_product *p, const helem *a, float *c, const int rows, const int vectors
) {
  /// Weights are fetched 4 KiB ahead: the processor's own prefetcher stops at every page.
  enum { PAIRS = 2 * LANES, PANEL_PAIRS = PAIRS * TILE_VECTORS, AHEAD_OF = 2048 };
  const long last = p->columns - (long)(vectors - 1) * LANES;
  vf sum[TILE_ROWS][TILE_VECTORS];
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    const vf start = v_load(p->bias + v * LANES);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum[r][v] = start;
  }
  const uint16_t *b = p->b;
  for (long k = 0; k < p->inputs; k += 2, b += PANEL_PAIRS) {
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) __builtin_prefetch(b + AHEAD_OF + v * PAIRS);
    hweight weight[TILE_VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) weight[v] = h_weight(b + v * PAIRS);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sum[r][v] = h_dot(sum[r][v], a + r * p->lda + k, weight[v]);
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      const vf y = p->to == TO_GELU ? gelu_of(sum[r][v]) : sum[r][v];
      if (v < vectors - 1 || last == LANES) v_store(c + r * p->ldc + v * LANES, y);
      else v_store_part(c + r * p->ldc + v * LANES, y, last);
    }
}

#define BF16_TILE(R)                                                               \
  static void bf16_tile_##R##_1(const struct reduced_product *p, const helem *a, float *c) { \
    bf16_tile(p, a, c, R, 1);                                                      \
  }                                                                                \
  static void bf16_tile_##R##_2(const struct reduced_product *p, const helem *a, float *c) { \
    bf16_tile(p, a, c, R, 2);                                                      \
  }
BF16_TILE(1) BF16_TILE(2) BF16_TILE(3) BF16_TILE(4) BF16_TILE(5) BF16_TILE(6)
#if TILE_LIMIT > 6
BF16_TILE(7) BF16_TILE(8) BF16_TILE(9) BF16_TILE(10) BF16_TILE(11) BF16_TILE(12) BF16_TILE(13)
BF16_TILE(14)
#endif
#undef BF16_TILE

typedef void (*bf16_tile_function)(const struct reduced_product *, const helem *, float *);
static const bf16_tile_function bf16_tiles[][2] = {
#define BF16_TILE(R) {bf16_tile_##R##_1, bf16_tile_##R##_2},
  BF16_TILE(1) BF16_TILE(2) BF16_TILE(3) BF16_TILE(4) BF16_TILE(5) BF16_TILE(6)
#if TILE_LIMIT > 6
  BF16_TILE(7) BF16_TILE(8) BF16_TILE(9) BF16_TILE(10) BF16_TILE(11) BF16_TILE(12) BF16_TILE(13)
  BF16_TILE(14)
#endif
#undef BF16_TILE
};

static void multiply_bf16(const struct reduced_product *p) {
  if (p->rows == 0 || p->columns == 0) return;
  const long vectors = (p->columns + LANES - 1) / LANES;
  const long pieces = (p->rows + TILE_ROWS - 1) / TILE_ROWS;
  for (long i = 0, row = 0; i < pieces; i++) {
    const long end = p->rows * (i + 1) / pieces;
    bf16_tiles[end - row - 1][vectors - 1](
      p, (const helem *)p->a + row * p->lda, p->c + row * p->ldc);
    row = end;
  }
}

static void to_bf16(const float *x, long inputs, float *ranges, void *out) {
  (void)ranges;
  helem *to = out;
  long i = 0;
  for (; i + LANES <= inputs; i += LANES) h_put(to + i, v_load(x + i));
  if (i == inputs) return;
  helem rest[LANES];
  h_put(rest, v_load_part(x + i, inputs - i));
  // Zeros beyond the last input make an odd number of them even.
  memcpy(to + i, rest, (size_t)((inputs - i + 1) & ~1l) * sizeof(helem));
}

const struct reduced_kernels BF16 = {
  .panel = LANES * TILE_VECTORS,
  .step = 2,
  .element = sizeof(helem),
  .multiply = multiply_bf16,
  .reduce = to_bf16,
};
