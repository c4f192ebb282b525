#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#define TEXELS 8
#define VIEWS  2
#include "vulkan/shaders/gemm_act.glsl"
