// Functions marked CLONED are compiled three times (baseline, AVX2 + FMA, AVX-512) and the loader
// picks one per machine: plain loops that the compiler vectorises need no intrinsics.
#pragma once

#if defined(__x86_64__)
#define CLONED __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define CLONED
#endif
#define INLINED static inline __attribute__((always_inline))

// Sums may be split over lanes, in an order fixed at compile time: the same on every run.
#define LANES _Pragma("clang fp reassociate(on) contract(fast)")
