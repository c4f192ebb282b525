#include "runtime/text_impl.h"

#include <stdarg.h>
#include <stdio.h>

void tonnx__text_put(tonnx__text *text, const char *format, ...)
{
    va_list list, again;
    va_start(list, format);
    va_copy(again, list);
    const size_t more = (size_t)vsnprintf(NULL, 0, format, list);
    if (!text->status) text->status = tonnx__grow(&text->at, &text->room, text->length + more + 1, 1);
    if (!text->status) {
        vsnprintf(text->at + text->length, more + 1, format, again);
        text->length += more;
    }
    va_end(again);
    va_end(list);
}
