// AdamW (Loshchilov and Hutter 2019) over many tensors in one launch.
#include "device.h"

// A parameter; a block does 2,048 of its values.
struct Part {
  float *value;
  const float *gradient;
  float *mean, *square;
  // Of the value, and block number of its first block.
  int count, firstBlock;
  float decay, unused;
};

// `scale`, where not null, is what clipping multiplies gradients by, on top of `fixedScale`.
extern "C" __global__ void __launch_bounds__(256)
    adamW(const Part *parts, int partCount, float rate, float beta1, float beta2, float epsilon,
          float correction1, float correction2, float fixedScale, const float *scale) {
  // The last part that begins at this block or before.
  int low = 0, high = partCount - 1;
  while (low < high) {
    int middle = (low + high + 1) / 2;
    if (parts[middle].firstBlock <= (int)blockIdx.x)
      low = middle;
    else
      high = middle - 1;
  }
  const Part part = parts[low];
  const int i = ((int)blockIdx.x - part.firstBlock) * 2048 + 8 * threadIdx.x, n = part.count - i;
  if (n <= 0) return;
  const float factor = scale ? fixedScale * *scale : fixedScale, kept = 1.0f - rate * part.decay;
  float value[8], gradient[8], mean[8], square[8];
  read(part.value + i, n, value);
  read(part.gradient + i, n, gradient);
  read(part.mean + i, n, mean);
  read(part.square + i, n, square);
#pragma unroll
  for (int k = 0; k < 8; k++) {
    const float g = gradient[k] * factor;
    mean[k] = beta1 * mean[k] + (1.0f - beta1) * g;
    square[k] = beta2 * square[k] + (1.0f - beta2) * g * g;
    const float root = sqrtf(square[k] * correction2) + epsilon;
    value[k] = kept * value[k] - rate * (mean[k] * correction1) / root;
  }
  write(part.value + i, n, value);
  write(part.mean + i, n, mean);
  write(part.square + i, n, square);
}
