/// Runs one kernel a number of times, for scripts/kernel-counts to count its instructions:
/// count INSTRUCTION_SET KERNEL TIMES.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csimd.h"

enum { ROWS = 40, HIDDEN = 384, WIDE = 1536, HEADS = 12 };

/// Values as noise is, the same on every run.
static float *noise(long count) {
  float *values = csimd_allocate(count * (long)sizeof(float));
  unsigned state = 1;
  for (long i = 0; values != NULL && i < count; i++) {
    state = state * 1664525u + 1013904223u;
    values[i] = (float)(state >> 8) / (float)(1 << 23) - 1;
  }
  return values;
}

int main(int count, char **words) {
  if (count != 4) return 2;
  const int set = atoi(words[1]);
  const char *kernel = words[2];
  const long times = atol(words[3]);
  if (!csimd_supported(set)) return 3;
  csimd_context *context = csimd_create(1, set);
  float *x = noise(ROWS * WIDE), *out = noise(ROWS * WIDE), *weight = noise(HIDDEN * WIDE);
  if (context == NULL || x == NULL || out == NULL || weight == NULL) return 1;

  csimd_matrix matrix = csimd_pack(
    context, csimd_allocate(csimd_packed_count(context, WIDE, HIDDEN) * (long)sizeof(float)), weight,
    NULL, WIDE, HIDDEN, 1);
  csimd_reduced_matrix bytes = csimd_pack_reduced(
    context, CSIMD_BYTES, csimd_allocate(csimd_packed_reduced(context, CSIMD_BYTES, WIDE, HIDDEN)), weight,
    NULL, WIDE, HIDDEN);
  csimd_reduced_matrix bf16 = csimd_pack_reduced(
    context, CSIMD_BF16, csimd_allocate(csimd_packed_reduced(context, CSIMD_BF16, WIDE, HIDDEN)), weight,
    NULL, WIDE, HIDDEN);
  const csimd_norm norm = {weight, weight + HIDDEN, 1e-12f, HIDDEN};
  const int32_t offsets[] = {0, ROWS};
  const csimd_span span = {0, 1, 0, ROWS};

  int status = CSIMD_OK;
  for (long i = 0; i < times && status == CSIMD_OK; i++) {
    if (strcmp(kernel, "linear-gelu") == 0)
      status = csimd_linear(context, &matrix, x, HIDDEN, ROWS, out, WIDE, CSIMD_GELU);
    else if (strcmp(kernel, "linear-bytes-gelu") == 0)
      status = csimd_linear_reduced(context, &bytes, x, HIDDEN, ROWS, out, WIDE, CSIMD_GELU);
    else if (strcmp(kernel, "linear-bf16-gelu") == 0)
      status = csimd_linear_reduced(context, &bf16, x, HIDDEN, ROWS, out, WIDE, CSIMD_GELU);
    else if (strcmp(kernel, "attention") == 0)
      status = csimd_attention(
        context, &span, 1, offsets, x, 3 * HIDDEN, HEADS, HIDDEN / HEADS, NULL, 0, out, HIDDEN);
    else if (strcmp(kernel, "add-norm") == 0)
      csimd_add_norm(context, norm, x, HIDDEN, out, HIDDEN, ROWS, x, HIDDEN);
    else return 2;
  }
  return status == CSIMD_OK ? 0 : 1;
}
