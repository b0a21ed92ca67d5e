// From token states to answers: pooling, and every vBERT's own head, grouped.
#include "device.h"

enum { warps = 8, pieces = (HIDDEN / 8 + 31) / 32, parts = (HIDDEN + 127) / 128 };

// out[i] = mean, or first row, or mean divided by its L2 norm, of sequence i (rows offsets[i] ..<
// offsets[i + 1]). A block a sequence; warp w sums rows w, w + 8... and the eight sums are added in
// order.
enum { poolMean, poolFirst, poolNormalized };

template <class Output>
DEVICE void poolInto(const u16 *x, int stride, const int *offsets, int way, Output output) {
  __shared__ float sums[warps][HIDDEN];
  __shared__ float squares[warps];
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
  const int start = offsets[blockIdx.x];
  const int count = way == poolFirst ? 1 : offsets[blockIdx.x + 1] - start;
  float total[pieces][8] = {};
  for (int row = warp; row < count; row += warps)
#pragma unroll
    for (int p = 0; p < pieces; p++) {
      int column = 8 * (lane + 32 * p);
      if (column < HIDDEN) {
        float y[8];
        unpack8(*(const uint4 *)(x + (u64)(start + row) * stride + column), y);
#pragma unroll
        for (int i = 0; i < 8; i++) total[p][i] += y[i];
      }
    }
#pragma unroll
  for (int p = 0; p < pieces; p++) {
    int column = 8 * (lane + 32 * p);
    if (column < HIDDEN)
#pragma unroll
      for (int i = 0; i < 8; i++) sums[warp][column + i] = total[p][i];
  }
  __syncthreads();
  float square = 0;
  for (int column = 2 * threadIdx.x; column < HIDDEN; column += 2 * warps * 32) {
    float first = 0, second = 0;
#pragma unroll
    for (int w = 0; w < warps; w++) first += sums[w][column], second += sums[w][column + 1];
    first /= count, second /= count;
    if (way != poolNormalized) {
      output(column, first, second);
      continue;
    }
    square += first * first + second * second;
    // These two columns are this thread's alone.
    sums[0][column] = first, sums[0][column + 1] = second;
  }
  if (way != poolNormalized) return;
#pragma unroll
  for (int step = 16; step > 0; step /= 2) square += __shfl_xor_sync(~0u, square, step);
  if (lane == 0) squares[warp] = square;
  __syncthreads();
  float norm = 0;
#pragma unroll
  for (int w = 0; w < warps; w++) norm += squares[w];
  const float inverse = norm > 0 ? 1 / sqrtf(norm) : 0;
  for (int column = 2 * threadIdx.x; column < HIDDEN; column += 2 * warps * 32)
    output(column, inverse * sums[0][column], inverse * sums[0][column + 1]);
}

extern "C" __global__ void __launch_bounds__(256)
    pool(const u16 *x, int stride, const int *offsets, int way, u16 *out, int outStride) {
  poolInto(x, stride, offsets, way, [&](int column, float first, float second) {
    *(u32 *)(out + (u64)blockIdx.x * outStride + column) = pack(first, second);
  });
}

extern "C" __global__ void __launch_bounds__(256)
    poolFloats(const u16 *x, int stride, const int *offsets, int way, float *out,
               int outStride) {
  poolInto(x, stride, offsets, way, [&](int column, float first, float second) {
    *(float2 *)(out + (u64)blockIdx.x * outStride + column) = make_float2(first, second);
  });
}

DEVICE void loadFour(const u16 *x, float *y) {
  uint2 v = *(const uint2 *)x;
  y[0] = low(v.x), y[1] = high(v.x), y[2] = low(v.y), y[3] = high(v.y);
}
DEVICE void loadFour(const float *x, float *y) {
  float4 v = *(const float4 *)x;
  y[0] = v.x, y[1] = v.y, y[2] = v.z, y[3] = v.w;
}

DEVICE void storeOne(u16 *out, float value) { *out = (u16)pack(value, 0); }
DEVICE void storeOne(float *out, float value) { *out = value; }

// out[r] = W x[r] + b with the fp32 head of r's group, one warp a row: x[r] stays in registers, and
// a label's weights pass by one fragment a load. Rows without head keep what they had.
template <class In, class Out>
DEVICE void apply(const In *x, int stride, const Tile *tiles, Out *out, int outStride) {
  const Tile tile = tiles[blockIdx.x];
  if (!tile.root) return;
  const Entry entry = *entryOf(tile.root, 0);
  const u64 *pages = pagesOf(tile.root);
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;
  if (!entry.size) return;
  for (int r = warp; r < tile.rows; r += warps) {
    float state[parts][4] = {};
#pragma unroll
    for (int p = 0; p < parts; p++) {
      int column = 128 * p + 4 * lane;
      if (column < HIDDEN) loadFour(x + (u64)(tile.row + r) * stride + column, state[p]);
    }
    for (u32 label = 0; label < entry.size; label++) {
      float dot = 0;
#pragma unroll
      for (int p = 0; p < parts; p++) {
        float4 w = __ldg((const float4 *)fragment(pages, entry.first + label * parts + p) + lane);
        dot += w.x * state[p][0] + w.y * state[p][1] + w.z * state[p][2] + w.w * state[p][3];
      }
      dot = warpSum(dot);
      if (lane == 0)
        storeOne(out + (u64)(tile.row + r) * outStride + label,
                 dot + *element(pages, entry.extra, label));
    }
  }
}

extern "C" __global__ void __launch_bounds__(256)
    heads(const u16 *x, int stride, const Tile *tiles, u16 *out, int outStride) {
  apply(x, stride, tiles, out, outStride);
}
extern "C" __global__ void __launch_bounds__(256)
    headsToFloats(const u16 *x, int stride, const Tile *tiles, float *out, int outStride) {
  apply(x, stride, tiles, out, outStride);
}
extern "C" __global__ void __launch_bounds__(256)
    headsOfFloats(const float *x, int stride, const Tile *tiles, float *out, int outStride) {
  apply(x, stride, tiles, out, outStride);
}
