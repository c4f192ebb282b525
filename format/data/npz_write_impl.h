/* An .npz being written: arrays one after the other, stored, as numpy.savez does. */
#ifndef TONNX_FORMAT_DATA_NPZ_WRITE_IMPL_H
#define TONNX_FORMAT_DATA_NPZ_WRITE_IMPL_H

#include "runtime/mem_impl.h"
#include "runtime/tensor.h"

typedef struct tonnx__npz_file tonnx__npz_file;

/* Atomic, as every file: it appears whole at `finish`, or not at all. */
tonnx_status tonnx__npz_create(tonnx__npz_file **out, const char *path);

/* One array: what it is; then exactly its elements, little-endian in C order, in as many pieces as it takes. */
tonnx_status tonnx__npz_begin(tonnx__npz_file *npz, const char *name, tonnx_dtype dtype, size_t rank,
                              const int64_t *dims);
tonnx_status tonnx__npz_put(tonnx__npz_file *npz, const void *bytes, size_t size);
tonnx_status tonnx__npz_end(tonnx__npz_file *npz);

/* Both free; discard takes NULL. */
tonnx_status tonnx__npz_finish(tonnx__npz_file *npz);
void tonnx__npz_discard(tonnx__npz_file *npz);

#endif
