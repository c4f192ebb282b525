/* Models from files and stdin, to files and stdout; what may be written where. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "format/file.h"
#include "format/onnx.h"

enum { CHUNK = 1 << 16 };

static int read_stream(FILE *in, unsigned char **bytes, size_t *size)
{
    size_t room = 0, got;
    do {
        if (*size == room) *bytes = cli_grow(*bytes, room = room ? 2 * room : CHUNK, 1);
        got = fread(*bytes + *size, 1, room - *size, in);
        *size += got;
    } while (got);
    return ferror(in) ? cli_io("stdin: %s", strerror(errno)) : 0;
}

int cli_load(tonnx_model **out, const char *path, const tonnx_log *log)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    *out = NULL;
    if (strcmp(path, "-") != 0) return cli_status(tonnx_onnx_load(out, path, log));
    int code = read_stream(stdin, &bytes, &size);
    if (!code) code = cli_status(tonnx_onnx_read(out, bytes, size, "stdin", log));
    free(bytes);
    return code;
}

int cli_save(const tonnx_model *model, const char *path, const tonnx_log *log)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    if (strcmp(path, "-") != 0) return cli_status(tonnx_onnx_save(model, path, log));
    const int code = cli_status(tonnx_onnx_write(model, &bytes, &size));
    if (!code) fwrite(bytes, 1, size, stdout); /* main looks whether stdout took it all */
    tonnx_file_free(bytes);
    return code;
}

int cli_check_alias(const char *option, const char *path, const char *const *inputs, size_t count)
{
    for (size_t i = 0; strcmp(path, "-") != 0 && i < count; i++)
        if (inputs[i] && (!strcmp(inputs[i], path) || tonnx_file_same(inputs[i], path)))
            return cli_usage("%s %s: that is the same file as %s; choose another name", option, path, inputs[i]);
    return 0;
}

int cli_check_output(const char *option, const char *path, const char *const *inputs, size_t count)
{
    tonnx_file *probe = NULL;
    const int code = cli_check_alias(option, path, inputs, count);
    if (code || !strcmp(path, "-")) return code;
    const tonnx_status status = tonnx_file_create(&probe, path);
    tonnx_file_discard(probe);
    return cli_status(status);
}

int cli_check_source(const char *option, const char *path, const tonnx_model *model)
{
    if (!path || !strcmp(path, "-") || !tonnx_onnx_is_source(model, path)) return 0;
    return cli_usage("%s %s: the model's weights come from that file; choose another name", option, path);
}
