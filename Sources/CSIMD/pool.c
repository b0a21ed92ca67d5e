/// Threads that take small tasks from one word, so that a thread that loses its core to a neighbour
/// holds up the job by one task at most.
///
/// `word` is the job's number in its high half and the tasks not yet taken in its low half; taking a
/// task is one compare-and-swap. A job's description stays as it is while any of its tasks is taken
/// and not done, so whoever took one may read it. Whoever finds nothing to do spins shortly, then
/// sleeps in a futex: a spinning thread is there within a tenth of a microsecond, a sleeping one
/// costs the caller a system call.
#define _GNU_SOURCE
#include "pool.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SPIN_NANOSECONDS = 60000 };

struct thread_pool {
  _Alignas(64) _Atomic uint64_t word;
  /// Counts up with every job, and at the end; what sleeping workers wait for.
  _Alignas(64) _Atomic uint32_t signal;
  _Atomic uint32_t sleepers;
  _Atomic bool closing;
  /// Tasks of the current job that are not done; what the caller waits for.
  _Alignas(64) _Atomic uint32_t left;
  _Atomic uint32_t caller_sleeps;
  _Alignas(64) void (*work)(void *, long, int);
  void *argument;
  uint32_t tasks;
  uint32_t number;
  int threads, started;
  struct worker {
    struct thread_pool *pool;
    pthread_t thread;
    int index;
  } workers[];
};

static void futex_wait(_Atomic uint32_t *address, uint32_t value) {
  syscall(SYS_futex, address, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void futex_wake(_Atomic uint32_t *address, int count) {
  syscall(SYS_futex, address, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#else
  __asm__ volatile("yield");
#endif
}

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/// Takes and does tasks until none is left to take.
static void take_part(thread_pool *pool, int thread) {
  uint64_t word = atomic_load_explicit(&pool->word, memory_order_acquire);
  while ((uint32_t)word != 0) {
    if (!atomic_compare_exchange_weak_explicit(
          &pool->word, &word, word - 1, memory_order_acq_rel, memory_order_acquire))
      continue;
    pool->work(pool->argument, (long)(pool->tasks - (uint32_t)word), thread);
    if (atomic_fetch_sub(&pool->left, 1) == 1 && thread != 0
      && atomic_load(&pool->caller_sleeps))
      futex_wake(&pool->left, 1);
    word = atomic_load_explicit(&pool->word, memory_order_acquire);
  }
}

static void *worker_main(void *argument) {
  struct worker *me = argument;
  thread_pool *pool = me->pool;
  pthread_setname_np(pthread_self(), "vbert worker");
  uint32_t seen = 0;
  for (;;) {
    int64_t end = 0;
    for (unsigned round = 0; atomic_load_explicit(&pool->signal, memory_order_acquire) == seen;) {
      if (++round & 63) {
        relax();
        continue;
      }
      int64_t time = now();
      if (end == 0) end = time + SPIN_NANOSECONDS;
      if (time < end) continue;
      atomic_fetch_add(&pool->sleepers, 1);
      futex_wait(&pool->signal, seen);
      atomic_fetch_sub(&pool->sleepers, 1);
    }
    seen = atomic_load_explicit(&pool->signal, memory_order_acquire);
    if (atomic_load(&pool->closing)) return NULL;
    take_part(pool, me->index);
  }
}

thread_pool *pool_create(int threads) {
  if (threads < 1) threads = 1;
  size_t size = sizeof(thread_pool) + (size_t)(threads - 1) * sizeof(struct worker);
  thread_pool *pool = aligned_alloc(64, (size + 63) & ~(size_t)63);
  if (pool == NULL) return NULL;
  *pool = (thread_pool){.threads = threads};
  for (int i = 0; i < threads - 1; i++) {
    pool->workers[i] = (struct worker){.pool = pool, .index = i + 1};
    if (pthread_create(&pool->workers[i].thread, NULL, worker_main, &pool->workers[i]) != 0) {
      pool_destroy(pool);
      return NULL;
    }
    pool->started++;
  }
  return pool;
}

void pool_destroy(thread_pool *pool) {
  if (pool == NULL) return;
  atomic_store(&pool->closing, true);
  atomic_fetch_add(&pool->signal, 1);
  futex_wake(&pool->signal, pool->started);
  for (int i = 0; i < pool->started; i++) pthread_join(pool->workers[i].thread, NULL);
  free(pool);
}

int pool_threads(const thread_pool *pool) { return pool->threads; }

void pool_run(thread_pool *pool, void (*work)(void *, long, int), void *argument, long tasks) {
  if (tasks <= 1 || pool->threads == 1) {
    for (long i = 0; i < tasks; i++) work(argument, i, 0);
    return;
  }
  pool->work = work;
  pool->argument = argument;
  pool->tasks = (uint32_t)tasks;
  atomic_store_explicit(&pool->left, (uint32_t)tasks, memory_order_relaxed);
  uint64_t word = (uint64_t)++pool->number << 32 | (uint32_t)tasks;
  atomic_store_explicit(&pool->word, word, memory_order_release);
  atomic_fetch_add(&pool->signal, 1);
  if (atomic_load(&pool->sleepers) != 0) futex_wake(&pool->signal, pool->threads - 1);
  take_part(pool, 0);

  int64_t end = 0;
  for (unsigned round = 0;;) {
    uint32_t left = atomic_load_explicit(&pool->left, memory_order_acquire);
    if (left == 0) return;
    if (++round & 63) {
      relax();
      continue;
    }
    int64_t time = now();
    if (end == 0) end = time + SPIN_NANOSECONDS;
    if (time < end) continue;
    atomic_store(&pool->caller_sleeps, 1);
    // Whatever was done before the flag was up is seen here; whatever comes after wakes us.
    left = atomic_load(&pool->left);
    if (left != 0) futex_wait(&pool->left, left);
    atomic_store(&pool->caller_sleeps, 0);
  }
}
