// Operations on single rows of HIDDEN values, one warp a row: what enters the encoder, residual and
// LayerNorm, the gate. All are bound by memory: each input is read once, in 16-byte pieces, the row
// stays in registers (a lane holds columns 8 (lane + 32 i)...), each output is written once.
#include "device.h"

enum { pieces = (HIDDEN / 8 + 31) / 32, warps = 8 };

DEVICE int laneOf() { return threadIdx.x & 31; }
DEVICE int rowOf() { return blockIdx.x * warps + (threadIdx.x >> 5); }
DEVICE int columnOf(int piece) { return 8 * (laneOf() + 32 * piece); }

DEVICE void addFloats(float *x, const float *from) {
  float4 a = __ldg((const float4 *)from), b = __ldg((const float4 *)from + 1);
  x[0] += a.x, x[1] += a.y, x[2] += a.z, x[3] += a.w;
  x[4] += b.x, x[5] += b.y, x[6] += b.z, x[7] += b.w;
}

DEVICE void addPairs(float *x, uint4 v) {
  float y[8];
  unpack8(v, y);
#pragma unroll
  for (int i = 0; i < 8; i++) x[i] += y[i];
}

// Normalises a row held as x[pieces][8] and writes it.
DEVICE void storeNormalised(float (*x)[8], const float *gamma, const float *beta, float epsilon,
                            u16 *out) {
  float sum = 0;
#pragma unroll
  for (int p = 0; p < pieces; p++)
    if (columnOf(p) < HIDDEN)
#pragma unroll
      for (int i = 0; i < 8; i++) sum += x[p][i];
  float mean = warpSum(sum) * (1.0f / HIDDEN), squares = 0;
#pragma unroll
  for (int p = 0; p < pieces; p++)
    if (columnOf(p) < HIDDEN)
#pragma unroll
      for (int i = 0; i < 8; i++) squares += (x[p][i] - mean) * (x[p][i] - mean);
  float scale = rsqrtf(warpSum(squares) * (1.0f / HIDDEN) + epsilon);
#pragma unroll
  for (int p = 0; p < pieces; p++) {
    int column = columnOf(p);
    if (column < HIDDEN) {
      float g[8] = {0}, b[8] = {0}, y[8];
      addFloats(g, gamma + column);
      addFloats(b, beta + column);
#pragma unroll
      for (int i = 0; i < 8; i++) y[i] = (x[p][i] - mean) * scale * g[i] + b[i];
      *(uint4 *)(out + column) = pack8(y);
    }
  }
}

// out[r] = LayerNorm(word[ids[r]] + position[positions[r]] + type[types[r]]), tables fp32.
extern "C" __global__ void __launch_bounds__(256)
    embed(const int *ids, const int *positions, const int *types, const float *word,
          const float *position, const float *type, const float *gamma, const float *beta,
          float epsilon, u16 *out, int stride, int rows) {
  int row = rowOf();
  if (row >= rows) return;
  const float *tables[3] = {word + (u64)ids[row] * HIDDEN, position + (u64)positions[row] * HIDDEN,
                            type + (u64)types[row] * HIDDEN};
  float x[pieces][8] = {};
#pragma unroll
  for (int p = 0; p < pieces; p++)
    if (columnOf(p) < HIDDEN)
#pragma unroll
      for (int t = 0; t < 3; t++) addFloats(x[p], tables[t] + columnOf(p));
  storeNormalised(x, gamma, beta, epsilon, out + (u64)row * stride);
}

// x[r] = LayerNorm(x[r] + position[places[r]] + type[types[r]]), in place.
extern "C" __global__ void __launch_bounds__(256)
    addPositions(u16 *x, int stride, const int *places, const int *types, const float *position,
                 const float *type, const float *gamma, const float *beta, float epsilon, int rows) {
  int row = rowOf();
  if (row >= rows) return;
  const float *place = position + (u64)places[row] * HIDDEN;
  const float *segment = type + (u64)types[row] * HIDDEN;
  u16 *state = x + (u64)row * stride;
  float y[pieces][8] = {};
#pragma unroll
  for (int p = 0; p < pieces; p++) {
    int column = columnOf(p);
    if (column < HIDDEN) {
      addPairs(y[p], *(const uint4 *)(state + column));
      addFloats(y[p], place + column);
      addFloats(y[p], segment + column);
    }
  }
  storeNormalised(y, gamma, beta, epsilon, state);
}

// out = LayerNorm(x + residual); out may be either; no residual: LayerNorm(x).
extern "C" __global__ void __launch_bounds__(256)
    addNorm(const u16 *x, int xStride, const u16 *residual, int residualStride, const float *gamma,
            const float *beta, float epsilon, u16 *out, int outStride, int rows) {
  int row = rowOf();
  if (row >= rows) return;
  const u16 *a = x + (u64)row * xStride, *b = residual + (u64)row * residualStride;
  float y[pieces][8] = {};
#pragma unroll
  for (int p = 0; p < pieces; p++) {
    int column = columnOf(p);
    if (column < HIDDEN) {
      addPairs(y[p], *(const uint4 *)(a + column));
      if (residual) addPairs(y[p], *(const uint4 *)(b + column));
    }
  }
  storeNormalised(y, gamma, beta, epsilon, out + (u64)row * outStride);
}

// x[r] *= sigmoid(gate . x[r] + bias), in place.
extern "C" __global__ void __launch_bounds__(256)
    applyGate(u16 *x, int stride, const float *gate, float bias, int rows) {
  int row = rowOf();
  if (row >= rows) return;
  u16 *state = x + (u64)row * stride;
  float y[pieces][8] = {}, dot = 0;
#pragma unroll
  for (int p = 0; p < pieces; p++) {
    int column = columnOf(p);
    if (column < HIDDEN) {
      float g[8] = {0};
      addPairs(y[p], *(const uint4 *)(state + column));
      addFloats(g, gate + column);
#pragma unroll
      for (int i = 0; i < 8; i++) dot += y[p][i] * g[i];
    }
  }
  float factor = 1.0f / (1.0f + expf(-(warpSum(dot) + bias)));
#pragma unroll
  for (int p = 0; p < pieces; p++) {
    int column = columnOf(p);
    if (column < HIDDEN) {
#pragma unroll
      for (int i = 0; i < 8; i++) y[p][i] *= factor;
      *(uint4 *)(state + column) = pack8(y[p]);
    }
  }
}

// Adds columns column ..< column + 8 of slot `slot` of an n-gram row: its address, with the number
// of its format in the top byte; 0 is a row of zeros. Rows are aligned to 4 bytes, float rows to 16.
DEVICE void addSlot(float *x, u64 row, int slot, int column) {
  const char *base = (const char *)(row & 0x00ffffffffffffffull);
  if (!base) return;
  int at = slot * HIDDEN + column;
  switch (row >> 56) {
    case 0: addFloats(x, (const float *)base + at); break;
    case 1: {
      uint4 v = __ldg((const uint4 *)((const u16 *)base + at));
      u32 pairs[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
      for (int i = 0; i < 8; i++) {
        float value;
        u16 half = (u16)(pairs[i >> 1] >> (16 * (i & 1)));
        asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half));
        x[i] += value;
      }
      break;
    }
    case 2: addPairs(x, __ldg((const uint4 *)((const u16 *)base + at))); break;
    default: {
      float scale = __ldg((const float *)base + slot);
      const u32 *codes = (const u32 *)(base + 12 + at);
      u32 words[2] = {__ldg(codes), __ldg(codes + 1)};
#pragma unroll
      for (int i = 0; i < 8; i++)
        x[i] += scale * (float)(signed char)(words[i >> 2] >> (8 * (i & 3)));
    }
  }
}

// The rows that meet in a token: its own, the next token's and the previous one's, 0 at the ends of
// its sequence. table[0] belongs to row `from`.
struct Neighbours {
  u64 centre, next, previous;
};

DEVICE Neighbours neighboursOf(int row, const u64 *table, int from, const int *places, int rows) {
  return {table[row - from],
          row + 1 < rows && places[row + 1] != 0 ? table[row + 1 - from] : 0,
          places[row] != 0 ? table[row - 1 - from] : 0};
}

DEVICE void addMerged(float *x, const Neighbours &n, int column) {
  addSlot(x, n.centre, 1, column);
  addSlot(x, n.next, 0, column);
  addSlot(x, n.previous, 2, column);
}

// out[t] = row[t][1] + row[t + 1][0] + row[t - 1][2] within each sequence, for rows first ..< end of
// `rows`; a row whose place is 0 begins a sequence.
extern "C" __global__ void __launch_bounds__(256)
    mergeNGrams(const u64 *table, int from, const int *places, u16 *out, int stride, int first,
                int end, int rows) {
  int row = first + rowOf();
  if (row >= end) return;
  const Neighbours n = neighboursOf(row, table, from, places, rows);
#pragma unroll
  for (int p = 0; p < pieces; p++) {
    int column = columnOf(p);
    if (column < HIDDEN) {
      float x[8] = {0};
      addMerged(x, n, column);
      *(uint4 *)(out + (u64)row * stride + column) = pack8(x);
    }
  }
}

// The same, then + position[place] + type[types[t]], LayerNorm: a merged row is read and written once.
extern "C" __global__ void __launch_bounds__(256)
    enterNGrams(const u64 *table, int from, const int *places, u16 *out, int stride, int first,
                int end, int rows, const int *types, const float *position, const float *type,
                const float *gamma, const float *beta, float epsilon) {
  int row = first + rowOf();
  if (row >= end) return;
  const Neighbours n = neighboursOf(row, table, from, places, rows);
  const float *place = position + (u64)places[row] * HIDDEN;
  const float *segment = type + (u64)types[row] * HIDDEN;
  float y[pieces][8] = {};
#pragma unroll
  for (int p = 0; p < pieces; p++) {
    int column = columnOf(p);
    if (column < HIDDEN) {
      addMerged(y[p], n, column);
      addFloats(y[p], place + column);
      addFloats(y[p], segment + column);
    }
  }
  storeNormalised(y, gamma, beta, epsilon, out + (u64)row * stride);
}
