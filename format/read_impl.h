/* Reading, in three steps: scan the bytes, parse what is left without the payloads, make the model's structs. */
#ifndef TONNX_FORMAT_READ_IMPL_H
#define TONNX_FORMAT_READ_IMPL_H

#include "format/onnx.pb-c.h"
#include "format/wire_impl.h"
#include "runtime/model_impl.h"

enum { TONNX__RANK_MOST = 64 };

/* What reading the parts of a model needs. */
typedef struct tonnx__reader {
    tonnx_model *model;
    tonnx__budget *budget;
    const tonnx_log *log;
    bool *said; /* an unknown key of external data has been said */
} tonnx__reader;

/* Absent text is "". */
tonnx_status tonnx__copy_text(char **out, const char *text);

/* `tensor` (zeroed) from the parsed message, which is `field` of the source. A sparse one becomes dense within the budget
 * and keeps its stored form in `sparse`. What was made until a failure is freed with the tensor. */
tonnx_status tonnx__read_tensor(const tonnx__reader *r, tonnx__tensor *tensor, const Tonnx__Onnx__TensorProto *proto,
                                const tonnx__field *field);
tonnx_status tonnx__read_sparse(const tonnx__reader *r, tonnx__tensor *tensor,
                                const Tonnx__Onnx__SparseTensorProto *proto, const tonnx__field *field);

/* Fills `model` (which has its source) from the parsed message. Payloads stay in the source or are decoded within
 * `budget`. */
tonnx_status tonnx__onnx_fill(tonnx_model *model, const Tonnx__Onnx__ModelProto *proto, tonnx__budget *budget,
                              const tonnx_log *log);

/* What the ONNX rules ask of a graph as a whole: names made once, made before they are read, outputs made at all. */
tonnx_status tonnx__onnx_check_graph(const tonnx_model *model);

#endif
