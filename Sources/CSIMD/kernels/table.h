/// All kernels, in the vector words included before this, as one table named KERNELS.
#include "normal.h"
#include "gelu.h"
#include "norm.h"
#include "merge.h"
#include "product.h"
#include "softmax.h"

const struct kernels KERNELS = {
  .name = NAME,
  .panel = LANES * TILE_VECTORS,
  .lanes = LANES,
  .tile_rows = TILE_ROWS,
  .multiply = multiply,
  .pack = pack,
  .gelu = gelu,
  .gelu_backward = gelu_backward,
  .softmax = softmax,
  .add_bias = add_bias,
  .scale_rows = scale_rows,
  .attend_few = attend_few,
  .add_norm = add_norm,
  .embed_norm = embed_norm,
  .gate = gate_row,
  .mean = mean_rows,
  .merge = merge,
};

