/* Dense layers: Gemm in all its forms, and MatMul with or without an Add on either side.
 *
 * ONNX Gemm: Y = alpha·A'·B' + beta·C, A' and B' transposed as transA and transB say, C broadcast to [N, out].
 * The data must be A'; B' is the weight: [in, out], stored [out, in] where transB = 1. */
#include <math.h>
#include <string.h>

#include "runtime/recognise/recognise_impl.h"

/* The data operand as [N, features]; fails on other ranks, which no MLP has. */
static tonnx_status check_shapes(const tonnx__builder *builder, const tonnx__node *node, const tonnx__fact *x,
                                 const tonnx__fact *w, bool transpose)
{
    const size_t in = transpose ? w->dims[1] : w->dims[0], features = builder->net->values[x->value].features;
    char shape[128];
    if (x->rank != 2)
        return tonnx__node_fail(builder, node,
                                "weight '%s' [%zu, %zu] on data %s; an MLP's layer takes [N, features]: put a Flatten "
                                "in front, or export for [N, %zu] and give each row as a sample",
                                w->name, w->dims[0], w->dims[1], tonnx__fact_shape(x, shape, sizeof shape), in);
    if (in != features)
        return tonnx__node_fail(builder, node,
                                "weight '%s' [%zu, %zu] takes %zu features, the data has %zu; mend the file: they must "
                                "be equal",
                                w->name, w->dims[0], w->dims[1], in, features);
    return TONNX_OK;
}

static tonnx_status add_dense(tonnx__builder *builder, tonnx__layer **out, const tonnx__node *node,
                              const tonnx__node *product, const tonnx__fact *x, const tonnx__fact *w, bool transpose)
{
    const tonnx__operand in = { x->value, -1 };
    int weight = -1;
    const size_t features = transpose ? w->dims[0] : w->dims[1];
    tonnx_status status = check_shapes(builder, node, x, w, transpose);
    if (!status) status = tonnx__param_matrix(builder, &weight, TONNX__ROLE_WEIGHT, w, !transpose, product, 1);
    if (!status) status = tonnx__layer_add(builder, out, TONNX__LAYER_DENSE, node, &in, 1, features, NULL);
    if (!status) (*out)->weight = weight;
    return status;
}

static tonnx_status add_bias(tonnx__builder *builder, tonnx__layer *layer, const tonnx__node *node, size_t input)
{
    const tonnx__fact *c = tonnx__constant_input(builder, node, input);
    const size_t features = builder->net->values[layer->out].features;
    if (!c)
        return tonnx__node_fail(builder, node,
                                "bias '%s' is computed from data; tonnx reads constant biases: write Gemm and Add",
                                tonnx__node_input(node, input));
    if (!tonnx__fact_is_row(c, features))
        return tonnx__node_fail(builder, node,
                                "bias '%s' has %zu elements, the layer %zu features; mend the file: 1 or %zu fit",
                                c->name, tonnx__fact_count(c), features, features);
    /* One number added to every unit is a constant of the graph, as it is where Add stands alone (arithmetic.c). */
    const tonnx__role role = tonnx__fact_count(c) == 1 && features > 1 ? TONNX__ROLE_CONSTANT : TONNX__ROLE_BIAS;
    return tonnx__param_vector(builder, &layer->bias, role, c, node, input);
}

static tonnx_status recognise_gemm(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *x = tonnx__value_input(builder, node, 0), *w = tonnx__constant_input(builder, node, 1);
    const bool trans_a = tonnx__node_int(node, "transA", 0) != 0, trans_b = tonnx__node_int(node, "transB", 0) != 0;
    const double beta = tonnx__node_float(node, "beta", 1);
    tonnx__layer *layer = NULL;
    if (!x || !w || w->rank != 2 || x->transposed != trans_a) return TONNX_OK;
    tonnx_status status = add_dense(builder, &layer, node, node, x, w, trans_b);
    if (status) return status;
    layer->alpha = tonnx__node_float(node, "alpha", 1);
    layer->beta = beta;
    *known = true;
    /* beta = 0 comes with a dummy C that means nothing (TorchScript's mm, jax2onnx). */
    return beta != 0 && *tonnx__node_input(node, 2) ? add_bias(builder, layer, node, 2) : TONNX_OK;
}

static tonnx_status recognise_matmul(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    const tonnx__fact *x = tonnx__value_input(builder, node, 0), *w = tonnx__constant_input(builder, node, 1);
    tonnx__layer *layer = NULL;
    if (!x || !w || w->rank != 2 || x->transposed) return TONNX_OK;
    *known = true;
    return add_dense(builder, &layer, node, node, x, w, false);
}

/* A product without a bias of its own: MatMul, or Gemm with beta = 0 or no C. */
static const tonnx__node *bare_product(const tonnx__builder *builder, const char *name, bool *transpose, double *alpha)
{
    const tonnx__node *gemm = tonnx__maker_of(builder, name, "Gemm");
    const tonnx__node *matmul = tonnx__maker_of(builder, name, "MatMul");
    *transpose = gemm && tonnx__node_int(gemm, "transB", 0) != 0;
    *alpha = gemm ? tonnx__node_float(gemm, "alpha", 1) : 1;
    if (gemm && (tonnx__node_int(gemm, "transA", 0) != 0 ||
                 (*tonnx__node_input(gemm, 2) && tonnx__node_float(gemm, "beta", 1) != 0)))
        return NULL;
    return gemm ? gemm : matmul;
}

/* Add(product, bias), either way round. */
static tonnx_status recognise_bias(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    for (size_t side = 0; side < 2; side++) {
        bool transpose = false;
        double alpha = 1;
        tonnx__layer *layer = NULL;
        const tonnx__node *product = bare_product(builder, tonnx__node_input(node, side), &transpose, &alpha);
        const tonnx__fact *bias = tonnx__constant_input(builder, node, 1 - side);
        if (!product || !bias) continue;
        const tonnx__fact *x = tonnx__value_input(builder, product, 0), *w = tonnx__constant_input(builder, product, 1);
        if (!x || !w || w->rank != 2 || x->rank != 2 || x->transposed ||
            !tonnx__fact_is_row(bias, transpose ? w->dims[0] : w->dims[1]))
            continue;
        tonnx_status status = add_dense(builder, &layer, node, product, x, w, transpose);
        if (status) return status;
        layer->alpha = alpha;
        *known = true;
        tonnx__free(layer->op);
        status = tonnx__strdup(&layer->op, strcmp(product->op_type, "Gemm") ? "MatMul+Add" : "Gemm+Add");
        return status ? status : add_bias(builder, layer, node, 1 - side);
    }
    return TONNX_OK;
}

tonnx_status tonnx__recognise_dense(tonnx__builder *builder, const tonnx__node *node, bool *known)
{
    if (!strcmp(node->op_type, "Gemm")) return recognise_gemm(builder, node, known);
    if (!strcmp(node->op_type, "MatMul")) return recognise_matmul(builder, node, known);
    if (!strcmp(node->op_type, "Add")) return recognise_bias(builder, node, known);
    return TONNX_OK;
}
