/// softmax(q k^T / sqrt(size)) v inside each sequence of a packed batch; a task is a span times a
/// head.
///
/// Keys come in blocks of a fixed length, so scratch memory does not grow with the sequence; between
/// blocks a running largest score and sum are kept per query row, and the output, which is the
/// running weighted sum, shrinks whenever the largest score grows (Milakov and Gimelshein 2018).
#include <math.h>

#include "context.h"

enum {
  KEYS = 512,
  /// Up to so many rows sequences (n-grams) are done without packing.
  FEW = 4,
  /// Register tiles of query rows that share a block of scores.
  TILES = 4,
};

struct attention {
  csimd_context *context;
  const csimd_span *spans;
  const int32_t *offsets;
  const float *qkv;
  long ld, heads, size;
  /// [heads, ldb], in the middle of a row the bias of distance 0; NULL for none.
  const float *bias;
  long ldb;
  float *out;
  long ldo;
  float scale;
};

struct pieces {
  /// Keys transposed and values, in panels; scores; running state per query row.
  float *keys, *values, *scores, *top, *sum, *old;
};

static long padded(long count, long panel) { return ceiling(count, panel) * panel; }

static long count_pieces(const struct kernels *kernels, long size, long keys, long queries) {
  return padded(keys, kernels->panel) * size + padded(size, kernels->panel) * keys
    + TILES * kernels->tile_rows * padded(keys, kernels->panel) + 3 * padded(queries, 16);
}

static struct pieces cut_pieces(
  float *memory, const struct kernels *kernels, long size, long keys, long queries
) {
  struct pieces at;
  at.keys = memory;
  at.values = at.keys + padded(keys, kernels->panel) * size;
  at.scores = at.values + padded(size, kernels->panel) * keys;
  at.top = at.scores + TILES * kernels->tile_rows * padded(keys, kernels->panel);
  at.sum = at.top + padded(queries, 16);
  at.old = at.sum + padded(queries, 16);
  return at;
}

/// Query rows of a tile group against a packed block of keys.
static void attend_block(
  const struct attention *job, const struct pieces *at, const float *q, long row, long rows,
  long keys, const float *bias, bool first, float *out
) {
  const struct kernels *kernels = job->context->kernels;
  const long panel = kernels->panel, lds = padded(keys, panel);
  struct product product = {
    .a = q, .lda = job->ld, .ldb = panel, .ldc = lds, .rows = rows, .depth = job->size};
  for (long column = 0; column < keys; column += panel) {
    product.b = at->keys + column * job->size;
    product.c = at->scores + column;
    product.columns = smaller(panel, keys - column);
    kernels->multiply(&product);
  }
  if (bias != NULL) kernels->add_bias(at->scores, lds, rows, keys, bias, 1 / job->scale);
  kernels->softmax(
    at->scores, lds, rows, keys, job->scale, at->top + row, at->sum + row, at->old + row);
  if (!first) kernels->scale_rows(out, job->ldo, rows, job->size, at->old + row, out, job->ldo);
  product = (struct product){
    .a = at->scores, .lda = lds, .ldb = panel, .ldc = job->ldo, .rows = rows, .depth = keys,
    .to = first ? TO_STORE : TO_ADD};
  for (long column = 0; column < job->size; column += panel) {
    product.b = at->values + column * keys;
    product.c = out + column;
    product.columns = smaller(panel, job->size - column);
    kernels->multiply(&product);
  }
}

/// Query rows from ..< to of one sequence, one head; bias, where there is one, is that of distance 0.
static void attend(
  const struct attention *job, float *scratch, const float *q, long length, long from, long to,
  const float *bias, float *out
) {
  const struct kernels *kernels = job->context->kernels;
  const long panel = kernels->panel, size = job->size, width = job->heads * size;
  const long most = smaller(length, KEYS), group = TILES * kernels->tile_rows;
  const struct pieces at = cut_pieces(scratch, kernels, size, most, to - from);
  for (long r = 0; r < to - from; r++) {
    at.top[r] = -INFINITY;
    at.sum[r] = 0;
  }
  const long blocks = ceiling(length, KEYS);
  for (long b = 0; b < blocks; b++) {
    long key, end;
    piece(length, blocks, b, &key, &end);
    const float *k = q + width + key * job->ld, *v = k + width;
    for (long j = 0; j < end - key; j += panel)
      kernels->pack(
        k + j * job->ld, 1, job->ld, size, smaller(panel, end - key - j), 1, at.keys + j * size);
    for (long j = 0; j < size; j += panel)
      kernels->pack(
        v + j, job->ld, 1, end - key, smaller(panel, size - j), 1, at.values + j * (end - key));
    for (long row = from; row < to; row += group)
      attend_block(
        job, &at, q + row * job->ld, row - from, smaller(group, to - row), end - key,
        bias == NULL ? NULL : bias + key - row, b == 0, out + row * job->ldo);
  }
  for (long r = 0; r < to - from; r++) at.sum[r] = 1 / at.sum[r];
  float *rows = out + from * job->ldo;
  kernels->scale_rows(rows, job->ldo, to - from, size, at.sum, rows, job->ldo);
}

static void attention_task(void *argument, long task, int thread) {
  const struct attention *job = argument;
  const csimd_span span = job->spans[task / job->heads];
  const long head = task % job->heads, column = head * job->size, width = job->heads * job->size;
  const float *bias = job->bias == NULL ? NULL : job->bias + head * job->ldb + job->ldb / 2;
  for (long s = span.first; s < span.end; s++) {
    const long start = job->offsets[s], length = job->offsets[s + 1] - start;
    const float *q = job->qkv + start * job->ld + column;
    float *out = job->out + start * job->ldo + column;
    if (length <= FEW) {
      job->context->kernels->attend_few(
        q, q + width, q + 2 * width, job->ld, length, job->size, job->scale, bias, out, job->ldo);
    } else {
      const bool part = span.end - span.first == 1;
      attend(
        job, csimd_scratch(job->context, thread), q, length, part ? span.from : 0,
        part ? span.to : length, bias, out);
    }
  }
}

int csimd_attention(
  csimd_context *context, const csimd_span *spans, long count, const int32_t *offsets,
  const float *qkv, long ldqkv, long heads, long size, const float *bias, long ldb, float *out,
  long ldo
) {
  long keys = 0, queries = 0;
  for (long i = 0; i < count; i++) {
    for (long s = spans[i].first; s < spans[i].end; s++) {
      const long length = offsets[s + 1] - offsets[s];
      keys = larger(keys, smaller(length, KEYS));
      const bool part = spans[i].end - spans[i].first == 1;
      queries = larger(queries, part ? spans[i].to - spans[i].from : length);
    }
  }
  const long bytes = count_pieces(context->kernels, size, keys, queries) * (long)sizeof(float);
  if (csimd_reserve(context, bytes) != CSIMD_OK) return CSIMD_MEMORY;
  struct attention job = {
    .context = context,
    .spans = spans,
    .offsets = offsets,
    .qkv = qkv,
    .ld = ldqkv,
    .heads = heads,
    .size = size,
    .bias = bias,
    .ldb = ldb,
    .out = out,
    .ldo = ldo,
    .scale = 1 / sqrtf((float)size),
  };
  csimd_parallel(context, attention_task, &job, count * heads);
  return CSIMD_OK;
}
