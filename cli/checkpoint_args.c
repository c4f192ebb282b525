#include "cli/checkpoint_args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/print.h"
#include "format/checkpoint.h"
#include "format/file.h"

#define AT(field) offsetof(checkpoint_args, field)
const opt checkpoint_options[] = {
    { "checkpoint", 0, OPT_FILE, AT(file), "FILE", NULL, "keep the run's state here (an interrupt's: else OUT.ckpt)",
      NULL, OPT_FREE },
    { "checkpoint-every", 0, OPT_TEXT, AT(every), "N[steps|epochs]", NULL, "how often; a bare N counts steps [1epochs]",
      NULL, OPT_FREE },
    { "resume", 0, OPT_FILE, AT(resume), "FILE", NULL, "go on from a checkpoint, with the same model, data and options",
      NULL, OPT_FREE },
    { 0 },
};
#undef AT

/* "500", "500steps", "2epochs": exactly one of the two is set. */
static bool parse_every(const char *text, uint64_t *steps, uint64_t *epochs)
{
    char *end = NULL;
    if (text[0] < '0' || text[0] > '9') return false;
    errno = 0;
    const unsigned long long count = strtoull(text, &end, 10);
    if (errno || !count) return false;
    while (*end == ' ') end++;
    const bool in_epochs = !strcmp(end, "epochs") || !strcmp(end, "epoch");
    *steps = in_epochs ? 0 : count;
    *epochs = in_epochs ? count : 0;
    return in_epochs || !*end || !strcmp(end, "steps") || !strcmp(end, "step");
}

static void make_fallback(checkpoints *held, const char *out)
{
    if (!out || !strcmp(out, "-")) return;
    const size_t size = strlen(out) + sizeof ".ckpt";
    held->fallback = cli_alloc(size, 1);
    snprintf(held->fallback, size, "%s.ckpt", out);
}

int checkpoints_open(checkpoints *held, const checkpoint_args *args, const char *out, const char *const *read,
                     size_t count)
{
    int code = 0;
    make_fallback(held, out);
    held->file = args->file;
    if (args->every && !args->file) return cli_usage("train: --checkpoint-every needs --checkpoint FILE");
    if (args->file && !strcmp(args->file, "-")) return cli_usage("train: --checkpoint needs a file, not stdout");
    if (args->file && out && (!strcmp(args->file, out) || tonnx_file_same(args->file, out)))
        return cli_usage("train: --checkpoint and -o are the same file");
    if (!code && args->file) code = cli_check_output("--checkpoint", args->file, read, count);
    else if (!code && held->fallback) code = cli_check_alias("--checkpoint", held->fallback, read, count);
    if (!code && args->resume) code = cli_status(tonnx_checkpoint_load(&held->resume, args->resume));
    return code;
}

static tonnx_status write_checkpoint(void *user, const tonnx_checkpoint *checkpoint)
{
    checkpoints *held = user;
    tonnx_checkpoint_info info;
    const tonnx_status status = tonnx_checkpoint_save(checkpoint, held->file);
    tonnx_checkpoint_describe(checkpoint, &info);
    held->step = info.step;
    held->written = !status;
    return status;
}

int checkpoints_apply(checkpoints *held, const checkpoint_args *args, tonnx_train_options *options)
{
    options->resume = held->resume;
    if (!args->file) return 0;
    options->checkpoint = write_checkpoint;
    options->checkpoint_user = held;
    options->checkpoint_epochs = 1;
    if (args->every && !parse_every(args->every, &options->checkpoint_steps, &options->checkpoint_epochs))
        return cli_usage("train: --checkpoint-every '%s': give a number from 1, with 'steps' or 'epochs' behind it",
                         args->every);
    return 0;
}

/* A step hands out its checkpoint at its end, or at its epoch's: what was written at this step is this state. */
int checkpoints_interrupted(checkpoints *held, tonnx_trainer *trainer, bool quiet)
{
    const char *path = held->file ? held->file : held->fallback;
    tonnx_checkpoint *checkpoint = NULL;
    tonnx_checkpoint_info info = { 0 };
    if (!path) return quiet ? 0 : (fprintf(stderr, "interrupted; nothing was written\n"), 0);
    tonnx_status status = tonnx_trainer_checkpoint(&checkpoint, trainer);
    if (!status) tonnx_checkpoint_describe(checkpoint, &info);
    const bool there = held->written && held->step == info.step && !access(path, F_OK);
    if (!status && !there) status = tonnx_checkpoint_save(checkpoint, path);
    if (!status && !quiet)
        fprintf(stderr, "interrupted after step %s of %s; no model was written; go on with --resume %s\n",
                print_count(info.step), print_count(info.total_steps), path);
    tonnx_checkpoint_free(checkpoint);
    return cli_status(status);
}

void checkpoints_failed(const checkpoints *held, tonnx_status status)
{
    const bool lost = status == TONNX_BAD_DEVICE;
    if (held->written && (lost || status == TONNX_DIVERGED))
        fprintf(stderr, "%s has the last good state, after step %s; no model was written%s%s\n", held->file,
                print_count(held->step), lost ? "; go on with --resume " : "", lost ? held->file : "");
    else if (lost && !held->file)
        fprintf(stderr, "no checkpoint was kept: --checkpoint FILE keeps one after each epoch\n");
}

void checkpoints_free(checkpoints *held)
{
    tonnx_checkpoint_free(held->resume);
    free(held->fallback);
    *held = (checkpoints){ 0 };
}
