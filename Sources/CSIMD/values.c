#include "convert.h"

#include <stdint.h>
#include <string.h>

// Without the sign bit, floating-point numbers order as the whole numbers that their bits are, with
// infinity and then NaN above all others: one signed comparison finds all three kinds. A block is
// read whole, as a maximum, so that the loop becomes vectors on any target; only a block that holds
// something is searched.

enum { BLOCK = 4096 };

#define FIRST_BEYOND(type, sign)                                                 \
  const char *bytes = packed;                                                    \
  for (size_t start = 0; start < count; start += BLOCK) {                        \
    const size_t length = count - start < BLOCK ? count - start : BLOCK;         \
    type largest = 0;                                                            \
    for (size_t i = 0; i < length; i++) {                                        \
      type value;                                                                \
      memcpy(&value, bytes + (start + i) * sizeof value, sizeof value);          \
      value &= sign;                                                             \
      largest = value > largest ? value : largest;                               \
    }                                                                            \
    if (largest <= limit) continue;                                              \
    for (size_t i = start;; i++) {                                               \
      type value;                                                                \
      memcpy(&value, bytes + i * sizeof value, sizeof value);                    \
      if ((value & sign) > limit) return i;                                      \
    }                                                                            \
  }                                                                              \
  return count;

size_t vb_first_beyond_float32(const void *packed, size_t count, float most) {
  int32_t limit;
  memcpy(&limit, &most, sizeof limit);
  FIRST_BEYOND(int32_t, 0x7fffffff)
}

size_t vb_first_beyond_float16(const void *packed, size_t count, float most) {
  // The largest half that is not above `most`: rounding to nearest may have gone past it.
  int16_t limit;
  float nearest;
  vb_float32_to_float16(&most, &limit, 1);
  vb_float16_to_float32(&limit, &nearest, 1);
  if (nearest > most) limit--;
  FIRST_BEYOND(int16_t, 0x7fff)
}

size_t vb_first_beyond_bfloat16(const void *packed, size_t count, float most) {
  int32_t bits;
  memcpy(&bits, &most, sizeof bits);
  const int16_t limit = (int16_t)(bits >> 16);
  FIRST_BEYOND(int16_t, 0x7fff)
}
