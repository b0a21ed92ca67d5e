/// The row-wise parts of attention.

static void softmax(
  float *s, long lds, long rows, long count, float scale, float *top, float *sum, float *old
) {
  for (long r = 0; r < rows; r++, s += lds) {
    vf largest = v_set(top[r]);
    EACH_VECTOR(count, {
      if (WHOLE) {
        largest = v_max(largest, v_load(s + i));
      } else {
        for (long j = 0; j < n; j++) largest = v_max(largest, v_set(s[i + j]));
      }
    });
    const float peak = v_largest(largest);
    const vf shift = v_set(peak), factor = v_set(scale);
    vf total = v_set(0);
    float rest = 0;
    EACH_VECTOR(count, {
      vf e = exp_of((GET(s + i) - shift) * factor);
      PUT(s + i, e);
      if (WHOLE) {
        total += e;
      } else {
        for (long j = 0; j < n; j++) rest += s[i + j];
      }
    });
    float before[LANES];
    v_store(before, exp_of(v_set((top[r] - peak) * scale)));
    old[r] = before[0];
    sum[r] = sum[r] * before[0] + (v_sum(total) + rest);
    top[r] = peak;
  }
}

static void add_bias(
  float *s, long lds, long rows, long count, const float *bias, float factor
) {
  for (long r = 0; r < rows; r++, s += lds, bias--)
    EACH_VECTOR(count, { PUT(s + i, v_fma(GET(bias + i), v_set(factor), GET(s + i))); });
}

static void scale_rows(
  const float *x, long ldx, long rows, long width, const float *factors, float *out, long ldo
) {
  for (long r = 0; r < rows; r++)
    EACH_VECTOR(width, { PUT(out + r * ldo + i, GET(x + r * ldx + i) * v_set(factors[r])); });
}

static void attend_few(
  const float *q, const float *k, const float *v, long ld, long rows, long size, float scale,
  const float *bias, float *out, long ldo
) {
  float weights[LANES];
  for (long r = 0; r < rows; r++) {
    float largest = -__builtin_inff();
    for (long c = 0; c < rows; c++) {
      vf dot = v_set(0);
      EACH_VECTOR(size, { dot = v_fma(GET(q + r * ld + i), GET(k + c * ld + i), dot); });
      weights[c] = v_sum(dot) * scale;
      if (bias != NULL) weights[c] += bias[c - r];
      largest = weights[c] > largest ? weights[c] : largest;
    }
    for (long c = rows; c < LANES; c++) weights[c] = largest;
    v_store(weights, exp_of(v_load(weights) - v_set(largest)));
    float total = 0;
    for (long c = 0; c < rows; c++) total += weights[c];
    EACH_VECTOR(size, {
      vf sum = v_set(0);
      for (long c = 0; c < rows; c++) sum = v_fma(v_set(weights[c]), GET(v + c * ld + i), sum);
      PUT(out + r * ldo + i, sum * v_set(1 / total));
    });
  }
}
