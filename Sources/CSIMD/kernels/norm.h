/// LayerNorm of one row in two passes over the values, which stay in the first cache: the mean, then
/// the squares of what differs from it. The one-pass form loses the digits that this keeps.

/// Calls body(i, n) for each vector of a row: n == LANES but for a shorter last one.
#define EACH_VECTOR(width, body)                       \
  do {                                                 \
    long i = 0;                                        \
    for (; i + LANES <= (width); i += LANES) {         \
      enum { WHOLE = 1 };                              \
      const long n = LANES;                            \
      (void)n;                                         \
      body                                             \
    }                                                  \
    if (i < (width)) {                                 \
      enum { WHOLE = 0 };                              \
      const long n = (width)-i;                        \
      body                                             \
    }                                                  \
  } while (0)
#define GET(p) (WHOLE ? v_load(p) : v_load_part(p, n))
#define PUT(p, x)                                      \
  do {                                                 \
    if (WHOLE) v_store(p, x);                          \
    else v_store_part(p, x, n);                        \
  } while (0)

INLINE void norm_in_place(const csimd_norm *norm, float *x, float total) {
  const long width = norm->width;
  const vf mean = v_set(total / (float)width);
  vf squares = v_set(0);
  long i = 0;
  for (; i + LANES <= width; i += LANES) {
    vf d = v_load(x + i) - mean;
    squares = v_fma(d, d, squares);
  }
  float rest = 0;
  for (; i < width; i++) {
    float d = x[i] - total / (float)width;
    rest += d * d;
  }
  const vf scale =
    v_set(1 / __builtin_sqrtf((v_sum(squares) + rest) / (float)width + norm->epsilon));
  EACH_VECTOR(width, {
    vf y = (GET(x + i) - mean) * scale;
    PUT(x + i, v_fma(y, GET(norm->gamma + i), GET(norm->beta + i)));
  });
}

static void add_norm(const csimd_norm *norm, const float *x, const float *residual, float *out) {
  vf total = v_set(0);
  EACH_VECTOR(norm->width, {
    vf y = GET(x + i) + GET(residual + i);
    total += y;
    PUT(out + i, y);
  });
  norm_in_place(norm, out, v_sum(total));
}

static void embed_norm(
  const csimd_norm *norm, const float *a, const float *b, const float *c, float *out
) {
  vf total = v_set(0);
  EACH_VECTOR(norm->width, {
    vf y = GET(a + i) + GET(b + i) + GET(c + i);
    total += y;
    PUT(out + i, y);
  });
  norm_in_place(norm, out, v_sum(total));
}

static void gate_row(float *x, long width, const float *gate, float bias) {
  vf dot = v_set(0);
  EACH_VECTOR(width, { dot = v_fma(GET(x + i), GET(gate + i), dot); });
  vf open = v_set(1) / (v_set(1) + exp_of(v_set(0) - v_set(v_sum(dot) + bias)));
  EACH_VECTOR(width, { PUT(x + i, GET(x + i) * open); });
}

static void mean_rows(const float *x, long ldx, long rows, long width, float *out) {
  const vf share = v_set(1 / (float)rows);
  EACH_VECTOR(width, {
    vf total = v_set(0);
    for (long r = 0; r < rows; r++) total += GET(x + r * ldx + i);
    PUT(out + i, total * share);
  });
}
