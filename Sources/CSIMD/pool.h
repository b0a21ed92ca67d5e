/// A pool of threads that share the tasks of one job at a time.
#pragma once

typedef struct thread_pool thread_pool;

/// The caller counts as one thread. NULL when a thread cannot be had.
thread_pool *pool_create(int threads);
void pool_destroy(thread_pool *);
int pool_threads(const thread_pool *);
/// As csimd_parallel.
void pool_run(
  thread_pool *, void (*work)(void *argument, long task, int thread), void *argument, long tasks);
