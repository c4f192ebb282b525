#ifndef TONNX_FORMAT_DATA_SAFETENSORS_IMPL_H
#define TONNX_FORMAT_DATA_SAFETENSORS_IMPL_H

#include "runtime/tensor.h"

/* "F32", "BF16", …: the format's name of an element type; NULL where it has none. */
const char *tonnx__safetensors_type(tonnx_dtype dtype);

#endif
