// Adapter matrices into the order that the tensor cores want.
#include "ccuda.h"

#include <string.h>

// Rounded to nearest even.
static inline uint16_t bfloat16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  // NaN stays NaN: rounding could carry it into infinity.
  return (bits & 0x7fffffff) > 0x7f800000 ? (uint16_t)((bits >> 16) | 0x40) : (uint16_t)rounded;
}

void ccuda_pack_fragments(const float *w, size_t rows, size_t columns, uint16_t *to) {
  for (size_t n = 0; n < rows; n += 16)
    for (size_t k = 0; k < columns; k += 16)
      for (size_t lane = 0; lane < 32; lane++)
        for (size_t i = 0; i < 8; i++) {
          size_t row = n + lane / 4 + i / 4 * 8;
          size_t column = k + lane % 4 * 2 + i / 2 % 2 * 8 + i % 2;
          *to++ = row < rows && column < columns ? bfloat16(w[row * columns + column]) : 0;
        }
}
