/* The front of the readers: which format a file has, and a data set from the tables of features and of targets. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "format/data/table_impl.h"
#include "runtime/dataset_impl.h"
#include "runtime/log_impl.h"
#include "runtime/options_impl.h"

/* In the order in which they are asked; the last one takes everything. */
static const tonnx__reader *find_reader(const tonnx__source *source)
{
    static const tonnx__reader *const readers[] = { &tonnx__npy_reader,         &tonnx__npz_reader,
                                                    &tonnx__safetensors_reader, &tonnx__idx_reader,
                                                    &tonnx__libsvm_reader,      &tonnx__csv_reader };
    size_t i = 0;
    while (!readers[i]->sniff(source->bytes, source->end)) i++;
    return readers[i];
}

/* The first bytes of a ModelProto: its IR version, then a field that comes next in practice. */
static bool looks_like_onnx(const unsigned char *head, size_t size)
{
    static const unsigned char next[] = { 0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42 }; /* producer … graph, opset */
    return size > 2 && head[0] == 0x08 && head[1] < 0x40 && memchr(next, head[2], sizeof next);
}

/* What no reader knows is a table, which is text. NUL bytes are left to the table's reader: UTF-16 has them. */
static tonnx_status check_text(const tonnx__source *source)
{
    static const char formats[] = "CSV, TSV, npy, npz, safetensors, IDX, libsvm";
    const unsigned char *head = source->bytes + source->at;
    const size_t size = source->end - source->at < 512 ? source->end - source->at : 512;
    if (looks_like_onnx(head, size))
        return tonnx__fail(TONNX_BAD_DATA, "%s: is an ONNX model, not data; want one of %s", source->path, formats);
    for (size_t i = 0; i < size; i++)
        if (head[i] && (head[i] < 0x09 || (head[i] > 0x0d && head[i] < 0x20)))
            return tonnx__fail(TONNX_BAD_DATA, "%s: neither text nor a format that is known; want one of %s",
                               source->path, formats);
    return TONNX_OK;
}

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; i++) tonnx__free(names[i]);
    tonnx__free(names);
}

void tonnx__table_clear(tonnx__table *table)
{
    tonnx__free(table->bytes);
    tonnx__free(table->floats);
    tonnx__free(table->integers);
    free_names(table->names, table->columns);
    free_names(table->words, table->word_count);
    memset(table, 0, sizeof *table);
}

/* Was a file meant? Then it is missing, which is another failure than a column that is not there. */
bool tonnx__looks_like_file(const char *target)
{
    static const char *const ends[] = { ".npy", ".npz", ".csv", ".tsv", ".txt", ".gz", "-ubyte", ".safetensors" };
    const size_t length = strlen(target);
    bool found = strchr(target, '/') != NULL;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        found = found || (length > strlen(ends[i]) && !strcmp(target + length - strlen(ends[i]), ends[i]));
    return found;
}

/* A target column asked for in a file that has no columns by name (a table's reader has said what it lacks). */
static tonnx_status check_column(const tonnx__source *source, const tonnx__reader *reader,
                                 const tonnx__request *request)
{
    const char *column = request->column;
    if (!column || request->column_may_be_file) return TONNX_OK;
    if (*column != '#')
        return tonnx__fail(TONNX_IO_FAILED, "%s: no such file (%s is %s: its target is a file of its own)", column,
                           source->path, reader->name);
    return tonnx__fail(TONNX_BAD_DATA,
                       "%s: no column '%s': %s has no columns to choose from; give the target as a file", source->path,
                       column, reader->name);
}

/* "CSV with header" → "gzip'd CSV with header" */
static void say_zipped(tonnx__table *table)
{
    static const char word[] = "gzip'd ";
    const size_t length = sizeof word - 1;
    memmove(table->how + length, table->how, sizeof table->how - length);
    memcpy(table->how, word, length);
    table->how[sizeof table->how - 1] = '\0';
}

static tonnx_status read_tables(tonnx__table *x, tonnx__table *y, const char *path, const tonnx__request *request)
{
    tonnx__source *source = NULL;
    tonnx_status status = tonnx__source_open(&source, path);
    if (status) return status;
    const tonnx__reader *reader = find_reader(source);
    if (reader == &tonnx__csv_reader) status = check_text(source);
    if (!status) status = reader->read(x, y, source, request);
    if (source->zipped) say_zipped(request->is_target && y->columns ? y : x);
    if (!status && !y->columns) status = check_column(source, reader, request);
    tonnx__source_close(source);
    return status;
}

/* The second file, where the target is one: its table in *y, whichever the reader filled. */
static tonnx_status read_target_file(tonnx__table *y, const char *path, const tonnx__request *of_data)
{
    tonnx__table table = { 0 };
    tonnx__request request = *of_data;
    request.is_target = true;
    request.column = NULL;
    const tonnx_status status = read_tables(&table, y, path, &request);
    if (!status && !y->columns) {
        *y = table;
        memset(&table, 0, sizeof table);
    }
    tonnx__table_clear(&table);
    return status;
}

/* classes[n] = integers[n, 1], kept within int32 so that what is wrong with them can be said. */
static tonnx_status take_classes(tonnx_dataset *parts, tonnx__table *y, const char *path)
{
    const tonnx_status status = tonnx__alloc(&parts->classes, y->rows, sizeof(int32_t));
    for (size_t i = 0; !status && i < y->rows; i++) {
        const int64_t value = y->integers[i];
        if (value < 0 || value >= TONNX__MAX_CLASSES)
            return tonnx__fail(TONNX_BAD_DATA, "%s: sample %zu has class %lld; class indices are 0 to %d", path, i + 1,
                               (long long)value, TONNX__MAX_CLASSES - 1);
        parts->classes[i] = (int32_t)value;
    }
    if (status) return status;
    parts->class_names = y->words;
    parts->class_count = y->word_count;
    y->words = NULL;
    return TONNX_OK;
}

/* targets[n, width] from floats or integers. */
static tonnx_status take_numbers(tonnx_dataset *parts, tonnx__table *y)
{
    const size_t count = y->rows * y->columns;
    parts->target_width = y->columns;
    parts->targets = y->floats;
    y->floats = NULL;
    if (parts->targets) return TONNX_OK;
    const tonnx_status status = tonnx__alloc(&parts->targets, count, sizeof(float));
    for (size_t i = 0; !status && i < count; i++) parts->targets[i] = (float)y->integers[i];
    return status;
}

/* Whole numbers of one column are classes, unless the caller wants numbers; words always are. */
static tonnx_status take_target(tonnx_dataset *parts, tonnx__table *y, const char *path, bool classes)
{
    if (!y->columns) return TONNX_OK;
    tonnx_status status =
        y->words || (y->integers && y->columns == 1 && classes) ? take_classes(parts, y, path) : take_numbers(parts, y);
    if (!status && y->columns == 1 && y->names) {
        parts->target_name = y->names[0];
        y->names[0] = NULL;
    }
    return status;
}

static void take_features(tonnx_dataset *parts, tonnx__table *x)
{
    parts->samples = x->rows;
    parts->features = x->columns;
    parts->x = x->floats;
    parts->x_bytes = x->bytes;
    parts->column_names = x->names;
    x->floats = NULL;
    x->bytes = NULL;
    x->names = NULL;
}

static tonnx_status check_counts(const tonnx__table *x, const tonnx__table *y, const char *data, const char *target)
{
    const bool known = x->rows_in_file && y->rows_in_file;
    const size_t samples = known ? x->rows_in_file : x->rows, targets = known ? y->rows_in_file : y->rows;
    const char *short_of_one = samples + 1 == targets && x->names ? data : targets + 1 == samples && y->names ? target : NULL;
    if (!y->columns || samples == targets) return TONNX_OK;
    return tonnx__fail(TONNX_BAD_DATA, "%s: %zu targets, but %s has %zu samples%s%s%s", target, targets, data, samples,
                       short_of_one ? "; if the first line of " : "", short_of_one ? short_of_one : "",
                       short_of_one ? " is no header: --header no" : "");
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* "3 text classes (cat, dog, owl)" */
static void print_target(char *text, size_t room, const tonnx_dataset_info *info)
{
    size_t at = 0;
    if (info->target_kind == TONNX_TARGET_NUMBER)
        snprintf(text, room, "%zu number%s a sample", info->target_width, info->target_width == 1 ? "" : "s");
    else if (!info->class_names) snprintf(text, room, "classes 0 to %zu", info->class_count - 1);
    else at = (size_t)snprintf(text, room, "%zu text class%s", info->class_count, info->class_count == 1 ? "" : "es");
    for (size_t i = 0; info->class_names && i < info->class_count && i < 8 && at + 64 < room; i++)
        at += (size_t)snprintf(text + at, room - at, "%s%.32s%s", i ? ", " : " (", info->class_names[i],
                               i + 1 == info->class_count ? ")"
                               : i == 7                   ? ", …)"
                                                          : "");
}

/* The two tables, and where they come from. */
typedef struct sources {
    const char *data, *target; /* as the caller named them: files, or a column */
    const char *target_file;   /* where the target stands: the same file, for a column */
    tonnx__table x, y;
} sources;

/* What was inferred, in one line. */
static void say(const tonnx_log *log, const sources *from, const tonnx_dataset *dataset)
{
    tonnx_dataset_info info;
    char target[400] = "", size[96];
    tonnx_dataset_describe(dataset, &info);
    snprintf(size, sizeof size, "%zu sample%s of %zu feature%s", info.samples, info.samples == 1 ? "" : "s",
             info.features, info.features == 1 ? "" : "s");
    const char *file = base_name(from->data);
    if (info.target_kind == TONNX_TARGET_NONE) {
        tonnx__say(log, TONNX_LOG_INFO, "%s: %s, %s; no target", file, from->x.how, size);
        return;
    }
    const char *name = *info.target_name ? info.target_name : from->target ? base_name(from->target) : "y";
    print_target(target, sizeof target, &info);
    tonnx__say(log, TONNX_LOG_INFO, "%s: %s, %s; target '%.60s' (%s): %s", file, from->x.how, size, name, from->y.how,
               target);
}

static tonnx_status build(tonnx_dataset **out, sources *from, const tonnx_data_options *options)
{
    tonnx_dataset parts = { 0 };
    tonnx_status status = check_counts(&from->x, &from->y, from->data, from->target_file);
    if (!status) status = take_target(&parts, &from->y, from->target_file, options->classes);
    take_features(&parts, &from->x);
    if (!status) status = tonnx__strdup(&parts.target_path, from->target_file);
    if (!status) status = tonnx__dataset_take(out, &parts, from->data);
    if (status) tonnx__dataset_clear(&parts);
    else say(&options->log, from, *out);
    return status;
}

tonnx_status tonnx_dataset_load(tonnx_dataset **out, const char *data, const char *target,
                                const tonnx_data_options *given)
{
    tonnx_data_options options = TONNX_DATA_OPTIONS_DEFAULT;
    sources from = { .data = data, .target = target, .target_file = data };
    *out = NULL;
    tonnx_status status = tonnx__options_lay(&options, sizeof options, given, "TONNX_DATA_OPTIONS_DEFAULT");
    if (status) return status;
    const tonnx__request request = {
        .column = target,
        .column_may_be_file = target && (!strcmp(target, "-") || !access(target, F_OK)),
        .limit = options.limit ? options.limit : SIZE_MAX,
        .classes = options.class_names,
        .class_count = options.class_count,
        .numbers = !options.classes,
        .x_key = options.x_key,
        .y_key = options.y_key,
        .index_base = options.index_base != 0,
        .features = options.features,
        .header = options.header,
        .columns = options.columns,
        .column_count = options.columns ? options.column_count : 0,
    };
    status = read_tables(&from.x, &from.y, data, &request);
    if (!status && target && !from.y.columns) {
        from.target_file = target;
        status = read_target_file(&from.y, target, &request);
    }
    if (!status) status = build(out, &from, &options);
    tonnx__table_clear(&from.x);
    tonnx__table_clear(&from.y);
    return status;
}
