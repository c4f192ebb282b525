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

bool tonnx__same_tensor(const tonnx__param *a, const tonnx__param *b)
{
    return a->tensor == b->tensor && a->constant == b->constant;
}

static bool same_view(const tonnx__param *a, const tonnx__param *b)
{
    return a->rows == b->rows && a->cols == b->cols && a->view.offset == b->view.offset &&
           a->view.row_stride == b->view.row_stride && a->view.col_stride == b->view.col_stride &&
           a->view.factor == b->view.factor;
}

/* b sees a's elements with rows and columns exchanged. */
static bool transposed_view(const tonnx__param *a, const tonnx__param *b)
{
    tonnx__param turned = *b;
    turned.rows = b->cols, turned.cols = b->rows;
    turned.view.row_stride = b->view.col_stride, turned.view.col_stride = b->view.row_stride;
    return same_view(a, &turned);
}

static size_t last_element(const tonnx__param *param)
{
    return param->view.offset + (param->rows - 1) * param->view.row_stride + (param->cols - 1) * param->view.col_stride;
}

/* Whether some element of the tensor is seen by both: slices of a packed weight may lie side by side. */
static tonnx_status overlap(const tonnx_net *net, const tonnx__param *a, const tonnx__param *b, bool *out)
{
    bool *seen = NULL;
    *out = same_view(a, b) || transposed_view(a, b);
    if (*out || !a->rows || !a->cols || !b->rows || !b->cols) return TONNX_OK;
    if (last_element(a) < b->view.offset || last_element(b) < a->view.offset) return TONNX_OK;
    const tonnx_status status = tonnx__alloc(&seen, tonnx__param_tensor(a, net->model)->count, sizeof *seen);
    if (status) return status;
    for (size_t r = 0; r < a->rows; r++)
        for (size_t c = 0; c < a->cols; c++)
            seen[a->view.offset + r * a->view.row_stride + c * a->view.col_stride] = true;
    for (size_t r = 0; r < b->rows; r++)
        for (size_t c = 0; c < b->cols; c++)
            *out |= seen[b->view.offset + r * b->view.row_stride + c * b->view.col_stride];
    tonnx__free(seen);
    return TONNX_OK;
}

static bool all_equal(const tonnx__tensor *tensor)
{
    for (size_t i = 1; i < tensor->count; i++)
        if (tonnx__tensor_get(tensor, i) != tonnx__tensor_get(tensor, 0)) return false;
    return true;
}

/* Parameters that training has not touched yet, which an exporter finds equal: all elements are. A single one always
 * is, so it must be what a fresh bias, norm or PReLU starts from. */
static bool is_fresh(const tonnx__tensor *tensor)
{
    const double first = tensor->count ? tonnx__tensor_get(tensor, 0) : 0;
    return all_equal(tensor) && (tensor->count > 1 || first == 0 || first == 0.25 || first == 1);
}

/* Constants that are not trained may be shared freely. */
static bool matters(const tonnx__param *param)
{
    return param->role != TONNX__ROLE_CONSTANT && !param->derived;
}

static bool is_statistic(const tonnx__param *param)
{
    return param->role == TONNX__ROLE_MEAN || param->role == TONNX__ROLE_VARIANCE;
}

/* The uses that see elements of what use k sees, k among them; `use` is the first parameter's number in each. */
typedef struct group {
    size_t *members, count;
} group;

static tonnx_status gather(const tonnx_net *net, const uses *all, size_t k, group *out)
{
    const tonnx__param *param = &net->params[*all->list[k].slot];
    tonnx_status status = tonnx__alloc(&out->members, all->count, sizeof *out->members);
    out->count = 0;
    for (size_t i = 0; i < all->count && !status; i++) {
        const tonnx__param *other = &net->params[*all->list[i].slot];
        bool shares = i == k;
        if (!shares && matters(other) && tonnx__same_tensor(param, other)) status = overlap(net, param, other, &shares);
        if (shares) out->members[out->count++] = i;
    }
    return status;
}

/* The dense layer whose weight a slot is; NULL for other slots. */
static tonnx__layer *dense_of(const tonnx_net *net, const int *slot)
{
    for (size_t l = 0; l < net->layer_count; l++)
        if (&net->layers[l].weight == slot && net->layers[l].kind == TONNX__LAYER_DENSE) return &net->layers[l];
    return NULL;
}

/* The use reads parameter `first` from now on. */
static tonnx_status join(const tonnx_net *net, int *slot, int first)
{
    const tonnx__param *like = &net->params[first], *param = &net->params[*slot];
    tonnx__layer *dense = dense_of(net, slot);
    if (*slot == first) return TONNX_OK;
    if (!same_view(like, param) && !(dense && transposed_view(like, param)))
        return tonnx__fail(TONNX_BAD_MODEL,
                           "%s: '%s' is read as [%zu, %zu] in one place and as [%zu, %zu] in another; such a tie is "
                           "not read: --untie trains them apart",
                           net->model->path, like->name, like->rows, like->cols, param->rows, param->cols);
    if (!same_view(like, param)) dense->transposed = !dense->transposed;
    *slot = first;
    return TONNX_OK;
}

/* One more use of a merged tensor trains alone, under a name of its own. */
static tonnx_status part(tonnx_net *net, const int *slot, size_t number)
{
    tonnx__param *param = &net->params[*slot];
    char name[512], *owned = NULL;
    param->merged = true;
    if (param->merged_input < 0) return TONNX_OK; /* the Identity's output is its name */
    snprintf(name, sizeof name, "%s_%zu", param->name, number);
    const tonnx_status status = tonnx__strdup(&owned, name);
    if (status) return status;
    tonnx__free(param->name);
    param->name = owned;
    return TONNX_OK;
}

/* The first member that names the tensor itself: of all, or of running statistics; the group's count where there is none. */
static size_t first_named(const tonnx_net *net, const uses *all, const group *g, bool statistic)
{
    for (size_t i = 0; i < g->count; i++) {
        const tonnx__param *param = &net->params[*all->list[g->members[i]].slot];
        if (param->merged_input >= 0 && (!statistic || is_statistic(param))) return i;
    }
    return g->count;
}

/* The member that keeps the initializer: the first that names the tensor itself, if there is one; an Identity's uses
 * get one of the Identity's name. Where the first is never trained, the name is the statistic's that it is one with. */
static size_t keeper(const tonnx_net *net, const uses *all, const group *g)
{
    const bool fixed = !net->params[*all->list[g->members[0]].slot].trained;
    size_t kept = first_named(net, all, g, fixed);
    if (kept == g->count) kept = first_named(net, all, g, false);
    return g->members[kept < g->count ? kept : 0];
}

/* An earlier member that reads the tensor through the same node: two uses of one name are one parameter. */
static int through_same_node(const tonnx_net *net, const uses *all, const group *g, size_t i)
{
    const tonnx__param *param = &net->params[*all->list[g->members[i]].slot];
    for (size_t k = 0; k < i; k++) {
        const int number = *all->list[g->members[k]].slot;
        const tonnx__param *other = &net->params[number];
        if (other->merged_node == param->merged_node && other->merged_input == param->merged_input) return number;
    }
    return -1;
}

/* Gives every use but the keeper's its own parameter. */
static tonnx_status unshare_all(tonnx_net *net, const uses *all, const group *g)
{
    const size_t first = keeper(net, all, g);
    size_t number = 2;
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; i < g->count && !status; i++) {
        int *slot = all->list[g->members[i]].slot;
        const int known = through_same_node(net, all, g, i);
        if (known >= 0) status = join(net, slot, known);
        else if (g->members[i] == first) continue;
        else if (net->params[*slot].merged_node < 0)
            status = join(net, slot, *all->list[first].slot); /* in a function */
        else status = part(net, slot, number++);
    }
    return status;
}

/* A tie: every use reads the first use's parameter. */
static tonnx_status tie_all(const tonnx_net *net, const uses *all, const group *g)
{
    const int first = *all->list[g->members[0]].slot;
    tonnx_status status = TONNX_OK;
    for (size_t i = 1; i < g->count && !status; i++) status = join(net, all->list[g->members[i]].slot, first);
    return status;
}

/* A running statistic moves by itself: it is never one with a parameter that is trained. */
static bool mixes_statistics(const tonnx_net *net, const uses *all, const group *g)
{
    size_t statistics = 0;
    for (size_t i = 0; i < g->count; i++) statistics += is_statistic(&net->params[*all->list[g->members[i]].slot]);
    return statistics > 0 && statistics < g->count;
}

/* True where every use can be given a tensor of its own by changing one node of the graph. */
static bool can_part(const tonnx_net *net, const uses *all, const group *g)
{
    for (size_t i = 0; i < g->count; i++)
        if (net->params[*all->list[g->members[i]].slot].merged_node < 0) return false;
    return true;
}

static tonnx_status settle(tonnx_net *net, const uses *all, const group *g)
{
    const tonnx__tensor *tensor = tonnx__param_tensor(&net->params[*all->list[g->members[0]].slot], net->model);
    const bool merge =
        can_part(net, all, g) && (net->untie || (!net->keep_ties && is_fresh(tensor)) || mixes_statistics(net, all, g));
    tonnx__say(&net->log, TONNX_LOG_INFO, "'%s' is read in %zu places: %s", tensor->name, g->count,
               net->untie ? "untied, each trains alone"
               : merge    ? "an exporter's merge, each trains alone (--keep-ties keeps it one)"
                          : "a tie, it stays one parameter (--untie separates it)");
    return merge ? unshare_all(net, all, g) : tie_all(net, all, g);
}

static tonnx_status decide(tonnx_net *net, const uses *all, size_t k, bool *decided)
{
    group g = { 0 };
    if (decided[k] || !matters(&net->params[*all->list[k].slot])) return TONNX_OK;
    tonnx_status status = gather(net, all, k, &g);
    if (!status && g.count > 1) status = settle(net, all, &g);
    for (size_t i = 0; i < g.count; i++) decided[g.members[i]] = true;
    tonnx__free(g.members);
    return status;
}

/* True where b's numbers are a's transposed, and say something: not all the same. */
static bool is_transposed_copy(const tonnx_net *net, const tonnx__param *a, const tonnx__param *b)
{
    const tonnx__tensor *from = tonnx__param_tensor(a, net->model), *to = tonnx__param_tensor(b, net->model);
    if (a->role != TONNX__ROLE_WEIGHT || b->role != TONNX__ROLE_WEIGHT || a->rows != b->cols || a->cols != b->rows ||
        tonnx__same_tensor(a, b) || a->derived || b->derived || a->merged || b->merged || all_equal(from))
        return false;
    for (size_t r = 0; r < a->rows; r++)
        for (size_t c = 0; c < a->cols; c++) {
            const size_t at = a->view.offset + r * a->view.row_stride + c * a->view.col_stride;
            const size_t turned = b->view.offset + c * b->view.row_stride + r * b->view.col_stride;
            if (a->view.factor * tonnx__tensor_get(from, at) != b->view.factor * tonnx__tensor_get(to, turned))
                return false;
        }
    return true;
}

/* Parameter b becomes a copy of a: what reads it reads a, transposed. */
static tonnx_status make_copy(tonnx_net *net, int a, int b)
{
    tonnx_status status = tonnx__grow(&net->copies, &net->copy_room, net->copy_count + 1, sizeof *net->copies);
    if (status) return status;
    tonnx__say(
        &net->log, TONNX_LOG_INFO,
        "'%s' is '%s' transposed: a tie that the exporter wrote out, it stays one parameter (--untie separates it)",
        net->params[b].name, net->params[a].name);
    net->copies[net->copy_count++] = (tonnx__copy){ net->params[b], a };
    net->params[b].name = NULL; /* it is the copy's now; pruning drops the rest */
    for (size_t l = 0; l < net->layer_count; l++) {
        if (net->layers[l].weight != b) continue;
        net->layers[l].weight = a;
        net->layers[l].transposed = !net->layers[l].transposed;
    }
    return TONNX_OK;
}

/* torch.export's optimizer evaluates Transpose(W) of a tied weight: the file then holds W and Wᵀ. */
static tonnx_status find_copies(tonnx_net *net)
{
    tonnx_status status = TONNX_OK;
    if (net->untie) return status;
    for (size_t a = 0; a < net->param_count && !status; a++)
        for (size_t b = a + 1; b < net->param_count && !status; b++)
            if (net->params[a].name && net->params[b].name && is_transposed_copy(net, &net->params[a], &net->params[b]))
                status = make_copy(net, (int)a, (int)b);
    return status;
}

tonnx_status tonnx__ties_resolve(tonnx_net *net)
{
    uses all = { 0 };
    bool *decided = NULL;
    tonnx__net_each_param(net, collect, &all);
    tonnx_status status = all.status;
    if (!status) status = tonnx__alloc(&decided, all.count, sizeof *decided);
    for (size_t k = 0; k < all.count && !status; k++) status = decide(net, &all, k, decided);
    tonnx__free(decided);
    tonnx__free(all.list);
    return status ? status : find_copies(net);
}
