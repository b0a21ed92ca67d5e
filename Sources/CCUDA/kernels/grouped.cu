// Adapters of many vBERTs in one launch. A block owns ROWS rows of one group, keeps them in shared
// memory, and reads that group's weights in place from the page pool, each lane's tensor-core operand
// in one 16-byte load (device.h). The narrow product in the middle never leaves the chip. Cost grows
// with rows, not with the number of vBERTs; groups of any width or rank share a launch.
#include "device.h"

enum {
  threads = 256,
  warpCount = threads / 32,
  rowTiles = ROWS / 16,
  // Row tiles that one warp multiplies in the first product: a weight loaded serves 16 x this rows.
  together = rowTiles >= 2 ? 2 : 1,
  mostPages = 512,
};

// Dynamic shared memory: the rows [ROWS, inputs + 8], then the narrow states [ROWS, units + 8].
extern __shared__ __align__(16) u16 memory[];

// The pages that a block's weights lie in, copied once: first[number] as `fragment` wants it.
DEVICE void copyPages(u64 *pages, u64 root, u32 from, u32 count) {
  const u64 *table = pagesOf(root) + from;
  for (u32 i = threadIdx.x; i < count; i += threads) pages[i] = table[i];
}

DEVICE u32 pagesSpanned(u32 first, u32 fragments) {
  return ((first + fragments + 63) >> 6) - (first >> 6);
}

// Asks for the weights of an entry early: they come from far away, once for every group.
DEVICE void prefetch(const u64 *pages, u32 first, u32 fragments) {
  for (u32 line = threadIdx.x; line < 4 * fragments; line += threads)
    asm volatile("prefetch.global.L2 [%0];" ::"l"(fragment(pages, first + (line >> 2)) +
                                                  ((line & 3) << 7)));
}

// narrow[r, n] = function(sum over k of rows[r, k] weight[n, k] + bias(n)), n below 16 blocks.
template <class Bias, class Function>
DEVICE void narrowProduct(const u16 *rows, int pitch, int inputs, const u64 *pages, u32 first,
                          int blocks, u16 *narrow, int narrowPitch, Bias bias, Function function) {
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, g = lane >> 2, t = lane & 3;
  const int steps = inputs / 16;
  for (int item = warp; item < blocks * (rowTiles / together); item += warpCount) {
    const int block = item % blocks, rowTile = item / blocks * together;
    const u32 weight = first + block * steps;
    const u32 address =
        sharedAddress(rows + (16 * rowTile + (lane & 15)) * pitch + (lane >> 4) * 8);
    float sums[together][2][4];
#pragma unroll
    for (int n = 0; n < 2; n++)
#pragma unroll
      for (int i = 0; i < 2; i++) {
        float value = bias(16 * block + 8 * n + 2 * t + i);
#pragma unroll
        for (int m = 0; m < together; m++) sums[m][n][i] = sums[m][n][2 + i] = value;
      }
#pragma unroll 8
    for (int k = 0; k < steps; k++) {
      uint4 b = loadOperand(pages, weight + k, lane);
#pragma unroll
      for (int m = 0; m < together; m++) {
        u32 a[4];
        loadMatrices(a, address + 2 * (16 * m * pitch + 16 * k));
        multiply(sums[m][0], a, b.x, b.y);
        multiply(sums[m][1], a, b.z, b.w);
      }
    }
#pragma unroll
    for (int m = 0; m < together; m++)
#pragma unroll
      for (int n = 0; n < 2; n++)
#pragma unroll
        for (int h = 0; h < 2; h++)
          *(u32 *)(narrow + (16 * (rowTile + m) + g + 8 * h) * narrowPitch + 16 * block + 8 * n +
                   2 * t) = pack(function(sums[m][n][2 * h]), function(sums[m][n][2 * h + 1]));
  }
}

// Calls store(row, column, first, second) with pairs of sum over k of narrow[r, k] weight[n, k]
// + bias(n).
template <class Bias, class Store>
DEVICE void wideProduct(const u16 *narrow, int narrowPitch, int steps, const u64 *pages, u32 first,
                        int outputs, Bias bias, Store store) {
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, g = lane >> 2, t = lane & 3;
  const u32 address = sharedAddress(narrow + (lane & 15) * narrowPitch + (lane >> 4) * 8);
  for (int block = warp; block < outputs / 16; block += warpCount) {
    float sums[rowTiles][2][4];
#pragma unroll
    for (int n = 0; n < 2; n++) {
      float2 value = bias(16 * block + 8 * n + 2 * t);
#pragma unroll
      for (int m = 0; m < rowTiles; m++) {
        sums[m][n][0] = sums[m][n][2] = value.x;
        sums[m][n][1] = sums[m][n][3] = value.y;
      }
    }
#pragma unroll 4
    for (int k = 0; k < steps; k++) {
      uint4 b = loadOperand(pages, first + block * steps + k, lane);
#pragma unroll
      for (int m = 0; m < rowTiles; m++) {
        u32 a[4];
        loadMatrices(a, address + 2 * (16 * m * narrowPitch + 16 * k));
        multiply(sums[m][0], a, b.x, b.y);
        multiply(sums[m][1], a, b.z, b.w);
      }
    }
#pragma unroll
    for (int m = 0; m < rowTiles; m++)
#pragma unroll
      for (int n = 0; n < 2; n++)
#pragma unroll
        for (int h = 0; h < 2; h++)
          store(16 * m + g + 8 * h, 16 * block + 8 * n + 2 * t, sums[m][n][2 * h],
                sums[m][n][2 * h + 1]);
  }
}

// The block's rows of a tile; false where there are none.
DEVICE bool rowsOf(const Tile &tile, int *row, int *count) {
  *row = tile.row + blockIdx.y * ROWS;
  *count = min(ROWS, tile.rows - (int)blockIdx.y * ROWS);
  return *count > 0;
}

DEVICE void copyRows(const u16 *x, u64 stride, int row, int count, int columns, int pitch) {
  const int vectors = columns / 8;
  for (int i = threadIdx.x; i < ROWS * vectors; i += threads) {
    int r = i / vectors, column = i % vectors * 8;
    bool inside = r < count;
    copyAsync(memory + r * pitch + column, x + (u64)(row + (inside ? r : 0)) * stride + column,
              inside);
  }
  commitCopies();
}

#ifdef HIDDEN
enum { statePitch = HIDDEN + 8, vectors = HIDDEN / 8 };

// The bottleneck of an entry on the rows in shared memory, in place; they need not have arrived yet.
DEVICE void bottleneckInPlace(u64 root, Entry entry, u64 *pages) {
  const int blocks = (entry.size + 15) / 16, narrowPitch = 16 * blocks + 8;
  u16 *narrow = memory + ROWS * statePitch;
  // The entry's fragments lie one behind the other: down, up, biases.
  const u32 skipped = entry.first & ~63u, first = entry.first - skipped;
  const u32 downBias = entry.extra - skipped, upBias = downBias + (entry.size + 127) / 128;
  const u32 fragments = upBias + (HIDDEN + 127) / 128 - first;
  copyPages(pages, root, entry.first >> 6, pagesSpanned(entry.first, fragments));
  __syncthreads();
  prefetch(pages, first, fragments);
  awaitCopies<0>();
  __syncthreads();
  narrowProduct(
      memory, statePitch, HIDDEN, pages, first, blocks, narrow, narrowPitch,
      [&](int unit) { return unit < (int)entry.size ? *element(pages, downBias, unit) : 0.0f; },
      [](float sum) { return gelu(sum); });
  __syncthreads();
  wideProduct(
      narrow, narrowPitch, blocks, pages, entry.second - skipped, HIDDEN,
      [&](int column) { return *(const float2 *)element(pages, upBias, column); },
      [&](int r, int column, float first, float second) {
        u32 *state = (u32 *)(memory + r * statePitch + column);
        *state = pack(low(*state) + first, high(*state) + second);
      });
  __syncthreads();
}

DEVICE void storeRows(u16 *out, int stride, int row, int count) {
  for (int i = threadIdx.x; i < count * vectors; i += threads) {
    int r = i / vectors, column = i % vectors * 8;
    *(uint4 *)(out + (u64)(row + r) * stride + column) =
        *(const uint4 *)(memory + r * statePitch + column);
  }
}

DEVICE Entry entryOrNone(u64 root, int slot) {
  const Entry *found = root ? entryOf(root, slot) : nullptr;
  return found ? *found : Entry{0, 0, 0, 0};
}

// x += W_up GELU(W_down x + b_down) + b_up, in place, x [R, HIDDEN]. Grid: tiles x 64 / ROWS.
extern "C" __global__ void __launch_bounds__(threads, 2)
    bottleneck(u16 *x, int stride, const Tile *tiles, int slot) {
  __shared__ u64 pages[mostPages];
  const Tile tile = tiles[blockIdx.x];
  int row, count;
  if (!rowsOf(tile, &row, &count)) return;
  const Entry entry = entryOrNone(tile.root, slot);
  if (!entry.size) return;
  copyRows(x, stride, row, count, HIDDEN, statePitch);
  bottleneckInPlace(tile.root, entry, pages);
  storeRows(x, stride, row, count);
}

DEVICE uint4 loadOnce(const u16 *from) {
  uint4 v;
  asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0,%1,%2,%3}, [%4];"
               : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
               : "l"(from));
  return v;
}

// out = y + bottleneck(y), y = LayerNorm(x + residual) or LayerNorm(x), rounded to bf16 as a store
// would; tiles without bottleneck get y. One warp normalises ROWS / 8 rows into shared memory, the
// values of the next one (two, without residual) on their way while one is summed. out may be x or
// residual: a block reads its rows first.
template <bool hasResidual>
DEVICE void normBottleneckInto(const u16 *x, int xStride, const u16 *residual, int residualStride,
                               const float *gamma, const float *beta, float epsilon, u16 *out,
                               int stride, const Tile *tiles, int slot, u64 *pages) {
  enum {
    pieces = (vectors + 31) / 32,
    mine = ROWS / warpCount,
    ahead = hasResidual || mine < 2 ? 1 : 2,
  };
  const Tile tile = tiles[blockIdx.x];
  int row, count;
  if (!rowsOf(tile, &row, &count)) return;
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31;

  uint4 a[ahead][pieces] = {}, b[hasResidual ? pieces : 1] = {};
  auto load = [&](int r, int into) {
#pragma unroll
    for (int p = 0; p < pieces; p++) {
      int v = lane + 32 * p;
      if (v < vectors && r < count) {
        a[into][p] = loadOnce(x + (u64)(row + r) * xStride + 8 * v);
        if (hasResidual) b[p] = loadOnce(residual + (u64)(row + r) * residualStride + 8 * v);
      }
    }
  };
#pragma unroll
  for (int i = 0; i < ahead; i++) load(warp + i * warpCount, i);
  const Entry entry = entryOrNone(tile.root, slot);
#pragma unroll 2
  for (int i = 0; i < mine; i++) {
    const int r = warp + i * warpCount;
    float y[pieces][8], sum = 0, squares = 0;
#pragma unroll
    for (int p = 0; p < pieces; p++) {
      unpack8(a[i % ahead][p], y[p]);
      if (hasResidual) {
        float z[8];
        unpack8(b[p], z);
#pragma unroll
        for (int k = 0; k < 8; k++) y[p][k] += z[k];
      }
#pragma unroll
      for (int k = 0; k < 8; k++) sum += y[p][k];
    }
    if (i + ahead < mine) load(r + ahead * warpCount, i % ahead);
    const float mean = warpSum(sum) * (1.0f / HIDDEN);
#pragma unroll
    for (int p = 0; p < pieces; p++)
      if (lane + 32 * p < vectors)
#pragma unroll
        for (int k = 0; k < 8; k++) squares += (y[p][k] - mean) * (y[p][k] - mean);
    const float scale = rsqrtf(warpSum(squares) * (1.0f / HIDDEN) + epsilon);
#pragma unroll
    for (int p = 0; p < pieces; p++) {
      int v = lane + 32 * p;
      if (v < vectors) {
        const float4 *g = (const float4 *)(gamma + 8 * v), *h = (const float4 *)(beta + 8 * v);
        float4 g0 = __ldg(g), g1 = __ldg(g + 1), h0 = __ldg(h), h1 = __ldg(h + 1);
        float gs[8] = {g0.x, g0.y, g0.z, g0.w, g1.x, g1.y, g1.z, g1.w};
        float hs[8] = {h0.x, h0.y, h0.z, h0.w, h1.x, h1.y, h1.z, h1.w};
#pragma unroll
        for (int k = 0; k < 8; k++)
          y[p][k] = r < count ? (y[p][k] - mean) * scale * gs[k] + hs[k] : 0.0f;
        *(uint4 *)(memory + r * statePitch + 8 * v) = pack8(y[p]);
      }
    }
  }
  if (entry.size)
    bottleneckInPlace(tile.root, entry, pages);
  else
    __syncthreads();
  storeRows(out, stride, row, count);
}

extern "C" __global__ void __launch_bounds__(threads, 2)
    addNormBottleneck(const u16 *x, int xStride, const u16 *residual, int residualStride,
                      const float *gamma, const float *beta, float epsilon, u16 *out, int stride,
                      const Tile *tiles, int slot) {
  __shared__ u64 pages[mostPages];
  normBottleneckInto<true>(x, xStride, residual, residualStride, gamma, beta, epsilon, out, stride,
                           tiles, slot, pages);
}

// The product before it has added the residual.
extern "C" __global__ void __launch_bounds__(threads, 2)
    normBottleneck(const u16 *x, int xStride, const float *gamma, const float *beta, float epsilon,
                   u16 *out, int stride, const Tile *tiles, int slot) {
  __shared__ u64 pages[mostPages];
  normBottleneckInto<false>(x, xStride, nullptr, 0, gamma, beta, epsilon, out, stride, tiles, slot,
                            pages);
}
#endif

// out += scale B (A x), x [R, inputs], out [R, outputs], both multiples of 16 columns wide.
extern "C" __global__ void __launch_bounds__(threads, 2)
    lowRank(const u16 *x, int stride, int inputs, const Tile *tiles, int slot, u16 *out,
            int outStride, int outputs) {
  __shared__ u64 pages[mostPages];
  const Tile tile = tiles[blockIdx.x];
  int row, count;
  if (!tile.root || !rowsOf(tile, &row, &count)) return;
  const Entry *found = entryOf(tile.root, slot);
  if (!found || !found->size) return;
  copyRows(x, stride, row, count, inputs, inputs + 8);

  const Entry entry = *found;
  const float scale = __uint_as_float(entry.extra);
  const int blocks = (entry.size + 15) / 16, narrowPitch = 16 * blocks + 8;
  u16 *narrow = memory + ROWS * (inputs + 8);
  const u32 skipped = entry.first & ~63u;
  copyPages(pages, tile.root, entry.first >> 6,
            pagesSpanned(entry.first, entry.second + blocks * (outputs / 16) - entry.first));
  awaitCopies<0>();
  __syncthreads();
  narrowProduct(
      memory, inputs + 8, inputs, pages, entry.first - skipped, blocks, narrow, narrowPitch,
      [](int) { return 0.0f; }, [&](float sum) { return sum * scale; });
  __syncthreads();
  wideProduct(
      narrow, narrowPitch, blocks, pages, entry.second - skipped, outputs,
      [](int) { return make_float2(0, 0); },
      [&](int r, int column, float first, float second) {
        if (r < count) {
          u32 *state = (u32 *)(out + (u64)(row + r) * outStride + column);
          *state = pack(low(*state) + first, high(*state) + second);
        }
      });
}
