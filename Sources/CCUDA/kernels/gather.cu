// Rows by number, and the gradient of pooling. XTYPE and YTYPE are float or u16 (bf16).
#include "device.h"

// out[r] = sum over t of table[indices[r * terms + t]]; a negative index adds nothing.
extern "C" __global__ void __launch_bounds__(256)
    gatherSum(const XTYPE *table, const int *indices, int terms, int columns, YTYPE *out, int rows) {
  const int vectors = (columns + 7) / 8;
  const u64 i = (u64)blockIdx.x * 256 + threadIdx.x;
  const u64 row = i / vectors;
  if (row >= rows) return;
  const int column = 8 * (int)(i % vectors), n = columns - column;
  float sum[8] = {};
  for (int t = 0; t < terms; t++) {
    const int index = indices[row * terms + t];
    if (index < 0) continue;
    float v[8];
    read(table + (u64)index * columns + column, n, v);
#pragma unroll
    for (int k = 0; k < 8; k++) sum[k] += v[k];
  }
  write(out + row * columns + column, n, sum);
}

// Rows first ..< first + count of the list (of `source` itself where there is none) are added up, and
// the sum to row `target` of the table; a negative target is row -1 - target of the partial sums.
struct Chunk {
  int first, count, target;
};

extern "C" __global__ void __launch_bounds__(256)
    scatterSum(const XTYPE *source, const int *list, const Chunk *chunks, int chunkCount, int columns,
               float *partials, YTYPE *table) {
  const int vectors = (columns + 7) / 8;
  const u64 i = (u64)blockIdx.x * 256 + threadIdx.x;
  if (i / vectors >= chunkCount) return;
  const Chunk chunk = chunks[i / vectors];
  const int column = 8 * (int)(i % vectors), n = columns - column;
  float sum[8] = {};
#pragma unroll 4
  for (int e = chunk.first; e < chunk.first + chunk.count; e++) {
    float v[8];
    read(source + (u64)(list ? list[e] : e) * columns + column, n, v);
#pragma unroll
    for (int k = 0; k < 8; k++) sum[k] += v[k];
  }
  if (chunk.target < 0) {
    write(partials + (u64)(-1 - chunk.target) * columns + column, n, sum);
    return;
  }
  YTYPE *to = table + (u64)chunk.target * columns + column;
  float v[8];
  read(to, n, v);
#pragma unroll
  for (int k = 0; k < 8; k++) v[k] += sum[k];
  write(to, n, v);
}

// dx[r] = d[i] / length, or d[i] at the first row and zeros elsewhere. A block a sequence.
extern "C" __global__ void __launch_bounds__(256)
    poolBackward(const XTYPE *d, const int *offsets, int mean, int columns, YTYPE *dx) {
  const int vectors = (columns + 7) / 8;
  const int first = offsets[blockIdx.x], count = offsets[blockIdx.x + 1] - first;
  const float share = mean ? 1.0f / count : 0.0f;
  for (int i = threadIdx.x; i < vectors * count; i += 256) {
    const int row = i / vectors, column = 8 * (i % vectors), n = columns - column;
    float v[8];
    read(d + (u64)blockIdx.x * columns + column, n, v);
    const float scale = !mean && row == 0 ? 1.0f : share;
#pragma unroll
    for (int k = 0; k < 8; k++) v[k] *= scale;
    write(dx + (u64)(first + row) * columns + column, n, v);
  }
}
