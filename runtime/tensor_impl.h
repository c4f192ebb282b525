/* A tensor of a model, and its elements as numbers. */
#ifndef TONNX_RUNTIME_TENSOR_IMPL_H
#define TONNX_RUNTIME_TENSOR_IMPL_H

#include "runtime/mem_impl.h"
#include "runtime/tensor.h"

#define TONNX__NOT_IN_SOURCE SIZE_MAX

typedef struct tonnx__sparse tonnx__sparse;

typedef struct tonnx__tensor {
    char *name; /* owned; "" where the file gives none */
    tonnx_dtype dtype;
    size_t rank, count;
    int64_t *dims;              /* owned */
    const unsigned char *bytes; /* `count` little-endian elements as the file holds them; in the source bytes or in `owned` */
    unsigned char *owned;       /* where the file's form is not a plain run of elements, or the tensor is new */
    unsigned char *fresh;       /* other values than the file's, same type and size; NULL while unchanged */
    size_t source_at;           /* first content byte of the TensorProto in the source; TONNX__NOT_IN_SOURCE where added */
    int storage;                /* how the file spells the payload: the format's own business */
    bool removed;               /* the written file leaves it out */
    size_t file;                /* 1 + index into model->data_files where `bytes` lie in one of those; 0 else */
    size_t file_at, file_size;  /* its place there, in bytes */
    bool file_shared;           /* some of those bytes are another tensor's too */
    tonnx__sparse *sparse;      /* owned: the form in the file of one that is stored sparsely; NULL else */
} tonnx__tensor;

/* A sparse tensor's stored form. */
struct tonnx__sparse {
    tonnx__tensor values, indices;
    size_t *at; /* per value: its place among the dense elements, ascending */
    bool dense; /* to be written dense: an element that is not stored has changed */
};

void tonnx__tensor_clear(tonnx__tensor *tensor);

/* Gives `tensor` (zeroed by the caller) a name, type and shape of its own, its elements zero, not in any source. */
tonnx_status tonnx__tensor_make(tonnx__tensor *tensor, const char *name, tonnx_dtype dtype, size_t rank, const int64_t *dims);

/* Element i as a double, fresh values first. Any numeric type of tonnx_dtype; 64-bit integers are rounded. */
double tonnx__tensor_get(const tonnx__tensor *tensor, size_t i);

/* `count` elements, `step` apart, from element `first` on, as tonnx__tensor_get has them. */
void tonnx__tensor_read(const tonnx__tensor *tensor, size_t first, size_t step, size_t count, double *to);

/* Element i as the file holds it, or in `fresh`, as an integer (shapes, axes: INT64 and INT32 stay exact). */
int64_t tonnx__tensor_get_int(const tonnx__tensor *tensor, size_t i);

/* Whether the elements differ from the file's: a step that moved nothing changed nothing. */
bool tonnx__tensor_differs(const tonnx__tensor *tensor);

/* Makes `fresh` a copy of the present elements, so that elements may be set one by one. */
tonnx_status tonnx__tensor_touch(tonnx__tensor *tensor);

/* Sets element i (after touch), rounded to nearest even into the tensor's own type. */
void tonnx__tensor_set(tonnx__tensor *tensor, size_t i, double value);

/* One of the four types of floating point. */
bool tonnx__is_float(tonnx_dtype dtype);

/* Half-precision bits ↔ numbers, round to nearest even (IEEE 754 binary16; bfloat16 is the upper half of binary32). */
double tonnx__half_to_double(uint16_t bits);
uint16_t tonnx__double_to_half(double value);
double tonnx__bfloat_to_double(uint16_t bits);
uint16_t tonnx__double_to_bfloat(double value);

#endif
