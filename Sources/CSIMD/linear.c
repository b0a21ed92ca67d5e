/// y = activation(x W^T + b) with W packed once: blocks of rows times panels of columns as tasks.
#include <string.h>

#include "context.h"
#include "linear.h"

enum {
  /// Eight register tiles of AVX-512: with 512 columns they fill a fifth of a second-level cache.
  BLOCK_ROWS = 112,
  /// Steps of a sum before it goes back to memory; keeps a panel's part within the same cache.
  BLOCK_DEPTH = 512,
};

long csimd_packed_count(const csimd_context *context, long outputs, long inputs) {
  const long panel = context->kernels->panel, columns = ceiling(outputs, panel) * panel;
  return columns * inputs + columns;
}

csimd_matrix csimd_pack(
  const csimd_context *context, float *memory, const float *weight, const float *bias,
  long outputs, long inputs, float scale
) {
  const long panel = context->kernels->panel, panels = ceiling(outputs, panel);
  for (long p = 0; p < panels; p++)
    context->kernels->pack(
      weight + p * panel * inputs, 1, inputs, inputs, smaller(panel, outputs - p * panel), scale,
      memory + p * panel * inputs);
  float *padded = memory + panels * panel * inputs;
  memset(padded, 0, (size_t)(panels * panel) * sizeof(float));
  for (long j = 0; bias != NULL && j < outputs; j++) padded[j] = bias[j] * scale;
  return (csimd_matrix){memory, padded, outputs, inputs};
}

void multiply_panel(
  const struct kernels *kernels, const csimd_matrix *matrix, long panel, const float *x, long ldx,
  long rows, float *out, long ldo, int to
) {
  const long width = kernels->panel, inputs = matrix->inputs;
  const long blocks = larger(1, ceiling(inputs, BLOCK_DEPTH));
  for (long b = 0; b < blocks; b++) {
    long from, end;
    piece(inputs, blocks, b, &from, &end);
    struct product product = {
      .a = x + from,
      .lda = ldx,
      .b = matrix->panels + (panel * inputs + from) * width,
      .ldb = width,
      .bias = matrix->bias + panel * width,
      .c = out + panel * width,
      .ldc = ldo,
      .rows = rows,
      .columns = smaller(width, matrix->outputs - panel * width),
      .depth = end - from,
      .from = b == 0 ? FROM_BIAS : FROM_ZERO,
      .to = b == 0 ? (blocks == 1 || to == TO_ADD ? to : TO_STORE)
        : to == TO_GELU && b == blocks - 1 ? TO_ADD_GELU : TO_ADD,
    };
    kernels->multiply(&product);
  }
}

struct linear {
  csimd_context *context;
  const csimd_matrix *matrix;
  const float *x;
  long ldx, rows;
  float *out;
  long ldo;
  long panels, blocks;
  int to;
};

static void linear_task(void *argument, long task, int thread) {
  (void)thread;
  const struct linear *job = argument;
  long from, end;
  piece(job->rows, job->blocks, task / job->panels, &from, &end);
  multiply_panel(
    job->context->kernels, job->matrix, task % job->panels, job->x + from * job->ldx, job->ldx,
    end - from, job->out + from * job->ldo, job->ldo, job->to);
}

int csimd_linear(
  csimd_context *context, const csimd_matrix *matrix, const float *x, long ldx, long rows,
  float *out, long ldo, int activation
) {
  struct linear job = {
    .context = context,
    .matrix = matrix,
    .x = x,
    .ldx = ldx,
    .rows = rows,
    .out = out,
    .ldo = ldo,
    .panels = ceiling(matrix->outputs, context->kernels->panel),
    .blocks = ceiling(rows, BLOCK_ROWS),
    .to = activation == CSIMD_GELU ? TO_GELU : TO_STORE,
  };
  csimd_parallel(context, linear_task, &job, job.panels * job.blocks);
  return CSIMD_OK;
}
