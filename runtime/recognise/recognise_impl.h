/* Recognising: a graph of nodes becomes a DAG of layers.
 *
 * The builder walks the nodes that the chosen output needs, inputs first. Each node gives every value it makes a
 * *fact*: it is a constant (a view of a tensor), or a value of the net, or nothing known. A family looks at a node, and
 * back over the nodes before it, and where it sees one of its patterns it adds a layer for the whole pattern. What the
 * inner nodes had become on their own is then dead and pruned at the end; what no family knew is an error only where
 * the output still depends on it. So the longest pattern wins and no family knows another. */
#ifndef TONNX_RUNTIME_RECOGNISE_RECOGNISE_IMPL_H
#define TONNX_RUNTIME_RECOGNISE_RECOGNISE_IMPL_H

#include "runtime/map_impl.h"
#include "runtime/net_impl.h"
#include "runtime/ops/book_impl.h"

enum { TONNX__MAX_RANK = 8 };

typedef enum tonnx__fact_kind {
    TONNX__FACT_UNKNOWN,
    TONNX__FACT_CONSTANT,
    TONNX__FACT_SHAPE, /* small whole numbers that depend on the batch's size N: a constant but for N */
    TONNX__FACT_VALUE
} tonnx__fact_kind;

typedef struct tonnx__fact {
    tonnx__fact_kind kind;
    size_t rank;
    size_t dims[TONNX__MAX_RANK]; /* of a value: dims[0] is the batch and means nothing */
    /* A constant: element (i, j, …) is factor · element offset + i·strides[0] + j·strides[1] + … of the tensor. */
    ptrdiff_t tensor;
    tonnx__tensor *constant;
    tonnx__tensor *per_row; /* of a SHAPE: the element is constant's + N · per_row's; NULL else */
    bool derived;           /* computed from other constants: no tensor of the file holds it, so it is not trained */
    double factor;
    size_t offset, strides[TONNX__MAX_RANK];
    const char *name;   /* what the parameter is called: the tensor's name, or an Identity's output */
    ptrdiff_t identity; /* the Identity node it came through; -1 */
    ptrdiff_t reader;   /* the first node that it came through, of whatever kind; -1; -2: one in a function's body */
    /* A value of the net. */
    int value;
    bool transposed; /* the node's value is [F, N] where the net's is [N, F] */
} tonnx__fact;

typedef struct tonnx__builder {
    tonnx_net *net;
    tonnx_model *model;
    const char *path;
    int64_t opset;
    tonnx__map facts_by_name;  /* value name → index into facts */
    const tonnx__node **nodes; /* the graph's, calls of functions inlined */
    size_t node_count, node_room;
    tonnx__map maker; /* value name → index into nodes of the one that makes it */
    tonnx__fact *facts;
    size_t fact_count, fact_room;
    size_t derived_bytes; /* of the constants computed so far */
    bool opens_batch;     /* the file that is written has no fixed batch */
} tonnx__builder;

/* Frees what the walk has filled. */
void tonnx__builder_clear(tonnx__builder *builder);

/* The fact about a value name; a fact of kind UNKNOWN where nothing was recorded. */
const tonnx__fact *tonnx__fact_of(const tonnx__builder *builder, const char *name);
tonnx_status tonnx__fact_set(tonnx__builder *builder, const char *name, const tonnx__fact *fact);

/* A fact that sees the whole of a tensor, row-major; the caller says which tensor it is. False where its rank is beyond
 * TONNX__MAX_RANK or it holds no numbers. */
bool tonnx__fact_whole(tonnx__fact *fact, const tonnx__tensor *tensor);

/* Fills `nodes`: the model's own, and in place of a call of a model-local function its body's. */
tonnx_status tonnx__inline_functions(tonnx__builder *builder);

/* A node's index in the model; -1 where it comes from a function's body. */
ptrdiff_t tonnx__node_index(const tonnx__builder *builder, const tonnx__node *node);

/* Where the model reads what input `input` of node is: that node, or the call whose body it is part of; a node of -1
 * where only the body reads it. */
void tonnx__node_use(const tonnx__builder *builder, const tonnx__node *node, size_t input, ptrdiff_t *use_node,
                     ptrdiff_t *use_input);

/* The element type that Cast and CastLike give; TONNX_DTYPE_NONE where it is not known. */
tonnx_dtype tonnx__cast_type(const tonnx__builder *builder, const tonnx__node *node);

/* True where a node only passes its input on: Identity, and casts between float types. */
bool tonnx__passes_on(const tonnx__builder *builder, const tonnx__node *node);

/* The value's name behind such nodes. */
const char *tonnx__source_name(const tonnx__builder *builder, const char *name);

/* The node that makes a value, and only if it is of that type (NULL: of any) in the default domain; NULL else. Looks
 * behind nodes that only pass it on. */
const tonnx__node *tonnx__maker_of(const tonnx__builder *builder, const char *name, const char *op_type);

/* True where both names are the same value, give or take nodes that pass it on. */
bool tonnx__same_source(const tonnx__builder *builder, const char *a, const char *b);

/* Input i of node as a constant or as a net value ([N, F], or N-D seen flat); NULL where it is none. */
const tonnx__fact *tonnx__constant_input(const tonnx__builder *builder, const tonnx__node *node, size_t i);
const tonnx__fact *tonnx__value_input(const tonnx__builder *builder, const tonnx__node *node, size_t i);
/* Input i as whole numbers of which some may depend on the batch's size N: a constant or a SHAPE; NULL where neither.
 */
const tonnx__fact *tonnx__shape_input(const tonnx__builder *builder, const tonnx__node *node, size_t i);

/* A constant with one element → its number. */
bool tonnx__fact_scalar(const tonnx__builder *builder, const tonnx__fact *fact, double *out);
/* A constant's element at a flat row-major index; of a SHAPE the part that does not depend on N. */
double tonnx__fact_get(const tonnx__builder *builder, const tonnx__fact *fact, size_t index);
/* The same, exact for whole numbers of 64 bits (a Slice's end may be the greatest there is). */
int64_t tonnx__fact_get_int(const tonnx__builder *builder, const tonnx__fact *fact, size_t index);
/* How often N stands in it; 0 for a constant. */
double tonnx__fact_per_row(const tonnx__fact *fact, size_t index);
size_t tonnx__fact_count(const tonnx__fact *fact);

/* A new value of the net, named `name`, of the shape that `like` has (NULL: [N, features]), with its fact. */
tonnx_status tonnx__value_add(tonnx__builder *builder, int *out, const char *name, size_t features,
                              const tonnx__fact *like);

/* Adds a layer named after `node`, reading `in` values, making the node's first output with `features` features of
 * the shape that `like` has (NULL: [N, features]). *out is valid until the next one is added. */
tonnx_status tonnx__layer_add(tonnx__builder *builder, tonnx__layer **out, tonnx__layer_kind kind,
                              const tonnx__node *node, const tonnx__operand *in, size_t in_count, size_t features,
                              const tonnx__fact *like);

/* A parameter [rows, cols] over a constant: rank 2 as it stands, or its transpose, or a vector along its only axis
 * that is not 1 (then rows = 1). *out is its index in the net.
 * `node`, `input`: the use, for un-sharing. Each use makes a parameter; ties.c makes them one where they are. */
tonnx_status tonnx__param_matrix(tonnx__builder *builder, int *out, tonnx__role role, const tonnx__fact *fact,
                                 bool transpose, const tonnx__node *node, size_t input);
tonnx_status tonnx__param_vector(tonnx__builder *builder, int *out, tonnx__role role, const tonnx__fact *fact,
                                 const tonnx__node *node, size_t input);

/* A parameter that no tensor of the file holds: a row of numbers that `node` stands for, which are not trained. */
tonnx_status tonnx__param_numbers(tonnx__builder *builder, int *out, const tonnx__node *node, const float *numbers,
                                  size_t count);

/* Squeeze and Unsqueeze: how many axes the node names (an attribute below opset 13, input 1 from there on), and which
 * ones of `rank`; false where one is none or they are not known. */
size_t tonnx__node_axis_count(const tonnx__builder *builder, const tonnx__node *node);
bool tonnx__node_axes(const tonnx__builder *builder, const tonnx__node *node, size_t rank, bool *chosen);

/* The widths that Split gives its outputs of `size` elements: as listed, or equal ones of which the last may be smaller
 * (num_outputs). *good where they are known; fails where they do not fit. */
tonnx_status tonnx__split_widths(const tonnx__builder *builder, const tonnx__node *node, size_t size, int64_t *widths,
                                 bool *good);

/* An activation layer of x, with the row's defaults; `op` names the nodes that it was read from (NULL: the node's op).
 */
tonnx_status tonnx__activation_add(tonnx__builder *builder, tonnx__layer **out, const tonnx__node *node,
                                   const tonnx__fact *x, tonnx_activation act, const char *op);

/* True where the constant has `features` elements along its last axis and 1 along the others, or one element. */
bool tonnx__fact_is_row(const tonnx__fact *fact, size_t features);

/* Fails where an attribute that families read has another type than ONNX gives it. */
tonnx_status tonnx__check_attributes(const tonnx__builder *builder, const tonnx__node *node);

/* True where `perm` (a checked list of integers) names each of `rank` axes once. */
bool tonnx__is_permutation(const tonnx__attribute *perm, size_t rank);

/* The families. Each sets *known where it recognised the node (and gave its outputs facts). A failure is an error in
 * the file that no other family can mend (a Gemm whose shapes do not fit). */
typedef tonnx_status (*tonnx__family)(tonnx__builder *builder, const tonnx__node *node, bool *known);
tonnx_status tonnx__fold(tonnx__builder *builder, const tonnx__node *node, bool *known);
tonnx_status tonnx__recognise_dense(tonnx__builder *builder, const tonnx__node *node, bool *known);
tonnx_status tonnx__recognise_activation(tonnx__builder *builder, const tonnx__node *node, bool *known);
tonnx_status tonnx__recognise_norm(tonnx__builder *builder, const tonnx__node *node, bool *known);
tonnx_status tonnx__recognise_axes(tonnx__builder *builder, const tonnx__node *node, bool *known);
tonnx_status tonnx__recognise_shape(tonnx__builder *builder, const tonnx__node *node, bool *known);
tonnx_status tonnx__recognise_part(tonnx__builder *builder, const tonnx__node *node, bool *known);
tonnx_status tonnx__recognise_arithmetic(tonnx__builder *builder, const tonnx__node *node, bool *known);
/* Of the domain ai.onnx.ml. */
tonnx_status tonnx__recognise_scaler(tonnx__builder *builder, const tonnx__node *node, bool *known);

/* Walks the graph from `output` (a value name) with the net's input already a fact, and asks the families at each node.
 * *end is the value of the net that the output is, or the last one before a tail that cannot be trained. Fails where
 * there is none, naming the first node that nobody knew. */
tonnx_status tonnx__walk(tonnx__builder *builder, const char *output, int *end);

/* Notes which products are gates, and which layers are their parts. For a whole net, its layers pruned. */
tonnx_status tonnx__gates_name(tonnx_net *net);

/* The name of the last value of the net before `output` where only deciding stands in between; NULL else. */
const char *tonnx__before_tail(const tonnx__builder *builder, const char *output);

/* "[N, 3, 6]", as messages name a value's shape. */
const char *tonnx__fact_shape(const tonnx__fact *fact, char *text, size_t size);

/* Fails with TONNX_BAD_MODEL: "PATH: OP node 'NAME' (inputs → outputs): …". */
tonnx_status tonnx__node_fail(const tonnx__builder *builder, const tonnx__node *node, const char *format, ...)
    TONNX_PRINTF(3, 4);

#endif
