// Attention inside sequences of at most three tokens, as n-grams are: HEAD / 8 lanes (a power of two)
// take one head of one sequence, whose queries, keys and values stay in registers. Which kernel a
// sequence goes to depends on its own length only, so alone equals together.
#include "device.h"

enum { most = 3, lanes = HEAD / 8 };

// Sequence that begins at `row`.
struct Window {
  int row, length;
};

struct Place {
  Window window;
  int head, column;
  bool inside;
};

// Which window, head and columns this lane works on; lanes beyond the end repeat the last.
DEVICE Place placeOf(const Window *windows, int count, int heads) {
  const int task = (int)(((u64)blockIdx.x * 256 + threadIdx.x) / lanes);
  const bool inside = task < count * heads;
  const int known = inside ? task : count * heads - 1, head = known % heads;
  return {windows[known / heads], head, head * HEAD + 8 * (int)(threadIdx.x % lanes), inside};
}

DEVICE void loadWindow(float (*x)[8], const u16 *from, u64 stride, int length) {
#pragma unroll
  for (int i = 0; i < most; i++)
    if (i < length)
      load8(from + i * stride, x[i]);
    else
#pragma unroll
      for (int k = 0; k < 8; k++) x[i][k] = 0;
}

// The product of two rows over all columns of the head.
DEVICE float dotOf(const float *a, const float *b) {
  float sum = 0;
#pragma unroll
  for (int k = 0; k < 8; k++) sum += a[k] * b[k];
#pragma unroll
  for (int step = lanes / 2; step; step >>= 1) sum += __shfl_xor_sync(0xffffffffu, sum, step);
  return sum;
}

#ifdef BIAS
DEVICE void addWindowBiases(float (*s)[most], const float *middle, float scale) {
#pragma unroll
  for (int i = 0; i < most; i++)
#pragma unroll
    for (int j = 0; j < most; j++) s[i][j] += __ldg(middle + j - i) / scale;
}
#endif

DEVICE void softmax(float (*s)[most], float scale, int length) {
#pragma unroll
  for (int i = 0; i < most; i++) {
    float peak = s[i][0], sum = 0;
#pragma unroll
    for (int j = 1; j < most; j++)
      if (j < length) peak = fmaxf(peak, s[i][j]);
#pragma unroll
    for (int j = 0; j < most; j++) {
      s[i][j] = j < length ? __expf((s[i][j] - peak) * scale) : 0.0f;
      sum += s[i][j];
    }
#pragma unroll
    for (int j = 0; j < most; j++) s[i][j] /= sum;
  }
}

// qkv [R, 3 hidden], out [R, hidden]; scale is 1 / sqrt(HEAD). BIAS as of `attention`, of a span of 5 at
// least.
extern "C" __global__ void __launch_bounds__(256)
    windowAttention(const u16 *qkv, int stride, int hidden, const Window *windows, int count,
                    int heads, float scale, u16 *out, int outStride BIAS_PARAMETERS) {
  const Place place = placeOf(windows, count, heads);
  const int length = place.window.length;
  const u16 *from = qkv + (u64)place.window.row * stride + place.column;
  float q[most][8], k[most][8], v[most][8], s[most][most];
  loadWindow(q, from, stride, length);
  loadWindow(k, from + hidden, stride, length);
  loadWindow(v, from + 2 * hidden, stride, length);
#pragma unroll
  for (int i = 0; i < most; i++)
#pragma unroll
    for (int j = 0; j < most; j++) s[i][j] = dotOf(q[i], k[j]);
#ifdef BIAS
  addWindowBiases(s, bias + place.head * span + span / 2, scale);
#endif
  softmax(s, scale, length);
#pragma unroll
  for (int i = 0; i < most; i++) {
    if (i >= length || !place.inside) continue;
    float y[8];
#pragma unroll
    for (int c = 0; c < 8; c++) y[c] = s[i][0] * v[0][c] + s[i][1] * v[1][c] + s[i][2] * v[2][c];
    store8(out + (u64)(place.window.row + i) * outStride + place.column, y);
  }
}

#ifdef BIAS
#define WINDOW_BIAS_PARAMETERS , const float *bias, int span, float *partials

// A block's sums, window after window, of ds / scale by head and distance. Keys and queries beyond a
// window's length have ds 0: the one's probability is 0, the other's gradient.
DEVICE void sumWindowBiases(const float (*ds)[most], Place place, int heads, float factor,
                            float *partials) {
  enum { tasks = 256 / lanes };
  __shared__ float sums[tasks][5];
  const int task = threadIdx.x / lanes;
  if (threadIdx.x % lanes == 0) {
#pragma unroll
    for (int k = 0; k < 5; k++) {
      float sum = 0;
#pragma unroll
      for (int i = 0; i < most; i++)
        if (i + k - 2 >= 0 && i + k - 2 < most) sum += ds[i][i + k - 2];
      sums[task][k] = place.inside ? factor * sum : 0.0f;
    }
  }
  __syncthreads();
  const int first = (int)((u64)blockIdx.x * tasks % heads);
  for (int i = threadIdx.x; i < 5 * heads; i += 256) {
    const int head = i / 5;
    float sum = 0;
    for (int other = (head - first + heads) % heads; other < tasks; other += heads)
      sum += sums[other][i % 5];
    partials[(u64)blockIdx.x * 5 * heads + i] = sum;
  }
}

// dbias [heads, span] grows by the blocks' sums. Grid: heads x 5 distances.
extern "C" __global__ void __launch_bounds__(256)
    addWindowBiasGradients(const float *partials, int blocks, float *dbias, int span) {
  double total = 0;
  for (int i = threadIdx.x; i < blocks; i += 256)
    total += partials[(u64)i * gridDim.x + blockIdx.x];
  total = blockSum(total);
  const int head = blockIdx.x / 5, distance = (int)blockIdx.x % 5 - 2;
  if (threadIdx.x == 0) dbias[head * span + span / 2 + distance] += (float)total;
}
#else
#define WINDOW_BIAS_PARAMETERS
#endif

// dqkv [R, 3 hidden] from d [R, hidden]. With BIAS, partials [blocks, heads, 5] get each block's sums of
// the gradients at the biases of distances -2 ... 2, where there are partials.
extern "C" __global__ void __launch_bounds__(256)
    windowAttentionBackward(const u16 *d, int dStride, const u16 *qkv, int stride, int hidden,
                            const Window *windows, int count, int heads, float scale, u16 *dqkv,
                            int outStride WINDOW_BIAS_PARAMETERS) {
  const Place place = placeOf(windows, count, heads);
  const int length = place.window.length;
  const u16 *from = qkv + (u64)place.window.row * stride + place.column;
  float q[most][8], k[most][8], v[most][8], e[most][8], p[most][most], ds[most][most];
  loadWindow(q, from, stride, length);
  loadWindow(k, from + hidden, stride, length);
  loadWindow(v, from + 2 * hidden, stride, length);
  loadWindow(e, d + (u64)place.window.row * dStride + place.column, dStride, length);
#pragma unroll
  for (int i = 0; i < most; i++)
#pragma unroll
    for (int j = 0; j < most; j++) p[i][j] = dotOf(q[i], k[j]), ds[i][j] = dotOf(e[i], v[j]);
#ifdef BIAS
  addWindowBiases(p, bias + place.head * span + span / 2, scale);
#endif
  softmax(p, scale, length);
#pragma unroll
  for (int i = 0; i < most; i++) {
    const float mean = p[i][0] * ds[i][0] + p[i][1] * ds[i][1] + p[i][2] * ds[i][2];
#pragma unroll
    for (int j = 0; j < most; j++) ds[i][j] = p[i][j] * (ds[i][j] - mean) * scale;
  }
#ifdef BIAS
  if (partials) sumWindowBiases(ds, place, heads, 1 / scale, partials);
#endif
  if (!place.inside) return;
  u16 *to = dqkv + (u64)place.window.row * outStride + place.column;
  // Rows beyond the length are zeros, so their terms vanish.
#pragma unroll
  for (int i = 0; i < most; i++) {
    if (i >= length) continue;
    float dq[8] = {}, dk[8] = {}, dv[8] = {};
#pragma unroll
    for (int j = 0; j < most; j++)
#pragma unroll
      for (int c = 0; c < 8; c++) {
        dq[c] += ds[i][j] * k[j][c];
        dk[c] += ds[j][i] * q[j][c];
        dv[c] += p[j][i] * e[j][c];
      }
    store8(to + (u64)i * outStride, dq);
    store8(to + (u64)i * outStride + hidden, dk);
    store8(to + (u64)i * outStride + 2 * hidden, dv);
  }
}
