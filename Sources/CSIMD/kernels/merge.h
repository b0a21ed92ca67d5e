/// Overlapping n-gram slots summed into a token's state, decoded as they are read.

/// out (+)= the slot's values.
INLINE void merge_slot(const csimd_row *row, int slot, long width, float *out, const bool add) {
  const char *at = (const char *)row->address;
  const long from = slot * width;
#define DECODE(whole, part)                                                      \
  EACH_VECTOR(width, {                                                           \
    vf x;                                                                        \
    if (WHOLE) {                                                                 \
      x = whole;                                                                 \
    } else {                                                                     \
      float rest[LANES] = {0};                                                   \
      for (long j = 0; j < n; j++) rest[j] = part;                               \
      x = v_load(rest);                                                          \
    }                                                                            \
    PUT(out + i, add ? GET(out + i) + x : x);                                    \
  })
  switch (row->type) {
    case CSIMD_FLOAT32: {
      const float *p = (const float *)at + from;
      DECODE(v_load(p + i), p[i + j]);
      break;
    }
    case CSIMD_FLOAT16: {
      const uint16_t *p = (const uint16_t *)at + from;
      DECODE(v_from_half(p + i), half_to_float(p[i + j]));
      break;
    }
    default: {
      float scale;
      memcpy(&scale, at + 4 * slot, sizeof scale);
      const int8_t *p = (const int8_t *)at + 12 + from;
      DECODE(v_from_int8(p + i) * v_set(scale), scale * (float)p[i + j]);
    }
  }
#undef DECODE
}

static void merge(const csimd_row *rows[3], const int slots[3], long width, float *out) {
  bool started = false;
  for (int s = 0; s < 3; s++) {
    if (rows[s] == NULL || rows[s]->address == 0) continue;
    if (started) merge_slot(rows[s], slots[s], width, out, true);
    else merge_slot(rows[s], slots[s], width, out, false);
    started = true;
  }
  if (!started) memset(out, 0, (size_t)width * sizeof(float));
}
