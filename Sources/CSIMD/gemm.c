/// General matrix products for training, where both operands are fresh: op(b), and op(a) where it
/// is transposed, are packed block by block of the depth, then multiplied like any linear map.
#include <string.h>

#include "context.h"

enum { GEMM_DEPTH = 512, GEMM_ROWS = 112, TRANSPOSE = 16 };

struct gemm {
  csimd_context *context;
  bool transpose_a, transpose_b;
  long m, n;
  float alpha;
  const float *a;
  long lda;
  const float *b;
  long ldb;
  float beta, *c;
  long ldc;
  /// The block of the depth at hand, and its packed operands.
  long from, depth;
  float *packed_a, *packed_b;
  long panels, blocks;
};

static void pack_b_task(void *argument, long task, int thread) {
  (void)thread;
  const struct gemm *job = argument;
  const long width = job->context->kernels->panel, column = task * width;
  const long step_k = job->transpose_b ? 1 : job->ldb, step_j = job->transpose_b ? job->ldb : 1;
  job->context->kernels->pack(
    job->b + job->from * step_k + column * step_j, step_k, step_j, job->depth,
    smaller(width, job->n - column), job->alpha, job->packed_b + column * job->depth);
}

/// Rows TRANSPOSE * task ... of op(a) = a^T, each contiguous along the depth.
static void pack_a_task(void *argument, long task, int thread) {
  (void)thread;
  const struct gemm *job = argument;
  const long row = task * TRANSPOSE, rows = smaller(TRANSPOSE, job->m - row);
  const float *from = job->a + job->from * job->lda + row;
  float *to = job->packed_a + row * job->depth;
  for (long k = 0; k < job->depth; k++)
    for (long r = 0; r < rows; r++) to[r * job->depth + k] = from[k * job->lda + r];
}

static void scale_task(void *argument, long task, int thread) {
  (void)thread;
  const struct gemm *job = argument;
  for (long j = 0; j < job->n; j++) job->c[task * job->ldc + j] *= job->beta;
}

static void multiply_task(void *argument, long task, int thread) {
  (void)thread;
  const struct gemm *job = argument;
  const long width = job->context->kernels->panel, column = task % job->panels * width;
  long row, end;
  piece(job->m, job->blocks, task / job->panels, &row, &end);
  struct product product = {
    .a = job->transpose_a ? job->packed_a + row * job->depth : job->a + row * job->lda + job->from,
    .lda = job->transpose_a ? job->depth : job->lda,
    .b = job->packed_b + column * job->depth,
    .ldb = width,
    .c = job->c + row * job->ldc + column,
    .ldc = job->ldc,
    .rows = end - row,
    .columns = smaller(width, job->n - column),
    .depth = job->depth,
    .from = FROM_ZERO,
    .to = job->from == 0 && job->beta == 0 ? TO_STORE : TO_ADD,
  };
  job->context->kernels->multiply(&product);
}

int csimd_gemm(
  csimd_context *context, bool transpose_a, bool transpose_b, long m, long n, long k, float alpha,
  const float *a, long lda, const float *b, long ldb, float beta, float *c, long ldc
) {
  if (m == 0 || n == 0) return CSIMD_OK;
  struct gemm job = {
    .context = context,
    .transpose_a = transpose_a,
    .transpose_b = transpose_b,
    .m = m,
    .n = n,
    .alpha = alpha,
    .a = a,
    .lda = lda,
    .b = b,
    .ldb = ldb,
    .beta = beta,
    .c = c,
    .ldc = ldc,
    .panels = ceiling(n, context->kernels->panel),
    .blocks = ceiling(m, GEMM_ROWS),
  };
  const long steps = larger(1, ceiling(k, GEMM_DEPTH)), most = ceiling(k, steps);
  const long count_b = job.panels * context->kernels->panel * most;
  const long count_a = transpose_a ? m * most : 0;
  job.packed_b = shared_scratch(context, (count_b + count_a) * (long)sizeof(float));
  if (job.packed_b == NULL) return CSIMD_MEMORY;
  job.packed_a = job.packed_b + count_b;

  if (beta != 0 && beta != 1) csimd_parallel(context, scale_task, &job, m);
  for (long s = 0; s < steps; s++) {
    long end;
    piece(k, steps, s, &job.from, &end);
    job.depth = end - job.from;
    csimd_parallel(context, pack_b_task, &job, job.panels);
    if (transpose_a) csimd_parallel(context, pack_a_task, &job, ceiling(m, TRANSPOSE));
    csimd_parallel(context, multiply_task, &job, job.panels * job.blocks);
  }
  return CSIMD_OK;
}
