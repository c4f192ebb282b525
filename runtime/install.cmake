# What is installed: both libraries, the public headers with their tree, tonnx.pc, find_package(tonnx), the man page.
include(CMakePackageConfigHelpers)

file(GLOB PUBLIC_HEADERS RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS runtime/*.h runtime/ops/book.h format/*.h converters/*.h
  runtime/status.def runtime/rules.def runtime/ops/*.def)
list(FILTER PUBLIC_HEADERS EXCLUDE REGEX "_impl\\.h$")

# <tonnx/tonnx.h> is all of them.
set(ALL_HEADERS ${PUBLIC_HEADERS})
list(FILTER ALL_HEADERS INCLUDE REGEX "\\.h$")
list(TRANSFORM ALL_HEADERS REPLACE "(.+)" "#include \"\\1\"\n" OUTPUT_VARIABLE TONNX_INCLUDES)
list(JOIN TONNX_INCLUDES "" TONNX_INCLUDES)
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/install/tonnx.h @ONLY CONTENT
"/* tonnx @PROJECT_VERSION@: every public header. */
#ifndef TONNX_TONNX_H
#define TONNX_TONNX_H

@TONNX_INCLUDES@
#endif
")
install(FILES ${PROJECT_BINARY_DIR}/install/tonnx.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tonnx)
foreach(header ${PUBLIC_HEADERS})
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/tonnx/${folder})
endforeach()

# pkg-config. The folders are found from where the file lies, so that an installation may be moved: from lib/pkgconfig,
# or deeper on a multiarch system, up to the prefix.
file(RELATIVE_PATH TONNX_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
string(REGEX REPLACE "/$" "" TONNX_PREFIX "${TONNX_PREFIX}")
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/install/tonnx.pc @ONLY CONTENT
"prefix=\${pcfiledir}/@TONNX_PREFIX@
libdir=\${prefix}/@CMAKE_INSTALL_LIBDIR@
includedir=\${prefix}/@CMAKE_INSTALL_INCLUDEDIR@

Name: tonnx
Description: @PROJECT_DESCRIPTION@
Version: @PROJECT_VERSION@
Requires.private: libprotobuf-c zlib libzip jansson
Libs: -L\${libdir} -ltonnx
Libs.private: -lm -lpthread
Cflags: -I\${includedir}
")
install(FILES ${PROJECT_BINARY_DIR}/install/tonnx.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# find_package(tonnx): tonnx::tonnx is the shared library; tonnx::static is there where its own libraries are found.
set(CONFIG_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/tonnx)
set_target_properties(tonnx_shared PROPERTIES EXPORT_NAME tonnx)
set_target_properties(tonnx_static PROPERTIES EXPORT_NAME static)
install(TARGETS tonnx_shared EXPORT tonnx-shared LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS tonnx_static EXPORT tonnx-static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT tonnx-shared NAMESPACE tonnx:: DESTINATION ${CONFIG_DIR})
install(EXPORT tonnx-static NAMESPACE tonnx:: DESTINATION ${CONFIG_DIR})
file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/install/tonnx-config.cmake @ONLY CONTENT [=[
include(${CMAKE_CURRENT_LIST_DIR}/tonnx-shared.cmake)
find_package(PkgConfig QUIET)
find_package(Threads QUIET)
if(PkgConfig_FOUND AND Threads_FOUND)
  pkg_check_modules(PROTOBUF_C QUIET IMPORTED_TARGET libprotobuf-c)
  pkg_check_modules(ZLIB QUIET IMPORTED_TARGET zlib)
  pkg_check_modules(ZIP QUIET IMPORTED_TARGET libzip)
  pkg_check_modules(JANSSON QUIET IMPORTED_TARGET jansson)
  if(PROTOBUF_C_FOUND AND ZLIB_FOUND AND ZIP_FOUND AND JANSSON_FOUND)
    include(${CMAKE_CURRENT_LIST_DIR}/tonnx-static.cmake)
  endif()
endif()
]=])
write_basic_package_version_file(${PROJECT_BINARY_DIR}/install/tonnx-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/install/tonnx-config.cmake ${PROJECT_BINARY_DIR}/install/tonnx-config-version.cmake
  DESTINATION ${CONFIG_DIR})

# The command, and what it says of itself: the man page and the completion come from its option tables.
install(TARGETS tonnx RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/install/tonnx.1 ${PROJECT_BINARY_DIR}/install/tonnx.bash
  COMMAND tonnx --man > ${PROJECT_BINARY_DIR}/install/tonnx.1
  COMMAND tonnx completion > ${PROJECT_BINARY_DIR}/install/tonnx.bash
  DEPENDS tonnx)
add_custom_target(tonnx_man ALL DEPENDS ${PROJECT_BINARY_DIR}/install/tonnx.1)
install(FILES ${PROJECT_BINARY_DIR}/install/tonnx.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${PROJECT_BINARY_DIR}/install/tonnx.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME tonnx)
