/* ONNX models: read, described, recognised, and trained for a step where they are small. A file "w.bin" lies beside the
 * model, so that external data can be found. */
#include "format/onnx.h"
#include "runtime/net.h"
#include "runtime/train.h"
#include "tests/fuzz/fuzz.h"

enum { SMALL = 4096, BESIDE = 256, MOST = 1 << 20 };

static void read_all(const tonnx_model *model)
{
    tonnx_model_info info;
    tonnx_model_describe(model, &info);
    for (size_t i = 0; i < info.tensor_count; i++) {
        tonnx_tensor_info tensor;
        tonnx_model_tensor(model, i, &tensor);
        if (tensor.count > MOST) continue; /* of a type that is not read, a shape may say anything */
        double *values = malloc((tensor.count + 1) * sizeof *values);
        fuzz_must(values != NULL, "room for a tensor that was read");
        fuzz_either(tonnx_model_read(model, i, values), TONNX_BAD_MODEL);
        free(values);
    }
}

/* One step on three samples, as numbers. */
static void train(tonnx_model *model, const tonnx_net *net)
{
    const size_t in = tonnx_net_features_in(net), out = tonnx_net_features_out(net);
    if (in > SMALL || out > SMALL || tonnx_net_parameters(net) > SMALL) return;
    float *x = malloc(3 * in * sizeof *x), *y = malloc(3 * out * sizeof *y);
    tonnx_dataset *data = NULL;
    tonnx_trainer *trainer = NULL;
    tonnx_train_options options = TONNX_TRAIN_OPTIONS_DEFAULT;
    options.loss = TONNX_MSE;
    options.threads = 1;
    options.epochs = 1;
    options.batch = 2;
    options.backend = "cpu";
    for (size_t i = 0; i < 3 * in; i++) x[i] = (float)i / 8;
    for (size_t i = 0; i < 3 * out; i++) y[i] = (float)i / 4;
    fuzz_must(!tonnx_dataset_from_arrays(&data, &(tonnx_dataset_arrays){ .size = sizeof(tonnx_dataset_arrays),
                                                                         .samples = 3,
                                                                         .features = in,
                                                                         .x = x,
                                                                         .targets = y,
                                                                         .target_width = out }),
              "a data set");
    tonnx_status status = tonnx_trainer_new(&trainer, model, data, &options);
    if (!status) status = tonnx_trainer_run(trainer);
    if (!status) status = tonnx_trainer_pull(trainer, model);
    fuzz_must(!status || status == TONNX_BAD_MODEL || status == TONNX_BAD_DATA || status == TONNX_BAD_USAGE ||
                  status == TONNX_DIVERGED,
              "a step, or a reason");
    tonnx_trainer_free(trainer);
    tonnx_dataset_free(data);
    free(x);
    free(y);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint8_t beside[BESIDE];
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    for (size_t i = 0; i < BESIDE; i++) beside[i] = i % 4 == 3 ? 0x3e : (uint8_t)i;
    fuzz_file("w.bin", beside, BESIDE);
    const char *path = fuzz_file("input.onnx", bytes, size);
    if (fuzz_refused(tonnx_onnx_load(&model, path, NULL), TONNX_BAD_MODEL, "input.onnx")) return 0;
    read_all(model);
    if (!fuzz_refused(tonnx_net_new(&net, model, NULL), TONNX_BAD_MODEL, "input.onnx")) train(model, net);
    tonnx_net_free(net);
    tonnx_model_free(model);
    return 0;
}
