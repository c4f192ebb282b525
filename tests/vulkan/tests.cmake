find_package(Python3 REQUIRED COMPONENTS Interpreter)
function(vulkan_transcript name command)
  add_test(NAME vulkan_${name} COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/cli/transcripts.py
    --tonnx $<TARGET_FILE:${command}> --data ${PROJECT_SOURCE_DIR}/tests/data
    ${PROJECT_SOURCE_DIR}/tests/vulkan/${name}.txt)
  set_tests_properties(vulkan_${name} PROPERTIES SKIP_RETURN_CODE 77)
endfunction()
# The command as a build without Vulkan has it: the same objects, and the stub instead of the backend.
if(NOT TONNX_SANITIZE) # which adds an object to every executable, and so twice to this one
  add_library(vulkan_stub OBJECT vulkan/stub.c)
  target_link_libraries(vulkan_stub PRIVATE tonnx_flags)
  add_executable(tonnx_stub $<TARGET_OBJECTS:tonnx> $<TARGET_OBJECTS:tonnx_objects> ${KERNEL_OBJECTS}
    $<TARGET_OBJECTS:vulkan_stub>)
  target_link_libraries(tonnx_stub PRIVATE tonnx_flags ${LIBS})
  set_target_properties(tonnx_stub PROPERTIES LINKER_LANGUAGE C OUTPUT_NAME tonnx
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/stub)
  vulkan_transcript(stub tonnx_stub)
endif()
if(TONNX_VULKAN)
  vulkan_transcript(absent tonnx)
  vulkan_transcript(train tonnx)
  add_test(NAME vulkan_stats COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/vulkan/stats.py
    $<TARGET_FILE:tonnx> ${PROJECT_SOURCE_DIR}/tests/data/train)
  set_tests_properties(vulkan_stats PROPERTIES SKIP_RETURN_CODE 77)
endif()
# No name of the API outside its folder, in the sources and in what the library wants of others.
add_test(NAME vulkan_names COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/vulkan/names.py
  ${PROJECT_SOURCE_DIR} $<TARGET_FILE:tonnx_shared> $<TARGET_FILE:tonnx>)
