/// Adapters and heads: many small maps, each on a few rows of the batch. A task is one group, which
/// whoever made the groups has cut to a useful size, so the cost follows the rows alone.
#include "context.h"
#include "linear.h"

struct groups_job {
  csimd_context *context;
  const csimd_group *groups;
  const float *x;
  long ldx;
  float *out;
  long ldo;
  /// What becomes of the first product.
  int between;
};

static long padded(const csimd_context *context, long columns) {
  return ceiling(columns, context->kernels->panel) * context->kernels->panel;
}

static void all_panels(
  const csimd_context *context, const csimd_matrix *matrix, const float *x, long ldx, long rows,
  float *out, long ldo, int to
) {
  const long panels = ceiling(matrix->outputs, context->kernels->panel);
  for (long p = 0; p < panels; p++)
    multiply_panel(context->kernels, matrix, p, x, ldx, rows, out, ldo, to);
}

static void pair_task(void *argument, long task, int thread) {
  const struct groups_job *job = argument;
  const csimd_group *group = &job->groups[task];
  float *between = csimd_scratch(job->context, thread);
  const long width = padded(job->context, group->first.outputs);
  all_panels(
    job->context, &group->first, job->x + group->row * job->ldx, job->ldx, group->rows, between,
    width, job->between);
  all_panels(
    job->context, &group->second, between, width, group->rows, job->out + group->row * job->ldo,
    job->ldo, TO_ADD);
}

static void head_task(void *argument, long task, int thread) {
  (void)thread;
  const struct groups_job *job = argument;
  const csimd_group *group = &job->groups[task];
  all_panels(
    job->context, &group->first, job->x + group->row * job->ldx, job->ldx, group->rows,
    job->out + group->row * job->ldo, job->ldo, TO_STORE);
}

static int run_pairs(struct groups_job *job, long count) {
  long most = 0;
  for (long i = 0; i < count; i++)
    most = larger(most, job->groups[i].rows * padded(job->context, job->groups[i].first.outputs));
  if (csimd_reserve(job->context, most * (long)sizeof(float)) != CSIMD_OK) return CSIMD_MEMORY;
  csimd_parallel(job->context, pair_task, job, count);
  return CSIMD_OK;
}

int csimd_bottlenecks(
  csimd_context *context, const csimd_group *groups, long count, float *x, long ldx
) {
  struct groups_job job = {context, groups, x, ldx, x, ldx, TO_GELU};
  return run_pairs(&job, count);
}

int csimd_low_ranks(
  csimd_context *context, const csimd_group *groups, long count, const float *x, long ldx,
  float *out, long ldo
) {
  struct groups_job job = {context, groups, x, ldx, out, ldo, TO_STORE};
  return run_pairs(&job, count);
}

int csimd_heads(
  csimd_context *context, const csimd_group *groups, long count, const float *x, long ldx,
  float *out, long ldo
) {
  struct groups_job job = {context, groups, x, ldx, out, ldo, TO_STORE};
  csimd_parallel(context, head_task, &job, count);
  return CSIMD_OK;
}
