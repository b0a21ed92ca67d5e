// Losses and their gradients. XTYPE, YTYPE and ZTYPE are float or u16 (bf16): the types of what is judged, of
// its gradient, and of the targets. Every block leaves its part of the value; sums.cu adds them up.
#include "device.h"

// A warp's row: weight * cross-entropy, on every lane, and its gradient; a negative label has none of
// either.
DEVICE double rowLoss(const XTYPE *z, YTYPE *out, int classes, int label, double weight) {
  const int lane = threadIdx.x & 31;
  if (label < 0) {
    for (int c = lane; c < classes; c += 32) put(out + c, 0.0f);
    return 0;
  }
  float most = valueOf(z[0]), sum = 0;
  for (int c = lane; c < classes; c += 32) most = fmaxf(most, valueOf(z[c]));
#pragma unroll
  for (int step = 16; step; step >>= 1)
    most = fmaxf(most, __shfl_xor_sync(0xffffffffu, most, step));
  for (int c = lane; c < classes; c += 32) sum += expf(valueOf(z[c]) - most);
  sum = warpSum(sum);
  for (int c = lane; c < classes; c += 32) {
    float p = expf(valueOf(z[c]) - most) / sum;
    put(out + c, (float)(weight * (p - (c == label ? 1.0f : 0.0f))));
  }
  return weight * (logf(sum) + (double)most - valueOf(z[label]));
}

// share weights[label] * cross-entropy of each row whose label is not negative, one warp a row.
extern "C" __global__ void __launch_bounds__(256)
    softmaxLoss(const XTYPE *logits, const int *labels, const float *weights, double share, YTYPE *d,
                int rows, int classes, double *partials) {
  const int row = blockIdx.x * 8 + (threadIdx.x >> 5);
  double loss = 0;
  if (row < rows) {
    const int label = labels[row];
    const double weight = weights && label >= 0 ? share * weights[label] : share;
    loss = rowLoss(logits + (u64)row * classes, d + (u64)row * classes, classes, label, weight);
  }
  loss = blockSum((threadIdx.x & 31) == 0 ? loss : 0.0);
  if (threadIdx.x == 0) partials[blockIdx.x] = loss;
}

// A row of one of many vBERTs' heads.
struct LossRow {
  const XTYPE *logits;
  YTYPE *d;
  int classes, label;
  double weight;
};

// The same for rows of many vBERTs: losses[row] is each row's.
extern "C" __global__ void __launch_bounds__(256)
    softmaxLosses(const LossRow *rows, int count, double *losses) {
  const int row = blockIdx.x * 8 + (threadIdx.x >> 5);
  if (row >= count) return;
  const LossRow mine = rows[row];
  const double loss = rowLoss(mine.logits, mine.d, mine.classes, mine.label, mine.weight);
  if ((threadIdx.x & 31) == 0) losses[row] = loss;
}

// Whose rows [first, end) are.
struct LossItem {
  float *value;
  int first, end;
};

// Each item's value += the sum of its rows' losses, a warp an item.
extern "C" __global__ void __launch_bounds__(256)
    addItemLosses(const double *losses, const LossItem *items, int count) {
  const int number = blockIdx.x * 8 + (threadIdx.x >> 5), lane = threadIdx.x & 31;
  if (number >= count) return;
  const LossItem item = items[number];
  double sum = 0;
  for (int r = item.first + lane; r < item.end; r += 32) sum += losses[r];
#pragma unroll
  for (int step = 16; step; step >>= 1) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  if (lane == 0) *item.value += (float)sum;
}

// share * binary cross-entropies; weights[label] multiplies the positive part.
extern "C" __global__ void __launch_bounds__(256)
    binaryLoss(const XTYPE *logits, const float *targets, const float *weights, double share, YTYPE *d,
               u64 count, int labels, double *partials) {
  const u64 i = (u64)blockIdx.x * 256 + threadIdx.x;
  double loss = 0;
  if (i < count) {
    const float z = valueOf(logits[i]), t = targets[i];
    const float positive = weights ? weights[i % labels] : 1.0f;
    const float small = log1pf(expf(-fabsf(z)));
    const float without = z > 0 ? z + small : small, with = z > 0 ? small : small - z;
    loss = share * (positive * t * with + (1 - t) * without);
    const float p = 1.0f / (1.0f + expf(-z)), q = 1.0f / (1.0f + expf(z));
    put(d + i, (float)(share * ((1 - t) * p - positive * t * q)));
  }
  loss = blockSum(loss);
  if (threadIdx.x == 0) partials[blockIdx.x] = loss;
}

// share * squared differences, 16,384 values a block.
extern "C" __global__ void __launch_bounds__(256)
    squaredLoss(const XTYPE *x, const ZTYPE *targets, double share, YTYPE *d, u64 count, double *partials) {
  double loss = 0;
#pragma unroll 2
  for (int step = 0; step < 8; step++) {
    u64 i = (u64)blockIdx.x * 16384 + step * 2048 + 8 * threadIdx.x;
    if (i < count) {
      const int n = (int)(count - i < 8 ? count - i : 8);
      float a[8], b[8], sum = 0;
      read(x + i, n, a);
      read(targets + i, n, b);
#pragma unroll
      for (int k = 0; k < 8; k++) {
        a[k] -= b[k];
        sum += a[k] * a[k];
        a[k] *= (float)(2 * share);
      }
      write(d + i, n, a);
      loss += sum;
    }
  }
  loss = blockSum(loss * share);
  if (threadIdx.x == 0) partials[blockIdx.x] = loss;
}
