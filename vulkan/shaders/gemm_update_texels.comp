#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#define TEXELS 9
#define VIEWS  5
#include "vulkan/shaders/gemm_update.glsl"
