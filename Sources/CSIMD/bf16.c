/// Linear maps in bfloat16: rows are rounded once a product, then blocks of rows times panels of
/// columns are tasks as in linear.c.
#include <string.h>

#include "context.h"
#include "half.h"

enum { BLOCK_ROWS = 112, ROUNDED_ROWS = 16 };

/// Numbers of a column, or of a row: pairs.
static long even(long inputs) { return (inputs + 1) & ~1l; }

static long panel_numbers(const struct bf16_kernels *kernels, long inputs) {
  return kernels->panel * even(inputs);
}

long csimd_packed_bf16(const csimd_context *context, long outputs, long inputs) {
  const long panels = ceiling(outputs, context->bf16->panel);
  return panels * (panel_numbers(context->bf16, inputs) * (long)sizeof(uint16_t)
    + context->bf16->panel * (long)sizeof(float));
}

csimd_bf16_matrix csimd_pack_bf16(
  const csimd_context *context, void *memory, const float *weight, const float *bias, long outputs,
  long inputs
) {
  const long width = context->bf16->panel, panels = ceiling(outputs, width);
  const long numbers = panel_numbers(context->bf16, inputs);
  memset(memory, 0, (size_t)csimd_packed_bf16(context, outputs, inputs));
  for (long j = 0; j < outputs; j++) {
    uint16_t *at = (uint16_t *)memory + j / width * numbers + j % width * 2;
    for (long k = 0; k < inputs; k++)
      at[k / 2 * 2 * width + k % 2] = float_to_bfloat16(weight[j * inputs + k]);
  }
  float *padded = (float *)((uint16_t *)memory + panels * numbers);
  if (bias != NULL) memcpy(padded, bias, (size_t)outputs * sizeof(float));
  return (csimd_bf16_matrix){memory, padded, outputs, inputs};
}

struct bf16_linear {
  const struct bf16_kernels *kernels;
  const csimd_bf16_matrix *matrix;
  const float *x;
  long ldx, rows;
  /// The rounded rows.
  char *a;
  long lda;
  float *out;
  long ldo;
  long panels, blocks;
  int to;
};

static void round_task(void *argument, long task, int thread) {
  (void)thread;
  const struct bf16_linear *job = argument;
  const long end = smaller(job->rows, (task + 1) * ROUNDED_ROWS);
  for (long r = task * ROUNDED_ROWS; r < end; r++)
    job->kernels->round(
      job->x + r * job->ldx, job->matrix->inputs, job->a + r * job->lda * job->kernels->element);
}

static void bf16_linear_task(void *argument, long task, int thread) {
  (void)thread;
  const struct bf16_linear *job = argument;
  const long width = job->kernels->panel, panel = task % job->panels;
  long from, end;
  piece(job->rows, job->blocks, task / job->panels, &from, &end);
  const struct bf16_product product = {
    .a = job->a + from * job->lda * job->kernels->element,
    .lda = job->lda,
    .b = job->matrix->panels + panel * panel_numbers(job->kernels, job->matrix->inputs),
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

int csimd_linear_bf16(
  csimd_context *context, const csimd_bf16_matrix *matrix, const float *x, long ldx, long rows,
  float *out, long ldo, int activation
) {
  const struct bf16_kernels *kernels = context->bf16;
  struct bf16_linear job = {
    .kernels = kernels,
    .matrix = matrix,
    .x = x,
    .ldx = ldx,
    .rows = rows,
    .out = out,
    .ldo = ldo,
    // Whole cache lines and one more: rows a power of two apart would fall on the same few lines.
    .lda = ((matrix->inputs + 31) & ~31l) + 32,
    .panels = ceiling(matrix->outputs, kernels->panel),
    .blocks = ceiling(rows, BLOCK_ROWS),
    .to = activation == CSIMD_GELU ? TO_GELU : TO_STORE,
  };
  job.a = shared_scratch(context, rows * job.lda * kernels->element);
  if (job.a == NULL) return CSIMD_MEMORY;
  csimd_parallel(context, round_task, &job, ceiling(rows, ROUNDED_ROWS));
  csimd_parallel(context, bf16_linear_task, &job, job.panels * job.blocks);
  return CSIMD_OK;
}
