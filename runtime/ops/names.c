#include "runtime/ops/names_impl.h"

#include <ctype.h>
#include <string.h>

const char *tonnx__unless_none(const char *text)
{
    return strcmp(text, "none") ? text : "";
}

static int plain(char c)
{
    return c == '-' ? '_' : tolower((unsigned char)c);
}

bool tonnx__same_name(const char *name, size_t length, const char *id)
{
    if (strlen(id) != length) return false;
    for (size_t i = 0; i < length; i++)
        if (plain(name[i]) != plain(id[i])) return false;
    return true;
}
