/// What a context holds; for the C files of this folder only.
#pragma once
#include <stddef.h>

#include "csimd.h"
#include "kernels.h"
#include "pool.h"

struct csimd_context {
  thread_pool *pool;
  const struct kernels *kernels;
  /// By csimd_type.
  const struct reduced_kernels *reduced[2];
  /// One piece of scratch memory a thread.
  void **scratch;
  long scratch_bytes;
  /// One piece for all threads together, for operands packed on the fly.
  void *shared;
  long shared_bytes;
};

/// Aligned to 64; valid until the next call. NULL: no memory.
void *shared_scratch(csimd_context *, long bytes);

static inline long ceiling(long n, long of) { return (n + of - 1) / of; }
static inline long smaller(long a, long b) { return a < b ? a : b; }
static inline long larger(long a, long b) { return a > b ? a : b; }

/// Piece i of `total` things cut into `pieces` of nearly equal size: from ..< to.
static inline void piece(long total, long pieces, long i, long *from, long *to) {
  *from = total * i / pieces;
  *to = total * (i + 1) / pieces;
}
