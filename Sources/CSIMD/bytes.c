/// Linear maps in bytes: group after group, each with its columns' scales behind it.
#include <math.h>
#include <string.h>

#include "reduced.h"

/// Places of a row or of a column of a panel, group after group.
static long padded_inputs(long inputs) { return (inputs + 3) & ~3l; }

static long panel_bytes(const struct reduced_kernels *kernels, long inputs) {
  const long factors = 2 * ceiling(inputs, BYTE_GROUP) * (long)sizeof(float);
  return kernels->panel * (padded_inputs(inputs) + factors);
}

static long row_elements(long inputs) { return (padded_inputs(inputs) + 63) & ~63l; }
static long ranges(long inputs) { return 2 * ceiling(inputs, BYTE_GROUP); }

/// One group of one column; `at` is the group's first byte and j the column's place in the panel.
static void pack_group(
  const struct reduced_kernels *kernels, const float *weight, long count, int8_t *at, long j
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

static void pack_column(
  const struct reduced_kernels *kernels, const float *weight, long inputs, void *panel, long j
) {
  int8_t *at = panel;
  for (long from = 0; from < inputs; from += BYTE_GROUP) {
    const long count = smaller(BYTE_GROUP, inputs - from);
    pack_group(kernels, weight + from, count, at, j);
    at += kernels->panel * (padded_inputs(count) + 2 * (long)sizeof(float));
  }
}

const struct reduced_format byte_format = {panel_bytes, row_elements, ranges, pack_column};
