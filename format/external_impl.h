/* External data: elements that lie in files of their own beside the model. One function opens them all, whoever names
 * them; nothing outside the model's folder is ever opened. */
#ifndef TONNX_FORMAT_EXTERNAL_IMPL_H
#define TONNX_FORMAT_EXTERNAL_IMPL_H

#include "format/file.h"
#include "format/onnx.pb-c.h"
#include "runtime/model_impl.h"

/* Finds the elements of `tensor`, whose name, type and dims are known, where `proto` says: sets bytes, file, file_at and
 * file_size. A key that nobody knows is said once (*said). */
tonnx_status tonnx__external_read(tonnx_model *model, tonnx__tensor *tensor, const Tonnx__Onnx__TensorProto *proto,
                                  const tonnx_log *log, bool *said);

/* Once all are read: marks the tensors whose bytes are another tensor's too. */
tonnx_status tonnx__external_mark_shared(const tonnx_model *model);

/* All tensors of the model, by data file and place in it. The caller frees *out. */
tonnx_status tonnx__external_in_order(const tonnx_model *model, tonnx__tensor ***out, size_t *count);

/* Where one of the model's data files goes. */
typedef struct tonnx__data_target {
    char *path;      /* to be written */
    char *location;  /* what the model calls it: a name in its own folder */
    bool changed;    /* other bytes than before */
    tonnx_file *out; /* being written */
} tonnx__data_target;

/* The data files of a model that is written to `path`, one for each of the model's: beside it, under the name each had,
 * or under the output's own name with `.data` where something is there already. */
tonnx_status tonnx__external_plan(const tonnx_model *model, const char *path, tonnx__data_target **out);
void tonnx__external_plan_free(tonnx__data_target *targets, size_t count);

/* Writes all data files under temporary names (`out` of each), for tonnx_file_finish or tonnx_file_discard. */
tonnx_status tonnx__external_write(const tonnx_model *model, tonnx__data_target *targets);

/* Whether new elements of the tensor go into the model itself, for its place in the data file is not its alone. */
bool tonnx__external_moves_in(const tonnx__tensor *tensor);

#endif
