/* Symbol visibility, and the C++ guard. Everything public is marked TONNX_API; all else stays inside the library.
 *
 * What holds for every header, unless it says otherwise:
 * - A handle is used by one thread at a time; different handles by any threads at once, but those that borrow each
 *   other (a trainer its model and data) count as one. tonnx_trainer_stop alone may come from anywhere.
 * - `T **out` is NULL after a failure and the caller's to free after success; a borrowed handle must outlive what
 *   borrows it; freeing NULL is legal.
 * - Strings that calls hand out are borrowed from the handle and change no more than it does. */
#ifndef TONNX_RUNTIME_API_H
#define TONNX_RUNTIME_API_H

#if defined(__GNUC__)
#define TONNX_API __attribute__((visibility("default")))
#define TONNX_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#define TONNX_API
#define TONNX_PRINTF(fmt, first)
#endif

#ifdef __cplusplus
#define TONNX_BEGIN extern "C" {
#define TONNX_END }
#else
#define TONNX_BEGIN
#define TONNX_END
#endif

#endif
