/// Linear maps in bytes: rows are rounded once a product, then blocks of rows times panels of
/// columns are tasks as in linear.c.
#include <math.h>
#include <string.h>

#include "context.h"

enum { BLOCK_ROWS = 112, QUANTISED_ROWS = 16 };

/// Places of a row or of a column of a panel, group after group.
static long padded_inputs(long inputs) { return (inputs + 3) & ~3l; }

static long panel_bytes(const struct byte_kernels *kernels, long inputs) {
  const long factors = 2 * ceiling(inputs, BYTE_GROUP) * (long)sizeof(float);
  return kernels->panel * (padded_inputs(inputs) + factors);
}

long csimd_packed_bytes(const csimd_context *context, long outputs, long inputs) {
  const long panels = ceiling(outputs, context->bytes->panel);
  const long biases = panels * context->bytes->panel * (long)sizeof(float);
  return ((panels * panel_bytes(context->bytes, inputs) + 63) & ~63l) + biases;
}

/// One group of one column; `at` is the group's first byte and j the column's place in the panel.
static void pack_group(
  const struct byte_kernels *kernels, const float *weight, long count, int8_t *at, long j
) {
  const long width = kernels->panel, step = kernels->step;
  float most = 0;
  for (long k = 0; k < count; k++) most = fmaxf(most, fabsf(weight[k]));
  const float scale = most > 0 ? 127 / most : 0;
  long sum = 0;
  for (long k = 0; k < padded_inputs(count); k++) {
    const long whole = k < count ? lrintf(weight[k] * scale) : 0;
    at[(k / step * width + j) * step + k % step] = (int8_t)whole;
    sum += whole;
  }
  const float factor = most / 127, ones = factor * (float)sum;
  int8_t *factors = at + padded_inputs(count) * width;
  memcpy(factors + j * (long)sizeof(float), &factor, sizeof factor);
  memcpy(factors + (width + j) * (long)sizeof(float), &ones, sizeof ones);
}

csimd_byte_matrix csimd_pack_bytes(
  const csimd_context *context, void *memory, const float *weight, const float *bias, long outputs,
  long inputs
) {
  const struct byte_kernels *kernels = context->bytes;
  const long width = kernels->panel, panels = ceiling(outputs, width);
  memset(memory, 0, (size_t)csimd_packed_bytes(context, outputs, inputs));
  for (long j = 0; j < outputs; j++) {
    int8_t *at = (int8_t *)memory + j / width * panel_bytes(kernels, inputs);
    for (long from = 0; from < inputs; from += BYTE_GROUP) {
      const long count = smaller(BYTE_GROUP, inputs - from);
      pack_group(kernels, weight + j * inputs + from, count, at, j % width);
      at += width * (padded_inputs(count) + 2 * (long)sizeof(float));
    }
  }
  float *padded = (float *)((char *)memory + ((panels * panel_bytes(kernels, inputs) + 63) & ~63l));
  if (bias != NULL) memcpy(padded, bias, (size_t)outputs * sizeof(float));
  return (csimd_byte_matrix){memory, padded, outputs, inputs};
}

struct byte_linear {
  const struct byte_kernels *kernels;
  const csimd_byte_matrix *matrix;
  const float *x;
  long ldx, rows;
  float *out;
  long ldo;
  /// The rows in bytes, and their ranges.
  char *a;
  long lda;
  float *ranges;
  long ldr;
  long panels, blocks;
  int to;
};

static void quantise_task(void *argument, long task, int thread) {
  (void)thread;
  const struct byte_linear *job = argument;
  const long end = smaller(job->rows, (task + 1) * QUANTISED_ROWS);
  for (long r = task * QUANTISED_ROWS; r < end; r++)
    job->kernels->quantise(
      job->x + r * job->ldx, job->matrix->inputs, job->ranges + r * job->ldr,
      job->a + r * job->lda * job->kernels->element);
}

static void byte_linear_task(void *argument, long task, int thread) {
  (void)thread;
  const struct byte_linear *job = argument;
  const long width = job->kernels->panel, panel = task % job->panels;
  long from, end;
  piece(job->rows, job->blocks, task / job->panels, &from, &end);
  const struct byte_product product = {
    .a = job->a + from * job->lda * job->kernels->element,
    .lda = job->lda,
    .ranges = job->ranges + from * job->ldr,
    .ldr = job->ldr,
    .b = job->matrix->panels + panel * panel_bytes(job->kernels, job->matrix->inputs),
    .bias = job->matrix->bias + panel * width,
    .c = job->out + from * job->ldo + panel * width,
    .ldc = job->ldo,
    .rows = end - from,
    .columns = smaller(width, job->matrix->outputs - panel * width),
    .inputs = job->matrix->inputs,
    .to = job->to,
  };
  job->kernels->multiply(&product);
}

int csimd_linear_bytes(
  csimd_context *context, const csimd_byte_matrix *matrix, const float *x, long ldx, long rows,
  float *out, long ldo, int activation
) {
  const struct byte_kernels *kernels = context->bytes;
  struct byte_linear job = {
    .kernels = kernels,
    .matrix = matrix,
    .x = x,
    .ldx = ldx,
    .rows = rows,
    .out = out,
    .ldo = ldo,
    .lda = (padded_inputs(matrix->inputs) + 63) & ~63l,
    .ldr = 2 * ceiling(matrix->inputs, BYTE_GROUP),
    .panels = ceiling(matrix->outputs, kernels->panel),
    .blocks = ceiling(rows, BLOCK_ROWS),
    .to = activation == CSIMD_GELU ? TO_GELU : TO_STORE,
  };
  job.a = shared_scratch(
    context, rows * (job.lda * kernels->element + job.ldr * (long)sizeof(float)));
  if (job.a == NULL) return CSIMD_MEMORY;
  job.ranges = (float *)(job.a + rows * job.lda * kernels->element);
  csimd_parallel(context, quantise_task, &job, ceiling(rows, QUANTISED_ROWS));
  csimd_parallel(context, byte_linear_task, &job, job.panels * job.blocks);
  return CSIMD_OK;
}
