/// Linear maps of a reduced type: rows are reduced once a product, then blocks of rows times panels of
/// columns are tasks as in linear.c.
#include "reduced.h"

#include <string.h>

enum { BLOCK_ROWS = 112, REDUCED_ROWS = 16 };

static const struct reduced_format *format_of(enum csimd_type type) {
  return type == CSIMD_BYTES ? &byte_format : &bf16_format;
}

/// Where the biases lie behind the panels.
static long bias_offset(
  const csimd_context *context, enum csimd_type type, long outputs, long inputs
) {
  const struct reduced_kernels *kernels = context->reduced[type];
  const long panels = ceiling(outputs, kernels->panel);
  return (panels * format_of(type)->panel_bytes(kernels, inputs) + 63) & ~63l;
}

long csimd_packed_reduced(
  const csimd_context *context, enum csimd_type type, long outputs, long inputs
) {
  const long width = context->reduced[type]->panel;
  return bias_offset(context, type, outputs, inputs)
    + ceiling(outputs, width) * width * (long)sizeof(float);
}

csimd_reduced_matrix csimd_pack_reduced(
  const csimd_context *context, enum csimd_type type, void *memory, const float *weight,
  const float *bias, long outputs, long inputs
) {
  const struct reduced_kernels *kernels = context->reduced[type];
  const struct reduced_format *format = format_of(type);
  const long width = kernels->panel, bytes = format->panel_bytes(kernels, inputs);
  memset(memory, 0, (size_t)csimd_packed_reduced(context, type, outputs, inputs));
  for (long j = 0; j < outputs; j++)
    format->pack_column(
      kernels, weight + j * inputs, inputs, (char *)memory + j / width * bytes, j % width);
  float *padded = (float *)((char *)memory + bias_offset(context, type, outputs, inputs));
  if (bias != NULL) memcpy(padded, bias, (size_t)outputs * sizeof(float));
  return (csimd_reduced_matrix){memory, padded, outputs, inputs, type};
}

struct reduced_linear {
  const struct reduced_kernels *kernels;
  const csimd_reduced_matrix *matrix;
  const float *x;
  long ldx, rows;
  float *out;
  long ldo;
  /// The reduced rows, and in bytes their ranges.
  char *a;
  long lda;
  float *ranges;
  long ldr;
  long panel_bytes;
  long panels, blocks;
  int to;
};

static void reduce_task(void *argument, long task, int thread) {
  (void)thread;
  const struct reduced_linear *job = argument;
  const long end = smaller(job->rows, (task + 1) * REDUCED_ROWS);
  for (long r = task * REDUCED_ROWS; r < end; r++)
    job->kernels->reduce(
      job->x + r * job->ldx, job->matrix->inputs, job->ranges + r * job->ldr,
      job->a + r * job->lda * job->kernels->element);
}

static void linear_task(void *argument, long task, int thread) {
  (void)thread;
  const struct reduced_linear *job = argument;
  const long width = job->kernels->panel, panel = task % job->panels;
  long from, end;
  piece(job->rows, job->blocks, task / job->panels, &from, &end);
  const struct reduced_product product = {
    .a = job->a + from * job->lda * job->kernels->element,
    .lda = job->lda,
    .ranges = job->ranges + from * job->ldr,
    .ldr = job->ldr,
    .b = (const char *)job->matrix->panels + panel * job->panel_bytes,
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

int csimd_linear_reduced(
  csimd_context *context, const csimd_reduced_matrix *matrix, const float *x, long ldx, long rows,
  float *out, long ldo, int activation
) {
  const struct reduced_kernels *kernels = context->reduced[matrix->type];
  const struct reduced_format *format = format_of(matrix->type);
  struct reduced_linear job = {
    .kernels = kernels,
    .matrix = matrix,
    .x = x,
    .ldx = ldx,
    .rows = rows,
    .out = out,
    .ldo = ldo,
    .lda = format->row_elements(matrix->inputs),
    .ldr = format->ranges(matrix->inputs),
    .panel_bytes = format->panel_bytes(kernels, matrix->inputs),
    .panels = ceiling(matrix->outputs, kernels->panel),
    .blocks = ceiling(rows, BLOCK_ROWS),
    .to = activation == CSIMD_GELU ? TO_GELU : TO_STORE,
  };
  job.a = shared_scratch(
    context, rows * (job.lda * kernels->element + job.ldr * (long)sizeof(float)));
  if (job.a == NULL) return CSIMD_MEMORY;
  job.ranges = (float *)(job.a + rows * job.lda * kernels->element);
  csimd_parallel(context, reduce_task, &job, ceiling(rows, REDUCED_ROWS));
  csimd_parallel(context, linear_task, &job, job.panels * job.blocks);
  return CSIMD_OK;
}
