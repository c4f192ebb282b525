/* Folding, shared by its files: views (fold_view.c), numbers (fold_number.c), elementwise arithmetic (fold_math.c),
 * shapes and what gathers and joins (fold_shape.c), sums and products (fold_reduce.c). fold.c says which node goes
 * where. */
#ifndef TONNX_RUNTIME_FOLD_IMPL_H
#define TONNX_RUNTIME_FOLD_IMPL_H

#include "runtime/recognise/recognise_impl.h"

/* constant + per_row·N, N the size of the batch; per_row is 0 but in shapes. */
typedef struct tonnx__number {
    double constant, per_row;
} tonnx__number;

/* Element `index`, row-major, of a constant or a SHAPE. */
tonnx__number tonnx__number_of(const tonnx__builder *builder, const tonnx__fact *fact, size_t index);

/* The element that position `index` of a result of shape dims[rank] reads where `fact` is broadcast to it. */
tonnx__number tonnx__number_at(const tonnx__builder *builder, const tonnx__fact *fact, size_t rank, const size_t *dims,
                               size_t index);

/* The element type of a constant. */
tonnx_dtype tonnx__fact_dtype(const tonnx__builder *builder, const tonnx__fact *fact);

/* A constant being computed: start, put every element, finish. */
typedef struct tonnx__derivation {
    tonnx__builder *builder;
    const tonnx__node *node;
    tonnx__fact fact;
    size_t count;
    bool symbolic; /* some element holds an N */
    bool exact;    /* every element is a number that its type can hold */
} tonnx__derivation;

/* Room for dims[rank] elements, owned by the net. Fails where constants computed so far grow past any reason: a file
 * of a few bytes may ask for anything. */
tonnx_status tonnx__derive_start(tonnx__derivation *d, tonnx__builder *builder, const tonnx__node *node,
                                 tonnx_dtype dtype, size_t rank, const size_t *dims);
tonnx_status tonnx__derive_put(tonnx__derivation *d, size_t index, tonnx__number number);
/* Records the fact of the node's first output; *known where every element could be held. */
tonnx_status tonnx__derive_finish(tonnx__derivation *d, bool *known);

/* Views: input 0's fact becomes the output's; false where no view can say it. */
typedef bool tonnx__fold_view(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact);
tonnx__fold_view tonnx__fold_identity, tonnx__fold_transpose, tonnx__fold_reshape, tonnx__fold_flatten,
    tonnx__fold_squeeze, tonnx__fold_unsqueeze, tonnx__fold_cast, tonnx__fold_slice, tonnx__fold_gather,
    tonnx__fold_expand, tonnx__fold_scale;

/* Computed: *known where the node's output is a constant now. */
typedef tonnx_status tonnx__fold_compute(tonnx__builder *builder, const tonnx__node *node, bool *known);
tonnx__fold_compute tonnx__fold_shape, tonnx__fold_size, tonnx__fold_gathered, tonnx__fold_concat,
    tonnx__fold_broadcast, tonnx__fold_converted, tonnx__fold_math, tonnx__fold_range, tonnx__fold_filled,
    tonnx__fold_reduced, tonnx__fold_product, tonnx__fold_activation, tonnx__fold_split;

/* Notes the first node that a view came through. */
void tonnx__fold_note(const tonnx__builder *builder, const tonnx__node *node, tonnx__fact *fact);

/* The same elements in the same order under new dims (their product fits); false where no view can say that. */
bool tonnx__fact_reshape(tonnx__fact *fact, size_t rank, const size_t *dims);

/* axis or axis + rank, 0 ≤ *out < rank; false where it is neither. */
bool tonnx__axis(int64_t axis, size_t rank, size_t *out);

#endif
