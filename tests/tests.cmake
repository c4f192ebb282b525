# One executable per suite: tests/test_NOUN.c → ctest NOUN. Tests see everything, so they link the static library.
pkg_check_modules(CHECK REQUIRED IMPORTED_TARGET check)
file(GLOB TEST_SOURCES CONFIGURE_DEPENDS tests/test_*.c)
if(NOT GLSLC OR NOT VULKAN_HEADERS)
  list(REMOVE_ITEM TEST_SOURCES ${PROJECT_SOURCE_DIR}/tests/test_vulkan.c
    ${PROJECT_SOURCE_DIR}/tests/test_validation.c)
elseif(TONNX_SANITIZE) # sanitizer.c unloads no library, and the loader takes up a layer only when it is loaded
  list(REMOVE_ITEM TEST_SOURCES ${PROJECT_SOURCE_DIR}/tests/test_validation.c)
endif()
foreach(source ${TEST_SOURCES})
  get_filename_component(name ${source} NAME_WE)
  string(REPLACE "test_" "" noun ${name})
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE tonnx_flags tonnx_static PkgConfig::CHECK m)
  target_compile_definitions(${name} PRIVATE TONNX_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data"
    TONNX_SOURCE="${PROJECT_SOURCE_DIR}")
  add_test(NAME ${noun} COMMAND ${name})
endforeach()
file(GLOB TEST_EXTRAS CONFIGURE_DEPENDS tests/*/tests.cmake)
foreach(extra ${TEST_EXTRAS})
  include(${extra})
endforeach()
foreach(suite vulkan validation)
  if(TEST ${suite})
    set_tests_properties(${suite} PROPERTIES SKIP_RETURN_CODE 77)
  endif()
endforeach()

# Not part of a build: cmake --build build/release --target bench_gemm
add_executable(bench_gemm EXCLUDE_FROM_ALL tests/bench/gemm.c)
target_link_libraries(bench_gemm PRIVATE tonnx_flags tonnx_static m)
