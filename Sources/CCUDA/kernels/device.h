// What the kernels share: bf16 in registers, tensor-core and asynchronous-copy instructions, sums
// over a warp, and the layout of adapters in the page pool. NVRTC gives no headers, so the few
// instructions that CUDA's own headers would wrap are written out here.
//
// bf16 values travel in pairs (u32: first value in the low half) or in eights (uint4). All sums are
// fp32.
#pragma once

typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define DEVICE static __device__ __forceinline__

DEVICE float low(u32 pair) { return __uint_as_float(pair << 16); }
DEVICE float high(u32 pair) { return __uint_as_float(pair & 0xffff0000u); }

DEVICE u32 pack(float first, float second) {
  u32 pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
  return pair;
}

DEVICE void unpack8(uint4 v, float *x) {
  x[0] = low(v.x), x[1] = high(v.x), x[2] = low(v.y), x[3] = high(v.y);
  x[4] = low(v.z), x[5] = high(v.z), x[6] = low(v.w), x[7] = high(v.w);
}

DEVICE uint4 pack8(const float *x) {
  return make_uint4(pack(x[0], x[1]), pack(x[2], x[3]), pack(x[4], x[5]), pack(x[6], x[7]));
}

DEVICE float warpSum(float x) {
#pragma unroll
  for (int step = 16; step; step >>= 1) x += __shfl_xor_sync(0xffffffffu, x, step);
  return x;
}

// The sum of a double a thread of a block of 256, in thread 0.
DEVICE double blockSum(double x) {
  __shared__ double sums[8];
#pragma unroll
  for (int step = 16; step; step >>= 1) x += __shfl_xor_sync(0xffffffffu, x, step);
  if ((threadIdx.x & 31) == 0) sums[threadIdx.x >> 5] = x;
  __syncthreads();
  double total = 0;
  if (threadIdx.x == 0)
#pragma unroll
    for (int w = 0; w < 8; w++) total += sums[w];
  return total;
}

// Exact: 0.5 x (1 + erf(x / sqrt 2)).
DEVICE float gelu(float x) { return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f)); }

// ---- tensor cores: d[16, 8] += a[16, 16] b[16, 8] ----
// Lane 4 g + t holds, as pairs along k: a = (g, 2t) (g+8, 2t) (g, 2t+8) (g+8, 2t+8);
// b = (k 2t, n g) (k 2t+8, n g); d = (g, 2t) (g, 2t+1) (g+8, 2t) (g+8, 2t+1).
DEVICE void multiply(float *d, const u32 *a, u32 b0, u32 b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

DEVICE u32 sharedAddress(const void *p) { return (u32)__cvta_generic_to_shared(p); }

// Four 8 x 8 matrices; lane i gives the address of row i % 8 of matrix i / 8.
DEVICE void loadMatrices(u32 *r, u32 address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

DEVICE void loadMatricesTransposed(u32 *r, u32 address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

// ---- asynchronous copies of 16 bytes; zeros where `valid` is false ----
DEVICE void copyAsync(void *to, const void *from, bool valid) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(sharedAddress(to)), "l"(from),
               "r"(valid ? 16 : 0)
               : "memory");
}
DEVICE void commitCopies() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int pending>
DEVICE void awaitCopies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(pending) : "memory");
}

// ---- attention's biases by distance ----
// A head's row of them has `span` values, that of distance 0 in the middle.
#ifdef BIAS
#define BIAS_PARAMETERS , const float *bias, int span
#else
#define BIAS_PARAMETERS
#endif

// Added, times `factor`, to a warp's 16 x 64 scores as `multiply` deals them out: this thread has rows
// g and g + 8, columns 8 j + 2 t and the next. `distance` is that of row g and column 2 t; columns are
// keys, or queries where `sign` is -1. What lies beyond the row belongs to no key or query, and gets any
// value.
template <int sign = 1>
DEVICE void addBiases(float (*s)[4], const float *row, int span, int distance, float factor) {
  float b[9][2];
#pragma unroll
  for (int j = 0; j < 9; j++)
#pragma unroll
    for (int e = 0; e < 2; e++)
      b[j][e] = factor * __ldg(row + max(0, min(span - 1, span / 2 + distance + sign * (8 * (j - 1) + e))));
#pragma unroll
  for (int j = 0; j < 8; j++)
#pragma unroll
    for (int i = 0; i < 4; i++) s[j][i] += b[j + 1 - (i >> 1)][i & 1];
}

// ---- adapters in the page pool ----
// An adapter is a run of fragments of 512 bytes, numbered from 0; 64 fragments a page, and
// fragment 0 starts its root page. The root begins with the directory: a header, the head's entry,
// eight entries a layer (two bottleneck sites, six LoRA targets), the addresses of all pages.
// A matrix [n, k] lies as blocks of 16 x 16, k fastest, zero beyond its edge; in a block lane 4 g + t
// finds its tensor-core operand in one 16-byte load: pairs (n g, k 2t), (g, 2t+8), (g+8, 2t),
// (g+8, 2t+8). Vectors and head rows are fp32, 128 values a fragment.
struct Header {
  u32 layers, pages, reserved[2];
};

struct Entry {
  // Width, rank or labels; 0 where the adapter has nothing there.
  u32 size;
  // First fragments of the down, A or head matrix, and of the up or B matrix.
  u32 first, second;
  // First fragment of the biases (down's, padded, then up's), or the LoRA's scale as bits.
  u32 extra;
};

// At most 64 rows of one group.
struct Tile {
  // Address of the adapter's root page; 0 for rows without adapter.
  u64 root;
  int row, rows;
};

DEVICE const Entry *entryOf(u64 root, int slot) {
  const Header *header = (const Header *)root;
  return slot <= 8 * (int)header->layers ? (const Entry *)(header + 1) + slot : nullptr;
}

DEVICE const u64 *pagesOf(u64 root) {
  const Header *header = (const Header *)root;
  return (const u64 *)((const Entry *)(header + 1) + 1 + 8 * header->layers);
}

DEVICE u64 fragment(const u64 *pages, u32 number) {
  return pages[number >> 6] + ((number & 63) << 9);
}

DEVICE uint4 loadOperand(const u64 *pages, u32 number, int lane) {
  return __ldg((const uint4 *)fragment(pages, number) + lane);
}

// Element i of an fp32 vector that starts at fragment `first`.
DEVICE const float *element(const u64 *pages, u32 first, int i) {
  return (const float *)fragment(pages, first + (i >> 7)) + (i & 127);
}

// ---- fp32 or bf16, as the tensor has it ----
DEVICE float valueOf(float x) { return x; }
DEVICE float valueOf(u16 x) { return __uint_as_float((u32)x << 16); }
DEVICE void put(float *to, float x) { *to = x; }
DEVICE void put(u16 *to, float x) { *to = (u16)pack(x, 0); }

DEVICE void load8(const u16 *p, float *x) { unpack8(*(const uint4 *)p, x); }
DEVICE void load8(const float *p, float *x) {
  float4 a = *(const float4 *)p, b = *((const float4 *)p + 1);
  x[0] = a.x, x[1] = a.y, x[2] = a.z, x[3] = a.w;
  x[4] = b.x, x[5] = b.y, x[6] = b.z, x[7] = b.w;
}
DEVICE void store8(u16 *p, const float *x) { *(uint4 *)p = pack8(x); }
DEVICE void store8(float *p, const float *x) {
  *(float4 *)p = make_float4(x[0], x[1], x[2], x[3]);
  *((float4 *)p + 1) = make_float4(x[4], x[5], x[6], x[7]);
}

// The first n of eight values (zeros for the rest), 16 bytes at a time where that can be.
template <class T>
DEVICE void read(const T *p, int n, float *x) {
  if (n >= 8 && ((u64)p & 15) == 0) return load8(p, x);
#pragma unroll
  for (int k = 0; k < 8; k++) x[k] = k < n ? valueOf(p[k]) : 0.0f;
}
template <class T>
DEVICE void write(T *p, int n, const float *x) {
  if (n >= 8 && ((u64)p & 15) == 0) return store8(p, x);
#pragma unroll
  for (int k = 0; k < 8; k++)
    if (k < n) put(p + k, x[k]);
}

// Of parts that say which block is their first, in order, the one that this block works on.
template <class Part>
DEVICE int partOf(const Part *parts, int count) {
  int low = 0, high = count - 1;
  while (low < high) {
    int middle = (low + high + 1) / 2;
    if (parts[middle].firstBlock <= (int)blockIdx.x)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}
