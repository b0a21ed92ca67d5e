/// Products of bytes in AVX-512 VNNI.
#if defined(__x86_64__)
#include "kernels.h"

#include <string.h>

#include "half.h"

#define TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c"
#define BYTES bytes_vnni
#define TILE_LIMIT 14
#include "kernels/vector_avx512.h"
#include "kernels/bytes_vnni.h"
#include "kernels/normal.h"
#include "kernels/bytes.h"
#pragma clang attribute pop
#endif
