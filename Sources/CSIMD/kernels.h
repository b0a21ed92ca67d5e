/// One instruction set's kernels: single-threaded pieces that the drivers share out as tasks.
#pragma once
#include "csimd.h"

/// Where the sums of a product start and what becomes of them.
enum { FROM_ZERO, FROM_BIAS };
/// TO_ADD_GELU: the GELU of what is there and what comes on top.
enum { TO_STORE, TO_GELU, TO_ADD, TO_ADD_GELU };

/// c [rows, columns] from a [rows, depth] and b [depth, columns], columns at most a panel.
/// b's rows are readable up to whole vectors, and so is bias.
struct product {
  const float *a;
  long lda;
  const float *b;
  long ldb;
  const float *bias;
  float *c;
  long ldc;
  long rows, columns, depth;
  int from, to;
};

struct kernels {
  const char *name;
  /// Columns of a panel, and floats of a vector.
  int panel, lanes;
  /// Rows that the registers hold sums for.
  int tile_rows;

  void (*multiply)(const struct product *);
  /// One panel of op(b), depth x panel: element (k, j) is b[k * step_k + j * step_j], times alpha;
  /// zeros beyond `columns`.
  void (*pack)(
    const float *b, long step_k, long step_j, long depth, long columns, float alpha, float *out);
  void (*gelu)(const float *x, long count, float *out);
  void (*gelu_backward)(const float *x, const float *dy, long count, float *dx);

  /// s [rows, count] becomes exp(scale (s - largest)) per row, running: top and sum hold the largest
  /// value and the sum of earlier key blocks, old the factor by which those shrink.
  void (*softmax)(
    float *s, long lds, long rows, long count, float scale, float *top, float *sum, float *old);
  /// s [rows, count] += factor * the biases of the keys' distances; bias is that of row 0 and column 0,
  /// and row r's first lies r before it.
  void (*add_bias)(float *s, long lds, long rows, long count, const float *bias, float factor);
  /// out [rows, width] = x * factors[row].
  void (*scale_rows)(
    const float *x, long ldx, long rows, long width, const float *factors, float *out, long ldo);
  /// Attention inside one sequence of a few rows, one head: keys and values stay in registers' reach.
  /// bias, where there is one, is that of distance 0.
  void (*attend_few)(
    const float *q, const float *k, const float *v, long ld, long rows, long size, float scale,
    const float *bias, float *out, long ldo);

  void (*add_norm)(
    const csimd_norm *, const float *x, const float *residual, float *out);
  void (*embed_norm)(
    const csimd_norm *, const float *a, const float *b, const float *c, float *out);
  void (*gate)(float *x, long width, const float *gate, float bias);
  /// out = the mean of rows of x.
  void (*mean)(const float *x, long ldx, long rows, long width, float *out);
  /// out = a + b + c, stored n-gram slots of the given types; address 0 is zeros.
  void (*merge)(
    const csimd_row *rows[3], const int slots[3], long width, float *out);
};

/// Inputs that share a row's range and a column's scale in bytes.
enum { BYTE_GROUP = 128 };

/// c [rows, columns] from rows of a reduced type and one panel of such weights, columns at most a panel.
struct reduced_product {
  /// [rows, lda] of the kernels' element, as `reduce` wrote them.
  const void *a;
  long lda;
  /// In bytes: a scale and a lowest value for each group; floats from one row to the next.
  const float *ranges;
  long ldr;
  const void *b;
  const float *bias;
  float *c;
  long ldc;
  long rows, columns, inputs;
  int to;
};

/// What an instruction set has for products of a reduced type.
struct reduced_kernels {
  /// Columns of a panel, inputs of one column that lie side by side, and bytes of an element of a row.
  int panel, step, element;
  void (*multiply)(const struct reduced_product *);
  /// One row, its groups' ranges in bytes, and zeros up to a multiple of a few.
  void (*reduce)(const float *x, long inputs, float *ranges, void *out);
};

extern const struct reduced_kernels bf16_portable, bf16_avx2, bf16_avx512, bf16_native;
extern const struct reduced_kernels bytes_portable, bytes_avx2, bytes_avx512, bytes_vnni;
extern const struct kernels kernels_portable, kernels_avx2, kernels_avx512;
