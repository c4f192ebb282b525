#include "runtime/ties_impl.h"

#include <stdio.h>
#include <string.h>

/* One use of a parameter by a layer: in walking order. */
typedef struct use {
    int *slot;
} use;

typedef struct uses {
    use *list;
    size_t count, room;
    tonnx_status status;
} uses;

static void collect(void *user, int *param)
{
    uses *all = user;
    if (all->status) return;
    all->status = tonnx__grow(&all->list, &all->room, all->count + 1, sizeof *all->list);
    if (!all->status) all->list[all->count++].slot = param;
}

static bool same_tensor(const tonnx__param *a, const tonnx__param *b)
{
    return a->tensor == b->tensor && a->constant == b->constant;
}

static bool all_equal(const tonnx__tensor *tensor)
{
    for (size_t i = 1; i < tensor->count; i++)
        if (tonnx__tensor_get(tensor, i) != tonnx__tensor_get(tensor, 0)) return false;
    return true;
}

/* Constants that are not trained may be shared freely. */
static bool matters(const tonnx__param *param)
{
    return param->role != TONNX__ROLE_CONSTANT;
}

/* Uses of the tensor that use k reads: how many there are. */
static size_t count_uses(const tonnx_net *net, const uses *all, size_t k)
{
    const tonnx__param *param = &net->params[*all->list[k].slot];
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++) {
        const tonnx__param *other = &net->params[*all->list[i].slot];
        count += matters(other) && same_tensor(param, other);
    }
    return count;
}

/* The parameter that an earlier use got through the same Identity: two uses of one name are one parameter. */
static int through_same_identity(const tonnx_net *net, const tonnx__param *param)
{
    for (size_t p = 0; p < net->param_count && param->merged_input < 0; p++)
        if (net->params[p].merged && net->params[p].merged_input < 0 &&
            net->params[p].merged_node == param->merged_node && net->params[p].role == param->role)
            return (int)p;
    return -1;
}

/* One more use of a merged tensor trains alone, under a name of its own. */
static tonnx_status unshare(tonnx_net *net, int *slot, size_t number)
{
    const int known = through_same_identity(net, &net->params[*slot]);
    tonnx__param *param = &net->params[*slot];
    char name[512], *owned = NULL;
    if (known >= 0) {
        *slot = known;
        return TONNX_OK;
    }
    param->merged = true;
    if (param->merged_input < 0) return TONNX_OK; /* the Identity's output is its name */
    snprintf(name, sizeof name, "%s_%zu", param->name, number);
    const tonnx_status status = tonnx__strdup(&owned, name);
    if (status) return status;
    tonnx__free(param->name);
    param->name = owned;
    return TONNX_OK;
}

/* Gives every use but the first its own parameter. The first is one that names the tensor itself, if there is one: it
 * keeps the initializer, and an Identity's uses get theirs. */
static tonnx_status unshare_all(tonnx_net *net, uses *all, size_t k)
{
    const tonnx__param like = net->params[*all->list[k].slot];
    size_t first = SIZE_MAX, number = 2;
    tonnx_status status = TONNX_OK;
    for (size_t pass = 0; pass < 2 && first == SIZE_MAX; pass++)
        for (size_t i = 0; i < all->count && first == SIZE_MAX; i++) {
            const tonnx__param *param = &net->params[*all->list[i].slot];
            if (matters(param) && same_tensor(param, &like) && (pass || param->merged_input >= 0)) first = i;
        }
    for (size_t i = 0; i < all->count && !status; i++) {
        const tonnx__param *param = &net->params[*all->list[i].slot];
        if (i != first && matters(param) && same_tensor(param, &like))
            status = unshare(net, all->list[i].slot, number++);
    }
    return status;
}

/* A tie: every use reads the first use's parameter. */
static tonnx_status tie_all(const tonnx_net *net, const uses *all, size_t k)
{
    const int first = *all->list[k].slot;
    const tonnx__param *like = &net->params[first];
    for (size_t i = k + 1; i < all->count; i++) {
        const tonnx__param *param = &net->params[*all->list[i].slot];
        if (!matters(param) || !same_tensor(param, like)) continue;
        if (param->rows != like->rows || param->cols != like->cols || param->role != like->role ||
            memcmp(&param->view, &like->view, sizeof like->view) != 0)
            return tonnx__fail(TONNX_BAD_MODEL,
                               "%s: '%s' is read as [%zu, %zu] in one place and as [%zu, %zu] in another; such a "
                               "tie is not read: --untie trains them apart",
                               net->model->path, like->name, like->rows, like->cols, param->rows, param->cols);
        *all->list[i].slot = first;
    }
    return TONNX_OK;
}

static tonnx_status decide(tonnx_net *net, uses *all, size_t k)
{
    const tonnx__param param = net->params[*all->list[k].slot];
    const tonnx__tensor *tensor = tonnx__param_tensor(&param, net->model);
    const size_t count = count_uses(net, all, k);
    const bool merge = net->untie || (!net->keep_ties && all_equal(tensor));
    if (count < 2 || !matters(&param) || param.merged) return TONNX_OK;
    for (size_t i = 0; i < k; i++)
        if (same_tensor(&net->params[*all->list[i].slot], &param)) return TONNX_OK; /* decided before */
    tonnx__say(&net->log, TONNX_LOG_INFO, "'%s' is read in %zu places: %s", tensor->name, count,
               merge ? "an exporter's merge, each trains alone (--keep-ties keeps it one)"
                     : "a tie, it stays one parameter (--untie separates it)");
    return merge ? unshare_all(net, all, k) : tie_all(net, all, k);
}

tonnx_status tonnx__ties_resolve(tonnx_net *net)
{
    uses all = { 0 };
    tonnx__net_each_param(net, collect, &all);
    tonnx_status status = all.status;
    for (size_t k = 0; k < all.count && !status; k++) status = decide(net, &all, k);
    tonnx__free(all.list);
    return status;
}

/* A name that no initializer has: NAME, or NAME.2 and so on. */
static void free_name(const tonnx_model *model, const char *name, char *text, size_t size)
{
    snprintf(text, size, "%s", name);
    for (size_t i = 2; tonnx__model_find_tensor(model, text) >= 0; i++) snprintf(text, size, "%s.%zu", name, i);
}

/* An initializer of the parameter's own, a copy of the merged one, read where the merged one was read by this use. */
static tonnx_status materialise(tonnx_net *net, tonnx__param *param)
{
    tonnx_model *model = net->model;
    char name[560];
    size_t fresh = 0;
    tonnx__tensor *from = tonnx__param_tensor(param, model);
    free_name(model, param->name, name, sizeof name);
    tonnx_status status = tonnx__model_add_tensor(model, name, from->dtype, from->rank, from->dims, &fresh);
    if (status) return status;
    from = tonnx__param_tensor(param, model); /* adding may have moved it */
    status = tonnx__tensor_touch(&model->tensors[fresh]);
    for (size_t i = 0; i < from->count && !status; i++)
        tonnx__tensor_set(&model->tensors[fresh], i, tonnx__tensor_get(from, i));
    if (status) return status;
    if (param->merged_input < 0) model->nodes[param->merged_node].removed = true;
    else status = tonnx__model_rename_input(model, (size_t)param->merged_node, (size_t)param->merged_input, name);
    param->tensor = (ptrdiff_t)fresh;
    param->constant = NULL;
    param->merged = false;
    return status;
}

/* True where some parameter over the same tensor as p would change it. */
static bool tensor_changes(const tonnx_net *net, const tonnx__param *p, const double *const *values)
{
    for (size_t i = 0; i < net->param_count; i++)
        if (values[i] && same_tensor(&net->params[i], p) &&
            !tonnx__param_equals(&net->params[i], net->model, values[i]))
            return true;
    return false;
}

tonnx_status tonnx__net_push(tonnx_net *net, const double *const *values)
{
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; i < net->param_count && !status; i++)
        if (net->params[i].merged && tensor_changes(net, &net->params[i], values))
            status = materialise(net, &net->params[i]);
    for (size_t i = 0; i < net->param_count && !status; i++)
        if (values[i]) status = tonnx__param_push(&net->params[i], net->model, values[i]);
    return status;
}
