/// The register tile: a few rows times two vectors of columns, summed k by k in order.
///
/// Every value is one chain of fused multiply-adds over k, whatever tile its row falls into, so a row's
/// result does not depend on the rows beside it, to the bit. What is added to c is a chain of its own,
/// which begins at 0: a long chain rounds at the size of its largest term, again and again.

/// Steps of the depth that weights are fetched ahead: 4 KiB of an AVX-512 panel.
enum { AHEAD = 32 };

INLINE void tile(const struct product *p, const float *a, float *c, const int rows, const int vectors) {
  const long lda = p->lda, ldc = p->ldc, ldb = p->ldb, depth = p->depth;
  const long last = p->columns - (long)(vectors - 1) * LANES;
  vf sum[TILE_ROWS][TILE_VECTORS];
#pragma clang loop unroll(full)
  for (int v = 0; v < vectors; v++) {
    vf start = p->from == FROM_BIAS ? v_load(p->bias + v * LANES) : v_set(0);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sum[r][v] = start;
  }

  const float *b = p->b;
  for (long k = 0; k < depth; k++, b += ldb) {
    // Weights come from the third cache or from memory where rows are few; the processor's own
    // prefetcher stops at every page, this one is a page ahead of it.
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) __builtin_prefetch(b + AHEAD * ldb + v * LANES);
    vf weight[TILE_VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) weight[v] = v_load(b + v * LANES);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
      vf x = v_set(a[r * lda + k]);
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sum[r][v] = v_fma(x, weight[v], sum[r][v]);
    }
  }

  if (p->to == TO_ADD || p->to == TO_ADD_GELU) {
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++)
        sum[r][v] += v < vectors - 1 || last == LANES
          ? v_load(c + r * ldc + v * LANES)
          : v_load_part(c + r * ldc + v * LANES, last);
  }
  if (p->to == TO_GELU || p->to == TO_ADD_GELU) {
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sum[r][v] = gelu_of(sum[r][v]);
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      float *to = c + r * ldc + v * LANES;
      if (v < vectors - 1 || last == LANES) {
        v_store(to, sum[r][v]);
      } else {
        v_store_part(to, sum[r][v], last);
      }
    }
}

#define TILE(R)                                                              \
  static void tile_##R##_1(const struct product *p, const float *a, float *c) { tile(p, a, c, R, 1); } \
  static void tile_##R##_2(const struct product *p, const float *a, float *c) { tile(p, a, c, R, 2); }
TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)
#if TILE_LIMIT > 6
TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)
#endif
#undef TILE

typedef void (*tile_function)(const struct product *, const float *, float *);
static const tile_function tiles[][2] = {
#define TILE(R) {tile_##R##_1, tile_##R##_2},
  TILE(1) TILE(2) TILE(3) TILE(4) TILE(5) TILE(6)
#if TILE_LIMIT > 6
  TILE(7) TILE(8) TILE(9) TILE(10) TILE(11) TILE(12) TILE(13) TILE(14)
#endif
#undef TILE
};

static void multiply(const struct product *p) {
  if (p->rows == 0 || p->columns == 0) return;
  const long vectors = (p->columns + LANES - 1) / LANES;
  const long pieces = (p->rows + TILE_ROWS - 1) / TILE_ROWS;
  // Nearly equal tiles: 16 rows are 8 + 8, since a tile of 2 would wait for its weights.
  for (long i = 0, row = 0; i < pieces; i++) {
    long end = p->rows * (i + 1) / pieces;
    tiles[end - row - 1][vectors - 1](p, p->a + row * p->lda, p->c + row * p->ldc);
    row = end;
  }
}

static void pack(
  const float *b, long step_k, long step_j, long depth, long columns, float alpha, float *out
) {
  enum { PANEL = LANES * TILE_VECTORS };
  for (long k = 0; k < depth; k++, out += PANEL)
    for (long j = 0; j < PANEL; j++)
      out[j] = j < columns ? alpha * b[k * step_k + j * step_j] : 0;
}
