/* The program that the public API promises (C and C++): built against an installed tonnx. */
#include <stdio.h>

#include <tonnx/tonnx.h>

static void say(void *user, tonnx_log_level level, const char *line)
{
    (void)user;
    (void)level;
    fprintf(stderr, "%s\n", line);
}

int main(void)
{
    tonnx_model *model = NULL;
    tonnx_dataset *data = NULL;
    tonnx_trainer *trainer = NULL;
    tonnx_status status = tonnx_onnx_load(&model, "mlp.onnx", NULL);
    if (!status) status = tonnx_dataset_load(&data, "x.npy", "y.npy", NULL);
    tonnx_train_options options = TONNX_TRAIN_OPTIONS_DEFAULT;
    options.optimizer = TONNX_ADAM;
    options.rate = 1e-3;
    options.epochs = 3;
    options.log = (tonnx_log){ say, NULL };
    if (!status) status = tonnx_trainer_new(&trainer, model, data, &options);
    while (!status && !tonnx_trainer_done(trainer)) status = tonnx_trainer_epoch(trainer);
    if (!status) status = tonnx_trainer_pull(trainer, model);
    if (!status) status = tonnx_onnx_save(model, "trained.onnx", NULL);
    if (status) fprintf(stderr, "%s\n", tonnx_last_message());
    tonnx_trainer_free(trainer);
    tonnx_dataset_free(data);
    tonnx_model_free(model);
    return tonnx_status_exit_code(status);
}
