# The N-th allocation, and the N-th call on a file, fails. Here every 41st allocation and every call; all of them:
#   python3 tests/faults/faults.py --tonnx build/release/tonnx --preload build/release/libfault.so -v
if(NOT TONNX_SANITIZE AND CMAKE_SYSTEM_NAME STREQUAL "Linux")
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  add_library(fault MODULE tests/faults/fault.c)
  set_target_properties(fault PROPERTIES C_VISIBILITY_PRESET default)
  target_link_libraries(fault PRIVATE ${CMAKE_DL_LIBS})
  add_test(NAME command_faults COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/faults/faults.py
    --tonnx $<TARGET_FILE:tonnx> --preload $<TARGET_FILE:fault> --every 41)
endif()
# New bad files of every kind that is read.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(BAD_RSS 96)
if(TONNX_SANITIZE)
  set(BAD_RSS 0)
endif()
add_test(NAME bad_inputs COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/faults/bad_inputs.py
  --tonnx $<TARGET_FILE:tonnx> --rss ${BAD_RSS})
# Good files damaged at random; more of them: --count 10000 --seed 2.
add_test(NAME damage COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/faults/damage.py
  --tonnx $<TARGET_FILE:tonnx> --rss ${BAD_RSS})
# kill -9 at random moments; 50 of them: --times 50.
add_test(NAME kills COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/faults/kills.py --tonnx $<TARGET_FILE:tonnx>
  --times 10)
# SIGINT and SIGTERM in the middle of steps of seconds.
add_test(NAME signals COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/faults/kills.py --tonnx $<TARGET_FILE:tonnx>
  --times 0 --signals)
# A full disk and a read-only one, where the tests may mount a tmpfs.
add_test(NAME disk COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/faults/disk.py --tonnx $<TARGET_FILE:tonnx>)
set_tests_properties(disk PROPERTIES SKIP_RETURN_CODE 77)
