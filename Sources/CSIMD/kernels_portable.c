/// The kernels in portable.
#include "kernels.h"

#include <string.h>

#include "half.h"

#define NAME "portable"
#define KERNELS kernels_portable
#define BYTES bytes_portable
#define BF16 bf16_portable
#define TILE_LIMIT 6
#include "kernels/vector_portable.h"
#include "kernels/table.h"
#include "kernels/bytes_portable.h"
#include "kernels/bytes.h"
#include "kernels/bf16_widened.h"
#include "kernels/bf16.h"
