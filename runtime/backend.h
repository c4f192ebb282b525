/* Backends: what can execute a program. */
#ifndef TONNX_RUNTIME_BACKEND_H
#define TONNX_RUNTIME_BACKEND_H

#include <stddef.h>

#include "status.h"

TONNX_BEGIN

/* One device of one backend. Strings live as long as the call that hands it out. */
typedef struct tonnx_device_info {
    const char *backend; /* "cpu", "reference", … */
    const char *device;  /* what it runs on: "AMD EPYC, AVX-512, 2 threads" */
    const char *detail;  /* libraries, limits, warnings; "" where none */
} tonnx_device_info;

/* Calls `visit` for every device of every backend of this build. */
TONNX_API tonnx_status tonnx_devices(void (*visit)(void *user, const tonnx_device_info *info), void *user);

TONNX_END

#endif
