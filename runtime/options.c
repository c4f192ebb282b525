#include "runtime/options_impl.h"

#include <string.h>

tonnx_status tonnx__options_lay(void *to, size_t known, const void *from, const char *macro)
{
    size_t size = 0;
    if (!from) return TONNX_OK;
    memcpy(&size, from, sizeof size);
    if (size < sizeof size || size > known)
        return tonnx__fail(TONNX_BAD_USAGE, "options of %zu bytes, this library knows %zu: start from %s", size, known,
                           macro);
    memcpy(to, from, size);
    return TONNX_OK;
}
