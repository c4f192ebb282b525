/* The Vulkan backend's inside: the device, its memory, its pipelines. Plain Vulkan 1.1 compute, nothing optional.
 *
 * A program becomes a list of dispatches (cut_*.c), which are recorded once (record.c) and replayed step after step
 * (run.c). What varies from step to step stands in the clock, a buffer of step records that the host writes before it
 * submits, and that the device indexes by a counter of its own. */
#ifndef TONNX_VULKAN_VULKAN_IMPL_H
#define TONNX_VULKAN_VULKAN_IMPL_H

#define VK_NO_PROTOTYPES
#include <vulkan/vulkan.h>

#include "runtime/backend_impl.h"
#include "vulkan/kept_impl.h"
#include "vulkan/place_impl.h"

/* The functions of functions.def. */
typedef struct tonnx__vk_api {
    void *library;
#define TONNX_VK_GLOBAL(name)   PFN_vk##name name;
#define TONNX_VK_INSTANCE(name) PFN_vk##name name;
#define TONNX_VK_DEVICE(name)   PFN_vk##name name;
#include "vulkan/functions.def"
#undef TONNX_VK_GLOBAL
#undef TONNX_VK_INSTANCE
#undef TONNX_VK_DEVICE
    PFN_vkGetInstanceProcAddr GetInstanceProcAddr;
} tonnx__vk_api;

/* What the work is planned for. Bytes, where nothing else is said. */
typedef struct tonnx__vk_limits {
    size_t range, texels;         /* that one binding may span; texels that a view of a buffer shows */
    size_t align, allocation;     /* of a binding's start; that one buffer may have */
    size_t shared;                /* memory of a workgroup */
    uint32_t invocations, groups, views; /* of a workgroup; workgroups along x, y and z; views that a shader may have */
    size_t heap, resident;        /* of the device's memory; of a data set that stays there */
    double submit;                /* seconds that one may take: drivers give up after some, and a stop waits for it */
    double tick;                  /* nanoseconds of a timestamp's unit; 0: no timestamps */
} tonnx__vk_limits;

/* What the loader knows of a device. */
typedef struct tonnx__vk_card {
    VkPhysicalDevice physical;
    VkPhysicalDeviceProperties properties;
    VkPhysicalDeviceDriverProperties driver;
    VkPhysicalDeviceMemoryProperties memory;
    uint32_t heap;   /* the largest device-local one */
    bool budgets;    /* the driver tells how much of it may be used */
    uint32_t family; /* of queues that compute; UINT32_MAX: none */
    bool tiled;      /* products go through shared memory, whatever the device */
    /* A test's: the submit at which the device is lost, the allocation that finds no room; 0: none. */
    uint64_t loses_at, full_at;
    int score;       /* discrete > integrated > virtual > CPU > unfit (0) */
    tonnx__vk_limits limits;
} tonnx__vk_card;

enum { TONNX__VK_UNFIT = 0, TONNX__VK_MAX_CARDS = 16, TONNX__VK_MAX_BINDINGS = 12, TONNX__VK_MAX_VIEWS = 10, TONNX__VK_SPECS = 12 };

/* The loader opened, an instance made, and all its devices. */
typedef struct tonnx__vk_loader {
    tonnx__vk_api api;
    VkInstance instance;
    tonnx__vk_card cards[TONNX__VK_MAX_CARDS];
    size_t card_count;
} tonnx__vk_loader;

tonnx_status tonnx__vk_loader_open(tonnx__vk_loader *loader);
void tonnx__vk_loader_close(tonnx__vk_loader *loader);
tonnx_status tonnx__vk_load_device(tonnx__vk_api *api, VkDevice device);

/* instance.c: all devices into the loader. choose.c: the card that ":0", ":nvidia" or "" (the best) names. What may follow is
 * for tests: ":minimum", planned for as if it had no more than Vulkan promises of any; ":memory=N", no more than N MiB;
 * ":lost=N", lost at the N-th submit; ":full=N", no room for the N-th buffer. */
tonnx_status tonnx__vk_list_cards(tonnx__vk_loader *loader);
tonnx_status tonnx__vk_choose(const tonnx__vk_loader *loader, const char *which, tonnx__vk_card *out);
/* Whether a device cannot do what is asked of it, and why not. */
bool tonnx__vk_unfit(const tonnx__vk_card *card, char *why, size_t size);
void tonnx__vk_describe(const tonnx__vk_card *card, char *text, size_t size);
tonnx_status tonnx__vk_devices(void (*visit)(void *user, const tonnx_device_info *info), void *user);

/* A buffer with memory of its own. `host` is where it is mapped; NULL where the host does not see it. */
typedef struct tonnx__vk_buffer {
    VkBuffer buffer;
    VkDeviceMemory memory;
    size_t bytes, taken; /* taken: of the card's heap */
    void *host;
} tonnx__vk_buffer;

/* Shaders: one SPIR-V module each. */
typedef enum tonnx__vk_shader {
#define TONNX_SHADER(id, bindings, views) TONNX__VK_##id,
#include "vulkan/shaders.def"
#undef TONNX_SHADER
    TONNX__VK_SHADERS
} tonnx__vk_shader;

/* What a dispatch is told; 128 bytes, which every device has room for. Shaders see the same (shaders/common.glsl). */
typedef struct tonnx__vk_push {
    uint32_t at[TONNX__VK_MAX_BINDINGS]; /* of each binding: its operand's first element in its window */
    uint32_t n, f, k, flags;             /* rows, columns, depth; TONNX__VK_ACC…, and which operands there are */
    float x[8];
    uint32_t u[8]; /* the last four are common: TONNX__VK_U_… */
} tonnx__vk_push;

enum { TONNX__VK_U_STEP = 4, TONNX__VK_U_ONE_ROW, TONNX__VK_U_ROW, TONNX__VK_U_RESULTS };

/* A shader specialised: what `specs` says of it is constant in it. */
typedef struct tonnx__vk_pipeline {
    tonnx__vk_shader shader;
    uint32_t specs[TONNX__VK_SPECS];
    VkPipeline pipeline;
} tonnx__vk_pipeline;

typedef struct tonnx__vk_data tonnx__vk_data;

/* What the queue has cost this thread so far. */
typedef struct tonnx__vk_toll {
    uint64_t submits, waits;
    double waited; /* s */
} tonnx__vk_toll;

struct tonnx__vk {
    tonnx__backend base;
    tonnx__vk_loader loader;
    tonnx__vk_api *api; /* the loader's */
    tonnx__vk_card card;
    tonnx__vk_limits limits; /* the card's */
    VkDevice device;
    VkQueue queue;
    VkCommandPool commands;
    VkCommandBuffer transfer;
    VkFence transferred;
    tonnx__vk_toll toll;
    tonnx__vk_place place;
    size_t used; /* bytes of the card's heap */
    uint64_t allocations;
    tonnx__vk_buffer staging;
    VkDescriptorSetLayout sets[TONNX__VK_SHADERS]; /* made on first use, as what follows */
    VkPipelineLayout layouts[TONNX__VK_SHADERS];
    VkShaderModule modules[TONNX__VK_SHADERS];
    VkPipelineCache cache;
    uint64_t cached; /* hash of the data that it began with; 0: none */
    tonnx__vk_pipeline *pipelines;
    size_t pipeline_count, pipeline_room;
    tonnx__vk_data *data; /* data sets on the device, a list */
    tonnx__vk_choices choices, kept_choices; /* kept: as on disk */
    uint32_t forced, faulty; /* variants, from 1 on: alone used; a test's, whose sums lack a term. 0: none */
    bool lost, no_barriers; /* for good; a test's: the validation layer must notice */
    tonnx_log log;
    char text[256];
};

/* device.c: what a failed call means: TONNX_NO_MEMORY, or TONNX_BAD_DEVICE; a lost device stays lost. */
tonnx_status tonnx__vk_check(tonnx__vk *vk, VkResult result, const char *what);
tonnx_status tonnx__vk_open(tonnx__backend **out, const tonnx__backend_options *options);
void tonnx__vk_close(tonnx__backend *backend);
tonnx_status tonnx__vk_finish(tonnx__backend *backend);

/* queue.c: hands commands over; waits for them, which makes the fence ready for the next. Both are counted. */
tonnx_status tonnx__vk_submit(tonnx__vk *vk, const VkCommandBuffer *commands, uint32_t count, VkFence fence);
tonnx_status tonnx__vk_fence_wait(tonnx__vk *vk, VkFence fence);

/* memory.c: whether the heap has room for so much, asked before it is taken bit by bit; how much data may stay there. */
tonnx_status tonnx__vk_memory_want(const tonnx__vk *vk, size_t bytes, const char *what);
size_t tonnx__vk_data_room(const tonnx__vk *vk);
/* NULL-safe free. `what` is named where memory is short. `host`: mapped, coherent. */
tonnx_status tonnx__vk_buffer_new(tonnx__vk *vk, tonnx__vk_buffer *out, size_t bytes, bool host, const char *what);
void tonnx__vk_buffer_free(tonnx__vk *vk, tonnx__vk_buffer *buffer);

/* transfer.c: floats in and out of a device buffer by way of the staging buffer; bytes in; zeroes. All wait. */
tonnx_status tonnx__vk_write(tonnx__vk *vk, const tonnx__vk_buffer *to, size_t offset, size_t count, const void *from,
                             tonnx__numbers numbers);
tonnx_status tonnx__vk_read(tonnx__vk *vk, const tonnx__vk_buffer *from, size_t offset, size_t count, void *to,
                            tonnx__numbers numbers);
tonnx_status tonnx__vk_write_bytes(tonnx__vk *vk, const tonnx__vk_buffer *to, size_t offset, const void *from,
                                   size_t bytes);
tonnx_status tonnx__vk_zero(tonnx__vk *vk, const tonnx__vk_buffer *buffer);
/* What comes before is seen by all that comes after, on the device and on the host. */
void tonnx__vk_barrier_all(tonnx__vk *vk, VkCommandBuffer commands);

/* pipeline.c: *out is made on first use, and the backend's. */
tonnx_status tonnx__vk_pipeline_get(tonnx__vk *vk, tonnx__vk_shader shader, const uint32_t *specs, VkPipeline *out);
tonnx_status tonnx__vk_layout_get(tonnx__vk *vk, tonnx__vk_shader shader, VkPipelineLayout *out);
uint32_t tonnx__vk_shader_bindings(tonnx__vk_shader shader);
uint32_t tonnx__vk_shader_views(tonnx__vk_shader shader);
const char *tonnx__vk_shader_name(tonnx__vk_shader shader);
void tonnx__vk_pipelines_free(tonnx__vk *vk);


/* The state's arenas. */
typedef struct tonnx__vk_state {
    tonnx__device_state base;
    tonnx__vk_buffer arenas[TONNX__STATE_ARENAS];
} tonnx__vk_state;

tonnx_status tonnx__vk_state_new(tonnx__backend *backend, const size_t *sizes, tonnx__device_state **out);
void tonnx__vk_state_free(tonnx__device_state *state);
tonnx_status tonnx__vk_state_write(tonnx__device_state *state, tonnx__arena arena, size_t offset, size_t count,
                                   const void *from, tonnx__numbers numbers);
tonnx_status tonnx__vk_state_read(tonnx__device_state *state, tonnx__arena arena, size_t offset, size_t count, void *to,
                                  tonnx__numbers numbers);

extern const tonnx__backend_kind tonnx__backend_vulkan;

#endif
