// Multi-head attention on Hopper's warpgroup products, heads of HEAD = 32 or 64 columns. What it
// computes and how it is cut is in attention.cu; here 64 queries are one operand, read with the keys
// straight from shared memory, so that registers hold nothing but scores and sums.
//
// A block is GROUPS warpgroups of 64 queries each, over the same keys and values: 2 where sequences
// are longer than 64, so that keys are fetched once for 128 queries. Which of the two runs does not
// change a sum.
#include "device.h"

enum {
  tile = 64,
  rowBytes = 2 * HEAD,
  tileBytes = tile * rowBytes,
  vectors = HEAD / 8,
  threads = 128 * GROUPS,
};

// Sequence that begins at `row`, and which of its queries a block owns.
struct Task {
  int row, length, query;
};

// Where a row's 16-byte vector lies in a tile: rows follow each other, their vectors are permuted so
// that eight rows' equal columns fall on different banks (the 128- and 64-byte swizzle of the PTX
// manual, which the products undo).
DEVICE u32 placeOf(int row, int vector) {
  return row * rowBytes + ((vector ^ (HEAD == 64 ? row & 7 : row >> 1 & 3)) << 4);
}

// A tile's descriptor: start, distance of eight rows, swizzle.
DEVICE u64 descriptorOf(u32 address) {
  return (u64)(address >> 4) | 1ull << 16 | (u64)(8 * rowBytes >> 4) << 32 |
         (HEAD == 64 ? 1ull : 2ull) << 62;
}

template <int rows>
DEVICE void copyTile(u32 to, const u16 *from, u64 stride, int valid) {
#pragma unroll
  for (int i = threadIdx.x; i < rows * vectors; i += threads) {
    int row = i / vectors, vector = i % vectors;
    bool inside = row < valid;
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to + placeOf(row, vector)),
                 "l"(from + (inside ? row : 0) * stride + 8 * vector), "r"(inside ? 16 : 0)
                 : "memory");
  }
}

DEVICE void beginProducts() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
DEVICE void endProducts() {
  asm volatile("wgmma.commit_group.sync.aligned;\nwgmma.wait_group.sync.aligned 0;" ::: "memory");
}

#define EIGHT(x, i)                                                                            \
  "+f"(x[i]), "+f"(x[i + 1]), "+f"(x[i + 2]), "+f"(x[i + 3]), "+f"(x[i + 4]), "+f"(x[i + 5]), \
      "+f"(x[i + 6]), "+f"(x[i + 7])

// s[64, 64] = (or +=) a[64, 16] b[64, 16]^T, both in shared memory, rows along k.
DEVICE void scoreProduct(float *s, u64 a, u64 b, int add) {
  asm volatile(
      "{\n.reg .pred p;\nsetp.ne.b32 p, %34, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
      "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,"
      "%25,%26,%27,%28,%29,%30,%31}, %32, %33, p, 1, 1, 0, 0;\n}"
      : EIGHT(s, 0), EIGHT(s, 8), EIGHT(s, 16), EIGHT(s, 24)
      : "l"(a), "l"(b), "r"(add));
}

// o[64, HEAD] += a[64, 16] b[16, HEAD]: a in registers, b in shared memory, rows along n.
DEVICE void valueProduct(float *o, const u32 *a, u64 b) {
#if HEAD == 64
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 "
      "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,"
      "%25,%26,%27,%28,%29,%30,%31}, {%32,%33,%34,%35}, %36, 1, 1, 1, 1;"
      : EIGHT(o, 0), EIGHT(o, 8), EIGHT(o, 16), EIGHT(o, 24)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
#else
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 "
      "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15}, {%16,%17,%18,%19}, %20, 1, 1, 1, 1;"
      : EIGHT(o, 0), EIGHT(o, 8)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b));
#endif
}

#define infinity __int_as_float(0x7f800000)

DEVICE float exp2Fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// Arguments, BIAS and grid as of `attention`; tasks own 64 x GROUPS queries.
extern "C" __global__ void __launch_bounds__(threads, GROUPS == 1 ? 5 : 2)
    attention90(const u16 *qkv, int stride, int hidden, const Task *tasks, int heads, float scale,
                u16 *out, int outStride BIAS_PARAMETERS) {
  __shared__ __align__(1024) char queries[GROUPS * tileBytes];
  __shared__ __align__(1024) char keys[2][tileBytes];
  __shared__ __align__(1024) char values[2][tileBytes];
  const Task task = tasks[blockIdx.x / heads];
  const int head = blockIdx.x % heads;
  const int group = threadIdx.x >> 7, warp = threadIdx.x >> 5 & 3, lane = threadIdx.x & 31;
  const int g = lane >> 2, t = lane & 3;
  const u16 *base = qkv + (u64)task.row * stride + head * HEAD;
  const int tiles = (task.length + tile - 1) / tile;
  const u32 q = sharedAddress(queries), k = sharedAddress(keys), v = sharedAddress(values);

  copyTile<tile * GROUPS>(q, base + (u64)task.query * stride, stride, task.length - task.query);
  copyTile<tile>(k, base + hidden, stride, task.length);
  copyTile<tile>(v, base + 2 * hidden, stride, task.length);
  commitCopies();

  const int first = task.query + 64 * group;
  const bool active = first < task.length;
  float o[HEAD / 2], most[2] = {-infinity, -infinity}, sum[2] = {0, 0};
#pragma unroll
  for (int i = 0; i < HEAD / 2; i++) o[i] = 0;

  for (int step = 0; step < tiles; step++) {
    const int slot = step & 1;
    if (step + 1 < tiles) {
      int at = (step + 1) * tile, other = (slot ^ 1) * tileBytes;
      copyTile<tile>(k + other, base + (u64)at * stride + hidden, stride, task.length - at);
      copyTile<tile>(v + other, base + (u64)at * stride + 2 * hidden, stride, task.length - at);
      commitCopies();
      awaitCopies<1>();
    } else {
      awaitCopies<0>();
    }
    // What this thread copied becomes visible to the products of all.
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    __syncthreads();
    if (active) {
      const int valid = min(tile, task.length - step * tile);
      const u64 a = descriptorOf(q + group * tileBytes), b = descriptorOf(k + slot * tileBytes);
      float s[32];
      beginProducts();
#pragma unroll
      for (int d = 0; d < HEAD / 16; d++) scoreProduct(s, a + 2 * d, b + 2 * d, d);
      endProducts();

#ifdef BIAS
      addBiases((float(*)[4])s, bias + head * span, span,
                step * tile + 2 * t - (first + 16 * warp + g), 1.4426950408889634f / scale);
#endif
      if (valid < tile)
#pragma unroll
        for (int i = 0; i < 32; i++)
          if (8 * (i >> 2) + 2 * t + (i & 1) >= valid) s[i] = -infinity;
      float peak[2] = {most[0], most[1]};
#pragma unroll
      for (int i = 0; i < 32; i++) peak[i >> 1 & 1] = fmaxf(peak[i >> 1 & 1], s[i]);
#pragma unroll
      for (int h = 0; h < 2; h++) {
        peak[h] = fmaxf(peak[h], __shfl_xor_sync(0xffffffffu, peak[h], 1));
        peak[h] = fmaxf(peak[h], __shfl_xor_sync(0xffffffffu, peak[h], 2));
        float shrink = exp2Fast((most[h] - peak[h]) * scale);
        most[h] = peak[h];
        peak[h] *= scale;
        sum[h] *= shrink;
#pragma unroll
        for (int i = 0; i < HEAD / 8; i++) o[4 * i + 2 * h] *= shrink, o[4 * i + 2 * h + 1] *= shrink;
      }
      u32 p[4][4];
#pragma unroll
      for (int i = 0; i < 32; i++) {
        s[i] = exp2Fast(fmaf(s[i], scale, -peak[i >> 1 & 1]));
        sum[i >> 1 & 1] += s[i];
      }
#pragma unroll
      for (int j = 0; j < 4; j++)
#pragma unroll
        for (int i = 0; i < 4; i++) p[j][i] = pack(s[8 * j + 2 * i], s[8 * j + 2 * i + 1]);

      const u64 w = descriptorOf(v + slot * tileBytes);
      beginProducts();
#pragma unroll
      for (int j = 0; j < 4; j++) valueProduct(o, p[j], w + j * (16 * rowBytes >> 4));
      endProducts();
    }
    if (step + 2 < tiles) __syncthreads();
  }

  if (!active) return;
  // The warpgroup is done with its queries: their place carries its result to 16-byte stores.
  asm volatile("bar.sync %0, 128;" ::"r"(1 + group) : "memory");
  char *mine = queries + group * tileBytes;
#pragma unroll
  for (int h = 0; h < 2; h++) {
    sum[h] += __shfl_xor_sync(0xffffffffu, sum[h], 1);
    sum[h] += __shfl_xor_sync(0xffffffffu, sum[h], 2);
    float inverse = 1.0f / sum[h];
#pragma unroll
    for (int d = 0; d < vectors; d++)
      *(u32 *)(mine + placeOf(16 * warp + g + 8 * h, d) + 4 * t) =
          pack(o[4 * d + 2 * h] * inverse, o[4 * d + 2 * h + 1] * inverse);
  }
  __syncwarp();
  for (int i = lane; i < 16 * vectors; i += 32) {
    int row = 16 * warp + i / vectors, vector = i % vectors;
    if (first + row < task.length)
      *(uint4 *)(out + (u64)(task.row + first + row) * outStride + head * HEAD + 8 * vector) =
          *(const uint4 *)(mine + placeOf(row, vector));
  }
}
