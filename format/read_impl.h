/* Reading, in three steps: scan the bytes, parse what is left without the payloads, make the model's structs. */
#ifndef TONNX_FORMAT_READ_IMPL_H
#define TONNX_FORMAT_READ_IMPL_H

#include "format/onnx.pb-c.h"
#include "format/wire_impl.h"
#include "runtime/model_impl.h"

/* Fills `model` (which has its source) from the parsed message. Payloads stay in the source or are decoded within
 * `budget`. */
tonnx_status tonnx__onnx_fill(tonnx_model *model, const Tonnx__Onnx__ModelProto *proto, tonnx__budget *budget);

/* What the ONNX rules ask of a graph as a whole: names made once, made before they are read, outputs made at all. */
tonnx_status tonnx__onnx_check_graph(const tonnx_model *model);

#endif
