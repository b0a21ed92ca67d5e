// Sums in an order that does not depend on timing: partial sums by blocks, then the partial sums in
// their order. TYPE is the type of the values added, float or u16 (bf16).
#include "device.h"

// partials[chunk, c] = sum of d[r, c] over the chunk's rows. Grid: tiles of 64 columns x chunks.
extern "C" __global__ void __launch_bounds__(256)
    columnSums(const TYPE *d, int stride, int rows, int columns, int rowsPerChunk, float *partials) {
  __shared__ float sums[32][64];
  const int x = threadIdx.x & 7, y = threadIdx.x >> 3;
  const int column = blockIdx.x * 64 + 8 * x, n = columns - column;
  const int first = blockIdx.y * rowsPerChunk, last = min(rows, first + rowsPerChunk);
  float total[8] = {};
  if (n > 0)
    for (int r = first + y; r < last; r += 32) {
      float v[8];
      read(d + (u64)r * stride + column, n, v);
#pragma unroll
      for (int k = 0; k < 8; k++) total[k] += v[k];
    }
  store8(&sums[y][8 * x], total);
  __syncthreads();
  const int mine = blockIdx.x * 64 + threadIdx.x;
  if (threadIdx.x < 64 && mine < columns) {
    float sum = 0;
#pragma unroll
    for (int r = 0; r < 32; r++) sum += sums[r][threadIdx.x];
    partials[(u64)blockIdx.y * columns + mine] = sum;
  }
}

// out[c] += scale * sum over p of partials[p * stride + c]; blockIdx.y 1 does the next `columns`
// columns into `second`.
extern "C" __global__ void __launch_bounds__(1024)
    addPartials(const float *partials, int count, int stride, int columns, float scale, float *first,
                float *second) {
  __shared__ float sums[32][33];
  const int lane = threadIdx.x & 31, part = threadIdx.x >> 5;
  const int column = blockIdx.x * 32 + lane;
  float *out = blockIdx.y ? second : first;
  float sum = 0;
  if (column < columns)
#pragma unroll 4
    for (int p = part; p < count; p += 32)
      sum += partials[(u64)p * stride + blockIdx.y * columns + column];
  sums[part][lane] = sum;
  __syncthreads();
  if (part || column >= columns) return;
  float total = 0;
#pragma unroll
  for (int p = 0; p < 32; p++) total += sums[p][lane];
  out[column] += scale * total;
}

// partials[block] = sum of squares of 16,384 values.
extern "C" __global__ void __launch_bounds__(256)
    squaredSums(const TYPE *x, u64 count, double *partials) {
  double total = 0;
#pragma unroll
  for (int step = 0; step < 8; step++) {
    u64 i = (u64)blockIdx.x * 16384 + step * 2048 + 8 * threadIdx.x;
    if (i < count) {
      float v[8], sum = 0;
      read(x + i, (int)(count - i < 8 ? count - i : 8), v);
#pragma unroll
      for (int k = 0; k < 8; k++) sum += v[k] * v[k];
      total += sum;
    }
  }
  total = blockSum(total);
  if (threadIdx.x == 0) partials[blockIdx.x] = total;
}

DEVICE double sumOf(const double *partials, int count) {
  double total = 0;
  for (int p = threadIdx.x; p < count; p += 256) total += partials[p];
  return blockSum(total);
}

// value += the sum, or where that is null *whole = the sum.
extern "C" __global__ void __launch_bounds__(256)
    addSum(const double *partials, int count, float *value, double *whole) {
  double total = sumOf(partials, count);
  if (threadIdx.x) return;
  if (value)
    *value += (float)total;
  else
    *whole = total;
}
