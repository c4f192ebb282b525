/* Writing: the marks on a model as edits of its source. */
#ifndef TONNX_FORMAT_PATCH_IMPL_H
#define TONNX_FORMAT_PATCH_IMPL_H

#include "format/splice_impl.h"
#include "runtime/model_impl.h"

/* A model being patched. `targets` says where each of its data files goes; NULL: their elements move in. */
typedef struct tonnx__patch {
    const tonnx_model *model;
    const unsigned char *source;
    const struct tonnx__data_target *targets;
    tonnx__splice *splice;
} tonnx__patch;

/* Adds to `splice` what turns source[0 … size) into the model as it is now. */
tonnx_status tonnx__onnx_patch(const tonnx__patch *p, size_t size);

/* What changes in a TensorProto whose elements lie outside. */
tonnx_status tonnx__patch_external(const tonnx__patch *p, const tonnx__tensor *tensor, const tonnx__field *message);

/* The ValueInfoProto of a graph's input or output whose batch was opened. */
tonnx_status tonnx__patch_batch(const tonnx__patch *p, const tonnx__value *value, const tonnx__field *info);

/* Before anything is patched: every sparse tensor's stored values as its dense elements are now. */
tonnx_status tonnx__sparse_gather(const tonnx_model *model, const tonnx_log *log);

/* Whole messages, packed. Each gives fresh bytes of a field with its tag and length, to be freed by the caller. */
tonnx_status tonnx__onnx_pack_node(const tonnx__node *node, unsigned char **out, size_t *size);
tonnx_status tonnx__onnx_pack_tensor(const tonnx__tensor *tensor, unsigned char **out, size_t *size);
/* The graph input that goes with an initializer before IR 4. */
tonnx_status tonnx__onnx_pack_input(const tonnx__tensor *tensor, unsigned char **out, size_t *size);
tonnx_status tonnx__onnx_pack_metadata(const tonnx__metadata *entry, unsigned char **out, size_t *size);
tonnx_status tonnx__onnx_pack_text(uint32_t number, const char *text, unsigned char **out, size_t *size);

/* A whole ModelProto of a model without a source, but for its nodes, initializers and metadata, which are patched in.
 */
tonnx_status tonnx__onnx_pack_head(const tonnx_model *model, unsigned char **out, size_t *size);

#endif
