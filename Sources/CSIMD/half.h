/// One number of 16 bits in plain integer arithmetic, for kernels without F16C and for packing.
#pragma once
#include <stdint.h>
#include <string.h>

static inline float float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline uint32_t bits_of_float(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline float half_to_float(uint16_t half) {
  uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = (uint32_t)(half & 0x7fff) << 13;
  // Infinity and NaN keep an exponent of all ones; all else, subnormals too, is rebiased by a product.
  if (rest >= 0x0f800000) return float_of_bits(sign | rest | 0x70000000);
  return float_of_bits(sign | bits_of_float(float_of_bits(rest) * 0x1p112f));
}

/// Rounded to nearest, ties to even.
static inline uint16_t float_to_bfloat16(float x) {
  uint32_t bits = bits_of_float(x);
  uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  // The quiet bit keeps a NaN whose payload sits in the lower half from becoming infinity.
  uint32_t nan = bits >> 16 | 0x40;
  return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? nan : rounded);
}
