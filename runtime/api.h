/* Symbol visibility, and the C++ guard. Everything public is marked TONNX_API; all else stays inside the library. */
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
