// Multi-head attention inside each sequence of a packed batch, heads of HEAD columns.
//
// A block of 4 warps owns 64 queries of one sequence and head; keys and values pass by in tiles of
// 64, one being copied while one is used, and the softmax is kept running (Milakov and Gimelshein
// 2018; Dao 2022), so that scores never leave registers and any length works. What lies beyond a
// sequence's end is neither read nor multiplied: a sequence of 35 tokens costs 48 queries x 40 keys.
// Nothing depends on the rest of the batch, so alone equals together to the bit.
#include "device.h"

enum {
  tile = 64,
  // Columns of a head, rounded up to the tensor cores' 16; the rest are zeros.
  width = (HEAD + 15) / 16 * 16,
  // Padded by 16 bytes, so that eight rows of a matrix load fall on different banks.
  pitch = width + 8,
  vectors = HEAD / 8,
};

// Sequence that begins at `row`, and which of its queries a block owns.
struct Task {
  int row, length, query;
};

DEVICE void copyTile(u16 *to, const u16 *from, u64 stride, int valid) {
#pragma unroll
  for (int i = threadIdx.x; i < tile * vectors; i += 128) {
    int row = i / vectors, column = i % vectors * 8;
    bool inside = row < valid;
    copyAsync(to + row * pitch + column, from + (inside ? row : 0) * stride + column, inside);
  }
}

#define infinity __int_as_float(0x7f800000)

DEVICE float exp2Fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// qkv [R, 3 hidden], out [R, hidden]; scale is log2(e) / sqrt(HEAD). Grid: tasks x heads, a
// task's heads together, so that blocks at work at one time read neighbouring pieces of the same rows.
// With BIAS: bias [heads, span], added to the scaled score of query i and key j at j - i from the middle.
extern "C" __global__ void __launch_bounds__(128)
    attention(const u16 *qkv, int stride, int hidden, const Task *tasks, int heads, float scale,
              u16 *out, int outStride BIAS_PARAMETERS) {
  __shared__ __align__(16) u16 queries[tile * pitch];
  __shared__ __align__(16) u16 keys[2][tile * pitch];
  __shared__ __align__(16) u16 values[2][tile * pitch];
  const Task task = tasks[blockIdx.x / heads];
  const int head = blockIdx.x % heads;
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, g = lane >> 2, t = lane & 3;
  const u16 *base = qkv + (u64)task.row * stride + head * HEAD;
  const int tiles = (task.length + tile - 1) / tile;

#if HEAD % 16
  for (int row = threadIdx.x; row < tile; row += 128) {
    u16 *all[5] = {queries, keys[0], keys[1], values[0], values[1]};
#pragma unroll
    for (int b = 0; b < 5; b++) *(uint4 *)(all[b] + row * pitch + HEAD) = make_uint4(0, 0, 0, 0);
  }
#endif
  copyTile(queries, base + (u64)task.query * stride, stride, task.length - task.query);
  copyTile(keys[0], base + hidden, stride, task.length);
  copyTile(values[0], base + 2 * hidden, stride, task.length);
  commitCopies();

  const bool active = task.query + 16 * warp < task.length;
  u32 q[width / 16][4];
  float o[width / 8][4] = {}, most[2] = {-infinity, -infinity}, sum[2] = {0, 0};

  for (int step = 0; step < tiles; step++) {
    if (step + 1 < tiles) {
      int at = (step + 1) * tile;
      copyTile(keys[(step + 1) & 1], base + (u64)at * stride + hidden, stride, task.length - at);
      copyTile(values[(step + 1) & 1], base + (u64)at * stride + 2 * hidden, stride,
               task.length - at);
      commitCopies();
      awaitCopies<1>();
    } else {
      awaitCopies<0>();
    }
    __syncthreads();
    if (active) {
      const u16 *k = keys[step & 1], *v = values[step & 1];
      const int valid = min(tile, task.length - step * tile);
      if (step == 0)
#pragma unroll
        for (int d = 0; d < width / 16; d++)
          loadMatrices(q[d], sharedAddress(queries + (16 * warp + (lane & 15)) * pitch + 16 * d +
                                           (lane >> 4) * 8));

      float s[tile / 8][4];
#pragma unroll
      for (int j = 0; j < tile / 8; j++)
#pragma unroll
        for (int i = 0; i < 4; i++) s[j][i] = 0;
#pragma unroll
      for (int j = 0; j < tile / 16; j++)
        if (16 * j < valid)
#pragma unroll
          for (int d = 0; d < width / 16; d++) {
            u32 b[4];
            loadMatrices(b, sharedAddress(k + (16 * j + (lane & 7) + (lane >> 4) * 8) * pitch +
                                          16 * d + ((lane >> 3) & 1) * 8));
            multiply(s[2 * j], q[d], b[0], b[1]);
            multiply(s[2 * j + 1], q[d], b[2], b[3]);
          }

#ifdef BIAS
      addBiases(s, bias + head * span, span, step * tile + 2 * t - (task.query + 16 * warp + g),
                1.4426950408889634f / scale);
#endif
      float peak[2] = {most[0], most[1]};
      if (valid < tile)
#pragma unroll
        for (int j = 0; j < tile / 8; j++)
#pragma unroll
          for (int i = 0; i < 4; i++)
            if (8 * j + 2 * t + (i & 1) >= valid) s[j][i] = -infinity;
#pragma unroll
      for (int j = 0; j < tile / 8; j++)
#pragma unroll
        for (int i = 0; i < 4; i++) peak[i >> 1] = fmaxf(peak[i >> 1], s[j][i]);
#pragma unroll
      for (int h = 0; h < 2; h++) {
        peak[h] = fmaxf(peak[h], __shfl_xor_sync(0xffffffffu, peak[h], 1));
        peak[h] = fmaxf(peak[h], __shfl_xor_sync(0xffffffffu, peak[h], 2));
        float shrink = exp2Fast((most[h] - peak[h]) * scale);
        most[h] = peak[h];
        peak[h] *= scale;
        sum[h] *= shrink;
#pragma unroll
        for (int d = 0; d < width / 8; d++) o[d][2 * h] *= shrink, o[d][2 * h + 1] *= shrink;
      }
#pragma unroll
      for (int j = 0; j < tile / 8; j++)
#pragma unroll
        for (int i = 0; i < 4; i++) {
          s[j][i] = exp2Fast(fmaf(s[j][i], scale, -peak[i >> 1]));
          sum[i >> 1] += s[j][i];
        }
#pragma unroll
      for (int j = 0; j < tile / 16; j++)
        if (16 * j < valid) {
          u32 a[4] = {pack(s[2 * j][0], s[2 * j][1]), pack(s[2 * j][2], s[2 * j][3]),
                      pack(s[2 * j + 1][0], s[2 * j + 1][1]),
                      pack(s[2 * j + 1][2], s[2 * j + 1][3])};
#pragma unroll
          for (int d = 0; d < width / 16; d++) {
            u32 b[4];
            loadMatricesTransposed(
                b, sharedAddress(v + (16 * j + (lane & 15)) * pitch + 16 * d + (lane >> 4) * 8));
            multiply(o[2 * d], a, b[0], b[1]);
            multiply(o[2 * d + 1], a, b[2], b[3]);
          }
        }
    }
    __syncthreads();
  }

  if (!active) return;
  // The warp's own rows of `queries` carry its result to 16-byte stores.
  u16 *mine = queries + 16 * warp * pitch;
#pragma unroll
  for (int h = 0; h < 2; h++) {
    sum[h] += __shfl_xor_sync(0xffffffffu, sum[h], 1);
    sum[h] += __shfl_xor_sync(0xffffffffu, sum[h], 2);
    float inverse = 1.0f / sum[h];
#pragma unroll
    for (int d = 0; d < width / 8; d++)
      *(u32 *)(mine + (g + 8 * h) * pitch + 8 * d + 2 * t) =
          pack(o[d][2 * h] * inverse, o[d][2 * h + 1] * inverse);
  }
  __syncwarp();
  const int first = task.query + 16 * warp;
  for (int i = lane; i < 16 * vectors; i += 32) {
    int row = i / vectors, column = i % vectors * 8;
    if (first + row < task.length)
      *(uint4 *)(out + (u64)(task.row + first + row) * outStride + head * HEAD + column) =
          *(const uint4 *)(mine + row * pitch + column);
  }
}
