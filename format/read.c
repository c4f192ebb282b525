#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "format/file.h"
#include "format/onnx.h"
#include "format/read_impl.h"
#include "format/scan_impl.h"

/* What ONNX has published, as of onnx 1.23: later opsets may give the operators other meanings. */
enum { OPSET_NEWEST = 28, IR_NEWEST = 14 };

/* Protocol Buffers end at 2 GiB, and protobuf-c counts in ints. */
#define MODEL_BYTES_MOST ((size_t)INT_MAX)

/* protobuf-c's allocator. Nothing is given back to the budget: the bound holds for all that was ever asked for. */
typedef struct parser_memory {
    tonnx__budget budget;
    bool refused;
} parser_memory;

static void *parser_alloc(void *user, size_t size)
{
    parser_memory *memory = user;
    void *got = tonnx__budget_alloc(&memory->budget, size);
    memory->refused |= !got;
    return got;
}

static void parser_free(void *user, void *pointer)
{
    (void)user;
    tonnx__free(pointer);
}

static tonnx_status parser_failed(const parser_memory *memory)
{
    if (memory->budget.overdrawn)
        return tonnx__fail(TONNX_BAD_MODEL, "reading it would go over the memory limit of 96 MiB + 3 × the file");
    if (memory->refused) return tonnx__fail(TONNX_NO_MEMORY, "out of memory while parsing");
    return tonnx__fail(TONNX_BAD_MODEL, "is not a readable ONNX model; export or copy it again");
}

/* `slim` is the file without what the parser need not see; it is freed once it is parsed. Payloads are then read from
 * the source itself. */
static tonnx_status parse(tonnx_model *model, unsigned char *slim, size_t size, tonnx__budget *budget,
                          const tonnx_log *log)
{
    /* The scan has priced all this already; the allocator's bound is a second lock, with room for scratch. */
    parser_memory memory = { .budget = { .left = 2 * TONNX__LOAD_BYTES + 2 * model->source_size } };
    ProtobufCAllocator allocator = { parser_alloc, parser_free, &memory };
    Tonnx__Onnx__ModelProto *proto = tonnx__onnx__model_proto__unpack(&allocator, size, slim);
    tonnx__free(slim);
    if (!proto) return parser_failed(&memory);
    const tonnx_status status = tonnx__onnx_fill(model, proto, budget, log);
    tonnx__onnx__model_proto__free_unpacked(proto, &allocator);
    return status;
}

static bool needs_default_opset(const tonnx_model *model)
{
    for (size_t i = 0; i < model->node_count; i++)
        if (!*model->nodes[i].domain) return true;
    return !model->opset_count;
}

static tonnx_status check_versions(const tonnx_model *model, const tonnx_log *log)
{
    const int64_t opset = tonnx__model_opset(model);
    if (!model->ir_version) return tonnx__fail(TONNX_BAD_MODEL, "ir_version: is missing; is this an ONNX model?");
    if (!opset && needs_default_opset(model))
        return tonnx__fail(TONNX_BAD_MODEL,
                           "opset_import: has no entry for the default domain; mend the file, ONNX asks for one");
    if (opset < 0 || opset > OPSET_NEWEST)
        return tonnx__fail(TONNX_BAD_MODEL,
                           "opset_import: opset %lld is not known; 1 to %d are: export for one of them",
                           (long long)opset, OPSET_NEWEST);
    if (model->ir_version > IR_NEWEST)
        tonnx__say(log, TONNX_LOG_WARNING, "%s: ir_version %lld is newer than the %d that is known here", model->path,
                   (long long)model->ir_version, IR_NEWEST);
    return TONNX_OK;
}

/* The source is in place: scan it, parse it slimmed, check it. */
static tonnx_status read_source(tonnx_model *model, const tonnx_log *log)
{
    tonnx__budget budget = { .left = TONNX__LOAD_BYTES + 2 * model->source_size };
    tonnx__splice cuts = { 0 };
    unsigned char *slim = NULL;
    size_t slim_size = 0;
    if (!model->source_size)
        return tonnx__fail(TONNX_BAD_MODEL, "is empty, not an ONNX model; export or copy it again");
    tonnx_status status = tonnx__onnx_scan(model->source, model->source_size, &budget, &cuts);
    if (!status) status = tonnx__splice_bytes(&cuts, model->source, model->source_size, &slim, &slim_size);
    tonnx__splice_clear(&cuts);
    if (!status) status = parse(model, slim, slim_size, &budget, log);
    if (!status) status = check_versions(model, log);
    return status ? status : tonnx__onnx_check_graph(model);
}

/* The folder that a path leads into: what external data is relative to. */
static tonnx_status folder_of(char **out, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) return tonnx__strdup(out, ".");
    return tonnx__strndup(out, path, slash > path ? (size_t)(slash - path) : 1);
}

/* `bytes` belong to the model from now on, also on failure. `is_path`: the name is where they were read. */
static tonnx_status read_taken(tonnx_model **out, unsigned char *bytes, size_t size, const char *name, bool is_path,
                               const tonnx_log *log)
{
    tonnx_model *model = NULL;
    tonnx_status status = tonnx__alloc(&model, 1, sizeof *model);
    if (status) {
        tonnx__free(bytes);
        return status;
    }
    model->source = bytes;
    model->source_size = size;
    status = tonnx__strdup(&model->path, name);
    if (!status && is_path) status = folder_of(&model->folder, name);
    if (!status) status = read_source(model, log);
    if (status) {
        tonnx_model_free(model);
        return tonnx__fail_in(status, name);
    }
    *out = model;
    return TONNX_OK;
}

static tonnx_status too_large(const char *name)
{
    return tonnx__fail(TONNX_BAD_MODEL, "%s: is over 2 GiB, which no ONNX model file can be", name);
}

tonnx_status tonnx_onnx_read(tonnx_model **out, const void *bytes, size_t size, const char *name, const tonnx_log *log)
{
    unsigned char *copy = NULL;
    *out = NULL;
    if (size > MODEL_BYTES_MOST) return too_large(name);
    const tonnx_status status = tonnx__alloc(&copy, size, 1);
    if (status) return status;
    if (size) memcpy(copy, bytes, size);
    return read_taken(out, copy, size, name, false, log);
}

tonnx_status tonnx_onnx_load(tonnx_model **out, const char *path, const tonnx_log *log)
{
    struct stat info;
    unsigned char *bytes = NULL;
    size_t size = 0;
    *out = NULL;
    if (!stat(path, &info) && S_ISREG(info.st_mode) && (size_t)info.st_size > MODEL_BYTES_MOST) return too_large(path);
    const tonnx_status status = tonnx_file_read(path, MODEL_BYTES_MOST, &bytes, &size);
    return status ? status : read_taken(out, bytes, size, path, true, log);
}
