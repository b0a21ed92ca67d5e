// Kernels of training: gradients, losses and the optimiser. Matrices are row-major fp32 and, where
// no stride is given, contiguous. One thread a call; callers cut work into pieces whose results do
// not depend on the cut.
#pragma once

#include <stdint.h>

#pragma clang assume_nonnull begin

/// out = GELU(x), and x becomes GELU'(x).
void csimd_gelu_saving(int64_t count, float *x, float *out);
void csimd_multiply(int64_t count, const float *by, float *x);
/// to += scale * x.
void csimd_axpy(int64_t count, float scale, const float *x, float *to);

/// sums[c] += scale * sum over rows of d[r][c], for columns first ..< last.
void csimd_column_sums(
  int64_t rows, int64_t columns, int64_t first, int64_t last, float scale, const float *d,
  float *sums);

/// out = LayerNorm(x + residual), keeping the normalised values [rows, columns] and 1 / sqrt(variance
/// + epsilon) [rows]. out may be x or residual.
void csimd_add_norm_saving(
  int64_t rows, int64_t columns, const float *x, const float *_Nullable residual,
  const float *gamma, const float *beta, float epsilon, float *out, float *normalised,
  float *inverse);
/// d becomes the gradient at the norm's input.
void csimd_norm_backward(
  int64_t rows, int64_t columns, float *d, const float *normalised, const float *inverse,
  const float *gamma);
/// dgamma and dbeta += sums over rows, for columns first ..< last; d is the gradient at the output.
void csimd_norm_parameters(
  int64_t rows, int64_t columns, int64_t first, int64_t last, const float *d,
  const float *normalised, float *dgamma, float *dbeta);

/// One head of one sequence: query, key, value [length, width] and their gradients with `stride`,
/// d [length, width] with `d_stride`. bias and dbias, or NULL: those of distance 0; dbias grows.
/// scratch: csimd_attention_backward_scratch values.
void csimd_attention_backward(
  int64_t length, int64_t width, float scale, const float *query, const float *key,
  const float *value, int64_t stride, const float *d, int64_t d_stride, const float *_Nullable bias,
  float *_Nullable dbias, float *dquery, float *dkey, float *dvalue, float *scratch);
int64_t csimd_attention_backward_scratch(int64_t length, int64_t width);

/// share / length * sum over i, j of (x_i . y_j - tx_i . ty_j)^2 / width for one head of one
/// sequence, all [length, width] with `stride`; its gradients are added to dx and dy. x and y may be
/// the same.
double csimd_relation_loss(
  int64_t length, int64_t width, double share, const float *x, const float *y, const float *tx,
  const float *ty, int64_t stride, float *dx, float *dy);

/// out[r] = sum of table[indices[r, t]] over t; a negative index adds nothing.
void csimd_gather_sum(
  int64_t rows, int64_t terms, int64_t columns, const int32_t *indices, const float *table,
  float *out);
/// table[indices[r, t]] += d[r], columns first ..< last: the gradient of csimd_gather_sum.
void csimd_scatter_add(
  int64_t rows, int64_t terms, int64_t columns, int64_t first, int64_t last,
  const int32_t *indices, const float *d, float *table);
/// dx [length, columns] from d [columns].
void csimd_pool_backward(int64_t length, int64_t columns, int mean, const float *d, float *dx);
/// out[r] = opening[r] * x[r], opening = sigmoid(gate . x[r] + bias).
void csimd_gate_saving(
  int64_t rows, int64_t columns, const float *x, const float *gate, float bias, float *out,
  float *opening);
/// d becomes the gradient at x; dgate and dbias, where given, grow.
void csimd_gate_backward(
  int64_t rows, int64_t columns, float *d, const float *x, const float *gate,
  const float *opening, float *_Nullable dgate, float *_Nullable dbias);
/// Zeroes the values whose number (keyed by `key`, counted from `first`) falls below `threshold` of
/// 2^32, and multiplies the others by `scale`.
void csimd_dropout(
  int64_t count, uint64_t first, uint64_t key, uint32_t threshold, float scale, float *x);

/// share * sum of cross-entropies, each times weights[label], over rows whose label is not negative;
/// d is its gradient.
double csimd_softmax_loss(
  int64_t rows, int64_t classes, const float *logits, const int32_t *labels,
  const float *_Nullable weights, double share, float *d);
/// share * sum of binary cross-entropies; weights[label] multiplies the positive part.
double csimd_binary_loss(
  int64_t rows, int64_t labels, const float *logits, const float *targets,
  const float *_Nullable weights, double share, float *d);
/// share * sum of (x - target)^2.
double csimd_squared_loss(
  int64_t count, double share, const float *x, const float *targets, float *d);

typedef struct {
  float rate, beta1, beta2, epsilon;
  /// 1 / (1 - beta^step).
  float correction1, correction2;
  /// What clipping multiplies gradients by.
  float gradient_scale;
} csimd_adamw_step;

double csimd_squared_sum(int64_t count, const float *x);
void csimd_adamw(
  int64_t count, const csimd_adamw_step *step, float decay, const float *gradient,
  float *parameter, float *mean, float *square);

#pragma clang assume_nonnull end
