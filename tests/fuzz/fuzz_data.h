/* The body of the targets that read data: one format, asked for in every way that a command line can. */
#ifndef TONNX_TESTS_FUZZ_DATA_H
#define TONNX_TESTS_FUZZ_DATA_H

#include <math.h>

#include "converters/weights.h"
#include "format/data/bundle_impl.h"
#include "runtime/dataset_impl.h"
#include "tests/fuzz/fuzz.h"

/* Every sample is read, and is what a trainer relies on. */
static inline void fuzz_data_sound(const tonnx_dataset *set)
{
    tonnx_dataset_info info;
    tonnx_dataset_describe(set, &info);
    fuzz_must(info.samples > 0 && info.features > 0, "a data set has samples and features");
    for (size_t i = 0; set->x && i < info.samples * info.features; i++)
        fuzz_must(isfinite(set->x[i]), "finite features");
    for (size_t i = 0; set->targets && i < info.samples * info.target_width; i++)
        fuzz_must(isfinite(set->targets[i]), "finite targets");
    for (size_t i = 0; set->classes && i < info.samples; i++)
        fuzz_must(set->classes[i] >= 0 && (size_t)set->classes[i] < info.class_count, "classes below their count");
    for (size_t i = 0; info.column_names && i < info.features; i++) fuzz_must(info.column_names[i] != NULL, "names");
}

static inline void fuzz_data_load(const char *path, const char *target, const tonnx_data_options *options)
{
    tonnx_dataset *set = NULL;
    const tonnx_status status = tonnx_dataset_load(&set, path, target, options);
    fuzz_must(!status == !!set, "a data set or none");
    if (!fuzz_refused(status, TONNX_BAD_DATA, "input")) fuzz_data_sound(set);
    tonnx_dataset_free(set);
}

/* True where the file is of the reader's format, or zipped. */
static inline int fuzz_data_knows(const tonnx__reader *reader, const uint8_t *bytes, size_t size)
{
    const int zipped = size > 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
    return size && (zipped || reader->sniff(bytes, size < TONNX__SOURCE_ROOM ? size : TONNX__SOURCE_ROOM));
}

/* As features alone, with a column or an array as the target, and as both features and target with every option set. */
static inline void fuzz_data(const tonnx__reader *reader, const char *target, const uint8_t *bytes, size_t size)
{
    static const char *const words[] = { "cat", "dog" }, *const columns[] = { "a", "b" };
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    if (!fuzz_data_knows(reader, bytes, size)) return;
    const char *path = fuzz_file("input", bytes, size);
    fuzz_data_load(path, NULL, NULL);
    fuzz_data_load(path, target ? target : path, NULL);
    options.limit = 2;
    options.classes = false;
    options.index_base = 0;
    options.header = TONNX_HEADER_YES;
    options.features = 5;
    fuzz_data_load(path, path, &options);
    options.classes = true;
    options.class_names = words;
    options.class_count = 2;
    options.columns = columns;
    options.column_count = 2;
    options.header = TONNX_HEADER_AUTO;
    fuzz_data_load(path, target, &options);
}

/* Named arrays as weights: what is read can be written in either format, and comes back the same. */
static inline void fuzz_weights(const uint8_t *bytes, size_t size)
{
    tonnx__tensor *arrays = NULL, *again = NULL;
    tonnx_model *model = NULL;
    size_t count = 0, back = 0;
    const char *path = fuzz_file("input", bytes, size);
    if (!fuzz_refused(tonnx_weights_model(&model, path, NULL), TONNX_BAD_MODEL, "input")) tonnx_model_free(model);
    if (fuzz_refused(tonnx__tensors_read(&arrays, &count, path), TONNX_BAD_DATA, "input")) return;
    for (int npz = 0; npz < 2; npz++) {
        const char *copy = fuzz_path(npz ? "copy.npz" : "copy.safetensors");
        const tonnx_status status = (npz ? tonnx__npz_write : tonnx__safetensors_write)(copy, arrays, count);
        if (fuzz_either(status, TONNX_BAD_MODEL)) continue;
        if (fuzz_either(tonnx__tensors_read(&again, &back, copy), TONNX_BAD_DATA))
            fuzz_must(0, "what is written is read");
        fuzz_must(back == count, "as many arrays as before");
        for (size_t i = 0; i < count; i++) {
            const size_t length = arrays[i].count * tonnx_dtype_size(arrays[i].dtype);
            size_t k = 0;
            while (k < count && strcmp(again[k].name, arrays[i].name) != 0) k++;
            fuzz_must(k < count && again[k].count == arrays[i].count && again[k].dtype == arrays[i].dtype,
                      "the same array");
            fuzz_must(!length || !memcmp(again[k].bytes, arrays[i].bytes, length), "the same elements");
        }
        tonnx__tensors_free(again, back);
    }
    tonnx__tensors_free(arrays, count);
}

#endif
