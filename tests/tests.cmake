# One executable per suite: tests/test_NOUN.c → ctest NOUN. Tests see everything, so they link the static library.
pkg_check_modules(CHECK REQUIRED IMPORTED_TARGET check)
file(GLOB TEST_SOURCES CONFIGURE_DEPENDS tests/test_*.c)
if(NOT TONNX_VULKAN)
  list(FILTER TEST_SOURCES EXCLUDE REGEX "/test_(vulkan.*|validation)\\.c$")
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
# Sanitizers show faults of the host's code, and most of this suite's time goes into the driver, which is not instrumented:
# of cases that differ in what shaders do, one stands for some. Every file of vulkan/ is met all the same; builds without
# sanitizers have all cases.
if(TONNX_VULKAN AND TONNX_SANITIZE)
  target_compile_definitions(test_vulkan PRIVATE TONNX_TEST_THINNER=5)
endif()
# What Mesa's CPU driver compiles, most of these suites' time, is kept for the next one, and for all presets' builds.
get_filename_component(shaders ${PROJECT_BINARY_DIR} DIRECTORY)
if(NOT shaders STREQUAL "${PROJECT_SOURCE_DIR}/build")
  set(shaders ${PROJECT_BINARY_DIR})
endif()
foreach(suite vulkan vulkan_device vulkan_run validation vulkan_train vulkan_stats)
  if(TEST ${suite})
    set_tests_properties(${suite} PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 3600
      ENVIRONMENT MESA_SHADER_CACHE_DIR=${shaders}/mesa)
  endif()
endforeach()
# The longest begin first, in a tree that has never run them too: seconds of a core.
foreach(cost vulkan:240 validation:220 vulkan_run:46 vulkan_device:20 command_faults:18 backend:17 signals:16 vulkan_stats:9 cli_exports:6
    vulkan_train:5)
  string(REPLACE ":" ";" cost ${cost})
  list(GET cost 0 name)
  list(GET cost 1 seconds)
  if(TEST ${name})
    set_tests_properties(${name} PROPERTIES COST ${seconds})
  endif()
endforeach()

# Not part of a build: cmake --build build/release --target bench_gemm. OpenBLAS, where it is installed, is measured beside.
add_executable(bench_gemm EXCLUDE_FROM_ALL tests/bench/gemm.c)
target_link_libraries(bench_gemm PRIVATE tonnx_flags tonnx_static m)
pkg_check_modules(OPENBLAS QUIET IMPORTED_TARGET openblas)
if(OPENBLAS_FOUND)
  target_link_libraries(bench_gemm PRIVATE PkgConfig::OPENBLAS)
  target_compile_definitions(bench_gemm PRIVATE BENCH_OPENBLAS)
endif()
