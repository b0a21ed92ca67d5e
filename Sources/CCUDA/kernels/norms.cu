// LayerNorm and the gate in training: forward that keeps what backward needs, and backward. One
// warp a row of HIDDEN values, which stays in registers; TYPE is the states' type, float or u16 (bf16).
//
// Backward's sums over rows (gradients of gamma, beta, the gate) are kept in registers by every warp,
// added up in a block in the order of its warps, and left as one partial sum a block; `addPartials`
// (sums.cu) adds those in order. Which rows a warp takes depends on the number of rows alone.
#include "device.h"

enum { pieces = (HIDDEN / 8 + 31) / 32, warps = 8 };

DEVICE int laneOf() { return threadIdx.x & 31; }
DEVICE int warpOf() { return threadIdx.x >> 5; }
DEVICE int columnOf(int piece) { return 8 * (laneOf() + 32 * piece); }

// Calls body(piece, column) for the columns that this lane holds.
template <class F>
DEVICE void eachPiece(F body) {
#pragma unroll
  for (int p = 0; p < pieces; p++)
    if (columnOf(p) < HIDDEN) body(p, columnOf(p));
}

// The block's sums of a row of values that every warp holds, to global memory.
DEVICE void storeSums(float (*mine)[8], float *to) {
  __shared__ float sums[warps][HIDDEN];
  __syncthreads();
  eachPiece([&](int p, int column) { store8(&sums[warpOf()][column], mine[p]); });
  __syncthreads();
  for (int column = threadIdx.x; column < HIDDEN; column += 256) {
    float total = 0;
#pragma unroll
    for (int w = 0; w < warps; w++) total += sums[w][column];
    to[column] = total;
  }
}

// out = LayerNorm(x + residual), residual may be null; keeps the normalised row and
// 1 / sqrt(variance + epsilon). out may be x or residual.
extern "C" __global__ void __launch_bounds__(256)
    addNormSaving(const TYPE *x, const TYPE *residual, const float *gamma, const float *beta,
                  float epsilon, TYPE *out, TYPE *normalised, float *inverse, int rows) {
  const int row = blockIdx.x * warps + warpOf();
  if (row >= rows) return;
  const u64 start = (u64)row * HIDDEN;
  float y[pieces][8] = {}, sum = 0, squares = 0;
  eachPiece([&](int p, int column) {
    load8(x + start + column, y[p]);
    if (residual) {
      float z[8];
      load8(residual + start + column, z);
#pragma unroll
      for (int k = 0; k < 8; k++) y[p][k] += z[k];
    }
#pragma unroll
    for (int k = 0; k < 8; k++) sum += y[p][k];
  });
  const float mean = warpSum(sum) * (1.0f / HIDDEN);
  eachPiece([&](int p, int) {
#pragma unroll
    for (int k = 0; k < 8; k++) y[p][k] -= mean, squares += y[p][k] * y[p][k];
  });
  const float scale = 1.0f / sqrtf(warpSum(squares) * (1.0f / HIDDEN) + epsilon);
  if (laneOf() == 0) inverse[row] = scale;
  eachPiece([&](int p, int column) {
    float g[8], b[8];
    load8(gamma + column, g);
    load8(beta + column, b);
#pragma unroll
    for (int k = 0; k < 8; k++) y[p][k] *= scale;
    store8(normalised + start + column, y[p]);
#pragma unroll
    for (int k = 0; k < 8; k++) y[p][k] = y[p][k] * g[k] + b[k];
    store8(out + start + column, y[p]);
  });
}

// With g = d gamma: d = (g - mean(g) - xhat mean(g xhat)) inverse. partials [blocks, 2, HIDDEN]
// gets the sums of d xhat and of d, unless it is null.
extern "C" __global__ void __launch_bounds__(256)
    addNormBackward(TYPE *d, const TYPE *normalised, const float *inverse, const float *gamma,
                    float *partials, int rows) {
  float dgamma[pieces][8] = {}, dbeta[pieces][8] = {};
  for (int row = blockIdx.x * warps + warpOf(); row < rows; row += gridDim.x * warps) {
    const u64 start = (u64)row * HIDDEN;
    float g[pieces][8] = {}, xhat[pieces][8] = {}, sum = 0, product = 0;
    eachPiece([&](int p, int column) {
      float w[8];
      load8(d + start + column, g[p]);
      load8(normalised + start + column, xhat[p]);
      load8(gamma + column, w);
#pragma unroll
      for (int k = 0; k < 8; k++) {
        dgamma[p][k] += g[p][k] * xhat[p][k];
        dbeta[p][k] += g[p][k];
        g[p][k] *= w[k];
        sum += g[p][k];
        product += g[p][k] * xhat[p][k];
      }
    });
    const float mean = warpSum(sum) * (1.0f / HIDDEN), slope = warpSum(product) * (1.0f / HIDDEN);
    const float scale = inverse[row];
    eachPiece([&](int p, int column) {
#pragma unroll
      for (int k = 0; k < 8; k++) g[p][k] = scale * (g[p][k] - mean - xhat[p][k] * slope);
      store8(d + start + column, g[p]);
    });
  }
  if (!partials) return;
  storeSums(dgamma, partials + (u64)blockIdx.x * 2 * HIDDEN);
  storeSums(dbeta, partials + ((u64)blockIdx.x * 2 + 1) * HIDDEN);
}

// out = opening x, opening = sigmoid(gate . x + bias).
extern "C" __global__ void __launch_bounds__(256)
    applyGateSaving(const TYPE *x, const float *gate, const float *bias, TYPE *out, float *opening,
                    int rows) {
  const int row = blockIdx.x * warps + warpOf();
  if (row >= rows) return;
  const u64 start = (u64)row * HIDDEN;
  float y[pieces][8] = {}, dot = 0;
  eachPiece([&](int p, int column) {
    float g[8];
    load8(x + start + column, y[p]);
    load8(gate + column, g);
#pragma unroll
    for (int k = 0; k < 8; k++) dot += y[p][k] * g[k];
  });
  const float factor = 1.0f / (1.0f + expf(-(warpSum(dot) + *bias)));
  if (laneOf() == 0) opening[row] = factor;
  eachPiece([&](int p, int column) {
#pragma unroll
    for (int k = 0; k < 8; k++) y[p][k] *= factor;
    store8(out + start + column, y[p]);
  });
}

// With slope = (d . x) opening (1 - opening): d = opening d + slope gate. partials [blocks, HIDDEN]
// gets the sums of slope x, and biases [blocks, 8] those of slope, warp by warp; or both are null.
extern "C" __global__ void __launch_bounds__(256)
    gateBackward(TYPE *d, const TYPE *x, const float *gate, const float *opening, float *partials,
                 float *biases, int rows) {
  float dgate[pieces][8] = {}, dbias = 0;
  for (int row = blockIdx.x * warps + warpOf(); row < rows; row += gridDim.x * warps) {
    const u64 start = (u64)row * HIDDEN;
    float y[pieces][8] = {}, z[pieces][8] = {}, dot = 0;
    eachPiece([&](int p, int column) {
      load8(d + start + column, y[p]);
      load8(x + start + column, z[p]);
#pragma unroll
      for (int k = 0; k < 8; k++) dot += y[p][k] * z[p][k];
    });
    const float s = opening[row], slope = warpSum(dot) * s * (1.0f - s);
    dbias += slope;
    eachPiece([&](int p, int column) {
      float g[8];
      load8(gate + column, g);
#pragma unroll
      for (int k = 0; k < 8; k++) {
        dgate[p][k] += slope * z[p][k];
        y[p][k] = s * y[p][k] + slope * g[k];
      }
      store8(d + start + column, y[p]);
    });
  }
  if (!partials) return;
  if (laneOf() == 0) biases[blockIdx.x * warps + warpOf()] = dbias;
  storeSums(dgate, partials + (u64)blockIdx.x * HIDDEN);
}
