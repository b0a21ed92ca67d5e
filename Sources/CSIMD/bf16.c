/// Linear maps in bfloat16: pairs of inputs side by side, column by column.
#include "half.h"
#include "reduced.h"

static long panel_bytes(const struct reduced_kernels *kernels, long inputs) {
  return kernels->panel * ((inputs + 1) & ~1l) * (long)sizeof(uint16_t);
}

/// Whole cache lines and one more: rows a power of two apart would fall on the same few lines.
static long row_elements(long inputs) { return ((inputs + 31) & ~31l) + 32; }

static long ranges(long inputs) {
  (void)inputs;
  return 0;
}

static void pack_column(
  const struct reduced_kernels *kernels, const float *weight, long inputs, void *panel, long j
) {
  uint16_t *at = (uint16_t *)panel + j * 2;
  for (long k = 0; k < inputs; k++)
    at[k / 2 * 2 * kernels->panel + k % 2] = float_to_bfloat16(weight[k]);
}

const struct reduced_format bf16_format = {panel_bytes, row_elements, ranges, pack_column};
