#include "runtime/cpu/kernel_impl.h"

#include <unistd.h>

#ifdef TONNX_BF16_UNITS
#include <cpuid.h>
#include <sys/syscall.h>
#endif

#define TONNX_ISA_ROW(id, name, runs)                                                                                  \
    extern const tonnx__act_kernels tonnx__act_kernels_##id;                                                           \
    extern const tonnx__elementwise_kernels tonnx__elementwise_kernels_##id;                                           \
    extern const tonnx__sum_kernels tonnx__sum_kernels_##id;                                                           \
    extern const tonnx__norm_kernels tonnx__norm_kernels_##id;                                                         \
    extern const tonnx__row_kernels tonnx__row_kernels_##id;                                                           \
    extern const tonnx__update_kernels tonnx__update_kernels_##id;                                                     \
    extern const tonnx__gemm_kernels tonnx__gemm_kernels_##id;                                                         \
    extern const tonnx__packed_kernels tonnx__packed_kernels_##id;                                                     \
    extern const tonnx__stats_kernels tonnx__stats_kernels_##id;
#include "runtime/cpu/isa.def"
#undef TONNX_ISA_ROW

static const tonnx__kernels sets[] = {
#define TONNX_ISA_ROW(id, name, runs)                                                                                  \
    { name,                                                                                                            \
      &tonnx__act_kernels_##id,                                                                                        \
      &tonnx__elementwise_kernels_##id,                                                                                \
      &tonnx__sum_kernels_##id,                                                                                        \
      &tonnx__norm_kernels_##id,                                                                                       \
      &tonnx__row_kernels_##id,                                                                                        \
      &tonnx__update_kernels_##id,                                                                                     \
      &tonnx__gemm_kernels_##id,                                                                                       \
      &tonnx__packed_kernels_##id,                                                                                     \
      &tonnx__stats_kernels_##id,                                                                                      \
      0 },
#include "runtime/cpu/isa.def"
#undef TONNX_ISA_ROW
};

int tonnx__isa_count(void)
{
    return (int)(sizeof sets / sizeof *sets);
}

bool tonnx__isa_runs(int isa)
{
    const bool runs[] = {
#define TONNX_ISA_ROW(id, name, on_this_machine) (on_this_machine) != 0,
#include "runtime/cpu/isa.def"
#undef TONNX_ISA_ROW
    };
    return isa >= 0 && isa < tonnx__isa_count() && runs[isa];
}

const tonnx__kernels *tonnx__isa_kernels(int isa)
{
    return &sets[isa];
}

size_t tonnx__second_cache(void)
{
    enum { USUAL = 1 << 20 };
#ifdef _SC_LEVEL2_CACHE_SIZE
    const long told = sysconf(_SC_LEVEL2_CACHE_SIZE);
    if (told > 0) return (size_t)told;
#endif
    return USUAL;
}

#ifdef TONNX_BF16_UNITS
/* Leaf 7 of cpuid, since not every compiler's __builtin_cpu_supports knows AMX. Linux gives tiles to processes that ask. */
static bool has_tiles(void)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    const unsigned wanted = 1u << 22 | 1u << 24; /* AMX-BF16, AMX-TILE: compilers name these bits differently */
    unsigned a, b, c, d = 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & wanted) == wanted &&
           !syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA);
}

const tonnx__packed_kernels *tonnx__bf16_kernels(int choice)
{
    const bool vectors = __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw");
    if (vectors && has_tiles() && choice-- == 0) return &tonnx__bf16_amx;
    return vectors && choice == 0 ? &tonnx__bf16_avx512 : NULL;
}
#else
const tonnx__packed_kernels *tonnx__bf16_kernels(int choice)
{
    (void)choice;
    return NULL;
}
#endif
