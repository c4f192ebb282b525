/* C[M,N] = act(alpha·op(A)[M,K]·op(B)[K,N] + beta·bias[N]), tile by tile: what follows the product of a tile
 * is done to it while it is still in cache. */
#include "runtime/cpu/cpu_impl.h"

#include <math.h>

/* Multiplications that are worth a tile of their own (about a microsecond), how many tiles are plenty, and the granule of
 * their sides. From LARGE on, tiles are as square as may be: each is multiplied for itself. */
enum { TILE_WORK = 1 << 17, TILES = 16, GRANULE = 32 };
enum { DEEP = 256 }; /* a k along which rows that are far apart push each other out of caches */
static const double LARGE = 1e9;

static size_t depth(const tonnx__cpu_task *task)
{
    return (task->code->flags & TONNX__TRANS_A) ? task->in[0].rows : task->in[0].cols;
}

tonnx__span tonnx__gemm_depth(const tonnx__cpu_task *task)
{
    return (tonnx__span){ 0, depth(task) };
}

/* The side of `parts` equal tiles of a side. */
static size_t side(size_t size, size_t parts)
{
    const size_t part = (size + parts - 1) / parts, granules = (part + GRANULE - 1) / GRANULE * GRANULE;
    return granules < size ? granules : size;
}

/* A tile of tall × wide products reads tall + wide strips, so of all grids of `want` tiles that one is taken which reads
 * least per product: the squarest tiles. */
static void cut_squares(tonnx__cpu_task *task, tonnx__cpu_tile *tile, size_t m, size_t n, size_t want)
{
    size_t best_tall = m, best_wide = n;
    double least = INFINITY;
    for (size_t down = 1; down <= want; down++) {
        const size_t tall = side(m, down), wide = side(n, (want + down - 1) / down);
        const double reads = 1.0 / (double)tall + 1.0 / (double)wide;
        if (reads >= least || tall * (down - 1) >= m) continue; /* no better, or fewer rows of tiles than asked for */
        least = reads;
        best_tall = tall;
        best_wide = wide;
    }
    tonnx__cut_grid(task, tile, m, n, best_tall, best_wide);
}

/* A batch so long that each thread has hundreds of rows. y and dX go by rows, which then stay with one thread through all layers,
 * forward and backward; a quarter of a thousand rows is worth turning W for. */
static bool is_tall(const tonnx__cpu_task *task, size_t m, size_t want)
{
    enum { MANY = 384 };
    return want == TILES && ((task->code->flags & TONNX__TRANS_A) ? depth(task) : m) > MANY;
}

static void cut_tall(tonnx__cpu_task *task, tonnx__cpu_tile *tile, size_t m, size_t n)
{
    enum { ROWS = 256 };
    const size_t parts = (m + ROWS - 1) / ROWS, down = parts < TILES ? parts : TILES;
    tonnx__cut_grid(task, tile, m, n, side(m, down), side(n, TILES / down));
}

/* Features of a strip: a long batch is read for each strip anew, so strips are then wider. */
static size_t strip_of(const tonnx__cpu_task *task, size_t features, size_t want)
{
    enum { LONG = 256, WIDER = 2 * GRANULE };
    const size_t strip = side(features, want);
    const bool wider = (task->code->flags & TONNX__TRANS_A) && depth(task) >= LONG && strip < WIDER && features >= 2 * WIDER;
    return wider ? WIDER : strip;
}

/* Strips of the features that the product makes, so that a feature stays with one thread from its product through its
 * norm and activation to its weights' update: columns of y and of dX, rows of dW = dYᵀ·X. Where features are few, the
 * strips are cut across. */
static void cut_features(tonnx__cpu_task *task, tonnx__cpu_tile *tile, size_t m, size_t n, size_t want)
{
    const bool by_rows = task->code->flags & TONNX__TRANS_A;
    const size_t features = by_rows ? m : n, others = by_rows ? n : m, strip = strip_of(task, features, want);
    const size_t strips = (features + strip - 1) / strip, across = side(others, (want + strips - 1) / strips);
    tonnx__cut_grid(task, tile, m, n, by_rows ? strip : across, by_rows ? across : strip);
}

/* Few features, as a net's last layer has: the loss sees whole rows, so y, dX and the loss go by the same rows, and dW by
 * the features before it. Alone such a product were not worth cutting, but what one thread does others wait for. */
static void cut_narrow(tonnx__cpu_task *task, tonnx__cpu_tile *tile, size_t m, size_t n)
{
    if (task->code->flags & TONNX__TRANS_A) tonnx__cut_grid(task, tile, m, n, m, side(n, TILES));
    else tonnx__cut_batch(task, tile, m, n);
}

static bool is_narrow(const tonnx__cpu_task *task, size_t m, size_t n)
{
    const bool weights = task->code->flags & TONNX__TRANS_A;
    return task->shared && (weights ? m : n < depth(task) ? n : depth(task)) <= GRANULE;
}

static double work_of(const tonnx__cpu_task *task)
{
    return (double)task->out[0].rows * (double)task->out[0].cols * (double)depth(task);
}

static size_t tiles_for(double work)
{
    const double deserved = work / TILE_WORK;
    return deserved >= TILES ? TILES : deserved > 1.0 ? (size_t)deserved : 1;
}

/* dW = dYᵀ·X of a tall batch goes by columns of X, so that X, which the second cache does not hold, is read once: unless there
 * are too few strips of them to share, or so many features that dY, which each strip reads, fills the cache in turn. */
bool tonnx__gemm_goes_by_columns(const tonnx__cpu_task *task)
{
    enum { FEATURES = 128 };
    const unsigned flags = task->code->flags;
    const double work = work_of(task);
    return (flags & TONNX__TRANS_A) && !(flags & TONNX__TRANS_B) && task->out[0].rows <= FEATURES &&
           task->out[0].cols >= TILES / 2 * TONNX__STRIP && work < LARGE && is_tall(task, task->out[0].rows, tiles_for(work));
}

/* Few samples times weights as they lie, whose rows are far apart: dX of a wide layer, or y where they are stored [k,n]. */
static bool goes_by_pages(const tonnx__cpu_task *task)
{
    const tonnx__gemm_kernels *own = task->kernels->gemm;
    return !(task->code->flags & (TONNX__TRANS_A | TONNX__TRANS_B)) && own && task->out[0].rows <= own->few &&
           depth(task) >= DEEP && task->in[1].cols >= TONNX__FAR;
}

/* Weights are read once, so tiles have a page of each row, or nearly: prefetchers run along it, and stop at its end. With four
 * threads memory has no more to give. */
static void cut_pages(tonnx__cpu_task *task, tonnx__cpu_tile *tile, size_t m, size_t n)
{
    enum { PAGE = 1024 };
    const size_t pairs = (n + 2 * PAGE - 1) / (2 * PAGE);
    tonnx__cut_grid(task, tile, m, n, m, side(n, 2 * pairs));
}

/* Cuts M×N into about as many tiles as the work deserves. */
void tonnx__gemm_cut(tonnx__cpu_task *task, tonnx__cpu_tile *tile)
{
    const size_t m = task->out[0].rows, n = task->out[0].cols;
    const double work = work_of(task);
    const size_t want = tiles_for(work);
    task->reach = TONNX__REACH_PRODUCT;
    if (is_narrow(task, m, n)) cut_narrow(task, tile, m, n);
    else if (goes_by_pages(task)) cut_pages(task, tile, m, n);
    else if (work >= LARGE) cut_squares(task, tile, m, n, want);
    else if (is_tall(task, m, want) && !(task->code->flags & TONNX__TRANS_A)) cut_tall(task, tile, m, n);
    else if (tonnx__gemm_goes_by_columns(task)) tonnx__cut_grid(task, tile, m, n, m, TONNX__STRIP);
    else cut_features(task, tile, m, n, want);
}

bool tonnx__gemm_shares(const tonnx__program *program, const tonnx__instruction *code)
{
    return tonnx__instruction_flops(program, code) >= 4.0 * TILE_WORK;
}

/* Products whose operands no cache holds as they lie, unless B is turned anyhow and serves rows enough; and those along a B whose
 * rows are so far apart that they meet in a few of the cache's sets. */
static bool packs(const tonnx__cpu_task *task, const size_t mnk[3], tonnx__lying a, tonnx__lying b)
{
    const tonnx__gemm_kernels *own = task->kernels->gemm;
    if (goes_by_pages(task)) return false;
    if (!own || (a.transposed && b.transposed)) return true;
    const bool large = (double)mnk[0] * (double)mnk[1] * (double)mnk[2] > 256e6;
    const bool turned = b.transposed && mnk[0] >= own->turns[0] && mnk[0] <= own->turns[1];
    return (large && !turned) || (!b.transposed && b.stride >= TONNX__FAR && mnk[2] >= DEEP);
}

/* What a tile multiplies: op(A)'s rows, op(B)'s columns and a part of k, as they lie. */
typedef struct factors {
    size_t mnk[3];
    tonnx__lying a, b;
} factors;

static factors factors_of(const tonnx__cpu_task *task, tonnx__span rows, tonnx__span cols, tonnx__span deep)
{
    const bool ta = task->code->flags & TONNX__TRANS_A, tb = task->code->flags & TONNX__TRANS_B;
    const tonnx__cpu_operand *a = &task->in[0], *b = &task->in[1];
    return (factors){ { rows.to - rows.from, cols.to - cols.from, deep.to - deep.from },
                      { a->at + (ta ? deep.from * a->cols + rows.from : rows.from * a->cols + deep.from), a->cols, ta },
                      { b->at + (tb ? cols.from * b->cols + deep.from : deep.from * b->cols + cols.from), b->cols, tb } };
}

/* The tile's product, summed over `deep` of k, into `c`, whose rows are `stride` apart. */
void tonnx__gemm_product(const tonnx__cpu_task *task, tonnx__span rows, tonnx__span cols, tonnx__span deep, float *c, size_t stride,
                         tonnx__ahead *ahead)
{
    const factors of = factors_of(task, rows, cols, deep);
    const float alpha = (float)task->code->alpha;
    const bool add = task->code->flags & TONNX__ACC0;
    const tonnx__gemm_kernels *own = task->kernels->gemm;
    if (packs(task, of.mnk, of.a, of.b)) tonnx__packed_product(task->kernels->packed, of.mnk, alpha, of.a, of.b, add, c, stride);
    else own->product(of.mnk, alpha, of.a, of.b, add, c, stride, ahead);
}

/* So few samples that weights and moments take as long to come from memory as the product takes. */
static bool is_flat(const tonnx__cpu_task *task)
{
    return tonnx__from_memory(&task->out[0]) && depth(task) > 0 && depth(task) < TONNX__FLAT_DEEP;
}

bool tonnx__gemm_pieces(const tonnx__cpu_task *task, tonnx__span rows, tonnx__span cols, const tonnx__beside *beside,
                        tonnx__packed_taker *take, void *user)
{
    const factors of = factors_of(task, rows, cols, tonnx__gemm_depth(task));
    const tonnx__packed_kernels *kernels = task->kernels->packed;
    if (task->code->alpha != 1.0) return false;
    if (is_flat(task)) tonnx__flat_pieces(kernels, of.mnk, of.a, of.b, beside, task->kernels->second_cache / 4, take, user);
    else if (packs(task, of.mnk, of.a, of.b)) tonnx__packed_pieces(kernels, of.mnk, of.a, of.b, take, user);
    else return false;
    return true;
}

/* z[n] += beta·bias for the panel's rows */
static void add_bias(const tonnx__cpu_task *task, float *z, size_t col, const tonnx__panel *panel)
{
    const tonnx__cpu_operand *bias = &task->in[2];
    const float beta = (float)task->code->beta;
    if (!bias->at) return;
    if (bias->cols == 1) task->kernels->elementwise->shift(z, beta * bias->at[0], panel);
    else task->kernels->elementwise->axpy(z, bias->at + col, beta, panel);
}

static tonnx__act_args act_args(const tonnx__cpu_task *task, size_t col)
{
    const tonnx__cpu_operand *slope = &task->in[5];
    tonnx__act_args args = { NULL, (float)task->code->a, (float)task->code->b };
    if (slope->at && slope->cols == 1) args.a = slope->at[0];
    if (slope->at && slope->cols > 1) args.slope = slope->at + col;
    return args;
}

/* Z = product + bias; C = f(Z) */
static void forward(const tonnx__cpu_task *task, size_t at, const tonnx__panel *panel)
{
    const size_t col = at % task->cols;
    const tonnx__act_args args = act_args(task, col);
    float *c = task->out[0].at + at, *z = task->out[1].at ? task->out[1].at + at : c;
    add_bias(task, z, col, panel);
    if (task->code->op >= 0) task->kernels->act->forward[task->code->op](c, z, panel, &args);
    for (size_t n = 0; n < panel->rows && task->code->op < 0 && z != c; n++)
        task->kernels->elementwise->copy(c + n * panel->stride, z + n * panel->stride, panel->cols, false);
}

/* C = product ∘ f'(X, Y) */
static void backward(const tonnx__cpu_task *task, size_t at, const tonnx__panel *panel)
{
    const tonnx__cpu_operand *x = &task->in[3], *y = &task->in[4];
    const tonnx__act_args args = act_args(task, at % task->cols);
    float *c = task->out[0].at + at;
    task->kernels->act->back[task->code->op](c, c, x->at ? x->at + at : NULL, y->at ? y->at + at : NULL, panel, &args, false);
}

/* What follows the product of a tile, some rows at a time that the first cache holds. */
static void follow(const tonnx__cpu_task *task, tonnx__span rows, tonnx__span cols)
{
    enum { ELEMENTS = 4096 };
    const size_t wide = tonnx__length(cols), tall = wide < ELEMENTS ? ELEMENTS / wide : 1;
    void (*const with)(const tonnx__cpu_task *, size_t, const tonnx__panel *) =
        (task->code->flags & TONNX__EPILOGUE_BACK) ? backward : forward;
    for (size_t r = rows.from; r < rows.to; r += tall) {
        const tonnx__panel panel = { tonnx__length(tonnx__part(r, tall, rows.to)), wide, task->cols };
        with(task, r * task->cols + cols.from, &panel);
    }
}

/* Row sums of op(A): s[m − rows.from] = Σ over `deep` of op(A)[m,k] */
void tonnx__gemm_row_sums(const tonnx__cpu_task *task, tonnx__span rows, tonnx__span deep, float *s)
{
    const tonnx__cpu_operand *a = &task->in[0];
    const size_t depth = deep.to - deep.from;
    double sums[TONNX__COLUMNS];
    for (size_t i = rows.from; i < rows.to; i += TONNX__COLUMNS, s += TONNX__COLUMNS) {
        const size_t count = rows.to - i < TONNX__COLUMNS ? rows.to - i : TONNX__COLUMNS;
        const tonnx__panel panel = { depth, count, a->cols };
        if (task->code->flags & TONNX__TRANS_A) task->kernels->sums->columns(sums, a->at + deep.from * a->cols + i, &panel);
        else
            for (size_t r = 0; r < count; r++) sums[r] = task->kernels->sums->sum(a->at + (i + r) * a->cols + deep.from, depth);
        for (size_t r = 0; r < count; r++) s[r] = (float)sums[r];
    }
}

static void gemm_tile(const tonnx__cpu_task *task, const tonnx__cpu_step *step, size_t index)
{
    const tonnx__cpu_operand *c = &task->out[0];
    const tonnx__span rows = tonnx__tile_rows(task, index, c->rows), cols = tonnx__tile_columns(task, index, c->cols);
    const bool back = task->code->flags & TONNX__EPILOGUE_BACK;
    float *z = task->out[1].at && !back ? task->out[1].at : c->at;
    tonnx__gemm_product(task, rows, cols, tonnx__gemm_depth(task), z + rows.from * c->cols + cols.from, c->cols, step->ahead);
    follow(task, rows, cols);
    if (task->out[2].at && cols.from == 0) tonnx__gemm_row_sums(task, rows, tonnx__gemm_depth(task), task->out[2].at + rows.from);
}

void tonnx__cpu_cut_GEMM(tonnx__cpu_task task[2])
{
    tonnx__gemm_cut(task, gemm_tile);
}
