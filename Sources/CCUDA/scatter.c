// Which rows are added up for which row of a table, in pieces that one thread can walk.
#include "ccuda.h"

#include <string.h>

enum { longest = 64 };

size_t ccuda_plan_scatter(
    const int32_t *indices, size_t count, int32_t terms, int32_t tableRows, int32_t *ends,
    int32_t *list, ccuda_chunk *runs, ccuda_chunk *chunks, size_t *levelEnds, int32_t *partials) {
  // A counting sort, so that entries of one row keep their order.
  memset(ends, 0, sizeof *ends * (size_t)tableRows);
  for (size_t i = 0; i < count; i++)
    if (indices[i] >= 0) ends[indices[i]]++;
  int32_t sum = 0;
  size_t runCount = 0;
  for (int32_t row = 0; row < tableRows; row++) {
    int32_t mine = ends[row];
    if (mine) runs[runCount++] = (ccuda_chunk){sum, mine, row};
    ends[row] = sum;
    sum += mine;
  }
  for (size_t i = 0; i < count; i++)
    if (indices[i] >= 0) list[ends[indices[i]]++] = (int32_t)(i / (size_t)terms);

  // A run longer than a chunk leaves partial sums side by side: a run of the next level.
  size_t made = 0, levels = 0;
  *partials = 0;
  while (runCount) {
    size_t next = 0;
    for (size_t r = 0; r < runCount; r++) {
      const ccuda_chunk run = runs[r];
      if (run.count <= longest) {
        chunks[made++] = run;
        continue;
      }
      runs[next++] = (ccuda_chunk){*partials, (run.count + longest - 1) / longest, run.target};
      for (int32_t at = 0; at < run.count; at += longest) {
        int32_t part = run.count - at < longest ? run.count - at : longest;
        chunks[made++] = (ccuda_chunk){run.first + at, part, -1 - (*partials)++};
      }
    }
    levelEnds[levels++] = made;
    runCount = next;
  }
  return levels;
}
