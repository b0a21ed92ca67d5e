// Opening the libraries and finding their functions.
#define _GNU_SOURCE
#include "ccuda.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

void *ccuda_open(const char *name, char *reason, size_t capacity) {
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library && capacity) {
    const char *error = dlerror();
    snprintf(reason, capacity, "%s", error ? error : "unknown");
  }
  return library;
}

int ccuda_path(void *library, const char *symbol, char *path, size_t capacity) {
  Dl_info info;
  void *address = dlsym(library, symbol);
  if (!address || !dladdr(address, &info) || !info.dli_fname) return 0;
  snprintf(path, capacity, "%s", info.dli_fname);
  return 1;
}

typedef struct binding {
  size_t offset;
  const char *symbol;
} binding;

// Function pointers and object pointers have one size wherever dlsym exists (POSIX).
static const char *bind(void *library, void *table, const binding *list, size_t count) {
  for (size_t i = 0; i < count; i++) {
    void *address = dlsym(library, list[i].symbol);
    if (!address) return list[i].symbol;
    memcpy((char *)table + list[i].offset, &address, sizeof address);
  }
  return NULL;
}

#define BIND(list) bind(library, table, list, sizeof list / sizeof *list)

const char *ccuda_bind_driver(void *library, ccuda_driver *table) {
#define AT(field, symbol) {offsetof(ccuda_driver, field), symbol}
  static const binding list[] = {
      AT(init, "cuInit"),
      AT(driver_version, "cuDriverGetVersion"),
      AT(device_count, "cuDeviceGetCount"),
      AT(device_get, "cuDeviceGet"),
      AT(device_name, "cuDeviceGetName"),
      AT(device_attribute, "cuDeviceGetAttribute"),
      AT(device_total_memory, "cuDeviceTotalMem_v2"),
      AT(context_retain, "cuDevicePrimaryCtxRetain"),
      AT(context_release, "cuDevicePrimaryCtxRelease_v2"),
      AT(context_set, "cuCtxSetCurrent"),
      AT(memory_info, "cuMemGetInfo_v2"),
      AT(memory_allocate, "cuMemAlloc_v2"),
      AT(memory_free, "cuMemFree_v2"),
      AT(host_allocate, "cuMemHostAlloc"),
      AT(host_free, "cuMemFreeHost"),
      AT(copy_to_device, "cuMemcpyHtoDAsync_v2"),
      AT(copy_to_host, "cuMemcpyDtoHAsync_v2"),
      AT(copy_on_device, "cuMemcpyDtoDAsync_v2"),
      AT(clear, "cuMemsetD8Async"),
      AT(stream_create, "cuStreamCreate"),
      AT(stream_destroy, "cuStreamDestroy_v2"),
      AT(stream_synchronize, "cuStreamSynchronize"),
      AT(stream_wait, "cuStreamWaitEvent"),
      AT(event_create, "cuEventCreate"),
      AT(event_destroy, "cuEventDestroy_v2"),
      AT(event_record, "cuEventRecord"),
      AT(event_synchronize, "cuEventSynchronize"),
      AT(event_query, "cuEventQuery"),
      AT(event_elapsed, "cuEventElapsedTime"),
      AT(module_load, "cuModuleLoadData"),
      AT(module_unload, "cuModuleUnload"),
      AT(module_function, "cuModuleGetFunction"),
      AT(function_attribute, "cuFuncSetAttribute"),
      AT(launch, "cuLaunchKernel"),
      AT(error_name, "cuGetErrorName"),
      AT(error_string, "cuGetErrorString"),
  };
#undef AT
  return BIND(list);
}

const char *ccuda_bind_compiler(void *library, ccuda_compiler *table) {
#define AT(field, symbol) {offsetof(ccuda_compiler, field), symbol}
  static const binding list[] = {
      AT(version, "nvrtcVersion"),
      AT(architecture_count, "nvrtcGetNumSupportedArchs"),
      AT(architectures, "nvrtcGetSupportedArchs"),
      AT(create, "nvrtcCreateProgram"),
      AT(destroy, "nvrtcDestroyProgram"),
      AT(compile, "nvrtcCompileProgram"),
      AT(log_size, "nvrtcGetProgramLogSize"),
      AT(log, "nvrtcGetProgramLog"),
      AT(cubin_size, "nvrtcGetCUBINSize"),
      AT(cubin, "nvrtcGetCUBIN"),
  };
#undef AT
  return BIND(list);
}

const char *ccuda_bind_blas(void *library, ccuda_blas *table) {
#define AT(field, symbol) {offsetof(ccuda_blas, field), symbol}
  static const binding list[] = {
      AT(version, "cublasLtGetVersion"),
      AT(create, "cublasLtCreate"),
      AT(destroy, "cublasLtDestroy"),
      AT(operation_create, "cublasLtMatmulDescCreate"),
      AT(operation_destroy, "cublasLtMatmulDescDestroy"),
      AT(operation_set, "cublasLtMatmulDescSetAttribute"),
      AT(layout_create, "cublasLtMatrixLayoutCreate"),
      AT(layout_destroy, "cublasLtMatrixLayoutDestroy"),
      AT(preference_create, "cublasLtMatmulPreferenceCreate"),
      AT(preference_destroy, "cublasLtMatmulPreferenceDestroy"),
      AT(preference_set, "cublasLtMatmulPreferenceSetAttribute"),
      AT(choose, "cublasLtMatmulAlgoGetHeuristic"),
      AT(multiply, "cublasLtMatmul"),
  };
#undef AT
  return BIND(list);
}
