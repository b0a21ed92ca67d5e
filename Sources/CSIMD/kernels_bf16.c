/// Products of bfloat16 numbers in AVX-512 BF16.
#if defined(__x86_64__)
#include "kernels.h"

#include <string.h>

#include "half.h"

#define TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma,f16c"
#define BF16 bf16_native
#define TILE_LIMIT 14
#include "kernels/vector_avx512.h"
#include "kernels/bf16_native.h"
#include "kernels/normal.h"
#include "kernels/bf16.h"
#pragma clang attribute pop
#endif
