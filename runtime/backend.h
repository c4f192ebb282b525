/* Backends: what can execute a program. */
#ifndef TONNX_RUNTIME_BACKEND_H
#define TONNX_RUNTIME_BACKEND_H

#include <stddef.h>

#include "log.h"
#include "status.h"

TONNX_BEGIN

/* What matrix products are made of: floats, or floats rounded to bf16 (8 bits of mantissa), summed in float either way. Weights,
 * moments and everything else are floats in both. */
typedef enum tonnx_precision { TONNX_FP32, TONNX_BF16 } tonnx_precision;

/* One device of one backend. Strings live as long as the call that hands it out. */
typedef struct tonnx_device_info {
    const char *backend; /* "cpu", "reference", … */
    const char *device;  /* what it runs on: "AMD EPYC, AVX-512, 2 threads" */
    const char *detail;  /* libraries, limits, warnings; "" where none */
} tonnx_device_info;

/* Calls `visit` for every device of every backend of this build. */
TONNX_API tonnx_status tonnx_devices(void (*visit)(void *user, const tonnx_device_info *info), void *user);

/* Tries on a backend's device ("vulkan", "vulkan:1"; "auto") which of its ways to do a product is fastest, shape by shape, and
 * keeps that in the user's cache folder for runs to come. No result depends on it. `line` is told what was found. */
TONNX_API tonnx_status tonnx_backend_tune(const char *backend, const tonnx_log *log,
                                          void (*line)(void *user, const char *text), void *user);

TONNX_END

#endif
