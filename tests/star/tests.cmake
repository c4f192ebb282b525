find_package(Python3 REQUIRED COMPONENTS Interpreter)
add_test(NAME include_star COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/star/star.py ${PROJECT_SOURCE_DIR})
