/* The library as a contestant, and the machine's own limits beside it. Says {} when it is ready; for every line "N"
 * that it reads it does its work N times and answers {"seconds":...}.
 *
 * native predict MODEL X.npy THREADS BATCH: outputs of all rows from memory into memory, net and threads made anew.
 * native read FILE: a data file becomes a data set.
 * native copy FILE: the file's bytes, in memory, copied into fresh memory.
 * native inflate FILE.gz: the file's bytes, in memory, inflated by zlib into fresh memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "format/data.h"
#include "format/onnx.h"
#include "runtime/evaluate.h"

typedef struct Work {
    int (*once)(struct Work *work);
    const char *path;
    tonnx_model *model;
    tonnx_dataset *data;
    tonnx_evaluate_options options;
    float *out;
    size_t filled;
    unsigned char *bytes;
    size_t count, inflated; /* of bytes; and of what they inflate to */
} Work;

static int fail(const char *what)
{
    fprintf(stderr, "native: %s\n", what);
    return 1;
}

static tonnx_status keep_rows(void *user, const float *values, size_t count, size_t width)
{
    Work *work = user;
    memcpy(work->out + work->filled, values, count * width * sizeof *values);
    work->filled += count * width;
    return TONNX_OK;
}

static int predict_once(Work *work)
{
    work->filled = 0;
    if (!tonnx_predict(work->model, work->data, &work->options, keep_rows, work)) return 0;
    return fail(tonnx_last_message());
}

static int read_once(Work *work)
{
    tonnx_dataset *data = NULL;
    if (tonnx_dataset_load(&data, work->path, NULL, NULL)) return fail(tonnx_last_message());
    tonnx_dataset_free(data);
    return 0;
}

static int copy_once(Work *work)
{
    unsigned char *to = malloc(work->count);
    if (!to) return fail("out of memory");
    memcpy(to, work->bytes, work->count);
    const volatile unsigned char last = to[work->count - 1]; /* so that the copy is not optimised away */
    (void)last;
    free(to);
    return 0;
}

static int inflate_once(Work *work)
{
    z_stream stream = { .next_in = work->bytes, .avail_in = (uInt)work->count };
    unsigned char *to = malloc(work->inflated);
    if (!to || inflateInit2(&stream, 15 + 32) != Z_OK) return fail("out of memory");
    stream.next_out = to;
    stream.avail_out = (uInt)work->inflated;
    const int end = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    free(to);
    return end == Z_STREAM_END ? 0 : fail("does not inflate");
}

static int load_bytes(Work *work)
{
    FILE *file = fopen(work->path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) return fail(work->path);
    work->count = (size_t)ftell(file);
    rewind(file);
    work->bytes = malloc(work->count);
    const size_t got = work->bytes ? fread(work->bytes, 1, work->count, file) : 0;
    fclose(file);
    if (got != work->count || got < 4) return fail("cannot read it");
    for (size_t i = 1; i <= 4; i++) /* gzip ends with the length of what is in it, little-endian */
        work->inflated = work->inflated << 8 | work->bytes[work->count - i];
    return 0;
}

static int load_net(Work *work, char **more)
{
    const tonnx_evaluate_options defaults = TONNX_EVALUATE_OPTIONS_DEFAULT;
    tonnx_dataset_info info;
    work->options = defaults;
    work->options.threads = atoi(more[1]);
    work->options.batch = (size_t)atol(more[2]);
    if (tonnx_onnx_load(&work->model, work->path, NULL)) return fail(tonnx_last_message());
    if (tonnx_dataset_load(&work->data, more[0], NULL, NULL)) return fail(tonnx_last_message());
    tonnx_dataset_describe(work->data, &info);
    work->out = malloc(info.samples * 1024 * sizeof *work->out);
    return work->out ? 0 : fail("out of memory");
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int serve(Work *work)
{
    char line[32];
    if (work->once(work)) return 1;
    printf("{}\n");
    fflush(stdout);
    while (fgets(line, sizeof line, stdin)) {
        const double begin = now();
        for (long n = atol(line); n > 0; n--)
            if (work->once(work)) return 1;
        printf("{\"seconds\":%.9f}\n", now() - begin);
        fflush(stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    Work work = { .path = argc > 2 ? argv[2] : NULL };
    const char *what = argc > 2 ? argv[1] : "";
    int code = 0;
    if (!strcmp(what, "predict") && argc == 6) {
        work.once = predict_once;
        code = load_net(&work, argv + 3);
    } else if (!strcmp(what, "read")) {
        work.once = read_once;
    } else if (!strcmp(what, "copy") || !strcmp(what, "inflate")) {
        work.once = *what == 'c' ? copy_once : inflate_once;
        code = load_bytes(&work);
    } else {
        return fail("what? see native.c"), 2;
    }
    if (!code) code = serve(&work);
    tonnx_dataset_free(work.data);
    tonnx_model_free(work.model);
    free(work.out);
    free(work.bytes);
    return code;
}
