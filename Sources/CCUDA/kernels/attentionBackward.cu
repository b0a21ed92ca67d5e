// Gradients of attention inside each sequence, heads of HEAD columns; probabilities are computed
// again from queries and keys. With p = softmax(scale q k^T) and dp = d v^T:
//   ds = p (dp - sum over keys of p dp) scale, dq = ds k, dk = ds^T q, dv = p^T d.
//
// Two kernels on tensor cores, a block of 4 warps for 64 rows of one sequence and head: one owns
// queries and passes over the keys twice (the softmax's sums first), one owns keys and passes over
// the queries with the sums that the first one left. Nothing is added from two blocks to one place,
// so results are the same on every run.
//
// With BIAS scores have what attention.cu adds to them. The gradient there is ds / scale, summed along
// the diagonals of each 64 x 64 tile by a thread a diagonal, then over all blocks by a kernel of its own.
#include "device.h"

enum { tile = 64, width = (HEAD + 15) / 16 * 16, pitch = width + 8, vectors = HEAD / 8 };

// As attention.cu has it: a sequence's first row, its length, and the block's first row in it.
struct Task {
  int row, length, query;
};

#define infinity __int_as_float(0x7f800000)

DEVICE float exp2Fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

DEVICE void copyTile(u16 *to, const u16 *from, u64 stride, int valid) {
#pragma unroll
  for (int i = threadIdx.x; i < tile * vectors; i += 128) {
    int row = i / vectors, column = i % vectors * 8;
    bool inside = row < valid;
    copyAsync(to + row * pitch + column, from + (inside ? row : 0) * stride + column, inside);
  }
}

// Columns between HEAD and the tensor cores' 16 are zeros.
DEVICE void padTile(u16 *to) {
#if HEAD % 16
  for (int row = threadIdx.x; row < tile; row += 128)
    *(uint4 *)(to + row * pitch + HEAD) = make_uint4(0, 0, 0, 0);
#endif
}

typedef float Scores[tile / 8][4];
typedef u32 Operand[width / 16][4];
typedef float Result[width / 8][4];

// A warp's 16 rows of a tile as the left operand.
DEVICE void loadRows(Operand &a, const u16 *rows) {
  const int lane = threadIdx.x & 31;
#pragma unroll
  for (int d = 0; d < width / 16; d++)
    loadMatrices(a[d], sharedAddress(rows + (lane & 15) * pitch + 16 * d + (lane >> 4) * 8));
}

// scores = a b^T over the first `valid` rows of tile b; other columns are zeros.
DEVICE void multiplyTile(Scores &scores, const Operand &a, const u16 *b, int valid) {
  const int lane = threadIdx.x & 31;
#pragma unroll
  for (int j = 0; j < tile / 8; j++)
#pragma unroll
    for (int i = 0; i < 4; i++) scores[j][i] = 0;
#pragma unroll
  for (int j = 0; j < tile / 16; j++)
    if (16 * j < valid)
#pragma unroll
      for (int d = 0; d < width / 16; d++) {
        u32 r[4];
        loadMatrices(r, sharedAddress(b + (16 * j + (lane & 7) + (lane >> 4) * 8) * pitch + 16 * d +
                                      ((lane >> 3) & 1) * 8));
        multiply(scores[2 * j], a[d], r[0], r[1]);
        multiply(scores[2 * j + 1], a[d], r[2], r[3]);
      }
}

// result += scores b over the first `valid` rows of tile b.
DEVICE void addTile(Result &result, const Scores &scores, const u16 *b, int valid) {
  const int lane = threadIdx.x & 31;
#pragma unroll
  for (int j = 0; j < tile / 16; j++)
    if (16 * j < valid) {
      u32 a[4] = {pack(scores[2 * j][0], scores[2 * j][1]), pack(scores[2 * j][2], scores[2 * j][3]),
                  pack(scores[2 * j + 1][0], scores[2 * j + 1][1]),
                  pack(scores[2 * j + 1][2], scores[2 * j + 1][3])};
#pragma unroll
      for (int d = 0; d < width / 16; d++) {
        u32 r[4];
        loadMatricesTransposed(
            r, sharedAddress(b + (16 * j + (lane & 15)) * pitch + 16 * d + (lane >> 4) * 8));
        multiply(result[2 * d], a, r[0], r[1]);
        multiply(result[2 * d + 1], a, r[2], r[3]);
      }
    }
}

// A warp's 16 rows, through its own rows of shared memory, to `count` rows of global memory.
DEVICE void storeRows(const Result &result, u16 *mine, u16 *out, u64 stride, int count) {
  const int lane = threadIdx.x & 31, g = lane >> 2, t = lane & 3;
#pragma unroll
  for (int h = 0; h < 2; h++)
#pragma unroll
    for (int d = 0; d < width / 8; d++)
      *(u32 *)(mine + (g + 8 * h) * pitch + 8 * d + 2 * t) =
          pack(result[d][2 * h], result[d][2 * h + 1]);
  __syncwarp();
  for (int i = lane; i < 16 * vectors; i += 32) {
    int row = i / vectors, column = i % vectors * 8;
    if (row < count)
      *(uint4 *)(out + row * stride + column) = *(const uint4 *)(mine + row * pitch + column);
  }
}

#ifdef BIAS
enum { scorePitch = tile + 8 };

// A warp's 16 rows of ds, times `factor`, as 16 rows of bf16.
DEVICE void keepScores(const Scores &ds, float factor, u16 *rows) {
  const int lane = threadIdx.x & 31, g = lane >> 2, t = lane & 3;
#pragma unroll
  for (int j = 0; j < tile / 8; j++)
#pragma unroll
    for (int h = 0; h < 2; h++)
      *(u32 *)(rows + (g + 8 * h) * scorePitch + 8 * j + 2 * t) =
          pack(factor * ds[j][2 * h], factor * ds[j][2 * h + 1]);
}

// Each thread's diagonal of the kept scores [rows, columns] to its sum in `sums`, which begins with key 0
// and query 63; there the first 63 have been begun by the tile of keys before.
DEVICE void sumDiagonals(const u16 *scores, int rows, int columns, bool begun, float *sums) {
  const int u = threadIdx.x;
  if (u == 2 * tile - 1) return;
  float sum = 0;
  for (int i = max(0, 63 - u); i < min(rows, columns + 63 - u); i++)
    sum += valueOf(scores[i * scorePitch + i + u - 63]);
  sums[u] = begun && u < 63 ? sums[u] + sum : sum;
}

// dbias [heads, span] grows by the sums of queryGradients: those of each block, [tasks, heads, pitch].
// Grid: distances x heads; `reach`: one less than the longest sequence, the largest distance.
extern "C" __global__ void __launch_bounds__(256)
    addBiasGradients(const float *sums, int pitch, const Task *tasks, int count, int heads,
                     float *dbias, int span, int reach) {
  const int head = blockIdx.x % heads, distance = (int)blockIdx.x / heads - reach;
  double total = 0;
  for (int i = threadIdx.x; i < count; i += 256) {
    const Task task = tasks[i];
    const int place = distance + task.query + 63;
    if (place >= 0 && place < (task.length + tile - 1) / tile * tile + 63)
      total += sums[((u64)i * heads + head) * pitch + place];
  }
  total = blockSum(total);
  if (threadIdx.x == 0) dbias[head * span + span / 2 + distance] += (float)total;
}
#define SUM_PARAMETERS , float *sums, int sumPitch
#else
#define SUM_PARAMETERS
#endif

// dqkv's queries, and for the other kernel statistics [R, heads]: log2 of the softmax's sum, and
// the sum of p dp. scale is 1 / sqrt(HEAD). Grid: tasks x heads. `sums`, where it is wanted: see
// addBiasGradients.
extern "C" __global__ void __launch_bounds__(128)
    queryGradients(const u16 *qkv, int stride, int hidden, const u16 *d, int dStride,
                   const Task *tasks, int heads, float scale, u16 *dqkv, int outStride,
                   float2 *statistics BIAS_PARAMETERS SUM_PARAMETERS) {
  __shared__ __align__(16) u16 queries[tile * pitch];
  __shared__ __align__(16) u16 douts[tile * pitch];
  __shared__ __align__(16) u16 keys[tile * pitch];
  __shared__ __align__(16) u16 values[tile * pitch];
  const Task task = tasks[blockIdx.x / heads];
  const int head = blockIdx.x % heads;
  const int warp = threadIdx.x >> 5, lane = threadIdx.x & 31, g = lane >> 2, t = lane & 3;
  const u16 *base = qkv + (u64)task.row * stride + head * HEAD;
  const int tiles = (task.length + tile - 1) / tile;
  const int first = task.query + 16 * warp;
  const bool active = first < task.length;
  const float factor = scale * 1.4426950408889634f;

  padTile(queries), padTile(douts), padTile(keys), padTile(values);
  copyTile(queries, base + (u64)task.query * stride, stride, task.length - task.query);
  copyTile(douts, d + (u64)(task.row + task.query) * dStride + head * HEAD, dStride,
           task.length - task.query);

#ifdef BIAS
  __shared__ u16 scores[tile * scorePitch];
#endif
  Operand q, e;
  Scores s, dp;
  float most[2] = {-infinity, -infinity}, sum[2] = {0, 0}, dot[2] = {0, 0};
  // Loads a tile of keys and values, and computes s (beyond the end: -infinity) and dp.
  auto score = [&](int step) {
    const int at = step * tile, valid = min(tile, task.length - at);
    copyTile(keys, base + (u64)at * stride + hidden, stride, valid);
    copyTile(values, base + (u64)at * stride + 2 * hidden, stride, valid);
    commitCopies();
    awaitCopies<0>();
    __syncthreads();
    if (!active) return;
    loadRows(q, queries + 16 * warp * pitch);
    loadRows(e, douts + 16 * warp * pitch);
    multiplyTile(s, q, keys, valid);
    multiplyTile(dp, e, values, valid);
#ifdef BIAS
    addBiases(s, bias + head * span, span, at + 2 * t - (first + g), 1 / scale);
#endif
    if (valid < tile)
#pragma unroll
      for (int j = 0; j < tile / 8; j++)
#pragma unroll
        for (int i = 0; i < 4; i++)
          if (8 * j + 2 * t + (i & 1) >= valid) s[j][i] = -infinity;
  };
  for (int step = 0; step < tiles; step++) {
    if (step) __syncthreads();
    score(step);
    if (!active) continue;
    float peak[2] = {most[0], most[1]};
#pragma unroll
    for (int j = 0; j < tile / 8; j++)
#pragma unroll
      for (int i = 0; i < 4; i++) peak[i >> 1] = fmaxf(peak[i >> 1], s[j][i]);
#pragma unroll
    for (int h = 0; h < 2; h++) {
      peak[h] = fmaxf(peak[h], __shfl_xor_sync(0xffffffffu, peak[h], 1));
      peak[h] = fmaxf(peak[h], __shfl_xor_sync(0xffffffffu, peak[h], 2));
      float shrink = exp2Fast((most[h] - peak[h]) * factor);
      most[h] = peak[h];
      sum[h] *= shrink, dot[h] *= shrink;
    }
#pragma unroll
    for (int j = 0; j < tile / 8; j++)
#pragma unroll
      for (int i = 0; i < 4; i++) {
        float p = exp2Fast((s[j][i] - most[i >> 1]) * factor);
        sum[i >> 1] += p, dot[i >> 1] += p * dp[j][i];
      }
  }
  float logarithm[2], mean[2];
#pragma unroll
  for (int h = 0; h < 2; h++) {
#pragma unroll
    for (int step = 1; step < 4; step *= 2) {
      sum[h] += __shfl_xor_sync(0xffffffffu, sum[h], step);
      dot[h] += __shfl_xor_sync(0xffffffffu, dot[h], step);
    }
    logarithm[h] = most[h] * factor + log2f(sum[h]), mean[h] = dot[h] / sum[h];
    const int row = first + g + 8 * h;
    if (t == 0 && row < task.length)
      statistics[(u64)(task.row + row) * heads + head] = make_float2(logarithm[h], mean[h]);
  }
  Result dq = {};
  for (int step = 0; step < tiles; step++) {
    if (tiles > 1) {
      __syncthreads();
      score(step);
    }
    const int valid = min(tile, task.length - step * tile);
    if (active) {
#pragma unroll
      for (int j = 0; j < tile / 8; j++)
#pragma unroll
        for (int i = 0; i < 4; i++) {
          float p = exp2Fast(s[j][i] * factor - logarithm[i >> 1]);
          s[j][i] = p * (dp[j][i] - mean[i >> 1]) * scale;
        }
      addTile(dq, s, keys, valid);
    }
#ifdef BIAS
    if (sums) {
      if (active) keepScores(s, 1 / scale, scores + 16 * warp * scorePitch);
      __syncthreads();
      sumDiagonals(scores, min(tile, task.length - task.query), valid, step > 0,
                   sums + (u64)blockIdx.x * sumPitch + step * tile);
    }
#endif
  }
  if (active)
    storeRows(dq, queries + 16 * warp * pitch,
              dqkv + (u64)(task.row + first) * outStride + head * HEAD, outStride,
              task.length - first);
}

// dqkv's keys and values. Grid: tasks x heads; here a task's rows are keys.
extern "C" __global__ void __launch_bounds__(128)
    keyGradients(const u16 *qkv, int stride, int hidden, const u16 *d, int dStride,
                 const Task *tasks, int heads, float scale, u16 *dqkv, int outStride,
                 const float2 *statistics BIAS_PARAMETERS) {
  __shared__ __align__(16) u16 queries[tile * pitch];
  __shared__ __align__(16) u16 douts[tile * pitch];
  __shared__ __align__(16) u16 keys[tile * pitch];
  __shared__ __align__(16) u16 values[tile * pitch];
  __shared__ float2 sums[tile];
  const Task task = tasks[blockIdx.x / heads];
  const int head = blockIdx.x % heads;
  const int warp = threadIdx.x >> 5, t = threadIdx.x & 3;
  const u16 *base = qkv + (u64)task.row * stride + head * HEAD;
  const int tiles = (task.length + tile - 1) / tile;
  const int first = task.query + 16 * warp;
  const bool active = first < task.length;
  const float factor = scale * 1.4426950408889634f;

  padTile(queries), padTile(douts), padTile(keys), padTile(values);
  const u16 *mine = base + (u64)task.query * stride;
  copyTile(keys, mine + hidden, stride, task.length - task.query);
  copyTile(values, mine + 2 * hidden, stride, task.length - task.query);

  Operand k, v;
  Result dk = {}, dv = {};
  for (int step = 0; step < tiles; step++) {
    const int at = step * tile, valid = min(tile, task.length - at);
    if (step) __syncthreads();
    copyTile(queries, base + (u64)at * stride, stride, valid);
    copyTile(douts, d + (u64)(task.row + at) * dStride + head * HEAD, dStride, valid);
    commitCopies();
    if (threadIdx.x < valid)
      sums[threadIdx.x] = statistics[(u64)(task.row + at + threadIdx.x) * heads + head];
    awaitCopies<0>();
    __syncthreads();
    if (!active) continue;
    if (step == 0) {
      loadRows(k, keys + 16 * warp * pitch);
      loadRows(v, values + 16 * warp * pitch);
    }
    Scores p, ds;
    multiplyTile(p, k, queries, valid);
    multiplyTile(ds, v, douts, valid);
#ifdef BIAS
    addBiases<-1>(p, bias + head * span, span, first + (int)(threadIdx.x >> 2 & 7) - (at + 2 * t),
                  1 / scale);
#endif
#pragma unroll
    for (int j = 0; j < tile / 8; j++)
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const int query = 8 * j + 2 * t + (i & 1);
        const float2 known = query < valid ? sums[query] : make_float2(0, 0);
        p[j][i] = query < valid ? exp2Fast(p[j][i] * factor - known.x) : 0.0f;
        ds[j][i] = p[j][i] * (ds[j][i] - known.y) * scale;
      }
    addTile(dv, p, douts, valid);
    addTile(dk, ds, queries, valid);
  }
  if (!active) return;
  u16 *out = dqkv + (u64)(task.row + first) * outStride + head * HEAD;
  storeRows(dk, keys + 16 * warp * pitch, out + hidden, outStride, task.length - first);
  storeRows(dv, values + 16 * warp * pitch, out + 2 * hidden, outStride, task.length - first);
}

// result, scaled, is added to `count` rows of global memory; as `storeRows`.
DEVICE void addRows(const Result &result, float scale, u16 *mine, u16 *out, u64 stride, int count) {
  const int lane = threadIdx.x & 31, g = lane >> 2, t = lane & 3;
#pragma unroll
  for (int h = 0; h < 2; h++)
#pragma unroll
    for (int d = 0; d < width / 8; d++)
      *(u32 *)(mine + (g + 8 * h) * pitch + 8 * d + 2 * t) =
          pack(scale * result[d][2 * h], scale * result[d][2 * h + 1]);
  __syncwarp();
  for (int i = lane; i < 16 * vectors; i += 32) {
    int row = i / vectors, column = i % vectors * 8;
    if (row >= count) continue;
    float a[8], b[8];
    unpack8(*(const uint4 *)(mine + row * pitch + column), a);
    unpack8(*(const uint4 *)(out + row * stride + column), b);
#pragma unroll
    for (int k = 0; k < 8; k++) a[k] += b[k];
    *(uint4 *)(out + row * stride + column) = pack8(a);
  }
}

// Squared differences between products of a student's tokens and a teacher's: the columns from `own`
// on with those from `other` on. weight / length * (a b^T - at bt^T)^2 is summed (where `partials`
// is given, one value a block); the gradient at the own columns, times `factor`, is added to dqkv.
// Twice, with the columns changed over, gives the gradient at both. Grid: tasks x heads.
extern "C" __global__ void __launch_bounds__(128)
    relation(const u16 *qkv, const u16 *targets, int stride, const Task *tasks, int heads, int own,
             int other, double weight, float factor, u16 *dqkv, double *partials) {
  __shared__ __align__(16) u16 mine[tile * pitch];
  __shared__ __align__(16) u16 mineThere[tile * pitch];
  __shared__ __align__(16) u16 others[tile * pitch];
  __shared__ __align__(16) u16 othersThere[tile * pitch];
  __shared__ float sums[4];
  const Task task = tasks[blockIdx.x / heads];
  const int column = blockIdx.x % heads * HEAD;
  const int warp = threadIdx.x >> 5;
  const u64 base = (u64)task.row * stride + column, at = base + (u64)task.query * stride + own;
  const int tiles = (task.length + tile - 1) / tile;
  const int first = task.query + 16 * warp;
  const bool active = first < task.length;
  weight /= task.length;

  padTile(mine), padTile(mineThere), padTile(others), padTile(othersThere);
  copyTile(mine, qkv + at, stride, task.length - task.query);
  copyTile(mineThere, targets + at, stride, task.length - task.query);
  Operand a, there;
  Result d = {};
  float loss = 0;
  for (int step = 0; step < tiles; step++) {
    const int valid = min(tile, task.length - step * tile);
    const u64 from = base + (u64)step * tile * stride + other;
    if (step) __syncthreads();
    copyTile(others, qkv + from, stride, valid);
    copyTile(othersThere, targets + from, stride, valid);
    commitCopies();
    awaitCopies<0>();
    __syncthreads();
    if (!active) continue;
    if (step == 0) {
      loadRows(a, mine + 16 * warp * pitch);
      loadRows(there, mineThere + 16 * warp * pitch);
    }
    // Rows beyond the end are zeros, and so are their differences.
    Scores s, t;
    multiplyTile(s, a, others, valid);
    multiplyTile(t, there, othersThere, valid);
#pragma unroll
    for (int j = 0; j < tile / 8; j++)
#pragma unroll
      for (int i = 0; i < 4; i++) {
        s[j][i] -= t[j][i];
        loss += s[j][i] * s[j][i];
      }
    addTile(d, s, others, valid);
  }
  if (active)
    addRows(d, (float)(2 * weight) * factor, mine + 16 * warp * pitch,
            dqkv + at + (u64)(16 * warp) * stride, stride, task.length - first);
  if (!partials) return;
  loss = warpSum(loss);
  if ((threadIdx.x & 31) == 0) sums[warp] = loss;
  __syncthreads();
  if (threadIdx.x == 0)
    partials[blockIdx.x] = weight * ((double)sums[0] + sums[1] + sums[2] + sums[3]);
}
