// Gradient of softmax(Q K^T / sqrt(w)) V for one head of one sequence.
//
// Probabilities are computed again, a row at a time: T x w products more, and no T x T matrix has to
// be kept from the forward pass or ever exists.

#include "include/training.h"
#include "mathematics.h"

// S[j] = sum over c of x[c] * m[c][j]: m is [width, length], so the inner loop is along memory.
INLINED void row_times(
  const float *x, const float *m, int64_t width, int64_t length, float *restrict s) {
#pragma clang fp contract(fast)
  for (int64_t j = 0; j < length; j++) s[j] = 0;
  int64_t c = 0;
  for (; c + 4 <= width; c += 4) {
    const float *a = m + c * length, *b = a + length, *e = b + length, *f = e + length;
    const float x0 = x[c], x1 = x[c + 1], x2 = x[c + 2], x3 = x[c + 3];
    for (int64_t j = 0; j < length; j++) {
      s[j] += x0 * a[j] + x1 * b[j] + (x2 * e[j] + x3 * f[j]);
    }
  }
  for (; c < width; c++) {
    for (int64_t j = 0; j < length; j++) s[j] += x[c] * m[c * length + j];
  }
}

// A row of probabilities, in place of its scores.
INLINED void softmax_row(float *restrict s, int64_t length, float scale) {
  LANES
  float most = s[0];
  for (int64_t j = 1; j < length; j++) most = s[j] > most ? s[j] : most;
  float sum = 0;
  for (int64_t j = 0; j < length; j++) {
    s[j] = exp_lane((s[j] - most) * scale);
    sum += s[j];
  }
  const float inverse = 1.0f / sum;
  for (int64_t j = 0; j < length; j++) s[j] *= inverse;
}

CLONED void csimd_attention_backward(
  int64_t length, int64_t width, float scale, const float *query, const float *key,
  const float *value, int64_t stride, const float *d, int64_t d_stride, float *dquery, float *dkey,
  float *dvalue, float *scratch) {
  LANES
  float *keys = scratch, *values = keys + width * length;
  float *p = values + width * length, *dp = p + length;
  for (int64_t j = 0; j < length; j++) {
    for (int64_t c = 0; c < width; c++) {
      keys[c * length + j] = key[j * stride + c];
      values[c * length + j] = value[j * stride + c];
      dkey[j * stride + c] = 0;
      dvalue[j * stride + c] = 0;
    }
  }
  for (int64_t i = 0; i < length; i++) {
    const float *q = query + i * stride, *dr = d + i * d_stride;
    row_times(q, keys, width, length, p);
    softmax_row(p, length, scale);
    row_times(dr, values, width, length, dp);
    float dot = 0;
    for (int64_t j = 0; j < length; j++) dot += p[j] * dp[j];
    for (int64_t j = 0; j < length; j++) dp[j] = p[j] * (dp[j] - dot) * scale;
    float *restrict dq = dquery + i * stride;
    for (int64_t c = 0; c < width; c++) dq[c] = 0;
    for (int64_t j = 0; j < length; j++) {
      const float ds = dp[j], weight = p[j];
      const float *k = key + j * stride;
      float *restrict dk = dkey + j * stride, *restrict dv = dvalue + j * stride;
      for (int64_t c = 0; c < width; c++) {
        dq[c] += ds * k[c];
        dk[c] += ds * q[c];
        dv[c] += weight * dr[c];
      }
    }
  }
}
