// Gradient of softmax(Q K^T / sqrt(w)) V for one head of one sequence, as five small products.
//
// Probabilities are computed again from Q and K: one product more, and nothing has to be kept from
// the forward pass. A head's columns lie 3 hidden values apart from row to row, often a power of two
// that falls into few cache sets, so they are copied together first. Rows are padded with zeros to
// whole vectors: products then have no ragged edge.

#include "include/training.h"
#include "mathematics.h"

enum { lane_count = 16, block = 4 };
typedef float lanes __attribute__((vector_size(64), aligned(4)));

INLINED int64_t padded(int64_t n) { return (n + lane_count - 1) / lane_count * lane_count; }

int64_t csimd_attention_backward_scratch(int64_t length, int64_t width) {
  const int64_t n = padded(length), w = padded(width);
  return 2 * width * n + 4 * length * w + 2 * length * n;
}

// c [rows, n] = a b with a's element (i, p) at a[i * a_row + p * a_column]; b [k, n]; n in lanes.
INLINED void product_rows(
  int count, int64_t n, int64_t k, const float *a, int64_t a_row, int64_t a_column, const float *b,
  float *c) {
#pragma clang fp contract(fast)
  for (int64_t j = 0; j < n; j += lane_count) {
    lanes sums[block];
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) sums[i] = (lanes){0};
    for (int64_t p = 0; p < k; p++) {
      const lanes row = *(const lanes *)(b + p * n + j);
#pragma clang loop unroll(full)
      for (int i = 0; i < count; i++) sums[i] += a[i * a_row + p * a_column] * row;
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < count; i++) *(lanes *)(c + i * n + j) = sums[i];
  }
}

INLINED void product(
  int64_t rows, int64_t n, int64_t k, const float *a, int64_t a_row, int64_t a_column,
  const float *b, float *c) {
  int64_t i = 0;
  for (; i + block <= rows; i += block) {
    product_rows(block, n, k, a + i * a_row, a_row, a_column, b, c + i * n);
  }
  for (; i < rows; i++) product_rows(1, n, k, a + i * a_row, a_row, a_column, b, c + i * n);
}

// [length, width] with a stride, as rows of `columns` values.
INLINED void gather(
  const float *from, int64_t stride, int64_t length, int64_t width, int64_t columns, float *to) {
  for (int64_t i = 0; i < length; i++) {
    for (int64_t c = 0; c < width; c++) to[i * columns + c] = from[i * stride + c];
    for (int64_t c = width; c < columns; c++) to[i * columns + c] = 0;
  }
}

// The same transposed: [width, columns], columns at least length.
INLINED void gather_transposed(
  const float *from, int64_t stride, int64_t length, int64_t width, int64_t columns, float *to) {
  for (int64_t c = 0; c < width; c++) {
    for (int64_t i = 0; i < length; i++) to[c * columns + i] = from[i * stride + c];
    for (int64_t i = length; i < columns; i++) to[c * columns + i] = 0;
  }
}

INLINED void scatter(
  const float *from, int64_t columns, int64_t length, int64_t width, float *to, int64_t stride) {
  for (int64_t i = 0; i < length; i++) {
    for (int64_t c = 0; c < width; c++) to[i * stride + c] = from[i * columns + c];
  }
}

// Scores get the biases of their distances, given from that of the row's first key on.
INLINED void add_bias_row(float *restrict p, const float *bias, int64_t length, float scale) {
  const float factor = 1 / scale;
  for (int64_t j = 0; j < length; j++) p[j] += factor * bias[j];
}

// The gradient at the scores is, but for their scale, that at the biases.
INLINED void add_bias_gradient(
  const float *restrict dp, float *restrict dbias, int64_t length, float scale) {
  const float factor = 1 / scale;
  for (int64_t j = 0; j < length; j++) dbias[j] += factor * dp[j];
}

// Scores become probabilities in p; the gradient at them in dp becomes that at the scores.
INLINED void softmax_row(float *restrict p, float *restrict dp, int64_t length, float scale) {
  LANES
  float most = p[0];
  for (int64_t j = 1; j < length; j++) most = p[j] > most ? p[j] : most;
  float sum = 0, dot = 0;
  for (int64_t j = 0; j < length; j++) {
    p[j] = exp_lane((p[j] - most) * scale);
    sum += p[j];
    dot += p[j] * dp[j];
  }
  const float inverse = 1.0f / sum;
  dot *= inverse;
  for (int64_t j = 0; j < length; j++) {
    p[j] *= inverse;
    dp[j] = p[j] * (dp[j] - dot) * scale;
  }
}

CLONED void csimd_attention_backward(
  int64_t length, int64_t width, float scale, const float *query, const float *key,
  const float *value, int64_t stride, const float *d, int64_t d_stride, const float *bias,
  float *dbias, float *dquery, float *dkey, float *dvalue, float *scratch) {
  const int64_t n = padded(length), w = padded(width);
  float *keys = scratch, *values = keys + width * n;
  float *q = values + width * n, *k = q + length * w, *dout = k + length * w;
  float *result = dout + length * w;
  float *p = result + length * w, *dp = p + length * n;
  gather_transposed(key, stride, length, width, n, keys);
  gather_transposed(value, stride, length, width, n, values);
  gather(query, stride, length, width, w, q);
  gather(key, stride, length, width, w, k);
  gather(d, d_stride, length, width, w, dout);
  product(length, n, width, q, w, 1, keys, p);
  product(length, n, width, dout, w, 1, values, dp);
  for (int64_t i = 0; i < length; i++) {
    if (bias != NULL) add_bias_row(p + i * n, bias - i, length, scale);
    softmax_row(p + i * n, dp + i * n, length, scale);
    if (dbias != NULL) add_bias_gradient(dp + i * n, dbias - i, length, scale);
  }
  product(length, w, length, dp, n, 1, k, result);
  scatter(result, w, length, width, dquery, stride);
  product(length, w, length, dp, 1, n, q, result);
  scatter(result, w, length, width, dkey, stride);
  product(length, w, length, p, 1, n, dout, result);
  scatter(result, w, length, width, dvalue, stride);
}
