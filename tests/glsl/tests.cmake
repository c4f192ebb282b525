# The op book is GLSL too.
add_test(NAME glsl COMMAND sh ${PROJECT_SOURCE_DIR}/tests/glsl/compile.sh ${PROJECT_SOURCE_DIR})
set_tests_properties(glsl PROPERTIES SKIP_RETURN_CODE 77)
