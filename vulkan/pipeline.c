/* Shaders, compiled into the program as SPIR-V, become pipelines when a dispatch first wants them. */
#include <string.h>

#include "vulkan/vulkan_impl.h"

#define TONNX_SHADER(id, bindings, views)                                                                              \
    extern const uint32_t tonnx__spirv_##id[];                                                                         \
    extern const size_t tonnx__spirv_##id##_size;
#include "vulkan/shaders.def"
#undef TONNX_SHADER

static const struct shader_row {
    const char *name;
    uint32_t bindings, views;
    const uint32_t *words;
    const size_t *bytes;
} rows[TONNX__VK_SHADERS] = {
#define TONNX_SHADER(id, bindings, views) { #id, bindings, views, tonnx__spirv_##id, &tonnx__spirv_##id##_size },
#include "vulkan/shaders.def"
#undef TONNX_SHADER
};

uint32_t tonnx__vk_shader_bindings(tonnx__vk_shader shader)
{
    return rows[shader].bindings;
}

uint32_t tonnx__vk_shader_views(tonnx__vk_shader shader)
{
    return 2 * rows[shader].views;
}

const char *tonnx__vk_shader_name(tonnx__vk_shader shader)
{
    return rows[shader].name;
}

static tonnx_status make_set_layout(tonnx__vk *vk, tonnx__vk_shader shader)
{
    VkDescriptorSetLayoutBinding list[TONNX__VK_MAX_BINDINGS + TONNX__VK_MAX_VIEWS];
    const uint32_t buffers = rows[shader].bindings, count = buffers + tonnx__vk_shader_views(shader);
    for (uint32_t i = 0; i < count; i++)
        list[i] = (VkDescriptorSetLayoutBinding){ .binding = i,
                                                  .descriptorType = i < buffers
                                                                        ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
                                                                        : VK_DESCRIPTOR_TYPE_STORAGE_TEXEL_BUFFER,
                                                  .descriptorCount = 1,
                                                  .stageFlags = VK_SHADER_STAGE_COMPUTE_BIT };
    const VkDescriptorSetLayoutCreateInfo info = { .sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO,
                                                   .bindingCount = count,
                                                   .pBindings = list };
    return tonnx__vk_check(vk, vk->api->CreateDescriptorSetLayout(vk->device, &info, NULL, &vk->sets[shader]),
                           "a layout of bindings");
}

tonnx_status tonnx__vk_layout_get(tonnx__vk *vk, tonnx__vk_shader shader, VkPipelineLayout *out)
{
    tonnx_status status = vk->sets[shader] ? TONNX_OK : make_set_layout(vk, shader);
    const VkPushConstantRange push = { VK_SHADER_STAGE_COMPUTE_BIT, 0, sizeof(tonnx__vk_push) };
    const VkPipelineLayoutCreateInfo info = { .sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO,
                                              .setLayoutCount = 1,
                                              .pSetLayouts = &vk->sets[shader],
                                              .pushConstantRangeCount = 1,
                                              .pPushConstantRanges = &push };
    if (!status && !vk->layouts[shader])
        status = tonnx__vk_check(vk, vk->api->CreatePipelineLayout(vk->device, &info, NULL, &vk->layouts[shader]),
                                 "a pipeline's layout");
    *out = vk->layouts[shader];
    return status;
}

static tonnx_status want_module(tonnx__vk *vk, tonnx__vk_shader shader)
{
    const VkShaderModuleCreateInfo info = { .sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO,
                                            .codeSize = *rows[shader].bytes,
                                            .pCode = rows[shader].words };
    if (vk->modules[shader]) return TONNX_OK;
    return tonnx__vk_check(vk, vk->api->CreateShaderModule(vk->device, &info, NULL, &vk->modules[shader]),
                           rows[shader].name);
}

static tonnx_status make_pipeline(tonnx__vk *vk, tonnx__vk_pipeline *pipeline)
{
    VkSpecializationMapEntry entries[TONNX__VK_SPECS];
    const VkSpecializationInfo special = { TONNX__VK_SPECS, entries, sizeof pipeline->specs, pipeline->specs };
    VkComputePipelineCreateInfo info = {
        .sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO,
        .flags = VK_PIPELINE_CREATE_DISPATCH_BASE_BIT, /* parts.c begins within a dispatch */
        .stage = { .sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO,
                   .stage = VK_SHADER_STAGE_COMPUTE_BIT,
                   .pName = "main",
                   .pSpecializationInfo = &special },
    };
    for (uint32_t i = 0; i < TONNX__VK_SPECS; i++)
        entries[i] = (VkSpecializationMapEntry){ i, i * (uint32_t)sizeof(uint32_t), sizeof(uint32_t) };
    tonnx_status status = want_module(vk, pipeline->shader);
    if (!status) status = tonnx__vk_layout_get(vk, pipeline->shader, &info.layout);
    if (status) return status;
    info.stage.module = vk->modules[pipeline->shader];
    return tonnx__vk_check(vk,
                           vk->api->CreateComputePipelines(vk->device, vk->cache, 1, &info, NULL, &pipeline->pipeline),
                           rows[pipeline->shader].name);
}

tonnx_status tonnx__vk_pipeline_get(tonnx__vk *vk, tonnx__vk_shader shader, const uint32_t *specs, VkPipeline *out)
{
    tonnx__vk_pipeline made = { .shader = shader };
    memcpy(made.specs, specs, sizeof made.specs);
    *out = VK_NULL_HANDLE;
    for (size_t i = 0; i < vk->pipeline_count; i++)
        if (vk->pipelines[i].shader == shader && !memcmp(vk->pipelines[i].specs, specs, sizeof made.specs)) {
            *out = vk->pipelines[i].pipeline;
            return TONNX_OK;
        }
    tonnx_status status =
        tonnx__grow(&vk->pipelines, &vk->pipeline_room, vk->pipeline_count + 1, sizeof *vk->pipelines);
    if (!status) status = make_pipeline(vk, &made);
    if (status) return status;
    vk->pipelines[vk->pipeline_count++] = made;
    *out = made.pipeline;
    return TONNX_OK;
}

void tonnx__vk_pipelines_free(tonnx__vk *vk)
{
    for (size_t i = 0; i < vk->pipeline_count; i++)
        vk->api->DestroyPipeline(vk->device, vk->pipelines[i].pipeline, NULL);
    for (int i = 0; i < TONNX__VK_SHADERS; i++) {
        vk->api->DestroyShaderModule(vk->device, vk->modules[i], NULL);
        vk->api->DestroyPipelineLayout(vk->device, vk->layouts[i], NULL);
        vk->api->DestroyDescriptorSetLayout(vk->device, vk->sets[i], NULL);
    }
    tonnx__free(vk->pipelines);
}
