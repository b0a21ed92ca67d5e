/// GELU and its backward over flat memory; inside a matmul it is part of the tile's end.
#include "context.h"

enum { COUNT = 8192 };

struct gelu_job {
  const struct kernels *kernels;
  const float *x, *dy;
  long count;
  float *out;
};

static void gelu_task(void *argument, long task, int thread) {
  (void)thread;
  const struct gelu_job *job = argument;
  const long from = task * COUNT, count = smaller(COUNT, job->count - from);
  if (job->dy == NULL) job->kernels->gelu(job->x + from, count, job->out + from);
  else job->kernels->gelu_backward(job->x + from, job->dy + from, count, job->out + from);
}

void csimd_gelu(csimd_context *context, const float *x, long count, float *out) {
  struct gelu_job job = {context->kernels, x, NULL, count, out};
  csimd_parallel(context, gelu_task, &job, ceiling(count, COUNT));
}

void csimd_gelu_backward(
  csimd_context *context, const float *x, const float *dy, long count, float *dx
) {
  struct gelu_job job = {context->kernels, x, dy, count, dx};
  csimd_parallel(context, gelu_task, &job, ceiling(count, COUNT));
}
