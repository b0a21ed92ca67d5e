// Rows of n-grams kept in device memory: eight-way set-associative, an entry's number is its row's.
// An entry is a key (an n-gram's three ids in 63 bits, so equal keys are equal n-grams) and the number
// of the last batch that asked for it, which is both how the least recently used is found and how a row
// that a batch still reads is spared.
#include "device.h"

enum { ways = 8 };

DEVICE u32 setOf(u64 key, u32 sets) {
  u64 h = key * 0x9e3779b97f4a7c15ull;
  h = (h ^ h >> 32) * 0xff51afd7ed558ccdull;
  return (u32)((h >> 32) * sets >> 32);
}

// found[i] = address of key i's row, 0 where it is not here; what is found is stamped `now`.
extern "C" __global__ void __launch_bounds__(256)
    findRows(const u64 *wanted, int count, const u64 *keys, u32 *stamps, u32 sets, u64 rows,
             int rowBytes, u32 now, u64 *found) {
  int i = blockIdx.x * 256 + threadIdx.x;
  if (i >= count) return;
  const u64 key = wanted[i];
  u64 address = 0;
  if (key) {
    const u32 first = setOf(key, sets) * ways;
#pragma unroll
    for (int way = 0; way < ways; way += 2) {
      const ulonglong2 pair = *(const ulonglong2 *)(keys + first + way);
      const int hit = pair.x == key ? way : pair.y == key ? way + 1 : -1;
      if (hit >= 0) {
        stamps[first + hit] = now;
        address = rows + (u64)(first + hit) * rowBytes;
      }
    }
  }
  found[i] = address;
}

// Takes in the rows of `count` different keys that are not here, from `copies` (in order, rowBytes
// apart), where their set has an entry that no batch from `oldest` on asked for: the one that was not
// wanted for longest makes room. A warp a row.
extern "C" __global__ void __launch_bounds__(256)
    admitRows(const u64 *wanted, const char *copies, int count, u64 *keys, u32 *stamps, u32 sets,
              char *rows, int rowBytes, u32 now, u32 oldest) {
  const int i = blockIdx.x * 8 + (threadIdx.x >> 5), lane = threadIdx.x & 31;
  if (i >= count) return;
  const u64 key = wanted[i];
  const u32 first = setOf(key, sets) * ways;
  int entry = -1;
  for (int attempt = 0; attempt < ways && entry < 0; attempt++) {
    // Low three bits: which way.
    u32 stamp = lane < ways ? *(volatile u32 *)(stamps + first + lane) : 0xffffffffu;
    u64 best = (u64)stamp << 3 | (lane & 7);
#pragma unroll
    for (int step = 16; step; step >>= 1) {
      u64 other = __shfl_xor_sync(0xffffffffu, best, step);
      best = other < best ? other : best;
    }
    const u32 least = (u32)(best >> 3);
    if (least >= oldest) return;
    // Another row of this launch may want the same entry: whoever stamps it first has it.
    int mine = lane == 0 && atomicCAS(stamps + first + (best & 7), least, now) == least;
    if (__shfl_sync(0xffffffffu, mine, 0)) entry = first + (int)(best & 7);
  }
  if (entry < 0) return;
  const uint4 *from = (const uint4 *)(copies + (u64)i * rowBytes);
  uint4 *to = (uint4 *)(rows + (u64)entry * rowBytes);
  for (int v = lane; v < rowBytes / 16; v += 32) to[v] = from[v];
  if (lane == 0) keys[entry] = key;
}
