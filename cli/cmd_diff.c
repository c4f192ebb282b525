/* tonnx diff: which tensors changed, and by how much. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/print.h"
#include "cli/weights.h"
#include "format/json.h"

typedef struct args {
    opt_common common;
    const char *a, *b;
    bool json;
} args;

static const opt options[] = {
    { "json", 0, OPT_FLAG, offsetof(args, json), NULL, NULL, "one JSON object", NULL, OPT_FREE }, { 0 }
};
static const opt_group groups[] = { { "Comparison", options, 0 }, { 0 } };
static const opt_operand operands[] = {
    { "A", offsetof(args, a), false, "an ONNX file" },
    { "B", offsetof(args, b), false, "another one" },
    { 0 },
};
static const char *const examples[] = { "tonnx diff model.onnx trained.onnx", "tonnx diff a.onnx b.onnx --json", NULL };

/* How one tensor differs. */
typedef struct change {
    const char *name, *why; /* why: in words, where there are no numbers to compare; NULL else */
    char shape[64];
    size_t count, changed;  /* elements */
    double max_abs, rel_l2; /* rel_l2 = ‖b − a‖ / ‖a‖; NaN where undefined */
} change;

typedef struct comparison {
    tonnx_model *a, *b;
    tonnx_tensor_info *tensors[2]; /* of A, of B */
    size_t counts[2];
    change *changes;
    size_t count;
    bool same_graph, same_metadata;
} comparison;

static bool is_changed(const change *c)
{
    return c->why || c->changed;
}

static void compare_elements(change *c, const double *a, const double *b)
{
    double difference = 0, norm = 0;
    c->max_abs = 0;
    for (size_t i = 0; i < c->count; i++) {
        const bool same = a[i] == b[i] || (isnan(a[i]) && isnan(b[i]));
        const double delta = same ? 0 : b[i] - a[i];
        c->changed += !same;
        c->max_abs = isnan(delta) || fabs(delta) > c->max_abs ? fabs(delta) : c->max_abs;
        difference += delta * delta;
        norm += a[i] * a[i];
    }
    c->rel_l2 = difference == 0 ? 0 : norm > 0 ? sqrt(difference / norm) : NAN;
}

static int compare_values(change *c, const tonnx_model *a, size_t i, const tonnx_model *b, size_t j)
{
    int code = 0, other = 0;
    double *before = weights_read(a, i, &code), *after = weights_read(b, j, &other);
    if (before && after) compare_elements(c, before, after);
    free(before);
    free(after);
    return code ? code : other;
}

/* Initializers, and the tensors of Constant nodes, which train too; for the caller to free. */
static tonnx_tensor_info *list_tensors(const tonnx_model *model, size_t *count)
{
    tonnx_model_info info;
    tonnx_model_describe(model, &info);
    *count = info.tensor_count + info.constant_count;
    tonnx_tensor_info *list = cli_alloc(*count + 1, sizeof *list);
    for (size_t i = 0; i < *count; i++) tonnx_model_tensor(model, i, &list[i]);
    return list;
}

/* The index of a name in a list, or its length. */
static size_t find(const tonnx_tensor_info *list, size_t count, const char *name)
{
    size_t i = 0;
    while (i < count && strcmp(list[i].name, name) != 0) i++;
    return i;
}

static change *add_change(comparison *all, const tonnx_tensor_info *tensor)
{
    all->changes = cli_grow(all->changes, all->count + 1, sizeof *all->changes);
    change *c = &all->changes[all->count++];
    *c = (change){ .name = tensor->name, .count = tensor->count, .max_abs = NAN, .rel_l2 = NAN };
    weights_shape(tensor, c->shape, sizeof c->shape);
    return c;
}

static bool same_shape(const tonnx_tensor_info *a, const tonnx_tensor_info *b)
{
    return a->rank == b->rank && (!a->rank || !memcmp(a->dims, b->dims, a->rank * sizeof *a->dims));
}

static int compare_tensor(comparison *all, size_t i)
{
    const tonnx_tensor_info *before = &all->tensors[0][i];
    const size_t j = find(all->tensors[1], all->counts[1], before->name);
    const tonnx_tensor_info *after = &all->tensors[1][j];
    change *c = add_change(all, before);
    if (j == all->counts[1]) c->why = "only in A";
    else if (before->dtype != after->dtype) c->why = "another type";
    else if (!same_shape(before, after)) c->why = "another shape";
    return c->why ? 0 : compare_values(c, all->a, i, all->b, j);
}

/* Calls `visit` for each key whose value differs, or that one of the two lacks; returns how many there are. */
static size_t each_metadata_change(const comparison *all, void (*visit)(const char *key))
{
    const tonnx_model *const models[] = { all->a, all->b };
    size_t found = 0;
    for (int side = 0; side < 2; side++) {
        tonnx_model_info info;
        tonnx_model_describe(models[side], &info);
        for (size_t i = 0; i < info.metadata_count; i++) {
            const char *key, *value;
            tonnx_model_metadata_at(models[side], i, &key, &value);
            const char *other = tonnx_model_metadata(models[!side], key);
            if (other && (side || !strcmp(other, value))) continue; /* the same, or told with A */
            found++;
            if (visit) visit(key);
        }
    }
    return found;
}

static int compare(comparison *all)
{
    int code = 0;
    all->tensors[0] = list_tensors(all->a, &all->counts[0]);
    all->tensors[1] = list_tensors(all->b, &all->counts[1]);
    for (size_t i = 0; i < all->counts[0] && !code; i++) code = compare_tensor(all, i);
    for (size_t j = 0; j < all->counts[1] && !code; j++) {
        const tonnx_tensor_info *tensor = &all->tensors[1][j];
        if (find(all->tensors[0], all->counts[0], tensor->name) == all->counts[0])
            add_change(all, tensor)->why = "only in B";
    }
    all->same_graph = tonnx_model_same_graph(all->a, all->b);
    all->same_metadata = !each_metadata_change(all, NULL);
    return code;
}

static size_t count_changed(const comparison *all)
{
    size_t changed = 0;
    for (size_t i = 0; i < all->count; i++) changed += is_changed(&all->changes[i]);
    return changed;
}

static bool is_equal(const comparison *all)
{
    return all->same_graph && all->same_metadata && !count_changed(all);
}

static int print_json(const comparison *all)
{
    tonnx_json *root = tonnx_json_object();
    tonnx_json_bool(root, "equal", is_equal(all));
    tonnx_json_bool(root, "graph_equal", all->same_graph);
    tonnx_json_bool(root, "metadata_equal", all->same_metadata);
    tonnx_json *tensors = tonnx_json_add_array(root, "tensors");
    for (size_t i = 0; i < all->count; i++) {
        const change *c = &all->changes[i];
        tonnx_json *object = tonnx_json_add_object(tensors, NULL);
        tonnx_json_string(object, "name", c->name);
        tonnx_json_rounded(object, "max_abs", c->max_abs, JSON_FLOAT);
        tonnx_json_rounded(object, "rel_l2", c->rel_l2, JSON_FLOAT);
        tonnx_json_bool(object, "changed", is_changed(c));
        if (c->why) tonnx_json_string(object, "why", c->why);
    }
    char *text = tonnx_json_text(root, false);
    if (text) puts(text);
    tonnx_json_text_free(text);
    tonnx_json_free(root);
    return text ? 0 : cli_io("out of memory");
}

static void print_change(print_table *table, const change *c)
{
    print_table_cell(table, "%s", c->name);
    print_table_cell(table, "%s", c->shape);
    if (c->why) print_table_cell(table, "%s", c->why);
    else print_table_cell(table, "%s of %s", print_count(c->changed), print_count(c->count));
    print_table_cell(table, "%s", print_number(c->max_abs));
    print_table_cell(table, "%s", print_number(c->rel_l2));
}

static void print_key(const char *key)
{
    printf("metadata '%s' differs\n", key);
}

static int print_text(const comparison *all)
{
    static const char *const head[] = { "tensor", "shape", "changed", "max |B-A|", "rel L2" };
    print_table *table = print_table_new("lrrrr");
    for (size_t i = 0; i < sizeof head / sizeof *head; i++) print_table_cell(table, "%s", head[i]);
    for (size_t i = 0; i < all->count; i++) print_change(table, &all->changes[i]);
    print_table_end(table, stdout);
    if (!all->same_graph) puts("the graphs differ: nodes, attributes, inputs or outputs");
    each_metadata_change(all, print_key);
    if (is_equal(all)) puts("equal");
    else printf("%zu of %zu tensors changed\n", count_changed(all), all->count);
    return 0;
}

static int diff(void *opaque)
{
    const args *a = opaque;
    const tonnx_log log = cli_log(&a->common);
    comparison all = { 0 };
    int code = cli_load(&all.a, a->a, &log);
    if (!code) code = cli_load(&all.b, a->b, &log);
    if (!code) code = compare(&all);
    if (!code) code = a->json ? print_json(&all) : print_text(&all);
    if (!code && !is_equal(&all)) code = EXIT_DIFFERENT;
    free(all.changes);
    for (int side = 0; side < 2; side++) free(all.tensors[side]);
    tonnx_model_free(all.a);
    tonnx_model_free(all.b);
    return code;
}

const command cmd_diff = {
    "diff",
    "which tensors changed between two models, and by how much",
    "Exits with 1 where the models differ: in a tensor, the graph or the metadata. rel L2 is |B-A|/|A|.",
    examples,
    operands,
    groups,
    sizeof(args),
    diff,
};
