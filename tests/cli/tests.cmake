find_package(Python3 REQUIRED COMPONENTS Interpreter)
file(GLOB TRANSCRIPTS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/cli/*.txt)
foreach(transcript ${TRANSCRIPTS})
  get_filename_component(name ${transcript} NAME_WE)
  add_test(NAME cli_${name} COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/cli/transcripts.py
    --tonnx $<TARGET_FILE:tonnx> --data ${PROJECT_SOURCE_DIR}/tests/data ${transcript})
endforeach()
add_test(NAME cli_readme_table COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/cli/readme.py
  $<TARGET_FILE:tonnx> ${PROJECT_SOURCE_DIR}/README.md)
add_test(NAME cli_exports COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/cli/exports.py
  $<TARGET_FILE:tonnx> ${PROJECT_SOURCE_DIR}/tests/data/exports
  ${PROJECT_SOURCE_DIR}/tests/interop/excluded_exports.txt)
add_test(NAME cli_readme_producers COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/cli/producers.py
  ${PROJECT_SOURCE_DIR}/tests/data/exports ${PROJECT_SOURCE_DIR}/tests/interop/excluded_exports.txt
  ${PROJECT_SOURCE_DIR}/README.md)
add_test(NAME cli_stats COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/cli/stats.py
  $<TARGET_FILE:tonnx> ${PROJECT_SOURCE_DIR}/tests/data/stats)
add_test(NAME cli_pages COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/cli/pages.py $<TARGET_FILE:tonnx>
  ${PROJECT_SOURCE_DIR}/tests/data)
foreach(test rules alarms schemes terminal)
  add_test(NAME cli_${test} COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/cli/${test}.py
    $<TARGET_FILE:tonnx> ${PROJECT_SOURCE_DIR}/tests/data)
endforeach()
