/// Large memory in large pages: a forward pass walks all weights, and at 4 KiB a page the address
/// translation alone costs a tenth of it.
#include "csimd.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { LARGE_PAGE = 2 << 20 };

void *csimd_allocate(long bytes) {
  const long step = bytes < LARGE_PAGE ? 64 : LARGE_PAGE;
  // Whole pages are only reserved: what is never touched takes no memory.
  void *memory = aligned_alloc((size_t)step, (size_t)((bytes + step - 1) / step * step));
  if (memory != NULL && step == LARGE_PAGE)
    // Only advice: where it is not taken the memory is as good, but slower.
    (void)madvise(memory, (size_t)bytes / LARGE_PAGE * LARGE_PAGE, MADV_HUGEPAGE);
  return memory;
}
