#pragma once
#include <stddef.h>

// Stored number formats <-> float32, `count` values each. `packed` needs no alignment: a file may
// begin its data at any byte. Rounding is to nearest, ties to even; NaN stays NaN.

void vb_float16_to_float32(const void *packed, float *values, size_t count);
void vb_bfloat16_to_float32(const void *packed, float *values, size_t count);
void vb_int64_to_float32(const void *packed, float *values, size_t count);
void vb_int32_to_float32(const void *packed, float *values, size_t count);
void vb_uint8_to_float32(const void *packed, float *values, size_t count);

void vb_float32_to_float16(const float *values, void *packed, size_t count);
void vb_float32_to_bfloat16(const float *values, void *packed, size_t count);

// Which number of a stored tensor is not one to compute with: the place of the first of `count` that
// is NaN, infinite or above `most` (finite, not negative) in magnitude; `count` where there is none.

size_t vb_first_beyond_float32(const void *packed, size_t count, float most);
size_t vb_first_beyond_float16(const void *packed, size_t count, float most);
size_t vb_first_beyond_bfloat16(const void *packed, size_t count, float most);
