/// Products of whole numbers: rows in 8 bits without a sign, weights in 8 bits with one.
///
/// Depth comes in groups of BYTE_GROUP, each with a scale and a lowest value for the row and a scale
/// for every column, so that one large input spoils the resolution of its own group only. Within a
/// group sums are exact on every instruction set (255 * 127 * 128 < 2^23); the groups are added in
/// fp32, in order, so a row's result does not depend on the rows beside it, to the bit.
///
/// x ~ scale u + low and w ~ factor q, so x . w ~ sum over groups of
/// scale factor (u . q) + low factor (1 . q); packing has made factor (1 . q) ready.

INLINE void byte_tile(
  const struct reduced_product *p, const belem *a, const float *ranges, float *c, const int rows,
  const int vectors
) {
  enum { PANEL = LANES * TILE_VECTORS };
  const long last = p->columns - (long)(vectors - 1) * LANES;
  _Alignas(64) float sums[TILE_ROWS][PANEL];
  const int8_t *b = p->b;
  for (long from = 0; from < p->inputs; from += BYTE_GROUP, ranges += 2) {
    const long left = p->inputs - from;
    const long depth = left < BYTE_GROUP ? (left + 3) & ~3l : BYTE_GROUP;
    bsum sum[TILE_ROWS][TILE_VECTORS];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) sum[r][v] = b_zero();
    const belem *x = a + from;
    for (long k = 0; k < depth; k += BYTE_STEP, b += BYTE_STEP * PANEL) {
      // As for fp32: the processor's own prefetcher stops at every page.
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++)
        __builtin_prefetch(b + 4096 + v * BYTE_STEP * LANES);
      bweight weight[TILE_VECTORS];
#pragma clang loop unroll(full)
      for (int v = 0; v < vectors; v++) weight[v] = b_weight(b + v * BYTE_STEP * LANES);
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        bweight row = b_row(x + r * p->lda + k);
#pragma clang loop unroll(full)
        for (int v = 0; v < vectors; v++) sum[r][v] = b_dot(sum[r][v], row, weight[v]);
      }
    }
    const float *factors = (const float *)b;
    b += 2 * PANEL * sizeof(float);
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      const vf factor = v_load(factors + v * LANES), ones = v_load(factors + PANEL + v * LANES);
      const vf bias = v_load(p->bias + v * LANES);
#pragma clang loop unroll(full)
      for (int r = 0; r < rows; r++) {
        const float *range = ranges + r * p->ldr;
        vf all = from == 0 ? bias : v_load(&sums[r][v * LANES]);
        all = v_fma(v_set(range[1]), ones, all);
        all = v_fma(b_float(sum[r][v]), v_set(range[0]) * factor, all);
        v_store(&sums[r][v * LANES], all);
      }
    }
  }
  for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < vectors; v++) {
      vf y = v_load(&sums[r][v * LANES]);
      if (p->to == TO_GELU) y = gelu_of(y);
      if (v < vectors - 1 || last == LANES) v_store(c + r * p->ldc + v * LANES, y);
      else v_store_part(c + r * p->ldc + v * LANES, y, last);
    }
}

#define BYTE_TILE(R)                                                                              \
  static void byte_tile_##R##_1(                                                                  \
    const struct reduced_product *p, const belem *a, const float *ranges, float *c) {                \
    byte_tile(p, a, ranges, c, R, 1);                                                             \
  }                                                                                               \
  static void byte_tile_##R##_2(                                                                  \
    const struct reduced_product *p, const belem *a, const float *ranges, float *c) {                \
    byte_tile(p, a, ranges, c, R, 2);                                                             \
  }
BYTE_TILE(1) BYTE_TILE(2) BYTE_TILE(3) BYTE_TILE(4) BYTE_TILE(5) BYTE_TILE(6)
#if TILE_LIMIT > 6
BYTE_TILE(7) BYTE_TILE(8) BYTE_TILE(9) BYTE_TILE(10) BYTE_TILE(11) BYTE_TILE(12) BYTE_TILE(13)
BYTE_TILE(14)
#endif
#undef BYTE_TILE

typedef void (*byte_tile_function)(
  const struct reduced_product *, const belem *, const float *, float *);
static const byte_tile_function byte_tiles[][2] = {
#define BYTE_TILE(R) {byte_tile_##R##_1, byte_tile_##R##_2},
  BYTE_TILE(1) BYTE_TILE(2) BYTE_TILE(3) BYTE_TILE(4) BYTE_TILE(5) BYTE_TILE(6)
#if TILE_LIMIT > 6
  BYTE_TILE(7) BYTE_TILE(8) BYTE_TILE(9) BYTE_TILE(10) BYTE_TILE(11) BYTE_TILE(12) BYTE_TILE(13)
  BYTE_TILE(14)
#endif
#undef BYTE_TILE
};

static void multiply_bytes(const struct reduced_product *p) {
  if (p->rows == 0 || p->columns == 0) return;
  const long vectors = (p->columns + LANES - 1) / LANES;
  const long pieces = (p->rows + TILE_ROWS - 1) / TILE_ROWS;
  for (long i = 0, row = 0; i < pieces; i++) {
    const long end = p->rows * (i + 1) / pieces;
    byte_tiles[end - row - 1][vectors - 1](
      p, (const belem *)p->a + row * p->lda, p->ranges + row * p->ldr, p->c + row * p->ldc);
    row = end;
  }
}

/// One group of a row: its range, and each value's place in it from 0 to 255.
static void byte_group(const float *x, long count, float *range, belem *out) {
  float low = x[0], high = x[0];
  long i = 0;
  if (count >= LANES) {
    vf least = v_load(x), most = least;
    for (i = LANES; i + LANES <= count; i += LANES) {
      least = v_min(least, v_load(x + i));
      most = v_max(most, v_load(x + i));
    }
    low = -v_largest(v_set(0) - least);
    high = v_largest(most);
  }
  for (; i < count; i++) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  // A range too small to divide by is no range: its lowest value stands for all.
  const float width = high - low, steps = width > 1e-30f ? 255 / width : 0;
  range[0] = width / 255;
  range[1] = low;
  for (i = 0; i + LANES <= count; i += LANES)
    b_put(out + i, v_round((v_load(x + i) - v_set(low)) * v_set(steps)));
  if (i < count) {
    float rest[LANES] = {0};
    belem places[LANES];
    for (long j = i; j < count; j++) rest[j - i] = (x[j] - low) * steps;
    b_put(places, v_round(v_load(rest)));
    memcpy(out + i, places, (size_t)(count - i) * sizeof(belem));
  }
  for (i = count; i & 3; i++) out[i] = 0;
}

static void to_bytes(const float *x, long inputs, float *ranges, void *out) {
  for (long from = 0; from < inputs; from += BYTE_GROUP, ranges += 2) {
    const long left = inputs - from;
    byte_group(x + from, left < BYTE_GROUP ? left : BYTE_GROUP, ranges, (belem *)out + from);
  }
}

const struct reduced_kernels BYTES = {
  .panel = LANES * TILE_VECTORS,
  .step = BYTE_STEP,
  .element = sizeof(belem),
  .multiply = multiply_bytes,
  .reduce = to_bytes,
};
