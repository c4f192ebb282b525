/* Building ONNX files byte by byte, for forms that no exporter of today writes. */
#ifndef TONNX_TESTS_WIRE_H
#define TONNX_TESTS_WIRE_H

#include <stdint.h>
#include <string.h>

#include "support.h"

typedef struct wire {
    size_t size;
    unsigned char bytes[1 << 16];
} wire;

static inline void wire_raw(wire *w, const void *bytes, size_t size)
{
    ck_assert_uint_le(w->size + size, sizeof w->bytes);
    if (size) memcpy(w->bytes + w->size, bytes, size);
    w->size += size;
}

static inline void wire_number(wire *w, uint64_t value)
{
    for (; value > 0x7f; value >>= 7) wire_raw(w, &(unsigned char){ (unsigned char)(value | 0x80) }, 1);
    wire_raw(w, &(unsigned char){ (unsigned char)value }, 1);
}

static inline void wire_varint(wire *w, unsigned field, uint64_t value)
{
    wire_number(w, field << 3);
    wire_number(w, value);
}

static inline void wire_bytes(wire *w, unsigned field, const void *bytes, size_t size)
{
    wire_number(w, field << 3 | 2);
    wire_number(w, size);
    wire_raw(w, bytes, size);
}

static inline void wire_text(wire *w, unsigned field, const char *text)
{
    wire_bytes(w, field, text, strlen(text));
}

static inline void wire_message(wire *w, unsigned field, const wire *inner)
{
    wire_bytes(w, field, inner->bytes, inner->size);
}

/* The head of a TensorProto "w". */
static inline void wire_tensor(wire *w, int dtype, size_t rank, const uint64_t *dims)
{
    w->size = 0;
    for (size_t i = 0; i < rank; i++) wire_varint(w, 1, dims[i]);
    wire_varint(w, 2, (uint64_t)dtype);
    wire_text(w, 8, "w");
}

/* A GraphProto y = Add(x, w) with initializer `tensor`. */
static inline void wire_graph(wire *w, const wire *tensor)
{
    static wire part;
    w->size = part.size = 0;
    wire_text(&part, 1, "x");
    wire_text(&part, 1, "w");
    wire_text(&part, 2, "y");
    wire_text(&part, 4, "Add");
    wire_message(w, 1, &part);
    wire_message(w, 5, tensor);
    part.size = 0;
    wire_text(&part, 1, "x");
    wire_message(w, 11, &part);
    part.size = 0;
    wire_text(&part, 1, "y");
    wire_message(w, 12, &part);
}

/* A whole model around a graph. */
static inline void wire_model(wire *w, const wire *graph)
{
    static wire opset;
    w->size = opset.size = 0;
    wire_varint(w, 1, 8);
    wire_message(w, 7, graph);
    wire_varint(&opset, 2, 17);
    wire_message(w, 8, &opset);
}

static inline void wire_model_of(wire *w, const wire *tensor)
{
    static wire graph;
    wire_graph(&graph, tensor);
    wire_model(w, &graph);
}

/* A model y = Add(x, w) with the SparseTensorProto `sparse` as w. */
static inline void wire_sparse_model(wire *w, const wire *sparse)
{
    static wire graph, part;
    graph.size = part.size = 0;
    wire_text(&part, 1, "x");
    wire_text(&part, 1, "w");
    wire_text(&part, 2, "y");
    wire_text(&part, 4, "Add");
    wire_message(&graph, 1, &part);
    part.size = 0;
    wire_text(&part, 1, "x");
    wire_message(&graph, 11, &part);
    part.size = 0;
    wire_text(&part, 1, "y");
    wire_message(&graph, 12, &part);
    wire_message(&graph, 15, sparse);
    wire_model(w, &graph);
}

#endif
