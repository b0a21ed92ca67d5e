#include "convert.h"

#include <stdint.h>
#include <string.h>

// Branches are written as selects on whole words, so that the compiler turns every loop into vectors
// on any target: at that point memory is the limit, and no run-time dispatch is needed.

static inline float as_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline uint32_t as_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

// One load that may be unaligned; compiles to a plain move.
#define LOAD(type, base, i)                                                      \
  ({                                                                             \
    type loaded;                                                                 \
    memcpy(&loaded, (const char *)(base) + (i) * sizeof(type), sizeof loaded);   \
    loaded;                                                                      \
  })

#define STORE(base, i, value) memcpy((char *)(base) + (i) * sizeof(value), &(value), sizeof(value))

// float16 is 1 sign, 5 exponent (bias 15), 10 mantissa bits; float32 is 1, 8 (bias 127), 23.
static inline float from_float16(uint16_t half) {
  uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
  uint32_t exponent = magnitude & 0x0f800000;
  uint32_t normal = magnitude + ((127 - 15) << 23);
  // Infinity and NaN: the largest exponent maps to the largest exponent.
  uint32_t special = magnitude + ((255 - 31) << 23);
  // Subnormal: read the mantissa behind an exponent of 2^-14, then take the implied one off again.
  uint32_t tiny = as_bits(as_float(magnitude + (113 << 23)) - as_float(113 << 23));
  uint32_t bits = exponent == 0 ? tiny : exponent == 0x0f800000 ? special : normal;
  return as_float(bits | (uint32_t)(half & 0x8000) << 16);
}

static inline uint16_t to_float16(float value) {
  uint32_t bits = as_bits(value);
  uint32_t sign = bits >> 16 & 0x8000;
  uint32_t magnitude = bits & 0x7fffffff;
  // Rounding may carry into the exponent, up to infinity: that is the right answer there.
  uint32_t normal = (magnitude - ((127 - 15) << 23) + 0xfff + (magnitude >> 13 & 1)) >> 13;
  // Below 2^-14: adding 0.5 lets the float adder shift and round the mantissa into place.
  uint32_t tiny = as_bits(as_float(magnitude) + 0.5f) - as_bits(0.5f);
  uint32_t special = magnitude > 0x7f800000 ? 0x7e00 : 0x7c00;
  uint32_t half = magnitude < (113 << 23) ? tiny : magnitude >= (143 << 23) ? special : normal;
  return (uint16_t)(sign | half);
}

static inline uint16_t to_bfloat16(float value) {
  uint32_t bits = as_bits(value);
  uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  // The quiet bit keeps a NaN whose payload sits in the lower half from becoming infinity.
  uint32_t nan = bits >> 16 | 0x40;
  return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? nan : rounded);
}

void vb_float16_to_float32(const void *packed, float *values, size_t count) {
  for (size_t i = 0; i < count; i++) values[i] = from_float16(LOAD(uint16_t, packed, i));
}

void vb_bfloat16_to_float32(const void *packed, float *values, size_t count) {
  for (size_t i = 0; i < count; i++)
    values[i] = as_float((uint32_t)LOAD(uint16_t, packed, i) << 16);
}

void vb_int64_to_float32(const void *packed, float *values, size_t count) {
  for (size_t i = 0; i < count; i++) values[i] = (float)LOAD(int64_t, packed, i);
}

void vb_int32_to_float32(const void *packed, float *values, size_t count) {
  for (size_t i = 0; i < count; i++) values[i] = (float)LOAD(int32_t, packed, i);
}

void vb_uint8_to_float32(const void *packed, float *values, size_t count) {
  for (size_t i = 0; i < count; i++) values[i] = (float)LOAD(uint8_t, packed, i);
}

void vb_float32_to_float16(const float *values, void *packed, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint16_t half = to_float16(values[i]);
    STORE(packed, i, half);
  }
}

void vb_float32_to_bfloat16(const float *values, void *packed, size_t count) {
  for (size_t i = 0; i < count; i++) {
    uint16_t brain = to_bfloat16(values[i]);
    STORE(packed, i, brain);
  }
}
