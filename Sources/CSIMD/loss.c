// Losses and their gradients at the logits. Small matrices: double precision, one thread.

#include "include/training.h"

#include <math.h>
#include <stddef.h>

double csimd_softmax_loss(
  int64_t rows, int64_t classes, const float *logits, const int32_t *labels, const float *weights,
  double share, float *d) {
  double loss = 0;
  for (int64_t r = 0; r < rows; r++) {
    const float *z = logits + r * classes;
    float *out = d + r * classes;
    const int32_t label = labels[r];
    if (label < 0) {
      for (int64_t c = 0; c < classes; c++) out[c] = 0;
      continue;
    }
    double most = z[0], sum = 0;
    for (int64_t c = 1; c < classes; c++) most = z[c] > most ? z[c] : most;
    for (int64_t c = 0; c < classes; c++) sum += exp(z[c] - most);
    const double weight = weights == NULL ? share : share * weights[label];
    loss += weight * (log(sum) + most - z[label]);
    for (int64_t c = 0; c < classes; c++) {
      out[c] = (float)(weight * (exp(z[c] - most) / sum - (c == label)));
    }
  }
  return loss;
}

double csimd_binary_loss(
  int64_t rows, int64_t labels, const float *logits, const float *targets, const float *weights,
  double share, float *d) {
  double loss = 0;
  for (int64_t i = 0; i < rows * labels; i++) {
    const double z = logits[i], t = targets[i];
    const double positive = weights == NULL ? 1.0 : weights[i % labels];
    // log(1 + e^-z) and log(1 + e^z) without overflow.
    const double small = log1p(exp(-fabs(z)));
    const double without = z > 0 ? z + small : small, with = without - z;
    loss += share * (positive * t * with + (1 - t) * without);
    const double p = 1.0 / (1.0 + exp(-z));
    d[i] = (float)(share * ((1 - t) * p - positive * t * (1 - p)));
  }
  return loss;
}

double csimd_squared_loss(
  int64_t count, double share, const float *x, const float *targets, float *d) {
  double loss = 0;
  for (int64_t i = 0; i < count; i++) {
    const double difference = (double)x[i] - targets[i];
    loss += difference * difference;
    d[i] = (float)(2.0 * share * difference);
  }
  return loss * share;
}
