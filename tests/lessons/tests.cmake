# A test per lesson. Their runs are long for a sanitizer, and nothing in them is not tested otherwise.
if(NOT TONNX_SANITIZE)
  file(GLOB LESSONS CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cli/lessons/[0-9]*.sh)
  foreach(lesson ${LESSONS})
    get_filename_component(name ${lesson} NAME_WE)
    add_test(NAME lesson_${name} COMMAND ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tests/lessons/lessons.py
      $<TARGET_FILE:tonnx> ${lesson})
    set_tests_properties(lesson_${name} PROPERTIES SKIP_RETURN_CODE 77)
  endforeach()
endif()
