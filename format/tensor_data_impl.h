/* Tensor payloads: a TensorProto's elements in the file's bytes, in whichever of ONNX's forms. */
#ifndef TONNX_FORMAT_TENSOR_DATA_IMPL_H
#define TONNX_FORMAT_TENSOR_DATA_IMPL_H

#include "format/splice_impl.h"
#include "runtime/tensor_impl.h"

/* Finds and checks the payload of the TensorProto in source[content … end): `tensor` has its name, type and dims
 * (count) already. Sets bytes, owned where the elements must be decoded (drawn from `budget`), and storage (the field's
 * number). Types without a size (strings, 4-bit numbers) are left without bytes. */
tonnx_status tonnx__tensor_data_read(tonnx__tensor *tensor, const unsigned char *source, size_t content, size_t end,
                                     tonnx__budget *budget);

/* Fails where the TensorProto holds elements after all: they are said to be elsewhere. */
tonnx_status tonnx__tensor_data_none(const tonnx__tensor *tensor, const unsigned char *source, size_t content,
                                     size_t end);

/* Adds the edits that put the fresh elements where the file's stand, in the same form. Elements that are bitwise equal
 * keep their bytes, however they are spelled. */
tonnx_status tonnx__tensor_data_patch(const tonnx__tensor *tensor, const unsigned char *source, size_t content,
                                      size_t end, tonnx__splice *splice);

#endif
