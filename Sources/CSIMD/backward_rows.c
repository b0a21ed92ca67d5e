// Operations on whole rows: sums of looked-up rows and their gradients, pooling, the gate, dropout.

#include "include/training.h"
#include "mathematics.h"

#include <math.h>
#include <stddef.h>

CLONED void csimd_gather_sum(
  int64_t rows, int64_t terms, int64_t columns, const int32_t *indices, const float *table,
  float *out) {
  for (int64_t r = 0; r < rows; r++) {
    float *restrict to = out + r * columns;
    for (int64_t c = 0; c < columns; c++) to[c] = 0;
    for (int64_t t = 0; t < terms; t++) {
      const int32_t index = indices[r * terms + t];
      if (index < 0) continue;
      const float *from = table + index * columns;
      for (int64_t c = 0; c < columns; c++) to[c] += from[c];
    }
  }
}

CLONED void csimd_scatter_add(
  int64_t rows, int64_t terms, int64_t columns, int64_t first, int64_t last,
  const int32_t *indices, const float *d, float *table) {
  for (int64_t r = 0; r < rows; r++) {
    const float *from = d + r * columns;
    for (int64_t t = 0; t < terms; t++) {
      const int32_t index = indices[r * terms + t];
      if (index < 0) continue;
      float *restrict to = table + index * columns;
      for (int64_t c = first; c < last; c++) to[c] += from[c];
    }
  }
}

CLONED void csimd_column_sums(
  int64_t rows, int64_t columns, int64_t first, int64_t last, float scale, const float *d,
  float *sums) {
#pragma clang fp contract(fast)
  for (int64_t r = 0; r < rows; r++) {
    const float *from = d + r * columns;
    for (int64_t c = first; c < last; c++) sums[c] += scale * from[c];
  }
}

CLONED void csimd_pool_backward(
  int64_t length, int64_t columns, int mean, const float *d, float *dx) {
  const float share = mean ? 1.0f / (float)length : 0.0f;
  for (int64_t r = 0; r < length; r++) {
    const float scale = !mean && r == 0 ? 1.0f : share;
    float *restrict to = dx + r * columns;
    for (int64_t c = 0; c < columns; c++) to[c] = scale * d[c];
  }
}

CLONED void csimd_gate_saving(
  int64_t rows, int64_t columns, const float *x, const float *gate, float bias, float *out,
  float *opening) {
  LANES
  for (int64_t r = 0; r < rows; r++) {
    const float *from = x + r * columns;
    float sum = bias;
    for (int64_t c = 0; c < columns; c++) sum += gate[c] * from[c];
    const float s = 1.0f / (1.0f + expf(-sum));
    opening[r] = s;
    for (int64_t c = 0; c < columns; c++) out[r * columns + c] = s * from[c];
  }
}

CLONED void csimd_gate_backward(
  int64_t rows, int64_t columns, float *d, const float *x, const float *gate,
  const float *opening, float *dgate, float *dbias) {
  LANES
  for (int64_t r = 0; r < rows; r++) {
    float *restrict dr = d + r * columns;
    const float *from = x + r * columns;
    float dot = 0;
    for (int64_t c = 0; c < columns; c++) dot += dr[c] * from[c];
    const float s = opening[r], slope = dot * s * (1.0f - s);
    if (dbias != NULL) *dbias += slope;
    for (int64_t c = 0; c < columns && dgate != NULL; c++) dgate[c] += slope * from[c];
    for (int64_t c = 0; c < columns; c++) dr[c] = s * dr[c] + slope * gate[c];
  }
}

// Mixes bits so that neighbouring counters give unrelated numbers (the construction of
// multiply-xorshift hashes; two rounds, keyed).
INLINED uint32_t mixed(uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ (x >> 16);
}

CLONED void csimd_dropout(
  int64_t count, uint64_t first, uint64_t key, uint32_t threshold, float scale, float *x) {
  const uint32_t low = (uint32_t)key, high = (uint32_t)(key >> 32);
  for (int64_t i = 0; i < count; i++) {
    const uint32_t drawn = mixed(mixed((uint32_t)(first + (uint64_t)i) ^ low) + high);
    x[i] = drawn < threshold ? 0.0f : x[i] * scale;
  }
}
