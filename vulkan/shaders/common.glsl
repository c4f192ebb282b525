/* What all shaders share: what a dispatch is told (tonnx__vk_push), where operands lie, the clock.
 * IN(k, name), OUT(k, name): binding k is operand `name`, an array of floats. Before this is included, CLOCK may name the
 * clock's binding. */
layout(constant_id = 0) const uint LOCAL = 64u; /* invocations of a workgroup */
layout(local_size_x_id = 0) in;

struct Push {
    uint at[12];
    uint n, f, k, flags;
    float x[8];
    uint u[8];
};
layout(push_constant) uniform Pushed { Push pushed; };
Push push = pushed; /* read once, before anything branches: a CPU's driver does it lane by lane where lanes may be off */

#define IN(k, name)  layout(set = 0, binding = k) readonly buffer In##k { float name[]; }
#define OUT(k, name) layout(set = 0, binding = k) buffer Out##k { float name[]; }

/* Operand k as texels of four floats, and of one: binding TEXELS is the first such view, VIEWS operands have them. */
#define FOURS(k, name) layout(set = 0, binding = TEXELS + k, rgba32f) readonly uniform imageBuffer name
#define ONES(k, name)  layout(set = 0, binding = TEXELS + VIEWS + k, r32f) readonly uniform imageBuffer name

/* Flags: outputs that are added to; operands that there are, that have one column, that have one row. */
#define ACC0       ((push.flags & 1u) != 0u)
#define ACC1       ((push.flags & 2u) != 0u)
#ifndef HAS
#define HAS(k)     ((push.flags >> (8 + k) & 1u) != 0u)
#endif
#define ONE_COL(k) ((push.flags >> (20 + k) & 1u) != 0u)
#define ONE_ROW(k) ((push.u[5] >> k & 1u) != 0u)
#define GROUPS_X   (push.u[5] >> 16) /* workgroups side by side, of the whole dispatch, of which this may be a part */
#define FIRST_ROW  push.u[6] /* of this dispatch, in the whole operand */

/* Element (r, c) of operand k, which may be broadcast; the same of one that is full; element i of a full one. */
#define AT(k, r, c)   (push.at[k] + (ONE_ROW(k) ? 0u : (r)) * (ONE_COL(k) ? 1u : push.f) + (ONE_COL(k) ? 0u : (c)))
#define FULL(k, r, c) (push.at[k] + (r) * push.f + (c))
#define FLAT(k, i)    (push.at[k] + (i))

uint invocation()
{
    return (gl_WorkGroupID.y * GROUPS_X + gl_WorkGroupID.x) * LOCAL + gl_LocalInvocationID.x;
}

#ifdef CLOCK
/* A step's record, and how many steps of the run are done. u[4]: which step of these commands this is. */
struct Tick {
    float rate, c0, c1, c2, c3;
    uint first, step_low, step_high;
};
layout(set = 0, binding = CLOCK) readonly buffer Clock {
    uint count;
    float scale;
    uint spare[2];
    Tick ticks[];
} tonnx_clock;

uint step_of_run()
{
    return tonnx_clock.count + push.u[4];
}

Tick tick()
{
    return tonnx_clock.ticks[step_of_run()];
}

/* Operand k's element i, where it may be one of the step's results (4 a step). */
#define MOVING(k, i) (push.at[k] + (i) + ((push.u[7] >> k & 1u) != 0u ? 4u * step_of_run() : 0u))
#endif
