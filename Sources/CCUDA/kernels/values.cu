// Operations on single values of tensors without gaps, eight values a thread. XTYPE and YTYPE are float or
// u16 (bf16): the types of x and of the other tensor.
#include "device.h"

template <class F>
DEVICE void each(u64 count, F body) {
  u64 first = 8 * ((u64)blockIdx.x * 256 + threadIdx.x);
  if (first < count) body(first, (int)(count - first < 8 ? count - first : 8));
}

// out = GELU(x); x becomes the derivative, Phi(x) + x phi(x).
extern "C" __global__ void __launch_bounds__(256) geluSaving(XTYPE *x, YTYPE *out, u64 count) {
  each(count, [&](u64 i, int n) {
    float a[8], value[8];
    read(x + i, n, a);
#pragma unroll
    for (int k = 0; k < 8; k++) {
      float cdf = 0.5f * (1.0f + erff(a[k] * 0.70710678118654752f));
      value[k] = a[k] * cdf;
      a[k] = cdf + a[k] * 0.39894228040143268f * __expf(-0.5f * a[k] * a[k]);
    }
    write(out + i, n, value);
    write(x + i, n, a);
  });
}

extern "C" __global__ void __launch_bounds__(256) multiply(XTYPE *x, const YTYPE *y, u64 count) {
  each(count, [&](u64 i, int n) {
    float a[8], b[8];
    read(x + i, n, a);
    read(y + i, n, b);
#pragma unroll
    for (int k = 0; k < 8; k++) a[k] *= b[k];
    write(x + i, n, a);
  });
}

// x += scale * y.
extern "C" __global__ void __launch_bounds__(256)
    addScaled(XTYPE *x, const YTYPE *y, float scale, u64 count) {
  each(count, [&](u64 i, int n) {
    float a[8], b[8];
    read(x + i, n, a);
    read(y + i, n, b);
#pragma unroll
    for (int k = 0; k < 8; k++) a[k] += scale * b[k];
    write(x + i, n, a);
  });
}

extern "C" __global__ void __launch_bounds__(256) fill(XTYPE *x, float value, u64 count) {
  each(count, [&](u64 i, int n) {
    float a[8] = {value, value, value, value, value, value, value, value};
    write(x + i, n, a);
  });
}

extern "C" __global__ void __launch_bounds__(256) convert(YTYPE *out, const XTYPE *x, u64 count) {
  each(count, [&](u64 i, int n) {
    float a[8];
    read(x + i, n, a);
    write(out + i, n, a);
  });
}

// Two rounds of a multiply-xorshift hash, keyed: the CPU backend draws the same.
DEVICE u32 mixed(u32 x) {
  x ^= x >> 16;
  x *= 0x7feb352du;
  x ^= x >> 15;
  x *= 0x846ca68bu;
  return x ^ (x >> 16);
}

// Zeroes the values whose number, keyed, falls below `threshold` of 2^32; scales the others.
DEVICE void drop(XTYPE *x, u64 i, int n, u64 key, u32 threshold, float scale) {
  float a[8];
  read(x + i, n, a);
#pragma unroll
  for (int k = 0; k < 8; k++) {
    u32 drawn = mixed(mixed((u32)(i + k) ^ (u32)key) + (u32)(key >> 32));
    a[k] = drawn < threshold ? 0.0f : a[k] * scale;
  }
  write(x + i, n, a);
}

extern "C" __global__ void __launch_bounds__(256)
    dropout(XTYPE *x, u64 key, u32 threshold, float scale, u64 count) {
  each(count, [&](u64 i, int n) { drop(x, i, n, key, threshold, scale); });
}

// One of many vBERTs' rows; a block does 2,048 values.
struct DropPart {
  XTYPE *x;
  u64 key, count;
  u32 threshold;
  float scale;
  int firstBlock, unused;
};

extern "C" __global__ void __launch_bounds__(256) dropouts(const DropPart *parts, int count) {
  const DropPart part = parts[partOf(parts, count)];
  const u64 i = 2048ull * (blockIdx.x - part.firstBlock) + 8 * threadIdx.x;
  if (i >= part.count) return;
  drop(part.x, i, (int)(part.count - i < 8 ? part.count - i : 8), part.key, part.threshold, part.scale);
}
