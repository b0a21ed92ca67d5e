// Matrix products of any shape, strides and types, for the few that cuBLASLt does not take: heads of
// 77 labels, LoRAs of rank 4. Tiles of 64 x 64 in shared memory, fp32 throughout. XTYPE, YTYPE and ZTYPE are
// float or u16 (bf16): the types of a, b and c.
#include "device.h"

// c[m, n] (+)= scale * sum over k of a[m, k] b[k, n], + bias[n]. Element (m, k) of a lies at
// m * aRow + k * aColumn, (k, n) of b at k * bRow + n * bColumn, (m, n) of c at m * cRow + n.
extern "C" __global__ void __launch_bounds__(256)
    product(const XTYPE *a, u64 aRow, u64 aColumn, const YTYPE *b, u64 bRow, u64 bColumn, ZTYPE *c, u64 cRow,
            int rows, int columns, int inner, float scale, int adding, const float *bias) {
  __shared__ float as[16][65], bs[16][65];
  const int row = blockIdx.y * 64, column = blockIdx.x * 64;
  const int y = threadIdx.x >> 4, x = threadIdx.x & 15;
  float sum[4][4] = {};
  for (int k = 0; k < inner; k += 16) {
#pragma unroll
    for (int i = threadIdx.x; i < 1024; i += 256) {
      // Neighbouring threads read neighbouring addresses.
      int m = aColumn == 1 ? i >> 4 : i & 63, ka = aColumn == 1 ? i & 15 : i >> 6;
      int n = bColumn == 1 ? i & 63 : i >> 4, kb = bColumn == 1 ? i >> 6 : i & 15;
      as[ka][m] = row + m < rows && k + ka < inner
                      ? valueOf(a[(row + m) * aRow + (k + ka) * aColumn])
                      : 0.0f;
      bs[kb][n] = column + n < columns && k + kb < inner
                      ? valueOf(b[(k + kb) * bRow + (column + n) * bColumn])
                      : 0.0f;
    }
    __syncthreads();
#pragma unroll
    for (int p = 0; p < 16; p++) {
      float u[4], v[4];
#pragma unroll
      for (int i = 0; i < 4; i++) u[i] = as[p][y + 16 * i], v[i] = bs[p][x + 16 * i];
#pragma unroll
      for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) sum[i][j] += u[i] * v[j];
    }
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; i++)
#pragma unroll
    for (int j = 0; j < 4; j++) {
      int m = row + y + 16 * i, n = column + x + 16 * j;
      if (m >= rows || n >= columns) continue;
      ZTYPE *to = c + m * cRow + n;
      float value = scale * sum[i][j];
      if (adding) value += valueOf(*to);
      if (bias) value += bias[n];
      put(to, value);
    }
}
