/// Operations that treat each row, or each sequence, on its own.
#include "context.h"

#include <math.h>

/// Rows of a task: a few microseconds' worth.
enum { ROWS = 48 };

struct rows_job {
  const struct kernels *kernels;
  csimd_norm norm;
  const float *a, *b, *c;
  long lda, ldb, ldc;
  const int32_t *ids_a, *ids_b, *ids_c;
  float *out;
  long ldo, rows;
  const csimd_row *stored;
  const int32_t *offsets;
  long sequences, width;
  float bias;
  bool mean, unit;
};

static void run(csimd_context *context, struct rows_job *job, void (*work)(void *, long, int)) {
  job->kernels = context->kernels;
  csimd_parallel(context, work, job, ceiling(job->rows, ROWS));
}

#define EACH_ROW(job, task) \
  for (long r = (task)*ROWS, end = smaller((job)->rows, r + ROWS); r < end; r++)

static void add_norm_task(void *argument, long task, int thread) {
  (void)thread;
  const struct rows_job *job = argument;
  EACH_ROW(job, task)
    job->kernels->add_norm(
      &job->norm, job->a + r * job->lda, job->b + r * job->ldb, job->out + r * job->ldo);
}

void csimd_add_norm(
  csimd_context *context, csimd_norm norm, const float *x, long ldx, const float *residual,
  long ldr, long rows, float *out, long ldo
) {
  struct rows_job job = {
    .norm = norm, .a = x, .lda = ldx, .b = residual, .ldb = ldr, .rows = rows, .out = out,
    .ldo = ldo};
  run(context, &job, add_norm_task);
}

static void embed_task(void *argument, long task, int thread) {
  (void)thread;
  const struct rows_job *job = argument;
  EACH_ROW(job, task)
    job->kernels->embed_norm(
      &job->norm, job->a + (job->ids_a == NULL ? r : job->ids_a[r]) * job->lda,
      job->b + job->ids_b[r] * job->ldb, job->c + job->ids_c[r] * job->ldc,
      job->out + r * job->ldo);
}

void csimd_embed(
  csimd_context *context, csimd_norm norm, const float *first, long ldf, const int32_t *ids,
  const float *position, long ldp, const int32_t *positions, const float *type, long ldt,
  const int32_t *types, long rows, float *out, long ldo
) {
  struct rows_job job = {
    .norm = norm, .a = first, .lda = ldf, .ids_a = ids, .b = position, .ldb = ldp,
    .ids_b = positions, .c = type, .ldc = ldt, .ids_c = types, .rows = rows, .out = out,
    .ldo = ldo};
  run(context, &job, embed_task);
}

static void gate_task(void *argument, long task, int thread) {
  (void)thread;
  const struct rows_job *job = argument;
  EACH_ROW(job, task) job->kernels->gate(job->out + r * job->ldo, job->width, job->a, job->bias);
}

void csimd_gate(
  csimd_context *context, float *x, long ldx, long rows, long width, const float *gate, float bias
) {
  struct rows_job job = {
    .a = gate, .bias = bias, .rows = rows, .width = width, .out = x, .ldo = ldx};
  run(context, &job, gate_task);
}

static void pool_task(void *argument, long task, int thread) {
  (void)thread;
  const struct rows_job *job = argument;
  const long start = job->offsets[task], rows = job->mean ? job->offsets[task + 1] - start : 1;
  float *out = job->out + task * job->ldo;
  job->kernels->mean(job->a + start * job->lda, job->lda, rows, job->width, out);
  if (!job->unit) return;
  double square = 0;
  for (long c = 0; c < job->width; c++) square += (double)out[c] * out[c];
  const float inverse = square > 0 ? (float)(1 / sqrt(square)) : 0;
  for (long c = 0; c < job->width; c++) out[c] *= inverse;
}

void csimd_pool(
  csimd_context *context, const float *x, long ldx, long width, const int32_t *offsets,
  long sequences, bool mean, bool unit, float *out, long ldo
) {
  struct rows_job job = {
    .kernels = context->kernels, .a = x, .lda = ldx, .width = width, .offsets = offsets,
    .mean = mean, .unit = unit, .out = out, .ldo = ldo};
  csimd_parallel(context, pool_task, &job, sequences);
}

/// The sequence that owns a row: the last that starts at or before it.
static long owner(const int32_t *offsets, long sequences, long row) {
  long low = 0, high = sequences;
  while (high - low > 1) {
    const long middle = (low + high) / 2;
    if (offsets[middle] <= row) low = middle;
    else high = middle;
  }
  return low;
}

static void merge_task(void *argument, long task, int thread) {
  (void)thread;
  const struct rows_job *job = argument;
  static const int slots[3] = {1, 0, 2};
  long sequence = owner(job->offsets, job->sequences, task * ROWS);
  EACH_ROW(job, task) {
    while (job->offsets[sequence + 1] <= r) sequence++;
    const csimd_row *at = job->stored + r;
    const csimd_row *parts[3] = {
      at, r + 1 < job->offsets[sequence + 1] ? at + 1 : NULL,
      r > job->offsets[sequence] ? at - 1 : NULL};
    job->kernels->merge(parts, slots, job->width, job->out + r * job->ldo);
  }
}

void csimd_merge(
  csimd_context *context, const csimd_row *rows, const int32_t *offsets, long sequences,
  long width, float *out, long ldo
) {
  struct rows_job job = {
    .stored = rows, .offsets = offsets, .sequences = sequences, .rows = offsets[sequences],
    .width = width, .out = out, .ldo = ldo};
  run(context, &job, merge_task);
}
