/// GELU and its slope over arrays.

static void gelu(const float *x, long count, float *out) {
  long i = 0;
  for (; i + LANES <= count; i += LANES) v_store(out + i, gelu_of(v_load(x + i)));
  if (i < count) v_store_part(out + i, gelu_of(v_load_part(x + i, count - i)), count - i);
}

static void gelu_backward(const float *x, const float *dy, long count, float *dx) {
  long i = 0;
  for (; i + LANES <= count; i += LANES)
    v_store(dx + i, v_load(dy + i) * gelu_slope(v_load(x + i)));
  if (i < count) {
    vf slope = gelu_slope(v_load_part(x + i, count - i));
    v_store_part(dx + i, v_load_part(dy + i, count - i) * slope, count - i);
  }
}
