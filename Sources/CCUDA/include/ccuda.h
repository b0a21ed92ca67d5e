// NVIDIA's libraries without NVIDIA's headers: the functions that vbert calls, as tables of
// pointers filled by dlsym. Nothing of CUDA is needed to build, and a test may fill a table itself.
//
// Names, argument orders and numbers are those of the CUDA driver API, NVRTC and cuBLASLt reference
// manuals; handles are opaque. All functions return 0 for success.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef uint64_t ccuda_address;
// The libraries' pointers to things of their own; 0 is none.
typedef uint64_t ccuda_handle;

_Static_assert(sizeof(void *) == sizeof(ccuda_handle), "handles are passed as pointers are");

// The driver, libcuda.so.1. Contexts, streams, events, modules and functions are handles.
typedef struct ccuda_driver {
  int (*init)(unsigned flags);
  int (*driver_version)(int *version);
  int (*device_count)(int *count);
  int (*device_get)(int *device, int ordinal);
  int (*device_name)(char *name, int capacity, int device);
  int (*device_attribute)(int *value, int attribute, int device);
  int (*device_total_memory)(size_t *bytes, int device);
  int (*context_retain)(ccuda_handle *context, int device);
  int (*context_release)(int device);
  int (*context_set)(ccuda_handle context);
  int (*memory_info)(size_t *free, size_t *total);
  int (*memory_allocate)(ccuda_address *address, size_t bytes);
  int (*memory_free)(ccuda_address address);
  int (*host_allocate)(void **memory, size_t bytes, unsigned flags);
  int (*host_free)(void *memory);
  int (*copy_to_device)(ccuda_address to, const void *from, size_t bytes, ccuda_handle stream);
  int (*copy_to_host)(void *to, ccuda_address from, size_t bytes, ccuda_handle stream);
  int (*copy_on_device)(
      ccuda_address to, ccuda_address from, size_t bytes, ccuda_handle stream);
  int (*clear)(ccuda_address to, unsigned char value, size_t bytes, ccuda_handle stream);
  int (*stream_create)(ccuda_handle *stream, unsigned flags);
  int (*stream_destroy)(ccuda_handle stream);
  int (*stream_synchronize)(ccuda_handle stream);
  int (*stream_wait)(ccuda_handle stream, ccuda_handle event, unsigned flags);
  int (*event_create)(ccuda_handle *event, unsigned flags);
  int (*event_destroy)(ccuda_handle event);
  int (*event_record)(ccuda_handle event, ccuda_handle stream);
  int (*event_synchronize)(ccuda_handle event);
  int (*event_query)(ccuda_handle event);
  int (*event_elapsed)(float *milliseconds, ccuda_handle start, ccuda_handle end);
  int (*module_load)(ccuda_handle *module, const void *image);
  int (*module_unload)(ccuda_handle module);
  int (*module_function)(ccuda_handle *function, ccuda_handle module, const char *name);
  int (*function_attribute)(ccuda_handle function, int attribute, int value);
  int (*launch)(
      ccuda_handle function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
      unsigned blockY, unsigned blockZ, unsigned sharedBytes, ccuda_handle stream, void **parameters,
      void **extra);
  int (*error_name)(int error, const char **name);
  int (*error_string)(int error, const char **text);
} ccuda_driver;

// The run-time compiler, libnvrtc.so.
typedef struct ccuda_compiler {
  int (*version)(int *major, int *minor);
  int (*architecture_count)(int *count);
  int (*architectures)(int *list);
  int (*create)(
      ccuda_handle *program, const char *source, const char *name, int headerCount,
      const char *const *headers, const char *const *headerNames);
  int (*destroy)(ccuda_handle *program);
  int (*compile)(ccuda_handle program, int optionCount, const char *const *options);
  int (*log_size)(ccuda_handle program, size_t *bytes);
  int (*log)(ccuda_handle program, char *text);
  int (*cubin_size)(ccuda_handle program, size_t *bytes);
  int (*cubin)(ccuda_handle program, char *bytes);
} ccuda_compiler;

typedef struct ccuda_algorithm {
  uint64_t data[8];
} ccuda_algorithm;

// cublasLtMatmulHeuristicResult_t.
typedef struct ccuda_choice {
  ccuda_algorithm algorithm;
  size_t workspaceBytes;
  int status;
  float waves;
  int reserved[4];
} ccuda_choice;

// Matrix products, libcublasLt.so.
typedef struct ccuda_blas {
  size_t (*version)(void);
  int (*create)(ccuda_handle *handle);
  int (*destroy)(ccuda_handle handle);
  int (*operation_create)(ccuda_handle *operation, int computeType, int scaleType);
  int (*operation_destroy)(ccuda_handle operation);
  int (*operation_set)(ccuda_handle operation, int attribute, const void *value, size_t bytes);
  int (*layout_create)(ccuda_handle *layout, int type, uint64_t rows, uint64_t columns, int64_t stride);
  int (*layout_destroy)(ccuda_handle layout);
  int (*preference_create)(ccuda_handle *preference);
  int (*preference_destroy)(ccuda_handle preference);
  int (*preference_set)(ccuda_handle preference, int attribute, const void *value, size_t bytes);
  int (*choose)(
      ccuda_handle handle, ccuda_handle operation, ccuda_handle a, ccuda_handle b, ccuda_handle c, ccuda_handle d, ccuda_handle preference,
      int wanted, ccuda_choice *choices, int *found);
  int (*multiply)(
      ccuda_handle handle, ccuda_handle operation, const void *alpha, ccuda_address a, ccuda_handle aLayout,
      ccuda_address b, ccuda_handle bLayout, const void *beta, ccuda_address c, ccuda_handle cLayout,
      ccuda_address d, ccuda_handle dLayout, const ccuda_algorithm *algorithm, ccuda_address workspace,
      size_t workspaceBytes, ccuda_handle stream);
} ccuda_blas;

// Opens a shared library by path or by a name for the loader; NULL, and why in `reason`, if it is
// not to be had. Libraries stay open until the process ends.
void *ccuda_open(const char *name, char *reason, size_t capacity);
// Path of the file that an open library came from; false if unknown.
int ccuda_path(void *library, const char *symbol, char *path, size_t capacity);

// Fill a table. The name of the first function that the library lacks, or NULL when all are there.
const char *ccuda_bind_driver(void *library, ccuda_driver *table);
const char *ccuda_bind_compiler(void *library, ccuda_compiler *table);
const char *ccuda_bind_blas(void *library, ccuda_blas *table);

// The kernels' source text, by file name; ends with a NUL. NULL for a name that is not there.
const char *ccuda_source(const char *name);

// Lays W [rows, columns] fp32 out as bf16 fragments (kernels/device.h), ceil(rows / 16) x
// ceil(columns / 16) of 512 bytes, columns fastest, zeros beyond the edge.
void ccuda_pack_fragments(const float *w, size_t rows, size_t columns, uint16_t *to);

// Entries first ..< first + count of a list of rows, whose sum is added to row `target` of a table; a
// negative target is row -1 - target of the partial sums (kernels/gather.cu).
typedef struct ccuda_chunk {
  int32_t first, count, target;
} ccuda_chunk;

enum { ccuda_scatter_levels = 8 };

// Plans table[indices[i]] += row i / terms for all i, in an order that depends on the indices alone.
// `list` gets the rows in the order of their targets; `chunks` what each level adds up, levels one
// after another, levelEnds[l] behind level l: the first level's chunks count in `list`, the others' in
// the partial sums, of which there are *partials. Scratch: ends [tableRows], runs [count]. Capacity:
// list [count], chunks [count + count / 32 + 8], levelEnds [ccuda_scatter_levels]. Returns the number
// of levels. O(count + tableRows).
size_t ccuda_plan_scatter(
    const int32_t *indices, size_t count, int32_t terms, int32_t tableRows, int32_t *ends,
    int32_t *list, ccuda_chunk *runs, ccuda_chunk *chunks, size_t *levelEnds, int32_t *partials);
