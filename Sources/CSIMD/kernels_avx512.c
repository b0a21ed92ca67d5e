/// The kernels in AVX-512.
#if defined(__x86_64__)
#include "kernels.h"

#include <string.h>

#include "half.h"

#define NAME "AVX-512"
#define KERNELS kernels_avx512
#define BYTES bytes_avx512
#define BF16 bf16_avx512
#define TILE_LIMIT 14
#include "kernels/vector_avx512.h"
#include "kernels/table.h"
#include "kernels/bytes_avx512.h"
#include "kernels/bytes.h"
#include "kernels/bf16_widened.h"
#include "kernels/bf16.h"
#pragma clang attribute pop
#endif
