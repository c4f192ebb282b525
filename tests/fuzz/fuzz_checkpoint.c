/* Checkpoints: read, written again, and gone on from. With TONNX_FUZZ_SEEDS set to a folder, the target first writes
 * there the checkpoints of the run that it goes on with. */
#include <math.h>

#include "format/checkpoint.h"
#include "format/file.h"
#include "runtime/checkpoint_impl.h"
#include "runtime/init.h"
#include "runtime/train.h"
#include "tests/fuzz/fuzz.h"

/* A net of batch norm and dropout, and twelve samples. */
static tonnx_model *model;
static tonnx_dataset *data;

static tonnx_train_options run_options(void)
{
    tonnx_train_options options = TONNX_TRAIN_OPTIONS_DEFAULT;
    options.loss = TONNX_MSE;
    options.backend = "reference";
    options.schedule = TONNX_SCHEDULE_plateau;
    options.patience = 3;
    options.threads = 1;
    options.epochs = 2;
    options.batch = 4;
    return options;
}

/* Floats where doubles were, as backends other than the reference write them. */
static void narrow(tonnx__image *image)
{
    for (int a = 0; a < TONNX__STATE_ARENAS; a++) {
        for (size_t i = 0; i < image->counts[a]; i++) ((float *)image->values[a])[i] = (float)tonnx__image_at(image, (tonnx__arena)a, i);
        image->numbers[a] = TONNX__F32;
    }
}

static void write_seed(tonnx_trainer *trainer, const char *folder, int number)
{
    char path[600];
    tonnx_checkpoint *c = NULL;
    snprintf(path, sizeof path, "%s/%d.ckpt", folder, number);
    fuzz_must(!tonnx_trainer_checkpoint(&c, trainer) && !tonnx_checkpoint_save(c, path), "a seed");
    narrow(&c->state);
    narrow(&c->best);
    snprintf(path, sizeof path, "%s/%d-floats.ckpt", folder, number);
    fuzz_must(!tonnx_checkpoint_save(c, path), "a seed of floats");
    tonnx_checkpoint_free(c);
}

static void write_seeds(const char *folder)
{
    const tonnx_train_options options = run_options();
    tonnx_trainer *trainer = NULL;
    fuzz_must(!tonnx_trainer_new(&trainer, model, data, &options), "a trainer");
    for (int i = 0; i < 7; i++) {
        write_seed(trainer, folder, i);
        fuzz_must(!tonnx_trainer_step(trainer), "a step");
    }
    tonnx_trainer_free(trainer);
}

static void release(void)
{
    tonnx_model_free(model);
    tonnx_dataset_free(data);
}

static void begin(void)
{
    float x[12 * 3], y[12 * 2];
    const size_t widths[] = { 3, 4, 2 };
    tonnx_mlp_options net = TONNX_MLP_OPTIONS_DEFAULT;
    net.norm = "batch";
    net.dropout = 0.25;
    for (size_t i = 0; i < 12 * 3; i++) x[i] = (float)sin((double)i);
    for (size_t i = 0; i < 12 * 2; i++) y[i] = (float)cos((double)i);
    const tonnx_dataset_arrays arrays = {
        .size = sizeof arrays, .samples = 12, .features = 3, .x = x, .targets = y, .target_width = 2
    };
    fuzz_must(!tonnx_model_mlp(&model, widths, 3, &net), "a model");
    fuzz_must(!tonnx_dataset_from_arrays(&data, &arrays), "a data set");
    atexit(release);
    if (getenv("TONNX_FUZZ_SEEDS")) write_seeds(getenv("TONNX_FUZZ_SEEDS"));
}

/* Whatever its numbers are, a checkpoint that fits is gone on from, and one that does not is refused with a reason. */
static void resume(const tonnx_checkpoint *c)
{
    tonnx_train_options options = run_options();
    tonnx_trainer *trainer = NULL;
    options.resume = c;
    tonnx_status status = tonnx_trainer_new(&trainer, model, data, &options);
    if (!status) status = tonnx_trainer_run(trainer);
    fuzz_must(!status || status == TONNX_BAD_USAGE || status == TONNX_BAD_MODEL || status == TONNX_DIVERGED,
              "the run goes on, or a reason why not");
    tonnx_trainer_free(trainer);
}

/* What was read, written, read and written again has the bytes of the first writing. */
static void write_again(const tonnx_checkpoint *c)
{
    unsigned char *bytes = NULL;
    size_t size = 0;
    tonnx_checkpoint *again = NULL;
    const char *first = fuzz_path("first.ckpt"), *second = fuzz_path("second.ckpt");
    fuzz_must(!tonnx_checkpoint_save(c, first) && !tonnx_checkpoint_load(&again, first), "written and read");
    fuzz_must(!tonnx_checkpoint_save(again, second) && !tonnx_file_read(first, SIZE_MAX, &bytes, &size), "and again");
    fuzz_must(fuzz_holds(second, bytes, size), "the same bytes");
    tonnx_file_free(bytes);
    tonnx_checkpoint_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    tonnx_checkpoint *c = NULL;
    if (!model) begin();
    if (fuzz_refused(tonnx_checkpoint_read(&c, bytes, size, "input"), TONNX_BAD_MODEL, "input")) return 0;
    write_again(c);
    resume(c);
    tonnx_checkpoint_free(c);
    return 0;
}
