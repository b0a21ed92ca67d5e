// Operations on single values.
#include "device.h"

// x = GELU(x), in place, eight values a thread, x [rows, 8 vectors].
extern "C" __global__ void __launch_bounds__(256)
    applyGELU(u16 *x, int stride, int vectors, int rows) {
  u64 i = (u64)blockIdx.x * 256 + threadIdx.x;
  if (i >= (u64)rows * vectors) return;
  uint4 *place = (uint4 *)(x + i / vectors * stride) + i % vectors;
  float y[8];
  unpack8(*place, y);
#pragma unroll
  for (int k = 0; k < 8; k++) y[k] = gelu(y[k]);
  *place = pack8(y);
}
