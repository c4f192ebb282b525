/* Which dense layers a file of weights holds, from names and shapes alone. */
#include "converters/infer_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STEM = 200 };

typedef enum role { ROLE_NONE, ROLE_WEIGHT, ROLE_BIAS } role;

/* As PyTorch, Keras, scikit-learn and textbooks call them. */
static role role_of_word(const char *word, size_t length)
{
    static const struct row {
        const char *word;
        role role;
    } rows[] = { { "weight", ROLE_WEIGHT }, { "kernel", ROLE_WEIGHT },   { "coefs", ROLE_WEIGHT }, { "w", ROLE_WEIGHT },
                 { "bias", ROLE_BIAS },     { "intercepts", ROLE_BIAS }, { "b", ROLE_BIAS } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strlen(rows[i].word) == length && !strncasecmp(rows[i].word, word, length)) return rows[i].role;
    return ROLE_NONE;
}

/* "fc1.weight" and "dense/kernel:0" are the stem and what it has of it; "W1" and "coefs_0" the other way round. */
static role parse_name(const char *name, char stem[STEM])
{
    size_t length = strlen(name);
    if (length > 2 && !strcmp(name + length - 2, ":0")) length -= 2;
    size_t cut = length, digits = length;
    while (cut && !strchr("./_", name[cut - 1])) cut--;
    const role last = role_of_word(name + cut, length - cut);
    if (last) {
        snprintf(stem, STEM, "%.*s", (int)(cut ? cut - 1 : 0), name);
        return last;
    }
    while (digits && name[digits - 1] >= '0' && name[digits - 1] <= '9') digits--;
    snprintf(stem, STEM, "%.*s", (int)(length - digits), name + digits);
    if (digits && name[digits - 1] == '_') digits--;
    return digits < length ? role_of_word(name, digits) : ROLE_NONE;
}

/* "layer10" comes after "layer2". */
static int compare_stems(const char *a, const char *b)
{
    while (*a && *b) {
        const bool numbers = *a >= '0' && *a <= '9' && *b >= '0' && *b <= '9';
        char *end_a = NULL, *end_b = NULL;
        if (!numbers && *a != *b) return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        if (!numbers) {
            a++, b++;
            continue;
        }
        const unsigned long long x = strtoull(a, &end_a, 10), y = strtoull(b, &end_b, 10);
        if (x != y) return x < y ? -1 : 1;
        a = end_a;
        b = end_b;
    }
    return *a ? 1 : *b ? -1 : 0;
}

static int by_stem(const void *a, const void *b)
{
    char x[STEM], y[STEM];
    parse_name(((const tonnx__dense *)a)->weight->name, x);
    parse_name(((const tonnx__dense *)b)->weight->name, y);
    return compare_stems(x, y);
}

static tonnx_status misfit(const char *path, const tonnx__tensor *tensor, const char *why)
{
    char shape[TONNX__SHAPE_TEXT];
    return tonnx__fail(TONNX_BAD_MODEL, "%s: array '%.60s' %s %s; --model says whose weights these are", path,
                       tensor->name, tonnx__shape_text(tensor, shape), why);
}

static tonnx_status take_weights(tonnx__dense *layers, size_t *count, const tonnx__tensor *tensors, size_t tensor_count,
                                 const char *path)
{
    char stem[STEM];
    for (size_t i = 0; i < tensor_count; i++) {
        const role what = parse_name(tensors[i].name, stem);
        if (what == ROLE_WEIGHT && tensors[i].rank == 2) layers[(*count)++] = (tonnx__dense){ .weight = &tensors[i] };
        else if (what == ROLE_NONE && (tensors[i].rank == 1 || tensors[i].rank == 2))
            return misfit(path, &tensors[i], "is named like neither weight (fc1.weight, kernel, W1) nor bias (fc1.bias, b1)");
        else if (what != ROLE_BIAS || tensors[i].rank != 1)
            return misfit(path, &tensors[i], "is neither weight [out, in] nor bias [out] of a dense layer");
    }
    return *count ? TONNX_OK : tonnx__fail(TONNX_BAD_MODEL, "%s: holds no weights", path);
}

static tonnx_status take_biases(tonnx__dense *layers, size_t count, const tonnx__tensor *tensors, size_t tensor_count,
                                const char *path)
{
    char stem[STEM], weight_stem[STEM];
    for (size_t i = 0; i < tensor_count; i++) {
        size_t k = 0;
        if (parse_name(tensors[i].name, stem) != ROLE_BIAS) continue;
        while (k < count && (parse_name(layers[k].weight->name, weight_stem), strcmp(stem, weight_stem) != 0)) k++;
        if (k == count) return misfit(path, &tensors[i], "is the bias of no weight");
        if (layers[k].bias) return misfit(path, &tensors[i], "is a second bias of its layer");
        layers[k].bias = &tensors[i];
    }
    return TONNX_OK;
}

/* The first layer that does not follow from the one before it; `count` where all do. */
static size_t first_break(const tonnx__dense *layers, size_t count, bool in_first)
{
    size_t i = 0;
    for (int64_t width = -1; i < count; i++) {
        const tonnx__tensor *w = layers[i].weight, *b = layers[i].bias;
        const int64_t in = w->dims[in_first ? 0 : 1], out = w->dims[in_first ? 1 : 0];
        if ((width >= 0 && in != width) || (b && b->dims[0] != out) || in < 1 || out < 1) break;
        width = out;
    }
    return i;
}

static tonnx_status no_chain(const tonnx__dense *layers, size_t at, const char *path)
{
    char shape[TONNX__SHAPE_TEXT], before[TONNX__SHAPE_TEXT];
    if (!at) return misfit(path, layers[0].weight, "does not fit its bias");
    return tonnx__fail(TONNX_BAD_MODEL,
                       "%s: '%.60s' %s cannot follow '%.60s' %s, in either order of its dims; --model says whose "
                       "weights these are",
                       path, layers[at].weight->name, tonnx__shape_text(layers[at].weight, shape),
                       layers[at - 1].weight->name, tonnx__shape_text(layers[at - 1].weight, before));
}

/* The order of the names, or else of the file; [out, in], or else [in, out]. */
static tonnx_status order(tonnx__layers *out, const char *path)
{
    const tonnx__dense *broken = out->by_name;
    memcpy(out->by_name, out->dense, out->count * sizeof *out->dense);
    qsort(out->by_name, out->count, sizeof *out->by_name, by_stem);
    for (int file_order = 0; file_order < 2; file_order++) {
        tonnx__dense *layers = file_order ? out->dense : out->by_name;
        for (int in_first = 0; in_first < 2; in_first++) {
            if (first_break(layers, out->count, in_first) < out->count) continue;
            if (!file_order) memcpy(out->dense, out->by_name, out->count * sizeof *out->dense);
            out->in_first = in_first;
            return TONNX_OK;
        }
    }
    return no_chain(broken, first_break(broken, out->count, false), path);
}

/* One type of floats throughout, as Gemm has it. */
static tonnx_status check_types(const tonnx__tensor *tensors, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++) {
        if (!tonnx__is_float(tensors[i].dtype)) return misfit(path, &tensors[i], "does not hold floats");
        if (tensors[i].dtype != tensors[0].dtype)
            return tonnx__fail(TONNX_BAD_MODEL, "%s: array '%.60s' is %s, '%.60s' is %s: a layer has one type", path,
                               tensors[0].name, tonnx_dtype_name(tensors[0].dtype), tensors[i].name,
                               tonnx_dtype_name(tensors[i].dtype));
    }
    return TONNX_OK;
}

tonnx_status tonnx__infer_layers(tonnx__layers *out, const tonnx__tensor *tensors, size_t count, const char *path)
{
    *out = (tonnx__layers){ 0 };
    tonnx_status status = tonnx__alloc(&out->dense, count, sizeof *out->dense);
    if (!status) status = tonnx__alloc(&out->by_name, count, sizeof *out->by_name);
    if (!status) status = take_weights(out->dense, &out->count, tensors, count, path);
    if (!status) status = take_biases(out->dense, out->count, tensors, count, path);
    if (!status) status = check_types(tensors, count, path);
    return status ? status : order(out, path);
}

void tonnx__layers_clear(tonnx__layers *layers)
{
    tonnx__free(layers->dense);
    tonnx__free(layers->by_name);
}
