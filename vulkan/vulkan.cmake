# The Vulkan backend: shaders compiled by glslc and built in as words. Nothing is linked; without glslc or headers, stub.c stands in.
find_program(GLSLC glslc)
find_path(VULKAN_HEADERS vulkan/vulkan.h)
option(TONNX_VULKAN "the Vulkan backend, where there is what it is made with" ON)
if(NOT TONNX_VULKAN OR NOT GLSLC OR NOT VULKAN_HEADERS)
  message(STATUS "no Vulkan backend: it wants glslc and libvulkan-dev, and TONNX_VULKAN")
  set(TONNX_VULKAN OFF)
  set(VULKAN_SOURCES vulkan/stub.c)
  return()
endif()

file(GLOB VULKAN_SOURCES CONFIGURE_DEPENDS vulkan/*.c)
list(REMOVE_ITEM VULKAN_SOURCES ${PROJECT_SOURCE_DIR}/vulkan/stub.c)
file(GLOB SHADERS CONFIGURE_DEPENDS vulkan/shaders/*.comp)
set(SPIRV ${PROJECT_BINARY_DIR}/vulkan)
file(MAKE_DIRECTORY ${SPIRV})
foreach(shader ${SHADERS})
  get_filename_component(name ${shader} NAME_WE)
  add_custom_command(OUTPUT ${SPIRV}/${name}.words
    COMMAND ${GLSLC} -O --target-env=vulkan1.1 -Werror -mfmt=num -MD -MF ${SPIRV}/${name}.d -I ${PROJECT_SOURCE_DIR} ${shader}
      -o ${SPIRV}/${name}.words
    DEPENDS ${shader} DEPFILE ${SPIRV}/${name}.d)
  file(CONFIGURE OUTPUT ${SPIRV}/${name}.c CONTENT
"#include <stddef.h>
#include <stdint.h>
extern const uint32_t tonnx__spirv_@name@[];
extern const size_t tonnx__spirv_@name@_size;
const uint32_t tonnx__spirv_@name@[] = {
#include \"@name@.words\"
};
const size_t tonnx__spirv_@name@_size = sizeof tonnx__spirv_@name@;
" @ONLY)
  set_source_files_properties(${SPIRV}/${name}.c PROPERTIES OBJECT_DEPENDS ${SPIRV}/${name}.words)
  list(APPEND VULKAN_SOURCES ${SPIRV}/${name}.c)
endforeach()
