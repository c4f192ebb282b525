/* ONNX's official node tests, in two counts: what binds to [N, F] with the other operands as initializers, run through
 * net and program on each backend; and what the folder evaluates where all operands are constants.
 *
 * tests/data/onnx-node/excluded.txt names every case that a count leaves out, and why. One that is neither right nor
 * listed fails, and so does one that is listed and right. */
#include <dirent.h>
#include <math.h>

#include "runtime/evaluate.h"
#include "runtime/recognise/recognise_impl.h"
#include "tests/node_case.h"

enum { CASES = 492, NET_CASES = 159, FOLD_CASES = 286, LINES_MOST = 500 };

typedef enum verdict { REFUSED, WRONG, RIGHT } verdict;
typedef enum tally { NET, FOLD, TALLIES } tally;
static const char *const tally_names[TALLIES] = { "net", "fold" };

/* ---- what comes out */

/* |got − wanted| ≤ 1e-7 + 1e-3·|wanted|, the tests' own tolerance. Half-precision cases are computed in half precision
 * by their author, an operation at a time: 4 of its roundings (2⁻¹¹) and of its smallest steps (2⁻²⁴) are allowed. */
static bool is_near(double got, double wanted, tonnx_dtype dtype)
{
    const bool half = dtype == TONNX_FLOAT16;
    if (isnan(wanted) || isinf(wanted)) return isnan(wanted) ? isnan(got) : got == wanted;
    return fabs(got - wanted) <= (half ? 0x1p-22 : 1e-7) + (half ? 0x1p-9 : 1e-3) * fabs(wanted);
}

typedef struct rows {
    double *values;
    size_t count, room;
} rows;

static tonnx_status keep_rows(void *user, const float *values, size_t n, size_t width)
{
    rows *r = user;
    for (size_t i = 0; i < n * width; i++, r->count++)
        if (r->count < r->room) r->values[r->count] = (double)values[i];
    return TONNX_OK;
}

static verdict compare(const double *got, size_t count, const tonnx__tensor *wanted, char *why, size_t size)
{
    if (count != wanted->count) {
        snprintf(why, size, "%s: %zu elements, not %zu", wanted->name, count, wanted->count);
        return WRONG;
    }
    for (size_t i = 0; i < count; i++) {
        const double w = tonnx__tensor_get(wanted, i);
        if (is_near(got[i], w, wanted->dtype)) continue;
        snprintf(why, size, "%s[%zu] is %.9g, not %.9g", wanted->name, i, got[i], w);
        return WRONG;
    }
    return RIGHT;
}

/* ---- through net and program */

/* The samples that operand "fed data" holds: [N, …] as rows; NULL where it has none that can be. */
static tonnx_dataset *samples_of(const tonnx__tensor *data)
{
    tonnx_dataset *set = NULL;
    if (!data->rank || !data->count) return NULL;
    const size_t n = (size_t)data->dims[0];
    float *x = malloc(data->count * sizeof *x);
    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < data->count; i++) x[i] = (float)tonnx__tensor_get(data, i);
    const tonnx_dataset_arrays arrays = { .size = sizeof arrays, .samples = n, .features = data->count / n, .x = x };
    if (tonnx_dataset_from_arrays(&set, &arrays)) set = NULL; /* NaN and Inf are refused, wherever data comes from */
    free(x);
    return set;
}

static verdict predict(tonnx_model *model, const tonnx_dataset *data, const char *input, const char *output,
                       const tonnx__tensor *wanted, char *why, size_t size)
{
    static const char *const backends[] = { "cpu", "reference" };
    verdict found = RIGHT;
    for (size_t b = 0; b < sizeof backends / sizeof *backends && found == RIGHT; b++) {
        tonnx_evaluate_options options = TONNX_EVALUATE_OPTIONS_DEFAULT;
        rows r = { .values = calloc(wanted->count + 1, sizeof *r.values), .room = wanted->count };
        options.backend = backends[b];
        options.input = input;
        options.output = output;
        const tonnx_status status = tonnx_predict(model, data, &options, keep_rows, &r);
        if (status) snprintf(why, size, "%s: %s", backends[b], tonnx_last_message());
        found = status ? WRONG : compare(r.values, r.count, wanted, why, size);
        free(r.values);
    }
    return found;
}

/* Hears whether the net ends before the output: what only moves data at the very end is cut off as a tail. */
static void hear(void *user, tonnx_log_level level, const char *line)
{
    (void)level;
    if (strstr(line, "the net ends there")) *(bool *)user = true;
}

/* Operand `in` is fed and output `out` comes out. */
static verdict try_net(const node_case *c, size_t in, size_t out, char *why, size_t size)
{
    tonnx_net_options options = TONNX_NET_OPTIONS_DEFAULT;
    tonnx_model *model = NULL;
    tonnx_net *net = NULL;
    tonnx_dataset *data = NULL;
    verdict found = REFUSED;
    bool cut = false;
    options.log = (tonnx_log){ hear, &cut };
    options.input = node_input(c, in);
    options.output = node_output(c, out);
    ck_ok(node_case_bind(&model, c, in));
    tonnx_status status = tonnx_net_new(&net, model, &options);
    if (status && strstr(tonnx_last_message(), "it has no layer")) {
        node_case_precede(model, options.input, &options.input);
        status = tonnx_net_new(&net, model, &options);
    }
    if (!status) data = samples_of(node_tensor(model, "fed data", SIZE_MAX));
    if (status && !*why) snprintf(why, size, "%s", tonnx_last_message());
    if (data && !cut)
        found = predict(model, data, options.input, options.output, node_tensor(model, "wanted", out), why, size);
    tonnx_dataset_free(data);
    tonnx_net_free(net);
    tonnx_model_free(model);
    return found;
}

/* Whatever can be fed is fed, one operand at a time: the case is right where its first output comes out right for one
 * of them, and nothing that comes out for any is wrong. */
static verdict run_net(const node_case *c, char *why, size_t size)
{
    verdict found = REFUSED;
    for (size_t in = 0; in < c->input_count && found != WRONG; in++) {
        for (size_t out = 0; out < c->output_count && found != WRONG; out++) {
            const verdict one = try_net(c, in, out, why, size);
            if (one == WRONG || (one == RIGHT && !out)) found = one;
        }
    }
    return found;
}

/* ---- through the folder */

/* Walks the graph for its facts alone: that no output depends on an input is what the walk then fails with. */
static void walk(tonnx__builder *builder, tonnx_net *net, tonnx_model *model, const char *output)
{
    int end = -1;
    *net = (tonnx_net){ .model = model, .bn_momentum = (double)NAN };
    *builder = (tonnx__builder){ .net = net, .model = model, .path = "", .opset = tonnx__model_opset(model) };
    ck_ok(tonnx__value_add(builder, &net->input, "no input", 1, NULL));
    ck_assert_int_ne(tonnx__walk(builder, output, &end), TONNX_OK);
}

static verdict compare_fact(const tonnx__builder *builder, const tonnx__fact *fact, const tonnx__tensor *wanted,
                            char *why, size_t size)
{
    const size_t n = tonnx__fact_count(fact);
    double *got = calloc(n + 1, sizeof *got);
    verdict found = fact->rank == wanted->rank ? RIGHT : WRONG;
    for (size_t i = 0; i < fact->rank && found == RIGHT; i++)
        if (fact->dims[i] != (size_t)wanted->dims[i]) found = WRONG;
    if (found == WRONG) snprintf(why, size, "%s: another shape", wanted->name);
    for (size_t i = 0; i < n; i++) got[i] = tonnx__fact_get(builder, fact, i);
    if (found == RIGHT) found = compare(got, n, wanted, why, size);
    free(got);
    return found;
}

static verdict try_fold(const node_case *c, size_t out, char *why, size_t size)
{
    tonnx_model *model = NULL;
    tonnx__builder builder;
    tonnx_net *net = NULL;
    verdict found = REFUSED;
    ck_ok(node_case_bind(&model, c, SIZE_MAX));
    ck_ok(tonnx__alloc(&net, 1, sizeof *net));
    walk(&builder, net, model, node_output(c, out));
    const tonnx__fact *fact = tonnx__fact_of(&builder, node_output(c, out));
    if (fact->kind == TONNX__FACT_CONSTANT)
        found = compare_fact(&builder, fact, node_tensor(model, "wanted", out), why, size);
    else snprintf(why, size, "%s", tonnx_last_message());
    tonnx__builder_clear(&builder);
    tonnx_net_free(net);
    tonnx_model_free(model);
    return found;
}

static verdict run_fold(const node_case *c, char *why, size_t size)
{
    verdict found = RIGHT;
    for (size_t out = 0; out < c->output_count && found == RIGHT; out++) found = try_fold(c, out, why, size);
    return found;
}

/* ---- the list of what is left out */

/* A line: a case; "net", "fold" or "both" for the counts that leave it out; the reason. */
typedef struct line {
    char name[96], tallies[8], reason[160];
    bool used;
} line;

typedef struct list {
    size_t count;
    line lines[LINES_MOST];
} list;

static void list_read(list *l)
{
    char text[320];
    FILE *file = fopen(TONNX_TEST_DATA "/onnx-node/excluded.txt", "r");
    ck_assert_ptr_nonnull(file);
    for (l->count = 0; fgets(text, sizeof text, file);) {
        line *at = &l->lines[l->count];
        if (*text == '#' || *text == '\n') continue;
        ck_assert_uint_lt(l->count, LINES_MOST);
        *at = (line){ .used = false };
        ck_assert_msg(sscanf(text, "%95s %7s %159[^\n]", at->name, at->tallies, at->reason) == 3, "%s", text);
        l->count++;
    }
    fclose(file);
}

static const line *list_find(list *l, const char *name, tally of)
{
    for (size_t i = 0; i < l->count; i++) {
        line *at = &l->lines[i];
        if (strcmp(at->name, name) != 0) continue;
        at->used = true;
        if (!strcmp(at->tallies, tally_names[of]) || !strcmp(at->tallies, "both")) return at;
    }
    return NULL;
}

/* One line about what is not as the list says; true where all is well. */
static bool as_listed(const char *name, tally of, verdict v, const line *l, const char *why)
{
    const verdict wanted = l ? REFUSED : RIGHT;
    if (v == wanted) return true;
    printf("%s (%s): %s; %s\n", name, tally_names[of],
           v == RIGHT     ? "is right, and listed: take it off the list"
           : v == REFUSED ? "is not run, and not listed so"
                          : "is wrong",
           why);
    fflush(stdout);
    return false;
}

/* ---- the cases */

static int is_case(const struct dirent *entry)
{
    return !strncmp(entry->d_name, "test_", 5);
}

static size_t run_cases(struct dirent **entries, size_t n, list *l, size_t right[TALLIES])
{
    static verdict (*const run[TALLIES])(const node_case *, char *, size_t) = { run_net, run_fold };
    size_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        node_case c;
        node_case_load(&c, entries[i]->d_name);
        for (tally of = NET; of < TALLIES; of++) {
            char why[512] = "";
            const verdict v = run[of](&c, why, sizeof why);
            right[of] += v == RIGHT;
            bad += !as_listed(c.name, of, v, list_find(l, c.name, of), why);
        }
        node_case_clear(&c);
    }
    return bad;
}

START_TEST(official_cases)
{
    struct dirent **entries = NULL;
    list *l = calloc(1, sizeof *l);
    size_t right[TALLIES] = { 0 };
    const int n = scandir(TONNX_TEST_DATA "/onnx-node", &entries, is_case, alphasort);
    ck_assert_int_eq(n, CASES);
    list_read(l);
    const size_t bad = run_cases(entries, (size_t)n, l, right);
    for (size_t i = 0; i < l->count; i++)
        ck_assert_msg(l->lines[i].used, "excluded.txt: '%s' is no case", l->lines[i].name);
    printf("%d official node tests: %zu through net and program on each backend, %zu through the folder\n", n,
           right[NET], right[FOLD]);
    ck_assert_uint_eq(bad, 0);
    ck_assert_uint_eq(right[NET], NET_CASES);
    ck_assert_uint_eq(right[FOLD], FOLD_CASES);
    for (int i = 0; i < n; i++) free(entries[i]);
    free(entries);
    free(l);
}
END_TEST

static Suite *onnx_node_suite(void)
{
    Suite *suite = suite_create("onnx_node");
    TCase *node = tcase_create("node");
    tcase_set_timeout(node, 120);
    tcase_add_test(node, official_cases);
    suite_add_tcase(suite, node);
    return suite;
}

int main(void)
{
    return run_suite(onnx_node_suite());
}
