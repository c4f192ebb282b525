/* Loading data as --data, --target, --val … say, in the order of classes and columns that the model was trained with.
 */
#include "cli/data_args.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/data_scale.h"
#include "format/data.h"
#include "format/json.h"

static const char *base_at(size_t i)
{
    static const char *const words[] = { "0", "1" };
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

static const char *header_at(size_t i)
{
    static const char *const words[] = { "auto", "yes", "no" }; /* in the order of tonnx_header */
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

static const opt_words base_words = { base_at, NULL }, header_words = { header_at, NULL };

#define AT(field) offsetof(data_args, field)
const opt data_options[] = {
    { "data", 0, OPT_FILE, AT(data), "FILE", NULL,
      "samples, told by content: .npy, .npz, safetensors, IDX or IDX.gz, libsvm, CSV or TSV", NULL, OPT_NEEDED },
    { "target", 0, OPT_FILE, AT(target), "FILE|COLUMN", NULL, "targets: a file, or a column by name or #number from 1",
      NULL, OPT_FREE },
    { "x-key", 0, OPT_TEXT, AT(x_key), "KEY", NULL, "the features' array in .npz and safetensors [x, or the only one]",
      NULL, OPT_FREE },
    { "y-key", 0, OPT_TEXT, AT(y_key), "KEY", NULL, "the target's array there [y, where there is one]", NULL,
      OPT_FREE },
    { "index-base", 0, OPT_WORD, AT(index_base), "N", "1", "what libsvm's indices count from", &base_words, OPT_FREE },
    { "header", 0, OPT_WORD, AT(header), "WHETHER", "auto", "whether a table's first line names its columns",
      &header_words, OPT_FREE },
    { "limit", 0, OPT_POSITIVE, AT(limit), "N", NULL, "take the first N samples", NULL, OPT_FREE },
    { "scale", 0, OPT_WORD, AT(scale), "HOW", "auto", "scale the features (auto: bytes are divided by 255)",
      &scale_words, OPT_FREE },
    { "input", 0, OPT_TEXT, AT(input), "NAME", NULL, "the model's input, where it has several", NULL, OPT_FREE },
    { "output", 0, OPT_TEXT, AT(output_name), "NAME", NULL, "the model's output, where it has several", NULL,
      OPT_FREE },
    { 0 },
};
#undef AT

#define AT(field) offsetof(val_args, field)
const opt val_options[] = {
    { "val", 0, OPT_FILE, AT(val), "FILE", NULL, "validation samples", NULL, OPT_FREE },
    { "val-target", 0, OPT_FILE, AT(val_target), "FILE|COLUMN", NULL, "their targets (a column: that of --target)",
      NULL, OPT_FREE },
    { "val-split", 0, OPT_SHARE, AT(val_split), "SHARE", "0", "validate on this share of --data, stratified by class",
      NULL, OPT_FREE },
    { 0 },
};
#undef AT

/* For these losses a whole number is a number, not a class. */
static bool wants_classes(const char *loss)
{
    return !loss || (strcmp(loss, "mse") != 0 && strcmp(loss, "mae") != 0 && strcmp(loss, "huber") != 0);
}

/* What a sample has to have, where the model says: the product of its input's dims past the first; 0 where unknown. */
static size_t wanted_features(const tonnx_model *model, const char *input)
{
    tonnx_model_info info;
    tonnx_value_info value = { 0 };
    size_t features = 1, i = 0;
    tonnx_model_describe(model, &info);
    for (; i < info.input_count; i++) {
        tonnx_model_input(model, i, &value);
        if (!input || !strcmp(value.name, input)) break;
    }
    if (i == info.input_count || value.rank < 2) return 0;
    for (size_t d = 1; d < value.rank; d++) {
        if (value.dims[d] < 1 || value.dims[d] > INT32_MAX || features > INT32_MAX) return 0;
        features *= (size_t)value.dims[d];
    }
    return features;
}

static tonnx_data_options options_of(const data_args *args, const char *loss, const tonnx_model *model,
                                     const tonnx_log *log)
{
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    options.classes = wants_classes(loss);
    options.x_key = args->x_key;
    options.y_key = args->y_key;
    options.index_base = args->index_base[0] - '0';
    options.features = wanted_features(model, args->input);
    for (size_t i = 0; header_at(i); i++)
        if (!strcmp(header_at(i), args->header)) options.header = (tonnx_header)i;
    options.log = *log;
    return options;
}

/* Classes and columns in the order in which the model's metadata name them, where they do. */
static tonnx_status load_ordered(tonnx_dataset **out, const data_args *args, const tonnx_data_options *options)
{
    tonnx_status status = tonnx_dataset_load(out, args->data, args->target, options);
    if (!status && options->class_names)
        status = tonnx_dataset_order_classes(*out, options->class_names, options->class_count);
    if (!status && options->columns)
        status = tonnx_dataset_order_columns(*out, options->columns, options->column_count);
    return status;
}

static tonnx_status load_main(tonnx_dataset **out, const data_args *args, const char *loss, const tonnx_model *model,
                              const tonnx_log *log)
{
    tonnx_data_options options = options_of(args, loss, model, log);
    char **classes = NULL, **columns = NULL;
    tonnx_status status =
        tonnx_json_strings(&classes, &options.class_count, tonnx_model_metadata(model, "tonnx.classes"));
    if (!status)
        status = tonnx_json_strings(&columns, &options.column_count, tonnx_model_metadata(model, "tonnx.columns"));
    options.limit = (size_t)args->limit;
    options.class_names = (const char *const *)classes;
    options.columns = (const char *const *)columns;
    if (!status) status = load_ordered(out, args, &options);
    tonnx_json_strings_free(classes);
    tonnx_json_strings_free(columns);
    return status;
}

int data_load(data_sets *out, const data_args *args, const char *loss, const tonnx_model *model, const tonnx_log *log)
{
    *out = (data_sets){ 0 };
    const tonnx_status status = load_main(&out->data, args, loss, model, log);
    return status ? cli_status(status) : scale_for_evaluation(out->data, args, model, log);
}

static bool is_file(const char *path)
{
    struct stat info;
    return path && stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static int check_val_args(const data_args *args, const val_args *val)
{
    if (val->val && val->val_split > 0) return cli_usage("train: --val and --val-split exclude each other");
    if (val->val_target && !val->val) return cli_usage("train: --val-target needs --val");
    if (val->val && !val->val_target && is_file(args->target)) return cli_usage("train: --val needs --val-target");
    return 0;
}

/* Validation data, with the classes and columns of the training data. */
static tonnx_status load_val(data_sets *sets, const data_args *args, const val_args *val, const char *loss,
                             uint64_t seed, const tonnx_model *model, const tonnx_log *log)
{
    tonnx_data_options options = options_of(args, loss, model, log);
    tonnx_dataset_info info;
    if (val->val_split > 0) return tonnx_dataset_split(&sets->val, sets->data, val->val_split, seed);
    if (!val->val) return TONNX_OK;
    tonnx_dataset_describe(sets->data, &info);
    options.class_names = info.class_names;
    options.class_count = info.class_names ? info.class_count : 0;
    options.columns = info.column_names;
    options.column_count = info.column_names ? info.features : 0;
    tonnx_status status =
        tonnx_dataset_load(&sets->val, val->val, val->val_target ? val->val_target : args->target, &options);
    if (!status) status = tonnx_dataset_order_classes(sets->val, options.class_names, options.class_count);
    if (!status && info.column_names) status = tonnx_dataset_order_columns(sets->val, info.column_names, info.features);
    return status;
}

int data_load_training(data_sets *out, const data_args *args, const val_args *val, const char *loss, uint64_t seed,
                       tonnx_model *model, const tonnx_log *log)
{
    *out = (data_sets){ 0 };
    const int code = check_val_args(args, val);
    if (code) return code;
    tonnx_status status = load_main(&out->data, args, loss, model, log);
    if (!status) status = load_val(out, args, val, loss, seed, model, log);
    return status ? cli_status(status) : scale_for_training(out, args, model, log);
}

void data_free(data_sets *sets)
{
    tonnx_dataset_free(sets->data);
    tonnx_dataset_free(sets->val);
    *sets = (data_sets){ 0 };
}

static int remember(tonnx_model *model, const char *key, const char *value)
{
    const char *old = tonnx_model_metadata(model, key);
    if (old && !strcmp(old, value)) return 0;
    return cli_status(tonnx_model_set_metadata(model, key, value));
}

static int remember_names(tonnx_model *model, const char *key, const char *const *names, size_t count)
{
    tonnx_json *array = tonnx_json_array();
    for (size_t i = 0; i < count; i++) tonnx_json_string(array, NULL, names[i]);
    char *text = tonnx_json_text(array, false);
    const int code = text ? remember(model, key, text) : cli_io("out of memory");
    tonnx_json_text_free(text);
    tonnx_json_free(array);
    return code;
}

int data_remember(const data_sets *sets, const data_args *args, tonnx_model *model)
{
    char scale[64];
    tonnx_dataset_info info;
    int code = 0;
    tonnx_dataset_describe(sets->data, &info);
    if (info.class_names) code = remember_names(model, "tonnx.classes", info.class_names, info.class_count);
    if (!code && info.column_names) code = remember_names(model, "tonnx.columns", info.column_names, info.features);
    if (!code && scale_text(sets, args, model, scale, sizeof scale)) code = remember(model, "tonnx.scale", scale);
    return code;
}
