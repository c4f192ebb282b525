#include "cli/run_args.h"

#include <limits.h>
#include <string.h>

/* Every name that there is, whatever this build and this machine have: that is for the library to say. */
static const char *backend_at(size_t i)
{
    static const char *const words[] = { "auto", "cpu", "vulkan", "reference" };
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

/* A device may follow the name: "vulkan:1". */
static bool backend_with_device(const char *word)
{
    const size_t length = strcspn(word, ":");
    for (size_t i = 1; backend_at(i); i++)
        if (word[length] && strlen(backend_at(i)) == length && !memcmp(word, backend_at(i), length)) return true;
    return false;
}

const opt_words backend_words = { backend_at, backend_with_device };

static const char *loss_at(size_t i)
{
    if (i == 0) return "auto";
    return i <= TONNX_LOSS_COUNT ? tonnx_loss_name((tonnx_loss)(i - 1)) : NULL;
}

static bool loss_alias(const char *word)
{
    tonnx_loss loss;
    return tonnx_loss_named(word, &loss);
}

const opt_words loss_words = { loss_at, loss_alias };

tonnx_loss loss_of(const char *word)
{
    tonnx_loss loss = TONNX_LOSS_AUTO;
    return tonnx_loss_named(word, &loss) ? loss : TONNX_LOSS_AUTO;
}

#define AT(field) offsetof(run_args, field)
const opt run_options[] = {
    { "backend", 0, OPT_WORD, AT(backend), "NAME", "cpu", "what computes", &backend_words, OPT_FREE },
    { "threads", 0, OPT_COUNT, AT(threads), "N", "0", "CPU threads; 0 is all cores", NULL, OPT_FREE },
    { "batch", 0, OPT_POSITIVE, AT(batch), "N", "1024", "rows at a time", NULL, OPT_FREE },
    { 0 },
};

void run_args_apply(const run_args *args, tonnx_evaluate_options *options)
{
    options->backend = args->backend;
    options->threads = args->threads > INT_MAX ? INT_MAX : (int)args->threads;
    options->batch = (size_t)args->batch;
}
