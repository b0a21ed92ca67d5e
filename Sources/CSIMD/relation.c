// The loss between the relations of a student's tokens and a teacher's: squared differences of
// products between two column blocks, of one head of one sequence. No score is written down.

#include "include/training.h"
#include "mathematics.h"

INLINED float dot(const float *a, const float *b, int64_t width) {
  LANES
  float sum = 0;
  for (int64_t c = 0; c < width; c++) sum += a[c] * b[c];
  return sum;
}

CLONED double csimd_relation_loss(
  int64_t length, int64_t width, double share, const float *x, const float *y, const float *tx,
  const float *ty, int64_t stride, float *dx, float *dy) {
  // 1 / sqrt(width) of both scores, squared; the mean over j.
  const double weight = share / ((double)length * (double)width);
  double loss = 0;
  for (int64_t i = 0; i < length; i++) {
    for (int64_t j = 0; j < length; j++) {
      const float difference = dot(x + i * stride, y + j * stride, width)
        - dot(tx + i * stride, ty + j * stride, width);
      loss += (double)difference * difference;
      const float d = (float)(2 * weight * difference);
      // x and y may be the same columns: then both terms go to the same gradient, one by one.
      for (int64_t c = 0; c < width; c++) dx[i * stride + c] += d * y[j * stride + c];
      for (int64_t c = 0; c < width; c++) dy[j * stride + c] += d * x[i * stride + c];
    }
  }
  return weight * loss;
}
