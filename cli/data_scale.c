/* Where scaling lives. A factor is applied when samples are gathered, and the metadata keeps it for byte data. Mean and
 * deviation, or minimum and range, become Sub and Div nodes at the model's front, which then takes unscaled data. */
#include "cli/data_scale.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/net.h"

static const char *scale_at(size_t i)
{
    static const char *const words[] = { "auto", "none", "FACTOR", "minmax", "standard" };
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

/* "0.5", or a quotient such as "1/255". */
static bool parse_factor(const char *word, double *out)
{
    char *end;
    double factor = strtod(word, &end), divisor = 1.0;
    if (end == word) return false;
    if (*end == '/') divisor = strtod(end + 1, &end);
    *out = factor / divisor;
    return !*end && isfinite(*out) && *out != 0.0;
}

static bool is_factor(const char *word)
{
    double factor;
    return parse_factor(word, &factor);
}

const opt_words scale_words = { scale_at, is_factor };

static bool is_word(const char *scale, const char *word)
{
    return scale && !strcmp(scale, word);
}

static bool in_nodes(const char *scale)
{
    return is_word(scale, "standard") || is_word(scale, "minmax");
}

static void say(const tonnx_log *log, const char *line)
{
    if (log->say) log->say(log->user, TONNX_LOG_INFO, line);
}

/* Whether the net begins with a constant addition, subtraction, division or multiplication that is not trained: an
 * exporter's own scaling. */
static bool begins_with_scaling(tonnx_model *model, const data_args *args)
{
    tonnx_net_options options = TONNX_NET_OPTIONS_DEFAULT;
    tonnx_layer_info layer;
    tonnx_net *net = NULL;
    bool found = false;
    options.input = args->input;
    options.output = args->output_name;
    if (!tonnx_net_new(&net, model, &options) && tonnx_net_layer_count(net)) {
        tonnx_net_layer(net, 0, &layer);
        found = !strcmp(layer.kind, "affine") && !layer.parameters;
    }
    tonnx_net_free(net);
    return found;
}

/* The factor for `auto`: floats stay, bytes follow the metadata or the model's first nodes, else are divided by 255. */
static int auto_factor(const tonnx_dataset *data, const data_args *args, tonnx_model *model, const tonnx_log *log,
                       double *out)
{
    char line[160];
    tonnx_dataset_info info;
    const char *kept = tonnx_model_metadata(model, "tonnx.scale");
    tonnx_dataset_describe(data, &info);
    *out = info.scale;
    if (!info.bytes) return 0;
    if (in_nodes(kept)) {
        *out = 1.0;
        return 0;
    }
    if (kept) {
        if (!parse_factor(kept, out))
            return cli_usage("the model's metadata tonnx.scale is '%s', no factor; give --scale", kept);
        snprintf(line, sizeof line, "bytes are multiplied by %.6g, as the model's metadata says", *out);
    } else if (begins_with_scaling(model, args)) {
        *out = 1.0;
        snprintf(line, sizeof line, "the model scales its input itself: bytes are taken as they are");
    } else {
        snprintf(line, sizeof line, "features are bytes: divided by 255 (--scale auto)");
    }
    say(log, line);
    return 0;
}

int scale_for_evaluation(tonnx_dataset *data, const data_args *args, const tonnx_model *model, const tonnx_log *log)
{
    double factor = 1.0;
    if (in_nodes(args->scale)) {
        if (!in_nodes(tonnx_model_metadata(model, "tonnx.scale")))
            return cli_usage("--scale %s belongs to training: it writes nodes into the model, and this model has none",
                             args->scale);
    } else if (is_word(args->scale, "auto")) {
        const int code = auto_factor(data, args, (tonnx_model *)model, log, &factor);
        if (code) return code;
    } else if (!is_word(args->scale, "none")) {
        parse_factor(args->scale, &factor);
    }
    return cli_status(tonnx_dataset_set_scale(data, factor));
}

/* subtract, divide ← what turns each feature into mean 0 and deviation 1, or into 0…1; a constant one is only shifted.
 */
static void statistics(const tonnx_dataset *data, bool standard, size_t features, double *subtract, double *divide)
{
    if (standard) tonnx_dataset_mean_std(data, subtract, divide);
    else tonnx_dataset_min_max(data, subtract, divide);
    for (size_t i = 0; i < features; i++) {
        if (!standard) divide[i] -= subtract[i];
        if (divide[i] == 0.0) divide[i] = 1.0;
    }
}

static int scale_in_nodes(data_sets *sets, const data_args *args, tonnx_model *model, const tonnx_log *log)
{
    tonnx_dataset_info info;
    char line[160];
    if (in_nodes(tonnx_model_metadata(model, "tonnx.scale"))) {
        say(log, "the model begins with the scaling of an earlier training: kept, and none added");
        return 0;
    }
    tonnx_dataset_describe(sets->data, &info);
    double *subtract = cli_alloc(info.features, sizeof *subtract), *divide = cli_alloc(info.features, sizeof *divide);
    statistics(sets->data, is_word(args->scale, "standard"), info.features, subtract, divide);
    const tonnx_status status = tonnx_model_prepend_scaling(model, args->input, subtract, divide, info.features);
    snprintf(line, sizeof line, "--scale %s: Sub and Div of %zu features stand before the model now", args->scale,
             info.features);
    if (!status) say(log, line);
    free(subtract);
    free(divide);
    return cli_status(status);
}

int scale_for_training(data_sets *sets, const data_args *args, tonnx_model *model, const tonnx_log *log)
{
    double factor = 1.0;
    if (is_word(args->scale, "auto")) {
        const int code = auto_factor(sets->data, args, model, log, &factor);
        if (code) return code;
    } else if (!in_nodes(args->scale) && !is_word(args->scale, "none")) {
        parse_factor(args->scale, &factor);
    }
    tonnx_status status = tonnx_dataset_set_scale(sets->data, factor);
    if (!status && sets->val) status = tonnx_dataset_set_scale(sets->val, factor);
    if (status) return cli_status(status);
    return in_nodes(args->scale) ? scale_in_nodes(sets, args, model, log) : 0;
}

/* What `auto` does, it does again in evaluation, from the data and the model alone: that needs no word in the file,
 * which so differs in its weights only. */
bool scale_text(const data_sets *sets, const data_args *args, const tonnx_model *model, char *text, size_t size)
{
    tonnx_dataset_info info;
    const char *kept = tonnx_model_metadata(model, "tonnx.scale");
    tonnx_dataset_describe(sets->data, &info);
    snprintf(text, size, "%.17g", info.scale);
    if (in_nodes(args->scale)) snprintf(text, size, "%s", args->scale);
    if (is_word(args->scale, "none")) return kept && !in_nodes(kept); /* else bytes would be scaled as they were before */
    return !is_word(args->scale, "auto");
}
