// AdamW (Loshchilov and Hutter 2019) over all tensors of one or many vBERTs: the squares of all gradients,
// each vBERT's norm, the step.
#include "device.h"

// A vBERT's gradients; a block does 16,384 values.
struct Gradients {
  const float *values;
  u64 count;
  int firstBlock, blocks;
};

// partials[block] = sum of squares.
extern "C" __global__ void __launch_bounds__(256)
    gradientSquares(const Gradients *list, int count, double *partials) {
  const Gradients mine = list[partOf(list, count)];
  double total = 0;
#pragma unroll
  for (int step = 0; step < 8; step++) {
    const u64 i = 16384ull * (blockIdx.x - mine.firstBlock) + step * 2048 + 8 * threadIdx.x;
    if (i < mine.count) {
      float v[8], sum = 0;
      read(mine.values + i, (int)(mine.count - i < 8 ? mine.count - i : 8), v);
#pragma unroll
      for (int k = 0; k < 8; k++) sum += v[k] * v[k];
      total += sum;
    }
  }
  total = blockSum(total);
  if (threadIdx.x == 0) partials[blockIdx.x] = total;
}

// A vBERT's step.
struct Step {
  float rate, beta1, beta2, epsilon, correction1, correction2;
  // What gradients are multiplied by before they are clipped to the norm `most`.
  float fixedScale, most;
  float *norm;
};

// A block a vBERT: its norm, and what clipping multiplies its gradients by.
extern "C" __global__ void __launch_bounds__(256)
    clips(const Gradients *list, const double *partials, const Step *steps, float *scales) {
  const Gradients mine = list[blockIdx.x];
  const Step step = steps[blockIdx.x];
  double total = 0;
  for (int p = threadIdx.x; p < mine.blocks; p += 256) total += partials[mine.firstBlock + p];
  total = blockSum(total);
  if (threadIdx.x) return;
  const double length = sqrt(total), factor = step.most / (length + 1e-6);
  *step.norm = (float)length;
  scales[blockIdx.x] = factor < 1 ? (float)factor : 1.0f;
}

// A parameter; a block does 2,048 of its values.
struct Part {
  float *value;
  const float *gradient;
  float *mean, *square;
  // Of the value, and block number of its first block.
  int count, firstBlock;
  float decay;
  // Number of its vBERT.
  int step;
  // What the step's rate is multiplied by.
  float rate;
};

// `scales`, where not null, is what clipping multiplies each vBERT's gradients by.
extern "C" __global__ void __launch_bounds__(256)
    adamW(const Part *parts, int partCount, const Step *steps, const float *scales) {
  const Part part = parts[partOf(parts, partCount)];
  const int i = ((int)blockIdx.x - part.firstBlock) * 2048 + 8 * threadIdx.x, n = part.count - i;
  if (n <= 0) return;
  const Step step = steps[part.step];
  const float factor = scales ? step.fixedScale * scales[part.step] : step.fixedScale;
  const float rate = step.rate * part.rate, kept = 1.0f - rate * part.decay;
  float value[8], gradient[8], mean[8], square[8];
  read(part.value + i, n, value);
  read(part.gradient + i, n, gradient);
  read(part.mean + i, n, mean);
  read(part.square + i, n, square);
#pragma unroll
  for (int k = 0; k < 8; k++) {
    const float g = gradient[k] * factor;
    mean[k] = step.beta1 * mean[k] + (1.0f - step.beta1) * g;
    square[k] = step.beta2 * square[k] + (1.0f - step.beta2) * g * g;
    const float root = sqrtf(square[k] * step.correction2) + step.epsilon;
    value[k] = kept * value[k] - rate * (mean[k] * step.correction1) / root;
  }
  write(part.value + i, n, value);
  write(part.mean + i, n, mean);
  write(part.square + i, n, square);
}
