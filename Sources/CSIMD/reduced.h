/// How maps of a reduced type lie in memory, for the driver that multiplies by them.
#pragma once
#include "context.h"

struct reduced_format {
  /// Of one panel, and elements from one row to the next.
  long (*panel_bytes)(const struct reduced_kernels *, long inputs);
  long (*row_elements)(long inputs);
  /// Floats of a row's ranges.
  long (*ranges)(long inputs);
  /// Writes the column at place j of a panel of zeros.
  void (*pack_column)(
    const struct reduced_kernels *, const float *weight, long inputs, void *panel, long j);
};

extern const struct reduced_format bf16_format, byte_format;
