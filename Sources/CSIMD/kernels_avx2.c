/// The kernels in AVX2.
#if defined(__x86_64__)
#include "kernels.h"

#include <string.h>

#include "half.h"

#define NAME "AVX2"
#define KERNELS kernels_avx2
#define BYTES bytes_avx2
#define BF16 bf16_avx2
#define TILE_LIMIT 6
#include "kernels/vector_avx2.h"
#include "kernels/table.h"
#include "kernels/bytes_avx2.h"
#include "kernels/bytes.h"
#include "kernels/bf16_widened.h"
#include "kernels/bf16.h"
#pragma clang attribute pop
#endif
