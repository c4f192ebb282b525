/* What a tensor of a file is: element type, shape, name. */
#ifndef TONNX_RUNTIME_TENSOR_H
#define TONNX_RUNTIME_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api.h"

TONNX_BEGIN

/* Element types, with ONNX's numbers (TensorProto.DataType), so that any number of a file can be kept. */
typedef enum tonnx_dtype {
    TONNX_DTYPE_NONE = 0,
    TONNX_FLOAT = 1,
    TONNX_UINT8 = 2,
    TONNX_INT8 = 3,
    TONNX_UINT16 = 4,
    TONNX_INT16 = 5,
    TONNX_INT32 = 6,
    TONNX_INT64 = 7,
    TONNX_STRING = 8,
    TONNX_BOOL = 9,
    TONNX_FLOAT16 = 10,
    TONNX_DOUBLE = 11,
    TONNX_UINT32 = 12,
    TONNX_UINT64 = 13,
    TONNX_BFLOAT16 = 16
} tonnx_dtype;

/* "float32", "int64", …; "type N" is never returned: unknown numbers give "unknown". */
TONNX_API const char *tonnx_dtype_name(tonnx_dtype dtype);

/* Bytes of one element; 0 for types that tonnx does not read (strings, 4-bit and 8-bit floats, complex). */
TONNX_API size_t tonnx_dtype_size(tonnx_dtype dtype);

typedef struct tonnx_tensor_info {
    const char *name; /* borrowed from the model */
    tonnx_dtype dtype;
    size_t rank;
    const int64_t *dims; /* `rank` of them, borrowed from the model */
    size_t count;        /* elements: the product of dims; 1 for a scalar */
    bool changed;        /* holds other values than the file it came from */
} tonnx_tensor_info;

TONNX_END

#endif
