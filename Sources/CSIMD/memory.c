/// Memory that comes and goes in large runs: weights, activations, adapters.
///
/// Large pages where they fit: a forward pass walks all weights, and at 4 KiB a page the address
/// translation alone costs a tenth of it. Runs above `OWN_PAGES` are pages of their own, given back to
/// the system when they are freed: taken from the heap, adapters that come and go left ten times
/// their size in holes that aligned requests do not fill (glibc before 2.38).
#include "csimd.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { LINE = 64, OWN_PAGES = 128 << 10, LARGE_PAGE = 2 << 20 };

static size_t rounded(long bytes, long step) { return (size_t)((bytes + step - 1) / step * step); }

/// Pages that start at a multiple of a large page; what lies before and behind is given back.
static void *large_pages(size_t bytes) {
  char *from = mmap(NULL, bytes + LARGE_PAGE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (from == MAP_FAILED) return NULL;
  char *memory = (char *)(((size_t)from + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE);
  if (memory > from) munmap(from, (size_t)(memory - from));
  if (memory < from + LARGE_PAGE) munmap(memory + bytes, (size_t)(from + LARGE_PAGE - memory));
  // Only advice: where it is not taken the memory is as good, but slower.
  (void)madvise(memory, bytes, MADV_HUGEPAGE);
  return memory;
}

void *csimd_allocate(long bytes) {
  if (bytes >= LARGE_PAGE) return large_pages(rounded(bytes, LARGE_PAGE));
  if (bytes >= OWN_PAGES) {
    void *memory = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                        -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
  }
  // The address that malloc gave stands before the run.
  char *from = malloc((size_t)bytes + LINE + sizeof(void *));
  if (from == NULL) return NULL;
  char *memory = (char *)(((size_t)from + sizeof(void *) + LINE - 1) / LINE * LINE);
  ((void **)memory)[-1] = from;
  return memory;
}

void csimd_free(void *memory, long bytes) {
  if (bytes >= LARGE_PAGE)
    munmap(memory, rounded(bytes, LARGE_PAGE));
  else if (bytes >= OWN_PAGES)
    munmap(memory, (size_t)bytes);
  else
    free(((void **)memory)[-1]);
}
