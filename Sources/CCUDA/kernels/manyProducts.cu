// Products of many vBERTs in one launch: a block a tile of 64 x 64 of one vBERT's result, 32 terms at a
// time. Adapters are multiplied by the tensor cores in bf16, as they are alone; heads, whose weights and
// outputs are fp32, in fp32. XTYPE, YTYPE and ZTYPE are float or u16 (bf16): the types of a, b and c.
#include "device.h"

// c[m, n] (+)= scale * sum over k of a[m, k] b[k, n], + bias[n].
// Where `sums` is given, sums[m] += scale * sum over k of a[m, k].
struct Item {
  const XTYPE *a;
  const YTYPE *b;
  ZTYPE *c;
  const float *bias;
  float *sums;
  int rows, columns, inner, aStride, bStride, cStride;
};

// A block's tile.
struct Place {
  int item, row, column;
};

constexpr bool onTensorCores = sizeof(XTYPE) == 2 && (sizeof(YTYPE) == 2 || sizeof(ZTYPE) == 2);

// Row lengths of a tile in shared memory, in values; the padding keeps 8 x 8 matrices off each other's
// banks. ACROSS: memory runs along the result's side, [32 terms, 64], else along the sum's, [64, 32 terms].
constexpr int acrossStride = 72, alongStride = 40, tileSize = 64 * alongStride;

// One of a thread's two eights of the tile at (outer, k), zeros beyond the edges.
template <bool ACROSS, class T>
DEVICE void fetch(const T *p, int stride, int outer, int outers, int k, int inner, int part, float *x) {
  const int i = threadIdx.x + 128 * part;
  if (ACROSS) {
    k += i >> 3, outer += 8 * (i & 7);
    read(p + (u64)k * stride + outer, k < inner ? outers - outer : 0, x);
  } else {
    outer += i >> 2, k += 8 * (i & 3);
    read(p + (u64)outer * stride + k, outer < outers ? inner - k : 0, x);
  }
}

template <bool ACROSS>
DEVICE void keep(u16 *tile, int part, const float *x) {
  const int i = threadIdx.x + 128 * part;
  u16 *to = ACROSS ? tile + (i >> 3) * acrossStride + 8 * (i & 7)
                   : tile + (i >> 2) * alongStride + 8 * (i & 3);
  *(uint4 *)to = pack8(x);
}

// Operands of 16 rows (of a) at `outer` and 16 terms at k.
template <bool ACROSS>
DEVICE void rowOperand(const u16 *tile, int outer, int k, u32 *r) {
  const int lane = threadIdx.x & 31, low = lane & 7, second = (lane >> 3 & 1) * 8, fourth = (lane >> 4) * 8;
  if (ACROSS)
    loadMatricesTransposed(r, sharedAddress(tile + (k + low + fourth) * acrossStride + outer + second));
  else
    loadMatrices(r, sharedAddress(tile + (outer + low + second) * alongStride + k + fourth));
}

// Operands of two times 8 columns (of b).
template <bool ACROSS>
DEVICE void columnOperand(const u16 *tile, int outer, int k, u32 *r) {
  const int lane = threadIdx.x & 31, low = lane & 7, second = (lane >> 3 & 1) * 8, fourth = (lane >> 4) * 8;
  if (ACROSS)
    loadMatricesTransposed(r, sharedAddress(tile + (k + low + second) * acrossStride + outer + fourth));
  else
    loadMatrices(r, sharedAddress(tile + (outer + low + fourth) * alongStride + k + second));
}

DEVICE void finish(const Item &p, int m, int n, float sum, float scale, int adding) {
  if (m >= p.rows || n >= p.columns) return;
  ZTYPE *to = p.c + (u64)m * p.cStride + n;
  float value = scale * sum;
  if (adding) value += valueOf(*to);
  if (p.bias) value += p.bias[n];
  put(to, value);
}

// Four warps, each a quarter of 32 x 32; the next terms are fetched while these are multiplied.
template <bool ACROSS_A, bool ACROSS_B>
DEVICE void coreTile(const Item &p, int row, int column, float scale, int adding) {
  __shared__ __align__(16) u16 as[2][tileSize], bs[2][tileSize];
  const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
  const int down = (warp >> 1) * 32, right = (warp & 1) * 32;
  float d[2][4][4] = {}, a[2][8], b[2][8], rowSum = 0;
  const auto fetchAll = [&](int k) {
#pragma unroll
    for (int part = 0; part < 2; part++) {
      fetch<ACROSS_A>(p.a, p.aStride, row, p.rows, k, p.inner, part, a[part]);
      fetch<ACROSS_B>(p.b, p.bStride, column, p.columns, k, p.inner, part, b[part]);
    }
  };
  const auto keepAll = [&](int turn) {
#pragma unroll
    for (int part = 0; part < 2; part++) {
      keep<ACROSS_A>(as[turn], part, a[part]);
      keep<ACROSS_B>(bs[turn], part, b[part]);
    }
  };
  fetchAll(0);
  keepAll(0);
  __syncthreads();
  for (int k = 0, turn = 0; k < p.inner; k += 32, turn ^= 1) {
    const bool more = k + 32 < p.inner;
    if (more) fetchAll(k + 32);
#pragma unroll
    for (int q = 0; q < 32; q += 16) {
      u32 u[2][4], v[2][4];
#pragma unroll
      for (int i = 0; i < 2; i++) {
        rowOperand<ACROSS_A>(as[turn], down + 16 * i, q, u[i]);
        columnOperand<ACROSS_B>(bs[turn], right + 16 * i, q, v[i]);
      }
#pragma unroll
      for (int i = 0; i < 2; i++)
#pragma unroll
        for (int j = 0; j < 4; j++)
          multiply(d[i][j], u[i], v[j >> 1][2 * (j & 1)], v[j >> 1][2 * (j & 1) + 1]);
    }
    if (ACROSS_A && p.sums && column == 0 && threadIdx.x < 64)
#pragma unroll 8
      for (int q = 0; q < 32; q++) rowSum += valueOf(as[turn][q * acrossStride + threadIdx.x]);
    if (more) keepAll(turn ^ 1);
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 2; i++)
#pragma unroll
    for (int j = 0; j < 4; j++)
#pragma unroll
      for (int e = 0; e < 4; e++)
        finish(p, row + down + 16 * i + (lane >> 2) + (e & 2 ? 8 : 0),
               column + right + 8 * j + 2 * (lane & 3) + (e & 1), d[i][j][e], scale, adding);
  if (ACROSS_A && p.sums && column == 0 && threadIdx.x < 64 && row + (int)threadIdx.x < p.rows)
    p.sums[row + threadIdx.x] += scale * rowSum;
}

// The same in fp32, a thread 8 x 4 values.
template <bool ACROSS_A, bool ACROSS_B>
DEVICE void plainTile(const Item &p, int row, int column, float scale, int adding) {
  __shared__ float as[32][65], bs[32][65];
  const int y = threadIdx.x >> 4, x = threadIdx.x & 15;
  float sum[8][4] = {}, rowSum = 0;
  for (int k = 0; k < p.inner; k += 32) {
#pragma unroll
    for (int part = 0; part < 2; part++) {
      const int i = threadIdx.x + 128 * part;
      float a[8], b[8];
      fetch<ACROSS_A>(p.a, p.aStride, row, p.rows, k, p.inner, part, a);
      fetch<ACROSS_B>(p.b, p.bStride, column, p.columns, k, p.inner, part, b);
#pragma unroll
      for (int e = 0; e < 8; e++) {
        as[ACROSS_A ? i >> 3 : 8 * (i & 3) + e][ACROSS_A ? 8 * (i & 7) + e : i >> 2] = a[e];
        bs[ACROSS_B ? i >> 3 : 8 * (i & 3) + e][ACROSS_B ? 8 * (i & 7) + e : i >> 2] = b[e];
      }
    }
    __syncthreads();
#pragma unroll 4
    for (int q = 0; q < 32; q++) {
      float u[8], v[4];
#pragma unroll
      for (int i = 0; i < 8; i++) u[i] = as[q][y + 8 * i];
#pragma unroll
      for (int j = 0; j < 4; j++) v[j] = bs[q][x + 16 * j];
#pragma unroll
      for (int i = 0; i < 8; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) sum[i][j] += u[i] * v[j];
    }
    if (p.sums && column == 0 && threadIdx.x < 64)
#pragma unroll 8
      for (int q = 0; q < 32; q++) rowSum += as[q][threadIdx.x];
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 8; i++)
#pragma unroll
    for (int j = 0; j < 4; j++)
      finish(p, row + y + 8 * i, column + x + 16 * j, sum[i][j], scale, adding);
  if (p.sums && column == 0 && threadIdx.x < 64 && row + (int)threadIdx.x < p.rows)
    p.sums[row + threadIdx.x] += scale * rowSum;
}

template <bool ACROSS_A, bool ACROSS_B>
DEVICE void tile(const Item *items, const Place *places, float scale, int adding) {
  const Place place = places[blockIdx.x];
  const Item item = items[place.item];
  if constexpr (onTensorCores)
    coreTile<ACROSS_A, ACROSS_B>(item, place.row, place.column, scale, adding);
  else
    plainTile<ACROSS_A, ACROSS_B>(item, place.row, place.column, scale, adding);
}

// y = x W^T + b.
extern "C" __global__ void __launch_bounds__(128)
    forward(const Item *items, const Place *places, float scale, int adding) {
  tile<false, false>(items, places, scale, adding);
}

// dx = d W.
extern "C" __global__ void __launch_bounds__(128)
    inputGradient(const Item *items, const Place *places, float scale, int adding) {
  tile<false, true>(items, places, scale, adding);
}

// dW += d^T x, and column sums of d.
extern "C" __global__ void __launch_bounds__(128)
    parameterGradient(const Item *items, const Place *places, float scale, int adding) {
  tile<true, true>(items, places, scale, adding);
}
