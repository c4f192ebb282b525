/* Load, save, load: a model that nobody changed is written byte by byte as it was; one that was changed comes back with
 * the values it was given; nothing else appears in the folder, and the sources stay as they were. */
#include "format/file.h"
#include "format/onnx.h"
#include "runtime/model_impl.h"
#include "tests/fuzz/fuzz.h"

enum { BESIDE = 256, MOST = 1 << 16 };

static uint8_t beside[BESIDE];

/* Other values into every tensor of numbers. */
static void change(tonnx_model *model)
{
    for (size_t t = 0; t < model->tensor_count; t++) {
        const size_t count = model->tensors[t].count;
        double *values = count < MOST ? malloc((count + 1) * sizeof *values) : NULL;
        if (values && !fuzz_either(tonnx_model_read(model, t, values), TONNX_BAD_MODEL)) {
            for (size_t i = 0; i < count; i++) values[i] = (double)(i % 2);
            fuzz_either(tonnx_model_write(model, t, values), TONNX_BAD_MODEL);
        }
        free(values);
    }
}

static void same_values(const tonnx_model *a, const tonnx_model *b)
{
    fuzz_must(a->tensor_count == b->tensor_count, "as many tensors");
    for (size_t t = 0; t < a->tensor_count; t++) {
        const size_t count = a->tensors[t].count;
        fuzz_must(count == b->tensors[t].count, "as many elements");
        if (count >= MOST) continue;
        double *x = calloc(count + 1, sizeof *x), *y = calloc(count + 1, sizeof *y);
        const tonnx_status status = tonnx_model_read(a, t, x);
        fuzz_must(status == tonnx_model_read(b, t, y), "both can be read");
        fuzz_must(status || !memcmp(x, y, count * sizeof *x), "the values that were given");
        free(x);
        free(y);
    }
}

static void save_same(const tonnx_model *model, const uint8_t *bytes, size_t size)
{
    unsigned char *written = NULL;
    size_t length = 0;
    const char *path = fuzz_path("same.onnx");
    fuzz_must(!tonnx_onnx_save(model, path, NULL), "an unchanged model can be saved");
    if (!model->data_file_count) fuzz_must(fuzz_holds(path, bytes, size), "an unchanged model has the same bytes");
    if (!fuzz_either(tonnx_onnx_write(model, &written, &length), TONNX_BAD_MODEL)) tonnx_file_free(written);
}

static void save_changed(tonnx_model *model)
{
    tonnx_model *again = NULL;
    const char *path = fuzz_path("changed.onnx");
    change(model);
    fuzz_must(!tonnx_model_set_metadata(model, "key", "value"), "metadata");
    if (fuzz_either(tonnx_onnx_save(model, path, NULL), TONNX_BAD_MODEL)) return;
    fuzz_must(!tonnx_onnx_load(&again, path, NULL), "what was saved can be loaded");
    same_values(model, again);
    fuzz_must(!strcmp(tonnx_model_metadata(again, "key"), "value"), "the metadata is there");
    tonnx_model_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    tonnx_model *model = NULL;
    for (size_t i = 0; i < BESIDE; i++) beside[i] = (uint8_t)i;
    const char *data = fuzz_file("w.bin", beside, BESIDE), *path = fuzz_file("input.onnx", bytes, size);
    if (!fuzz_refused(tonnx_onnx_load(&model, path, NULL), TONNX_BAD_MODEL, "input.onnx")) {
        const size_t data_files = model->data_file_count;
        save_same(model, bytes, size);
        save_changed(model);
        tonnx_model_free(model);
        fuzz_must(fuzz_holds(path, bytes, size) && fuzz_holds(data, beside, BESIDE), "the sources are as they were");
        fuzz_must(fuzz_sweep() <= 4 + 2 * data_files, "no file left over");
    }
    return 0;
}
