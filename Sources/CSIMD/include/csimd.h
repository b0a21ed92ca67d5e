#pragma once
/// The CPU kernels' only door. A context is a thread pool, one instruction set's kernels and scratch
/// memory; one thread at a time may call with it. Matrices are row-major float32; `ld...` is the
/// number of elements from one row to the next. Functions that return int give 0, or CSIMD_MEMORY
/// when scratch memory could not be had, and then have done nothing.
#include <stdbool.h>
#include <stdint.h>

typedef struct csimd_context csimd_context;

enum {
  CSIMD_PORTABLE,
  CSIMD_AVX2,
  CSIMD_AVX512,
  CSIMD_AVX512_VNNI,
  CSIMD_AVX512_BF16,
  CSIMD_INSTRUCTION_SETS
};
enum { CSIMD_OK, CSIMD_MEMORY };
enum { CSIMD_NONE, CSIMD_GELU };
enum { CSIMD_FLOAT32, CSIMD_FLOAT16, CSIMD_BFLOAT16, CSIMD_INT8, CSIMD_INT32 };

/// Whether this processor runs an instruction set's kernels.
bool csimd_supported(int instruction_set);

/// threads: the caller and threads - 1 workers. NULL: no memory or no thread to be had.
csimd_context *csimd_create(int threads, int instruction_set);
void csimd_destroy(csimd_context *);

/// Memory aligned to 64 bytes, large runs in large pages where the system has them; undefined
/// contents. NULL: none to be had. Freed by csimd_free with the same size.
void *csimd_allocate(long bytes);
void csimd_free(void *memory, long bytes);

/// Calls work(argument, task, thread) for each task below `tasks`, shared among the threads, and
/// returns when all are done. Which thread takes which task is left to chance: a task's result must
/// not depend on it. 0 <= thread < threads.
void csimd_parallel(
  csimd_context *, void (*work)(void *argument, long task, int thread), void *argument, long tasks);

/// The scratch memory of one thread, of at least the bytes last reserved; aligned to 64.
int csimd_reserve(csimd_context *, long bytes);
void *csimd_scratch(csimd_context *, int thread);

/// A linear map y = x W^T + b in panels of a register tile's width, k by k, so that the kernel reads
/// it front to back. The memory is the caller's.
typedef struct {
  const float *panels;
  /// Zeros where the map has no bias; padded to whole panels.
  const float *bias;
  long outputs, inputs;
} csimd_matrix;

/// Floats that `csimd_pack` writes.
long csimd_packed_count(const csimd_context *, long outputs, long inputs);
/// memory: aligned to 64. weight: [outputs, inputs]; bias: [outputs] or NULL. Both times scale.
csimd_matrix csimd_pack(
  const csimd_context *, float *memory, const float *weight, const float *bias, long outputs,
  long inputs, float scale);

/// out [rows, outputs] = activation(x [rows, inputs] W^T + b).
int csimd_linear(
  csimd_context *, const csimd_matrix *, const float *x, long ldx, long rows, float *out, long ldo,
  int activation);

/// What a frozen map is reduced to. Bytes: in every group of 128 inputs a column has a scale, and its
/// weights are whole multiples of it from -127 to 127; every group of 128 values of a row is rounded to
/// 256 steps between its least and its greatest. bfloat16: weights and rows are rounded.
enum csimd_type { CSIMD_BF16, CSIMD_BYTES };

/// A linear map of a reduced type. The memory is the caller's.
typedef struct {
  const void *panels;
  /// Zeros where the map has no bias; padded to whole panels.
  const float *bias;
  long outputs, inputs;
  enum csimd_type type;
} csimd_reduced_matrix;

/// Bytes that `csimd_pack_reduced` writes.
long csimd_packed_reduced(const csimd_context *, enum csimd_type, long outputs, long inputs);
/// memory: aligned to 64. weight: [outputs, inputs]; bias: [outputs] or NULL.
csimd_reduced_matrix csimd_pack_reduced(
  const csimd_context *, enum csimd_type, void *memory, const float *weight, const float *bias,
  long outputs, long inputs);

/// As csimd_linear, rows reduced as the matrix is; sums and the bias are fp32.
int csimd_linear_reduced(
  csimd_context *, const csimd_reduced_matrix *, const float *x, long ldx, long rows, float *out,
  long ldo, int activation);

/// c [m, n] = alpha op(a) op(b) + beta c, op(a) [m, k], op(b) [k, n]; op transposes where told to.
/// With beta 0 c is not read.
int csimd_gemm(
  csimd_context *, bool transpose_a, bool transpose_b, long m, long n, long k, float alpha,
  const float *a, long lda, const float *b, long ldb, float beta, float *c, long ldc);

/// Two maps in a row on some rows: a bottleneck adapter or a LoRA. Without `second` a head.
typedef struct {
  long row, rows;
  csimd_matrix first, second;
} csimd_group;

/// x[rows] += second(gelu(first(x[rows]))).
int csimd_bottlenecks(csimd_context *, const csimd_group *, long groups, float *x, long ldx);
/// out[rows] += second(first(x[rows])).
int csimd_low_ranks(
  csimd_context *, const csimd_group *, long groups, const float *x, long ldx, float *out, long ldo);
/// out[rows] = first(x[rows]), in the first columns.
int csimd_heads(
  csimd_context *, const csimd_group *, long groups, const float *x, long ldx, float *out, long ldo);

/// A task of attention: sequences first ..< end; of a single long one the query rows from ..< to.
typedef struct {
  int32_t first, end, from, to;
} csimd_span;

/// qkv [rows, 3 heads size]; sequence i owns the rows offsets[i] ..< offsets[i + 1].
/// out [rows, heads size] = softmax(q k^T / sqrt(size)) v for every head. bias, where there is one, is
/// added before the softmax: [heads, ldb], key j's of query i at j - i from the middle of a row.
int csimd_attention(
  csimd_context *, const csimd_span *, long spans, const int32_t *offsets, const float *qkv,
  long ldqkv, long heads, long size, const float *bias, long ldb, float *out, long ldo);

/// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta over `width` columns.
typedef struct {
  const float *gamma, *beta;
  float epsilon;
  long width;
} csimd_norm;

/// out[r] = norm(x[r] + residual[r]); out may be either.
void csimd_add_norm(
  csimd_context *, csimd_norm, const float *x, long ldx, const float *residual, long ldr, long rows,
  float *out, long ldo);
/// out[r] = norm(first[ids[r]] + position[positions[r]] + type[types[r]]); `first` is the word table
/// [.., width] or, without ids, a matrix of one row a row, which may be out.
void csimd_embed(
  csimd_context *, csimd_norm, const float *first, long ldf, const int32_t *ids,
  const float *position, long ldp, const int32_t *positions, const float *type, long ldt,
  const int32_t *types, long rows, float *out, long ldo);
/// x[r] *= sigmoid(gate . x[r] + bias).
void csimd_gate(
  csimd_context *, float *x, long ldx, long rows, long width, const float *gate, float bias);
/// out[i] = mean, or first row, of sequence i; `unit`: divided by its L2 norm.
void csimd_pool(
  csimd_context *, const float *x, long ldx, long width, const int32_t *offsets, long sequences,
  bool mean, bool unit, float *out, long ldo);

/// A stored n-gram row [3, width]; address 0 is zeros. int8 rows begin with three float32 scales.
typedef struct {
  uintptr_t address;
  int32_t type;
} csimd_row;

/// out[t] = rows[t][1] + rows[t + 1][0] + rows[t - 1][2] within each sequence.
void csimd_merge(
  csimd_context *, const csimd_row *, const int32_t *offsets, long sequences, long width, float *out,
  long ldo);

/// out[i] = gelu(x[i]), exact: 0.5 x (1 + erf(x / sqrt 2)). out may be x.
void csimd_gelu(csimd_context *, const float *x, long count, float *out);
/// dx[i] = dy[i] gelu'(x[i]). dx may be dy.
void csimd_gelu_backward(csimd_context *, const float *x, const float *dy, long count, float *dx);
