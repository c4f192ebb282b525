/* Fingerprints: whether a model or a data set is the one that a run began with. They find mistakes, not forgeries. */
#ifndef TONNX_RUNTIME_FINGERPRINT_IMPL_H
#define TONNX_RUNTIME_FINGERPRINT_IMPL_H

#include "runtime/dataset_impl.h"
#include "runtime/model_impl.h"

/* Of bytes that follow those of `so_far` (0 at first): per 64-bit word w of the machine, the last one filled up
 * with zeros, h = rotl(h ⊕ w·K₁, 29)·K₂, at last h ⊕ length, mixed as MurmurHash3 ends (h ⊕= h ≫ 33 between multiplications).
 * Splitting the bytes otherwise gives another fingerprint. */
uint64_t tonnx__fingerprint(uint64_t so_far, const void *bytes, size_t size);

/* The model: its source's bytes, the present elements of all initializers, its nodes. Its path is no part of it. */
uint64_t tonnx__fingerprint_model(const tonnx_model *model);

/* Samples, targets and scale; 0 for NULL. */
uint64_t tonnx__fingerprint_data(const tonnx_dataset *data);

#endif
