/// One panel of a packed map, for the drivers that share panels out in their own way.
#pragma once
#include "kernels.h"

/// Writes columns panel * width ..< (panel + 1) * width of out, as far as there are outputs.
void multiply_panel(
  const struct kernels *, const csimd_matrix *, long panel, const float *x, long ldx, long rows,
  float *out, long ldo, int to);
