/* tonnx predict: a model's outputs for data. */
#include <signal.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/data_args.h"
#include "cli/run_args.h"
#include "format/data.h"

typedef struct args {
    opt_common common;
    const char *model, *out;
    data_args data;
    run_args run;
} args;

static const opt options[] = {
    { "out", 'o', OPT_FILE, offsetof(args, out), "OUT", "-",
      "where to: .npy, .npz (array y), .tsv, else CSV (.csv, .txt, -)", NULL, OPT_FREE },
    { 0 },
};

static const opt_group groups[] = {
    { "Prediction", options, 0 },
    { "Data", data_options, offsetof(args, data) },
    { "Run", run_options, offsetof(args, run) },
    { 0 },
};

static const opt_operand operands[] = { { "MODEL", offsetof(args, model), false, "the ONNX file" }, { 0 } };

static const char *const examples[] = {
    "tonnx predict trained.onnx --data x_test.npy -o predictions.npy",
    "tonnx predict trained.onnx --data test.csv --target label | head",
    NULL,
};

static volatile sig_atomic_t signalled;

/* Heeded before the next batch is written; `timeout` sends two at once. */
static void on_signal(int number)
{
    signalled = number;
}

/* A file in the making is not to be left behind. */
static void catch_signals(const char *path)
{
    const struct sigaction action = { .sa_handler = on_signal };
    if (!strcmp(path, "-")) return;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static tonnx_status write_rows(void *user, const float *values, size_t count, size_t width)
{
    if (signalled) return TONNX_INTERRUPTED;
    return tonnx_rows_write(user, values, count, width);
}

/* The shape that the model declares for a sample of its output: [N] or [N, d, …]. */
static void shape_rows(tonnx_rows_file *file, const tonnx_model *model, const char *name)
{
    tonnx_model_info about;
    tonnx_value_info output;
    tonnx_model_describe(model, &about);
    for (size_t i = 0; i < about.output_count; i++) {
        tonnx_model_output(model, i, &output);
        const bool floats = output.dtype == TONNX_FLOAT || output.dtype == TONNX_DOUBLE ||
                            output.dtype == TONNX_FLOAT16 || output.dtype == TONNX_BFLOAT16;
        if (name ? strcmp(output.name, name) != 0 : !floats) continue;
        if (output.has_shape && output.rank) tonnx_rows_shape(file, output.dims + 1, output.rank - 1);
        return;
    }
}

/* The file is whole or it is not there. */
static int predict_into(const char *path, tonnx_model *model, const tonnx_dataset *data,
                        const tonnx_evaluate_options *evaluate)
{
    tonnx_rows_file *file = NULL;
    tonnx_dataset_info info;
    tonnx_dataset_describe(data, &info);
    catch_signals(path);
    tonnx_status status = tonnx_rows_create(&file, path, info.samples);
    if (!status) shape_rows(file, model, evaluate->output);
    if (!status) status = tonnx_predict(model, data, evaluate, write_rows, file);
    if (!status && !signalled) return cli_status(tonnx_rows_finish(file));
    tonnx_rows_discard(file);
    return signalled ? EXIT_SIGNALLED + (int)signalled : cli_status(status);
}

/* A name says what is wanted of it: nothing but CSV goes into one that is no known format's. */
static int check_extension(const char *path)
{
    static const char *const known[] = { ".npy", ".npz", ".csv", ".tsv", ".txt" };
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    if (!dot || !strncmp(path, "/dev/", 5)) return 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(dot, known[i])) return 0;
    return cli_usage("predict: -o %s: no format is known by '%s'; want .npy, .npz, .csv, .tsv or .txt", path, dot);
}

static int predict(void *opaque)
{
    const args *a = opaque;
    const tonnx_log log = cli_log(&a->common);
    const char *const read[] = { a->model, a->data.data, a->data.target };
    tonnx_evaluate_options evaluate = TONNX_EVALUATE_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    data_sets sets = { 0 };
    run_args_apply(&a->run, &evaluate);
    evaluate.input = a->data.input;
    evaluate.output = a->data.output_name;
    evaluate.log = log;
    int code = check_extension(a->out);
    if (!code) code = cli_check_output("-o", a->out, read, sizeof read / sizeof *read);
    if (!code) code = cli_load(&model, a->model, &log);
    if (!code) code = cli_check_source("-o", a->out, model);
    if (!code) code = data_load(&sets, &a->data, NULL, model, &log);
    if (!code) code = predict_into(a->out, model, sets.data, &evaluate);
    data_free(&sets);
    tonnx_model_free(model);
    return code;
}

const command cmd_predict = {
    "predict",
    "a model's outputs for data",
    "Targets are not used; --target only says which column of a table is no feature.",
    examples,
    operands,
    groups,
    sizeof(args),
    predict,
};
