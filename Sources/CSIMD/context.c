/// Contexts: which instruction set, which threads, whose scratch memory.
#include "context.h"

#include <stdlib.h>

bool csimd_supported(int instruction_set) {
  switch (instruction_set) {
    case CSIMD_PORTABLE: return true;
#if defined(__x86_64__)
    case CSIMD_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")
        && __builtin_cpu_supports("f16c");
    case CSIMD_AVX512:
      return csimd_supported(CSIMD_AVX2) && __builtin_cpu_supports("avx512f")
        && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
        && __builtin_cpu_supports("avx512dq");
    case CSIMD_AVX512_VNNI:
      return csimd_supported(CSIMD_AVX512) && __builtin_cpu_supports("avx512vnni");
    case CSIMD_AVX512_BF16:
      return csimd_supported(CSIMD_AVX512_VNNI) && __builtin_cpu_supports("avx512bf16");
#endif
    default: return false;
  }
}

static const struct kernels *kernels_of(int instruction_set) {
  switch (instruction_set) {
#if defined(__x86_64__)
    case CSIMD_AVX2: return &kernels_avx2;
    case CSIMD_AVX512:
    case CSIMD_AVX512_VNNI:
    case CSIMD_AVX512_BF16: return &kernels_avx512;
#endif
    default: return &kernels_portable;
  }
}

static const struct reduced_kernels *byte_kernels_of(int instruction_set) {
  switch (instruction_set) {
#if defined(__x86_64__)
    case CSIMD_AVX2: return &bytes_avx2;
    case CSIMD_AVX512: return &bytes_avx512;
    case CSIMD_AVX512_VNNI:
    case CSIMD_AVX512_BF16: return &bytes_vnni;
#endif
    default: return &bytes_portable;
  }
}

static const struct reduced_kernels *bf16_kernels_of(int instruction_set) {
  switch (instruction_set) {
#if defined(__x86_64__)
    case CSIMD_AVX2: return &bf16_avx2;
    case CSIMD_AVX512:
    case CSIMD_AVX512_VNNI: return &bf16_avx512;
    case CSIMD_AVX512_BF16: return &bf16_native;
#endif
    default: return &bf16_portable;
  }
}

csimd_context *csimd_create(int threads, int instruction_set) {
  if (threads < 1) threads = 1;
  csimd_context *context = calloc(1, sizeof *context);
  if (context == NULL) return NULL;
  context->kernels = kernels_of(instruction_set);
  context->reduced[CSIMD_BF16] = bf16_kernels_of(instruction_set);
  context->reduced[CSIMD_BYTES] = byte_kernels_of(instruction_set);
  context->scratch = calloc((size_t)threads, sizeof(void *));
  context->pool = pool_create(threads);
  if (context->scratch == NULL || context->pool == NULL) {
    csimd_destroy(context);
    return NULL;
  }
  return context;
}

void csimd_destroy(csimd_context *context) {
  if (context == NULL) return;
  if (context->pool != NULL) {
    for (int i = 0; context->scratch != NULL && i < pool_threads(context->pool); i++)
      free(context->scratch[i]);
    pool_destroy(context->pool);
  }
  free(context->scratch);
  free(context->shared);
  free(context);
}

void csimd_parallel(
  csimd_context *context, void (*work)(void *, long, int), void *argument, long tasks) {
  pool_run(context->pool, work, argument, tasks);
}

int csimd_reserve(csimd_context *context, long bytes) {
  if (bytes <= context->scratch_bytes) return CSIMD_OK;
  // Grown by halves, so that a slowly growing need does not allocate every time.
  long size = (larger(bytes, context->scratch_bytes * 3 / 2) + 4095) & ~4095l;
  for (int i = 0; i < pool_threads(context->pool); i++) {
    free(context->scratch[i]);
    context->scratch[i] = aligned_alloc(64, (size_t)size);
    if (context->scratch[i] == NULL) {
      context->scratch_bytes = 0;
      return CSIMD_MEMORY;
    }
  }
  context->scratch_bytes = size;
  return CSIMD_OK;
}

void *csimd_scratch(csimd_context *context, int thread) { return context->scratch[thread]; }

void *shared_scratch(csimd_context *context, long bytes) {
  if (bytes > context->shared_bytes || context->shared == NULL) {
    const long size = (larger(bytes, context->shared_bytes * 3 / 2) + 4095) & ~4095l;
    free(context->shared);
    context->shared = aligned_alloc(64, (size_t)larger(size, 4096));
    context->shared_bytes = context->shared == NULL ? 0 : larger(size, 4096);
  }
  return context->shared;
}
