/* Attributes are what their names say: an `axis` is an integer and a `perm` a list of them in every operator of the
 * default domain that an MLP has. Checked once, before any family looks at a node, so that none needs to. */
#include <string.h>

#include "runtime/recognise/recognise_impl.h"

static const struct expected {
    const char *name;
    tonnx__attribute_type type;
} expected[] = {
    { "allowzero", TONNX__ATTRIBUTE_INT },      { "alpha", TONNX__ATTRIBUTE_FLOAT },
    { "approximate", TONNX__ATTRIBUTE_STRING }, { "axes", TONNX__ATTRIBUTE_INTS },
    { "axis", TONNX__ATTRIBUTE_INT },           { "beta", TONNX__ATTRIBUTE_FLOAT },
    { "broadcast", TONNX__ATTRIBUTE_INT },      { "ends", TONNX__ATTRIBUTE_INTS },
    { "epsilon", TONNX__ATTRIBUTE_FLOAT },      { "gamma", TONNX__ATTRIBUTE_FLOAT },
    { "is_test", TONNX__ATTRIBUTE_INT },        { "keepdims", TONNX__ATTRIBUTE_INT },
    { "max", TONNX__ATTRIBUTE_FLOAT },          { "min", TONNX__ATTRIBUTE_FLOAT },
    { "momentum", TONNX__ATTRIBUTE_FLOAT },     { "num_outputs", TONNX__ATTRIBUTE_INT },
    { "perm", TONNX__ATTRIBUTE_INTS },          { "ratio", TONNX__ATTRIBUTE_FLOAT },
    { "spatial", TONNX__ATTRIBUTE_INT },        { "split", TONNX__ATTRIBUTE_INTS },
    { "starts", TONNX__ATTRIBUTE_INTS },        { "to", TONNX__ATTRIBUTE_INT },
    { "training_mode", TONNX__ATTRIBUTE_INT },  { "transA", TONNX__ATTRIBUTE_INT },
    { "transB", TONNX__ATTRIBUTE_INT },
};

static const char *type_name(tonnx__attribute_type type)
{
    switch (type) {
    case TONNX__ATTRIBUTE_FLOAT:
        return "a float";
    case TONNX__ATTRIBUTE_INT:
        return "an integer";
    case TONNX__ATTRIBUTE_STRING:
        return "a string";
    case TONNX__ATTRIBUTE_TENSOR:
        return "a tensor";
    case TONNX__ATTRIBUTE_FLOATS:
        return "a list of floats";
    case TONNX__ATTRIBUTE_INTS:
        return "a list of integers";
    default:
        return "of another type";
    }
}

static tonnx_status check_one(const tonnx__builder *builder, const tonnx__node *node, const tonnx__attribute *attribute)
{
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (!strcmp(attribute->name, expected[i].name) && attribute->type != expected[i].type)
            return tonnx__node_fail(builder, node, "attribute '%s' is %s; ONNX has %s here: mend the file",
                                    attribute->name, type_name(attribute->type), type_name(expected[i].type));
    return TONNX_OK;
}

tonnx_status tonnx__check_attributes(const tonnx__builder *builder, const tonnx__node *node)
{
    tonnx_status status = TONNX_OK;
    for (size_t i = 0; i < node->attribute_count && !status; i++)
        status = check_one(builder, node, &node->attributes[i]);
    return status;
}

bool tonnx__is_permutation(const tonnx__attribute *perm, size_t rank)
{
    bool seen[TONNX__MAX_RANK] = { false };
    if (perm->count != rank || rank > TONNX__MAX_RANK) return false;
    for (size_t i = 0; i < rank; i++) {
        if (perm->ints[i] < 0 || perm->ints[i] >= (int64_t)rank || seen[perm->ints[i]]) return false;
        seen[perm->ints[i]] = true;
    }
    return true;
}
