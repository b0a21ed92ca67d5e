// Matrix products of any shape, strides and types, for the few that cuBLASLt does not take: heads of
// 77 labels, LoRAs of rank 4. Tiles of 64 x 64 in shared memory, fp32 throughout. XTYPE, YTYPE and ZTYPE are
// float or u16 (bf16): the types of a, b and c.
#include "device.h"

// c[m, n] (+)= scale * sum over k of a[m, k] b[k, n], + bias[n]. Element (m, k) of a lies at
// m * aRow + k * aColumn, (k, n) of b at k * bRow + n * bColumn, (m, n) of c at m * cRow + n.
// Where `sums` is given, sums[m] += scale * sum over k of a[m, k].
struct Item {
  const XTYPE *a;
  const YTYPE *b;
  ZTYPE *c;
  const float *bias;
  float *sums;
  int rows, columns, inner, aRow, aColumn, bRow, bColumn, cRow;
};

DEVICE void multiplyTile(const Item &p, int row, int column, float scale, int adding) {
  __shared__ float as[16][65], bs[16][65];
  const int y = threadIdx.x >> 4, x = threadIdx.x & 15;
  const bool summing = p.sums && column == 0 && threadIdx.x < 64;
  float sum[4][4] = {}, rowSum = 0;
  for (int k = 0; k < p.inner; k += 16) {
#pragma unroll
    for (int i = threadIdx.x; i < 1024; i += 256) {
      // Neighbouring threads read neighbouring addresses.
      int m = p.aColumn == 1 ? i >> 4 : i & 63, ka = p.aColumn == 1 ? i & 15 : i >> 6;
      int n = p.bColumn == 1 ? i & 63 : i >> 4, kb = p.bColumn == 1 ? i >> 6 : i & 15;
      as[ka][m] = row + m < p.rows && k + ka < p.inner
                      ? valueOf(p.a[(u64)(row + m) * p.aRow + (u64)(k + ka) * p.aColumn])
                      : 0.0f;
      bs[kb][n] = column + n < p.columns && k + kb < p.inner
                      ? valueOf(p.b[(u64)(k + kb) * p.bRow + (u64)(column + n) * p.bColumn])
                      : 0.0f;
    }
    __syncthreads();
#pragma unroll
    for (int q = 0; q < 16; q++) {
      float u[4], v[4];
#pragma unroll
      for (int i = 0; i < 4; i++) u[i] = as[q][y + 16 * i], v[i] = bs[q][x + 16 * i];
#pragma unroll
      for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) sum[i][j] += u[i] * v[j];
    }
    if (summing)
#pragma unroll
      for (int q = 0; q < 16; q++) rowSum += as[q][threadIdx.x];
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; i++)
#pragma unroll
    for (int j = 0; j < 4; j++) {
      int m = row + y + 16 * i, n = column + x + 16 * j;
      if (m >= p.rows || n >= p.columns) continue;
      ZTYPE *to = p.c + (u64)m * p.cRow + n;
      float value = scale * sum[i][j];
      if (adding) value += valueOf(*to);
      if (p.bias) value += p.bias[n];
      put(to, value);
    }
  if (summing && row + (int)threadIdx.x < p.rows) p.sums[row + threadIdx.x] += scale * rowSum;
}

extern "C" __global__ void __launch_bounds__(256)
    product(const XTYPE *a, int aRow, int aColumn, const YTYPE *b, int bRow, int bColumn, ZTYPE *c,
            int cRow, int rows, int columns, int inner, float scale, int adding,
            const float *bias) {
  const Item item = {a,       b,     c,    bias,    nullptr, rows,   columns,
                     inner,   aRow,  aColumn, bRow, bColumn, cRow};
  multiplyTile(item, blockIdx.y * 64, blockIdx.x * 64, scale, adding);
}

// A block's place in the result of an item.
struct Tile64 {
  int item, row, column;
};

// Many vBERTs' products at once, a block a tile.
extern "C" __global__ void __launch_bounds__(256)
    products(const Item *items, const Tile64 *tiles, float scale, int adding) {
  const Tile64 tile = tiles[blockIdx.x];
  multiplyTile(items[tile.item], tile.row, tile.column, scale, adding);
}
