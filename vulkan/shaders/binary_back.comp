#version 450
#extension GL_GOOGLE_include_directive : require
/* dA = dY ∘ {1, 1, B, 1/B}, then dB = dY ∘ {1, −1, A, −A/B²}, each of full size; they may be one buffer */
#include "vulkan/shaders/common.glsl"
#include "vulkan/shaders/binary.glsl"

IN(0, dy);
IN(1, a);
IN(2, b);
OUT(3, da);
OUT(4, db);

void main()
{
    const uint i = invocation();
    if (i >= push.n * push.f) return;
    const uint r = i / push.f, c = i % push.f;
    const float d = dy[FLAT(0, i)], va = a[AT(1, r, c)], vb = b[AT(2, r, c)];
    const float by_a = OPERATOR == MUL ? d * vb : OPERATOR < MUL ? d : d / vb;
    const float by_b = OPERATOR == ADD ? d : OPERATOR == SUB ? -d : OPERATOR == MUL ? d * va : d * (-va / (vb * vb));
    const float new_a = HAS(3) && ACC0 ? da[FLAT(3, i)] + by_a : by_a;
    if (HAS(3)) da[FLAT(3, i)] = new_a;
    if (!HAS(4)) return;
    const float old_b = push.u[0] != 0u ? new_a : db[FLAT(4, i)]; /* u[0]: one buffer */
    db[FLAT(4, i)] = ACC1 ? old_b + by_b : by_b;
}
